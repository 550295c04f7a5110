"""The axes of panels of a sweep: scales, ticks, and marks where there is no number to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.figures.styles import (
    linear_limits,
    log_limits,
    needs_log,
    scale_numbers,
)
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.colours import FAILED, MISSING, NEVER, NOTHING
from myelode.figures.sweeps.data import Entry, Shown
from myelode.figures.sweeps.frame import HEIGHT
from myelode.figures.sweeps.ticks import Place, tick_texts, ticks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKS = 1000
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
        raise ScenarioError(f"{shown.of!r} is a verdict: show it as a heat-map or scatter")


def level_texts(axis: Across) -> list[str]:
    """What stands beside an axis of texts: all of them."""
    return [str(level).replace("_", " ") for level in axis.levels]


def letters_beside(axis: Across, span: tuple[float, float]) -> int:
    """The letters of the longest text or number beside a vertical axis."""
    place = Place(span, HEIGHT, axis.is_log, is_upright=True)
    texts = level_texts(axis) if axis.is_text else tick_texts(ticks_of(place))
    return max(map(len, texts), default=0)


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
    from matplotlib.ticker import NullLocator

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
    ticks = ticks_of(Place(span, _inches(axes, at), axis.is_log, is_upright=at == 1))
    which.set_ticks(ticks, tick_texts(ticks))


def _inches(axes: Axes, at: int) -> float:
    """How long the horizontal (0) or vertical (1) axis is."""
    box = axes.get_window_extent()
    return float((box.width, box.height)[at] / axes.figure.dpi)


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


def scale_words(axes: Axes, words: Mapping[int, str], curves: Sequence[np.ndarray]) -> None:
    """The vertical axis for a verdict: each word at its code, from the first to the last there."""
    known = np.concatenate([curve[np.isfinite(curve)] for curve in curves] or [np.zeros(0)])
    low, high = (known.min(), known.max()) if known.size else (0, max(words))
    codes = [code for code in words if low <= code <= high]
    axes.set_yticks(codes, [words[code].replace("_", " ") for code in codes])
    axes.set_ylim(low - 0.7, high + 0.5)
    axes.tick_params(axis="y", length=0)


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
