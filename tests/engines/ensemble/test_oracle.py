"""The readable method has the order and the solutions that are published for it."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.engines.ensemble.oracle import Problem, end_of, integrate, step, within
from myelode.engines.ensemble.tableau import RODAS5P

FORCED = Problem(
    lambda t, y: np.array([-50 * (y[0] - np.cos(t)), y[0] - y[1]]),
    lambda t, y: np.array([[-50.0, 0.0], [1.0, -1.0]]),
    lambda t, y: np.array([-50 * np.sin(t), 0.0]),
)
LOGISTIC = Problem(
    lambda t, y: y * (1 - y),
    lambda t, y: np.diag(1 - 2 * y),
    lambda t, y: np.zeros_like(y),
)


def logistic(time: float) -> float:
    return 0.1 * np.exp(time) / (1 + 0.1 * (np.exp(time) - 1))


def end_after(steps: int, end: float = 2.0) -> float:
    state, size = np.array([0.1]), end / steps
    for number in range(steps):
        state = end_of(state, step(LOGISTIC, number * size, state, size))
    return float(state[0])


def test_the_order_is_five() -> None:
    errors = [abs(end_after(steps) - logistic(2.0)) for steps in (8, 16)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(5, abs=0.4)


def test_the_interpolation_meets_both_ends_and_the_way_between() -> None:
    start = np.array([0.1])
    stages = step(LOGISTIC, 0.0, start, 0.5)
    end = end_of(start, stages)
    assert within(0.0, start, end, stages) == pytest.approx(start)
    assert within(1.0, start, end, stages) == pytest.approx(end)
    assert within(0.4, start, end, stages)[0] == pytest.approx(logistic(0.2), rel=1e-5)


def test_a_stiff_system_that_depends_on_time() -> None:
    from scipy.integrate import solve_ivp

    times = np.linspace(0, 5, 11)
    found = integrate(FORCED, np.array([0.0, 0.0]), times, 1e-8, np.full(2, 1e-10))
    wanted = solve_ivp(
        FORCED.slopes, (0, 5), [0.0, 0.0], "Radau", t_eval=times, rtol=1e-11, atol=1e-13
    ).y.T
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-7)


def test_the_last_stage_is_the_difference_to_a_solution_of_order_four() -> None:
    exact = logistic(0.5)
    coarse, fine = (
        abs(step(LOGISTIC, 0.0, np.array([0.1]), size)[-1][0]) for size in (0.25, 0.125)
    )
    assert np.log2(coarse / fine) == pytest.approx(5, abs=0.6)
    assert coarse < 1e-3 * exact
    assert RODAS5P.order == 5
