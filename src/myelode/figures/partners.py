"""Many combinations as a chart: a row for each, with what it does and what a document says of it.

The left panel is the shift of the dose of half on a log axis, the right one the effect beyond Bliss
independence; a row has a marker for each perturbation in both.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from myelode.arm_sections import BLISS, SHIFT
from myelode.combinations import title_of
from myelode.figures.matrices import subtitle, write_around
from myelode.figures.page import EDGE, LINE, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.styles import Style, log_ticks, look, number_text, styles
from myelode.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = ("perturbation", "compound")
PANEL_WIDTH, PANEL_GAP, AXIS_ROOM = 2.4, 0.3, 0.62
LETTER, SMALL_LETTER, LABEL_CHARACTERS, CLAIM_CHARACTERS = 0.064, 0.057, 28, 42
ROW_LINE, MARKER_ROOM, ROW_GAP = 0.14, 0.13, 0.14
HANDLE_ROOM, LEAST_WIDTH = 0.55, 5.0
BAND, LINE_COLOUR = "#f3f3f3", "#5a5a5a"
LEAST_SHIFTS, LEAST_EXCESS = (0.5, 2.0), 0.05
MOST_TICKS = 6
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SPREAD = (0.05, 0.95)


@dataclass(frozen=True)
class Row:
    """One combination; `shifts` and `excess` are low, median and high (rows) of each series.

    `has_shift` tells a shift that is not known from one that nobody asked for.
    """

    label: str
    claim: str
    has_shift: bool
    shifts: np.ndarray
    excess: np.ndarray


def shows_partners(scenario: Scenario) -> bool:
    """Whether a scenario asks for this figure, or has two combinations with shifts and more."""
    if scenario.figure.show is not None:
        return scenario.figure.show == "combinations"
    return sum(item.shift is not None for item in scenario.combinations.values()) >= 2


def draw_partners(dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario) -> Figure:
    """All combinations of a scenario in one chart, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _Chart(figure, dataset, result, scenario).draw()
    return figure


def partner_rows(result: xr.Dataset, scenario: Scenario) -> list[Row]:
    """The combinations of a scenario, each with its numbers series by series."""
    return [
        Row(
            textwrap.fill(title_of(name, item), LABEL_CHARACTERS),
            textwrap.fill(_claimed(result[BLISS + name]), CLAIM_CHARACTERS),
            item.shift is not None,
            _numbers(result, SHIFT + name if item.shift is not None else None),
            _numbers(result, BLISS + name),
        )
        for name, item in scenario.combinations.items()
    ]


def _claimed(data: xr.DataArray) -> str:
    """``document: High / contested``; the id of the claim where the document has no grade."""
    if "verdict" not in data.attrs:
        return ""
    said = (
        f"document: {data.attrs['says']}"
        if "says" in data.attrs
        else f"claim {data.attrs['claim']}"
    )
    return f"{said} / {data.attrs['verdict']}"


def _axes_of_series(result: xr.Dataset) -> list[str]:
    return [axis for axis in SERIES if axis in result.dims]


def _numbers(result: xr.Dataset, name: str | None) -> np.ndarray:
    """Low, median and high of each series over all further dimensions; NaN where none is known."""
    axes = _axes_of_series(result)
    if name is None:
        return np.full((3, math.prod(result.sizes[axis] for axis in axes)), math.nan)
    data = result[name]
    data = data.expand_dims({axis: result[axis] for axis in axes if axis not in data.dims})
    shape = (math.prod(result.sizes[axis] for axis in axes), -1)
    values = data.transpose(*axes, ...).values.reshape(shape)
    found = np.full((3, len(values)), math.nan)
    for at, known in enumerate(row[np.isfinite(row)] for row in values):
        if known.size:
            found[:, at] = np.quantile(known, (SPREAD[0], 0.5, SPREAD[1]))
    return found


