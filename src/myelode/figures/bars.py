"""Endpoints as horizontal bars, for scenarios that say a few numbers and not how they came about.

A row is a perturbation or an arm, a panel holds bars of one unit, side by side within a row and
each with its number at its end; lines mark the levels that matter.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.bar_values import Bar, BarPanel, chart_of
from myelode.figures.matrices import subtitle, write_around
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
from myelode.figures.styles import log_ticks, look, number_text, styles
from myelode.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_GAP, AXIS_ROOM = 2.5, 0.35, 0.3
BAR_HEIGHT, ROW_LINE, ROW_GAP = 0.125, 0.135, 0.13
LETTER, SMALL_LETTER, LABEL_CHARACTERS = 0.064, 0.053, 30
HEADING_CHARACTERS, LEGEND_CHARACTERS = 36, 38
NUMBER_ROOM = 0.52
"""Inches beside the longest bar, for its number."""
LEAST_WIDTH = 5.0
BAND, ALONE, REPEATED = "#f3f3f3", "#6b8fae", "////"
POINTS = 72
MOST_TICKS, TINY = 5, 1e-9


def shows_bars(scenario: Scenario) -> bool:
    """Whether a scenario asks for this figure."""
    return scenario.figure.show == "bars"


def draw_bar_chart(dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario) -> Figure:
    """Endpoints as bars, as a figure with the Agg canvas.

    Raises ScenarioError for numbers that are not of one kind.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _BarChart(figure, dataset, result, scenario).draw()
    return figure


