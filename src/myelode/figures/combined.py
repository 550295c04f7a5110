"""Two agents together, as bars: what each leaves alone, what both leave, what was to be expected.

Bars stand below the curves of a scenario, a group for each perturbation; the number above a group
is the effect beyond Bliss independence.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.combinations import shares_left
from myelode.figures.styles import linear_limits, log_limits, needs_log, number_text, scale_numbers
from myelode.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT, ABOVE, ROW_GAP = 1.1, 0.52, 0.14
LETTER, TICK_ROOM = 0.062, 0.2
MOST_GROUPS = 24
BAR, WIDEST = 0.2, 1.5
POINTS = 72
COLOURS = ("#56B4E9", "#E69F00", "#0072B2", "none")
EDGES = ("none", "none", "none", "black")


@dataclass(frozen=True)
class Bars:
    """One combination: the shares left of each group, in the order of `names`, expected last."""

    heading: str
    label: str
    groups: tuple[str, ...]
    names: tuple[str, ...]
    shares: np.ndarray

    @property
    def excess(self) -> np.ndarray:
        """Effect beyond Bliss independence, group by group."""
        found: np.ndarray = self.shares[:, 3] - self.shares[:, 2]
        return found

    def across(self, width: float) -> float:
        """How wide the axes are where they have so much room, in inches."""
        return min(width, WIDEST * (len(self.groups) + 1))

    def upright(self, width: float) -> bool:
        """Whether the names of the groups are too long to stand beside each other."""
        return LETTER * max(map(len, self.groups)) > 0.95 * self.across(width) / len(self.groups)

    def height(self, width: float) -> float:
        """With heading and names, in inches, where there is so much room across."""
        names = LETTER * max(map(len, self.groups)) if self.upright(width) else 0.0
        return ABOVE + HEIGHT + TICK_ROOM + names + ROW_GAP


def bars_of(result: xr.Dataset, scenario: Scenario) -> tuple[Bars, ...]:
    """The combinations of a scenario; none where there are too many groups to be read."""
    found = [_bars(result, scenario, name) for name in scenario.combinations]
    return tuple(item for item in found if len(item.groups) <= MOST_GROUPS)


def draw_bars(
    figure: Figure, bars: tuple[Bars, ...], left: float, top: float, width: float
) -> None:
    """Combinations below each other, from that many inches below the upper edge."""
    whole = [float(length) for length in figure.get_size_inches()]
    for item in bars:
        bottom = whole[1] - top - ABOVE - HEIGHT
        across = item.across(width)
        place = left / whole[0], bottom / whole[1], across / whole[0], HEIGHT / whole[1]
        _draw(figure.add_axes(place), item, item.upright(width))
        top += item.height(width)


def _bars(result: xr.Dataset, scenario: Scenario, name: str) -> Bars:
    item = scenario.combinations[name]
    first, second, both = (
        data.median("sample") if "sample" in data.dims else data
        for data in shares_left(result, item)
    )
    groups = _group_names(both)
    shares = np.stack([part.values.ravel() for part in (first, second, both, first * second)])
    left = f"{item.of} over {item.untreated}" if item.untreated else item.of
    arms = (*item.single, item.together)
    names = (*(arm.replace("_", " ") for arm in arms), "expected (Bliss)")
    title = f"{item.title or name.replace('_', ' ')}, and the effect beyond Bliss independence"
    return Bars(title, f"{left.replace('_', ' ')}\n(share left)", groups, names, shares.T)


def _group_names(data: xr.DataArray) -> tuple[str, ...]:
    """The places of a quantity in words, along all dimensions with more than one."""
    several = [axis for axis in data.dims if data.sizes[axis] > 1]
    values = [[_word(value) for value in data[axis].values] for axis in several]
    return tuple(", ".join(words) for words in itertools.product(*values))


def _word(value: Any) -> str:
    return value.replace("_", " ") if isinstance(value, str) else number_text(float(value))


def _draw(axes: Axes, bars: Bars, upright: bool) -> None:
    _scale(axes, bars)
    middle = np.arange(len(bars.groups))
    for number, name in enumerate(bars.names):
        axes.bar(
            middle + BAR * (number - 1.5), bars.shares[:, number], 0.9 * BAR, label=name,
            facecolor=COLOURS[number], edgecolor=EDGES[number],
            linestyle=(0, (2, 1)), linewidth=0.9,
        )  # fmt: skip
    axes.set_xlim(-0.6, len(bars.groups) - 0.4)
    axes.set_xticks(middle, bars.groups, rotation=90 if upright else 0)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel(bars.label)
    for place, excess in enumerate(bars.excess):
        _write_above(axes, excess_text(excess), place)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1 + 0.16 / HEIGHT), ncols=len(bars.names),
        borderaxespad=0, borderpad=0, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    axes.annotate(
        bars.heading, (0, 1), (0, POINTS * 0.33), xycoords="axes fraction",
        textcoords="offset points", size=8, weight="bold",
    )  # fmt: skip


def _scale(axes: Axes, bars: Bars) -> None:
    shares = list(bars.shares.T)
    log = needs_log(shares)
    span = log_limits(shares) if log else (0.0, max(1.05, linear_limits(shares)[1]))
    scale_numbers(axes, log, span)


def _write_above(axes: Axes, text: str, place: float) -> None:
    axes.annotate(
        text, (place, 1), (0, 2), xycoords=("data", "axes fraction"),
        textcoords="offset points", size=6.5, ha="center",
    )  # fmt: skip


def excess_text(excess: float) -> str:
    """A difference of shares with its sign: +0.12, −0.03, 0, or – where there is none."""
    if not np.isfinite(excess):
        return "–"
    return f"{excess:+.2f}".replace("-", "−") if abs(excess) >= 0.005 else "0"