class _Chart:
    """Measures the parts of the chart, then puts them in place; lengths are in inches."""

    def __init__(self, figure: Figure, dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario):
        self.figure, self.dataset, self.scenario = figure, dataset, scenario
        self.rows = partner_rows(result, scenario)
        self.names = _names_of_series(result)
        found = styles(self.names, scenario.reference)
        self.styles = {
            name: replace(found[name], marker=marker)
            for name, marker in zip(self.names, itertools.cycle(MARKERS), strict=False)
        }
        self.has_shifts = any(row.has_shift for row in self.rows)
        dims = {axis for name in scenario.combinations for axis in result[BLISS + name].dims}
        self.has_spread = not dims <= {*SERIES}

    def draw(self) -> None:
        """Everything, from the outside in."""
        left = EDGE + LETTER * _longest(row.label for row in self.rows) + EDGE
        panels = 2 if self.has_shifts else 1
        claims = SMALL_LETTER * _longest(row.claim for row in self.rows)
        body = left + panels * PANEL_WIDTH + (panels - 1) * PANEL_GAP + EDGE
        width = max(body + claims + EDGE, LEAST_WIDTH)
        title = textwrap.wrap(self.scenario.title, int(width * 11)) or [""]
        captions = [c for text in self._captions() for c in textwrap.wrap(text, int(width * 16))]
        columns, lines = self._legend_shape(width)
        head = EDGE + (len(title) + 1.2) * TITLE_LINE + EDGE
        inside = self._row_height() * len(self.rows)
        legend = head + inside + AXIS_ROOM
        height = legend + LINE * lines + EDGE + SMALL_LINE * len(captions) + EDGE
        self.figure.set_size_inches(width, height)
        write_around(self.figure, title, subtitle(self.dataset, self.scenario), captions)
        for number in range(panels):
            at = left + number * (PANEL_WIDTH + PANEL_GAP)
            place = at / width, 1 - (head + inside) / height
            axes = self.figure.add_axes((*place, PANEL_WIDTH / width, inside / height))
            self._panel(axes, is_shift=number == 0 and self.has_shifts, is_first=number == 0)
        self._write_claims(axes)
        if lines:
            self._legend(columns, (EDGE / width, 1 - legend / height))

    def _row_height(self) -> float:
        lines = max(text.count("\n") + 1 for row in self.rows for text in (row.label, row.claim))
        return max(ROW_LINE * lines, MARKER_ROOM * len(self.names)) + ROW_GAP

    def _legend_shape(self, width: float) -> tuple[int, int]:
        """Columns and lines of the legend; no line where there is one series only."""
        if len(self.names) == 1:
            return 1, 0
        longest = LETTER * _longest(map(self._name, self.names)) + HANDLE_ROOM
        columns = max(1, min(len(self.names), int((width - 2 * EDGE) / longest)))
        return columns, -(-len(self.names) // columns)

    def _panel(self, axes: Axes, is_shift: bool, is_first: bool) -> None:
        for number in range(0, len(self.rows), 2):
            axes.axhspan(number - 0.5, number + 0.5, color=BAND, linewidth=0, zorder=0)
        values = np.stack([row.shifts if is_shift else row.excess for row in self.rows])
        (_scale_shift if is_shift else _scale_excess)(axes, values)
        axes.axvline(1 if is_shift else 0, color=LINE_COLOUR, linewidth=0.9, zorder=1)
        for (at, row), (series, name) in itertools.product(
            enumerate(self.rows), enumerate(self.names)
        ):
            here = at + self._offset(series)
            _draw_marker(axes, values[at, :, series], here, self.styles[name])
            if is_shift and row.has_shift and math.isnan(values[at, 1, series]):
                place = axes.get_yaxis_transform()
                axes.text(0.02, here, "–", transform=place, va="center", size=7.5)
        axes.set_ylim(len(self.rows) - 0.5, -0.5)
        axes.set_yticks(range(len(self.rows)), [r.label if is_first else "" for r in self.rows])
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(self._shift_label() if is_shift else "effect beyond Bliss independence")

    def _offset(self, series: int) -> float:
        """How far from the middle of its row a series stands, in rows."""
        share = MARKER_ROOM / self._row_height()
        return share * (series - (len(self.names) - 1) / 2)

    def _shift_label(self) -> str:
        items = self.scenario.combinations.values()
        takes = {self.scenario.endpoints[item.shift].take for item in items if item.shift}
        halves = " or ".join(sorted(str(take).upper() for take in takes))
        return f"{halves} of both over that of the first"

    def _write_claims(self, axes: Axes) -> None:
        for at, row in enumerate(self.rows):
            axes.annotate(
                row.claim, (1, at), (6, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", size=7, va="center", linespacing=1.2,
            )  # fmt: skip

    def _legend(self, columns: int, place: tuple[float, float]) -> None:
        from matplotlib.lines import Line2D

        handles = [
            Line2D(
                [], [], linestyle="", marker=style.marker, color=style.colour, markersize=4,
                label=self._name(name),
            )
            for name, style in self.styles.items()
        ]  # fmt: skip
        self.figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=place, ncols=columns,
            borderaxespad=0, borderpad=0, handlelength=1.2, columnspacing=1.6,
        )  # fmt: skip

    def _name(self, series: str) -> str:
        own = series.replace("_", " ")
        return f"{own} (reference)" if series == self.scenario.reference else own

    def _captions(self) -> Iterator[str]:
        unknown = any(row.has_shift and np.isnan(row.shifts[1]).any() for row in self.rows)
        if self.has_shifts:
            yield "Left of 1: less of the first agent is needed where the second is there." + (
                " –: no shift, because a dose of half lies beyond the ladder." if unknown else ""
            )
        yield (
            "Effect beyond Bliss independence: the share of the untreated that is gone beyond what "
            "two independent agents take. One number above zero is no synergy."
        )
        if self.has_spread:
            yield "Markers are medians over all points of the design, lines 5 to 95 % of them."
        yield evidence_note(self.dataset.attrs)
        yield from closing_notes(self.dataset.attrs)


def _names_of_series(result: xr.Dataset) -> list[str]:
    values = [[str(value) for value in result[axis].values] for axis in _axes_of_series(result)]
    return [", ".join(words) for words in itertools.product(*values)]


def _longest(labels: Iterator[str] | Sequence[str]) -> int:
    return max(len(line) for label in labels for line in label.split("\n"))


def _draw_marker(axes: Axes, values: np.ndarray, at: float, style: Style) -> None:
    low, middle, high = values
    if high > low:
        axes.plot([low, high], [at, at], color=style.colour, linewidth=0.9, zorder=2)
    axes.plot(middle, at, style.marker, color=style.colour, markersize=4.5, zorder=3)


def _scale_shift(axes: Axes, values: np.ndarray) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    known = values[np.isfinite(values)]
    low = min([LEAST_SHIFTS[0], *(known / 1.25)])
    high = max([LEAST_SHIFTS[1], *(known * 1.25)])
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = log_ticks(low, high)
    if len(ticks) > MOST_TICKS:
        ticks = [tick for tick in ticks if math.log10(tick) % 1 < 1e-9]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x)))


def _scale_excess(axes: Axes, values: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    known = values[np.isfinite(values)]
    low, high = min([-LEAST_EXCESS, *known]), max([LEAST_EXCESS, *known])
    margin = 0.08 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _signed(x)))


def _signed(value: float) -> str:
    """``+0.025``, ``−0.1`` or 0."""
    text = number_text(round(value, 9))
    return text.replace("-", "−") if value <= 0 or text == "0" else f"+{text}"
