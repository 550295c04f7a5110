"""The numbers beside an axis of a sweep: two and more where there are any, none over another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from myelode.figures.styles import log_ticks, number_text
from myelode.figures.sweeps.frame import TICK_LETTER

LINE = 0.14
"""Inches that a line of numbers is tall."""
MOST_DIGITS = 15


@dataclass(frozen=True)
class Place:
    """Where the numbers are to stand.

    Attributes
    ----------
    span : the ends of the axis.
    length : inches from one end to the other.
    is_upright : whether numbers stand one over another, not side by side.
    """

    span: tuple[float, float]
    length: float
    is_log: bool
    is_upright: bool = False

    def has_room(self, ticks: Sequence[float]) -> bool:
        """Whether the numbers of these ticks, in increasing order, stand apart."""
        sizes = [LINE if self.is_upright else TICK_LETTER * (len(t) + 1) for t in tick_texts(ticks)]
        ends = zip(itertools.pairwise(map(self._at, ticks)), itertools.pairwise(sizes), strict=True)
        return all(high - low >= 0.5 * sum(both) for (low, high), both in ends)

    def _at(self, tick: float) -> float:
        """Inches from the lower end of the axis."""
        scale = math.log if self.is_log else float
        low, high, at = (scale(number) for number in (*self.span, tick))
        return self.length * (at - low) / (high - low)


def ticks_of(place: Place) -> list[float]:
    """As many ticks as have room, and not fewer than two where the axis has any."""
    choices = [*(_log_choices if place.is_log else _linear_choices)(place.span)]
    return next(filter(place.has_room, choices), choices[-1])


def _log_choices(span: tuple[float, float]) -> Iterator[list[float]]:
    ticks = log_ticks(*span)
    yield ticks
    decades = [tick for tick in ticks if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
    yield from ([decades] if len(decades) > 1 else [])
    yield from (ticks[::step] for step in (2, 3) if len(ticks) > step)
    yield [ticks[0], ticks[-1]] if len(ticks) > 1 else ticks


def _linear_choices(span: tuple[float, float]) -> Iterator[list[float]]:
    from matplotlib.ticker import MaxNLocator

    low, high = span
    for most in (5, 4, 3, 2):
        found = map(float, MaxNLocator(most).tick_values(low, high))
        ticks = [tick for tick in found if low <= tick <= high]
        if len(ticks) > 1 or most == 5:
            yield ticks
    yield [ticks[0], ticks[-1]] if len(ticks) > 1 else ticks


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """The numbers of ticks in print, with so many digits that each says where its tick stands."""
    gaps = [abs(high - low) for low, high in itertools.pairwise(ticks)]
    for digits in range(4, MOST_DIGITS):
        if all(
            abs(float(f"{t:.{digits}g}") - t) <= 0.01 * min(gaps, default=math.inf) for t in ticks
        ):
            break
    return [number_text(tick) if digits == 4 else f"{tick:.{digits}g}" for tick in ticks]
