"""The ensemble engine as an engine: compiled models are kept for the process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from myelode.engines.ensemble.ensemble import Ensemble
from myelode.engines.protocol import Run, Tolerances
from myelode.errors import SimulationError


class EnsembleEngine:
    """Steps many simulations of a model at once, with machine code of its own."""

    name = "ensemble"

    def compile(self, sbml: str) -> EnsembleSimulator:
        """A simulator; raises UnsupportedModelError for what cannot be done right."""
        return _compiled(sbml)


@lru_cache(maxsize=32)
def _compiled(sbml: str) -> EnsembleSimulator:
    return EnsembleSimulator(sbml)


class EnsembleSimulator:
    """One compiled model; single runs are runs in bulk of which there is one."""

    def __init__(self, sbml: str):
        self._ensemble = Ensemble(sbml)

    def objection(self, run: Run) -> str:
        """Why a run cannot be done, in words that follow "does not do"; "" where it can."""
        return self._ensemble.objection(run)

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs and counts); raises SimulationError."""
        [found] = self.run_many([run], tolerances)
        if isinstance(found, SimulationError):
            raise found
        return found

    def run_many(
        self, runs: Sequence[Run], tolerances: Tolerances
    ) -> list[np.ndarray | SimulationError]:
        """Of every run, in their order, the values or why there are none."""
        return self._ensemble.run_many(runs, tolerances)
