"""Colours of sweeps: a scale for numbers, one for each class, and grounds for what is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.figures.styles import log_ticks, needs_log, number_text, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

SHADES, DIVERGING = "cividis", "RdBu_r"
WIDE, LOW = 30.0, 0.2
"""How far positive numbers lie apart, and where their median is, if their scale is logarithmic."""
FOLD, FURTHEST, LEAST_SPAN = "fold", 100.0, 4.0
KNOWN: Mapping[str, str] = {
    "sensitive": "#56B4E9", "reduced": "#E69F00", "resistant": "#D55E00", "undetermined": "#9a9a9a",
}  # fmt: skip
"""Colours of outcomes; other classes take those of lines."""
FAILED, MISSING, NEVER, NOTHING = "failed", "not computed yet", "never reached", "no value"
GROUNDS: Mapping[str, Mapping[str, Any]] = {
    FAILED: {"facecolor": "white", "edgecolor": "#b2182b", "hatch": "xxxxx"},
    MISSING: {"facecolor": "white", "edgecolor": "#8a8a8a", "hatch": "....."},
    NEVER: {"facecolor": "#2b2b2b", "edgecolor": "#2b2b2b"},
    NOTHING: {"facecolor": "#e4e4e4", "edgecolor": "#a8a8a8", "hatch": "/////"},
}
"""What stands where there is no number."""


@dataclass(frozen=True)
class Scale:
    """The colours of numbers from `low` to `high`."""

    shades: str
    low: float
    high: float
    is_log: bool

    @property
    def norm(self) -> Normalize:
        """From numbers to places on the scale."""
        from matplotlib.colors import LogNorm, Normalize

        return (LogNorm if self.is_log else Normalize)(self.low, self.high, clip=True)

    def draw(self, axes: Axes) -> None:
        """The scale itself."""
        from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

        spread = np.geomspace if self.is_log else np.linspace
        edges = spread(self.low, self.high, 257)
        middle = np.sqrt(edges[1:] * edges[:-1]) if self.is_log else 0.5 * (edges[1:] + edges[:-1])
        axes.pcolormesh([0, 1], edges, middle[:, None], cmap=self.shades, norm=self.norm)
        axes.set_yscale("log" if self.is_log else "linear")
        axes.set_ylim(self.low, self.high)
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        even, decades = MaxNLocator(5, steps=[1, 2, 5, 10]), log_ticks(self.low, self.high)
        axes.yaxis.set_major_locator(FixedLocator(decades) if self.is_log else even)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda value, _: number_text(float(value)))
        axes.spines[:].set_visible(False)


def scale_of(name: str, values: Iterable[np.ndarray]) -> Scale:
    """The scale for the values of an endpoint; folds are white at 1."""
    known = [array[np.isfinite(array)] for array in values]
    together = np.concatenate(known) if known else np.zeros(0)
    if not together.size:
        return Scale(SHADES, 0.0, 1.0, is_log=False)
    low, high = float(together.min()), float(together.max())
    if name == FOLD and low > 0:
        span = min(max(high, 1 / low, LEAST_SPAN), FURTHEST)
        return Scale(DIVERGING, 1 / span, span, is_log=True)
    is_wide = low > 0 and high > WIDE * low and float(np.median(together)) < LOW * high
    if needs_log(known) or is_wide:
        return Scale(SHADES, max(low, high * 1e-6), high, is_log=True)
    margin = 0.5 * abs(high) or 0.5
    return Scale(SHADES, *((low, high) if high > low else (low - margin, high + margin)), False)


def colours_of(words: Mapping[int, str]) -> dict[int, str]:
    """A colour for each code of a verdict."""
    others = [word for word in words.values() if word not in KNOWN]
    looks = styles(others, None)
    return {code: KNOWN.get(word) or looks[word].colour for code, word in words.items()}
