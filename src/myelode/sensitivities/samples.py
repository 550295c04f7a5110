"""What analyses read of a finished sweep: where its points lie, and what was found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

CONFIDENCE, BOOTSTRAP_SEED = 0.95, 1
"""Of intervals: the share of resamples within them, and the seed of these."""
FEWEST_RESAMPLES, MOST_RESAMPLES, MOST_RESAMPLED = 20, 200, 5_000_000

Indices = dict[str, np.ndarray]
"""By the name of the index: one number for each parameter, or for each pair of them."""


@dataclass(frozen=True)
class Parameter:
    """One direction in which the points differ.

    Attributes
    ----------
    words : what its numbers stand for, from 0 on, where it is none: perturbations, cell lines.
    """

    name: str
    title: str = ""
    unit: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One number of every point.

    Attributes
    ----------
    label : of all of them its own, such as ``ic50`` or ``none.melphalan.ic50``.
    endpoint : which it is an entry of.
    values : one for each point.
    """

    label: str
    endpoint: str
    values: np.ndarray
    title: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Sample:
    """The points of a design, in its order.

    Attributes
    ----------
    kind : of the design; ``random`` for any whose points follow no order of their own.
    options : of the design, as its section has them.
    parameters : the directions.
    points : (points, parameters).
    has_failed : of which points a run ended without a result.
    reasons : of these, in the order of the points.
    """

    kind: str
    options: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    points: np.ndarray
    has_failed: np.ndarray
    reasons: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def names(self) -> list[str]:
        """Of the parameters."""
        return [parameter.name for parameter in self.parameters]

    @property
    def failed(self) -> int:
        """Of how many points a run ended without a result."""
        return int(self.has_failed.sum())

    def reasons_at(self, which: np.ndarray) -> tuple[str, ...]:
        """Of the points that failed among some."""
        at = zip(np.flatnonzero(self.has_failed), self.reasons, strict=False)
        return tuple(reason for place, reason in at if which[place])

    def only(self, which: np.ndarray) -> Sample:
        """Some of the points, in no order of their own."""
        return replace(
            self, kind="random", points=self.points[which], has_failed=self.has_failed[which],
            reasons=self.reasons_at(which),
        )  # fmt: skip

    @cached_property
    def problem(self) -> dict[str, Any]:
        """The parameters as SALib wants them."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        bounds = [list(pair) for pair in zip(low.tolist(), high.tolist(), strict=True)]
        return {"num_vars": len(self.names), "names": self.names, "bounds": bounds}


def of_these(sample: Sample, reading: Reading, which: np.ndarray) -> tuple[Sample, Reading]:
    """Some of the points, and what was read there."""
    return sample.only(which), replace(reading, values=reading.values[which])


def resamples(rows: int) -> int:
    """How many resamples intervals come from: fewer of many rows, which are all in memory."""
    return max(FEWEST_RESAMPLES, min(MOST_RESAMPLES, MOST_RESAMPLED // rows))


def every_point(sample: Sample) -> np.ndarray:
    """All of them."""
    return np.ones(sample.count, dtype=bool)


def has_number(sample: Sample, reading: Reading) -> np.ndarray:
    """Which points have one."""
    return np.asarray(np.isfinite(reading.values))


def varies(values: np.ndarray) -> bool:
    """Whether numbers differ by more than rounding."""
    size = float(np.abs(values).max(initial=0.0))
    return bool(values.size) and float(np.ptp(values)) > 1e-12 * size
