"""Responses of virtual patients: Kaplan and Meier's curves, and waterfalls of best changes.

Perturbations are lines, compounds and arms columns; what is the only one of its kind makes room.
Below the curves stand the numbers at risk, below these one waterfall for each line.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.clinic.criteria import FALLS
from myelode.clinic.sections import CURVE, HIGH, LOW, TIME
from myelode.figures.matrices import subtitle, write_around
from myelode.figures.page import EDGE, GREY, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.published import (
    Published,
    mark_responders,
    mark_survival,
    published_note,
    published_of,
)
from myelode.figures.styles import Style, look, month_ticks, styles
from myelode.scenario import Scenario
from myelode.units import factor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, CURVE_HEIGHT, FALL_HEIGHT = 2.9, 1.9, 0.8
GAP, ROW_GAP, AXIS_LABELS, AXIS_NAME = 0.3, 0.28, 0.3, 0.55
LETTER, SAMPLE_LINE = 0.062, 0.22
LINE = 0.15
HIGHEST = 100.0
"""Best changes above this, in %, are cut off."""
_AXES = ("perturbation", "compound", "arm")


@dataclass(frozen=True)
class _Group:
    """The patients of one line in one column."""

    name: str
    style: Style
    point: xr.Dataset
    response: str

    def values(self, ending: str) -> np.ndarray:
        """What the response says of the group or of its patients."""
        found: np.ndarray = self.point[f"{self.response}_{ending}"].values
        return found

    @property
    def published(self) -> Published | None:
        """What the trial arm reported that this group imitates."""
        return published_of(self.point)

    @property
    def rate(self) -> str:
        """``PR or better: 71 % (57 to 82 %) of 58``."""
        numbers = [float(self.values("response_rate" + end)) for end in ("", LOW, HIGH)]
        evaluable = int(self.values("evaluable"))
        if not evaluable:
            return "no patient is evaluable"
        share, low, high = (f"{100 * number:.0f}" for number in numbers)
        beside = self.published.rate_text if self.published else ""
        return f"PR or better in {share} % ({low} to {high} %) of {evaluable}{beside}"


@dataclass(frozen=True)
class _Block:
    """One response: its columns by heading, each with its groups; times are in months."""

    title: str
    columns: Mapping[str, tuple[_Group, ...]]
    months: float
    end: float

    @property
    def lines(self) -> int:
        """How many groups a column has."""
        return len(next(iter(self.columns.values())))

    @property
    def head(self) -> float:
        """Room above the curves, in inches."""
        return LINE * (1.5 + any(self.columns)) + EDGE

    @property
    def height(self) -> float:
        """In inches."""
        at_risk = AXIS_NAME + (self.lines + 1) * LINE
        return self.head + CURVE_HEIGHT + at_risk + self.lines * (FALL_HEIGHT + ROW_GAP) + EDGE


def shows_responses(dataset: xr.Dataset, scenario: Scenario) -> bool:
    """Whether a scenario asks for responses of many patients, without a ladder of doses."""
    return bool(scenario.responses) and "sample" in dataset.dims and "dose" not in dataset.dims


def draw_responses(dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario) -> Figure:
    """All responses of a scenario one below the other, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    blocks = [_block(name, result, scenario) for name in scenario.responses]
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _place(figure, blocks, dataset, scenario)
    return figure


def _block(name: str, result: xr.Dataset, scenario: Scenario) -> _Block:
    sizes = {axis: result.sizes[axis] for axis in _AXES if axis in result.dims}
    line = next((axis for axis, size in sizes.items() if size > 1), _AXES[0])
    names = [str(value) for value in result[line].values]
    looks = styles(names, scenario.reference if line == _AXES[0] else None)
    others = [axis for axis in sizes if axis != line]
    columns = {}
    for place in itertools.product(*(range(sizes[axis]) for axis in others)):
        point = result.isel(dict(zip(others, place, strict=True)))
        several = [axis for axis in others if sizes[axis] > 1]
        heading = ", ".join(str(point[axis].values) for axis in several)
        columns[heading] = tuple(
            _Group(own, looks[own], point.isel({line: number}), name)
            for number, own in enumerate(names)
        )
    time = result[name + TIME]
    months = factor(str(time.attrs["units"]), "month")
    last = float(np.nanmax([result[f"{name}_progression"].max(), time.max()]))
    title = scenario.responses[name].title or name.replace("_", " ")
    return _Block(title, columns, months, months * last)


