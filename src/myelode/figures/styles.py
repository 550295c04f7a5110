"""How figures look: one palette, units in print, time in the unit that people use, when to go log.

Colours are Okabe and Ito's without black and yellow (J*FLY data depository, 2008): black is the
reference, and yellow is lost on white. Dashes and markers tell apart what looks alike in grey.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.units import factor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Dashes = tuple[float, ...]

_COLOURS = ("#0072B2", "#D55E00", "#56B4E9", "#009E73", "#E69F00", "#CC79A7")
_DASHES: tuple[Dashes, ...] = (
    (), (5, 1.6), (6, 1.5, 1.2, 1.5), (1.2, 1.2), (10, 2), (6, 1.5, 1.2, 1.5, 1.2, 1.5),
)  # fmt: skip
# Neighbours in this order share a dash only where their greys lie far apart.
_DASH_OF_COLOUR = (0, 1, 0, 2, 1, 2)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8", "H")
_ALMOST_EMPTY = 0.02
_PEAKS_APART = 30.0
_NOTHING = 1e-6
# Below this share of the largest value there is rounding only.
_ROUNDING = 1e-12
# What changes by less than this share is shown as what it is: constant.
_FLAT = 0.02
_DEEPEST = 1e-8
_BELOW_PEAKS = 1e-2
_MICRO = re.compile(r"\bu(?=(?:mol|M|L|g|m|s)\b)")
_POWER = re.compile(r"(?:\^|\*\*)(-?\d+)")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Unit, length in hours, and the distances between ticks that read well in it.
_CLOCKS: tuple[tuple[str, float, tuple[float, ...]], ...] = (
    ("s", 1 / 3600, (1, 2, 5, 10, 15, 20, 30)),
    ("min", 1 / 60, (1, 2, 5, 10, 15, 20, 30)),
    ("h", 1.0, (0.5, 1, 2, 3, 4, 6, 8, 12, 24)),
    ("days", 24.0, (0.5, 1, 2, 3, 4, 5, 7, 14, 21, 28)),
    ("weeks", 168.0, (1, 2, 4, 8, 12, 26)),
    ("years", 8766.0, (0.5, 1, 2, 5, 10)),
)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST_TICKS = 7
_LONGEST = {"s": 150, "min": 150, "h": 120, "days": 100, "weeks": 260}


@dataclass(frozen=True)
class Style:
    """How the curves of one perturbation are drawn."""

    colour: str
    dashes: Dashes
    marker: str
    width: float = 1.4
    level: float = 3.0

    @property
    def line(self) -> Any:
        """The dashes as matplotlib wants them."""
        return (0, self.dashes) if self.dashes else "-"


REFERENCE = Style("#000000", (), "o", width=2.4, level=2.0)


@dataclass(frozen=True)
class Clock:
    """A unit of time for an axis: its name, its length in the model's unit, and its ticks."""

    unit: str
    length: float
    ticks: tuple[float, ...]


def styles(names: Sequence[str], reference: str | None) -> dict[str, Style]:
    """A style for every name; the reference is black, and broad below the others."""
    others = [name for name in names if name != reference]
    found = {name: _style(number) for number, name in enumerate(others)}
    black = REFERENCE if others else replace(REFERENCE, width=Style.width)
    return {name: found.get(name, black) for name in names}


def _style(number: int) -> Style:
    place, turn = number % len(_COLOURS), number // len(_COLOURS)
    dashes = _DASHES[(_DASH_OF_COLOUR[place] + 3 * turn) % len(_DASHES)]
    return Style(_COLOURS[place], dashes, _MARKERS[number % len(_MARKERS)])


def unit_text(unit: str) -> str:
    """A unit in print: ``umol/L*h`` becomes µmol/L·h, ``L^2`` becomes L²."""
    text = _MICRO.sub("µ", unit.strip())
    text = _POWER.sub(lambda match: match[1].translate(_SUPERSCRIPTS), text)
    text = text.replace("*", "·").replace("item", "items")
    return text if text != "1" else "dimensionless"


def quantity_text(attrs: Mapping[Any, Any], fallback: str) -> str:
    """What an axis shows and in which unit, as ``long name (unit)``."""
    name = str(attrs.get("long_name") or fallback)
    unit = unit_text(str(attrs.get("units") or ""))
    return f"{name} ({unit})" if unit else f"{name} (unit not stated)"


def number_text(value: float) -> str:
    """A short number: 0.25, 1000, 2×10⁻⁵."""
    mantissa, exponent, power = f"{value:.4g}".partition("e")
    if not exponent:
        return mantissa
    ten = "10" + str(int(power)).translate(_SUPERSCRIPTS)
    return ten if mantissa == "1" else f"{mantissa}×{ten}"


def clock(end: float, unit: str) -> Clock:
    """The unit in which a run of that length is read, with its ticks."""
    hours = _in_hours(unit)
    if hours is None:
        return Clock(unit_text(unit) if unit else "model units", 1.0, ())
    name, length, steps = _fitting_clock(end * hours)
    last = end * hours / length
    step = next((step for step in steps if last / step <= _MOST_TICKS), None)
    ticks = () if step is None else tuple(np.arange(0, last * (1 + 1e-9), step).tolist())
    return Clock(name, length / hours, ticks)


