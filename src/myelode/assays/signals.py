"""The signal of an instrument: arithmetic on what it looks at, and the unit that it is read in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from myelode.assays.absorbance import OD, length_of_path, molar_coefficient, molar_factor
from myelode.assays.sections import Absorbance, Assay
from myelode.errors import ScenarioError
from myelode.expressions import evaluate_array, names_in
from myelode.regimens.steps import Quantity
from myelode.scenario import Scenario
from myelode.units import is_dimensionless, parse_unit, split_quantity, to_unit


@dataclass(frozen=True)
class Signal:
    """Arithmetic on ``x``, its unit, and the absorbance of 1 mol/L, NaN where it is none."""

    text: str
    unit: str | None
    od_per_molar: float = math.nan


def signal_of(name: str, assay: Assay, unit: str | None, scenario: Scenario) -> Signal:
    """The signal of an assay that looks at an output in `unit`.

    Raises ScenarioError with the place of a fault.
    """
    if assay.absorbance is not None:
        return _absorbed(name, assay.absorbance, unit, scenario)
    with scenario.at("assays", name, "signal"):
        require_arithmetic(assay.signal, assay.of)
    return Signal(assay.signal, assay.unit or (unit if assay.signal == "x" else "dimensionless"))


def _absorbed(name: str, law: Absorbance, unit: str | None, scenario: Scenario) -> Signal:
    """Beer and Lambert's law as arithmetic on the output in its own unit."""
    with scenario.at("assays", name, "absorbance", "coefficient"):
        coefficient = molar_coefficient(law.coefficient)
    with scenario.at("assays", name, "absorbance", "path_length"):
        per_molar = coefficient * length_of_path(law.path_length)
    with scenario.at("assays", name, "of"):
        slope = per_molar * molar_factor(unit, scenario.assays[name].of)
    return Signal(f"{law.blank!r} + {slope!r} * x", OD, per_molar)


def require_arithmetic(signal: str, what: str) -> None:
    """Refuse an expression over anything but ``x``."""
    for name in names_in(signal):
        if name != "x":
            raise ScenarioError(f"unknown name {name!r}: a signal knows only x, which is {what}")
    evaluate_array(signal, {"x": np.ones(1)})


def evaluated(signal: str, x: np.ndarray) -> np.ndarray:
    """A signal at every ``x``."""
    # In one piece of memory, so that every element takes the same path through the library.
    found = evaluate_array(signal, {"x": np.ascontiguousarray(x, dtype=float)})
    return np.array(np.broadcast_to(found, np.shape(x)))


def reading_in(value: Quantity, unit: str | None, what: str) -> float:
    """A level in the unit of a signal, which may be one that no physical unit is, such as OD.

    A bare number is in that unit if it has no dimension: 2 is 2 % of a signal in percent.
    """
    number, own = split_quantity(value)
    if own is None and unit is not None and _is_physical(unit) and is_dimensionless(unit):
        return number
    if unit is None or _is_physical(unit):
        return to_unit(value, unit, what)
    if own not in (None, unit):
        raise ScenarioError(f"{what} is in {own!r}, the signal in {unit!r}")
    return number


def _is_physical(unit: str) -> bool:
    try:
        parse_unit(unit)
    except ScenarioError:
        return False
    return True
