"""A sweep as points: one endpoint against each axis, coloured by outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.axes import (
    draw_marks,
    mark_handles,
    positions,
    room_below,
    scale_axis,
    scale_up,
    scale_words,
    span_of,
)
from myelode.figures.sweeps.colours import colours_of
from myelode.figures.sweeps.data import NO_CLASS, Entry, Shown
from myelode.figures.sweeps.frame import Frame, Panel, draw_frame
from myelode.figures.sweeps.slices import line_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12
PLAIN, REFERENCE = "#0072B2", "#4d4d4d"
"""Colours where nothing has an outcome, and of the reference, which has none of its own."""
FEW, MANY, MOST_DRAWN = 200, 2000, 20_000
"""Up to how many points these stand upon lines, not below them; from how many on they are faint,
and not all drawn."""


def scatter_figure(shown: Shown, across: Sequence[str], title: str) -> Figure:
    """The figure: a panel for each entry of the endpoint and axis; each word has its height."""
    shown = _with_heights(shown) if shown.words else shown
    pairs = [(e, shown.axes[name]) for e in shown.entries for name in across][:MOST_PANELS]
    entries = list({id(entry): entry for entry, _ in pairs}.values())
    curves = [entry.values for entry in entries]
    hidden = len(shown.entries) * len(across) - len(pairs)
    looks = [*_handles(shown, entries)]
    frame = Frame(
        title, shown.subtitle, shown.label,
        [Panel(e.heading, x.label, partial(_draw, e, shown, x, curves)) for e, x in pairs],
        [*_captions(shown, across, hidden), *shown.notes()],
        handles=[*looks, *mark_handles(shown, entries)],
        legend_title="outcome" if looks else "",
        ticks=max(6, *map(len, shown.words.values()), 0),
        own_axes=True,
        below=max(room_below(shown.axes[name]) for name in across),
    )  # fmt: skip
    return draw_frame(frame)


def _with_heights(shown: Shown) -> Shown:
    """A verdict whose codes are heights; its words stand beside the axis, not in the legend."""
    heights = (np.where(e.values < 0, np.nan, e.values.astype(float)) for e in shown.entries)
    entries = zip(shown.entries, heights, strict=True)
    found = tuple(Entry(e.heading, own, e.values) for e, own in entries)
    return replace(shown, entries=found, classes=shown.words)


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
    if shown.words or len(shown.axes) == 1:
        return False
    return any(not shown.axes[name].is_text for name in across)


def _draw(entry: Entry, shown: Shown, x: Across, curves: Sequence[np.ndarray], axes: Axes) -> None:
    scale_axis(axes, 0, x, span_of(x))
    if shown.words:
        scale_words(axes, shown.words, curves)
    else:
        scale_up(axes, curves)
    known = np.isfinite(entry.values)
    _draw_points(axes, entry.at(known), shown, positions(x)[known], x.is_text)
    if _has_lines(shown, [x.name]) and known.any():
        line = line_of(np.where(known, entry.values, np.nan), x, known)
        for colour, width in (("white", 2.6), ("black", 1.3)):
            axes.plot(line.x, line.middle, color=colour, linewidth=width, zorder=4)
    draw_marks(axes, positions(x), shown, entry, np.ones(len(known), dtype=bool))


def _draw_points(axes: Axes, entry: Entry, shown: Shown, at: np.ndarray, spread: bool) -> None:
    """Points with a number, side by side over a text and beside a word; of very many only some."""
    chance = np.random.default_rng(1)
    at = at + chance.uniform(-0.25, 0.25, len(at)) if spread else at
    up = entry.values + (chance.uniform(-0.25, 0.25, len(at)) if shown.words else 0.0)
    colours = _colours(shown, entry)
    if len(at) > MOST_DRAWN:
        chosen = np.sort(chance.choice(len(at), MOST_DRAWN, replace=False))
        at, up, colours = at[chosen], up[chosen], colours[chosen]
    many = len(at) > MANY
    axes.scatter(
        at, up, s=4 if many else 11, alpha=0.35 if many else 0.75, c=colours, linewidths=0,
        zorder=2 if len(at) > FEW else 4.5, rasterized=many,
    )  # fmt: skip


def _colours(shown: Shown, entry: Entry) -> np.ndarray:
    """The colour of each point."""
    if entry.classes is None:
        plain = REFERENCE if shown.classes else PLAIN
        return np.full(len(entry.values), plain, dtype=object)
    looks = colours_of(shown.classes) | {NO_CLASS: REFERENCE}
    return np.array([looks.get(code, PLAIN) for code in entry.classes.tolist()], dtype=object)


def _handles(shown: Shown, entries: Sequence[Entry]) -> Iterator[Any]:
    """The classes that there are, and what has none, unless words beside the axis say it all."""
    from matplotlib.lines import Line2D

    if shown.words or not shown.classes:
        return
    looks = colours_of(shown.classes) | {NO_CLASS: REFERENCE}
    words = {code: word.replace("_", " ") for code, word in shown.classes.items() if code >= 0}
    there = {code for entry in entries for code in _codes(entry)}
    for code, word in {**words, NO_CLASS: "the reference itself"}.items():
        if code in there:
            look: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 4}
            yield Line2D([], [], label=word, color=looks[code], **look)


def _codes(entry: Entry) -> set[int]:
    """The classes of points that are drawn."""
    known = np.isfinite(entry.values)
    classes = np.full(known.shape, NO_CLASS) if entry.classes is None else entry.classes
    return {*classes[known].tolist()}
