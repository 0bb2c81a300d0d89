"""What is written to people: a module an area, each message composed at the moment it leaves."""
