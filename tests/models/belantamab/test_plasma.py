"""Kinetics in plasma: the published rows in mode A, and closed forms of two compartments."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from myelode.engines import Tolerances
from myelode.model import Model
from myelode.scenario import scenario_from_text
from myelode.simulation import plan_scenario, simulate_plan

from . import oracles
from .conditions import CYCLE, DAY, DOSE, NEVER, ONE_CLONE, run

pytestmark = pytest.mark.xdist_group("belantamab patient")  # one worker compiles for all of them

INFUSED = """
id: rows
title: ten cycles at three doses
model: belantamab
variant: patient
arms:
  low: [{at: 0 h, infuse: drug_iv, amount: 1.9 mg/kg, over: 30 min, every: 21 d, times: 10}]
  usual: [{at: 0 h, infuse: drug_iv, amount: 2.5 mg/kg, over: 30 min, every: 21 d, times: 10}]
  high: [{at: 0 h, infuse: drug_iv, amount: 3.4 mg/kg, over: 30 min, every: 21 d, times: 10}]
observe: {every: 2 h, until: 210 d, outputs: [ADC_total_mass]}
endpoints: {peak: {of: ADC_total_mass, take: max}}
"""
PUBLISHED = {"Cmax": 44.2, "Cavg": 7.86, "Ctau": 2.05}
"""Typical patient at 2.5 mg/kg in the first cycle, ug/mL."""
PROTOTYPE = {"low": (33.7, 5.96, 1.55), "usual": (44.4, 7.85, 2.04), "high": (60.3, 10.67, 2.77)}
TENTH_CYCLE = (50.3, 14.1, 6.0)
NO_TUMOUR = {**ONE_CLONE, "R0_patient": 0.0, "normal_source": 0.0}


@pytest.fixture(scope="module")
def infused(patient: Model) -> xr.DataArray:
    plan = plan_scenario(scenario_from_text(INFUSED), model=patient)
    return simulate_plan(plan, "auto", Tolerances())["ADC_total_mass"].isel(perturbation=0)


def _rows(infused: xr.DataArray, arm: str, cycle: int) -> tuple[float, float, float]:
    """Peak, mean and trough of one cycle."""
    end = cycle * CYCLE
    window = infused.sel(arm=arm).sel(time=slice(end - CYCLE, np.nextafter(end, 0.0)))
    mean = np.trapezoid(window, window["time"]) / CYCLE
    return float(window.max()), float(mean), float(window[-1])


def test_typical_patient_has_the_published_exposure(infused: xr.DataArray) -> None:
    rows = _rows(infused, "usual", 1)
    np.testing.assert_allclose(rows, list(PUBLISHED.values()), rtol=0.01)


@pytest.mark.parametrize("arm", PROTOTYPE)
def test_first_cycle_is_that_of_the_prototype(infused: xr.DataArray, arm: str) -> None:
    np.testing.assert_allclose(_rows(infused, arm, 1), PROTOTYPE[arm], rtol=0.005)


def test_tenth_cycle_is_that_of_the_prototype(infused: xr.DataArray) -> None:
    np.testing.assert_allclose(_rows(infused, "usual", 10), TENTH_CYCLE, rtol=0.01)


def _flow(patient: Model, **changes: float) -> dict[str, float]:
    names = ("CL_now", "Q", "V_c", "V_p")
    found = run(patient, [0.0, 1.0], names, changes)
    return {name: float(values[-1]) for name, values in found.items()}


AT_ONCE = {"TI50": 1e-6}  # clearance has changed by all it will from the start


@pytest.mark.parametrize(
    ("changes", "days"),
    [({}, 13.0), (AT_ONCE, 16.8), ({**AT_ONCE, "combination": 1.0}, 19.1)],
)
def test_half_lives_are_the_published_ones(patient: Model, changes: dict, days: float) -> None:
    """First dose, steady state alone, steady state with partners."""
    slow = oracles.rates_of_two(*_flow(patient, **changes).values()).min()
    assert oracles.LN2 / slow / DAY == pytest.approx(days, rel=0.01)


def test_fast_half_life_and_volume_are_those_of_the_prototype(patient: Model) -> None:
    flow = _flow(patient)
    fast = oracles.rates_of_two(*flow.values()).max()
    assert oracles.LN2 / fast / DAY == pytest.approx(1.57, rel=0.01)
    assert flow["V_c"] + flow["V_p"] == pytest.approx(10.8, rel=0.01)


@pytest.mark.parametrize(("combination", "decline"), [(0.0, 0.332), (1.0, 0.440)])
def test_clearance_declines_in_the_long_run_as_published(
    patient: Model, combination: float, decline: float
) -> None:
    changes = {"combination": combination, "N0": 1e6}
    found = run(patient, [0.0, 4000 * DAY], ["CL_now"], changes)["CL_now"]
    assert 1 - found[-1] / found[0] == pytest.approx(decline, rel=0.01)


@pytest.mark.parametrize("decoy", [0.0, 2.0])
def test_total_adc_falls_by_the_closed_form_whatever_the_decoy(
    patient: Model, decoy: float
) -> None:
    """Mode A: binding divides the total and does not change it; clearance held at its first value."""
    times = np.array([0.0, 1.0, 5.0, 24.0, 100.0, 500.0, 1000.0])
    changes = {**NO_TUMOUR, "TI50": NEVER, "extra_source": decoy}
    found = run(patient, times, ["ADC_total"], changes, {0.0: {"ADC_plasma": DOSE}})["ADC_total"]
    flow = _flow(patient, **changes)
    expected = oracles.infused_level(times, DOSE, 1e-6, *flow.values())
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-6)


def test_mode_b_without_binding_is_linear_too(mechanistic: Model) -> None:
    """Nothing binds and nothing enters the marrow: two compartments and linear clearance."""
    times = np.array([0.0, 1.0, 24.0, 100.0, 500.0])
    changes = {**NO_TUMOUR, "CLb": 0.0}
    found = run(mechanistic, times, ["ADC_total"], changes, {0.0: {"ADC_plasma": DOSE}})
    expected = oracles.infused_level(times, DOSE, 1e-6, *_flow(mechanistic, **changes).values())
    np.testing.assert_allclose(found["ADC_total"][1:], expected[1:], rtol=1e-6)


def test_soluble_bcma_moves_clearance_in_mode_a_only_by_its_switches(patient: Model) -> None:
    base = _flow(patient)
    assert _flow(patient, extra_source=5.0) == base
    moved = _flow(patient, extra_source=5.0, theta_CL_sBCMA=0.1)
    assert moved["CL_now"] > base["CL_now"]
    assert moved["V_c"] == base["V_c"]
