"""The driver with kernels in plain Python: its steps, samples, roots and failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from myelode.engines.ensemble.driver import integrate
from myelode.engines.ensemble.lanes import (
    AT_ROOT,
    FOR_EVER,
    NOT_FINITE,
    REACHED,
    TOO_MANY_STEPS,
    TOO_SMALL,
    Stretch,
    empty_lanes,
    no_tallies,
)
from tests.engines.ensemble.by_hand import SIZES, ByHand, slopes

COUNT = 11
SAMPLES = np.linspace(0.0, 5.0, 23)
NEVER = 1e9
K, SUPPLY, LIMIT, TRUTH = range(4)
A, B = range(2)


@pytest.fixture(scope="module")
def code() -> ByHand:
    return ByHand()


def stretch_of(count: int = COUNT, **values: Any) -> Stretch:
    """Simulations with other constants each, from time 0 to 5."""
    random = np.random.default_rng(7)
    constants = np.zeros((4, count))
    constants[K] = random.uniform(0.5, 50, count)
    constants[SUPPLY] = random.uniform(0, 2, count)
    constants[LIMIT] = NEVER
    plain = Stretch(
        samples=SAMPLES,
        first=np.zeros(count, dtype=np.int64),
        last=np.full(count, len(SAMPLES)),
        time=np.zeros(count),
        end=np.full(count, 5.0),
        sizes=np.zeros(count),
        states=np.repeat([[3.0], [0.0]], count, axis=1),
        constants=constants,
        absolute=np.full((2, count), 1e-10),
        closed=np.array([False]),
        held=np.array([TRUTH]),
        truths=np.zeros((1, count), dtype=bool),
        records=np.full((count, len(SAMPLES), 3), np.nan),
        status=np.full(count, -1),
        steps=np.zeros(count, dtype=np.int64),
        most_steps=np.full(count, 10_000),
        relative=1e-7,
        looks=1,
        recorded=3,
        rounds=FOR_EVER,
        tallies=no_tallies(count),
    )
    return plain._replace(**values)


def done(code: ByHand, stretch: Stretch) -> Stretch:
    integrate(code.kernels, stretch, empty_lanes(SIZES), 0)
    return stretch


def exact(constants: np.ndarray, times: np.ndarray) -> np.ndarray:
    found = solve_ivp(
        lambda t, y: slopes(t, y, constants), (0, 5), [3.0, 0.0], "Radau", t_eval=times,
        rtol=1e-11, atol=1e-13,
    )  # fmt: skip
    return np.asarray(found.y)


def picked(stretch: Stretch, which: np.ndarray) -> Stretch:
    """Some of the simulations."""
    last = {"states", "constants", "absolute", "truths"}
    shared = {"samples", "closed", "held", "relative", "looks", "recorded", "rounds", "tallies"}
    values = stretch._asdict()
    chosen = {
        name: value[:, which] if name in last else value if name in shared else value[which]
        for name, value in values.items()
    }
    return Stretch(**{name: np.array(v) if name not in shared else v for name, v in chosen.items()})


def test_many_simulations_agree_with_another_integrator(code: ByHand) -> None:
    stretch = done(code, stretch_of())
    assert (stretch.status == REACHED).all()
    assert (stretch.time == 5.0).all()
    for number in (0, 5, COUNT - 1):
        a, b = exact(stretch.constants[:, number], SAMPLES)
        k = stretch.constants[K, number]
        np.testing.assert_array_equal(stretch.records[number, :, 0], SAMPLES)
        np.testing.assert_allclose(stretch.records[number, :, 1], a, atol=1e-7)
        np.testing.assert_allclose(
            stretch.records[number, :, 2], a + k * k * b, rtol=1e-6, atol=1e-7
        )
        np.testing.assert_allclose(stretch.states[:, number], [a[-1], b[-1]], atol=1e-7)


def test_numbers_do_not_depend_on_neighbours_or_order(code: ByHand) -> None:
    whole = done(code, stretch_of(relative=1e-4))
    order = np.random.default_rng(3).permutation(COUNT)
    groups = np.split(order, [1])
    parts = [done(code, picked(stretch_of(relative=1e-4), group)) for group in groups]
    records = np.concatenate([part.records for part in parts])
    steps = np.concatenate([part.steps for part in parts])
    np.testing.assert_array_equal(records, whole.records[order])
    np.testing.assert_array_equal(steps, whole.steps[order])


def test_only_the_samples_that_are_wanted_are_recorded(code: ByHand) -> None:
    first, last = np.array([0, 3, 22, 5]), np.array([23, 9, 23, 5])
    stretch = done(code, stretch_of(4, first=first.copy(), last=last))
    recorded = np.isfinite(stretch.records).all(axis=2)
    places = np.arange(len(SAMPLES))
    np.testing.assert_array_equal(recorded, (places >= first[:, None]) & (places < last[:, None]))
    np.testing.assert_array_equal(stretch.first, last)


def test_a_sample_at_the_start_is_the_state_there(code: ByHand) -> None:
    stretch = done(code, stretch_of())
    np.testing.assert_array_equal(stretch.records[:, 0, 1], 3.0)


def test_a_stretch_without_length_records_and_moves_nothing(code: ByHand) -> None:
    stretch = stretch_of(3, end=np.zeros(3), last=np.ones(3, dtype=np.int64))
    done(code, stretch)
    assert (stretch.status == REACHED).all()
    assert (stretch.steps == 0).all()
    np.testing.assert_array_equal(stretch.records[:, 0], [[0.0, 3.0, 3.0]] * 3)


def test_it_goes_on_with_the_step_size_that_it_is_handed(code: ByHand) -> None:
    half = done(code, stretch_of(end=np.full(COUNT, 2.5), last=np.zeros(COUNT, dtype=np.int64)))
    rest = half._replace(end=np.full(COUNT, 5.0), steps=np.zeros(COUNT, dtype=np.int64))
    anew = picked(rest, np.arange(COUNT))._replace(sizes=np.zeros(COUNT))
    assert (half.sizes > 0).all()
    assert done(code, rest).steps.sum() < done(code, anew).steps.sum()
    np.testing.assert_allclose(rest.states, anew.states, atol=1e-6)


def test_it_stops_just_after_a_root(code: ByHand) -> None:
    stretch = stretch_of()
    stretch.constants[LIMIT] = 0.5
    done(code, stretch)
    assert (stretch.status == AT_ROOT).all()
    assert stretch.truths.all()
    assert (stretch.states[B] > 0.5).all()
    np.testing.assert_allclose(stretch.states[B], 0.5, atol=1e-12)
    recorded = np.isfinite(stretch.records[:, :, 0])
    np.testing.assert_array_equal(recorded, stretch.time[:, None] >= SAMPLES)
    for number in (0, COUNT - 1):
        times = np.array([0.999999, 1.000001]) * stretch.time[number]
        before, after = exact(stretch.constants[:, number], times)[B]
        assert before < 0.5 < after


def test_it_goes_on_after_a_root_whose_truth_is_held(code: ByHand) -> None:
    stretch = stretch_of()
    stretch.constants[LIMIT] = 0.5
    done(code, stretch)
    stretch.constants[TRUTH] = 1.0
    for _ in range(3):
        done(code, stretch)
        stretch.constants[TRUTH] = stretch.truths[0]
    plain = done(code, stretch_of())
    assert (stretch.status == REACHED).all()
    np.testing.assert_allclose(stretch.records, plain.records, rtol=1e-5, atol=1e-5)


def test_looks_inside_a_step_find_a_truth_that_holds_for_less_than_a_step(code: ByHand) -> None:
    found = []
    for looks in (1, 16):
        stretch = stretch_of(1, relative=1e-3, looks=looks)
        stretch.constants[SUPPLY] = 0.0
        highest = exact(stretch.constants[:, 0], np.linspace(0, 5, 5001))[B].max()
        stretch.constants[LIMIT] = 0.999 * highest
        found.append(done(code, stretch).status[0])
    assert found == [REACHED, AT_ROOT]


def test_a_value_that_is_not_finite_fails(code: ByHand) -> None:
    stretch = stretch_of()
    stretch.constants[K, 4] = np.nan
    done(code, stretch)
    assert stretch.status[4] == NOT_FINITE
    assert stretch.time[4] == 0.0
    assert (np.delete(stretch.status, 4) == REACHED).all()


def test_a_pole_fails_where_it_is(code: ByHand) -> None:
    stretch = stretch_of(1, relative=1e-5)
    stretch.states[B] = -1.0
    stretch.states[A] = 0.0
    stretch.constants[SUPPLY] = 0.0
    done(code, stretch)
    assert np.isin(stretch.status, (TOO_SMALL, NOT_FINITE)).all()
    np.testing.assert_allclose(stretch.time, 1.0, rtol=1e-4)


def test_steps_are_limited(code: ByHand) -> None:
    stretch = done(code, stretch_of(most_steps=np.full(COUNT, 20)))
    assert (stretch.status == TOO_MANY_STEPS).all()
    assert (stretch.steps == 20).all()
    assert ((stretch.time > 0) & (stretch.time < 5)).all()


def test_the_error_is_below_the_tolerance(code: ByHand) -> None:
    found = []
    for relative in (1e-4, 1e-6, 1e-8):
        absolute = np.full((2, 3), 1e-3 * relative)
        stretch = done(code, stretch_of(3, relative=relative, absolute=absolute))
        truth = [exact(stretch.constants[:, number], SAMPLES)[A] for number in range(3)]
        found.append(np.abs(stretch.records[:, :, 1] - truth).max() / 3 / relative)
    assert max(found) < 1
