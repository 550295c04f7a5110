"""One panel of a figure: its curves, its two axes, and what happens in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.figures.events import Event
from myelode.figures.styles import (
    Style,
    linear_limits,
    log_limits,
    needs_log,
    number_text,
    scale_numbers,
)
from myelode.metrics import extreme_response

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

EVENT_SIZE = 6.5
TICK = 0.05
"""The length of the mark of an event that comes again, as a share of the panel."""
BAND_SHADE = 0.15
NO_BREAK = "\u00a0"
"""A space at which no label is broken."""


Mark = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A line of one series.

    `control` is its value without drug, `marks` are points on it to be marked; a `member` is one of
    several curves of the series, drawn thin; `points` are single readings without a line; `band` is
    from where to where it may lie, of shape (2, points); `errors` are those of measured points, NaN
    where none is known.
    """

    series: str
    x: np.ndarray
    y: np.ndarray
    control: float | None = None
    marks: tuple[Mark, ...] = ()
    member: bool = False
    points: bool = False
    band: np.ndarray | None = None
    errors: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """All numbers that the panel must have room for."""
        control = [] if self.control is None else [self.control]
        edges = np.empty(0) if self.band is None else self.band.ravel()
        if self.errors is not None:
            ends = np.concatenate([self.y - self.errors, self.y + self.errors])
            edges = ends[np.isfinite(ends) & (ends > 0)]
        return np.concatenate([self.y, control, edges])


@dataclass(frozen=True)
class Panel:
    """What is on the y axis, the curves, and the events along the x axis.

    `log` asks for a log axis, whatever the curves.
    """

    label: str
    curves: tuple[Curve, ...]
    heading: str = ""
    events: tuple[Event, ...] = ()
    log: bool = False


@dataclass(frozen=True)
class Across:
    """The x axis that all panels share; `control` is where dose zero stands on a log axis."""

    label: str
    limits: tuple[float, float]
    ticks: tuple[float, ...] = ()
    log: bool = False
    control: float | None = None


def draw_panel(
    axes: Axes,
    panel: Panel,
    across: Across,
    styles: Mapping[str, Style],
    scaled_to: Sequence[np.ndarray],
    markers: bool,
) -> None:
    """Curves and events of a panel, on axes scaled to the values in `scaled_to`."""
    _scale_and_break_x(axes, across)
    _scale_y(axes, scaled_to, across.log, panel.log)
    # The markers of lines would be taken for readings.
    markers = markers and all(curve.errors is None for curve in panel.curves)
    for number, curve in enumerate(panel.curves):
        _draw_curve(axes, curve, across, styles[curve.series], _markers(across, number, markers))
    _draw_events(axes, panel.events)


def half_mark(found: xr.DataArray, responses: np.ndarray) -> Mark | None:
    """Where an endpoint with the attribute ``take`` lies on its responses; None off the ladder."""
    dose, control = float(found), float(responses[0])
    if not 0 < dose < np.inf:
        return None
    lowest = 0.0 if found.attrs["take"] == "ic50" else float(extreme_response(responses))
    return dose, 0.5 * (control + lowest)


def _draw_events(axes: Axes, events: Sequence[Event]) -> None:
    """A line where each begins, and ticks at the upper edge where it comes again, by series."""
    edge, repeated = axes.get_xaxis_transform(), [event for event in events if event.again]
    for event in events:
        shown: dict[str, Any] = {"color": "0.55" if event.certain else "0.8", "zorder": 1}
        axes.axvline(event.place, linewidth=0.7, **shown)
        if event.again:
            low = 1 - TICK * (len(repeated) - repeated.index(event))
            axes.vlines(event.again, low, low + 0.8 * TICK, linewidth=0.7, transform=edge, **shown)


def _markers(across: Across, number: int, wanted: bool) -> Any:
    """No markers, all of them on the doses, or a few along a trajectory, apart from the others'."""
    if not wanted:
        return False
    return None if across.log else (0.03 + 0.023 * (number % 9), 0.22)


