"""The patient: kinetics in closed form, ledgers that close, and what each change of a patient does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import expm

from myelode.compound_fit import value_in_model
from myelode.model import Model, load_model
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from .conditions import numbers

pytestmark = pytest.mark.xdist_group("cereblon patient")  # one worker compiles for all of them

DRUGS = {"lenalidomide": 25.0, "pomalidomide": 4.0, "iberdomide": 1.6, "mezigdomide": 1.0}  # mg
OUTPUTS = (
    "drug_plasma", "S_plasma", "R_plasma", "S_share_plasma", "urine", "metabolised",
    "not_absorbed", "S_central", "R_central", "S_peripheral", "R_peripheral", "S_gut", "R_gut",
    *(f"{form}_transit_{step}" for form in "SR" for step in (1, 2, 3)),
)  # fmt: skip
POOLS = OUTPUTS[4:]
HOURS = np.linspace(0.0, 400.0, 401)
TIGHT = 1e-10


@pytest.fixture(scope="module")
def patient() -> Model:
    return load_model("cereblon", "patient")


def _values(patient: Model, drug: str) -> dict[str, float]:
    rows = patient.compounds.rows(drug)
    return {name: value_in_model(row, patient.entities[name]) for name, row in rows.items()}


def _nmol(patient: Model, drug: str) -> float:
    return DRUGS[drug] * 1e-6 / _values(patient, drug)["molar_mass"] * 1e9


def _run(
    patient: Model, drug: str, changes: Mapping[str, float] | None = None,
    share: float | None = None, times: np.ndarray = HOURS, outputs: tuple[str, ...] = OUTPUTS,
) -> xr.Dataset:  # fmt: skip
    """One dose of the drug in the gut at time zero."""
    values, dose = _values(patient, drug), _nmol(patient, drug)
    share = values["share_S"] if share is None else share
    gut = {"S_gut": share * dose, "R_gut": (1 - share) * dose}
    return patient.simulate(times, outputs, {**values, **gut, **(changes or {})}, rtol=TIGHT)


def _end(data: xr.Dataset, *names: str) -> float:
    return sum(float(data[name][-1]) for name in names)


@pytest.mark.parametrize("drug", DRUGS)
def test_the_area_is_the_dose_over_clearance(patient: Model, drug: str) -> None:
    """What is excreted at the end is renal clearance times the area, exactly."""
    values, data = _values(patient, drug), _run(patient, drug)
    area = _end(data, "urine") / (values["f_renal"] * values["CL_F"])
    assert area == pytest.approx(_nmol(patient, drug) / values["CL_F"], rel=1e-6)
    fine = _run(patient, drug, times=np.linspace(0, 400, 40_001), outputs=("drug_plasma",))
    sampled = np.trapezoid(fine["drug_plasma"], fine["time"])
    assert sampled == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize("drug", DRUGS)
def test_no_drug_is_made_or_lost(patient: Model, drug: str) -> None:
    data = _run(patient, drug, {"food_extent": 0.7, "CYP3A4_gut": 2.0, "t_half_ee": 3.0})
    total = sum(data[name] for name in POOLS)
    np.testing.assert_allclose(total, _nmol(patient, drug), rtol=1e-9)
    assert _end(data, "not_absorbed") > 0


def _matrix(values: Mapping[str, float], steps: int = 4) -> np.ndarray:
    """The linear system of one enantiomer without inversion: gut, transits, central, peripheral."""
    k_tr, v_1, v_2 = steps / values["t_absorption"], values["V_central"], values["V_peripheral"]
    matrix = np.diag([-k_tr] * steps, 0) + np.diag([k_tr] * (steps - 1), -1)
    whole = np.zeros((steps + 2, steps + 2))
    whole[:steps, :steps] = matrix
    whole[steps, steps - 1] = k_tr
    whole[steps:, steps:] = [
        [-(values["CL_F"] + values["Q_F"]) / v_1, values["Q_F"] / v_2],
        [values["Q_F"] / v_1, -values["Q_F"] / v_2],
    ]
    return whole


@pytest.mark.parametrize("drug", DRUGS)
def test_two_compartments_are_the_matrix_exponential(patient: Model, drug: str) -> None:
    values, times = _values(patient, drug), np.array([0.5, 1.0, 2.0, 5.0, 12.0, 24.0, 48.0])
    start = np.array([_nmol(patient, drug), 0, 0, 0, 0, 0])
    matrix = _matrix(values)
    expected = [(expm(matrix * time) @ start)[4] / values["V_central"] for time in times]
    data = _run(patient, drug, times=np.append(0.0, times))
    np.testing.assert_allclose(data["drug_plasma"][1:], expected, rtol=1e-6)


@pytest.mark.parametrize("t_half_ee", [0.5, 9.0, 200.0])
def test_a_racemate_stays_level_whatever_the_inversion(patient: Model, t_half_ee: float) -> None:
    """So a racemate cannot tell how fast its enantiomers turn into each other."""
    data = _run(patient, "lenalidomide", {"t_half_ee": t_half_ee}, times=HOURS[:49])
    np.testing.assert_allclose(data["S_plasma"], data["R_plasma"], rtol=1e-12)
    np.testing.assert_allclose(data["S_share_plasma"][1:], 0.5, rtol=1e-6)


def test_a_pure_enantiomer_converges_with_the_racemate(patient: Model) -> None:
    times = np.linspace(0, 24, 25)
    pure, mirror = (_run(patient, "lenalidomide", share=s, times=times) for s in (1.0, 0.0))
    racemate = _run(patient, "lenalidomide", times=times)
    np.testing.assert_allclose(pure["drug_plasma"], racemate["drug_plasma"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(pure["S_plasma"], mirror["R_plasma"], rtol=1e-6, atol=1e-6)
    excess = 2 * pure["S_share_plasma"].values - 1
    assert excess[1] > 0.8
    assert abs(excess[-1]) < 0.01
    assert np.all(np.diff(excess[1:]) < 0)


def test_the_excess_in_the_body_falls_at_the_rate_of_racemisation(patient: Model) -> None:
    """Inversion goes on in both compartments and not in the gut."""
    values = numbers(patient)
    catalysis = (1 + 11.4 * values["albumin_plasma"] + 0.028 * values["phosphate_plasma"]) / (
        1 + 11.4 * values["albumin_reference"] + 0.028 * values["phosphate_reference"]
    )
    k_rac = np.log(2) / 9.0 * catalysis
    start = {"S_gut": 0.0, "R_gut": 0.0, "S_central": 1000.0}
    data = patient.simulate(np.linspace(0, 8, 9), ["S_share_plasma"], start, rtol=TIGHT)
    np.testing.assert_allclose(
        2 * data["S_share_plasma"] - 1, np.exp(-k_rac * data["time"]), rtol=1e-6
    )


@pytest.mark.parametrize("clearance", [0.2, 0.5, 2.0])
def test_the_kidneys_act_on_the_renal_part_alone(patient: Model, clearance: float) -> None:
    usual, changed = (
        _run(patient, "lenalidomide", {"creatinine_clearance": c}) for c in (1.0, clearance)
    )
    renal, rest = 0.83, 0.17
    share = renal * clearance / (renal * clearance + rest)
    dose = _nmol(patient, "lenalidomide")
    assert _end(usual, "urine") == pytest.approx(renal * dose, rel=1e-6)
    assert _end(changed, "urine") == pytest.approx(share * dose, rel=1e-6)
    # the non-renal clearance is the same: metabolised over area does not move
    areas = [_end(data, "metabolised") for data in (usual, changed)]
    assert areas[1] / areas[0] == pytest.approx(1 / (renal * clearance + rest), rel=1e-6)


def _area(data: xr.Dataset, values: Mapping[str, float]) -> float:
    return _end(data, "urine") / (values["f_renal"] * values["CL_F"])


@pytest.mark.parametrize("drug", ["lenalidomide", "pomalidomide"])
def test_the_rate_of_absorption_moves_the_peak_and_not_the_area(patient: Model, drug: str) -> None:
    values = _values(patient, drug)
    usual, slow = (_run(patient, drug, {"food_delay": delay}) for delay in (1.0, 4.0))
    assert _area(slow, values) == pytest.approx(_area(usual, values), rel=1e-6)
    assert float(slow["drug_plasma"].max()) < 0.7 * float(usual["drug_plasma"].max())


@pytest.mark.parametrize("extent", [0.5, 1.2])
def test_the_extent_of_absorption_scales_everything(patient: Model, extent: float) -> None:
    usual, changed = (_run(patient, "iberdomide", {"food_extent": e}) for e in (1.0, extent))
    np.testing.assert_allclose(
        changed["drug_plasma"], extent * usual["drug_plasma"], rtol=1e-6, atol=1e-12
    )
    assert _end(changed, "urine") == pytest.approx(extent * _end(usual, "urine"), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "extent", "clearance"),
    [
        ({"CYP3A4": 0.0}, 1.0, 1 - 0.9 * 0.62),
        ({"CYP3A4": 3.0}, 1.0, 1 + 2 * 0.9 * 0.62),
        ({"CYP3A4_gut": 0.0}, 1 / 0.95, 1.0),
        ({"CYP3A4_gut": 11.0}, 1 / 1.5, 1.0),
        ({"F_gut_pgp": 0.5, "pgp_gut": 0.0}, 2.0, 1.0),
        ({"pgp_gut": 0.0}, 1.0, 1.0),
        ({"MDR1": 3.0}, 1.0, 1.0),
    ],
)
def test_liver_gut_and_pumps_act_each_on_their_own(
    patient: Model, changes: dict[str, float], extent: float, clearance: float
) -> None:
    times = np.linspace(0, 1500, 301)
    usual, changed = (_run(patient, "iberdomide", c, times=times) for c in ({}, changes))
    renal = 0.1  # renal clearance stays, so that urine follows the area
    dose = _nmol(patient, "iberdomide")
    assert _end(usual, "urine") == pytest.approx(renal * dose, rel=1e-6)
    assert _end(changed, "urine") == pytest.approx(renal * dose * extent / clearance, rel=1e-6)


def test_p_glycoprotein_of_the_tumour_does_not_reach_plasma(patient: Model) -> None:
    outputs = ("drug_plasma", "S_cell", "IKZF1_level")
    runs = [
        _run(patient, "lenalidomide", changes, times=HOURS[:49], outputs=outputs)
        for changes in ({}, {"MDR1": 1.0}, {"MDR1": 1.0, "I_pgp": 1.0})
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run["drug_plasma"], runs[0]["drug_plasma"], rtol=1e-6)
    assert float(runs[1]["S_cell"].max()) < 0.5 * float(runs[0]["S_cell"].max())
    assert float(runs[1]["IKZF1_level"].min()) > float(runs[0]["IKZF1_level"].min())
    np.testing.assert_allclose(runs[2]["IKZF1_level"], runs[0]["IKZF1_level"], rtol=1e-6)


@pytest.mark.parametrize("drug", ["lenalidomide", "pomalidomide", "mezigdomide"])
def test_the_cell_sees_the_unbound_drug(patient: Model, drug: str) -> None:
    outputs = ("drug_plasma", "S_outside", "R_outside", "drug_outside")
    data = _run(patient, drug, {"fu_medium": 0.8}, times=HOURS[:25], outputs=outputs)
    unbound = _values(patient, drug)["fu_plasma"] * data["drug_plasma"]
    np.testing.assert_allclose(data["drug_outside"], unbound, rtol=1e-9, atol=1e-12)
    whole = data["S_outside"] + data["R_outside"]
    np.testing.assert_allclose(0.8 * whole, unbound, rtol=1e-9, atol=1e-12)


def test_daily_doses_accumulate_as_superposition_says(patient: Model) -> None:
    """Linear kinetics: the tenth interval is the sum of ten single doses."""
    text = """
