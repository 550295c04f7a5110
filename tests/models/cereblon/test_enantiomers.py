"""Enantiomers in the medium, and what their interconversion does to potency."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from myelode.model import Model
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from . import oracles
from .conditions import NEVER, SHORT_CHAIN, compound, half_dose, numbers

pytestmark = pytest.mark.xdist_group("cereblon core")  # one worker compiles for all of them

TIMES = np.linspace(0.0, 72.0, 73)
NO_CELLS = {"k_perm": 0.0}
LADDER = np.geomspace(1e-2, 1e5, 43)
READ_AT = np.array([4.0, 24.0, 72.0, 120.0])
K_RAC = oracles.LN2 / 9.0
INTEGRATING = {**SHORT_CHAIN, "t_half_ee": 9.0, "kcat": 400.0}
"""Catalysis so fast that doses far from saturation do it: the response is linear in the drug."""
READ_OUTS = {
    "exposure": {"t_half_IKZF1": NEVER},  # not made anew, its logarithm adds up the exposure
    "hydrolysis": {"t_half_IKZF1": NEVER, "t_half_hydrolysis": 40.0},
    "memory": {},
}
VIABILITY = """
id: viability
title: S-enantiomer and racemate
model: cereblon
compounds: [S-lenalidomide, lenalidomide]
regimen: [{at: 0 h, label: drug, dose: drug_medium, to: 1 uM}]
design: {dose: {of: drug, from: 1 nM, to: 100 uM, points: 41, zero: true}}
observe: {every: 24 h, until: 120 h, outputs: [live_cells]}
endpoints:
  h72: {of: live_cells, take: ec50, at: 72 h}
  h120: {of: live_cells, take: ec50, at: 120 h}
