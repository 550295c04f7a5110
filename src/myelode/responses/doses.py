"""Dose-response curves of a result: where half of a response or effect is lost, and what to say.

A number without its definition, its time of reading and the range of the ladder says little, so
all three go with it, and a flag where there is no ordinary number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.lookups import first_of
from myelode.metrics import greatest_effect, half_effect_dose, half_maximal_dose
from myelode.units import factor

DEFINITIONS: Mapping[str, str] = {
    "ic50": "dose at which the response first falls to half of that without drug",
    "ec50": "dose at which half of the effect that the ladder reaches is first there",
    "emax": "1 - lowest response over that without drug",
}
_CURVES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ic50": half_maximal_dose, "ec50": half_effect_dose, "emax": greatest_effect,
}  # fmt: skip
_LEAST_DOSES = 4
_PREFIXES = (("M", 1.0), ("mM", 1e-3), ("uM", 1e-6), ("nM", 1e-9), ("pM", 1e-12))
NO_EFFECT, NO_CONTROL, NO_NUMBER = "no effect", "no response without drug", "no number"


def over_doses(read: xr.DataArray, take: str) -> tuple[xr.Variable, xr.Variable]:
    """Number and flag of a response that was read at one time, without its ``dose``.

    Raises ScenarioError where there is no ladder, or one that is too short or lacks dose zero.
    """
    if "dose" not in read.dims:
        raise ScenarioError(f"take: {take} needs a dose ladder under design")
    doses, unit = read["dose"].values, str(read["dose"].attrs.get("units", ""))
    if doses[0] != 0 or len(doses) < _LEAST_DOSES:
        raise ScenarioError(f"take: {take} needs a ladder with dose zero and three doses or more")
    curves = read.variable.transpose(..., "dose")
    numbers = _CURVES[take](curves.values, doses)
    lowest, highest = dose_text(doses[1], unit), dose_text(doses[-1], unit)
    flags = _flags(take, numbers, curves.values, lowest, highest)
    attributes = {
        "units": "dimensionless" if take == "emax" else unit,
        "definition": DEFINITIONS[take],
        "doses": f"{lowest} to {highest}",
    }
    dims = curves.dims[:-1]
    return xr.Variable(dims, numbers, attributes), xr.Variable(dims, flags)


def dose_text(dose: float, unit: str) -> str:
    """``10 nM``: a dose as one would write it."""
    if dose == 0:
        return f"0 {unit}".strip()
    try:
        molar = dose * factor(unit, "mol/L")
    except ScenarioError:
        return f"{dose:.4g} {unit}".strip()
    fitting = ((name, size) for name, size in _PREFIXES if molar >= size * (1 - 1e-9))
    name, size = next(fitting, _PREFIXES[-1])
    return f"{molar / size:.4g} {name}"


def _flags(
    take: str, numbers: np.ndarray, responses: np.ndarray, lowest: str, highest: str
) -> np.ndarray:
    """Why numbers are none, or lie beyond the ladder; empty where all is well."""
    beyond = take != "emax"
    cases = [
        (~np.isfinite(responses).all(axis=-1), NO_NUMBER),
        (np.isnan(numbers), NO_EFFECT if take == "ec50" else NO_CONTROL),
        (beyond & (numbers == 0), f"below the lowest dose ({lowest})"),
        (beyond & np.isinf(numbers), f"not reached up to {highest}"),
    ]
    return first_of(cases, "")
