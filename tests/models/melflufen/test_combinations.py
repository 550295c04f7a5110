"""Melflufen with partners: closed forms, what must do exactly nothing, and what grows with dose."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from myelode.model import Model, load_model
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import simulate

DAYS = 72.0
IC50 = 1.13
"""Of a pulse of melflufen alone, in umol/L."""
GROWING = """
id: growing
title: more and more of a partner
model: melflufen
regimen:
  - {{at: 0 h, label: pulse, dose: melflufen_medium, to: 1 umol/L}}
  - {{at: 2 h, label: wash, wash: medium, dilute: 1000}}
design:
  dose: {{of: pulse, from: 0.1 umol/L, to: 6 umol/L, points: 8, zero: true}}
  cross: {{{partner}: {values}}}
observe: {{until: 72 h, at: [72 h], outputs: [live_cells]}}
endpoints:
  ic50: {{of: live_cells, take: ic50, at: 72 h}}
"""
PARTNERS = {
    "dexamethasone": {"C_dex": 1.0},
    "bortezomib": {"C_btz": 0.005},
    "venetoclax": {"C_ven": 0.9},
    "olaparib": {"I_PARP": 0.98},
    "daratumumab": {"C_dara": 0.036, "ET": 5.0, "complement": 1.0},
    "inhibitor of histone deacetylases": {"f_HDAC_APN": 3.0},
}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("melflufen")


@pytest.fixture(scope="module")
def values(model: Model) -> dict[str, float]:
    return {name: row.value for name, row in model.parameters.items()}


@pytest.fixture(scope="module")
def partners() -> xr.Dataset:
    return _result("combination_partners")


def _result(name: str) -> xr.Dataset:
    return evaluate(simulate(load_scenario(f"melflufen/{name}")))


def _live(model: Model, changes: dict[str, float], hours: float = DAYS) -> float:
    return float(model.simulate([0.0, hours], ["live_cells"], changes)["live_cells"][-1])


def _kill_without_damage(values: dict[str, float], given: dict[str, float]) -> float:
    """The kill rate of a partner alone, written once more from the equations."""
    p = {**values, **given}
    ven, btz, gr = (
        p[dose] / (p[dose] + p[half])
        for dose, half in (("C_ven", "EC50_ven"), ("C_btz", "EC50_btz"), ("C_dex", "K_GR"))
    )
    proteins = (
        p["BCL2"] * (1 - ven) + p["MCL1"] * (1 - p["s_MCL"] * btz)
        + p["BCLX"] * (1 - p["s_BCLX"] * ven)
    )  # fmt: skip
    buffer = proteins * (1 - p["s_GR"] * gr) / p["anti_ref"]
    drive = (p["pro0"] + p["s_BIM"] * gr + p["s_NOXA"] * btz) / buffer**2
    bound = p["C_dara"] / (p["C_dara"] + p["Kd_dara"])
    antibody = p["k_ADCC"] * p["ET"] / (p["ET"] + p["K_ET"]) + p["k_CDC"] * p["complement"]
    return p["k_max"] * drive / (1 + drive) + bound * antibody


@pytest.mark.parametrize("partner", PARTNERS)
def test_a_partner_alone_kills_at_a_constant_rate(
    model: Model, values: dict[str, float], partner: str
) -> None:
    """Without damage nothing changes with time; olaparib and the like take nothing at all."""
    given = PARTNERS[partner]
    expected = np.exp((values["k_g"] - _kill_without_damage(values, given)) * DAYS)
    assert _live(model, given) == pytest.approx(expected, rel=1e-6)


def test_an_inhibitor_without_an_assumed_effect_has_exactly_none(partners: xr.Dataset) -> None:
    for result, own in ((partners, "hdac_inhibitor"), (_result("combination_hdac"), "hdac_1")):
        assert (result[f"shift_{own}"] == 1.0).all()
        assert (result[f"bliss_{own}"] == 0.0).all()
        assert (result[f"hsa_{own}"] == 0.0).all()


def test_an_antibody_with_nothing_that_kills_changes_no_digit(model: Model) -> None:
    times = np.linspace(0.0, DAYS, 25)
    outputs = ["live_cells", "annexin_positive", "pi_positive", "gamma_h2ax", "melphalan_cell"]
    drug = {"melflufen_medium": IC50}
    alone = model.simulate(times, outputs, drug)
    with_antibody = model.simulate(times, outputs, {**drug, "C_dara": 10.0})
    without_antibody = model.simulate(times, outputs, {**drug, "ET": 20.0, "complement": 1.0})
    for name in outputs:
        np.testing.assert_array_equal(with_antibody[name], alone[name], err_msg=name)
        np.testing.assert_array_equal(without_antibody[name], alone[name], err_msg=name)


@given(
    ratio=st.floats(0, 50), complement=st.floats(0, 1), antibody=st.floats(0, 1), dose=st.floats(0.1, 3)
)  # fmt: skip
@settings(max_examples=10, deadline=None)
def test_independent_kill_has_no_excess(
    ratio: float, complement: float, antibody: float, dose: float
) -> None:
    """Damage makes live' = (growth(t) - kill(t)) live, and the antibody takes a constant a off it.

    So whatever growth and kill do, both together leave exp(-a t) of what the drug alone leaves, and
    the antibody alone leaves exp(-a t) of the untreated: the share of both is the product.
    """
    model = load_model("melflufen")
    drug = {"melflufen_medium": dose}
    killer = {"C_dara": antibody, "ET": ratio, "complement": complement}
    untreated = _live(model, {})
    first, second, both = (
        _live(model, changes) / untreated for changes in (drug, killer, {**drug, **killer})
    )
    assert abs(first * second - both) < 1e-6


@pytest.mark.parametrize(
    ("partner", "doses"),
    [
        ("C_dex", "[0 nmol/L, 3 nmol/L, 10 nmol/L, 100 nmol/L, 1 umol/L]"),
        ("C_btz", "[0 nmol/L, 1 nmol/L, 5 nmol/L, 20 nmol/L, 100 nmol/L]"),
        ("C_ven", "[0 nmol/L, 30 nmol/L, 100 nmol/L, 300 nmol/L, 900 nmol/L]"),
        ("I_PARP", "[0, 0.5, 0.9, 0.98, 0.995]"),
        ("I_BSO", "[0, 0.3, 0.6, 0.9, 1]"),
        ("f_HDAC_APN", "[1, 1.5, 2, 3, 5]"),
    ],
)
def test_more_of_a_partner_shifts_more(partner: str, doses: str) -> None:
    text = GROWING.format(partner=partner, values=doses)
    found = evaluate(simulate(scenario_from_text(text)))["ic50"].values.ravel()
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()


def test_more_of_the_antibody_shifts_nothing() -> None:
    doses = "[0 nmol/L, 10 nmol/L, 100 nmol/L, 1 umol/L]"
    text = GROWING.format(partner="C_dara", values=doses)
    killing = text.replace("model: melflufen", "model: melflufen\nset: {ET: 10, complement: 1}")
    found = evaluate(simulate(scenario_from_text(killing)))["ic50"].values.ravel()
    np.testing.assert_allclose(found, found[0], rtol=1e-6)


def test_together_less_is_left_than_with_either_alone(partners: xr.Dataset) -> None:
    """All but the inhibitor that does nothing."""
    for partner in ("dexamethasone", "bortezomib", "daratumumab", "olaparib", "venetoclax", "BSO"):
        for alone in ("melflufen", partner):
            left = partners["left"].sel(arm=alone)
            assert (partners["left"].sel(arm=f"melflufen_{partner}") < 0.95 * left).all(), partner


def test_partners_that_kill_nothing_alone_have_one_and_the_same_excess(
    partners: xr.Dataset,
) -> None:
    """The share left of the partner is 1, and both expectations are that of melflufen alone."""
    for partner in ("olaparib", "BSO", "hdac_inhibitor"):
        np.testing.assert_allclose(
            partners[f"bliss_{partner}"], partners[f"hsa_{partner}"], atol=1e-6
        )


def test_a_coarse_ladder_gives_the_shift_that_root_finding_gives(model: Model) -> None:
    """For a partner that is there all the time, and without a wash, which roots need not."""
    text = GROWING.format(partner="C_ven", values="[0 umol/L, 0.9 umol/L]")
    unwashed = "\n".join(line for line in text.splitlines() if "wash" not in line)
    alone, both = evaluate(simulate(scenario_from_text(unwashed)))["ic50"].values.ravel()
    assert both / alone == pytest.approx(
        _half_dose(model, {"C_ven": 0.9}) / _half_dose(model, {}), rel=2e-3
    )


def _half_dose(model: Model, given: dict[str, float]) -> float:
    control = _live(model, given)

    def excess(log_dose: float) -> float:
        return _live(model, {**given, "melflufen_medium": np.exp(log_dose)}) / control - 0.5

    return float(np.exp(brentq(excess, np.log(0.1), np.log(6.0), xtol=1e-6)))


def test_the_resistant_line_is_the_parent_at_a_twentieth_of_the_bortezomib(model: Model) -> None:
    for dose in (0.001, 0.02):
        drug = {"melflufen_medium": IC50}
        parent = _live(model, {**drug, "C_btz": dose})
        half = model.parameters["EC50_btz"].value
        resistant = _live(model, {**drug, "C_btz": 20 * dose, "EC50_btz": 20 * half})
        assert resistant == pytest.approx(parent, rel=1e-8)


def test_bortezomib_acts_through_repair_and_protection_and_nothing_else(model: Model) -> None:
    """Neither NF-kB nor protein homeostasis has a term: with these four switched off, nothing is left."""
    drug = {"melflufen_medium": IC50, "f_btz_FA": 1.0, "f_btz_HR": 1.0, "s_MCL": 0.0, "s_NOXA": 0.0}
    assert _live(model, {**drug, "C_btz": 0.1}) == pytest.approx(_live(model, drug), rel=1e-9)
    assert not [name for name in model.parameters if "nf" in name.lower() and "kb" in name.lower()]


def test_a_day_of_bso_leaves_a_tenth_of_the_glutathione(values: dict[str, float]) -> None:
    """Synthesis falls to 1 - 0.9, turnover k stays: 0.1 + 0.9 exp(-24 k) of what was there."""
    left = 0.1 + 0.9 * np.exp(-24 * values["k_syn_G"])
    found = _result("combination_bso")["glutathione_before"].sel(arm="BSO_day_before")
    expected = [values["GSH0"] * left * factor for factor in (1, 2, 2)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_olaparib_alone_kills_no_line_because_all_breaks_come_from_adducts(model: Model) -> None:
    """What the model cannot say about synthetic lethality."""
    times = [0.0, DAYS]
    found = model.simulate(times, ["double_strand_breaks"], {"I_PARP": 1.0, "HR": 0.0, "NHEJ": 0.1})
    assert float(np.abs(found["double_strand_breaks"]).max()) == 0.0
