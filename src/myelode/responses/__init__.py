"""Dose-response: curves and their numbers, folds with intervals, and matrices of both."""
