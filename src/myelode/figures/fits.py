"""The figure of a fit: data with the model before and after, residuals, and profiles below."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.figures.dose_axis import dose_axis
from myelode.figures.matrices import write_around
from myelode.figures.page import EDGE, GREY, SMALL_LINE, TITLE_LINE
from myelode.figures.panel import Across, scale_x
from myelode.figures.styles import (
    Style,
    look,
    needs_log,
    number_text,
    ramp,
    scale_numbers,
    unit_text,
)
from myelode.figures.styles import linear_limits as linear
from myelode.figures.styles import log_limits as logarithmic
from myelode.fitting.courses import Course, courses_of
from myelode.fitting.fits import Fit
from myelode.fitting.predictions import Target
from myelode.fitting.profiles import Profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, REST, PROFILE = 2.6, 1.7, 0.5, 1.2
LEFT, GAP, BELOW, ABOVE, SEAM = 0.75, 0.85, 0.5, 0.3, 0.08
MOST_COLUMNS = 3
_SPREAD = 2.0
"""Residuals within so many standard deviations are as expected."""
_ALONE = Style("#0072B2", (), "o")
_Place = tuple[float, float, float, float]


def fit_figure(found: Fit) -> Figure:
    """The figure of a fit, with the Agg canvas.

    Every series has its readings with bars of one standard deviation, the model before and after,
    and the residuals after the fit; every profile its rise to the threshold.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _Sheet(found, figure).draw()
    return figure


