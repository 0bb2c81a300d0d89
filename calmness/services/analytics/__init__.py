"""The audience measure: views become visits, visits become rollups, rollups are read."""
