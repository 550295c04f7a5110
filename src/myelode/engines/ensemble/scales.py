"""Absolute tolerances that suit the size which each state has had so far, for many simulations.

The meaning is that of `engines/sizes.py`, which has the same for one run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myelode.engines.sizes import NEGLIGIBLE, SMALL_SHARE


class Scales:
    """The largest absolute value of each state of each simulation so far.

    `groups` are names of what states have in common, of which those that share one share a unit.
    """

    def __init__(self, groups: Sequence[str], simulations: int):
        self._groups = [np.flatnonzero(np.array(groups) == name) for name in dict.fromkeys(groups)]
        self._sizes = np.zeros((len(groups), simulations))
        self._resolved = np.zeros_like(self._sizes)

    def believe(self, which: np.ndarray, grown: np.ndarray) -> None:
        """States, of shape (states, which), were given more than they had: that is no rounding."""
        self._resolved[:, which] = np.where(grown, 0.0, self._resolved[:, which])

    def tolerances(self, which: np.ndarray, states: np.ndarray, absolute: float) -> np.ndarray:
        """Tolerances of shape (states, which); `absolute` is a share of the natural size."""
        seen = np.abs(states)
        seen = np.where(seen > self._resolved[:, which], seen, 0.0)
        sizes = np.maximum(self._sizes[:, which], seen)
        found: np.ndarray = absolute * self._natural(sizes)
        self._sizes[:, which] = sizes
        self._resolved[:, which] = np.where(sizes > 0, 0.0, found)
        return found

    def _natural(self, sizes: np.ndarray) -> np.ndarray:
        """Sizes, guessed from the others for states that have always been zero."""
        least = _least(sizes)
        filled = np.where(sizes > 0, sizes, np.where(np.isfinite(least), least, 1.0))
        for rows in self._groups:
            least = SMALL_SHARE * _least(sizes[rows])
            larger = np.where(np.isfinite(least), np.maximum(filled[rows], least), filled[rows])
            filled[rows] = np.where(sizes[rows] > 0, sizes[rows], larger)
        return np.asarray(np.maximum(filled, NEGLIGIBLE * sizes.max(axis=0, initial=0.0)))


def _least(sizes: np.ndarray) -> np.ndarray:
    """The smallest size of each simulation that is not zero, infinite where all are."""
    known = np.where(sizes > 0, sizes, np.inf)
    return np.asarray(known.min(axis=0, initial=np.inf))
