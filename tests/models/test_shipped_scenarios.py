"""Every shipped scenario runs, keeps its promises, and gives the same numbers with both integrators."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from myelode import library
from myelode.engines import Tolerances, choose_engine
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import Plan, PlannedRun, make_plan
from myelode.scenario import load_scenario
from myelode.simulation import evaluate_inputs, simulate

SCENARIOS = sorted(library.scenarios())
DOSES_COMPARED = 3


@pytest.mark.parametrize("name", SCENARIOS)
def test_expectations_are_met(name: str) -> None:
    scenario = load_scenario(name)
    result = evaluate(simulate(scenario))
    unmet = [line.text for line in check_expectations(result, scenario) if not line.passed]
    assert not unmet


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_integrators_agree(name: str) -> None:
    scenario = load_scenario(name)
    plan = make_plan(scenario, evaluate_inputs(scenario, "auto"))
    reference = choose_engine("roadrunner").compile(plan.sbml)
    other = _independent(plan.sbml)
    for planned in _representative_runs(plan):
        expected = reference.run(planned.run, Tolerances())
        found = other.run(planned.run, Tolerances())
        largest = np.abs(expected).max(axis=0)
        scale = np.where(largest > 0, largest, 1.0)
        assert (np.abs(found - expected) / scale).max() < 1e-6, planned.place


@lru_cache(maxsize=4)
def _independent(sbml: str):  # type: ignore[no-untyped-def]
    return choose_engine("scipy").compile(sbml)


def _representative_runs(plan: Plan) -> list[PlannedRun]:
    """All runs, but of a dose ladder only the lowest, the middle and the highest dose."""
    names = [axis.name for axis in plan.axes]
    if "dose" not in names:
        return list(plan.runs)
    position = names.index("dose")
    count = len(plan.axes[position].values)
    kept = {int(place) for place in np.linspace(1, count - 1, DOSES_COMPARED)}
    return [planned for planned in plan.runs if planned.place[position] in kept]
