"""Every shipped scenario runs, keeps its promises, and gives the same numbers with both integrators."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from myelode import library
from myelode.engines import Tolerances, choose_engine
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import Plan, PlannedRun
from myelode.scenario import load_scenario
from myelode.simulation import plan_scenario, simulate

SCENARIOS = sorted(library.scenarios())
DOSES_COMPARED = 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_expectations_are_met(name: str) -> None:
    scenario = load_scenario(name)
    result = evaluate(simulate(scenario))
    unmet = [line.text for line in check_expectations(result, scenario) if not line.passed]
    assert not unmet


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_integrators_agree(name: str) -> None:
    scenario = load_scenario(name)
    plan = plan_scenario(scenario)
    runs = [planned.run for planned in _representative_runs(plan)]
    reference, other = choose_engine("roadrunner").compile(plan.sbml), _independent(plan.sbml)
    expected = np.stack([reference.run(run, Tolerances()) for run in runs])
    found = np.stack([other.run(run, Tolerances()) for run in runs])
    largest = np.abs(expected).max(axis=(0, 1))
    assert (np.abs(found - expected).max(axis=(0, 1)) <= 1e-6 * largest).all()


@lru_cache(maxsize=4)
def _independent(sbml: str):  # type: ignore[no-untyped-def]
    return choose_engine("scipy").compile(sbml)


def _representative_runs(plan: Plan) -> list[PlannedRun]:
    """All runs, but of a dose ladder only one in the middle and the highest."""
    names = [axis.name for axis in plan.axes]
    if "dose" not in names:
        return list(plan.runs)
    position = names.index("dose")
    count = len(plan.axes[position].values)
    kept = {int(place) for place in np.linspace(count // 2, count - 1, DOSES_COMPARED)}
    return [planned for planned in plan.runs if planned.place[position] in kept]
