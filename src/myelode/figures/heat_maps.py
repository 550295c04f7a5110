"""The figure of a cross-resistance matrix: changes in the cell by drugs, coloured by the fold.

The colour is the logarithm of the fold, white at one. What is never reached is black, and what has
no number is hatched; the number stands in the cell, with its interval where there are draws.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.matrices import write_around
from myelode.figures.page import (
    EDGE,
    GREY,
    SMALL_LINE,
    TITLE_LINE,
    closing_notes,
    evidence_note,
)
from myelode.figures.styles import look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL_WIDTH, CELL_HEIGHT, TALL_CELL = 0.72, 0.28, 0.38
LETTER, LETTERS_UPRIGHT = 0.068, 0.062
BAR_WIDTH, BAR_GAP, BAR_ROOM = 0.14, 0.3, 0.75
SHADES, NEVER, NOTHING = "RdBu_r", "#2b2b2b", "#efefef"
FURTHEST = 100.0
"""Fold from which the colour changes no more."""
LEAST_SPAN, DARK_FROM = 10.0, 0.62
LEAST_WIDTH = 6.2
TICK_ROOM, TALL = 0.17, 1.0


def heat_map_figure(table: xr.Dataset) -> Figure:
    """The figure of what `myelode.cross_resistance` gives."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _place(figure, table)
    return figure


def _place(figure: Figure, table: xr.Dataset) -> None:
    """Everything at its place; lengths are in inches."""
    rows, columns = (_names(table, axis) for axis in ("perturbation", "compound"))
    cell = TALL_CELL if "fold_interval" in table else CELL_HEIGHT
    left = EDGE + LETTER * max(map(len, rows)) + EDGE
    body = CELL_WIDTH * len(columns), cell * len(rows)
    width = max(left + body[0] + BAR_GAP + BAR_WIDTH + BAR_ROOM, LEAST_WIDTH)
    title = textwrap.wrap(str(table.attrs["title"]), int(width * 11))
    lines = [line for text in _captions(table) for line in textwrap.wrap(text, int(width * 16))]
    head = EDGE + (len(title) + 1.2) * TITLE_LINE + EDGE
    below = LETTERS_UPRIGHT * max(map(len, columns)) + 2 * EDGE
    height = head + body[1] + below + SMALL_LINE * len(lines) + EDGE
    figure.set_size_inches(width, height)
    write_around(figure, title, _subtitle(table), lines)
    bottom = 1 - (head + body[1]) / height
    box = (left / width, bottom, body[0] / width, body[1] / height)
    _draw(figure.add_axes(box), table, rows, columns)
    bar_left = (left + body[0] + BAR_GAP) / width
    bar_box = (bar_left, bottom, BAR_WIDTH / width, body[1] / height)
    _draw_bar(figure.add_axes(bar_box), _span(table), body[1])


def _names(table: xr.Dataset, axis: str) -> list[str]:
    return [str(name).replace("_", " ") for name in table[axis].values]


def _span(table: xr.Dataset) -> float:
    """The fold at which the colour ends, the same for more and for less."""
    folds = table["fold"].values
    known = folds[np.isfinite(folds) & (folds > 0)]
    furthest = max([LEAST_SPAN, *np.maximum(known, 1 / known)])
    return min(float(furthest), FURTHEST)


def _draw(axes: Axes, table: xr.Dataset, rows: list[str], columns: list[str]) -> None:
    from matplotlib.colors import LogNorm

    span, folds = _span(table), table["fold"].transpose("perturbation", "compound").values
    shown = np.ma.masked_invalid(np.clip(folds, 1 / span, span))
    shown = np.ma.masked_where(~np.isfinite(folds), shown)
    axes.imshow(shown, cmap=SHADES, norm=LogNorm(1 / span, span), aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.tick_params(which="minor", length=0)
    for place in np.ndindex(*folds.shape):
        _draw_cell(axes, table.isel(perturbation=place[0], compound=place[1]), place, span)


def _draw_cell(axes: Axes, here: xr.Dataset, place: tuple[int, int], span: float) -> None:
    """The number in a cell, and its ground where there is no colour for it."""
    from matplotlib.patches import Rectangle

    fold, (row, column) = float(here["fold"]), place
    dark = math.isfinite(fold) and abs(math.log(fold)) > DARK_FROM * math.log(span)
    if not math.isfinite(fold):
        ground: dict[str, Any] = {"facecolor": NOTHING if math.isnan(fold) else NEVER}
        ground |= {"hatch": "////", "edgecolor": "#c8c8c8"} if math.isnan(fold) else {}
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, linewidth=0, zorder=1.5, **ground))
    ink = "white" if math.isinf(fold) or dark else "black"
    text: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "linespacing": 1.15}
    axes.text(column, row, _cell_text(here), size=7.5, zorder=4, **text)