def _place(figure: Figure, blocks: list[_Block], dataset: xr.Dataset, scenario: Scenario) -> None:
    """Everything at its place; lengths are in inches."""
    names = [
        group.name for block in blocks for groups in block.columns.values() for group in groups
    ]
    left = max(EDGE + SAMPLE_LINE + LETTER * max(map(len, names)) + AXIS_LABELS, AXIS_NAME)
    number = max(len(block.columns) for block in blocks)
    width = left + number * WIDTH + (number - 1) * GAP + 2 * EDGE
    title = textwrap.wrap(scenario.title, int(width * 11))
    captions = [
        line
        for text in _captions(dataset, scenario)
        for line in textwrap.wrap(text, int(width * 16))
    ]
    head = EDGE + (len(title) + 1.2) * TITLE_LINE
    height = head + sum(block.height for block in blocks) + len(captions) * SMALL_LINE + 2 * EDGE
    figure.set_size_inches(width, height)
    write_around(figure, title, subtitle(dataset, scenario), captions)
    top = head
    for block in blocks:
        _Drawing(figure, block, left).draw(top)
        top += block.height


class _Drawing:
    """Puts one response on the figure; lengths are in inches from the upper left corner."""

    def __init__(self, figure: Figure, block: _Block, left: float):
        self.figure, self.block, self.left = figure, block, left
        self.width, self.height = map(float, figure.get_size_inches())

    def draw(self, top: float) -> None:
        """All columns, from the curves down to the waterfalls."""
        self._text(EDGE, top + LINE / 2, self.block.title, weight="bold", size=9)
        top += self.block.head
        for number, (heading, groups) in enumerate(self.block.columns.items()):
            left = self.left + number * (WIDTH + GAP)
            axes = self._axes(left, top, CURVE_HEIGHT)
            self._curves(axes, groups, first=number == 0)
            if heading:
                axes.set_title(heading, loc="left", size=8, weight="bold")
            below = top + CURVE_HEIGHT + AXIS_NAME
            self._at_risk(left, below, groups, first=number == 0)
            below += (len(groups) + 1) * LINE
            for group in groups:
                self._waterfall(left, below + ROW_GAP, group, first=number == 0)
                below += FALL_HEIGHT + ROW_GAP

    def _axes(self, left: float, top: float, height: float) -> Axes:
        bottom = 1 - (top + height) / self.height
        place = (left / self.width, bottom, WIDTH / self.width, height / self.height)
        return self.figure.add_axes(place)

    def _text(self, left: float, top: float, text: str, **how: Any) -> None:
        how = {"size": 7, "va": "center", **how}
        self.figure.text(left / self.width, 1 - top / self.height, text, **how)

    def _curves(self, axes: Axes, groups: tuple[_Group, ...], first: bool) -> None:
        for group in groups:
            _draw_curve(axes, group, self.block.months)
            if group.published:
                mark_survival(axes, group.published, group.style.colour, self.block.end)
        axes.set_xlim(0, self.block.end)
        axes.set_ylim(0, 1.04)
        axes.set_xticks(month_ticks(self.block.end))
        axes.set_xlabel("months from baseline")
        if first:
            axes.set_ylabel("progression-free")
        else:
            axes.set_yticklabels([])

    def _at_risk(self, left: float, top: float, groups: tuple[_Group, ...], first: bool) -> None:
        """How many are at risk at each tick; the names beside them are the legend."""
        ticks = month_ticks(self.block.end)
        if first:
            self._text(EDGE, top + LINE / 2, "at risk", color=GREY)
        for row, group in enumerate(groups, start=1):
            middle = top + (row + 0.5) * LINE
            if first:
                self._legend(middle, group)
            known = group.values("progression") * self.block.months
            for tick in ticks:
                number = str(int((known >= tick * (1 - 1e-9)).sum()))
                across = left + WIDTH * tick / self.block.end
                self._text(across, middle, number, ha="center", color=group.style.colour)

    def _legend(self, middle: float, group: _Group) -> None:
        from matplotlib.lines import Line2D

        across = [EDGE / self.width, (EDGE + SAMPLE_LINE * 0.8) / self.width]
        line = Line2D(
            across, [1 - middle / self.height] * 2, color=group.style.colour,
            linestyle=group.style.line, linewidth=group.style.width,
        )  # fmt: skip
        self.figure.add_artist(line)
        name = group.name.replace("_", " ")
        self._text(EDGE + SAMPLE_LINE, middle, name, color=group.style.colour)

    def _waterfall(self, left: float, top: float, group: _Group, first: bool) -> None:
        axes = self._axes(left, top, FALL_HEIGHT)
        changes = 100 * group.values("best_change")
        heights = np.sort(changes[np.isfinite(changes)])[::-1].clip(max=HIGHEST)
        axes.bar(np.arange(len(heights)), heights, width=1.0, color=group.style.colour, alpha=0.6)
        for fall in FALLS:
            axes.axhline(-100 * fall, color="black", linewidth=0.5, linestyle=(0, (2, 2)))
        axes.axhline(0, color="black", linewidth=0.7)
        axes.set_ylim(-105, HIGHEST * 1.05)
        axes.set_yticks([-100, -50, 0, 50, 100])
        axes.set_xlim(-0.5, max(len(heights), 1) - 0.5)
        axes.set_xticks([])
        if group.published:
            mark_responders(axes, group.published, len(heights))
        axes.spines["bottom"].set_visible(False)
        axes.annotate(
            group.rate, (0, 1), (0, 2), xycoords="axes fraction", textcoords="offset points",
            size=6.5, va="bottom", color=group.style.colour,
        )  # fmt: skip
        if first:
            self._text(EDGE, top + FALL_HEIGHT / 2, group.name.replace("_", " "),
                       color=group.style.colour)  # fmt: skip
        else:
            axes.set_yticklabels([])


