"""Formations, places in them, dated sessions, reminders, presence."""
