"""Shares of production and loss of a species, as horizontal bars stacked by reaction."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.matrices import write_around
from myelode.figures.page import (
    EDGE,
    SMALL_LINE,
    TITLE_LINE,
    closing_notes,
    evidence_note,
    size_of,
)
from myelode.figures.styles import look, number_text, styles, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW, GAP, FOOT, TOTALS = 3.4, 0.2, 0.14, 0.5, 1.15
LETTER, LEGEND_CHARACTERS = 0.062, 34
MOST_REACTIONS = 7
"""Reactions with a colour of their own; the others are one."""
LEAST = 0.02
GREY = "0.8"


def draw_fluxes(found: xr.Dataset) -> Figure:
    """What `fluxes` found, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = found if "perturbation" in found.dims else found.expand_dims("perturbation")
    rows = [
        (at, side) for at in range(points.sizes["perturbation"]) for side in ("production", "loss")
    ]
    names = [str(name) for name in points["perturbation"].values] if len(rows) > 2 else [""]
    left = EDGE + LETTER * max(len(f"{name}: production") for name in names) + EDGE
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        legend = _legend(figure, points)
        legend_width, legend_height = size_of(figure, legend)
        width = left + WIDTH + TOTALS + legend_width + 2 * EDGE
        title = textwrap.wrap(_title(points), int(width * 11))
        captions = [c for text in _captions(points) for c in textwrap.wrap(text, int(width * 16))]
        head = EDGE + (len(title) + 1.5) * TITLE_LINE
        body = max(ROW * len(rows) + GAP * (len(rows) // 2), legend_height - FOOT)
        height = head + body + FOOT + SMALL_LINE * len(captions) + EDGE
        figure.set_size_inches(width, height)
        write_around(figure, title, _subtitle(points), captions)
        bottom = 1 - (head + body) / height
        axes = figure.add_axes((left / width, bottom, WIDTH / width, body / height))
        _draw(axes, points, rows, names)
        legend.set_bbox_to_anchor(
            ((left + WIDTH + TOTALS) / width, bottom + body / height), figure.transFigure
        )
    return figure


def _shown(points: xr.Dataset) -> list[int]:
    """The reactions with a colour, in the order of the dataset: the largest come first."""
    shares = np.fmax(points["share_of_production"].values, points["share_of_loss"].values)
    order = np.argsort(-np.nanmax(np.nan_to_num(shares), axis=0), kind="stable")
    best = [int(at) for at in order if np.nanmax(np.nan_to_num(shares[:, at])) >= LEAST]
    return sorted(best[:MOST_REACTIONS])


def _colours(points: xr.Dataset) -> dict[int, str]:
    shown = _shown(points)
    looks = styles([str(at) for at in shown], None)
    palette = [style.colour for style in looks.values()]
    # A seventh colour would be the first one again.
    return dict(zip(shown, [*palette[:6], "#999933"], strict=False))


def _legend(figure: Figure, points: xr.Dataset) -> Any:
    from matplotlib.patches import Patch

    colours = _colours(points)
    titles = points["reaction_title"].values
    handles = [
        Patch(color=colour, label=textwrap.fill(str(titles[at]), LEGEND_CHARACTERS))
        for at, colour in colours.items()
    ]
    if rest := points.sizes["reaction"] - len(colours):
        handles.append(Patch(color=GREY, label=f"{rest} other{'s' * (rest > 1)}"))
    return figure.legend(handles=handles, loc="upper left", borderaxespad=0, alignment="left")


def _draw(axes: Axes, points: xr.Dataset, rows: list[tuple[int, str]], names: list[str]) -> None:
    from matplotlib.ticker import FixedLocator

    colours, step = _colours(points), 1.0
    places = [at * (2 * step + GAP / ROW) + (side == "loss") * step for at, side in rows]
    for place, (at, side) in zip(places, rows, strict=True):
        point = points.isel(perturbation=at)
        shares = np.nan_to_num(point[f"share_of_{side}"].values) * 100
        left = 0.0
        for reaction, colour in colours.items():
            axes.barh(place, shares[reaction], left=left, height=0.8, color=colour)
            left += shares[reaction]
        rest = sum(share for reaction, share in enumerate(shares) if reaction not in colours)
        axes.barh(place, rest, left=left, height=0.8, color=GREY)
        axes.annotate(
            _total(point, side), (1, place), (6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", size=7, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(
        places, [f"{names[at]}: {side}" if len(names) > 1 else side for at, side in rows]
    )
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.set_xlim(0, 100)
    axes.xaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share of production or of loss (%); beside it: all of it")


def _total(point: xr.Dataset, side: str) -> str:
    value = float(point[side])
    if value == 0:
        return "none"
    return (
        f"{number_text(float(f'{value:.3g}'))} {unit_text(str(point[side].attrs['units']))}".strip()
    )


def _title(points: xr.Dataset) -> str:
    attrs = points.attrs
    when = f"{attrs['at']:.4g} {attrs['time_unit']}".strip()
    return f"What makes and what removes {attrs['species_title']} at {when}"


def _subtitle(points: xr.Dataset) -> str:
    attrs = points.attrs
    variant = f" ({attrs['variant']})" if attrs.get("variant") else ""
    where = [f"scenario {attrs['scenario']}"] if "scenario" in attrs else []
    where += [f"{key} {attrs[key]}" for key in ("arm", "compound") if key in attrs]
    if "perturbation" in points.coords and points.sizes["perturbation"] == 1:
        where.append(f"perturbation {points['perturbation'].values[0]}")
    return ", ".join([*where, f"model {attrs['model']}{variant}"])


def _captions(points: xr.Dataset) -> Iterator[str]:
    counted = str(points.attrs["counted"])
    yield f"{counted[0].upper()}{counted[1:]}."
    if points.attrs["notes"]:
        yield f"{points.attrs['notes']}."
    if "assumed_share" in points.attrs:
        yield evidence_note(points.attrs)
    yield from closing_notes(points.attrs)
