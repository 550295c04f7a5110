"""Exponentials that every processor rounds alike."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from myelode.portable import exp, log_ratio


@given(some.floats(-700, 700))
def test_exponentials_are_right_to_their_last_digits(value: float) -> None:
    [found] = exp(np.array([value]))
    assert math.isclose(found, math.exp(value), rel_tol=5e-16)


@given(some.floats(1e-300, 1e300), some.floats(1e-300, 1e300))
def test_logarithms_of_ratios_are_those_of_their_parts(high: float, low: float) -> None:
    expected = math.log(high) - math.log(low)
    assert math.isclose(log_ratio(high, low), expected, rel_tol=1e-12, abs_tol=1e-12)


def test_what_must_be_exact_is() -> None:
    assert exp(np.zeros(1)) == 1
    assert log_ratio(3.0, 3.0) == 0
    assert log_ratio(20.0, 10.0) == math.log(2)
