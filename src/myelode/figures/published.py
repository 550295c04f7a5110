"""What a trial published, drawn where the same number of its imitation stands.

Trials state many measures; these have a place in a figure of responses: ``ORR``, ``PFS_median`` and
``PFS_at_N_months``. Of a measure with several data cut-offs the first that was reached is drawn.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from myelode.units import factor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATE, MEDIAN = "ORR", "PFS_median"
LANDMARK = re.compile(r"PFS_at_(\d+(?:\.\d+)?)_months?")
NOTE = (
    "Diamonds: published progression-free survival, its median or at a landmark, with its "
    "interval. Thick lines in the bars: to their right, the published share of responders."
)


@dataclass(frozen=True)
class Interval:
    """A published number, with the ends of its interval where they were published."""

    value: float
    low: float | None
    high: float | None

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends; the number itself for one that is not known."""
        low, high = (self.value if end is None else end for end in (self.low, self.high))
        return low, high

    def text(self) -> str:
        """As a share: ``32 % (22 to 44 %)``."""
        share = f"{100 * self.value:.0f} %"
        if self.low is None or self.high is None:
            return share
        return f"{share} ({100 * self.low:.0f} to {100 * self.high:.0f} %)"


@dataclass(frozen=True)
class Published:
    """What one arm of a trial reported: months to the median, shares by month, responders."""

    name: str
    rate: Interval | None = None
    median: Interval | None = None
    landmarks: tuple[tuple[float, Interval], ...] = ()

    @property
    def rate_text(self) -> str:
        """A line of its own below a computed response rate."""
        return f"\n{self.name}: {self.rate.text()}" if self.rate else ""


def published_of(point: xr.Dataset) -> Published | None:
    """What the one trial arm reported that a perturbation in an arm imitates."""
    if str(point["perturbation"].values) != point.attrs["reference"]:
        return None
    arms = json.loads(str(point.attrs.get("published", "[]")))
    if "arm" in point.coords:
        arms = [arm for arm in arms if str(point["arm"].values) in arm["imitated_by"]]
    return _published(arms[0]) if len(arms) == 1 else None


def _published(arm: Mapping[str, Any]) -> Published:
    rows = arm["numbers"]
    landmarks: dict[float, Interval] = {}
    for row in rows:
        if found := LANDMARK.fullmatch(row["measure"]):
            landmarks.setdefault(float(found[1]), _interval(row, "1"))
    return Published(
        f"{arm['trial']} {arm['arm']}".replace("_", " "),
        _first(rows, RATE, "1"),
        _first(rows, MEDIAN, "month"),
        tuple(landmarks.items()),
    )


def _first(rows: Iterable[Mapping[str, Any]], measure: str, unit: str) -> Interval | None:
    """The first number of a measure that was reached, or else the first."""
    found = [_interval(row, unit) for row in rows if row["measure"] == measure]
    reached = [interval for interval in found if math.isfinite(interval.value)]
    return next(iter([*reached, *found]), None)


def _interval(row: Mapping[str, Any], unit: str) -> Interval:
    size = factor(row["unit"], unit)
    value, low, high = (
        None if row[key] is None else size * float(row[key]) for key in ("value", "low", "high")
    )
    assert value is not None
    return Interval(value, low, high)


def published_note(attrs: Mapping[Any, Any]) -> Iterator[str]:
    """What the caption says of published numbers, where there are any."""
    if "published" in attrs:
        yield NOTE


def mark_survival(axes: Axes, published: Published, colour: str, end: float) -> None:
    """Diamonds with their intervals on a survival curve that ends after so many months."""
    if published.median is not None:
        low, high = (min(month, end) for month in published.median.ends)
        axes.plot([low, high], [0.5, 0.5], color=colour, linewidth=1.2, zorder=5)
        reached = published.median.value <= end
        axes.plot(
            [min(published.median.value, end)], [0.5], marker="D" if reached else ">",
            markersize=5, markerfacecolor="white", color=colour, zorder=6, clip_on=False,
        )  # fmt: skip
    for month, share in published.landmarks:
        if month <= end:
            axes.plot([month, month], share.ends, color=colour, linewidth=1.2, zorder=5)
            axes.plot(
                [month], [share.value], marker="D", markersize=5, markerfacecolor="white",
                color=colour, zorder=6,
            )  # fmt: skip


def mark_responders(axes: Axes, published: Published, patients: int) -> None:
    """A line on a waterfall of so many patients, the published share of responders right of it."""
    if published.rate is None:
        return
    low, high = (patients * (1 - share) - 0.5 for share in published.rate.ends)
    axes.axvspan(high, low, color="black", alpha=0.1, linewidth=0, zorder=0)
    axes.axvline(patients * (1 - published.rate.value) - 0.5, color="black", linewidth=1.6)
