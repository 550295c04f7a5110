"""Which assumed numbers a scenario's main endpoint leans on most."""

from __future__ import annotations

import math
from dataclasses import dataclass

from myelode.model import Model, load_model
from myelode.outcomes import evaluate
from myelode.scenario import Scenario
from myelode.sections import Design, Endpoint
from myelode.simulation import simulate

STEP = 0.02


@dataclass(frozen=True)
class Influence:
    """An assumed parameter, and the percent by which the endpoint moves when it moves by one percent."""

    parameter: str
    elasticity: float
    endpoint: str


def influential_assumptions(scenario: Scenario, count: int = 3) -> list[Influence]:
    """The assumed parameters with most influence on the scenario's main endpoint, in the reference.

    The main endpoint is that of the outcome rule, else the first one taken from a trajectory; of a
    dose ladder the response at the dose that the regimen itself names. Elasticities are central
    differences over +-2 %.
    """
    model = load_model(scenario.model, scenario.variant)
    simple, endpoint = _reference_only(scenario)
    found = []
    for name in _assumed(model, simple):
        up, down = (_value(simple, name, model, factor) for factor in (1 + STEP, 1 - STEP))
        if up > 0 and down > 0 and math.isfinite(up) and math.isfinite(down):
            elasticity = math.log(up / down) / math.log((1 + STEP) / (1 - STEP))
            found.append(Influence(name, elasticity, endpoint))
    return sorted(found, key=lambda item: -abs(item.elasticity))[:count]


def _reference_only(scenario: Scenario) -> tuple[Scenario, str]:
    """The scenario cut down to one run and one endpoint."""
    name = _main_endpoint(scenario)
    chosen = scenario.endpoints[name]
    take = "value" if chosen.take == "ic50" else chosen.take
    arms = scenario.arms
    if arms is not None:
        arm = chosen.arm or next(iter(arms))
        arms = {arm: arms[arm]}
    items = [item for item in scenario.perturbations if _name(item) == scenario.reference]
    simple = scenario.model_copy(
        update={
            "perturbations": items, "arms": arms, "design": Design(), "outcome": None, "rules": {},
            "expect": [], "endpoints": {"main": chosen.model_copy(update={"take": take})},
        }
    )  # fmt: skip
    return simple, name


def _name(item: object) -> str:
    return str(next(iter(item))) if isinstance(item, dict) else str(item)


def _main_endpoint(scenario: Scenario) -> str:
    """The outcome's endpoint, or what it is computed from, or the first of all."""
    order = [scenario.outcome.of] if scenario.outcome else []
    for name in (*order, *scenario.endpoints):
        endpoint: Endpoint = scenario.endpoints[name]
        if endpoint.of is not None:
            return name
    return next(iter(scenario.endpoints))


def _assumed(model: Model, scenario: Scenario) -> list[str]:
    """Assumed parameters that are not zero, not definitions, and free to be set."""
    taken = set(scenario.set) | set(scenario.final)
    for steps in scenario.regimens.values():
        taken |= {name for step in steps for name in step.set or {}}
    return [
        row.name
        for row in model.parameters.values()
        if row.evidence == "assumed"
        and row.value != 0
        and row.uncertainty != "fixed"
        and row.name not in taken
        and model.entities[row.name].kind == "parameter"
    ]


def _value(scenario: Scenario, name: str, model: Model, factor: float) -> float:
    entity = model.entities[name]
    number = factor * float(entity.value or 0.0)
    text = number if entity.unit is None else f"{number!r} {entity.unit}"
    changed = scenario.model_copy(update={"set": {**scenario.set, name: text}})
    return float(evaluate(simulate(changed))["main"].values.flat[0])
