"""The ensemble engine as an engine: compiled models are kept for the process."""

from __future__ import annotations

from functools import lru_cache

from myelode.engines.ensemble.ensemble import Ensemble


class EnsembleEngine:
    """Steps many simulations of a model at once, with machine code of its own."""

    name = "ensemble"

    def compile(self, sbml: str) -> Ensemble:
        """A simulator; raises UnsupportedModelError for what cannot be done right."""
        return _compiled(sbml)


@lru_cache(maxsize=32)
def _compiled(sbml: str) -> Ensemble:
    return Ensemble(sbml)
