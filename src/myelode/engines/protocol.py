"""What an engine is: it compiles a model once and then executes runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from myelode.errors import SimulationError
from myelode.regimens.timeline import Timeline


@dataclass(frozen=True)
class Tolerances:
    """Relative tolerance, and absolute tolerance as a share of each state's natural size."""

    relative: float = 1e-9
    absolute: float = 1e-12


@dataclass(frozen=True)
class Run:
    """One integration.

    Attributes
    ----------
    changes : parameters, compartments or initial values that differ from the model, by id, in the
        model's own mathematics; initial values that depend on them are recomputed.
    timeline : what happens, and until when.
    times : sample times, increasing; a sample at an event time is the value just after the event.
    outputs : ids, ``amount(X)`` or ``concentration(X)``.
    counts : names under which the timeline counts occurrences that took place.
    """

    changes: Mapping[str, float]
    timeline: Timeline
    times: np.ndarray
    outputs: tuple[str, ...]
    counts: tuple[str, ...] = ()


Result = np.ndarray | SimulationError
"""Values of a run, of shape (times, outputs and counts), or why there are none."""


class Simulator(Protocol):
    """A compiled model. Runs do not influence one another."""

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs and counts); raises SimulationError where it fails."""
        ...


@runtime_checkable
class BulkSimulator(Simulator, Protocol):
    """A compiled model that does many runs at once."""

    def objection(self, run: Run) -> str:
        """Why it cannot do a run, in words that follow "does not do"; "" where it can."""
        ...

    def run_many(self, runs: Sequence[Run], tolerances: Tolerances) -> list[Result]:
        """The result of every run, in their order."""
        ...


class Engine(Protocol):
    """What turns canonical SBML into a simulator."""

    name: str

    def compile(self, sbml: str) -> Simulator:
        """A simulator for the model; raises UnsupportedModelError for what it cannot do right."""
        ...
