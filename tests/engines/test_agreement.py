"""The ensemble engine and libRoadRunner give the same numbers in every shipped scenario.

Compared are all states of a model, at all sample times of a few runs of each scenario, both engines
at a relative tolerance of 1e-9. A difference counts relative to the largest value of its output in
the run. What is zero, but for what integration leaves there, has no size of its own: it has at
least 1e-7 of the largest output of its kind in the run (what has the same unit, or all outputs
where those are zero too), so that what is allowed is some rounding of that.

libRoadRunner itself is not always as exact as 1e-7: populations that grow for weeks amplify what
each step adds, to 5e-6 in the worst scenario. So where the two differ by more, libRoadRunner is
asked again with a tolerance of 1e-11, and the ensemble engine has to be nearer to that than
libRoadRunner was.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from myelode import library
from myelode.engines import Tolerances, choose_engine
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.model import load_model
from myelode.plan import Plan, make_plan
from myelode.sbml import describe
from myelode.scenario import load_scenario, perturbation_names
from myelode.subjects import model_of

SAME, LEAST_SIZE = 1e-7, 1e-7
OWN_ERROR = 0.5
"""The share of libRoadRunner's own error by which the engines may differ, where that is larger."""

USUAL, TIGHT = Tolerances(1e-9, 1e-12), Tolerances(1e-11, 1e-14)
PICKED = 1
"""Runs of a scenario that are compared beside its first one: more of them cost much time."""

load_once = lru_cache(maxsize=8)(load_model)


@lru_cache(maxsize=32)
def ensemble(sbml: str) -> Ensemble:
    return Ensemble(sbml)


def plan_of(name: str) -> Plan:
    """The runs of a scenario; what it takes from other scenarios is one."""
    scenario = load_scenario(name)
    inputs = {key: dict.fromkeys(perturbation_names(scenario), 1.0) for key in scenario.inputs}
    return make_plan(scenario, inputs, model=model_of(scenario, load_once))


def chosen(name: str, count: int) -> list[int]:
    """The first run, and those that the name of the scenario picks."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    return sorted({0, *map(int, random.choice(count, min(count, PICKED), replace=False))})


def sizes(sbml: str, outputs: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """How large each output is in a run, or could be by its kind."""
    entities = describe(sbml).entities
    own = np.abs(values).max(axis=0)
    units = np.array([entities[name.removeprefix("amount(").rstrip(")")].unit for name in outputs])
    of_kind = np.array([own[units == unit].max() for unit in units])
    of_kind = np.where(of_kind > 0, of_kind, own.max())
    return np.maximum(own, LEAST_SIZE * of_kind)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xdist_group(f"agreement {name.partition('/')[0]}"))
        for name in sorted(library.scenarios())
    ],
)
def test_the_engines_agree(name: str) -> None:
    plan = plan_of(name)
    own, reference = ensemble(plan.sbml), choose_engine("roadrunner").compile(plan.sbml)
    outputs = own.program.states
    numbers = chosen(name, len(plan.runs))
    runs = [replace(plan.runs[number].run, outputs=outputs, counts=()) for number in numbers]
    for run, found in zip(runs, own.run_many(runs, USUAL), strict=True):
        assert isinstance(found, np.ndarray), found
        expected = reference.run(run, USUAL)
        size = sizes(plan.sbml, outputs, expected)
        apart = np.abs(found - expected).max(axis=0) / size
        if apart.max() > SAME:
            exact = reference.run(run, TIGHT)
            error = np.abs(expected - exact).max(axis=0) / size
            apart = np.abs(found - exact).max(axis=0) / size
            assert (apart <= np.maximum(SAME, OWN_ERROR * error)).all(), outputs[apart.argmax()]
