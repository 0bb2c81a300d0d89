"""Administration, a blueprint an area."""
