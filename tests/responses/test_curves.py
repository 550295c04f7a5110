"""The numbers of one curve: closed forms, and every flag."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.responses.curves import curve_of, rises
from myelode.responses.growth import growth_of, growth_rate_inhibition
from myelode.responses.hill import fit_hill

COARSE = np.array([0, 0.1, 1, 10, 100, 1000.0])
FINE = np.concatenate([[0], np.geomspace(0.1, 1000, 81)])


def _hill(doses: np.ndarray, half: float, slope: float, top: float = 1.0) -> np.ndarray:
    return np.asarray(top / (1 + (doses / half) ** slope))


@pytest.mark.parametrize("doses", [COARSE, FINE], ids=["coarse", "fine"])
@given(half=st.floats(0.2, 500), slope=st.floats(0.4, 4), top=st.floats(1e-3, 1e6))
def test_a_hill_curve_is_recovered(
    doses: np.ndarray, half: float, slope: float, top: float
) -> None:
    curve = curve_of(_hill(doses, half, slope, top), doses, "nM", rising=False)
    assert curve.ic50 == pytest.approx(half, rel=1e-6)
    assert curve.hill == pytest.approx(slope, rel=1e-6)
    assert curve.emax == pytest.approx(1 - 1 / (1 + (1000 / half) ** slope), rel=1e-6)
    assert not any("lowest" in flag or "not reached" in flag for flag in curve.flags)


@pytest.mark.parametrize("doses", [COARSE, FINE], ids=["coarse", "fine"])
@pytest.mark.parametrize("bottom", [0.0, 0.4])
def test_a_fit_finds_all_four_parameters(doses: np.ndarray, bottom: float) -> None:
    fit = fit_hill(bottom + _hill(doses, 7.3, 1.7, 3.0), doses)
    assert (fit.top, fit.bottom) == pytest.approx((3 + bottom, bottom), abs=1e-6)
    assert (fit.ec50, fit.hill) == pytest.approx((7.3, 1.7), rel=1e-6)
    assert fit.residual < 1e-9


def test_a_fit_of_a_rising_curve_has_its_bottom_above() -> None:
    fit = fit_hill(1 - _hill(FINE, 7.3, 1.7, 0.9), FINE)
    assert (fit.top, fit.bottom, fit.ec50) == pytest.approx((0.1, 1.0, 7.3), rel=1e-6)


def test_the_residual_of_a_fit_says_how_far_it_is() -> None:
    off = _hill(FINE, 7.3, 1.7, 2.0)
    off[1::2] += 0.02
    off[::2] -= 0.02
    assert fit_hill(off, FINE).residual == pytest.approx(0.02 / off[0], rel=0.1)


def test_a_fit_needs_four_positive_doses() -> None:
    with pytest.raises(ScenarioError, match="four parameters: a fit needs 4 positive doses"):
        fit_hill(np.array([1, 0.8, 0.5, 0.2]), COARSE[:4])


def test_there_is_no_fit_of_a_flat_line() -> None:
    assert math.isnan(fit_hill(np.ones(6), COARSE).ec50)


@pytest.mark.parametrize(
    ("responses", "flag"),
    [
        ([1, 0.3, 0.2, 0.1, 0.05, 0.01], "below lowest dose: less than 100 pM"),
        ([1, 1, 0.99, 0.95, 0.9, 0.6], "above highest dose: not reached up to 1 uM, and still"),
        ([1, 0.9, 0.75, 0.7, 0.7, 0.7], "not reached: 0.7 of the control is left"),
        ([1, 0.9, 0.3, 0.05, 0.2, 0.4], "hook: 37% of the effect at 10 nM is given back"),
        ([1, 1.2, 0.9, 0.4, 0.1, 0.05], "non-monotone: turns by 21% of its largest effect"),
        ([1, 1, 1, 1, 1, 1], "not reached: no effect up to 1 uM"),
        ([0, 0, 0, 0, 0, 0], "no response without drug"),
        ([1, 0.9, math.nan, 0.4, 0.1, 0], "no number"),
    ],
)
def test_every_flag_is_raised(responses: list[float], flag: str) -> None:
    curve = curve_of(np.array(responses, dtype=float), COARSE, "nM", rising=False)
    assert any(text.startswith(flag) for text in curve.flags), curve.flags


def test_a_plain_curve_has_no_flag() -> None:
    assert curve_of(_hill(FINE, 7.3, 1.7), FINE, "nM", rising=False).flags == ()


@pytest.mark.parametrize(("left", "half"), [(0.2, 0.0), (0.8, math.inf)])
def test_what_no_dose_reaches_is_infinite_and_what_all_do_is_zero(left: float, half: float) -> None:
    curve = curve_of(np.array([1.0, *[left] * 5]), COARSE, "nM", rising=False)
    assert curve.ic50 == half
    assert math.isnan(curve.hill)


def test_a_curve_that_rises_is_read_as_ec50() -> None:
    rising = 0.01 + 0.8 * (1 - _hill(FINE, 20, 1.5))
    assert rises(rising)
    curve = curve_of(rising, FINE, "nM", rising=True)
    reached = 1 - _hill(FINE, 20, 1.5)[-1]
    assert curve.ec50 == pytest.approx(20 * (reached / (2 - reached)) ** (1 / 1.5), rel=1e-3)
    assert curve.emax == pytest.approx(0.8 * reached)
    assert math.isnan(curve.ic50)
    assert curve.flags == ("rises with the dose: read as ec50",)


def test_the_largest_move_says_which_way_a_response_goes() -> None:
    assert not rises(np.array([[1, 1.1, 0.2], [1, 1.3, 1.0]]))
    assert rises(np.array([[0, 0.0, 0.9], [0.1, 0.0, 0.1]]))
    assert not rises(np.array([[1, math.nan, 3]]))


def test_the_area_is_the_mean_over_log_dose() -> None:
    half = np.array([1, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert curve_of(half, COARSE, "nM", rising=False).auc == pytest.approx(0.5)
    line = np.array([2, 2.0, 1.5, 1.0, 0.5, 0.0])
    assert curve_of(line, COARSE, "nM", rising=False).auc == pytest.approx(0.5)


def test_growth_rates_follow_their_definition() -> None:
    counts = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.0])
    inhibition = growth_rate_inhibition(counts, 8.0, 2.0)
    assert inhibition == pytest.approx([1, 2**0.5 - 1, 0, 2**-0.5 - 1, 0.5 - 1, -1])


def test_gr50_is_where_the_growth_rate_is_down_to_its_share() -> None:
    # GR is a Hill curve here, so that cells are 2 ** (2 * log2(GR + 1)) times those before.
    counts = 3.0 * (1 + _hill(FINE, 12.0, 1.3)) ** 2
    growth = growth_of(counts, FINE, 3.0)
    assert growth.gr50 == pytest.approx(12.0, rel=1e-6)
    assert growth.grmax == pytest.approx(1 / (1 + (1000 / 12) ** 1.3), rel=1e-6)
    expected = np.trapezoid(1 - _hill(FINE[1:], 12.0, 1.3), np.log10(FINE[1:])) / 4
    assert growth.gr_aoc == pytest.approx(expected, rel=1e-9)


def test_gr_metrics_do_not_depend_on_the_length_of_the_assay() -> None:
    rate = 0.05 * _hill(FINE, 12.0, 1.3)
    short, long = (growth_of(np.exp(rate * hours), FINE, 1.0) for hours in (48, 96))
    assert short.gr50 == pytest.approx(long.gr50, rel=1e-6)
    assert short.gr_aoc == pytest.approx(long.gr_aoc, rel=1e-6)


@pytest.mark.parametrize(
    ("control", "before", "reason"),
    [(1.0, 1.0, "double 0 times"), (1.0, 0.0, "none is there before"), (1.0, 4.0, "double -2")],
)
def test_without_growth_there_are_no_gr_metrics(control: float, before: float, reason: str) -> None:
    growth = growth_of(_hill(COARSE, 10, 1, control), COARSE, before)
    assert math.isnan(growth.gr50)
    assert reason in growth.reason
