"""Responses from M-protein whose course is known: limits met exactly, rises, and second looks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.clinic.criteria import imwg_response


def _one(values: list[float], **how: object) -> tuple[str, float, bool, float]:
    """Best response, time to progression or censoring, whether it progressed, and duration."""
    times = np.arange(len(values)) * 10.0 + 5
    found = imwg_response(times, np.array(values, dtype=float), **how)  # type: ignore[arg-type]
    return (
        str(found.best[()]),
        float(found.progression),
        bool(found.progressed),
        float(found.duration),
    )


@pytest.mark.parametrize(
    ("lowest", "label"),
    [
        (30.1, "SD"), (30.0, "MR"), (20.1, "MR"), (20.0, "PR"), (4.1, "PR"), (4.0, "VGPR"),
        (0.0, "VGPR"),
    ],
)  # fmt: skip
def test_a_fall_is_called_by_the_share_that_is_gone(lowest: float, label: str) -> None:
    assert _one([40, lowest, lowest])[0] == label


def test_exactly_half_is_a_response_in_numbers_that_binary_knows_badly() -> None:
    for baseline in (13.3, 29.7, 41.1, 77.7):
        assert _one([baseline, 0.5 * baseline, 0.5 * baseline])[0] == "PR"
        assert _one([baseline, 0.1 * baseline, 0.1 * baseline])[0] == "VGPR"


def test_a_response_needs_a_second_assessment_in_a_row() -> None:
    assert _one([40, 10, 40, 10, 40])[0] == "SD"
    assert _one([40, 10, 40, 10, 40], confirm=False)[0] == "PR"
    assert _one([40, 10, 28, 10, 28])[0] == "MR"
    assert _one([40, 3, 7.9, 7.9])[0] == "PR"
    assert _one([40, 40, 10])[0] == "SD"


def test_a_complete_response_is_off_until_a_limit_is_given() -> None:
    assert _one([40, 0.05, 0.05])[0] == "VGPR"
    assert _one([40, 0.05, 0.05], undetectable=0.1)[0] == "CR"
    assert _one([40, 0.1, 0.1], undetectable=0.1)[0] == "VGPR"


def test_progression_is_dated_to_the_first_of_two_rises_from_the_lowest_value() -> None:
    assert _one([40, 20, 20, 26, 27]) == ("PR", 30.0, True, 20.0)
    assert _one([40, 20, 20, 26, 27], confirm=False) == ("PR", 30.0, True, 20.0)


def test_a_rise_that_is_not_confirmed_is_none() -> None:
    assert _one([40, 20, 20, 26, 20, 20]) == ("PR", 50.0, False, 40.0)
    assert _one([40, 20, 20, 26]) == ("PR", 30.0, False, 20.0)
    assert _one([40, 20, 20, 26], confirm=False) == ("PR", 30.0, True, 20.0)


def test_a_rise_by_a_quarter_must_be_five_grams_per_litre_too() -> None:
    assert not _one([40, 4, 4, 8.9, 8.9])[2]
    assert _one([40, 4, 4, 9, 9])[1:3] == (30.0, True)
    assert not _one([40, 40, 49.9, 49.9])[2]
    assert _one([40, 40, 50, 50])[1:3] == (20.0, True)


def test_from_fifty_grams_per_litre_a_rise_by_ten_is_enough() -> None:
    assert _one([60, 60, 70, 70])[1:3] == (20.0, True)
    assert not _one([49, 49, 60, 60])[2]
    assert _one([49, 49, 61.3, 61.3])[2]


def test_regrowth_after_a_response_ends_its_duration() -> None:
    times = np.arange(0, 300, 20.0)
    course = 50 * (np.exp(-0.05 * times) + 0.005 * np.exp(0.02 * times))
    found = imwg_response(times, course)
    nadir = course.min()
    due = times[(course >= 1.25 * nadir) & (course >= nadir + 5) & (times > times[course.argmin()])]
    assert found.best[()] == "VGPR"
    assert float(found.progression) == due[0]
    started = times[course <= 25][0]
    assert float(found.duration) == due[0] - started


def test_who_only_gets_worse_has_progressive_disease() -> None:
    assert _one([40, 60, 70])[:3] == ("PD", 10.0, True)
    assert _one([40, 41, 60, 70])[:3] == ("SD", 20.0, True)


def test_what_follows_progression_does_not_count() -> None:
    assert _one([40, 60, 70, 4, 4, 4])[:3] == ("PD", 10.0, True)
    # The second look at a response falls on the day of progression.
    assert _one([40, 10, 18, 18])[0] == "SD"


def test_a_patient_without_measurable_protein_is_not_evaluable() -> None:
    best, progression, progressed, duration = _one([9.9, 1, 1, 30, 30])
    assert (best, progressed) == ("NE", False)
    assert math.isnan(progression)
    assert math.isnan(duration)
    assert _one([9.9, 1, 1, 1], measurable=5)[0] == "PR"
    assert _one([10, 1, 1, 1])[0] == "VGPR"


def test_a_failed_run_is_not_evaluable_and_counted() -> None:
    found = imwg_response(np.arange(3.0), np.array([[40, 10, 10], [40, np.nan, 10]]))
    assert found.best.tolist() == ["PR", "NE"]
    assert found.failed.tolist() == [False, True]
    assert np.isnan(found.progression[1])


def test_who_leaves_is_not_seen_any_more() -> None:
    times, values = np.arange(6) * 10.0, np.array([40, 10, 10, 10, 30, 30.0])
    left = imwg_response(times, np.stack([values] * 4), followed_until=np.array([5, 15, 35, 99.0]))
    assert left.best.tolist() == ["NE", "SD", "PR", "PR"]
    assert left.progressed.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(left.progression, [5, 15, 35, 40])
    np.testing.assert_array_equal(left.duration, [np.nan, np.nan, 25, 30])
    np.testing.assert_array_equal(left.best_change, [np.nan, -0.75, -0.75, -0.75])


def test_a_baseline_alone_says_nothing() -> None:
    found = imwg_response(np.zeros(1), np.array([40.0]))
    assert found.best[()] == "NE"
    assert not found.progressed


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        (np.array([0.0, 0.0]), np.ones(2), "increasing"),
        (np.zeros(0), np.ones(0), "increasing"),
        (np.zeros((2, 2)), np.ones(2), "increasing"),
        (np.arange(3.0), np.ones((3, 2)), r"shape \(3, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    times: np.ndarray, values: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        imwg_response(times, values)


def _by_hand(values: list[float], confirm: bool) -> tuple[str, int | None]:
    """The same rules once more, for one patient: best response, visit of progression."""
    order = ["PD", "SD", "MR", "PR", "VGPR"]

    def word(value: float) -> str:
        gone = 1 - value / values[0]
        return order[1 + (gone >= 0.25) + (gone >= 0.5) + (gone >= 0.9)]

    def risen(value: float, lowest: float) -> bool:
        rise = value - lowest
        return (value >= 1.25 * lowest and rise >= 5) or (lowest >= 50 and rise >= 10)

    end = None
    for visit in range(1, len(values)):
        lowest = min(values[:visit])
        looks = values[visit : visit + 1 + confirm]
        if len(looks) == 1 + confirm and all(risen(value, lowest) for value in looks):
            end = visit
            break
    words = [word(value) for value in values[1:end]]
    if not words:
        return ("PD" if end else "NE"), end
    shared = [min(pair, key=order.index) for pair in itertools.pairwise(words)]
    return max(["SD", *(shared if confirm else words)], key=order.index), end


# Sixteenths are exact, so that both ways round alike.
VALUES = st.lists(st.integers(1, 1600).map(lambda n: n / 16), min_size=1, max_size=12)


@given(
    st.lists(VALUES, min_size=1, max_size=4), st.integers(160, 1600).map(lambda n: n / 16),
    st.booleans(),
)  # fmt: skip
def test_many_patients_are_judged_as_each_would_be_by_hand(
    courses: list[list[float]], baseline: float, confirm: bool
) -> None:
    for course in courses:
        values = [baseline, *course]
        found = imwg_response(np.arange(len(values)), np.array([values]), confirm=confirm)
        best, end = _by_hand(values, confirm)
        assert found.best[0] == best
        assert bool(found.progressed[0]) == (end is not None)
        if end is not None:
            assert found.progression[0] == end


@given(st.lists(VALUES.filter(lambda v: len(v) == 6), min_size=1, max_size=5))
def test_a_longer_follow_up_changes_no_progression_that_was_seen(
    courses: list[list[float]],
) -> None:
    values = np.array(courses) + 10
    for until in range(5):
        before, after = (
            imwg_response(np.arange(6.0), values, followed_until=end) for end in (until, until + 1)
        )
        seen = before.progressed
        assert (after.progressed >= seen).all()
        np.testing.assert_array_equal(after.progression[seen], before.progression[seen])
