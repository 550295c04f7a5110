"""Kaplan and Meier's curve against numbers by hand, a closed form, and what has no number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from myelode.clinic.survival import KaplanMeier, share_of

# Six patients: events at 1, 3, 3 and 5; one lost at 2, one still followed at 6.
DURATIONS = np.array([1.0, 2, 3, 3, 5, 6])
ENDED = np.array([True, False, True, True, True, False])


def test_the_curve_of_six_patients_by_hand() -> None:
    found = KaplanMeier(DURATIONS, ENDED).at(np.array([0, 1, 2.9, 3, 5, 6]))
    by_hand = [1, 5 / 6, 5 / 6, 5 / 12, 5 / 24, 5 / 24]
    np.testing.assert_allclose(found.value, by_hand)
    assert found.at_risk.tolist() == [6, 6, 4, 4, 2, 1]


def test_the_interval_by_hand_is_greenwoods_on_the_log_log_scale() -> None:
    found = KaplanMeier(DURATIONS, ENDED).share_at(3)
    variance = 1 / (6 * 5) + 2 / (4 * 2)
    spread = norm.ppf(0.975) * math.sqrt(variance) / math.log(found.value)
    assert found.low == pytest.approx(found.value ** math.exp(-spread))
    assert found.high == pytest.approx(found.value ** math.exp(spread))


def test_the_median_is_the_first_time_at_which_half_is_lost() -> None:
    found = KaplanMeier(DURATIONS, ENDED).median()
    assert found.value == 3
    assert found.low == 1
    assert found.high == math.inf
    half = KaplanMeier(np.array([1.0, 2, 3, 4]), np.ones(4, dtype=bool)).median()
    assert half.value == 2


def test_exponential_times_give_their_closed_form() -> None:
    random = np.random.default_rng(5)
    rate, lost = 0.1, 0.04
    events, leaves = random.exponential(1 / rate, 4000), random.exponential(1 / lost, 4000)
    survival = KaplanMeier(np.minimum(events, leaves), events <= leaves)
    for time in (2.0, 6.0, 12.0):
        found = survival.share_at(time)
        assert found.low < math.exp(-rate * time) < found.high
        assert found.value == pytest.approx(math.exp(-rate * time), abs=0.03)
    assert survival.median().value == pytest.approx(math.log(2) / rate, rel=0.08)


def test_without_any_event_everybody_is_free_of_it_and_no_median_is_reached() -> None:
    survival = KaplanMeier(np.array([2.0, 3]), np.zeros(2, dtype=bool))
    found = survival.at(np.array([0.0, 3, 4]))
    np.testing.assert_array_equal(found.value, 1)
    np.testing.assert_array_equal(found.low, 1)
    assert survival.median().value == math.inf


def test_after_the_last_of_all_events_nobody_is_left() -> None:
    found = KaplanMeier(np.array([2.0, 3]), np.ones(2, dtype=bool)).share_at(3)
    assert (found.value, found.low) == (0, 0)
    assert math.isnan(found.high)


def test_who_has_no_time_is_left_out() -> None:
    durations = np.append(DURATIONS, np.nan)
    survival = KaplanMeier(durations, np.append(ENDED, True))
    assert survival.share_at(3).value == pytest.approx(5 / 12)
    empty = KaplanMeier(np.array([np.nan]), np.array([False]))
    assert math.isnan(empty.median().value)
    assert math.isnan(empty.share_at(1).value)
    assert empty.at(np.zeros(2)).at_risk.tolist() == [0, 0]


def test_a_share_has_clopper_and_pearsons_interval() -> None:
    found = share_of(31, 97)
    assert found.value == pytest.approx(31 / 97)
    assert (found.low, found.high) == pytest.approx((0.2287, 0.4220), abs=2e-3)
    none = share_of(0, 10)
    assert none.low == 0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 10))
    assert math.isnan(share_of(0, 0).value)
