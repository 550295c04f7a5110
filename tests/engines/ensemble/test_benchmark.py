"""What the benchmark varies, and the formulas that it gives to other engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from myelode.engines.ensemble.evaluation import evaluate
from myelode.model import load_model
from tests.benchmarks.cases import SPREAD, Case, factors, prepared, uncertain
from tests.benchmarks.flat import Flat, flat
from tests.benchmarks.peers import flat_sbml, python_slopes

SETS = 3


@pytest.fixture(scope="module")
def case() -> Case:
    return prepared("melflufen", SETS)


@pytest.fixture(scope="module")
def stretch(case: Case) -> Flat:
    return flat(case)


def test_rate_constants_spread_more_than_others_and_all_stay_within_their_range() -> None:
    rows = [*uncertain(load_model("melflufen"), with_numbers=True).values()]
    found = factors(rows, sets=200, spread=30.0, seed=1)
    values = found * [row.value for row in rows]
    is_rate = np.array(["h" in row.unit for row in rows])
    assert found[:, is_rate].max() > 20
    assert found[:, ~is_rate].max() <= SPREAD
    assert (values >= [0.999999 * row.low for row in rows]).all()
    assert (values <= [1.000001 * row.high for row in rows]).all()


def test_peers_have_the_slopes_of_the_model(stretch: Flat) -> None:
    space: dict[str, Any] = {}
    exec(python_slopes(stretch), {"np": np}, space)  # noqa: S102
    program, found = stretch.program, np.zeros(len(stretch.sizes))
    for number in range(SETS):
        scaled = stretch.starts[number] + 0.01
        space["slopes"](0.0, scaled, found, stretch.known[number])
        states = (scaled * stretch.sizes)[:, None]
        constants = stretch.constants(number)[:, None]
        expected = evaluate(program.tape, program.slopes, states, constants, np.zeros(1))[:, 0]
        np.testing.assert_allclose(found * stretch.sizes, expected, rtol=1e-9, atol=1e-12)


def test_states_of_peers_give_the_outputs(case: Case, stretch: Flat) -> None:
    assert stretch.runs[0].timeline.instants[-1].time == 0 < case.runs[0].timeline.instants[-1].time
    found = stretch.observed(0, np.repeat(stretch.starts[:1], 2, axis=0))
    assert found.shape == (2, len(case.runs[0].outputs))
    assert np.isfinite(found).all()


def test_the_stretch_is_a_model_that_can_be_read(stretch: Flat) -> None:
    assert "rateRule" in flat_sbml(stretch)
