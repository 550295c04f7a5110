"""Doses of equal effect: exact on Hill curves, in one batch per round, one case apart from another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from myelode.interactions.additivity import additive_effects
from myelode.interactions.equal_effects import (
    BELOW,
    BEYOND,
    FLAT,
    FOUND,
    NEVER,
    UNKNOWN,
    Curve,
    Respond,
    equal_doses,
)
from myelode.interactions.indices import bliss_excess, combination_index, hsa_excess

LADDER = np.geomspace(1e-3, 1e3, 31)


def hill(dose: np.ndarray, half: np.ndarray, slope: np.ndarray, top: np.ndarray) -> np.ndarray:
    return np.asarray(top * dose**slope / (half**slope + dose**slope))


def respond_as(halves: np.ndarray, slopes: np.ndarray, tops: np.ndarray) -> Respond:
    return lambda cases, doses: hill(doses, halves[cases], slopes[cases], tops[cases])


def curves_of(respond: Respond, number: int, whole: bool = False) -> list[Curve]:
    return [Curve(LADDER, respond(np.full(31, case), LADDER), whole) for case in range(number)]


@given(
    half=st.floats(0.05, 20), slope=st.floats(0.5, 4), top=st.floats(0.3, 1),
    share=st.floats(0.05, 0.9),
)  # fmt: skip
def test_a_hill_curve_is_inverted_to_nine_digits(
    half: float, slope: float, top: float, share: float
) -> None:
    respond = respond_as(np.array([half]), np.array([slope]), np.array([top]))
    exact = half * (share / (1 - share)) ** (1 / slope)
    assume(LADDER[0] < exact < LADDER[-1])
    found = equal_doses(curves_of(respond, 1), np.array([share * top]), respond)
    assert found.states[0] == FOUND
    assert found.doses[0] == pytest.approx(exact, rel=1e-9)


def test_every_round_is_one_batch_of_all_cases_that_are_left() -> None:
    halves, slopes, tops = np.array([1.0, 5.0, 9.0]), np.array([1.0, 2.0, 0.7]), np.ones(3)
    respond, batches = respond_as(halves, slopes, tops), []

    def counted(cases: np.ndarray, doses: np.ndarray) -> np.ndarray:
        batches.append(len(cases))
        return respond(cases, doses)

    equal_doses(curves_of(respond, 3), np.array([0.5, 0.2, 0.7]), counted)
    assert batches[0] in (3, 6)
    assert len(batches) < 20


@given(order=st.permutations(range(4)), kept=st.integers(1, 4))
def test_the_order_and_number_of_cases_change_no_bit(order: list[int], kept: int) -> None:
    halves, slopes = np.array([0.3, 1.0, 7.0, 20.0]), np.array([0.6, 1.0, 1.7, 3.0])
    targets = np.array([0.2, 0.5, 0.71, 0.9])
    respond = respond_as(halves, slopes, np.ones(4))
    whole = equal_doses(curves_of(respond, 4), targets, respond).doses
    some = order[:kept]
    part = respond_as(halves[some], slopes[some], np.ones(kept))
    found = equal_doses(curves_of(part, kept), targets[some], part).doses
    assert found.tobytes() == whole[some].tobytes()


@pytest.mark.parametrize(
    ("target", "whole", "state"),
    [(0.5, False, NEVER), (0.3998, False, BEYOND), (0.3999, True, NEVER), (1e-9, False, BELOW),
     (np.nan, False, UNKNOWN), (0.2, False, FOUND)],
)  # fmt: skip
def test_what_has_no_dose_says_why(target: float, whole: bool, state: int) -> None:
    respond = respond_as(np.array([1.0]), np.array([1.0]), np.array([0.4]))
    found = equal_doses(curves_of(respond, 1, whole), np.array([target]), respond)
    assert found.states[0] == state
    assert np.isinf(found.doses[0]) == (state == NEVER)


def test_a_curve_without_slope_has_no_dose() -> None:
    def respond(cases: np.ndarray, doses: np.ndarray) -> np.ndarray:
        return np.asarray(0.3 + 1e-6 * np.log10(doses))

    found = equal_doses(curves_of(respond, 1), np.array([0.3]), respond)
    assert found.states[0] == FLAT
    assert np.isnan(found.doses[0])


def test_a_curve_that_comes_back_is_read_where_it_first_gets_there() -> None:
    def respond(cases: np.ndarray, doses: np.ndarray) -> np.ndarray:
        return np.asarray(2 * doses / (1 + doses) ** 2)

    found = equal_doses(curves_of(respond, 1), np.array([0.4]), respond)
    assert found.doses[0] == pytest.approx((3 - np.sqrt(5)) / 2, rel=1e-9)


def test_a_run_that_fails_makes_its_own_case_unknown_and_no_other() -> None:
    respond = respond_as(np.ones(2), np.ones(2), np.ones(2))

    def failing(cases: np.ndarray, doses: np.ndarray) -> np.ndarray:
        found = respond(cases, doses)
        found[cases == 0] = np.nan
        return found

    found = equal_doses(curves_of(respond, 2), np.array([0.4, 0.4]), failing)
    assert list(found.states) == [UNKNOWN, FOUND]


@given(first=st.floats(0.01, 20), second=st.floats(0.01, 20), slope=st.floats(0.5, 3))
def test_a_sham_is_additive_to_nine_digits(first: float, second: float, slope: float) -> None:
    respond = respond_as(np.ones(1), np.array([slope]), np.ones(1))
    together = hill(np.array([first + second]), np.ones(1), np.array([slope]), np.ones(1))
    alone = equal_doses(curves_of(respond, 1), together, respond).doses
    if np.isfinite(alone[0]):
        index = combination_index(np.array([first]), np.array([second]), alone, alone)
        assert index[0] == pytest.approx(1, abs=1e-9)


@given(first=st.floats(0.1, 5), second=st.floats(0.1, 5), slope=st.floats(0.6, 3))
def test_the_additive_effect_of_a_drug_with_itself_is_that_of_the_sum(
    first: float, second: float, slope: float
) -> None:
    one = np.ones(1)
    curve = Curve(LADDER, hill(LADDER, one, slope * one, one))

    def alone(
        cases: np.ndarray, doses: np.ndarray, doses2: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return hill(doses, one, slope * one, one), hill(doses2, one, slope * one, one)

    found = additive_effects([curve], [curve], np.array([first]), np.array([second]), alone)
    expected = hill(np.array([first + second]), one, slope * one, one)
    assert found[0] == pytest.approx(expected[0], abs=1e-8)


def test_mutually_exclusive_agents_of_different_strength_are_additive() -> None:
    # One slope, halves 1 and 10: the combination is a Hill curve of the sum of both shares.
    one = np.ones(1)

    def alone(
        cases: np.ndarray, doses: np.ndarray, doses2: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return hill(doses, one, 2 * one, one), hill(doses2, 10 * one, 2 * one, one)

    curves = [Curve(LADDER, hill(LADDER, half * one, 2 * one, one)) for half in (1, 10)]
    found = additive_effects(curves[:1], curves[1:], np.array([0.5]), np.array([8.0]), alone)
    assert found[0] == pytest.approx(1.3**2 / (1 + 1.3**2), abs=1e-9)


@pytest.mark.parametrize(
    ("doses", "alone", "index"),
    [((1.0, 3.0), (2.0, 6.0), 1.0), ((1.0, 3.0), (4.0, np.inf), 0.25), ((1.0, 3.0), (2.0, np.nan), np.nan),
     ((0.0, 3.0), (2.0, 3.0), 1.0), ((1.0, 1.0), (np.inf, np.inf), 0.0)],
)  # fmt: skip
def test_the_index_has_its_limits(
    doses: tuple[float, float], alone: tuple[float, float], index: float
) -> None:
    found = combination_index(*(np.array([x]) for x in (*doses, *alone)))
    np.testing.assert_array_equal(found, [index])


@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_independent_agents_have_no_excess_over_bliss(first: float, second: float) -> None:
    one, other = np.array([first]), np.array([second])
    assert bliss_excess(one, other, one * other)[0] == 0
    assert hsa_excess(one, other, np.minimum(one, other))[0] == 0
