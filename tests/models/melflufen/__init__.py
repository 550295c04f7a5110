"""Tests of the melflufen model, from the dish to the patient."""
