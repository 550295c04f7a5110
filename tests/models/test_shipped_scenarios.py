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
MOST_COMPARED = 6
"""Runs of a scenario on which both integrators are compared, spread over all of its axes."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_expectations_are_met(name: str) -> None:
    scenario = load_scenario(name)
    result = evaluate(simulate(scenario))
    unmet = [line.text for line in check_expectations(result, scenario) if not line.passed]
    assert not unmet


def test_both_integrators_agree(integrated_scenario: str) -> None:
    scenario = load_scenario(integrated_scenario)
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
    """All runs, or as many as are compared, among them the first and the last."""
    count = len(plan.runs)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_COMPARED)).astype(int))
    return [plan.runs[place] for place in chosen]