def _draw_curve(axes: Axes, group: _Group, months: float) -> None:
    """Steps with their band, and a tick where a patient is censored."""
    times = group.point[group.response + TIME].values * months
    share, low, high = (group.values(CURVE + end) for end in ("", LOW, HIGH))
    ended = group.values("progression") * months
    known = ended[np.isfinite(ended)]
    if not known.size:
        return
    colour = group.style.colour
    last = np.append(times, max(times[-1], known.max()))
    share, low, high = (np.append(values, values[-1]) for values in (share, low, high))
    axes.step(
        last, share, where="post", color=colour, linestyle=group.style.line,
        linewidth=group.style.width, zorder=group.style.level,
    )  # fmt: skip
    axes.fill_between(last, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    censored = np.unique(known[~group.values("progressed")[np.isfinite(ended)]])
    at = share[np.searchsorted(last, censored * (1 + 1e-12), side="right") - 1]
    axes.plot(censored, at, linestyle="", marker="|", markersize=5, color=colour, zorder=4)


def _captions(dataset: xr.Dataset, scenario: Scenario) -> Iterator[str]:
    subjects = scenario.design.subjects
    what = subjects.title if subjects else "points of the design"
    limits = ", ".join(f"{100 * fall:.0f}" for fall in FALLS)
    yield (
        f"{dataset.sizes['sample']} {what}, the same in every curve. Curves: Kaplan and Meier, "
        "with 95 % bands (log-log); ticks: censored. Bars: best change of M-protein from baseline "
        f"in %, patient by patient, cut off at {HIGHEST:.0f} %; dotted lines: {limits} % gone. "
        "Serum M-protein alone."
    )
    yield from published_note(dataset.attrs)
    yield evidence_note(dataset.attrs)
    yield from closing_notes(dataset.attrs)
