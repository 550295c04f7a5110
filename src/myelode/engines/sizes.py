"""Absolute tolerances that suit the size which each state of a run has had so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myelode.sbml import Entity

NEGLIGIBLE = 1e-18
"""Size of a state, relative to the largest, below which its accuracy is not looked after."""

SMALL_SHARE = 1e-6
"""Size of a state at zero, relative to the smallest other of its compartment, that will do."""


class NaturalSizes:
    """The largest amount of each state so far.

    A state that has always been zero is taken to be as small as the smallest other, or at least a
    millionth of the smallest of its own compartment, with which it shares a unit. What an
    integration leaves there below the tolerance that follows is rounding, and still counts as zero.
    """

    def __init__(self, states: Sequence[Entity]):
        self._position = {entity.id: number for number, entity in enumerate(states)}
        self._groups = np.array([entity.compartment or f"in {entity.unit}" for entity in states])
        self.begin()

    def begin(self) -> None:
        """Nothing is known: a run begins."""
        self._sizes = np.zeros(len(self._position))
        self._resolved = np.zeros(len(self._position))

    def believe(self, name: str) -> None:
        """The state was given more than it had: however small, that is no rounding."""
        if name in self._position:
            self._resolved[self._position[name]] = 0.0

    def tolerances(self, amounts: np.ndarray, absolute: float) -> np.ndarray:
        """The tolerance of each state for its present amount; `absolute` is a share of its size."""
        seen = np.where(np.abs(amounts) > self._resolved, np.abs(amounts), 0.0)
        self._sizes = np.maximum(self._sizes, seen)
        found = absolute * self._natural()
        self._resolved = np.where(self._sizes > 0, 0.0, found)
        return found

    def _natural(self) -> np.ndarray:
        sizes, known = self._sizes, self._sizes > 0
        if not known.any():
            return np.ones_like(sizes)
        filled = np.where(known, sizes, sizes[known].min())
        for group in set(self._groups[~known]) & set(self._groups[known]):
            own = self._groups == group
            least = SMALL_SHARE * sizes[known & own].min()
            filled[~known & own] = np.maximum(filled[~known & own], least)
        return np.asarray(np.maximum(filled, sizes.max() * NEGLIGIBLE))
