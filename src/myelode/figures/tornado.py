"""Sensitivities as horizontal bars, the largest on top; one panel per endpoint, side by side.

Elasticities reach from zero to their side, as in a tornado; other indices start at zero and have
their 95 % intervals, or the range over slices, as lines.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.index_bars import DOWN, KINDS, Series
from myelode.figures.matrices import write_around
from myelode.figures.page import (
    EDGE,
    GREY,
    LINE,
    SMALL_LINE,
    TITLE_LINE,
    closing_notes,
    evidence_note,
    size_of,
)
from myelode.figures.styles import look, number_text, unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_GAP, ROW, FOOT = 1.9, 0.3, 0.19, 0.5
ALONE, NUMBER_ROOM, LETTER, BOLD_LETTER = 3.4, 0.42, 0.061, 0.066
LEAST_WIDTH, POINTS = 5.0, 72
MOST_ROWS, MOST_PANELS, LEAST, TINY = 24, 6, 5e-3, 5e-3
LABEL_CHARACTERS, TITLE_CHARACTERS, SUBTITLE_CHARACTERS = 56, 10.5, 15
BAND = "#f3f3f3"
_DOT: Mapping[str, Any] = {
    "marker": "D", "color": "white", "markeredgecolor": "black", "markersize": 3.4,
    "markeredgewidth": 0.8,
}  # fmt: skip
_DASHED: Mapping[str, Any] = {"color": GREY, "linewidth": 0.9, "dashes": (3, 2)}


def draw_tornado(found: xr.Dataset) -> Figure:
    """What `sensitivity` found, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _Drawing(figure, found).draw()
    return figure