class _BarChart:
    """Measures the parts of the chart, then puts them in place; lengths are in inches."""

    def __init__(self, figure: Figure, dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario):
        self.figure, self.dataset, self.scenario = figure, dataset, scenario
        titles = json.loads(dataset.attrs.get("perturbation_titles", "{}"))
        labels, self.panels = chart_of(result, scenario, titles)
        self.rows = [_wrapped(label, LABEL_CHARACTERS) for label in labels]
        self.colours = _colours(self.panels)
        self.has_spread = "sample" in dataset.dims
        lines = max(label.count("\n") + 1 for label in self.rows)
        bars = max(len(panel.bars) for panel in self.panels)
        self.row_height = max(ROW_LINE * lines, BAR_HEIGHT * bars) + ROW_GAP

    def draw(self) -> None:
        """Everything, from the outside in."""
        left = 2 * EDGE + LETTER * max(len(line) for row in self.rows for line in row.split("\n"))
        panels = len(self.panels) * (PANEL_WIDTH + PANEL_GAP) - PANEL_GAP
        width = max(left + panels + 2 * EDGE, LEAST_WIDTH)
        title = textwrap.wrap(self.scenario.title, int(width * 11)) or [""]
        captions = [c for text in self._captions() for c in textwrap.wrap(text, int(width * 16))]
        head = EDGE + (len(title) + 1.2) * TITLE_LINE + EDGE + self._height_above()
        inside = self.row_height * len(self.rows)
        below = head + inside + AXIS_ROOM + LINE * any(panel.unit for panel in self.panels)
        legends = self._legends()
        tall = max((size_of(self.figure, item)[1] for item in legends.values()), default=-EDGE)
        height = below + tall + 2 * EDGE + SMALL_LINE * len(captions) + EDGE
        self.figure.set_size_inches(width, height)
        write_around(self.figure, title, subtitle(self.dataset, self.scenario), captions)
        for number, panel in enumerate(self.panels):
            at = left + number * (PANEL_WIDTH + PANEL_GAP)
            place = at / width, 1 - (head + inside) / height
            axes = self.figure.add_axes((*place, PANEL_WIDTH / width, inside / height))
            self._panel(axes, panel, is_first=number == 0)
            if number in legends:
                corner = at / width, 1 - below / height
                legends[number].set_bbox_to_anchor(corner, self.figure.transFigure)

    def _height_above(self) -> float:
        """Room for the headings of panels and the names of marks."""
        headings = max(len(_heading(panel)) for panel in self.panels)
        return headings * LINE + self._mark_lines() * SMALL_LINE + EDGE / 2

    def _mark_lines(self) -> int:
        return max(len(panel.marks) for panel in self.panels)

    def _legends(self) -> dict[int, Any]:
        """A legend below each panel with labels that no other legend explains."""
        shown = [panel.labels for panel in self.panels]
        needed: dict[int, tuple[str, ...]] = {}
        for number, labels in enumerate(shown):
            told = {*labels} in map(set, needed.values())
            if len(labels) > 1 and not told and not any({*labels} < {*other} for other in shown):
                needed[number] = labels
        return {number: self._legend(labels) for number, labels in needed.items()}

    def _legend(self, labels: tuple[str, ...]) -> Any:
        from matplotlib.patches import Patch

        handles = [
            Patch(label=_wrapped(label, LEGEND_CHARACTERS), **self.colours[label])
            for label in labels
        ]
        return self.figure.legend(
            handles=handles, loc="upper left", borderaxespad=0, borderpad=0, handlelength=1.2,
            handleheight=0.7,
        )  # fmt: skip

    def _panel(self, axes: Axes, panel: BarPanel, is_first: bool) -> None:
        middles = (np.arange(len(self.rows)) + 0.5) * self.row_height
        for middle in middles[::2]:
            edges = middle - self.row_height / 2, middle + self.row_height / 2
            axes.axhspan(*edges, color=BAND, linewidth=0, zorder=0)
        _scale(axes, panel)
        axes.set_ylim(len(self.rows) * self.row_height, 0)
        axes.set_yticks(middles, self.rows if is_first else [""] * len(self.rows))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(panel.unit)
        for number, bar in enumerate(panel.bars):
            shift = BAR_HEIGHT * (number - (len(panel.bars) - 1) / 2)
            self._bar(axes, bar, middles + shift)
        if min(axes.get_xlim()) < 0:
            axes.axvline(0, color="black", linewidth=0.7, zorder=3)
        self._write_above(axes, panel)

    def _bar(self, axes: Axes, bar: Bar, heights: np.ndarray) -> None:
        """The bar of every row, from the edge of a log axis or from zero, and its number."""
        low, high = axes.get_xlim()
        start = np.full(len(heights), low if axes.get_xscale() == "log" else 0.0)
        for label, length in zip(bar.parts, bar.lengths(), strict=True):
            end = start + np.where(np.isfinite(length), length, 0)
            if axes.get_xscale() == "log":
                end = np.where((length > 0) & np.isfinite(length), length, low)
            axes.barh(
                heights, end - start, 0.86 * BAR_HEIGHT, start, linewidth=0, zorder=2,
                **self.colours[label],
            )  # fmt: skip
            start = end
        for row, height in enumerate(heights):
            at = float(bar.spread[1, row])
            if self.has_spread and np.isfinite(bar.spread[:, row]).all():
                axes.plot(bar.spread[[0, 2], row], [height] * 2, color="black", linewidth=0.7)
                at = float(bar.spread[0 if at < 0 else 2, row])
            at = min(max(at, low), high) if math.isfinite(at) else max(low, 0.0)
            _write_number(axes, float(bar.whole[row]), at, height)

    def _write_above(self, axes: Axes, panel: BarPanel) -> None:
        """The lines at marked levels, each with its name on a line of its own, and the heading."""
        levels = sorted(panel.marks.items(), key=lambda item: -item[1])
        for line, (label, level) in enumerate(levels):
            axes.axvline(level, color=GREY, linewidth=0.9, dashes=(3, 2), zorder=3)
            room = PANEL_WIDTH * (1 - axes.transAxes.inverted().transform(
                axes.transData.transform((level, 0)))[0])  # fmt: skip
            beyond = SMALL_LETTER * len(label) > room + PANEL_GAP
            axes.annotate(
                label, (level, 1), (0, 2 + POINTS * SMALL_LINE * line), size=6.5, color=GREY,
                xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="right" if beyond else "left",
            )  # fmt: skip
        axes.annotate(
            "\n".join(_heading(panel)), (0, 1), (0, 4 + POINTS * SMALL_LINE * self._mark_lines()),
            xycoords="axes fraction", textcoords="offset points", size=8, weight="bold",
        )  # fmt: skip

    def _captions(self) -> Iterator[str]:
        bars = [bar for panel in self.panels for bar in panel.bars]
        if self.has_spread:
            subjects = self.scenario.design.subjects
            many = subjects.title if subjects else "points of the design"
            number = self.dataset.sizes["sample"]
            yield f"Bars are medians of {number} {many}, lines 5 to 95 % of them."
        if any(len(bar.parts) > 1 for bar in bars):
            yield "The number at the end of a bar with several colours is its whole length."
        wholes = np.concatenate([bar.whole for bar in bars])
        if np.isinf(wholes).any() or np.isnan(wholes).any():
            yield "n.r.: not reached; –: no number."
        yield evidence_note(self.dataset.attrs)
        yield from closing_notes(self.dataset.attrs)


