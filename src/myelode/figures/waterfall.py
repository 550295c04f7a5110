"""An attribution as a waterfall: from the endpoint on one side to the other, share by share.

Each bar begins where the one above it ends, and is as long as the Shapley value of its parameter on
the scale of the gap.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.attribution.words import percent
from myelode.figures.matrices import write_around
from myelode.figures.page import EDGE, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.styles import log_ticks, look, number_text, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW, FOOT = 3.6, 0.27, 0.55
LETTER, LABEL_CHARACTERS, MOST_BARS = 0.062, 46, 12
NUMBERS = 1.35
"""Room for the percentages beside the bars."""
END, UP, DOWN = "#000000", "#D55E00", "#0072B2"


@dataclass(frozen=True)
class _Bar:
    """A row: from where to where it reaches, what stands beside it, and its standard error."""

    label: str
    start: float
    end: float
    said: str
    error: float = 0.0


def draw_waterfall(found: xr.Dataset) -> Figure:
    """What `why` found, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = list(_bars(found))
    left = EDGE + LETTER * max(len(line) for bar in bars for line in bar.label.split("\n")) + EDGE
    width = left + WIDTH + NUMBERS
    title = textwrap.wrap(str(found.attrs.get("title", "")), int(width * 11)) or [""]
    captions = [c for text in _captions(found) for c in textwrap.wrap(text, int(width * 16))]
    head = EDGE + (len(title) + 1.4) * TITLE_LINE
    body = ROW * (len(bars) + sum(bar.label.count("\n") for bar in bars) * 0.45)
    height = head + body + FOOT + SMALL_LINE * len(captions) + EDGE
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.set_size_inches(width, height)
        write_around(figure, title, _subtitle(found), captions)
        place = (left / width, 1 - (head + body) / height, WIDTH / width, body / height)
        _draw(figure.add_axes(place), bars, found)
    return figure


def _bars(found: xr.Dataset) -> Iterator[_Bar]:
    attrs, at = found.attrs, float(_on_scale(found, float(found["value_from"])))
    yield _Bar(str(attrs["from"]), at, at, _number(found, "value_from"))
    gap = float(found["gap"])
    steps, shares = found["step"].values, found["shapley"].values
    errors = found["standard_error"].values * abs(gap)
    shown = range(min(found.sizes["parameter"], MOST_BARS))
    for number in shown:
        said = percent(float(shares[number]))
        yield _Bar(_label(found, number), at, at + steps[number], said, float(errors[number]))
        at += steps[number]
    if rest := found.sizes["parameter"] - len(shown):
        step = math.fsum(steps[len(shown) :])
        yield _Bar(f"the other {rest}", at, at + step, percent(step / gap))
        at += step
    yield _Bar(str(attrs["to"]), at, at, _number(found, "value_to"))


def _label(found: xr.Dataset, number: int) -> str:
    item = found.isel(parameter=number)
    name, title = str(item["parameter"].item()), str(item["title"].item())
    whole = name if title in (name, f"step {name!r}") else f"{name}, {title}"
    return "\n".join(textwrap.wrap(whole, LABEL_CHARACTERS, max_lines=2, placeholder=" ..."))


def _number(found: xr.Dataset, name: str) -> str:
    unit = unit_text(str(found[name].attrs["units"]).replace("dimensionless", ""))
    return f"{number_text(float(found[name]))} {unit}".strip()


def _on_scale(found: xr.Dataset, value: float) -> float:
    if found.attrs["scale"] == "inverse":
        return 0.0 if math.isinf(value) else 1 / value
    return math.log10(value) if found.attrs["scale"] == "log" else value


def _draw(axes: Axes, bars: list[_Bar], found: xr.Dataset) -> None:
    places = np.cumsum([0.0, *((1 + 0.45 * bar.label.count("\n")) for bar in bars[1:])])
    log = found.attrs["scale"] == "log"
    for place, bar in zip(places, bars, strict=True):
        start, end = (10**bar.start, 10**bar.end) if log else (bar.start, bar.end)
        colour = END if bar.start == bar.end else UP if bar.end > bar.start else DOWN
        if bar.start == bar.end and bar in (bars[0], bars[-1]):
            axes.plot([end], [place], "D", color=END, markersize=4, zorder=4)
        axes.barh(place, end - start, left=start, height=0.62, color=colour, zorder=3)
        if bar.error:
            low, high = bar.end - bar.error, bar.end + bar.error
            span = (10**low, 10**high) if log else (low, high)
            axes.plot(span, [place, place], color="0.25", linewidth=1.0, zorder=5)
    for place, bar, below in zip(places, bars, places[1:], strict=False):
        end = 10**bar.end if log else bar.end
        axes.plot([end, end], [place, below], color="0.6", linewidth=0.7, zorder=2)
    _scale(axes, bars, log, found)
    axes.set_yticks(places, [bar.label for bar in bars])
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for place, bar in zip(places, bars, strict=True):
        axes.annotate(
            bar.said, (1, place), (8, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", size=7.5, annotation_clip=False,
        )  # fmt: skip


def _scale(axes: Axes, bars: list[_Bar], log: bool, found: xr.Dataset) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    ends = [end for bar in bars for end in (bar.start, bar.end - bar.error, bar.end + bar.error)]
    low, high = min(ends), max(ends)
    margin = 0.06 * (high - low)
    span = (low - margin, high + margin)
    if log:
        axes.set_xscale("log")
        span = 10 ** span[0], 10 ** span[1]
    axes.set_xlim(span)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(*span)) if log else MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x)))
    axes.set_xlabel(_across(found))


def _across(found: xr.Dataset) -> str:
    name = str(found.attrs["endpoint_title"] or found.attrs["endpoint"])
    unit = unit_text(str(found["value_from"].attrs["units"]))
    if found.attrs["scale"] == "inverse":
        return f"1 / {name} (1/({unit}))"
    return f"{name} ({unit})"


def _subtitle(found: xr.Dataset) -> str:
    attrs = found.attrs
    variant = f" ({attrs['variant']})" if attrs.get("variant") else ""
    return (
        f"why {attrs['endpoint']} differs from {attrs['from']} to {attrs['to']}: "
        f"scenario {attrs['scenario']}, model {attrs['model']}{variant}"
    )


def _captions(found: xr.Dataset) -> Iterator[str]:
    attrs: Any = found.attrs
    said = f"Bars: Shapley values of {attrs['scale_definition']}; numbers: shares of the gap."
    if attrs["method"] == "sampled":
        said += f" From {attrs['orders']} sampled orders (seed {attrs['seed']}); lines: +- SE."
    yield said
    share = float(found["interaction"])
    yield f"Interaction: {percent(share)} (1 - sum of the shares when each is changed alone)."
    yield evidence_note(attrs)
    yield from closing_notes(attrs)