class _Sheet:
    """Cells in a grid: one for each series, then one for each profile; lengths are in inches."""

    def __init__(self, found: Fit, figure: Figure):
        self.found, self.figure = found, figure
        self.courses = courses_of(found)
        number = max(len(self.courses), len(found.profiles), 1)
        self.columns = min(MOST_COLUMNS, number)
        self.rows = -(-len(self.courses) // self.columns)
        self.low = -(-len(found.profiles) // self.columns)

    def draw(self) -> None:
        """Everything, from the outside in."""
        width = LEFT + self.columns * (WIDTH + GAP) - GAP + 2 * EDGE
        width = max(width, 5.5)
        captions = [c for text in self._captions() for c in textwrap.wrap(text, int(width * 16))]
        title = textwrap.wrap(f"{self.found.problem.name}: fit", int(width * 11))
        self.head = EDGE + (len(title) + 1) * TITLE_LINE
        foot = SMALL_LINE * len(captions) + EDGE
        body = self.rows * self._step() + self.low * (ABOVE + PROFILE + BELOW)
        self.size = (width, self.head + body + foot)
        self.figure.set_size_inches(*self.size)
        write_around(self.figure, title, self._subtitle(), captions)
        for number, (name, courses) in enumerate(self.courses.items()):
            self._series(number, self.found.problem.targets[name], courses)
        for number, (name, profile) in enumerate(self.found.profiles.items()):
            self._profile(number, name, profile)

    def _step(self) -> float:
        return ABOVE + HEIGHT + SEAM + REST + BELOW

    def _subtitle(self) -> str:
        objective = self.found.after.objective
        return f"sum of squares {self.found.before.objective:.4g} before, {objective:.4g} after"

    def _captions(self) -> Iterator[str]:
        if self.courses:
            yield "Points: readings, one standard deviation. Dashed: before the fit; lines: after."
            yield "Below: residuals after the fit, in standard deviations; shade: within two."
        if self.found.profiles:
            yield "Profiles: rise of the sum of squares, all others fitted anew; dotted: 95 %."
        if self.found.problem.rows:
            yield f"Not shown: {len(self.found.problem.rows)} published numbers."

    def _axes(self, number: int, top: float, height: float) -> Axes:
        """Axes in the column of a cell, from `top` inches below the upper edge."""
        width, whole = self.size
        left = LEFT + EDGE + (number % self.columns) * (WIDTH + GAP)
        place: _Place = (left / width, 1 - (top + height) / whole, WIDTH / width, height / whole)
        return self.figure.add_axes(place)

    def _series(self, number: int, target: Target, courses: Sequence[Course]) -> None:
        top = self.head + (number // self.columns) * self._step() + ABOVE
        axes = self._axes(number, top, HEIGHT)
        below = self._axes(number, top + HEIGHT + SEAM, REST)
        result = self.found.after.series[target.series.id]
        for course, style in zip(courses, _styles(courses), strict=True):
            label = _label(course, target) if len(courses) > 1 else ""
            _draw_course(axes, course, target, style, label)
            below.plot(
                _shift(course, _measured_x(course, target)), result.residuals[course.chosen],
                linestyle="", marker=style.marker, markersize=3, color=style.colour,
            )  # fmt: skip
        _scale(axes, courses, target)
        _scale_residuals(below, result.residuals)
        for one in (axes, below):
            scale_x(one, _across(courses))
        axes.tick_params(labelbottom=False)
        _name(axes, target.series.id)
        axes.set_ylabel(_quantity(target), labelpad=3)
        below.set_xlabel(_x_label(courses[0], target))
        if len(courses) > 1:
            axes.legend(fontsize=6, handlelength=1.5, labelspacing=0.25)

    def _profile(self, number: int, name: str, profile: Profile) -> None:
        top = self.head + self.rows * self._step() + ABOVE
        top += (number // self.columns) * (ABOVE + PROFILE + BELOW)
        axes = self._axes(number, top, PROFILE)
        unit = next(item.unit for item in self.found.problem.free if item.key.text == name)
        _draw_profile(axes, profile, min(profile.objective))
        _name(axes, name)
        axes.set_xlabel(f"value ({unit_text(unit) or 'unit not stated'})")
        axes.set_ylabel("rise", labelpad=3)


def _styles(courses: Sequence[Course]) -> list[Style]:
    if len(courses) == 1:
        return [_ALONE]
    return list(ramp([str(number) for number in range(len(courses))]).values())


def _name(axes: Axes, text: str) -> None:
    axes.annotate(
        textwrap.shorten(text, 46), (0, 1), (0, 4), xycoords="axes fraction",
        textcoords="offset points", size=7.5, weight="bold",
    )  # fmt: skip


def _quantity(target: Target) -> str:
    unit = unit_text(target.records.value.unit)
    return "\n".join(textwrap.wrap(f"{target.series.output} ({unit})", 28))


def _x_label(course: Course, target: Target) -> str:
    field = target.records.dose if course.over == "dose" else target.records.time
    return f"{course.over} ({unit_text(field.unit if field else '')})"


def _label(course: Course, target: Target) -> str:
    """The dose of a time course, the time of a dose-response."""
    field = target.records.time if course.over == "dose" else target.records.dose
    number = number_text(course.at or 0.0)
    return f"{number} {unit_text(field.unit)}" if field else number


def _measured_x(course: Course, target: Target) -> np.ndarray:
    points = [target.measured[place] for place in course.chosen]
    return np.array([getattr(point, course.over) for point in points], dtype=float)


def _shift(course: Course, x: np.ndarray) -> np.ndarray:
    """The places on the axis: dose zero stands a little below the lowest dose."""
    control = _across([course]).control if course.over == "dose" else None
    return x if control is None else np.where(x > 0, x, control)


def _across(courses: Sequence[Course]) -> Across:
    """The axis of the readings: doses on a log scale, or times."""
    places = np.unique(np.concatenate([course.x for course in courses]))
    if courses[0].over == "dose" and places[-1] > 0:
        return dose_axis(places, "")
    end = float(places[-1]) or 1.0
    return Across("", (-0.02 * end, 1.03 * end))


def _draw_course(axes: Axes, course: Course, target: Target, style: Style, label: str) -> None:
    points = [target.measured[place] for place in course.chosen]
    line = course.x > 0 if course.over == "dose" else np.ones(len(course.x), dtype=bool)
    shown: dict[str, Any] = {"color": style.colour, "linewidth": 1.4, "zorder": 3}
    axes.plot(course.x[line], course.before[line], color=GREY, linewidth=0.9, dashes=(4, 2))
    axes.plot(course.x[line], course.after[line], label=label, **shown)
    axes.errorbar(
        _shift(course, _measured_x(course, target)), [point.value for point in points],
        [point.sd for point in points], linestyle="", marker=style.marker, markersize=3.6,
        color=style.colour, elinewidth=0.8, capsize=1.8, zorder=4, markeredgecolor="white",
        markeredgewidth=0.4,
    )  # fmt: skip


def _scale(axes: Axes, courses: Sequence[Course], target: Target) -> None:
    measured = np.array([point.value for point in target.measured])
    errors = np.array([point.sd for point in target.measured])
    lines = [line for course in courses for line in (course.before, course.after)]
    log = needs_log([*lines, measured], courses[0].over == "dose")
    values = [*lines, measured, measured + errors]
    span = logarithmic(values) if log else linear([*values, measured - errors])
    scale_numbers(axes, log, span)


def _scale_residuals(axes: Axes, residuals: np.ndarray) -> None:
    most = max(3.0, 1.15 * float(np.abs(residuals).max()))
    scale_numbers(axes, False, (-most, most))
    axes.axhspan(-_SPREAD, _SPREAD, color="0.93", zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set_yticks([-_SPREAD, 0, _SPREAD])
    axes.set_ylabel("residual", labelpad=3)


def _draw_profile(axes: Axes, profile: Profile, least: float) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    values, rise = np.array(profile.values), np.array(profile.objective) - least
    axes.plot(values, rise, marker="o", markersize=2.5, linewidth=1.2, color=_ALONE.colour)
    axes.axhline(profile.threshold, color=GREY, linewidth=0.9, linestyle=":")
    best = values[int(np.argmin(rise))]
    axes.axvline(best, color=GREY, linewidth=0.6)
    low, high = profile.interval
    axes.axvspan(low or values[0], high or values[-1], color="0.93", zorder=0)
    axes.set_xscale("log")
    axes.set_ylim(-0.05 * profile.threshold, 1.6 * profile.threshold)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x)))
    if values[-1] < 20 * values[0]:
        ends = [value for value in (low, best, high) if value is not None]
        axes.set_xticks([float(value) for value in ends])