def _wrapped(text: str, length: int) -> str:
    return textwrap.fill(text, length, break_on_hyphens=False)


def _heading(panel: BarPanel) -> list[str]:
    return textwrap.wrap(panel.title, HEADING_CHARACTERS) or [""]


def _colours(panels: list[BarPanel]) -> Mapping[str, Mapping[str, Any]]:
    """How every label looks, the same in all panels; colours that come again are hatched."""
    labels = list(dict.fromkeys(label for panel in panels for label in panel.labels))
    alone = {panel.labels[0] for panel in panels if len(panel.labels) == 1}
    several = {label for panel in panels if len(panel.labels) > 1 for label in panel.labels}
    found: dict[str, Mapping[str, Any]] = {label: {"color": ALONE} for label in alone - several}
    seen: set[str] = set()
    for label, style in styles([label for label in labels if label in several], None).items():
        again = {"hatch": REPEATED, "edgecolor": "white"} if style.colour in seen else {}
        found[label] = {"facecolor": style.colour, **again}
        seen.add(style.colour)
    return found


def _write_number(axes: Axes, value: float, at: float, height: float) -> None:
    """The number beside the end of its bar, with a seam against lines that run through it."""
    from matplotlib.patheffects import withStroke

    left = value < 0
    axes.annotate(
        value_text(value), (at, height), (-2 if left else 2, 0), textcoords="offset points",
        size=6.5, va="center_baseline", ha="right" if left else "left", zorder=5,
        path_effects=[withStroke(linewidth=2, foreground=BAND)],
    )  # fmt: skip


def value_text(value: float) -> str:
    """Three digits: 0.081, 7.53, 1230; ``n.r.`` for infinity and a dash for no number."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "n.r."
    return number_text(float(f"{value:.3g}")).replace("-", "−")


def _scale(axes: Axes, panel: BarPanel) -> None:
    """An axis with room for the numbers beside the longest bars."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    numbers = panel.numbers()
    positive = numbers[numbers > 0]
    log = panel.log and positive.size > 0
    axes.set_xscale("log" if log else "linear")
    axes.set_xlim(*(_log_limits(positive) if log else _limits(numbers)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(
        FixedLocator(_few(log_ticks(*axes.get_xlim())))
        if log
        else MaxNLocator(MOST_TICKS, steps=[1, 2, 2.5, 5, 10])
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x).replace("-", "−")))


def _few(ticks: list[float]) -> list[float]:
    """Decades where there are too many ticks to be read, and of those too not all."""
    if len(ticks) > MOST_TICKS:
        decades = [tick for tick in ticks if math.log10(tick) % 1 < TINY]
        ticks = decades if len(decades) > 1 else ticks
    return ticks[:: -(-len(ticks) // MOST_TICKS) or 1]


def _limits(numbers: np.ndarray) -> tuple[float, float]:
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    sides = 1 + (low < 0)
    margin = ((high - low) or 1.0) * NUMBER_ROOM / (PANEL_WIDTH - sides * NUMBER_ROOM)
    return low - margin * (low < 0), high + margin if high > 0 or low == 0 else 0.0


def _log_limits(positive: np.ndarray) -> tuple[float, float]:
    """From below the lowest number, so that it too has a bar."""
    low, high = math.log10(positive.min()), math.log10(positive.max())
    low -= max(0.15 * (high - low), 0.2)
    margin = (high - low) * NUMBER_ROOM / (PANEL_WIDTH - NUMBER_ROOM)
    return float(10**low), float(10 ** (high + margin))
