"""Where in the space of the parameters points are lost: in words, by one or two parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

import numpy as np

from myelode.sensitivities.samples import Parameter
from myelode.sensitivities.splits import splits, told

FIRSTS = 2
"""Of so many regions of one parameter it is tried whether another one narrows them."""
WORTH_A_SECOND = 1.25
"""A second parameter is named where it tells so many times what the first alone does."""
MOST_STRAYS = 0.1
"""The share of the lost points that may lie outside, if there is a region with more of them."""


@dataclass(frozen=True)
class _Region:
    """Points that one parameter marks off, or two, and which of all are lost."""

    said: str
    within: np.ndarray
    lost: np.ndarray

    @cached_property
    def told(self) -> float:
        return told(self.within, self.lost)

    @cached_property
    def strays(self) -> int:
        """Lost points outside."""
        return int((self.lost & ~self.within).sum())

    @property
    def worth(self) -> tuple[bool, float]:
        """What regions are compared by: whether nearly all lost points are in, what it tells."""
        return self.strays <= MOST_STRAYS * self.lost.sum(), self.told

    @property
    def text(self) -> str:
        """``all with k above 1``, or ``74 of 118 with k above 1, 1 of 202 elsewhere``."""
        points, inside = int(self.within.sum()), int((self.lost & self.within).sum())
        if self.strays:
            elsewhere = f"{self.strays} of {self.lost.size - points} elsewhere"
            return f"{inside} of {points} with {self.said}, {elsewhere}"
        others = points - inside
        return f"all with {self.said}" + (f", where {others} did not" if others else "")


_worth = attrgetter("worth")


def failing_region(parameters: Sequence[Parameter], points: np.ndarray, lost: np.ndarray) -> str:
    """Where the lost points lie, and how many of the others lie there too.

    A region is named where it is not chance that more points are lost there than elsewhere; some
    may be lost outside, as one stray point says nothing against a region.

    Parameters
    ----------
    points : shape (points, parameters).
    lost : which are lost; some are.
    """
    if lost.all():
        return "which is all of them"
    found = sorted(_regions(parameters, points, lost), key=_worth, reverse=True)
    if not found:
        return "in no region that stands out"
    for first in found[:FIRSTS]:
        seconds = _narrower(first, parameters, points)
        found += [item for item in seconds if item.told > WORTH_A_SECOND * first.told]
    return max(found, key=_worth).text


def _regions(
    parameters: Sequence[Parameter], points: np.ndarray, lost: np.ndarray
) -> Iterator[_Region]:
    for split in splits(parameters, points, lost, np.ones(len(lost), dtype=bool)):
        yield _Region(split.said, split.within, lost)


def _narrower(
    first: _Region, parameters: Sequence[Parameter], points: np.ndarray
) -> Iterator[_Region]:
    """Regions within one, marked off by one parameter more."""
    for split in splits(parameters, points, first.lost, first.within):
        yield _Region(f"{first.said} and {split.said}", split.within, first.lost)
