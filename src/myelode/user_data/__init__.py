"""The user's own readings: a table with units in its header, and what a scenario has of it."""
