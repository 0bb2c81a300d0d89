"""Conversations with visitors and students, and the team's desk."""