"""


@pytest.mark.parametrize(
    ("start", "inversion", "elimination"),
    [((1.0, 0.0), (0.3, 0.31), (0.17, 0.18)), ((0.2, 1.0), (0.04, 0.04), (0.0, 0.5))],
)
def test_closed_form_of_two_enantiomers_is_the_matrix_exponential(
    start, inversion, elimination
) -> None:
    loss = np.diag(np.add(inversion, elimination))
    matrix = np.array([[0.0, inversion[1]], [inversion[0], 0.0]]) - loss
    for time in (0.5, 5.0, 50.0):
        expected = expm(matrix * time) @ np.array(start)
        found = oracles.enantiomers(time, start, inversion, elimination)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("start", [(1000.0, 0.0), (500.0, 500.0), (100.0, 900.0)])
@pytest.mark.parametrize("half_lives", [(9.0, 40.0), (2.5, 8.0), (1e9, 40.0)])
def test_medium_follows_the_closed_form_of_two_enantiomers(dish: Model, start, half_lives) -> None:
    excess, hydrolysis = half_lives
    changes = {**NO_CELLS, "t_half_ee": excess, "t_half_hydrolysis": hydrolysis}
    changes |= {"S_outside": start[0], "R_outside": start[1]}
    found = dish.simulate(TIMES, ["S_outside", "R_outside"], changes, rtol=1e-12, atol=1e-14)
    k_inv, k_h = oracles.LN2 / excess / 2, oracles.LN2 / hydrolysis
    closed = oracles.enantiomers(TIMES, start, (k_inv, k_inv), (k_h, k_h))
    for name, expected in zip(("S_outside", "R_outside"), closed, strict=True):
        assert float(abs(found[name] - expected).max()) < 1e-9 * sum(start)


def test_half_life_is_that_of_the_excess_and_inversion_alone_leaves_half_of_the_eutomer(
    dish: Model,
) -> None:
    changes = {**NO_CELLS, "t_half_ee": 9.0, "t_half_hydrolysis": NEVER, "S_outside": 1000.0}
    times = [0.0, 9.0, 18.0, 900.0]
    found = dish.simulate(times, ["S_outside", "excess"], changes, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["excess"], [1.0, 0.5, 0.25, 0.0], atol=1e-8)
    np.testing.assert_allclose(found["S_outside"], [1000.0, 750.0, 625.0, 500.0], rtol=1e-8)


def test_bases_and_albumin_speed_up_inversion_and_only_bases_hydrolysis(dish: Model) -> None:
    value = numbers(dish)
    base = {**NO_CELLS, "S_outside": 1000.0}
    albumin = {**base, "albumin": 0.6}
    alkaline = {**base, "pH": 7.8}
    found = [dish.simulate([0.0, 1.0], ["k_rac", "k_h"], c) for c in (base, albumin, alkaline)]
    inversion, hydrolysis = ([float(run[name][0]) for run in found] for name in ("k_rac", "k_h"))
    others = value["c_albumin"] * value["albumin"] + value["c_phosphate"] * value["phosphate"]
    more = value["c_albumin"] * (0.6 - value["albumin"])
    assert inversion[0] == pytest.approx(oracles.LN2 / value["t_half_ee"])
    assert inversion[1] / inversion[0] == pytest.approx(1 + more / (1 + others))
    assert inversion[2] / inversion[0] == pytest.approx((10**0.4 + others) / (1 + others))
    assert hydrolysis[1] == hydrolysis[0]
    assert hydrolysis[2] / hydrolysis[0] == pytest.approx(10**0.4)


@pytest.fixture(scope="module")
def ratios(dilute: Model) -> Callable[[str], np.ndarray]:
    """Dose of racemate over dose of S-enantiomer that leave half of IKZF1, at each read-out time."""
    return cache(lambda read_out: _ratios(dilute, READ_OUTS[read_out]))


def _ratios(model: Model, changes: dict[str, float]) -> np.ndarray:
    zero = np.zeros_like(LADDER)
    doses = []
    for medium in ((LADDER, zero), (LADDER / 2, LADDER / 2)):
        dose = {"S_outside": medium[0], "R_outside": medium[1]}
        levels = model.simulate(
            [0.0, *READ_AT], ["IKZF1_level"], {**INTEGRATING, **changes, **dose}
        )
        at_times = levels["IKZF1_level"].values[:, 1:].T
        doses.append([half_dose(LADDER, row, 0.5) for row in at_times])
    return np.divide(doses[1], doses[0])


def test_potency_ratio_of_a_read_out_that_adds_up_exposure(dilute: Model, ratios) -> None:
    excess = oracles.excess_by_exposure(READ_AT, K_RAC)
    expected = oracles.racemate_over_eutomer(excess, numbers(dilute)["rho"])
    np.testing.assert_allclose(ratios("exposure"), expected, rtol=0.1)


def test_potency_ratio_of_exposure_under_hydrolysis(dilute: Model, ratios) -> None:
    excess = oracles.excess_by_exposure_with_hydrolysis(READ_AT, K_RAC, oracles.LN2 / 40.0)
    expected = oracles.racemate_over_eutomer(excess, numbers(dilute)["rho"])
    np.testing.assert_allclose(ratios("hydrolysis"), expected, rtol=0.1)


def test_potency_ratio_of_a_protein_made_anew_forgets_the_early_excess(
    dilute: Model, ratios
) -> None:
    value = numbers(dilute)
    excess = oracles.excess_with_memory(READ_AT, K_RAC, oracles.LN2 / value["t_half_IKZF1"])
    expected = oracles.racemate_over_eutomer(excess, value["rho"])
    np.testing.assert_allclose(ratios("memory"), expected, rtol=0.1)


def test_potency_ratio_of_viability_is_that_of_exposure_under_hydrolysis(dish: Model) -> None:
    result = evaluate(simulate(scenario_from_text(VIABILITY)))
    value = numbers(dish) | compound(dish, "lenalidomide")
    k_rac, k_h = (oracles.LN2 / value[name] for name in ("t_half_ee", "t_half_hydrolysis"))
    for hours in (72.0, 120.0):
        eutomer, racemate = result[f"h{hours:.0f}"].values.ravel()
        excess = oracles.excess_by_exposure_with_hydrolysis(hours, k_rac, k_h)
        expected = oracles.racemate_over_eutomer(excess, value["rho"])
        assert racemate / eutomer == pytest.approx(expected, rel=0.1), hours


@settings(max_examples=25)
@given(
    rho=st.floats(1.0, 100.0),
    half_life=st.floats(0.3, 300.0),
    until=st.floats(1.0, 120.0),
    dose=st.floats(1.0, 1e4),
)
def test_racemate_is_never_stronger_than_the_eutomer_nor_weaker_than_its_bound(
    dish: Model, rho: float, half_life: float, until: float, dose: float
) -> None:
    """1 <= EC50(racemate) / EC50(S) <= 2 rho / (1 + rho), as an order of effects at one dose."""
    most = dose * oracles.largest_racemate_over_eutomer(rho)
    medium = {"S_outside": [dose, dose / 2, most / 2], "R_outside": [0.0, dose / 2, most / 2]}
    changes = {"rho": rho, "t_half_ee": half_life, "alpha_ratio": 1.0, **medium}
    outputs = ["IKZF1_level", "IKZF3_level", "live_cells"]
    found = dish.simulate([0.0, until], outputs, changes)
    for name in outputs:
        eutomer, racemate, more_racemate = found[name].values[:, -1]
        assert eutomer <= racemate * (1 + 1e-7), name
        assert more_racemate <= eutomer * (1 + 1e-7), name


def test_limits_of_the_potency_ratio() -> None:
    for rho in (1.0, 3.0, 10.0):
        at_once = oracles.racemate_over_eutomer(oracles.excess_by_exposure(1e-9, 0.1), rho)
        in_the_end = oracles.racemate_over_eutomer(oracles.excess_by_exposure(1e9, 0.1), rho)
        assert at_once == pytest.approx(oracles.largest_racemate_over_eutomer(rho))
        assert in_the_end == pytest.approx(1.0, abs=1e-6)
