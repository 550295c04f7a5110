"""Limits, a second integrator, the Jacobian, and runs that must not fail however empty they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode import sbml
from myelode.model import Model

from .conditions import DAY, DISH, DOSE, ONE_CLONE, PATIENT, cycles, left, run

HOURS = np.linspace(0.0, 72.0, 13)
in_dish = pytest.mark.xdist_group("belantamab dish")
in_patient = pytest.mark.xdist_group("belantamab patient")
VARIANTS = [
    pytest.param("dish", marks=in_dish), pytest.param("fragment", marks=in_dish),
    pytest.param("patient", marks=in_patient), pytest.param("mechanistic", marks=in_patient),
]  # fmt: skip


@pytest.fixture
def variant(request: pytest.FixtureRequest) -> Model:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
def test_libsbml_finds_nothing_to_say(variant: Model) -> None:
    assert sbml.findings(variant.sbml) == ([], [])


def _rates(model: Model, values: Mapping[str, float], drug: str) -> np.ndarray:
    """Rates at which the system relaxes just after a dose, as libRoadRunner linearises it."""
    runner = roadrunner.RoadRunner(model.sbml)
    for name, value in values.items():
        runner[name] = value
    runner.reset()
    runner[f"[{drug}]"] = DOSE
    return np.abs(np.linalg.eigvals(np.asarray(runner.getReducedJacobian())).real)


@in_dish
def test_jacobian_of_a_dish_can_be_taken_and_is_stiff(dish: Model) -> None:
    """There are true reactions behind all species: rules alone have no Jacobian there."""
    rates = _rates(dish, DISH, "ADC")
    assert len(rates) == sum(e.kind == "species" and not e.boundary for e in dish.entities.values())
    assert rates.max() / rates[rates > 1e-4].min() > 1e5


@in_patient
def test_stiffness_of_a_patient_after_a_dose_is_as_printed(mechanistic: Model) -> None:
    """Rates up to 1960 per hour in the prototype of one clone."""
    assert _rates(mechanistic, PATIENT, "ADC_plasma").max() == pytest.approx(1960.0, rel=0.25)


@in_dish
def test_a_second_integrator_agrees_on_a_dish(dish: Model) -> None:
    names = [*dish.species(), "cells", "occupancy", "sBCMA_elisa_mass", "caspase_positive"]
    doses = {0.0: {"ADC": 0.1, "MK571": 1000.0}, 24.0: {"sBCMA": 5.0, "bortezomib": 3.0}}
    _agree(dish, HOURS, names, doses)


@in_patient
def test_a_second_integrator_agrees_on_a_patient(patient: Model) -> None:
    names = [*patient.species(), "M_protein", "keratopathy", "sBCMA_elisa_mass", "CL_now"]
    doses = {0.0: {"ADC_plasma": DOSE, "bortezomib_effect": 1.0}}
    _agree(patient, np.array([0.0, 6.0, 48.0]), names, doses)


def _agree(model: Model, times: np.ndarray, names: list[str], doses: dict) -> None:
    names = list(dict.fromkeys(names))
    runs = [run(model, times, names, None, doses, engine) for engine in ("roadrunner", "scipy")]
    for name in names:
        one, other = (found[name] for found in runs)
        size = max(np.abs(one).max(), 1e-9)
        assert np.abs(one - other).max() < 1e-6 * size, name


@in_dish
def test_without_drug_nothing_is_taken_up_and_cells_double(dish: Model) -> None:
    names = ["cells", "antibody_cell", "payload_cell", "arrested", "dead", "BCMA"]
    changes = {"T_div": 36.0, "capacity": 1e30, "cells_seeded": 1000.0}
    found = run(dish, HOURS, names, changes)
    np.testing.assert_allclose(found["cells"], 1000.0 * 2 ** (HOURS / 36.0), rtol=1e-6)
    np.testing.assert_allclose(found["BCMA"], found["BCMA"][0], rtol=1e-9)
    assert all((found[name] == 0).all() for name in names[1:5])


@in_dish
def test_without_cells_drug_stays_and_only_binds_what_was_spiked(dish: Model) -> None:
    names = ["ADC", "ADC_total", "sBCMA_total", "receptor_occupancy"]
    doses = {0.0: {"ADC": 1.0, "sBCMA": 2.0}}
    found = run(dish, HOURS, names, {"cells_seeded": 0.0}, doses)
    np.testing.assert_allclose(found["ADC_total"][1:], 1.0, rtol=1e-9)
    np.testing.assert_allclose(found["sBCMA_total"][1:], 2.0, rtol=1e-9)
    assert found["ADC"][-1] < 0.3


@pytest.mark.parametrize(
    "changes", [{"R0": 0.0}, {"f_Lys": 0.0}, {"epitope": 0.0}, {"kintc": 1e-15}]
)
@in_dish
def test_a_break_anywhere_on_the_way_leaves_cells_untouched(dish: Model, changes: dict) -> None:
    names = ["cells", "payload_tubulin", "arrested"]
    found = run(dish, HOURS, names, changes, {0.0: {"ADC": 10.0}})
    assert np.abs(found["payload_tubulin"]).max() < 1e-3
    assert np.abs(found["arrested"]).max() < 1e-9


@in_dish
def test_more_shedding_of_ligated_bcma_makes_the_drug_weaker(dish: Model) -> None:
    cells = [left(dish, {**DISH, "f_sh": f_sh}, {"ADC": 0.02}) for f_sh in (0.0, 0.5, 1.0)]
    assert (np.diff(cells) > 0).all()


@in_dish
def test_more_bcma_and_more_drug_leave_fewer_cells(dish: Model) -> None:
    by_copies = [left(dish, {**DISH, "R0": r}, {"ADC": 0.1}) for r in (300, 1e3, 3e3, 1e4, 3e4)]
    assert (np.diff(by_copies) < 0).all()
    by_dose = [left(dish, DISH, {"ADC": dose}) for dose in np.geomspace(1e-4, 1e4, 9)]
    assert (np.diff(by_dose) < 1e-7).all()


EMPTY = {
    "no tumour": {"N0": 1e-9},
    "no BCMA": {"R0_patient": 0.0},
    "no BCMA and no other source": {"R0_patient": 0.0, "normal_source": 0.0},
    "one clone": ONE_CLONE,
    "all null": {**ONE_CLONE, "clone_high": 0.0, "clone_null": 1.0},
    "all quiet": {"q": 0.99},
    "crowded": {"K_max": 1e11},
    "no access to the marrow": {"CLb": 1e-12},
    "all inhibited": {"Igs_0": 1.0},
}


@pytest.mark.parametrize("name", EMPTY)
@in_patient
def test_empty_patients_run_and_give_numbers(patient: Model, name: str) -> None:
    """Whatever is zero, every output is a number and none is below zero by more than noise."""
    outputs = [*patient.species(), "M_protein", "free_light_chain", "keratopathy", "H_score"]
    outputs += ["BCMA_mean", "share_null", "receptor_occupancy", "sBCMA_elisa_mass", "ADC_tumour"]
    times = np.linspace(0.0, 42 * DAY, 8)
    found = run(patient, times, list(dict.fromkeys(outputs)), EMPTY[name], cycles(2))
    signed = {"ADC_entered", "sBCMA_released", "ADC_released", "payload_released"}
    signed.add("payload_effluxed")  # net of what enters
    for output, values in found.items():
        assert np.isfinite(values).all(), output
        floor = -np.inf if output in signed else -1e-6 * max(1.0, np.abs(values).max())
        assert values.min() >= floor, output


@settings(max_examples=5)
@given(
    low=st.floats(0.0, 0.3), null=st.floats(0.0, 0.3), quiet=st.floats(0.0, 0.9),
    access=st.floats(0.0, 1.0), copies=st.floats(0.0, 2e4), cells=st.floats(1e6, 2e12),
    dose=st.floats(0.0, 5 * DOSE),
)  # fmt: skip
@in_patient
def test_shares_of_a_patient_stay_shares(
    patient: Model, low: float, null: float, quiet: float, access: float, copies: float,
    cells: float, dose: float,
) -> None:  # fmt: skip
    changes = {
        "clone_high": 1 - low - null, "clone_low": low, "clone_null": null, "clone_mutant": 0.0,
        "q": quiet, "access": access, "R0_patient": copies, "N0": cells,
    }  # fmt: skip
    shares = [
        f"{of}_{clone}"
        for of in ("arrested", "quiescent", "occupancy", "arrest")
        for clone in ("high", "low", "null")
    ]
    shares += ["share_low", "share_null", "share_mutant", "receptor_occupancy", "keratopathy"]
    found = run(patient, np.linspace(0.0, 42 * DAY, 8), shares, changes, cycles(2, dose))
    for name, values in found.items():
        assert values.min() > -1e-9, name
        assert values.max() < 1 + 1e-9, name
