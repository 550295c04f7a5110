"""One axis of a sweep, as figures see it: its values at all points, its levels, and its scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from myelode.figures.styles import number_text

EVEN = 1e-6
"""How far steps of an axis may differ that are said to be even."""
WIDE = 20.0
"""An axis whose values lie further apart than so many times is logarithmic."""


@dataclass(frozen=True)
class Across:
    """One axis of a sweep: its value at every point.

    Attributes
    ----------
    label : for print, with its unit.
    values : of shape (points,), numbers or texts.
    said_log : whether the design says that it is logarithmic.
    """

    name: str
    label: str
    values: np.ndarray
    unit: str = ""
    said_log: bool = False

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.values.dtype == object

    @cached_property
    def levels(self) -> np.ndarray:
        """Its different values: numbers increase, texts come as in the design."""
        if self.is_text:
            return np.array([*dict.fromkeys(self.values.tolist())], dtype=object)
        return np.unique(self.values)

    @cached_property
    def is_log(self) -> bool:
        """Whether it is shown on a logarithmic scale: its steps are even there, or it is wide."""
        levels = self.levels
        if self.is_text or len(levels) < 2 or levels[0] <= 0:
            return False
        if self.said_log:
            return True
        steps = np.diff(levels)
        if len(levels) > 2 and np.ptp(steps) <= EVEN * steps.max():
            return False
        ratios = np.diff(np.log(levels))
        is_even = len(levels) > 2 and np.ptp(ratios) <= EVEN * ratios.max()
        return bool(is_even or levels[-1] > WIDE * levels[0])

    @cached_property
    def places(self) -> np.ndarray:
        """The number of each point's level."""
        if self.is_text:
            known = {text: place for place, text in enumerate(self.levels)}
            return np.array([known[text] for text in self.values.tolist()], dtype=int)
        return np.searchsorted(self.levels, self.values)

    def text(self, level: Any) -> str:
        """One of its values in print."""
        return str(level) if self.is_text else f"{number_text(float(level))} {self.unit}".strip()
