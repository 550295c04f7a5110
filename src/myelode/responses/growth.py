"""Growth-rate inhibition: what a drug does per division, whatever the length of the assay.

From the counts at the time of the dose, and of treated and untreated cells at the time of reading:
``GR = 2 ** (log2(treated / before) / log2(untreated / before)) - 1``. One is no effect, zero no net
growth, and below zero cells are lost.
Source: Hafner et al. 2016, Nat Methods 13:521, doi:10.1038/nmeth.3853.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from myelode.half_crossings import half_crossing
from myelode.responses.curves import mean_over_log_dose

LEAST_DOUBLINGS = 0.1
"""Doublings of untreated cells below which a growth rate is next to nothing to divide by."""
DEFINITIONS: Mapping[str, str] = {
    "gr50": "dose at which GR first falls to one half",
    "grmax": "GR at the highest dose",
    "gr_aoc": "mean over log dose, from the lowest to the highest, of 1 - GR",
}


@dataclass(frozen=True)
class Growth:
    """Numbers of a GR curve, as `DEFINITIONS` defines them; NaN, with the reason, where none."""

    gr50: float = math.nan
    grmax: float = math.nan
    gr_aoc: float = math.nan
    reason: str = ""


def growth_rate_inhibition(counts: np.ndarray, untreated: float, before: float) -> np.ndarray:
    """GR at each of the counts of treated cells; -1 where none is left."""
    with np.errstate(divide="ignore"):
        rate = np.log2(counts / before) / np.log2(untreated / before)
    return np.asarray(2.0**rate - 1.0)


def growth_of(counts: np.ndarray, doses: np.ndarray, before: float) -> Growth:
    """GR50, GRmax and GR_AOC of counts over doses that start with zero and increase.

    `before` is the count at the time of the dose.
    """
    if not (np.isfinite(counts).all() and before > 0 and counts[0] > 0):
        return Growth(reason="counts are not known, or none is there before the dose")
    doublings = math.log2(counts[0] / before)
    if doublings < LEAST_DOUBLINGS:
        said = f"untreated cells double {doublings:.2g} times"
        return Growth(reason=f"{said}: a growth rate has no meaning below {LEAST_DOUBLINGS:g}")
    inhibition = growth_rate_inhibition(np.maximum(counts[1:], 0.0), counts[0], before)
    half, _ = half_crossing(inhibition, doses[1:])
    area = mean_over_log_dose(1.0 - inhibition, doses[1:])
    return Growth(float(half), float(inhibition[-1]), area)
