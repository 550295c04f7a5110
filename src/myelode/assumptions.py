"""Which assumed numbers a scenario's main endpoint leans on most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelode.assays.sections import CALIBRATED, NOISELESS
from myelode.dose_ladders import Axis
from myelode.engines import Tolerances
from myelode.outcomes import evaluate_scenario
from myelode.parameters import FIXED
from myelode.plan import Plan
from myelode.provenance import rows_used
from myelode.regimens.compilation import regimen_targets
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, perturbation_names
from myelode.sections import OVER_DOSES, Design
from myelode.simulation import plan_scenario, simulate_plan

STEP = 0.02


@dataclass(frozen=True)
class Influence:
    """An assumed parameter, and by how many percent the endpoint moves if it moves by one."""

    parameter: str
    elasticity: float
    endpoint: str


def influential_assumptions(scenario: Scenario, count: int = 3) -> list[Influence]:
    """The assumed parameters with most influence on the scenario's main endpoint, in the reference.

    The main endpoint is that of the outcome rule, else the first one taken from a trajectory; of a
    dose ladder the response at the dose that the regimen itself names. Elasticities are forward
    differences over 2 %. Empty where the model has no table or the scenario no endpoint.
    """
    if not any(endpoint.of for endpoint in scenario.endpoints.values()):
        return []
    simple, endpoint = _reference_only(scenario)
    plan = plan_scenario(simple)
    names = _assumed(plan)
    if not names:
        return []
    dataset = simulate_plan(_with_samples(plan, names), "auto", Tolerances())
    values = evaluate_scenario(dataset, simple, Context(plan.model))["main"].values.ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        elasticities = np.log(values[1:] / values[0]) / math.log(1 + STEP)
    found = [Influence(n, float(e), endpoint) for n, e in zip(names, elasticities, strict=True)]
    known = [item for item in found if math.isfinite(item.elasticity) and item.elasticity]
    return sorted(known, key=lambda item: -abs(item.elasticity))[:count]


def _with_samples(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan's one run as it is, and once per name with that value raised."""
    (base,) = plan.runs
    runs = [replace(base, place=(*base.place, 0))]
    for position, name in enumerate(names, start=1):
        entity = plan.model.entities[name]
        value = (1 + STEP) * base.run.changes.get(name, entity.value or 0.0)
        run = replace(base.run, changes={**base.run.changes, name: value})
        runs.append(replace(base, place=(*base.place, position), run=run))
    axis = Axis("sample", tuple(range(len(runs))))
    return replace(plan, axes=(*plan.axes, axis), runs=tuple(runs))


def _reference_only(scenario: Scenario) -> tuple[Scenario, str]:
    """The scenario cut down to one run and one endpoint."""
    name = _main_endpoint(scenario)
    chosen = scenario.endpoints[name]
    take = "value" if chosen.take in OVER_DOSES else chosen.take
    simpler: dict[str, Any] = {"take": take, "dose": None}
    if chosen.of and chosen.of.removesuffix(CALIBRATED) in scenario.assays:
        simpler["of"] = f"{chosen.of}{NOISELESS}"
    arms, compound = scenario.arms, scenario.compound
    if arms is not None:
        arm = chosen.arm or next(iter(arms))
        arms = {arm: arms[arm]}
        if isinstance(scenario.compound, dict):
            compound = scenario.compound[arm]
    if scenario.compounds is not None:
        compound = chosen.compound or scenario.compounds[0]
    simpler["compound"] = None
    named = zip(scenario.perturbations, perturbation_names(scenario), strict=True)
    items = [item for item, own_name in named if own_name == scenario.reference]
    simple = scenario.model_copy(
        update={
            "perturbations": items, "compound": compound, "compounds": None, "arms": arms,
            "design": Design(), "outcome": None, "rules": {}, "scores": {}, "expect": [],
            "activities": {},
            "endpoints": {"main": chosen.model_copy(update=simpler)},
        }
    )  # fmt: skip
    return simple, name


def _main_endpoint(scenario: Scenario) -> str:
    """The outcome's endpoint, or else the first that is taken from a trajectory."""
    order = [scenario.outcome.of] if scenario.outcome else []
    return next(n for n in (*order, *scenario.endpoints) if scenario.endpoints[n].of is not None)


def _assumed(plan: Plan) -> list[str]:
    """Assumed parameters, but for zeros, definitions, and what the regimen sets."""
    taken = {name for steps in plan.scenario.regimens.values() for name in regimen_targets(steps)}
    return [
        row.name
        for row in rows_used(plan)
        if row.evidence == "assumed"
        and row.value != 0
        and row.uncertainty != FIXED
        and row.name not in taken
        and plan.model.entities[row.name].kind == "parameter"
    ]
