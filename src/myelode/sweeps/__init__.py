"""Sweeps: a scenario at many points, computed in chunks that nothing can half-write."""
