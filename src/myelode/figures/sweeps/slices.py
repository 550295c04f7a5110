"""A sweep as slices: one endpoint along an axis, a line for each value of a second one.

What is moved beside these is a shade: where 90 % of the points lie, around their median.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.figures.panel import BAND_SHADE
from myelode.figures.styles import REFERENCE, Style, ramp, styles
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.axes import (
    draw_marks,
    mark_handles,
    positions,
    require_numbers,
    room_below,
    scale_axis,
    scale_up,
    span_of,
)
from myelode.figures.sweeps.data import Entry, Shown
from myelode.figures.sweeps.frame import Frame, Panel, draw_frame
from myelode.figures.sweeps.grids import is_grid, some_levels
from myelode.figures.sweeps.maps import MOST_PANELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES, MOST_MARKERS, BINS, MOST_STEPS = 7, 12, 20, 200
WITHIN = (0.05, 0.5, 0.95)
WIDTH, PERIOD = 1.5, 8.0
"""How wide lines are, in points, and how long dash and gap are together, in widths."""
SINGLE, LARGEST = 3.5, 6.0
"""The size of markers; where lines coincide, the later ones are smaller, from the largest on."""
NEAR = 0.02
"""Lines coincide that differ by less than this share of the larger at most of their places."""


@dataclass(frozen=True)
class Line:
    """The median over the points at each place of an axis, and where most of them lie."""

    x: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """All numbers that a panel must have room for."""
        return self.low, self.middle, self.high


@dataclass(frozen=True)
class _Series:
    """The points of one line, and how it looks."""

    label: str
    here: np.ndarray
    style: Style
    marker_size: float = SINGLE


def slice_figure(shown: Shown, across: Sequence[str], title: str) -> Figure:
    """The figure; `across` is the horizontal axis, and perhaps that of the lines.

    Raises ScenarioError for verdicts, which have no height, and where points are no grid over two.
    """
    require_numbers(shown)
    x, by = shown.axes[across[0]], shown.axes[across[1]] if len(across) > 1 else None
    if by is not None and not is_grid(x, by):
        raise ScenarioError(f"the points are no grid over {x.name} and {by.name}: name one axis")
    entries, alone = shown.entries[:MOST_PANELS], len(shown.axes) == len(across)
    drawn = _drawn(entries, [*_series(shown, by)], x, alone)
    series = [own for own, _ in drawn[0]]
    curves = [part for each in drawn for _, line in each for part in line.parts]
    frame = Frame(
        title, shown.subtitle, shown.label,
        [
            Panel(entry.heading, x.label, partial(_draw, entry, shown, x, lines, curves))
            for entry, lines in zip(entries, drawn, strict=True)
        ],
        [*_captions(shown, across, series), *shown.notes()],
        handles=[*_handles(series if by else (), x), *mark_handles(shown, entries)],
        legend_title=by.label if by else "",
        ticks=6,
        below=room_below(x),
    )  # fmt: skip
    return draw_frame(frame)


def line_of(values: np.ndarray, x: Across, here: np.ndarray, is_alone: bool = False) -> Line:
    """Points along an axis: at each of its values, or in bins where these are too many.

    `is_alone` says that nothing else is moved, so that each value has a number of its own.
    """
    known = np.flatnonzero(here & ~np.isnan(values.astype(float)))
    order = known[np.argsort(x.places[known], kind="stable")]
    places, found, at = x.places[order], values[order], positions(x)[order]
    cuts = np.flatnonzero(np.diff(places)) + 1
    levels = len(cuts) + 1
    if not is_alone and (levels > MOST_STEPS or 3 * levels > max(len(order), 3 * BINS)):
        cuts = np.arange(1, BINS) * len(order) // BINS
    # Between a number and what is never reached there is nothing.
    how: Any = "linear" if np.isfinite(found).all() else "nearest"
    groups = [group for group in np.split(np.arange(len(order)), cuts) if group.size]
    quantiles = [np.quantile(found[group], WITHIN, method=how) for group in groups]
    low, middle, high = np.array(quantiles).reshape(-1, 3).T
    return Line(np.array([np.median(at[group]) for group in groups]), low, middle, high)


def _series(shown: Shown, by: Across | None) -> Iterator[_Series]:
    """The lines: one for each of some values of an axis, or one of all points."""
    everybody = np.ones(len(shown.status), dtype=bool)
    if by is None:
        yield _Series("", everybody, replace(REFERENCE, width=WIDTH))
        return
    numbers = some_levels(by, MOST_LINES)
    names = [by.text(by.levels[number]).replace("_", " ") for number in numbers]
    looks: Mapping[str, Style] = styles(names, None) if by.is_text else ramp(names)
    for name, number in zip(names, numbers, strict=True):
        yield _Series(name, by.places == number, replace(looks[name], width=WIDTH))


def _drawn(
    entries: Sequence[Entry], series: Sequence[_Series], x: Across, alone: bool
) -> list[list[tuple[_Series, Line]]]:
    """The lines of each entry; they are told apart in all where one hides another in any."""
    lines = [[line_of(entry.values, x, own.here, alone) for own in series] for entry in entries]
    if any(_hides(*pair) for each in lines for pair in itertools.combinations(each, 2)):
        series = [*_told_apart(series)]
    return [[*zip(series, each, strict=True)] for each in lines]


def _hides(one: Line, other: Line) -> bool:
    """Whether two lines are next to the same at most places."""
    if not len(one.x) or not np.array_equal(one.x, other.x):
        return False
    near = np.isclose(one.middle, other.middle, rtol=NEAR, atol=0)
    return bool(near.mean() > 0.5)


def _told_apart(series: Sequence[_Series]) -> Iterator[_Series]:
    """Dashes, the shorter the later, so that each line is seen in the gaps of those upon it."""
    sizes = np.linspace(LARGEST, SINGLE, len(series)).tolist()
    for place, (own, size) in enumerate(zip(series, sizes, strict=True)):
        gap = PERIOD * place / len(series)
        dashes = (PERIOD - gap, gap) if gap else ()
        yield replace(own, style=replace(own.style, dashes=dashes), marker_size=size)


def _draw(
    entry: Entry, shown: Shown, x: Across, lines: Sequence[tuple[_Series, Line]],
    curves: Sequence[np.ndarray], axes: Axes,
) -> None:  # fmt: skip
    scale_axis(axes, 0, x, span_of(x))
    scale_up(axes, curves)
    for own, line in lines:
        _draw_line(axes, own, line, x)
        draw_marks(axes, positions(x), shown, entry, own.here)


def _draw_line(axes: Axes, own: _Series, line: Line, x: Across) -> None:
    """The median as a line, or as points over texts, and its shade."""
    shade = np.isfinite(line.middle) & np.isfinite(line.high) & (line.high > line.low)
    if shade.any():
        look: dict[str, Any] = {"color": own.style.colour, "alpha": BAND_SHADE, "linewidth": 0}
        level = own.style.level
        axes.fill_between(line.x, line.low, line.high, where=shade, zorder=level, **look)
    middle = np.where(np.isfinite(line.middle), line.middle, np.nan)
    axes.plot(line.x, middle, zorder=own.style.level, **_look(own, x))


def _look(own: _Series, x: Across) -> dict[str, Any]:
    """A line with markers where its points are few, only markers over texts."""
    few = x.is_text or len(x.levels) <= MOST_MARKERS
    return {
        "color": own.style.colour,
        "linestyle": "" if x.is_text else own.style.line,
        "linewidth": own.style.width,
        "marker": own.style.marker if few else "",
        "markersize": own.marker_size,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
        "dash_capstyle": "butt",
    }


def _handles(series: Sequence[_Series], x: Across) -> Iterator[Any]:
    from matplotlib.lines import Line2D

    for own in series:
        yield Line2D([], [], label=own.label, **_look(own, x))


def _captions(shown: Shown, across: Sequence[str], series: Sequence[_Series]) -> Iterator[str]:
    others = [name for name in shown.axes if name not in across]
    if others:
        yield f"Lines: medians over {', '.join(others)}; shades: from 5 to 95 % of the points."
    if len(across) > 1 and len(series) < len(shown.axes[across[1]].levels):
        whole = len(shown.axes[across[1]].levels)
        yield f"{len(series)} of {whole} values of {across[1]} are shown."
    if len(shown.entries) > MOST_PANELS:
        last = shown.entries[MOST_PANELS - 1].heading
        yield f"Not shown: {len(shown.entries) - MOST_PANELS} more panels, after {last}."
