"""What happens to a model, and when: the form of a regimen that engines execute.

Every act on a model is affine in the value it changes, ``target <- factor * target + offset``:
a dose adds, a wash dilutes, an inhibitor sets. Times are in the model's time unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SAME_TIME = 1e-9
"""Times whose relative difference is smaller are one time."""


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of a step with a condition: what hangs on it happens where that holds.

    `number` tells it from the others of its timeline, `step` is the step in words, and `count` the
    name under which those that took place are counted, "" where none are.
    """

    number: int
    condition: str
    step: str
    count: str = ""


@dataclass(frozen=True)
class Change:
    """``target <- factor * target + offset``, in the model's own mathematics.

    With the number of an occurrence it happens only if that took place.
    """

    target: str
    factor: float
    offset: float
    occurrence: int | None = None


@dataclass(frozen=True)
class Lasting:
    """The value of a parameter from now on, where it depends on what took place.

    `values` are those of all that lasts, in order of their starts, each with the number of its
    occurrence, None for what is certain. They add up (`sums`), or the latest holds; without any the
    parameter is `otherwise`. Nothing changes unless one of `due`, which start or end here, took
    place.
    """

    target: str
    values: tuple[tuple[int | None, float], ...]
    due: tuple[int | None, ...]
    sums: bool
    otherwise: float

    def value_of(self, lasting: Sequence[float]) -> float:
        """What the parameter is while certain values last."""
        if self.sums:
            return math.fsum(lasting)
        return lasting[-1] if lasting else self.otherwise


@dataclass(frozen=True)
class Clash:
    """Two acts on one value that exclude each other, and what to say if both take place."""

    one: int | None
    other: int | None
    reason: str


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

    The changes of one instant are simultaneous: each sees the values before any of them. What
    conditions see are the values before all of it.
    """

    time: float
    changes: tuple[Change, ...] = ()
    reset: bool = False
    steady: SteadyState | None = None
    occurrences: tuple[Occurrence, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    clashes: tuple[Clash, ...] = ()


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


def targets_of(instants: Sequence[Instant]) -> Iterator[str]:
    """All that the instants change, steady states included."""
    for instant in instants:
        yield from (change.target for change in instant.changes)
        yield from (item.target for item in instant.lasting)
        if instant.steady is not None:
            yield from targets_of(instant.steady.instants)


def tidy(time: float) -> float:
    """The time without the last digits, in which equal sums of decimal numbers may differ."""
    return float(f"{time:.12g}")


def just_before(time: float) -> float:
    """The last moment before a time: a sample there shows what an event has not changed yet."""
    return math.nextafter(time, -math.inf)


def is_same_time(time: float, other: float) -> bool:
    """Whether two times differ by rounding only."""
    return math.isclose(time, other, rel_tol=SAME_TIME)
