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

    def believe(
        self, which: np.ndarray, grown: np.ndarray, rows: Sequence[int] | slice = slice(None)
    ) -> None:
        """States, of shape (rows, which), were given more than they had: that is no rounding."""
        here = np.ix_(np.arange(len(self._resolved))[rows], which)
        self._resolved[here] = np.where(grown, 0.0, self._resolved[here])

    def tolerances(self, which: np.ndarray, states: np.ndarray, absolute: float) -> np.ndarray:
        """Tolerances of shape (states, which); `absolute` is a share of the natural size."""
        sizes, resolved = picked(self._sizes, which), picked(self._resolved, which)
        seen = np.abs(states)
        np.maximum(sizes, seen, out=sizes, where=seen > resolved)
        some_empty = np.flatnonzero(~(sizes > 0).all(axis=1))
        found: np.ndarray = absolute * self._natural(sizes, some_empty)
        resolved[:] = 0.0
        resolved[some_empty] = np.where(sizes[some_empty] > 0, 0.0, found[some_empty])
        put_back(self._sizes, which, sizes)
        put_back(self._resolved, which, resolved)
        return found

    def _natural(self, sizes: np.ndarray, some_empty: np.ndarray) -> np.ndarray:
        """Sizes, guessed from the others for states that have always been zero somewhere."""
        negligible = NEGLIGIBLE * sizes.max(axis=0, initial=0.0)
        natural: np.ndarray = np.maximum(sizes, negligible)
        if some_empty.size:
            least = _least(sizes)
            smallest = np.where(np.isfinite(least), least, 1.0)
        for rows in self._groups:
            empty = np.intersect1d(rows, some_empty)
            if empty.size:
                least = SMALL_SHARE * _least(sizes[rows])
                guess = np.where(np.isfinite(least), np.maximum(smallest, least), smallest)
                guess = np.maximum(guess, negligible)
                natural[empty] = np.where(sizes[empty] > 0, natural[empty], guess)
        return natural


def picked(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """What an array has for simulations that increase: for all of them itself, else a copy."""
    return values if len(which) == values.shape[-1] else np.take(values, which, axis=-1)


def put_back(values: np.ndarray, which: np.ndarray, found: np.ndarray) -> None:
    """Let an array have what has become of that which was picked from it."""
    if found is not values:
        values[..., which] = found


def _least(sizes: np.ndarray) -> np.ndarray:
    """The smallest size of each simulation that is not zero, infinite where all are."""
    known = np.where(sizes > 0, sizes, np.inf)
    return np.asarray(known.min(axis=0, initial=np.inf))
