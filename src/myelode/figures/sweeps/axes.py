"""The axes of panels of a sweep: scales, ticks, and marks where there is no number to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.figures.styles import (
    linear_limits,
    log_limits,
    log_ticks,
    needs_log,
    number_text,
    scale_numbers,
)
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.colours import FAILED, MISSING, NEVER, NOTHING
from myelode.figures.sweeps.data import Entry, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKS, MOST_LETTERS = 1000, 26
UPRIGHT_FROM = 26
"""Letters of the texts below an axis from which they stand upright."""
MARKS: Mapping[str, Mapping[str, Any]] = {
    FAILED: {"marker": "x", "color": "#b2182b", "markersize": 4, "markeredgewidth": 1.0},
    MISSING: {"marker": "|", "color": "#8a8a8a", "markersize": 5, "markeredgewidth": 0.8},
    NOTHING: {"marker": "s", "color": "#8a8a8a", "markersize": 3, "markerfacecolor": "white"},
    NEVER: {"marker": 6, "color": "black", "markersize": 4, "markerfacecolor": "white"},
}
"""Failed and missing points, and those without a value, at the lower edge; beyond, at the upper."""
_EDGE = {FAILED: 0.03, MISSING: 0.03, NOTHING: 0.03, NEVER: 1.0}


def require_numbers(shown: Shown) -> None:
    """Refuse verdicts, which have no height; raises ScenarioError."""
    if shown.words:
        raise ScenarioError(f"{shown.of!r} is a verdict: show it as a heat-map")


def level_texts(axis: Across) -> list[str]:
    """What stands beside an axis: all of its texts, or its outer numbers."""
    if axis.is_text:
        return [str(level).replace("_", " ") for level in axis.levels]
    return [number_text(float(level)) for level in (axis.levels[0], axis.levels[-1])]


def positions(axis: Across) -> np.ndarray:
    """Where the points stand on an axis: texts at 0, 1, 2..."""
    return axis.places.astype(float) if axis.is_text else axis.values


def span_of(axis: Across) -> tuple[float, float]:
    """The ends of an axis of points, with a little room."""
    if axis.is_text:
        return -0.5, len(axis.levels) - 0.5
    low, high = float(axis.levels[0]), float(axis.levels[-1])
    if axis.is_log:
        room = (high / low) ** 0.03
        return low / room, high * room
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def scale_axis(axes: Axes, at: int, axis: Across, span: tuple[float, float]) -> None:
    """Scale and ticks of the horizontal (0) or vertical (1) axis."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    which = (axes.xaxis, axes.yaxis)[at]
    (axes.set_xscale, axes.set_yscale)[at]("log" if axis.is_log else "linear")
    (axes.set_xlim, axes.set_ylim)[at](*span)
    which.set_minor_locator(NullLocator())
    if axis.is_text:
        texts = level_texts(axis)
        upright = at == 0 and sum(map(len, texts)) > UPRIGHT_FROM
        which.set_ticks(range(len(axis.levels)), texts, rotation=90 if upright else 0)
        which.set_tick_params(length=0)
        return
    which.set_major_locator(FixedLocator(_few(log_ticks(*span))) if axis.is_log else MaxNLocator(5))
    which.set_major_formatter(lambda value, _: number_text(float(value)))


def _few(ticks: list[float]) -> list[float]:
    """Ticks whose numbers have room beside each other: decades only, where numbers are long."""
    if sum(len(number_text(tick)) for tick in ticks) <= MOST_LETTERS:
        return ticks
    decades = [tick for tick in ticks if number_text(tick).startswith("1")]
    return decades if len(decades) > 1 else ticks[::2]


def room_below(axis: Across) -> float:
    """Inches that upright texts below an axis need beyond those of numbers."""
    texts = level_texts(axis) if axis.is_text else [""]
    return 0.055 * max(map(len, texts)) if sum(map(len, texts)) > UPRIGHT_FROM else 0.0


def scale_up(axes: Axes, curves: Sequence[np.ndarray]) -> None:
    """The vertical axis for numbers, logarithmic where a linear one would hide something."""
    known = [curve[np.isfinite(curve)] for curve in curves]
    if not any(curve.size for curve in known):
        axes.set_yticks([])
        return
    log = needs_log([np.concatenate(known)]) or needs_log(known) or _is_wide(known)
    scale_numbers(axes, log, log_limits(known, over_dose=True) if log else linear_limits(known))


def _is_wide(curves: Sequence[np.ndarray]) -> bool:
    """Whether positive numbers lie so far apart that most would lie at the foot of the axis."""
    together = np.concatenate(curves)
    return bool((together > 0).all() and together.max() > 30 * np.median(together))


def told_apart(shown: Shown, entry: Entry) -> dict[str, np.ndarray]:
    """Which points have no number, by what is wrong with them."""
    values = entry.values.astype(float)
    rest = ~shown.failed & ~shown.missing
    return {
        FAILED: shown.failed,
        MISSING: shown.missing,
        NOTHING: rest & np.isnan(values),
        NEVER: rest & np.isinf(values),
    }


def draw_marks(axes: Axes, x: np.ndarray, shown: Shown, entry: Entry, here: np.ndarray) -> None:
    """Marks at the edges for points without a number; `here` says which points to look at."""
    for name, which in told_apart(shown, entry).items():
        at = np.unique(x[which & here])
        if at.size:
            at = at[:: -(-at.size // MOST_MARKS)]
            edge = axes.get_xaxis_transform()
            look: dict[str, Any] = {"linestyle": "", "clip_on": False, "zorder": 5, **MARKS[name]}
            axes.plot(at, np.full(at.size, _EDGE[name]), transform=edge, **look)


def mark_handles(shown: Shown, entries: Sequence[Entry]) -> Iterator[Any]:
    """What the marks mean, of those that there are."""
    from matplotlib.lines import Line2D

    found = [told_apart(shown, entry) for entry in entries]
    for name, look in MARKS.items():
        if any(item[name].any() for item in found):
            yield Line2D([], [], linestyle="", label=name, **look)
