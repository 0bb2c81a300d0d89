"""A school with a year of life, always the same for a seed, always relative to today.

What rules decide (invoices, signals, enrolments) is made by the same services as in real life; what is only volume
(trades, page views) is inserted in bulk.
"""

from calmness.demo.load import DEMO_PASSWORD, is_loaded, load

__all__ = ["DEMO_PASSWORD", "is_loaded", "load"]
