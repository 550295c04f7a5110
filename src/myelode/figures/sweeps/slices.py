"""A sweep as slices: one endpoint along an axis, a line for each value of a second one.

What is moved beside these is a shade: where 90 % of the points lie, around their median.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from myelode.figures.sweeps.maps import MOST_PANELS, is_grid, some_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES, MOST_MARKERS, BINS, MOST_STEPS = 7, 12, 20, 200
WITHIN = (0.05, 0.5, 0.95)


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


def slice_figure(shown: Shown, across: Sequence[str], title: str) -> Figure:
    """The figure; `across` is the horizontal axis, and perhaps that of the lines.

    Raises ScenarioError for verdicts, which have no height, and where points are no grid over two.
    """
    require_numbers(shown)
    x, by = shown.axes[across[0]], shown.axes[across[1]] if len(across) > 1 else None
    if by is not None and not is_grid(x, by):
        raise ScenarioError(f"the points are no grid over {x.name} and {by.name}: name one axis")
    entries, series = shown.entries[:MOST_PANELS], [*_series(shown, by)]
    alone = len(shown.axes) == len(across)
    drawn = [[(own, line_of(e.values, x, own.here, alone)) for own in series] for e in entries]
    curves = [part for each in drawn for _, line in each for part in line.parts]
    frame = Frame(
        title, shown.subtitle, shown.label,
        [
            Panel(entry.heading, x.label, partial(_draw, entry, shown, x, lines, curves))
            for entry, lines in zip(entries, drawn, strict=True)
        ],
        [*_captions(shown, across, series), *shown.notes()],
        handles=[*_handles(series if by else ()), *mark_handles(shown, entries)],
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
        yield _Series("", everybody, REFERENCE)
        return
    numbers = some_levels(by, MOST_LINES)
    names = [by.text(by.levels[number]).replace("_", " ") for number in numbers]
    looks: Mapping[str, Style] = styles(names, None) if by.is_text else ramp(names)
    for name, number in zip(names, numbers, strict=True):
        yield _Series(name, by.places == number, looks[name])


def _draw(
    entry: Entry, shown: Shown, x: Across, lines: Sequence[tuple[_Series, Line]],
    curves: Sequence[np.ndarray], axes: Axes,
) -> None:  # fmt: skip
    scale_axis(axes, 0, x, span_of(x))
    scale_up(axes, curves)
    for own, line in lines:
        _draw_line(axes, own.style, line, x)
        draw_marks(axes, positions(x), shown, entry, own.here)


def _draw_line(axes: Axes, style: Style, line: Line, x: Across) -> None:
    """The median as a line, or as points over texts, and its shade."""
    look: dict[str, Any] = {"color": style.colour, "zorder": style.level}
    shade = np.isfinite(line.middle) & np.isfinite(line.high) & (line.high > line.low)
    if shade.any():
        look_of_shade = {**look, "alpha": BAND_SHADE, "linewidth": 0}
        axes.fill_between(line.x, line.low, line.high, where=shade, **look_of_shade)
    middle = np.where(np.isfinite(line.middle), line.middle, np.nan)
    marker = style.marker if x.is_text or len(line.x) <= MOST_MARKERS else ""
    look |= {"linewidth": 1.5, "marker": marker, "markersize": 3.5}
    axes.plot(line.x, middle, linestyle="" if x.is_text else style.line, **look)


def _handles(series: Sequence[_Series]) -> Iterator[Any]:
    from matplotlib.lines import Line2D

    for own in series:
        yield Line2D([], [], color=own.style.colour, linestyle=own.style.line, label=own.label)


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
