"""How much a dose is, in the model's own units."""

from __future__ import annotations

import math
from collections.abc import Iterator

from myelode.compound_fit import SHARES_SUM_TO
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model, where_else
from myelode.regimens.dose_sizes import form_of, size_of
from myelode.regimens.steps import Context, Step
from myelode.sbml import Entity


def dosed_species(step: Step, model: Model) -> tuple[str, ...]:
    """The species among which a dose or infusion is shared: most often one.

    Raises ScenarioError for what cannot be dosed.
    """
    name = step.dose or step.infuse or ""
    if name not in model.entities and model.compounds.knows(name):
        raise ScenarioError(f"{step.title}: {_instead(name, model)}")
    names = tuple(model.compounds.doses.get(name, (name,)))
    for species in names:
        _require_dosable(model, species, step)
    return names


def _instead(name: str, model: Model) -> str:
    """What to write where a compound stands in the place of a species."""
    compound = model.compounds.find(name, model.variant).name
    doses = " or ".join(model.compounds.doses) or "a species"
    return f"{name!r} is a compound: write compound: {compound}, and dose {doses}"


def _require_dosable(model: Model, name: str, step: Step) -> None:
    entity = _dosed_entity(model, name)
    fixed = entity.constant or entity.rule == "assignment"
    if entity.kind != "species" or fixed:
        raise ScenarioError(f"{step.title}: {name!r} is no species that can be dosed")
    if step.infuse and (entity.boundary or entity.rule):
        raise ScenarioError(f"{step.title}: reactions do not change {name!r}: it takes no infusion")


def _dosed_entity(model: Model, name: str) -> Entity:
    """The entity of that id; a hint may name what is shared among species too."""
    if name not in model.entities:
        if said := where_else(model, name):
            raise ScenarioError(said)
        hint = best_matches(name, [*model.entities, *model.compounds.doses])
        raise ScenarioError(f"unknown species {name!r} in model {model.name}{hint}")
    return model.entities[name]


def shares(step: Step, context: Context) -> dict[str, float]:
    """The share of a dose that each species takes, at the start of the run; they sum to 1.

    Shares that are not known before a run take the rest.
    """
    species = dosed_species(step, context.model)
    names = context.model.compounds.doses.get(step.dose or step.infuse or "")
    if names is None:
        return dict.fromkeys(species, 1.0)
    known = {
        name: context.value(share) if isinstance(share, str) else share
        for name, share in names.items()
    }
    rest = 1.0 - math.fsum(share for share in known.values() if share is not None)
    each = rest / max(1, sum(share is None for share in known.values()))
    found = {name: each if share is None else float(share) for name, share in known.items()}
    total = math.fsum(found.values())
    if abs(total - 1) > SHARES_SUM_TO or min(found.values()) < 0:
        said = ", ".join(f"{names[name]} = {share:g}" for name, share in found.items())
        raise ScenarioError(f"{step.title}: the shares of a dose sum to 1, not {said}")
    return found


def dose_unit(step: Step, model: Model) -> str | None:
    """The model's unit for the size of a dose or infusion.

    `to` and `add` stand in the unit of the species itself, `amount` and `rate` in substance, but a
    size that is written in grams, or by the size of a body, stays in the unit in which it is.
    """
    unit = _unit_in_model(step, model)
    form = form_of(getattr(step, step.quantity_field), unit)
    return unit if form is None else form.unit


def _unit_in_model(step: Step, model: Model) -> str | None:
    species = dosed_species(step, model)[0]
    if step.quantity_field in ("to", "add"):
        return model.entity(species, "species").unit
    amount = model.unit_of(f"amount({species})")
    return _per_time(amount, model) if step.quantity_field == "rate" else amount


def with_size(step: Step, size: float, model: Model) -> Step:
    """The step with another size, given in the unit of `dose_unit`."""
    unit = dose_unit(step, model)
    text = size if unit is None else f"{size!r} {unit}"
    return step.model_copy(update={step.quantity_field: text})


def bolus_sizes(step: Step, context: Context) -> dict[str, float]:
    """The size of a bolus for each species that takes a share, in the species' own mathematics."""
    value = getattr(step, step.quantity_field)
    size = size_of(step, value, context, _unit_in_model(step, context.model), step.dose or "")
    if size < 0:
        raise ScenarioError(f"{step.title}: the dose {value!r} is negative")
    return {
        name: share * size / _volume(step, name, context)
        for name, share in shares(step, context).items()
    }


def _volume(step: Step, name: str, context: Context) -> float:
    """By what an amount of a species is divided."""
    species = context.model.entity(name)
    if step.amount is None or species.is_amount:
        return 1.0
    compartment = context.model.entity(species.compartment or "")
    volume = None if compartment.rule else context.value(compartment.id)
    if volume is None:
        raise ScenarioError(f"the size of {compartment.id!r} is computed: give a concentration")
    return volume


def infusion_size(step: Step, context: Context) -> tuple[float, float]:
    """Rate of all species together, in substance per time, and duration (infinite without end).

    Bioavailability shortens an infusion of given rate and weakens one of given duration.
    """
    model = context.model
    unit = model.unit_of(f"amount({dosed_species(step, model)[0]})")
    share = step.bioavailability or 1.0
    over = math.nan if step.over is None else context.time(step.over, "over")
    rate = math.nan
    if step.rate is not None:
        rate = size_of(step, step.rate, context, _per_time(unit, model), "rate")
    amount = math.inf
    if step.amount is not None:
        amount = size_of(step, step.amount, context, unit, "amount")
    for fault in _infusion_faults(step, amount, rate, over):
        raise ScenarioError(f"{step.title}: {fault}")
    if math.isnan(rate):
        return share * amount / over, over
    return (rate, share * amount / rate) if math.isnan(over) else (share * rate, over)


def _infusion_faults(step: Step, amount: float, rate: float, over: float) -> Iterator[str]:
    """What no infusion has; an amount of nothing is the control of a ladder."""
    if over <= 0:
        said = f"all at once is dose: {step.infuse}"
        yield f"over is {step.over!r}, and an infusion lasts longer than 0 ({said})"
    if amount < 0:
        yield f"the amount {step.amount!r} is negative"
    if rate < 0 or (rate == 0 and math.isnan(over)):
        yield f"the rate {step.rate!r} is not above 0"


def _per_time(amount: str | None, model: Model) -> str | None:
    if amount is None or model.time_unit is None:
        return None
    return f"{amount}/({model.time_unit})"
