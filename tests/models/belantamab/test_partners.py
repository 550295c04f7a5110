"""Partners: nothing changes by a single digit where they are absent, and each does what it should."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model

from .conditions import DAY, DISH, DOSE, cycles, half_dose, left, run

HOURS = np.linspace(0.0, 72.0, 13)
DAYS = np.linspace(0.0, 42 * DAY, 22)
OF_A_DISH = ["cells", "arrested", "payload_tubulin", "caspase_positive", "balance_payload"]
OF_A_PATIENT = [
    "tumour_cells",
    "M_protein",
    "ADC_total",
    "sBCMA_total",
    "occupancy_high",
    "cells_null",
]

ABSENT_IN_A_DISH = {
    "DNA repair": {"DNA_repair": 5.0},
    "bortezomib": {"brake_bortezomib": 0.1, "kill_bortezomib_well": 1.0},
    "dexamethasone": {"brake_dexamethasone": 0.1},
    "IKZF": {"brake_IKZF": 0.1, "NK_IKZF": 10.0},
    "effector cells": {"kAmax": 1.0, "Y50": 1.0, "afucosylation": 10.0},
    "stroma": {"brake_stroma": 0.1, "protection_stroma": 10.0},
    "venetoclax": {"kill_venetoclax": 1.0},
    "MK571": {"KiMK": 1.0},
    "elacridar": {"Ki_elacridar": 1.0},
    "inhibitor of gamma-secretase": {"IC50_GSI": 0.01},
}
ABSENT_IN_A_PATIENT = {
    "DNA repair": {"DNA_repair": 5.0},
    "IKZF": {"brake_IKZF": 0.1, "NK_IKZF": 10.0},
    "venetoclax": {"kill_venetoclax": 1.0},
    "kinetics with partners": {"Imax_combination": 3.0},
    "nirogacestat": {"fu_nirogacestat": 1.0, "V_nirogacestat": 1.0},
    "switches of soluble BCMA": {"sBCMA_ref": 500.0},
}
STATES_AT_ZERO = {
    "bortezomib": {"brake_bortezomib": 0.1, "kill_bortezomib_patient": 1.0},
    "dexamethasone": {"brake_dexamethasone": 0.1, "d_dexamethasone": 1.0},
    "immune state": {"k_im": 1.0, "k_dI": 0.1},
}
"""What could act through a state that stays zero: the integrator tries it, and steps differently."""


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


@pytest.mark.parametrize("partner", ABSENT_IN_A_DISH)
@pytest.mark.xdist_group("belantamab dish")
def test_what_is_not_in_the_well_has_exactly_no_effect(dish: Model, partner: str) -> None:
    drug = {0.0: {"ADC": 0.1}}
    changed = run(dish, HOURS, OF_A_DISH, ABSENT_IN_A_DISH[partner], drug)
    _same(run(dish, HOURS, OF_A_DISH, None, drug), changed)


@pytest.mark.parametrize("partner", ABSENT_IN_A_PATIENT)
@pytest.mark.xdist_group("belantamab patient")
def test_what_a_patient_is_not_given_has_exactly_no_effect(patient: Model, partner: str) -> None:
    changed = run(patient, DAYS, OF_A_PATIENT, ABSENT_IN_A_PATIENT[partner], cycles(2))
    _same(run(patient, DAYS, OF_A_PATIENT, None, cycles(2)), changed)


@pytest.mark.parametrize("partner", STATES_AT_ZERO)
@pytest.mark.xdist_group("belantamab patient")
def test_a_partner_that_was_never_dosed_has_no_effect(patient: Model, partner: str) -> None:
    changed = run(patient, DAYS, OF_A_PATIENT, STATES_AT_ZERO[partner], cycles(2))
    usual = run(patient, DAYS, OF_A_PATIENT, None, cycles(2))
    for name, values in usual.items():
        np.testing.assert_allclose(changed[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("ways", [{"effector_activity": 0.0}, {"kAmax": 0.0}])
@pytest.mark.xdist_group("belantamab patient")
def test_without_effector_cells_there_is_no_adcc(patient: Model, ways: dict[str, float]) -> None:
    """A clone that binds the drug and never arrests is not harmed."""
    deaf = {"access": 0.0, **ways}
    treated, alone = (run(patient, DAYS, ["cells_high"], deaf, d) for d in (cycles(2), None))
    np.testing.assert_allclose(treated["cells_high"], alone["cells_high"], rtol=1e-8)
    active = run(patient, DAYS, ["cells_high"], {"access": 0.0, "kAmax": 8e-4}, cycles(2))
    assert active["cells_high"][-1] < 0.9 * alone["cells_high"][-1]


@pytest.mark.xdist_group("belantamab dish")
def test_repair_of_dna_matters_only_after_slippage_and_only_if_asked_for(dish: Model) -> None:
    drug = {0.0: {"ADC": 1.0}}
    slips = {"kslip": 0.02}
    plain, repaired = (
        run(dish, HOURS, OF_A_DISH, {**slips, "DNA_repair": r}, drug) for r in (1, 5)
    )
    _same(plain, repaired)
    helped = run(dish, HOURS, OF_A_DISH, {**slips, "DNA_repair": 5.0, "w_repair": 1.0}, drug)
    assert helped["cells"][-1] > plain["cells"][-1]


@pytest.mark.xdist_group("belantamab dish")
def test_venetoclax_takes_away_protection_and_nothing_else(dish: Model) -> None:
    drug = {"ADC": 1.0}
    protected = {**DISH, "f_bcl": 5.0}
    plain, kept = left(dish, DISH, drug), left(dish, protected, drug)
    helped = left(dish, {**protected, "venetoclax": 1e5}, drug)
    assert plain < helped < plain + 0.1 * (kept - plain)
    alone = run(dish, HOURS, OF_A_DISH, DISH, {0.0: drug})
    _same(alone, run(dish, HOURS, OF_A_DISH, DISH, {0.0: {**drug, "venetoclax": 1e5}}))
    dependent = run(dish, HOURS, ["cells"], {**DISH, "BCL2_dependence": 1.0, "venetoclax": 1e5})
    assert dependent["cells"][-1] < 0.6 * run(dish, HOURS, ["cells"], DISH)["cells"][-1]


@pytest.mark.xdist_group("belantamab dish")
def test_inhibitors_rescue_only_the_pump_they_inhibit(dish: Model) -> None:
    pumped = {"mrp": {**DISH, "fMRP": 30.0}, "pgp": {**DISH, "VmP": 240.0, "KmP": 1000.0}}
    for pump, right in (("mrp", "MK571"), ("pgp", "elacridar")):
        resistant = half_dose(dish, pumped[pump])
        for inhibitor in ("MK571", "elacridar"):
            rescued = half_dose(dish, pumped[pump], spiked={inhibitor: 30_000.0})
            assert (rescued < 0.5 * resistant) == (inhibitor == right)


@pytest.mark.xdist_group("belantamab dish")
def test_a_partner_that_only_slows_division_weakens_the_payload(dish: Model) -> None:
    """Antagonism: fewer mitoses to arrest."""
    assert left(dish, {**DISH, "IKZF": 0.0}, {"ADC": 0.1}) > left(dish, DISH, {"ADC": 0.1})


@pytest.mark.xdist_group("belantamab patient")
def test_partners_of_a_patient_kill_and_fade(patient: Model) -> None:
    days = [0.0, 72.0, 21 * DAY]
    alone = run(patient, days, ["tumour_cells"])["tumour_cells"]
    for partner in ("bortezomib_effect", "dexamethasone_effect"):
        found = run(patient, days, ["tumour_cells", partner], None, {0.0: {partner: 1.0}})
        assert found["tumour_cells"][1] < alone[1]
        assert found[partner][2] < 1e-3


@pytest.mark.xdist_group("belantamab patient")
def test_loss_of_ikzf_strengthens_effector_cells(patient: Model) -> None:
    """Where the payload does nothing, and division is not braked."""
    deaf = {"access": 0.0, "brake_IKZF": 1.0, "kAmax": 8e-4, "NK_IKZF": 2.0}
    drug = {0.0: {"ADC_plasma": DOSE}}
    usual, helped = (run(patient, DAYS, ["cells_high"], {**deaf, "IKZF": i}, drug) for i in (1, 0))
    assert helped["cells_high"][-1] < 0.9 * usual["cells_high"][-1]
