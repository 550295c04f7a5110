"""Tests of the belantamab model, with the closed forms against which it is held."""
