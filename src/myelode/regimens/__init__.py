"""Regimens: from the steps of a scenario to what happens to a model, and when."""
