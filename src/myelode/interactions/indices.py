"""What two agents do together against what was to be expected: the arithmetic, and nothing else.

Effects are what is gone: one minus the share left of cells, of growth, of whatever is counted.
Arguments are numbers or arrays of one shape, labelled or not; NaN stays NaN.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import xarray as xr

Shares = TypeVar("Shares", np.ndarray, xr.DataArray)


def bliss_excess(first: Shares, second: Shares, both: Shares) -> Shares:
    """Effect beyond independence, from shares left: ``(1 - both) - (1 - first * second)``."""
    excess: Shares = first * second - both
    return excess


def hsa_excess(first: Shares, second: Shares, both: Shares) -> Shares:
    """Effect beyond that of the better single agent, from shares left."""
    # Infinity has no place among shares, so a minimum that spreads NaN is right.
    better: Any = np.minimum(first, second)
    excess: Shares = better - both
    return excess


def combination_index(
    dose: np.ndarray, dose2: np.ndarray, alone: np.ndarray, alone2: np.ndarray
) -> np.ndarray:
    """Chou and Talalay's index: what both doses are of those that do the same alone, summed.

    `alone` and `alone2` are the doses of each agent by itself with the effect of both together.
    1 is additivity, below it less is needed. A dose that no amount of an agent replaces is
    infinite, and its term is the limit: none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = _term(dose, alone) + _term(dose2, alone2)
    return found


def _term(dose: np.ndarray, alone: np.ndarray) -> np.ndarray:
    return np.where(dose == 0, np.where(np.isnan(alone), np.nan, 0.0), dose / alone)
