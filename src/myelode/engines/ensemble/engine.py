"""The ensemble engine as an engine: compiled models are kept for the process."""

from __future__ import annotations

from functools import lru_cache

from myelode.engines.ensemble.ensemble import Ensemble


class EnsembleEngine:
    """Steps many simulations of a model at once, with machine code of its own.

    If `reproducible`, with the same numbers on every kind of processor.
    """

    name = "ensemble"

    def __init__(self, reproducible: bool = False):
        self._reproducible = reproducible

    def compile(self, sbml: str) -> Ensemble:
        """A simulator; raises UnsupportedModelError for what cannot be done right."""
        return _compiled(sbml, self._reproducible)


@lru_cache(maxsize=32)
def _compiled(sbml: str, reproducible: bool) -> Ensemble:
    return Ensemble(sbml, reproducible)
