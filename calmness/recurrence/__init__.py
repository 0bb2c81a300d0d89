"""Recurring local times (RFC 5545 rules) turned into instants.

The wall time and its zone are the truth: a session at 19 h 00 in Paris stays at 19 h 00 across both changes of clock.
"""

from calmness.recurrence.expand import HolidayRule, MalformedRule, Occurrence, expand, preview

__all__ = ["HolidayRule", "MalformedRule", "Occurrence", "expand", "preview"]
