"""What of an analysis of sensitivity is shown: which indices are bars, and what stands on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UP, DOWN, SECOND = "#D55E00", "#0072B2", "#56B4E9"


@dataclass(frozen=True)
class Series:
    """Bars of one index: where it is, where its interval is, and how it looks."""

    index: str
    label: str
    colour: str
    half_width: str = ""
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Kind:
    """How the numbers of one method are shown."""

    series: tuple[Series, ...]
    across: str
    dots: tuple[str, str] | None = None
    line: tuple[str, str] | None = None
    is_signed: bool = False


_TORNADO = (Series("elasticity", "", UP),)
_SOBOL = (
    Series("ST", "total (ST): stays if all others are known", DOWN, "ST_conf"),
    Series("S1", "alone (S1): goes if it is known", SECOND, "S1_conf"),
)
KINDS: Mapping[str, Kind] = {
    "elasticities": Kind(_TORNADO, "d ln(endpoint) / d ln(parameter)", is_signed=True),
    "sobol": Kind(_SOBOL, "share of the variance"),
    "morris": Kind(
        (Series("mu_star", "mean size of the effect (µ*)", DOWN, "mu_star_conf"),),
        "change over the parameter's range",
        dots=("sigma", "its standard deviation (σ): interactions and bends"),
    ),
    "pawn": Kind(
        (Series("median", "median of the slices", DOWN, ends=("minimum", "maximum")),),
        "distance between distributions (PAWN)",
        line=("noise", "95 % of parameters that do nothing stay below"),
    ),
    "rbd": Kind((Series("S1", "alone (S1): goes if it is known", DOWN, "S1_conf"),),
                 "share of the variance"),
}  # fmt: skip
