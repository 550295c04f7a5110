"""A sweep as points: one endpoint against each axis, coloured by outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

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
from myelode.figures.sweeps.colours import colours_of
from myelode.figures.sweeps.data import Entry, Shown
from myelode.figures.sweeps.frame import Frame, Panel, draw_frame
from myelode.figures.sweeps.slices import line_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12
PLAIN, MANY, MOST_DRAWN = "#0072B2", 2000, 20_000
"""The colour of points without an outcome; from how many on they are faint, or not all drawn."""


def scatter_figure(shown: Shown, across: Sequence[str], title: str) -> Figure:
    """The figure: for each entry of the endpoint a panel for each axis.

    Raises ScenarioError for verdicts, which have no height.
    """
    require_numbers(shown)
    pairs = [(e, shown.axes[name]) for e in shown.entries for name in across][:MOST_PANELS]
    entries = list({id(entry): entry for entry, _ in pairs}.values())
    curves = [entry.values for entry in entries]
    hidden = len(shown.entries) * len(across) - len(pairs)
    frame = Frame(
        title, shown.subtitle, shown.label,
        [Panel(e.heading, x.label, partial(_draw, e, shown, x, curves)) for e, x in pairs],
        [*_captions(shown, across, hidden), *shown.notes()],
        handles=[*_handles(shown, entries), *mark_handles(shown, entries)],
        legend_title="outcome" if shown.classes else "",
        ticks=6,
        own_axes=True,
        below=max(room_below(shown.axes[name]) for name in across),
    )  # fmt: skip
    return draw_frame(frame)


def _captions(shown: Shown, across: Sequence[str], hidden: int) -> Iterator[str]:
    if hidden:
        yield f"Not shown: {hidden} more panels."
    if unseen := [name for name in shown.axes if name not in across]:
        yield f"Moved too, not shown: {', '.join(unseen)}."
    if _has_lines(shown, across):
        yield "Black lines: medians along the axis."
    if len(shown.status) > MOST_DRAWN:
        yield f"Of the points {MOST_DRAWN:,} are drawn in each panel; lines are of all."


def _has_lines(shown: Shown, across: Sequence[str]) -> bool:
    return len(shown.axes) > 1 and any(not shown.axes[name].is_text for name in across)


def _draw(entry: Entry, shown: Shown, x: Across, curves: Sequence[np.ndarray], axes: Axes) -> None:
    scale_axis(axes, 0, x, span_of(x))
    scale_up(axes, curves)
    known = np.isfinite(entry.values)
    _draw_points(axes, entry.at(known), shown, positions(x)[known], x.is_text)
    if _has_lines(shown, [x.name]) and known.any():
        line = line_of(np.where(known, entry.values, np.nan), x, known)
        for colour, width in (("white", 2.6), ("black", 1.3)):
            axes.plot(line.x, line.middle, color=colour, linewidth=width, zorder=4)
    draw_marks(axes, positions(x), shown, entry, np.ones(len(known), dtype=bool))


def _draw_points(axes: Axes, entry: Entry, shown: Shown, at: np.ndarray, spread: bool) -> None:
    """Points with a number, side by side over a text; of very many only some."""
    chance = np.random.default_rng(1)
    if spread:
        at = at + chance.uniform(-0.25, 0.25, len(at))
    if len(at) > MOST_DRAWN:
        chosen = np.sort(chance.choice(len(at), MOST_DRAWN, replace=False))
        entry, at = entry.at(chosen), at[chosen]
    many = len(at) > MANY
    axes.scatter(
        at, entry.values, s=4 if many else 11, alpha=0.35 if many else 0.75,
        c=_colours(shown, entry), linewidths=0, zorder=2, rasterized=many,
    )  # fmt: skip


def _colours(shown: Shown, entry: Entry) -> np.ndarray:
    """The colour of each point."""
    if entry.classes is None:
        return np.full(len(entry.values), PLAIN, dtype=object)
    looks = colours_of(shown.classes)
    return np.array([looks.get(code, PLAIN) for code in entry.classes.tolist()], dtype=object)


def _handles(shown: Shown, entries: Sequence[Entry]) -> Iterator[Any]:
    """The classes that there are."""
    from matplotlib.lines import Line2D

    looks = colours_of(shown.classes)
    for code, word in shown.classes.items():
        if any(e.classes is not None and (e.classes == code).any() for e in entries) and code >= 0:
            dot: dict[str, Any] = {
                "marker": "o",
                "linestyle": "",
                "markersize": 4,
                "color": looks[code],
            }
            yield Line2D([], [], label=word.replace("_", " "), **dot)
