"""Melflufen in a patient: ledgers, closed forms, the dossier's numbers, and the shipped scenarios."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode import library
from myelode.engines import Tolerances
from myelode.model import Model, load_model
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import plan_scenario, simulate, simulate_plan

pytestmark = pytest.mark.xdist_group("melflufen patient")  # one worker compiles for all of them

FEW = settings(max_examples=8, deadline=None)
DOSE = 40e3 / 498.42
"""40 mg melflufen in umol."""
OVER = 0.5
"""Duration of an infusion in hours."""
ONE_STEP = """
id: one_step
title: one dose
model: melflufen
variant: {variant}
regimen:
  - {{at: 0 h, label: drug, {step}}}
observe: {{every: {every}, until: {until}, outputs: [{outputs}]}}
"""
MELFLUFEN = f"infuse: melflufen_iv, amount: {DOSE!r} umol, over: 30 min"
MELPHALAN = f"infuse: melphalan_iv, amount: {DOSE!r} umol, over: 30 min"
LABEL = {"V1_mf": 35.0, "Q_mf": 0.0, "CL_mf": 692.0}
"""One compartment, as on the US label."""
UNSATURATED = {"Km_AP": 1e9, "Km_EST": 1e9, "Km_AP_des": 1e9}
LEDGERS = "plasma_ledger, cell_ledger, joint_ledger, mustard_entered"
VALUES = st.fixed_dictionaries(
    {
        "fu_p": st.floats(0.01, 1.0),
        "N_tumour": st.floats(1e10, 1e13),
        "k_p": st.floats(100.0, 3000.0),
        "k_out_GS": st.floats(0.0, 2.0),
        "f_m": st.floats(0.3, 1.0),
        "EFF": st.floats(0.2, 4.0),
        "APN": st.floats(0.0, 5.0),
        "CL_mf": st.floats(200.0, 2000.0),
    }
)
PLASMA = "melflufen_plasma, melflufen_tissue, desethyl_plasma, melphalan_plasma, melphalan_tissue"


@pytest.fixture(scope="module")
def patient() -> Model:
    return load_model("melflufen", "patient")


@pytest.fixture(scope="module")
def plasma() -> Model:
    return load_model("melflufen", "plasma")


def _run(
    model: Model,
    outputs: str,
    changes: dict[str, float] | None = None,
    step: str = MELFLUFEN,
    engine: str = "auto",
    every: str = "3 min",
    until: str = "24 h",
) -> xr.Dataset:
    text = ONE_STEP.format(
        variant=model.variant, step=step, outputs=outputs, every=every, until=until
    )
    plan = plan_scenario(scenario_from_text(text), overrides=changes, model=model)
    return simulate_plan(plan, engine, Tolerances()).isel(perturbation=0)


def _parameters(model: Model) -> dict[str, float]:
    return {name: row.value for name, row in model.parameters.items()}


def _area(data: xr.DataArray) -> float:
    return float(np.trapezoid(data, data["time"]))


# ---------------------------------------------------------------- ledgers
@FEW
@given(changes=VALUES, milligrams=st.floats(1.0, 400.0))
def test_ledgers_close_while_cells_take_drug_from_plasma(
    patient: Model, changes: dict[str, float], milligrams: float
) -> None:
    step = f"infuse: melflufen_iv, amount: {milligrams!r} mg, over: 30 min"
    found = _run(patient, LEDGERS, {**changes, "sink": 1.0}, step)
    after = found.sel(time=slice(OVER + 1e-6, None))
    dose = milligrams * 1e3 / 498.42
    np.testing.assert_allclose(after["plasma_ledger"], dose, rtol=1e-9)
    np.testing.assert_allclose(after["joint_ledger"], dose, rtol=1e-9)
    assert float(abs(found["cell_ledger"]).max()) < 1e-9 * max(dose, _last(found))


@FEW
@given(changes=VALUES)
def test_ledgers_close_while_plasma_drives_the_cells(
    patient: Model, changes: dict[str, float]
) -> None:
    found = _run(patient, LEDGERS, changes)
    after = found.sel(time=slice(OVER + 1e-6, None))
    np.testing.assert_allclose(after["plasma_ledger"], DOSE, rtol=1e-9)
    assert float(abs(found["cell_ledger"]).max()) < 1e-9 * max(DOSE, _last(found))


def _last(found: xr.Dataset) -> float:
    """All mustard that ever entered the cells: what their ledger is the difference of."""
    return float(found["mustard_entered"][-1])


def test_drug_in_plasma_is_dosed_in_the_body_or_eliminated(plasma: Model) -> None:
    total = _run(plasma, "drug_total", {"f_m": 0.7})["drug_total"]
    np.testing.assert_allclose(total.sel(time=slice(OVER + 1e-6, None)), DOSE, rtol=1e-9)


def test_without_the_sink_plasma_does_not_know_of_the_cells(patient: Model, plasma: Model) -> None:
    alone = _run(plasma, PLASMA)
    driving = _run(patient, PLASMA, {"N_tumour": 1e13})
    for name in alone.data_vars:
        largest = float(abs(alone[name]).max())
        np.testing.assert_allclose(driving[name], alone[name], rtol=1e-7, atol=1e-9 * largest)


# ---------------------------------------------------------------- closed forms
def _phases(p: dict[str, float]) -> tuple[float, float, float, float]:
    """Rates of both phases of melflufen, and the size of each after a unit bolus, in 1/L."""
    k10, k12, k21 = p["CL_mf"] / p["V1_mf"], p["Q_mf"] / p["V1_mf"], p["Q_mf"] / p["V2_mf"]
    total, product = k10 + k12 + k21, k10 * k21
    fast = (total + np.sqrt(total**2 - 4 * product)) / 2
    slow = product / fast
    a = (fast - k21) / (fast - slow) / p["V1_mf"]
    return fast, slow, a, 1 / p["V1_mf"] - a


def test_a_bolus_of_melflufen_falls_in_two_phases(plasma: Model) -> None:
    found = _run(plasma, "melflufen_plasma", step=f"dose: melflufen_iv, amount: {DOSE!r} umol")
    time = found["time"].values
    fast, slow, a, b = _phases(_parameters(plasma))
    expected = DOSE * (a * np.exp(-fast * time) + b * np.exp(-slow * time))
    np.testing.assert_allclose(found["melflufen_plasma"], expected, rtol=1e-5, atol=1e-9)


def test_an_infusion_of_melflufen_is_the_integral_of_boluses(plasma: Model) -> None:
    found = _run(plasma, "melflufen_plasma")
    time = found["time"].values
    running, since = np.minimum(time, OVER), np.maximum(time - OVER, 0.0)
    expected = sum(
        DOSE / OVER * size / rate * (1 - np.exp(-rate * running)) * np.exp(-rate * since)
        for rate, size in np.reshape(np.array(_phases(_parameters(plasma))), (2, 2)).T
    )
    np.testing.assert_allclose(found["melflufen_plasma"], expected, rtol=1e-5, atol=1e-9)


def test_prodrug_in_the_cell_is_quasi_steady_below_saturation(patient: Model) -> None:
    """Under a long infusion MF_u = k_p u / (k_p + CL_AP + CL_EST)."""
    step = "infuse: melflufen_iv, rate: 10 umol/h, over: 20 h"
    found = _run(patient, "melflufen_unbound_cell, melflufen_outside", UNSATURATED, step)
    at = found.sel(time=19.0, method="nearest")
    p = _parameters(patient)
    expected = p["k_p"] / (p["k_p"] + p["CL_AP_c"] + p["CL_APN_i"] + p["CL_EST"])
    ratio = float(at["melflufen_unbound_cell"] / at["melflufen_outside"])
    assert ratio == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(500 / 1050, rel=1e-12)


def test_each_litre_of_cells_adds_its_clearance(patient: Model) -> None:
    """Entry and hydrolysis in a row, and the enzyme on the surface."""
    p = _parameters(patient)
    inside = p["CL_AP_c"] + p["CL_APN_i"] + p["CL_EST"]
    per_litre = p["k_p"] * inside / (p["k_p"] + inside) + p["CL_APN_e"]
    changes = {**UNSATURATED, "sink": 1.0, "fu_p": 0.2}
    area = _area(_run(patient, "melflufen_plasma", changes, every="0.5 min")["melflufen_plasma"])
    litres = p["N_tumour"] * p["v_cell"]
    assert DOSE / area == pytest.approx(p["CL_mf"] + 0.2 * litres * per_litre, rel=1e-3)
    assert per_litre == pytest.approx(262 + 60, rel=1e-3)


def test_dexamethasone_follows_the_bateman_function(patient: Model) -> None:
    step = "dose: dexamethasone_oral, amount: 40 mg, every: 7 d, times: 2"
    found = _run(patient, "dexamethasone_plasma, GR", step=step, every="30 min", until="10 d")
    p, time = _parameters(patient), found["time"].values
    rate, amount = p["CL_dex"] / p["V_dex"], 40e3 / p["MW_dex"]

    def bateman(since: np.ndarray) -> np.ndarray:
        size = p["F_dex"] * amount * p["ka_dex"] / (p["V_dex"] * (p["ka_dex"] - rate))
        return size * (np.exp(-rate * since) - np.exp(-p["ka_dex"] * since)) * (since >= 0)

    expected = bateman(time) + bateman(np.maximum(time - 168.0, 0.0)) * (time >= 168.0)
    np.testing.assert_allclose(found["dexamethasone_plasma"], expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found["GR"], expected / (expected + p["K_GR"]), atol=1e-6)


# ---------------------------------------------------------------- doses and integrators
@pytest.mark.parametrize(
    ("drug", "milligrams", "molar_mass"),
    [("melflufen_iv", 40.0, 498.42), ("melphalan_iv", 24.49, 305.20)],
)
def test_milligrams_and_micromoles_are_one_dose(
    patient: Model, drug: str, milligrams: float, molar_mass: float
) -> None:
    written = [f"{milligrams!r} mg", f"{milligrams * 1e3 / molar_mass!r} umol"]
    runs = [
        _run(patient, "melphalan_cell", step=f"infuse: {drug}, amount: {size}, over: 30 min")
        for size in written
    ]
    np.testing.assert_allclose(runs[0]["melphalan_cell"], runs[1]["melphalan_cell"], rtol=1e-9)


def test_forty_milligrams_are_equimolar_to_the_control(patient: Model) -> None:
    assert pytest.approx(80.25, rel=1e-4) == DOSE
    assert pytest.approx(DOSE, rel=1e-3) == 24.49e3 / 305.20


def test_another_integrator_gives_the_same_patient(patient: Model) -> None:
    outputs = "melphalan_plasma, melphalan_cell, crosslinks, gamma_h2ax, live_cells"
    changes = {"sink": 1.0, "N_tumour": 1e13}
    one, other = (
        _run(patient, outputs, changes, engine=engine, every="15 min", until="48 h")
        for engine in ("roadrunner", "scipy")
    )
    for name in one.data_vars:
        largest = float(abs(one[name]).max())
        np.testing.assert_allclose(other[name], one[name], atol=1e-6 * largest)


# ---------------------------------------------------------------- numbers of the dossier
@pytest.fixture(scope="module")
def exposure() -> Callable[[str, str], float]:
    result = evaluate(simulate(load_scenario("melflufen/patient_exposure")))

    def value(endpoint: str, perturbation: str) -> float:
        return float(result[endpoint].sel(perturbation=perturbation))

    return value


@pytest.mark.parametrize(
    ("endpoint", "perturbation", "expected"),
    [
        ("melflufen_auc", "label_one_compartment", 0.116),
        ("melphalan_auc", "label_one_compartment", 3.49),
        ("melphalan_cmax", "label_one_compartment", 687),
        ("whole", "label_one_compartment", 0.86),
        ("circulating", "label_one_compartment", 0.53),
        ("equimolar", "label_one_compartment", 0.53),
        ("whole", "label_one_compartment + unbound_1", 0.60),
        ("whole", "label_one_compartment + unbound_20", 1.83),
        ("over_equimolar", "label_one_compartment + unbound_1", 1.12),
        ("over_equimolar", "label_one_compartment", 1.61),
        ("over_equimolar", "label_one_compartment + unbound_20", 3.44),
        ("over_equimolar", "unbound_1", 1.11),
        ("over_equimolar", "none", 1.53),
        ("over_equimolar", "unbound_20", 3.10),
    ],
)
def test_exposure_is_that_of_the_dossier(
    exposure: Callable[[str, str], float], endpoint: str, perturbation: str, expected: float
) -> None:
    assert exposure(endpoint, perturbation) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("perturbation", ["none", "unbound_1", "unbound_20"])
def test_direct_and_circulating_melphalan_add_up(
    exposure: Callable[[str, str], float], perturbation: str
) -> None:
    assert exposure("superposition", perturbation) == pytest.approx(1.0, abs=0.01)


def test_clearances_are_dose_over_exposure(plasma: Model) -> None:
    after_melflufen = _run(plasma, "melflufen_plasma, melphalan_plasma", until="48 h")
    p = _parameters(plasma)
    melflufen = _area(after_melflufen["melflufen_plasma"])
    melphalan = _area(after_melflufen["melphalan_plasma"])
    assert DOSE / melflufen == pytest.approx(p["CL_mf"], rel=0.01)
    assert DOSE / melphalan == pytest.approx(p["CL_mel"], rel=0.01)


# ---------------------------------------------------------------- shipped scenarios
def test_repair_differs_between_patients_as_reported() -> None:
    """MELF-16: up to 16-fold; a population 8 to 32-fold wide is compatible."""
    result = evaluate(simulate(load_scenario("melflufen/patient_variability")))
    for rate in ("excision", "unhooking"):
        width = float(result[rate].max() / result[rate].min())
        assert 8 < width < 32
    assert float(result["adduct_loss"].max() / result["adduct_loss"].min()) < 8


def test_potency_of_desethyl_melflufen_alone_never_turns_the_sign() -> None:
    """Within its stated range, which was bounded by the sign of bestatin."""
    text = library.find_scenario("melflufen/inhibitor_signs").read_text()
    narrow = text.replace("{number: 200, seed: 1}", "{number: 30, seed: 1, vary: [rho_D]}")
    assert narrow != text
    result = evaluate(simulate(scenario_from_text(narrow)))
    for inhibitor in ("bestatin", "ebelactone_a"):
        ratio = result["damage_ratio"].sel(perturbation=inhibitor)
        assert float(ratio.max()) < 0.98


CLINICAL = sorted(name for name in library.scenarios() if name.startswith("melflufen/patient_"))


@pytest.mark.parametrize("name", CLINICAL)
def test_nothing_speaks_of_responses_or_survival(name: str) -> None:
    scenario = load_scenario(name)
    assert not scenario.responses
    said = " ".join([*scenario.endpoints, *(str(one.title) for one in scenario.endpoints.values())])
    assert not re.search("surviv|progression|respon|remission", said)


def test_a_clinical_result_carries_what_authorities_said() -> None:
    found = simulate(load_scenario("melflufen/patient_cycles"))
    assert "US approval withdrawn" in found.attrs["regulatory"]
    assert "hazard ratio 1.10" in found.attrs["regulatory"]
