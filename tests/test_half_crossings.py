"""Many curves are read at once as SciPy reads each: monotone cubics over log dose."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from myelode.half_crossings import half_crossing


def _by_scipy(relative: np.ndarray, doses: np.ndarray) -> tuple[float, float]:
    """Where one curve first falls below a half inside its ladder, and how steeply."""
    after = int(np.argmax(relative < 0.5))
    logs, usable = np.log(doses), (relative > 0) & (relative < 1)
    by_logit = usable[after - 1] and usable[after]
    kept = usable if by_logit else np.ones_like(usable)
    shares = relative[kept]
    heights = np.log(shares / (1 - shares)) if by_logit else shares - 0.5
    curve = PchipInterpolator(logs[kept], heights)
    found = brentq(curve, logs[after - 1], logs[after], xtol=1e-14)
    return math.exp(found), -(1 if by_logit else 4) * float(curve.derivative()(found))


@given(some.integers(0, 2**32 - 1))
def test_curves_are_read_as_scipy_reads_each(seed: int) -> None:
    random, doses = np.random.default_rng(seed), np.geomspace(0.01, 30, 7) * np.arange(1, 8)
    relative = random.uniform(-0.2, 1.5, (20, 7))
    exact = random.choice([0.0, 0.5, 1.0], relative.shape)
    relative = np.where(random.uniform(0, 1, relative.shape) < 0.1, exact, relative)
    found, steepness = half_crossing(relative, doses)
    for curve, dose, slope in zip(relative, found, steepness, strict=True):
        if not (curve <= 0.5).any():
            assert dose == math.inf
        elif curve[0] < 0.5:
            assert dose == 0
        elif not (np.abs(curve - 0.5) < 1e-9).any():
            expected = _by_scipy(curve, doses)
            assert dose == pytest.approx(expected[0], rel=1e-10)
            assert slope == pytest.approx(expected[1], rel=1e-5, abs=1e-9)


def test_a_curve_is_read_the_same_alone_and_among_others() -> None:
    random = np.random.default_rng(1)
    curves = random.uniform(0, 1.2, (5, 400, 9))
    doses = np.geomspace(0.1, 100, 9)
    together = half_crossing(curves, doses)
    assert together[0].shape == (5, 400)
    for place in [(0, 0), (2, 17), (4, 399)]:
        for one, all_of_them in zip(half_crossing(curves[place], doses), together, strict=True):
            np.testing.assert_array_equal(one, all_of_them[place])


def test_a_hill_curve_is_as_steep_as_its_exponent() -> None:
    doses = np.geomspace(0.1, 50, 6)
    exponents = np.array([[0.7], [1.0], [3.0]])
    found, steepness = half_crossing(1 / (1 + (doses / 2.0) ** exponents), doses)
    np.testing.assert_allclose(found, 2.0, rtol=1e-13)
    np.testing.assert_allclose(steepness, exponents[:, 0], rtol=1e-12)


def test_half_at_the_first_dose_is_that_dose_with_the_slope_behind_it() -> None:
    doses = np.array([1.0, 2.0, 4.0])
    found, steepness = half_crossing(1 / (1 + doses), doses)
    assert found == 1.0
    assert steepness == pytest.approx(1.0)
    found, steepness = half_crossing(np.array([0.5, 0.0, 0.0]), doses)
    assert found == 1.0
    assert math.isnan(steepness)