id: daily
title: daily doses
model: cereblon
variant: patient
compound: iberdomide
regimen: [{at: 0 h, dose: drug_oral, amount: 1.6 mg, every: 24 h, times: 10}]
observe: {every: 4 h, until: 240 h, outputs: [drug_plasma]}
endpoints: {auc: {of: drug_plasma, take: auc, from: 216 h}}
"""
    result = simulate(scenario_from_text(text))["drug_plasma"].squeeze()
    single = _run(patient, "iberdomide", times=np.arange(0.0, 241.0, 4.0))["drug_plasma"]
    for time in (216 + 4, 216 + 12, 216 + 20):
        parts = [float(single.sel(time=time - 24 * day)) for day in range(10)]
        assert float(result.sel(time=time)) == pytest.approx(sum(parts), rel=1e-5)


def test_a_dose_in_mg_is_the_same_dose_in_nmol(patient: Model) -> None:
    text = """
id: two
title: two ways to say a dose
model: cereblon
variant: patient
compounds: [lenalidomide, S-lenalidomide, mezigdomide]
arms:
  mass: [{at: 0 h, dose: drug_oral, amount: 10 mg}]
  substance: [{at: 0 h, dose: drug_oral, amount: 38.5713183676618 umol}]
observe: {every: 2 h, until: 12 h, outputs: [drug_plasma]}
endpoints: {peak: {of: drug_plasma, take: max}}
"""
    peak = evaluate(simulate(scenario_from_text(text)))["peak"].sel(perturbation="none")
    ratio = peak.sel(arm="mass") / peak.sel(arm="substance")
    np.testing.assert_allclose(ratio, [1, 1, 259.26 / 567.6], rtol=1e-7)


def test_a_dish_at_the_mean_level_is_the_patient_without_peaks() -> None:
    text = """
id: level
title: a constant level
model: cereblon
variant: {variant}
set: {{t_half_ee: 9 h{stable}}}
regimen: [{{at: 0 h, {step}}}]
observe: {{every: 1 h, until: 120 h, outputs: [drug_outside, IKZF1_level, IKZF3_level]}}
endpoints: {{level: {{of: drug_outside, take: value, at: 119 h}}}}
"""
    drip = text.format(
        variant="patient", stable="", step="infuse: drug_oral, rate: 25 mg/d, over: 120 h"
    )
    patient = simulate(scenario_from_text(drip)).isel(perturbation=0).sel(time=119)
    unbound = float(patient["drug_outside"])
    assert unbound == pytest.approx(0.74 * 25e6 / 259.26 / 24 / 11.74, rel=1e-4)
    step = f"dose: drug_medium, to: {unbound} nM"
    stable = ", t_half_hydrolysis: 1e9 h"
    dish = simulate(scenario_from_text(text.format(variant="dish", stable=stable, step=step)))
    for name in ("IKZF1_level", "IKZF3_level"):
        level = dish[name].isel(perturbation=0).sel(time=119).item()
        assert level == pytest.approx(patient[name].item(), rel=1e-3)