def _draw_curve(axes: Axes, curve: Curve, across: Across, style: Style, every: Any) -> None:
    shown: dict[str, Any] = {"color": style.colour, "zorder": style.level}
    if curve.errors is not None:
        _draw_measured(axes, curve, style)
        return
    marked = every is not False and not curve.member
    if curve.band is not None:
        faint: dict[str, Any] = {"linewidth": 0.0, "alpha": BAND_SHADE, "zorder": style.level - 1}
        axes.fill_between(curve.x, curve.band[0], curve.band[1], color=style.colour, **faint)
        axes.plot(curve.x, curve.band.T, linewidth=0.4, **shown)
    axes.plot(
        curve.x,
        curve.y,
        linestyle="" if curve.points else style.line,
        linewidth=style.width * (0.5 if curve.member else 1.0),
        marker=style.marker if curve.points or marked else "",
        markersize=2.5 if curve.points else 3.5,
        markevery=None if curve.points else every or None,
        **shown,
    )
    hollow = {**shown, "markersize": 4, "markerfacecolor": "white", "linestyle": ""}
    if curve.control is not None and across.control is not None:
        axes.plot([across.control], [curve.control], marker=style.marker, **hollow)
    for x, y in curve.marks:
        axes.plot([x, x], [0, y], color=style.colour, linewidth=0.9, dashes=(1.5, 1.5))
    never = curve.x[np.isposinf(curve.y)]
    if never.size:
        edge = axes.get_xaxis_transform()
        axes.plot(never, np.ones_like(never), marker=6, transform=edge, clip_on=False, **hollow)


def _draw_measured(axes: Axes, curve: Curve, style: Style) -> None:
    """Measured points with a bar of one standard deviation to each side, above all lines."""
    errors = np.nan_to_num(np.asarray(curve.errors, dtype=float))
    shown: dict[str, Any] = {"color": style.colour, "zorder": style.level + 1}
    axes.errorbar(
        curve.x, curve.y, errors, linestyle="", marker=style.marker or "o", markersize=3.8,
        markeredgecolor="white", markeredgewidth=0.5, elinewidth=0.8, capsize=1.8, capthick=0.8,
        **shown,
    )  # fmt: skip


def scale_x(axes: Axes, across: Across) -> None:
    """Scale and label the x axis of a panel."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log" if across.log else "linear")
    axes.set_xlim(across.limits)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: "0" if x == across.control else number_text(x))
    )
    if across.ticks:
        axes.xaxis.set_major_locator(FixedLocator(across.ticks))


def _scale_and_break_x(axes: Axes, across: Across) -> None:
    """The same, with a gap between dose zero and the others."""
    scale_x(axes, across)
    if across.control is not None:
        _break_axis(axes, across.control, min(x for x in across.ticks if x != across.control))


def _break_axis(axes: Axes, control: float, lowest: float) -> None:
    """Two strokes through the x axis between dose zero and the lowest dose."""
    middle = float(np.sqrt(control * lowest))
    axes.plot(
        [middle, middle * (lowest / control) ** 0.06],
        [0, 0],
        linestyle="",
        marker=[(-0.5, -1), (0.5, 1)],
        markersize=6,
        color="black",
        markeredgewidth=0.7,
        clip_on=False,
        transform=axes.get_xaxis_transform(),
    )


def _scale_y(axes: Axes, curves: Sequence[np.ndarray], over_dose: bool, wanted_log: bool) -> None:
    log = needs_log(curves, over_dose) or (wanted_log and any((y > 0).any() for y in curves))
    span = log_limits(curves, over_dose) if log else linear_limits(curves)
    if over_dose and not log:
        span = min(span[0], 0.0), span[1]  # so that half of a response can be seen
    scale_numbers(axes, log, span)
