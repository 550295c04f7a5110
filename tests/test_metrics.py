"""Numbers from a trajectory are those of its closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.metrics import (
    METRICS,
    area,
    greatest_effect,
    half_effect_dose,
    half_maximal_dose,
    mean,
    measured,
    time_above,
    time_below,
    time_to_fall,
    time_to_rise,
)
from myelode.regimens.timeline import just_before

TIMES = np.linspace(0, 10, 4001)
DECAY = 3 * np.exp(-0.5 * TIMES)
WAVE = np.sin(TIMES)
OfLadder = Callable[[np.ndarray, np.ndarray], np.ndarray]


def test_the_area_and_the_mean_of_a_decay() -> None:
    exact = 6 * (1 - math.exp(-5))
    assert area(DECAY, TIMES) == pytest.approx(exact, rel=1e-6)
    assert mean(DECAY, TIMES) == pytest.approx(exact / 10, rel=1e-6)


def test_the_mean_does_not_depend_on_the_spacing_of_samples() -> None:
    times = np.array([0, 0.1, 0.2, 5, 10.0])
    assert mean(2 * times, times) == pytest.approx(10)


def test_the_time_to_a_level() -> None:
    assert time_to_fall(DECAY, TIMES, 1.5) == pytest.approx(2 * math.log(2), rel=1e-6)
    assert time_to_rise(1 - DECAY, TIMES, -0.5) == pytest.approx(2 * math.log(2), rel=1e-6)
    assert time_to_rise(WAVE, TIMES, 0.5) == pytest.approx(math.pi / 6, rel=1e-5)


def test_what_is_never_reached_takes_for_ever() -> None:
    assert time_to_rise(DECAY, TIMES, 4) == math.inf
    assert time_to_fall(DECAY, TIMES, 0.01) == math.inf


def test_what_is_reached_at_the_start_takes_until_the_start() -> None:
    assert time_to_fall(DECAY, TIMES, 3) == 0
    assert time_to_rise(DECAY[100:], TIMES[100:], 0.5) == TIMES[100]


def test_the_time_above_and_below_a_level() -> None:
    assert time_above(DECAY, TIMES, 1.5) == pytest.approx(2 * math.log(2), rel=1e-6)
    assert time_below(DECAY, TIMES, 1.5) == pytest.approx(10 - 2 * math.log(2), rel=1e-6)
    assert time_above(WAVE, TIMES, 0) == pytest.approx(2 * math.pi, rel=1e-5)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20), st.floats(-4, 4))
def test_what_is_not_above_is_below(values: list[float], level: float) -> None:
    trajectory, times = np.array(values), np.arange(len(values), dtype=float)
    both = time_above(trajectory, times, level) + time_below(trajectory, times, level)
    on_it = np.sum((trajectory[:-1] == level) & (trajectory[1:] == level))
    assert both + on_it == pytest.approx(times[-1])


def test_extremes_and_their_times() -> None:
    assert METRICS["max"](WAVE, TIMES, 0.0) == pytest.approx(1, abs=1e-5)
    assert METRICS["argmax"](WAVE, TIMES, 0.0) == pytest.approx(math.pi / 2, abs=0.0025)
    assert METRICS["min"](WAVE, TIMES, 0.0) == pytest.approx(-1, abs=1e-5)
    assert METRICS["argmin"](WAVE, TIMES, 0.0) == pytest.approx(3 * math.pi / 2, abs=0.0025)


def test_a_jump_is_crossed_at_its_time_and_takes_no_time() -> None:
    times = np.array([0, just_before(2.0), 2, 5])
    values = np.array([1.0, 1, 9, 9])
    assert time_to_rise(values, times, 5) == pytest.approx(2, rel=1e-15)
    assert area(values, times) == pytest.approx(2 + 27)
    assert time_above(values, times, 5) == pytest.approx(3)


@pytest.mark.parametrize("name", METRICS)
def test_many_trajectories_are_measured_as_each_alone(name: str) -> None:
    random = np.random.default_rng(1)
    times = np.cumsum(random.uniform(0.1, 2, 300))
    many = random.normal(0, 1, (3, 200, 300)).cumsum(axis=-1)
    found = measured(name, many, times, 0.5)
    alone = [[METRICS[name](row, times, 0.5) for row in rows] for rows in many]
    np.testing.assert_array_equal(found, alone)
    strided = np.moveaxis(np.ascontiguousarray(np.moveaxis(many, -1, 0)), 0, -1)
    np.testing.assert_array_equal(measured(name, strided, times, 0.5), found)


@pytest.mark.parametrize("name", METRICS)
def test_what_could_not_be_read_has_no_number(name: str) -> None:
    values, times = np.array([[1.0, 2, 3], [1, math.nan, 3], [math.nan, 2, 3]]), np.arange(3.0)
    found = measured(name, values, times, 1.0)
    reached = name in ("rise", "fall")
    np.testing.assert_array_equal(np.isnan(found), [False, not reached, True])


def _hill(doses: np.ndarray, ic50: float, slope: float, floor: float = 0.0) -> np.ndarray:
    return floor + (100 - floor) / (1 + (doses / ic50) ** slope)


@pytest.mark.parametrize("slope", [0.7, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("ic50", [0.02, 1.0, 37.5])
def test_the_ic50_of_a_hill_curve_is_found(ic50: float, slope: float) -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 400)])
    assert half_maximal_dose(_hill(doses, ic50, slope), doses) == pytest.approx(ic50, rel=1e-6)


def test_a_coarse_ladder_is_as_good_as_a_fine_one_on_a_hill_curve() -> None:
    doses = np.array([0, *np.geomspace(0.03, 100, 6)])
    assert half_maximal_dose(_hill(doses, 1.7, 1.8), doses) == pytest.approx(1.7, rel=1e-9)


def test_a_coarse_ladder_is_good_to_a_percent_on_another_curve() -> None:
    doses = np.array([0, *np.geomspace(0.01, 30, 24)])
    assert half_maximal_dose(np.exp(-doses / 2), doses) == pytest.approx(2 * math.log(2), rel=0.01)


def test_a_response_that_first_rises_has_an_ic50_too() -> None:
    doses = np.array([0, *np.geomspace(0.01, 100, 60)])
    responses = (1 + doses) / (1 + doses**3 / 8)
    found = half_maximal_dose(responses, doses)
    assert (1 + found) / (1 + found**3 / 8) == pytest.approx(0.5, rel=1e-3)


def test_a_response_that_falls_to_nothing_at_once_has_an_ic50_too() -> None:
    doses = np.array([0, 1.0, 2, 4])
    assert 1 < half_maximal_dose(np.array([1.0, 1, 0, 0]), doses) < 2


def test_many_curves_are_read_as_each_alone() -> None:
    random = np.random.default_rng(2)
    doses = np.array([0, *np.geomspace(0.01, 100, 9)])
    curves = random.uniform(0, 1.1, (3, 50, 10))
    curves[0, :3] = [[math.nan] * 10, [0.0] * 10, [1.0] * 10]
    for of in (half_maximal_dose, half_effect_dose, greatest_effect):
        alone = [[of(curve, doses) for curve in rows] for rows in curves]
        np.testing.assert_array_equal(of(curves, doses), alone)


def test_half_is_half_of_the_control_not_of_the_span() -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 400)])
    found = half_maximal_dose(_hill(doses, 2.0, 1.0, floor=20), doses)
    assert found == pytest.approx(2 * 50 / 30, rel=1e-5)  # 20 + 80 / (1 + x / 2) = 50


@given(st.floats(0.1, 1000), st.floats(0.01, 100))
def test_the_ic50_scales_with_doses_and_not_with_responses(response: float, dose: float) -> None:
    doses = np.array([0, *np.geomspace(1e-2, 1e2, 40)])
    one = half_maximal_dose(_hill(doses, 1.0, 1.5), doses)
    other = half_maximal_dose(response * _hill(doses, 1.0, 1.5), dose * doses)
    assert other == pytest.approx(dose * one, rel=1e-9)


def test_a_response_that_never_halves_has_no_finite_ic50() -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 40)])
    assert half_maximal_dose(_hill(doses, 1.0, 1.0, floor=60), doses) == math.inf
    assert half_maximal_dose(np.ones_like(doses), doses) == math.inf
    assert half_maximal_dose(1 + doses, doses) == math.inf


@pytest.mark.parametrize(
    "responses",
    [[0, 0, 0, 0], [-1, -2, -3, -4], [1, math.nan, 0.3, 0.2], [1, 0.9, math.inf, 0.2]],
)
def test_an_ic50_that_cannot_be_told_has_no_value(responses: list[float]) -> None:
    assert math.isnan(half_maximal_dose(np.array(responses), np.array([0, 1.0, 2, 3])))


def test_the_first_fall_counts_where_a_response_rises_again() -> None:
    doses = np.array([0, 1.0, 2, 4, 8, 16])
    found = half_maximal_dose(np.array([1, 0.9, 0.4, 0.9, 0.4, 0.1]), doses)
    assert 1 < found < 2


def test_an_ic50_below_the_lowest_dose_is_zero() -> None:
    doses = np.array([0, 1.0, 2, 3])
    assert half_maximal_dose(np.array([1, 0.4, 0.3, 0.2]), doses) == 0
    assert half_maximal_dose(np.array([1, 0.4, 0.9, 0.9]), doses) == 0
    assert half_maximal_dose(np.array([1, 0.5, 0.3, 0.2]), doses) == 1


@pytest.mark.parametrize("doses", [[1.0, 2, 3, 4], [0, 1.0, 2]])
@pytest.mark.parametrize("of", [half_maximal_dose, half_effect_dose, greatest_effect])
def test_a_ladder_starts_with_zero_and_has_three_doses(of: OfLadder, doses: list[float]) -> None:
    with pytest.raises(ValueError, match="a ladder starts with dose zero"):
        of(np.ones(len(doses)), np.array(doses))


def _exact_ec50(ic50: float, slope: float, top: float) -> float:
    """The dose of half of the effect that a Hill curve reaches at the dose `top`."""
    share = 0.5 * (top / ic50) ** slope / (1 + (top / ic50) ** slope)
    return float(ic50 * (share / (1 - share)) ** (1 / slope))


@pytest.mark.parametrize("slope", [0.7, 1.0, 2.5, 6.0])
@pytest.mark.parametrize(("floor", "top"), [(0, 1e3), (60, 1e3), (99, 5), (300, 20)])
def test_the_ec50_of_a_hill_curve_is_found(slope: float, floor: float, top: float) -> None:
    doses = np.array([0, *np.geomspace(1e-3, top, 400)])
    found = half_effect_dose(_hill(doses, 2.0, slope, floor), doses)
    assert found == pytest.approx(_exact_ec50(2.0, slope, top), rel=1e-5)


def test_a_coarse_ladder_gives_an_ec50_to_a_few_percent() -> None:
    doses = np.array([0, *np.geomspace(0.01, 100, 9)])
    found = half_effect_dose(_hill(doses, 1.7, 1.2, floor=40), doses)
    assert found == pytest.approx(_exact_ec50(1.7, 1.2, 100), rel=0.03)


def test_an_ec50_is_that_of_the_effect_where_the_ic50_is_not_reached() -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 100)])
    responses = _hill(doses, 1.0, 1.0, floor=60)
    assert half_maximal_dose(responses, doses) == math.inf
    assert half_effect_dose(responses, doses) == pytest.approx(1, rel=0.01)
    assert greatest_effect(responses, doses) == pytest.approx(0.4, rel=0.01)


def test_a_response_that_rises_from_nothing_has_an_ec50() -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 100)])
    found = half_effect_dose(doses / (doses + 3), doses)
    assert found == pytest.approx(_exact_ec50(3, 1, 1e3), rel=1e-4)


def test_the_ec50_of_a_hook_is_on_its_near_side() -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 200)])
    hook = 1 - 0.8 * 4 * doses / (1 + doses) ** 2
    half = 3 - 2 * math.sqrt(2)  # 4 d / (1 + d)^2 = 1/2
    assert half_effect_dose(hook, doses) == pytest.approx(half, rel=1e-3)
    assert greatest_effect(hook, doses) == pytest.approx(0.8, rel=1e-3)
    assert 0.1 < half_maximal_dose(hook, doses) < 1


@pytest.mark.parametrize("size", [0, 1e-7, -1e-7, 0.9e-6])
def test_without_an_effect_there_is_no_ec50(size: float) -> None:
    doses = np.array([0, *np.geomspace(1e-3, 1e3, 40)])
    assert math.isnan(half_effect_dose(7 + 7 * size * doses / (1e3 + doses), doses))
    assert math.isnan(half_effect_dose(np.zeros_like(doses), doses))
    assert not math.isnan(half_effect_dose(7 + 7e-5 * doses / (1 + doses), doses))


@pytest.mark.parametrize("half", [0.5, 0.5 - 2**-54, 0.5 + 2**-53])
def test_a_response_that_is_half_at_a_dose_has_that_ic50(half: float) -> None:
    doses = np.array([0, 0.01, 0.1, 0.9, 1.0, 1.1])
    responses = 1 / (1 + doses)
    responses[4] = half
    assert half_maximal_dose(responses[:5], doses[:5]) == (1.0 if half <= 0.5 else math.inf)
    assert half_maximal_dose(responses, doses) == pytest.approx(1.0)


def test_an_ec50_below_the_lowest_dose_is_zero() -> None:
    assert half_effect_dose(np.array([1, 0.4, 0.3, 0.2]), np.array([0, 1.0, 2, 3])) == 0


def test_the_greatest_effect_is_a_share_of_the_control() -> None:
    doses = np.array([0, 1.0, 2, 3])
    assert greatest_effect(np.array([4.0, 3, 1, 2]), doses) == 0.75
    assert greatest_effect(np.array([4.0, 5, 6, 7]), doses) == -0.25
    assert greatest_effect(np.array([4.0, 0, 0, 0]), doses) == 1
    assert math.isnan(greatest_effect(np.array([0.0, 5, 6, 7]), doses))
    assert math.isnan(greatest_effect(np.array([1.0, math.nan, 6, 7]), doses))


@given(st.floats(0.1, 1000), st.floats(0.01, 100), st.floats(-0.9, 0.9), st.floats(0.5, 4))
def test_the_ec50_scales_with_doses_and_not_with_responses(
    response: float, dose: float, floor: float, slope: float
) -> None:
    doses = np.array([0, *np.geomspace(1e-2, 1e2, 40)])
    curve = _hill(doses, 1.0, slope, 100 * floor)
    one = half_effect_dose(curve, doses)
    assert half_effect_dose(response * curve, dose * doses) == pytest.approx(dose * one, rel=1e-7)
    assert half_effect_dose(500 - curve, doses) == pytest.approx(one, rel=1e-7)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=12), st.floats(0.1, 100))
def test_a_half_maximal_dose_lies_where_the_response_first_halves(
    responses: list[float], control: float
) -> None:
    curve = np.array([control, *responses])
    doses = np.array([0, *np.geomspace(1e-2, 1e2, len(responses))])
    found = half_maximal_dose(curve, doses)
    fallen = np.flatnonzero(curve[1:] / control <= 0.5)
    if not fallen.size:
        assert found == math.inf
    elif fallen[0] == 0:
        assert found in (0, doses[1])
    else:
        low, high = doses[fallen[0]], doses[fallen[0] + 1]
        assert low * (1 - 1e-9) <= found <= high * (1 + 1e-9)
