"""The figure of two agents: isobologram and checkerboards of effect and excess, row by row.

An isobologram has the doses of mixtures with one effect, each over the dose of that agent alone
with it. Additivity is the line between the two ones; what lies below it needs less.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.matrices import write_around
from myelode.figures.page import EDGE, GREY, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.styles import Style, look, number_text, styles, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAD = ("perturbation", "compound", "arm")
SIZE, GAP, ROW_GAP, LEFT, FOOT, HEADING = 2.05, 0.8, 1.4, 0.7, 0.72, 0.34
LINE, MOST_ROWS, LABEL = 0.13, 8, 32
EFFECT_SHADES, EXCESS_SHADES, NOTHING = "Blues", "RdBu", "#efefef"
LEAST_EXCESS, ROOM, MOST = 0.1, 1.12, 3.0
DARK_EFFECT, DARK_EXCESS = 0.65, 0.62
BOARDS = (
    ("effect", "effect"),
    ("loewe_excess", "effect beyond Loewe"),
    ("bliss_excess", "effect beyond Bliss"),
)


@dataclass(frozen=True)
class _Row:
    """What is shown of one treatment: its name, and the numbers of the typical draw."""

    name: str
    data: xr.Dataset


def draw_synergy(found: xr.Dataset) -> Figure:
    """The figure of what `myelode.synergy` gives, with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _place(figure, found, _rows(found))
    return figure


def _rows(found: xr.Dataset) -> list[_Row]:
    axes = [axis for axis in LEAD if axis in found.dims]
    typical = found.isel(sample=0) if "sample" in found.dims else found
    rows = []
    for at in itertools.product(*(range(found.sizes[axis]) for axis in axes)):
        here = typical.isel(dict(zip(axes, at, strict=True)))
        names = [str(here[axis].item()).replace("_", " ") for axis in axes]
        rows.append(_Row(", ".join(names), here))
    return rows[:MOST_ROWS]


def _place(figure: Figure, found: xr.Dataset, rows: Sequence[_Row]) -> None:
    """Everything at its place; lengths are in inches."""
    columns = 1 + len(BOARDS)
    width = LEFT + columns * SIZE + (columns - 1) * GAP + 2 * EDGE
    title = textwrap.wrap(str(found.attrs["title"]), int(width * 11))
    notes = _captions(found, len(rows))
    lines = [line for text in notes for line in textwrap.wrap(text, int(width * 16))]
    head = EDGE + (len(title) + 1.2) * TITLE_LINE + HEADING
    body = len(rows) * SIZE + (len(rows) - 1) * ROW_GAP
    foot = FOOT + LINE * found.sizes["level"] + EDGE
    height = head + body + foot + SMALL_LINE * len(lines) + EDGE
    figure.set_size_inches(width, height)
    write_around(figure, title, _subtitle(found), lines)
    looks = styles([str(level) for level in found["level"].values], None)
    for number, row in enumerate(rows):
        bottom = 1 - (head + (number + 1) * SIZE + number * ROW_GAP) / height
        for column in range(columns):
            left = (LEFT + column * (SIZE + GAP)) / width
            axes = figure.add_axes((left, bottom, SIZE / width, SIZE / height))
            if column == 0:
                _draw_isobologram(axes, row, looks)
            else:
                _draw_board(axes, row, *BOARDS[column - 1])
        top = bottom + (SIZE + 0.19) / height
        figure.text(EDGE / width, top, row.name, size=8, weight="bold", va="bottom")


def _draw_isobologram(axes: Axes, row: _Row, looks: dict[str, Style]) -> None:
    data = row.data
    axes.plot([0, 1], [1, 0], color="black", linewidth=1.0, zorder=1)
    seen = [1.0]
    for at, level in enumerate(data["level"].values):
        here, style = data.isel(level=at), looks[str(level)]
        x, y = (here[mixed].values / here[alone].values
                for mixed, alone in (("mixed", "alone"), ("mixed2", "alone2")))  # fmt: skip
        both = np.isfinite(here["level_index"].values) | np.isfinite(here["level_limit"].values)
        order = np.argsort(here["mixture"].values)
        shown: dict[str, Any] = {"color": style.colour, "marker": style.marker, "markersize": 4}
        whole = np.isfinite(here["level_index"].values)
        order = order[both[order]]
        axes.plot(x[order], y[order], linewidth=0.8, zorder=2, color=style.colour)
        axes.plot(x[both & whole], y[both & whole], linestyle="", zorder=3, **shown)
        hollow = {**shown, "markerfacecolor": "white", "linestyle": ""}
        axes.plot(x[both & ~whole], y[both & ~whole], zorder=3, **hollow)
        seen += [float(value) for value in (*x[both], *y[both])]
        _write_level(axes, here, style, at)
    most = min(max(seen), MOST) * ROOM
    axes.set_xlim(-0.03 * most, most)
    axes.set_ylim(-0.03 * most, most)
    first, second = (str(name) for name in data["agent"].values)
    axes.set_xlabel(_label(first, ", over that alone"))
    axes.set_ylabel(_label(second, ", over that alone"))


