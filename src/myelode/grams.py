"""What is written in grams where the model has moles: a molar mass of the model stands between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.units import factor, has_mass_for_substance, split_quantity, to_unit

Values = Callable[[str], float | None]
"""The value of a constant; None where it is not known before a run."""


def is_in_grams(value: Any, unit: str | None) -> bool:
    """Whether a quantity has mass where `unit` has substance."""
    own = split_quantity(value)[1]
    return bool(own and unit and has_mass_for_substance(own, unit))


def molar_mass(constant: str, model: Model, value: Values, what: str) -> float:
    """The value of a molar mass in g/mol; `what` says who needs it."""
    mass = value(constant) or 0.0
    if mass <= 0:
        raise ScenarioError(f"{what} needs a {constant} above 0")
    return mass * factor(model.entity(constant).unit or "", "g/mol", constant)


def to_unit_of(model: Model, name: str, value: Any, known: Values) -> float:
    """A quantity for a value of the model, in its unit; grams are divided by its molar mass.

    Raises ScenarioError for grams of what has no molar mass under `molar_masses` of the model.
    """
    unit = model.entity(name).unit
    number, own = split_quantity(value)
    if unit is None or own is None or not is_in_grams(value, unit):
        return to_unit(value, unit, name)
    if name not in model.compounds.molar_masses:
        raise ScenarioError(f"{name!r} is in {own!r} but has no molar mass: write it in {unit!r}")
    mass = molar_mass(model.compounds.molar_masses[name], model, known, f"{name} in {own}")
    return number / mass * factor(f"{own}/(g/mol)", unit, name)
