"""What breaks on purpose, and what must come out of it unharmed."""