class _Drawing:
    """Measures the parts of the figure, then puts them in place; lengths are in inches."""

    def __init__(self, figure: Figure, found: xr.Dataset):
        self.figure, self.whole = figure, found
        self.kind = KINDS[found.attrs["method"]]
        self.found = found.isel(
            endpoint=slice(MOST_PANELS), parameter=_rows(found, self.kind.series[0].index)
        )
        self.names = _labels(self.found)
        self.width = ALONE if self.found.sizes["endpoint"] == 1 else PANEL_WIDTH
        self.row = ROW * (1.0 if len(self.kind.series) == 1 else 1.35)
        letters = int(self.width / BOLD_LETTER)
        self.headings = [_heading(item, letters) for item in _each(self.found)]

    def draw(self) -> None:
        """Everything, from the outside in."""
        left = EDGE + LETTER * max(map(len, self.names)) + EDGE
        panels = self.found.sizes["endpoint"]
        width = left + panels * self.width + (panels - 1) * PANEL_GAP + 2 * EDGE
        width = max(width, LEAST_WIDTH)
        title = textwrap.wrap(str(self.whole.attrs["title"]), int(width * TITLE_CHARACTERS)) or [""]
        captions = [c for text in self._captions() for c in textwrap.wrap(text, int(width * 16))]
        below = textwrap.wrap(_subtitle(self.whole), int(width * SUBTITLE_CHARACTERS))
        lines = len(below) + max(map(len, self.headings))
        head = EDGE + (len(title) + 0.6) * TITLE_LINE + LINE * lines
        body, legend = self.row * len(self.names), self._legend()
        foot_at = head + body + FOOT + LINE * self._lines_across()
        foot = (size_of(self.figure, legend)[1] + EDGE if legend else 0) + EDGE
        height = foot_at + foot + SMALL_LINE * len(captions) + EDGE
        self.figure.set_size_inches(width, height)
        write_around(self.figure, title, "\n".join(below), captions)
        for number, item in enumerate(_each(self.found)):
            at = left + number * (self.width + PANEL_GAP)
            place = (at / width, 1 - (head + body) / height, self.width / width, body / height)
            self._panel(self.figure.add_axes(place), item, number)
        if legend:
            legend.set_bbox_to_anchor((left / width, 1 - foot_at / height), self.figure.transFigure)

    def _panel(self, axes: Axes, item: xr.Dataset, number: int) -> None:
        rows = np.arange(len(self.names))
        for row in rows[::2]:
            axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
        low, high = self._span(item)
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(rows, self.names if number == 0 else [""] * len(rows))
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color="black", linewidth=0.7, zorder=3)
        axes.spines["left"].set_visible(False)
        thick = 0.8 / len(self.kind.series)
        for place, series in enumerate(self.kind.series):
            shift = thick * (place - (len(self.kind.series) - 1) / 2)
            self._bars(axes, item, series, rows + shift, thick)
        self._marks(axes, item, rows)
        _ticks(axes)
        axes.set_xlabel("\n".join(self._across(item)) if number == 0 or self.kind.dots else "")
        axes.annotate(
            "\n".join(self.headings[number]), (0, 1), (0, 4), xycoords="axes fraction",
            textcoords="offset points", size=8, weight="bold", va="bottom",
        )  # fmt: skip

    def _bars(
        self, axes: Axes, item: xr.Dataset, series: Series, places: np.ndarray, thick: float
    ) -> None:
        values = item[series.index].values
        below = DOWN if self.kind.is_signed else series.colour
        colours = [below if value < 0 else series.colour for value in values]
        known = np.nan_to_num(values)
        axes.barh(places, known, height=0.86 * thick, color=colours, linewidth=0, zorder=2)
        for place, value, low, high in zip(places, values, *_ends(item, series), strict=True):
            if low < high:
                axes.plot([low, high], [place, place], color="black", linewidth=0.8, zorder=4)
            if self.kind.is_signed or not math.isfinite(value):
                _write(axes, value, place)

    def _marks(self, axes: Axes, item: xr.Dataset, rows: np.ndarray) -> None:
        """What stands on the bars, or across all of them."""
        if self.kind.dots:
            dots = item[self.kind.dots[0]].values
            axes.plot(dots, rows, linewidth=0, zorder=5, clip_on=False, **_DOT)
        if self.kind.line:
            level = float(item[self.kind.line[0]].values[0])
            axes.axvline(level, zorder=3, **_DASHED)

    def _span(self, item: xr.Dataset) -> tuple[float, float]:
        """From the lowest to the highest of all that is shown; of all panels where they compare."""
        shown = item if self.kind.dots else self.found
        ends = [np.zeros(1)]
        for series in self.kind.series:
            ends += [shown[series.index].values.ravel(), *map(np.ravel, _ends(shown, series))]
        if self.kind.dots:
            ends.append(shown[self.kind.dots[0]].values.ravel())
        numbers = np.concatenate(ends)
        numbers = numbers[np.isfinite(numbers)]
        low, high = float(numbers.min()), float(numbers.max())
        room = NUMBER_ROOM if self.kind.is_signed else 0.08
        share = (high - low or 1.0) * room / max(self.width - 2 * room, 0.5)
        return low - share * (low < 0), high + share

    def _lines_across(self) -> int:
        """How many lines the labels of the axes have beside their first."""
        return max(len(self._across(item)) - 1 for item in _each(self.found))

    def _across(self, item: xr.Dataset) -> list[str]:
        unit = str(item["endpoint_unit"].item()).replace("dimensionless", "")
        unit = unit_text(unit) if self.kind.dots else ""
        said = f"{self.kind.across} ({unit})" if unit else self.kind.across
        return textwrap.wrap(said, int((self.width + PANEL_GAP) / LETTER))

    def _legend(self) -> Any:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        if self.kind.is_signed:
            return None
        handles: list[Any] = [Patch(color=s.colour, label=s.label) for s in self.kind.series]
        if self.kind.dots:
            handles.append(Line2D([], [], label=self.kind.dots[1], linewidth=0, **_DOT))
        if self.kind.line:
            handles.append(Line2D([], [], label=self.kind.line[1], **_DASHED))
        return self.figure.legend(
            handles=handles, loc="upper left", borderaxespad=0, borderpad=0, handlelength=1.4
        )

    def _captions(self) -> Iterator[str]:
        attrs = self.whole.attrs
        if self.kind.is_signed:
            step = float(attrs["step"])
            yield f"Central differences of logarithms over a step of {step:.3g} up and down."
        elif self.kind.series[0].ends:
            yield "Bars: median of the slices of a parameter's range; lines: smallest to largest."
        else:
            yield "Lines: 95 % intervals of resamples."
        if rest := self.whole.sizes["parameter"] - len(self.names):
            yield f"Not shown: {rest} parameter{'s' * (rest > 1)} of less weight."
        if rest := self.whole.sizes["endpoint"] - self.found.sizes["endpoint"]:
            yield f"Not shown: {rest} more endpoint{'s' * (rest > 1)}."
        yield from (f"{note}." for note in str(attrs.get("notes", "")).split("\n") if note)
        if "assumed_share" in attrs:
            yield evidence_note(attrs)
        yield from closing_notes(attrs)


