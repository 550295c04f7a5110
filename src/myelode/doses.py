"""How much a dose is, in the model's own units."""

from __future__ import annotations

import math

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.steps import Context, Quantity, Step
from myelode.units import to_unit


def dose_unit(step: Step, model: Model) -> str | None:
    """The model's unit for the size of a dose or infusion.

    `to` and `add` stand in the unit of the species itself, `amount` and `rate` in substance.
    """
    species = step.dose or step.infuse or ""
    if step.quantity_field in ("to", "add"):
        return model.entity(species, "species").unit
    amount = model.unit_of(f"amount({species})")
    return _per_time(amount, model) if step.quantity_field == "rate" else amount


def with_size(step: Step, size: float, model: Model) -> Step:
    """The step with another size, given in the unit of `dose_unit`."""
    unit = dose_unit(step, model)
    text = size if unit is None else f"{size!r} {unit}"
    return step.model_copy(update={step.quantity_field: text})


def bolus_size(step: Step, context: Context) -> float:
    """The size of a bolus in the species' own mathematics."""
    species = context.model.entity(step.dose or "", "species")
    value = getattr(step, step.quantity_field)
    size = given(value, context, dose_unit(step, context.model), species.id)
    if size < 0:
        raise ScenarioError(f"{step.title}: the dose {value!r} is negative")
    if step.amount is None or species.is_amount:
        return size
    compartment = context.model.entity(species.compartment or "")
    volume = None if compartment.rule else context.value(compartment.id)
    if volume is None:
        raise ScenarioError(f"the size of {compartment.id!r} is computed: give a concentration")
    return size / volume


def infusion_size(step: Step, context: Context) -> tuple[float, float]:
    """Rate in substance per time, and duration (infinite for a constant infusion).

    Bioavailability shortens an infusion of given rate and weakens one of given duration.
    """
    model = context.model
    unit = model.unit_of(f"amount({step.infuse})")
    share = step.bioavailability or 1.0
    over = math.nan if step.over is None else context.time(step.over, "over")
    rate = math.nan
    if step.rate is not None:
        rate = given(step.rate, context, _per_time(unit, model), "rate")
    amount = math.inf
    if step.amount is not None:
        amount = given(step.amount, context, unit, "amount")
    if over <= 0 or rate < 0 or amount < 0 or (rate == 0 and math.isnan(over)):
        raise ScenarioError(f"{step.title}: amount, rate and duration of an infusion are positive")
    if math.isnan(rate):
        return share * amount / over, over
    return (rate, share * amount / rate) if math.isnan(over) else (share * rate, over)


def given(value: Quantity, context: Context, unit: str | None, what: str) -> float:
    """A quantity as a number in `unit`, or what a named input holds."""
    name = value.strip() if isinstance(value, str) else ""
    if name not in context.inputs:
        return to_unit(value, unit, what)
    held = context.inputs[name]
    if held is None:
        raise ScenarioError(f"the input {name!r} has no finite value for this perturbation")
    return to_unit(held, unit, name) if isinstance(held, str) else float(held)


def _per_time(amount: str | None, model: Model) -> str | None:
    if amount is None or model.time_unit is None:
        return None
    return f"{amount}/({model.time_unit})"
