"""Tests of the cereblon model, with the closed forms against which it is held."""
