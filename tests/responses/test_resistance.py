"""Resistance factors: undefined ones, infinite draws, and classes from intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from myelode.responses.resistance import Factor, Half, factor_of, ratio
from myelode.sections import OutcomeRule

RULE = OutcomeRule(of="ic50", resistant_if="fold > 3", reduced_if="fold > 1.5")


def _factor(line: float, draws: list[float], reference: float = 1.0) -> Factor:
    none = np.ones(len(draws))
    return factor_of(
        Half(line, np.array(draws), "its flag", 0.1), Half(reference, none, "why", 0.1), RULE
    )


@pytest.mark.parametrize(
    ("line", "reference", "fold"),
    [
        (6, 2, 3), (math.inf, 2, math.inf), (math.inf, math.inf, math.nan), (6, math.inf, math.nan),
        (6, 0, math.nan), (0, 2, math.nan), (math.nan, 2, math.nan), (6, math.nan, math.nan),
    ],
)  # fmt: skip
def test_the_ratio_of_what_is_undefined_is_undefined(
    line: float, reference: float, fold: float
) -> None:
    assert ratio(line, reference) == pytest.approx(fold, nan_ok=True)


@pytest.mark.parametrize(
    ("draws", "outcome", "reason"),
    [
        ([1.0, 1.1, 1.4], "sensitive", "interval 1 to 1.4"),
        ([1.6, 2, 2.9], "reduced", "interval 1.6 to 2.9"),
        ([3.2, 4, 9], "resistant", "interval 3.2 to 9"),
        ([1.2, 2, 4.1], "undetermined", "interval 1.2 to 4.1 crosses 1.5 and 3"),
        ([2.0, 3, 4.1], "undetermined", "interval 2 to 4.1 crosses 3"),
        ([4.0, 5, math.inf], "resistant", "interval 4 to infinity"),
        ([2.0, math.inf, math.inf], "undetermined", "interval 2 to infinity crosses 3"),
    ],
)
def test_the_class_is_that_of_the_whole_interval(
    draws: list[float], outcome: str, reason: str
) -> None:
    found = _factor(2.0, draws)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_without_draws_the_fold_itself_is_judged() -> None:
    assert (_factor(4.0, []).outcome, _factor(4.0, []).reason) == (
        "resistant", "4 times the reference",
    )  # fmt: skip
    assert _factor(math.inf, []).reason == "not reached"
    assert all(map(math.isnan, _factor(4.0, []).interval))


def test_many_draws_without_a_factor_leave_it_undetermined() -> None:
    found = _factor(4.0, [4.0, math.nan, 5.0])
    assert found.undefined == 1
    assert found.outcome == "undetermined"
    assert "1 of 3 draws have no fold" in found.reason
    assert _factor(4.0, [*[4.0] * 20, math.nan]).outcome == "resistant"


def test_a_reference_without_a_half_dose_gives_no_fold_and_says_why() -> None:
    found = _factor(4.0, [], reference=math.inf)
    assert math.isnan(found.fold)
    assert (found.outcome, found.reason) == (
        "undetermined", "no fold, because of the reference: why",
    )  # fmt: skip


def test_a_line_below_the_lowest_dose_is_judged_by_what_its_fold_must_be_below() -> None:
    assert _factor(0.0, []).outcome == "sensitive"
    assert _factor(0.0, []).reason == "less than 0.1 times the reference (its flag)"
    assert _factor(0.0, [], reference=0.05).outcome == "undetermined"


def test_a_rule_without_a_reduced_class_has_two() -> None:
    rule = OutcomeRule(of="ic50", resistant_if="fold >= 2")
    halves = Half(2.0, np.zeros(0), "", 0.1), Half(1.0, np.zeros(0), "", 0.1)
    assert factor_of(*halves, rule).outcome == "resistant"
    assert factor_of(halves[1], halves[1], rule).outcome == "sensitive"
