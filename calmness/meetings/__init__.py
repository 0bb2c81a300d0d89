"""Meeting links: pasted by the staff, checked against the hosts of the three providers, never fetched."""

from calmness.meetings.links import ForeignMeetingLink, provider_of

__all__ = ["ForeignMeetingLink", "provider_of"]