def _in_hours(unit: str) -> float | None:
    try:
        return factor(unit, "h") if unit else None
    except ScenarioError:
        return None


def _fitting_clock(hours: float) -> tuple[str, float, tuple[float, ...]]:
    for name, length, steps in _CLOCKS[:-1]:
        if hours / length <= _LONGEST[name]:
            return name, length, steps
    return _CLOCKS[-1]


def month_ticks(end: float) -> list[float]:
    """Months from zero to the end at which an axis has ticks."""
    step = next((step for step in _MONTH_STEPS if end / step <= _MOST_TICKS), _MONTH_STEPS[-1])
    return [float(tick) for tick in np.arange(0, end * (1 + 1e-9), step)]


def needs_log(curves: Iterable[np.ndarray], over_dose: bool = False) -> bool:
    """Whether a linear axis would hide something: curves whose peaks lie far apart.

    Over doses also a response that is almost nothing at half of the doses and more. What is
    negative (beyond the integrator's error), or zero throughout, never asks for a log axis.
    """
    known = [curve[np.isfinite(curve)] for curve in curves]
    peaks = _peaks(known)
    if not peaks or any((curve < -_NOTHING * max(peaks)).any() for curve in known):
        return False
    values = np.concatenate([curve[curve > 0] for curve in known])
    empty = over_dose and float(np.median(values)) < _ALMOST_EMPTY * max(peaks)
    return max(peaks) > _PEAKS_APART * min(peaks) or empty


def _peaks(curves: Iterable[np.ndarray]) -> list[float]:
    """The highest values, without those that are zero but for rounding."""
    peaks = [float(curve.max()) for curve in curves if curve.size]
    return [peak for peak in peaks if peak > _ROUNDING * max(0.0, *peaks)]


def linear_limits(curves: Iterable[np.ndarray]) -> tuple[float, float]:
    """The range of a linear axis: from zero unless the curves stay in the upper half of it."""
    known = np.concatenate([curve[np.isfinite(curve)] for curve in curves] or [np.zeros(0)])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    flat = high >= 0 and high - low <= _FLAT * abs(high)
    if -_NOTHING * high <= low < 0.5 * high or flat:
        low = 0.0
    margin = 0.06 * (high - low) or 0.5
    return (0.0 if low == 0 else low - margin), high + margin


def log_limits(curves: Iterable[np.ndarray], over_dose: bool = False) -> tuple[float, float]:
    """The range of a log axis; over time it ends two decades below the lowest peak."""
    known = [curve[np.isfinite(curve) & (curve > 0)] for curve in curves]
    peaks = _peaks(known)
    lowest = min(float(x) for curve in known for x in curve if x > _ROUNDING * max(peaks))
    floor = max(peaks) * _DEEPEST if over_dose else min(peaks) * _BELOW_PEAKS
    low = max(lowest, floor)
    return 10 ** (math.floor(10 * math.log10(low) - 0.5) / 10), max(peaks) * 1.6


def log_ticks(low: float, high: float) -> list[float]:
    """Decades within the limits, thinned to seven; 1, 2 and 5 where the range is short.

    Where it is so narrow that fewer than three of these are within, ticks are even steps.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = [10.0**power for power in decades if low <= 10.0**power <= high * (1 + 1e-9)]
    if len(inside) >= 3:
        return inside[:: math.ceil(len(inside) / _MOST_TICKS)]
    finer = [digit * 10.0**power for power in decades for digit in (1, 2, 5)]
    within = [tick for tick in finer if low <= tick <= high * (1 + 1e-9)]
    return within if len(within) >= 3 else _even_ticks(low, high) or within


def _even_ticks(low: float, high: float) -> list[float]:
    """Three ticks and more at the widest of steps 1, 2 and 5; none where nothing is between."""
    if high - low <= _ROUNDING * high:
        return []
    power = math.floor(math.log10(high - low))
    steps = (digit * 10.0**exponent for exponent in (power, power - 1) for digit in (5, 2, 1))
    counts = ((math.ceil(low / step), math.floor(high / step * (1 + 1e-9)), step) for step in steps)
    first, last, step = next((f, n, step) for f, n, step in counts if n - f >= 2)
    return [number * step for number in range(first, last + 1)]


def scale_numbers(axes: Axes, log: bool, span: tuple[float, float]) -> None:
    """The vertical axis from one end of `span` to the other, with a few numbers beside it."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_yscale("log" if log else "linear")
    axes.set_ylim(span)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(
        FixedLocator(log_ticks(*span)) if log else MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number_text(y)))


def look() -> AbstractContextManager[Any]:
    """matplotlib's own defaults with ours on top, whatever the user's settings, while it lasts."""
    from matplotlib import style

    return style.context(["default", _RC], after_reset=True)


_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.dpi": 160,
    "savefig.dpi": "figure",
    "svg.hashsalt": "myelode",
    "pdf.fonttype": 42,
}


def ramp(names: Sequence[str]) -> dict[str, Style]:
    """Styles from dark to light for names that stand for increasing doses."""
    from matplotlib import colormaps, colors

    shades = colormaps["cividis"](np.linspace(0.0, 0.88, len(names)))
    return {
        name: Style(colors.to_hex(shade), (), _MARKERS[number % len(_MARKERS)])
        for number, (name, shade) in enumerate(zip(names, shades, strict=True))
    }
