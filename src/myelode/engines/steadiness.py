"""When a dosing period that is repeated has come to its steady state, for many runs at once.

`docs/semantics.md` states when that is; every engine asks here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEADY = 1e-10
"""Largest change of any value from one dosing period to the next, relative to its size."""

PERIODS = 10_000
"""Dosing periods after which the search for a steady state gives up."""

ENDLESS = 1e15
"""Growth since the first period after which a state is taken to have no end."""

PATIENCE = 5
"""Periods that may pass without progress, once the change is below the relative tolerance."""


class Approach:
    """How fast repeated dosing periods approach their steady states.

    Parameters
    ----------
    ids : of the values that are compared.
    period : shape (runs,); the length of the period of each.
    size : shape (ids, runs); absolute values before the first period.
    tolerance : the relative tolerance of the integration.
    """

    def __init__(self, ids: Sequence[str], period: np.ndarray, size: np.ndarray, tolerance: float):
        runs = size.shape[1]
        self._ids = ids
        self._period = period
        self._size = size
        self._tolerance = tolerance
        self._passed = np.zeros(runs, dtype=int)
        self._idle = np.zeros(runs, dtype=int)
        self._smallest = np.full(runs, np.inf)
        self._first = np.zeros_like(size)

    def judge(
        self, runs: np.ndarray, before: np.ndarray, after: np.ndarray
    ) -> tuple[np.ndarray, dict[int, str]]:
        """Which of some runs are there, shape (these,), and why others never will be, by number.

        `runs` are their numbers. Each had a period more, which led it from `before` to `after`, of
        shape (ids, these).
        """
        sizes = np.maximum(self._size[:, runs], np.abs(after))
        begins = self._passed[runs] == 0
        self._first[:, runs[begins]] = floored(sizes)[:, begins]
        self._size[:, runs] = sizes
        self._passed[runs] += 1
        moved = np.abs(after - before) / floored(sizes)
        ended = self._have_ended(runs, moved.max(axis=0))
        return ended, self._still_moving(runs[~ended], moved[:, ~ended]) | self._endless(
            runs, after
        )

    def _have_ended(self, runs: np.ndarray, largest: np.ndarray) -> np.ndarray:
        """Whether the largest change is negligible, or has sunk into the integrator's own error."""
        stalls = (self._smallest[runs] <= largest) & (largest < self._tolerance)
        self._idle[runs] = np.where(stalls, self._idle[runs] + 1, 0)
        self._smallest[runs] = np.minimum(self._smallest[runs], largest)
        return np.asarray((largest < STEADY) | (self._idle[runs] >= PATIENCE))

    def _still_moving(self, runs: np.ndarray, moved: np.ndarray) -> dict[int, str]:
        """Runs that had all the periods there are."""
        slowest = moved.argmax(axis=0)
        return {
            int(run): f"no steady state after {PERIODS} periods of {self._period[run]:g}: "
            f"{self._ids[row]} still moves"
            for run, row in zip(runs, slowest, strict=True)
            if self._passed[run] >= PERIODS
        }

    def _endless(self, runs: np.ndarray, after: np.ndarray) -> dict[int, str]:
        """Runs in which a value is beyond any size that doses could have given it."""
        beyond = np.abs(after) > ENDLESS * self._first[:, runs]
        return {
            int(run): f"{self._ids[row]} grows without end: there is no steady state"
            for run, row, is_beyond in zip(
                runs, beyond.argmax(axis=0), beyond.any(axis=0), strict=True
            )
            if is_beyond
        }


def floored(size: np.ndarray) -> np.ndarray:
    """Sizes that keep what is zero, but for rounding, from counting as movement.

    The largest along the first axis says how large rounding is.
    """
    rounding = np.finfo(float).eps * size.max(axis=0, initial=0.0)
    found: np.ndarray = np.maximum(size, np.maximum(rounding, np.finfo(float).tiny))
    return found