def _write_level(axes: Axes, here: xr.Dataset, style: Style, at: int) -> None:
    """The index of the mixture of fixed ratio below the panel, in the colour of its level."""
    level, index = float(here["level"]), float(here["level_index"].values[0])
    limit, call = float(here["level_limit"].values[0]), str(here["level_call"].item())
    said = f"index {index:.2f}" if math.isfinite(index) else "no index"
    low, high = float(here["level_low"]), float(here["level_high"])
    if math.isfinite(low) and high > low:
        said += f" ({low:.2f} to {high:.2f})"
    if math.isfinite(limit):
        said += f" (in the limit {limit:.2f})"
    axes.annotate(
        f"{level:.0%} effect: {said}, {call}", (0, 0), (-30, -42 - 9.5 * at), size=6.5,
        xycoords="axes fraction", textcoords="offset points", color=style.colour, va="top",
    )  # fmt: skip


def _draw_board(axes: Axes, row: _Row, name: str, heading: str) -> None:
    from matplotlib.patches import Rectangle

    values = row.data[name].transpose("dose2", "dose").values
    is_effect = name == "effect"
    span = max(LEAST_EXCESS, float(np.nanmax(np.abs(values), initial=0.0)))
    low, high = (0.0, 1.0) if is_effect else (-span, span)
    shades = EFFECT_SHADES if is_effect else EXCESS_SHADES
    axes.imshow(np.ma.masked_invalid(values), cmap=shades, vmin=low, vmax=high, aspect="auto",
                origin="lower")  # fmt: skip
    for place in np.ndindex(*values.shape):
        value, corner = float(values[place]), (place[1] - 0.5, place[0] - 0.5)
        if math.isnan(value):
            hatch: dict[str, Any] = {"hatch": "////", "edgecolor": "#cccccc", "linewidth": 0}
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=NOTHING, **hatch))
            continue
        dark = value > DARK_EFFECT if is_effect else abs(value) > DARK_EXCESS * span
        ink = "white" if dark else "black"
        axes.text(place[1], place[0], _cell(value, is_effect), ha="center", va="center", size=5.5,
                  color=ink)  # fmt: skip
    _label_board(axes, row.data, heading)


def _label_board(axes: Axes, data: xr.Dataset, heading: str) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=6.5)
    for name, axis, agent in (("dose", axes.xaxis, 0), ("dose2", axes.yaxis, 1)):
        doses = data[name].values
        axis.set_ticks(range(len(doses)), [number_text(float(f"{dose:.3g}")) for dose in doses])
        unit = unit_text(str(data[name].attrs["units"]))
        axis.set_label_text(_label(str(data["agent"].values[agent]), f" ({unit})"))
    axes.tick_params(axis="x", rotation=45)
    axes.annotate(heading, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
                  size=7.5, va="bottom", color=GREY)  # fmt: skip


def _cell(value: float, is_effect: bool) -> str:
    """``.43`` and ``+.05``: two digits, with a sign where it means something."""
    text = f"{abs(value):.2f}".removeprefix("0")
    if text == ".00":
        return "0"
    sign = "−" if value < 0 else "" if is_effect else "+"
    return sign + text


def _label(name: str, more: str) -> str:
    """A name and what follows it, in lines that fit beside a panel."""
    return "\n".join(textwrap.wrap(f"{name}{more}", LABEL, max_lines=2, placeholder=" …"))


def _subtitle(found: xr.Dataset) -> str:
    return f"scenario {found.attrs['scenario']}, model {found.attrs['model']}"


def _captions(found: xr.Dataset, shown: int) -> Iterator[str]:
    attrs = found.attrs
    rows = math.prod(found.sizes[axis] for axis in LEAD if axis in found.dims)
    yield f"{str(attrs['definition']).capitalize()}."
    yield (
        "Left: doses of mixtures with one effect, over those of each agent alone with it; the "
        "black line is additivity. Hollow: one agent alone never has the effect, its term is taken "
        "as 0, and there is no index."
    )
    yield (
        "Boards: hatched where there is no number. "
        "Synergy is called only where the whole interval of an index lies below 1."
    )
    if int(attrs["draws"]) > 1:
        yield f"Intervals: 5 to 95 % of {attrs['draws']} draws; all else is of the typical one."
    if rows > shown:
        yield f"The first {shown} of {rows} rows."
    yield evidence_note(attrs)
    yield from closing_notes(attrs)
