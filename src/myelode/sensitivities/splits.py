"""Where lost points part from the others: the threshold, or the words, of one parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from scipy.stats import hypergeom

from myelode.sensitivities.samples import Parameter

SURE = math.log(0.01)
"""Logarithm of the probability by chance, of all splits together, below which one is believed."""
MOST_WORDS = 3
"""Of more words those are named that are none of them, or the first."""


@dataclass(frozen=True)
class Split:
    """Points on one side of a parameter, among which more are lost than on the other.

    Attributes
    ----------
    said : which side that is, in words.
    within : which points lie there.
    """

    said: str
    within: np.ndarray


def told(within: np.ndarray, lost: np.ndarray) -> float:
    """Nats that it tells of a point being lost to know whether it lies within a region."""
    inside, lost_inside = within.sum(), (within & lost).sum()
    return float(_told(inside, lost_inside, lost.size, int(lost.sum())))


def splits(
    parameters: Sequence[Parameter], points: np.ndarray, lost: np.ndarray, among: np.ndarray
) -> Iterator[Split]:
    """Of each parameter the split that tells most, and that with all lost points on one side.

    Those are left out that chance makes as good in one of a hundred samples, or more often (exact
    test of Fisher; all splits that were possible count, after Bonferroni).

    Parameters
    ----------
    points : shape (points, parameters).
    lost : which are lost.
    among : which are looked at.
    """
    for parameter, values in zip(parameters, points.T, strict=True):
        levels, places = np.unique(values[among], return_inverse=True)
        if len(levels) < 2 or not lost[among].any():
            continue
        cuts = _Cuts(parameter, levels, places, lost[among])
        for side in cuts.best():
            if cuts.chance(side) + math.log(len(parameters)) < SURE:
                within = np.zeros(len(lost), dtype=bool)
                within[among] = side[places]
                yield Split(cuts.said(side), within)


class _Cuts:
    """The ways to cut the levels of one parameter in two.

    Numbers are cut between neighbours; words in the order of their shares of lost points, in which
    the best of all sets of words is one of the cuts.
    """

    def __init__(
        self, parameter: Parameter, levels: np.ndarray, places: np.ndarray, lost: np.ndarray
    ):
        self._parameter, self._levels = parameter, levels
        self._points = np.bincount(places)
        self._lost = np.bincount(places, weights=lost).astype(int)
        shares = self._lost / self._points
        order = np.argsort(-shares, kind="stable")
        self._order = order if parameter.words else np.arange(len(levels))

    def best(self) -> Iterator[np.ndarray]:
        """Of the best cuts the side that has the larger share of lost points, as levels."""
        points = self._points[self._order].cumsum()
        lost = self._lost[self._order].cumsum()
        found = _told(points[:-1], lost[:-1], int(points[-1]), int(lost[-1]))
        whole = (lost[:-1] == 0) | (lost[:-1] == lost[-1])
        cuts = [int(found.argmax())]
        if whole.any():
            cuts.append(int(np.where(whole, found, -1.0).argmax()))
        yield from (self._side(cut + 1) for cut in dict.fromkeys(cuts))

    def _side(self, first: int) -> np.ndarray:
        side = np.zeros(len(self._levels), dtype=bool)
        side[self._order[:first]] = True
        shares = (self._lost[part].sum() / self._points[part].sum() for part in (side, ~side))
        return side if next(shares) >= next(shares) else ~side

    def chance(self, side: np.ndarray) -> float:
        """Logarithm of the probability that chance puts so many lost points on one such side."""
        many = len(self._levels)
        tried = many * math.log(2) if self._parameter.words else math.log(2 * (many - 1))
        counts = self._points.sum(), self._lost.sum(), self._points[side].sum()
        return tried + float(hypergeom.logsf(self._lost[side].sum() - 1, *counts))

    def said(self, side: np.ndarray) -> str:
        """``k above 3.2 1/h``, or ``perturbation none or repair_high``."""
        name, words = self._parameter.name, self._parameter.words
        if words:
            one, other = ([words[int(at)] for at in self._levels[part]] for part in (side, ~side))
            return f"{name} {_listed(one, other)}"
        last = int(np.flatnonzero(side != side[0])[0])
        level = _between(float(self._levels[last - 1]), float(self._levels[last]))
        unit = self._parameter.unit.replace("dimensionless", "")
        return f"{name} {'below' if side[0] else 'above'} {level:.7g} {unit}".strip()


def _told(inside: np.ndarray, lost_inside: np.ndarray, points: int, lost: int) -> np.ndarray:
    """Mutual information, in nats, of being inside and being lost."""
    outside = points - inside
    spread = _entropy(lost, points)
    left = inside * _entropy(lost_inside, inside) + outside * _entropy(lost - lost_inside, outside)
    return np.asarray(spread - left / points)


def _entropy(some: np.ndarray | int, whole: np.ndarray | int) -> np.ndarray:
    """Of whether one of `whole` points is one of `some`; of no point at all it is zero."""
    share = some / np.maximum(whole, 1)
    return np.asarray(-xlogy(share, share) - xlogy(1 - share, 1 - share))


def _listed(words: Sequence[str], others: Sequence[str]) -> str:
    """Words as a reader needs them: by name, or, of many, the few that are none of them."""
    if len(words) <= MOST_WORDS:
        return " or ".join(words)
    if len(others) <= MOST_WORDS:
        return f"other than {' and '.join(others)}"
    return f"{', '.join(words[:MOST_WORDS])} or one of {len(words) - MOST_WORDS} others"


def _between(low: float, high: float) -> float:
    """A number between two others, neither of them, with as few digits as will do."""
    middle = (low + high) / 2
    for digits in range(1, 8):
        level = float(f"{middle:.{digits}g}")
        if low < level < high:
            return level
    return middle
