"""What happens to a model, and when: the form of a regimen that engines execute.

Every act on a model is affine in the value it changes, ``target <- factor * target + offset``:
a dose adds, a wash dilutes, an inhibitor sets. Times are in the model's time unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SAME_TIME = 1e-9
"""Times whose relative difference is smaller are one time."""


@dataclass(frozen=True)
class Change:
    """``target <- factor * target + offset``, in the model's own mathematics."""

    target: str
    factor: float
    offset: float


@dataclass(frozen=True)
class SteadyState:
    """The state that is reached when `instants` recur for ever.

    The instants lie in ``[0, period)``; the state is taken `phase` after the start of a period.
    The approach starts from the initial state of the run.
    """

    period: float
    instants: tuple[Instant, ...]
    phase: float


@dataclass(frozen=True)
class Instant:
    """All that happens at one time, in this order: reset, steady state, changes.

    The changes of one instant are simultaneous: each sees the values before any of them.
    """

    time: float
    changes: tuple[Change, ...] = ()
    reset: bool = False
    steady: SteadyState | None = None


@dataclass(frozen=True)
class Equilibration:
    """A run without drug before time zero; after it the ids in `hold` have their initial values."""

    duration: float
    hold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """Instants in increasing order of time, none before zero."""

    instants: tuple[Instant, ...]
    end: float
    equilibration: Equilibration | None = None


def tidy(time: float) -> float:
    """The time without the last digits, in which equal sums of decimal numbers may differ."""
    return float(f"{time:.12g}")


def just_before(time: float) -> float:
    """The last moment before a time: a sample there shows what an event has not changed yet."""
    return math.nextafter(time, -math.inf)


def is_same_time(time: float, other: float) -> bool:
    """Whether two times differ by rounding only."""
    return math.isclose(time, other, rel_tol=SAME_TIME)