def _cell_text(here: xr.Dataset) -> str:
    fold = float(here["fold"])
    if math.isnan(fold):
        return "?" if str(here["status"].item()) == "unknown" else "none"
    mark = "*" if str(here["status"].item()) == "stated" else ""
    text = f"{_number(fold)}{mark}"
    if "fold_interval" not in here or np.isnan(here["fold_interval"].values).any():
        return text
    low, _, high = (_number(float(end)) for end in here["fold_interval"].values)
    return f"{text}\n{low} to {high}"


def _number(fold: float) -> str:
    return "∞" if math.isinf(fold) else f"{fold:.2g}" if fold < 100 else f"{fold:.0f}"


def _draw_bar(axes: Axes, span: float, height: float) -> None:
    """The scale of colours."""
    from matplotlib.ticker import FixedLocator, NullLocator

    ramp = np.geomspace(1 / span, span, 256)
    axes.pcolormesh([0, 1], np.geomspace(1 / span, span, 257), np.log(ramp)[:, None], cmap=SHADES)
    axes.set_yscale("log")
    axes.set_xticks([])
    axes.yaxis.set_label_position("right")
    axes.yaxis.tick_right()
    ticks = _bar_ticks(span, most=max(3, int(height / TICK_ROOM)))
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticklabels([f"{tick:.1g}" if tick < 1 else f"{tick:g}" for tick in ticks])
    axes.set_ylabel("fold (log scale)" if height > TALL else "fold", color=GREY)
    axes.spines[:].set_visible(False)


def _bar_ticks(span: float, most: int) -> list[float]:
    """Folds on the scale of colours: as many as have room, alike for more and for less."""
    for above in ((3, 10, 30, 100), (10, 100), (FURTHEST,), (LEAST_SPAN,)):
        inside = [float(tick) for tick in above if tick <= span * 1.0001]
        if inside and 2 * len(inside) + 1 <= most:
            return [*(1 / tick for tick in reversed(inside)), 1.0, *inside]
    return [1.0]


def _subtitle(table: xr.Dataset) -> str:
    attrs = table.attrs
    if attrs["model"] == "all":
        return "folds to each drug's own reference, from the model of each drug"
    return f"scenario {json.loads(str(attrs['scenario']))['id']}, model {attrs['model']}"


def _captions(table: xr.Dataset) -> Iterator[str]:
    attrs, folds = table.attrs, table["fold"].values
    half = str(attrs["half"]).upper()
    yield f"Cells: {half} over that of the same drug in the reference; read at {attrs['read_at']}."
    yield f"{half}: {attrs['definition']}."
    if np.isinf(folds).any():
        yield "∞ on black: never reached on the ladder, though it is in the reference."
    statuses = {str(word) for word in table["status"].values.ravel()}
    if np.isnan(folds).any():
        unknown = " (? nobody knows a number)" if "unknown" in statuses else ""
        yield f"Hatched: no fold{unknown}."
    if "stated" in statuses:
        yield "* stated by a source, not computed."
    if "fold_interval" in table:
        yield f"Below the fold: from 5 to 95 % of {attrs['draws']} {attrs['drawn']}."
    yield from _evidence(attrs)
    yield from closing_notes(attrs)


def _evidence(attrs: Mapping[Any, Any]) -> Iterator[str]:
    """How much of the numbers is assumed, in each model where there are several."""
    if "assumed_shares" in attrs:
        shares = json.loads(str(attrs["assumed_shares"])).items()
        said = ", ".join(f"{share:.0%} in {model}" for model, share in shares)
        yield f"Weakest evidence among its numbers: assumed; so are {said}."
    else:
        yield evidence_note(attrs)
