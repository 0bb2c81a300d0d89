"""The rules of the house, by area: plain functions that know neither request nor template."""