def _rows(found: xr.Dataset, index: str) -> slice:
    """The parameters with a bar that can be seen, the largest of them."""
    sizes = np.nan_to_num(np.abs(found[index].values), nan=np.inf).max(axis=0)
    top = sizes[np.isfinite(sizes)].max(initial=0.0)
    seen = int((sizes > LEAST * top).sum())
    return slice(max(1, min(seen, MOST_ROWS)))


def _labels(found: xr.Dataset) -> list[str]:
    """The names of the parameters, with what they mean where there is room."""
    names = [str(name) for name in found["parameter"].values]
    if found.sizes["endpoint"] > 1:
        return names
    titles = [str(title) for title in found["parameter_title"].values]
    return [_label(name, title) for name, title in zip(names, titles, strict=True)]


def _label(name: str, title: str) -> str:
    """A name and its meaning, where that says more."""
    whole = f"{name}, {title}" if title and title != name.replace("_", " ") else name
    return textwrap.shorten(whole, LABEL_CHARACTERS, placeholder=" ...")


def _each(found: xr.Dataset) -> Iterator[xr.Dataset]:
    for number in range(found.sizes["endpoint"]):
        yield found.isel(endpoint=number)


def _heading(item: xr.Dataset, letters: int) -> list[str]:
    label, title = str(item["endpoint"].item()), str(item["endpoint_title"].item())
    return textwrap.wrap(title or label.replace("_", " "), letters) or [label]


def _ends(item: xr.Dataset, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the lines on the bars; of no length where there are none."""
    values = item[series.index].values
    if series.ends:
        return item[series.ends[0]].values, item[series.ends[1]].values
    half = item[series.half_width].values if series.half_width else np.zeros(values.shape)
    return values - half, values + half


def _write(axes: Axes, value: float, place: float) -> None:
    """The number beside the end of its bar."""
    left = value < 0
    text = "no number" if math.isnan(value) else f"{value:+.2f}".replace("-", "−")
    text = "0" if abs(value) < TINY else text
    axes.annotate(
        text, (0 if math.isnan(value) else value, place), (-2 if left else 2, 0),
        textcoords="offset points", size=6.5, va="center_baseline", ha="right" if left else "left",
        color=GREY, zorder=5,
    )  # fmt: skip


def _ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x).replace("-", "−")))


def _subtitle(found: xr.Dataset) -> str:
    attrs = found.attrs
    variant = f" ({attrs['variant']})" if attrs.get("variant") else ""
    lost = f", {attrs['failed']} failed" if attrs["failed"] else ""
    return (
        f"{attrs['method_title']}: scenario {attrs['scenario']}, model {attrs['model']}{variant}, "
        f"{attrs['points']} points{lost}{_used(found)}"
    )


def _used(found: xr.Dataset) -> str:
    """How many points stand behind the indices, where these are not all."""
    least, most = (int(end) for end in (found["used"].min(), found["used"].max()))
    if least == found.attrs["points"]:
        return ""
    return f", {least} analysed" if least == most else f", {least} to {most} analysed"
