"""Degradation at steady state: one ligand, mixtures of ligands, and efflux."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.model import Model

from . import oracles
from .conditions import (
    FEW_CELLS,
    NEOSUBSTRATES,
    SHORT_CHAIN,
    STABLE_DRUG,
    compound,
    dosed,
    numbers,
)

pytestmark = pytest.mark.xdist_group("cereblon core")  # one worker compiles for all of them

STEADY = [0.0, 800.0]
LIGANDS = np.geomspace(1.0, 1e4, 9)
GLUES = ("lenalidomide", "pomalidomide", "thalidomide", "iberdomide", "mezigdomide")


def _level(model: Model, changes: dict) -> np.ndarray:
    changes = {**SHORT_CHAIN, **changes, **STABLE_DRUG}
    return model.simulate(STEADY, ["IKZF1_level"], changes)["IKZF1_level"].values[..., -1]


def _expected(model: Model, ligands: list[tuple], k_on: float | None = None) -> np.ndarray:
    value = numbers(model)
    k_deg = oracles.LN2 / value["t_half_IKZF1"]
    k_on = k_on or value["k_on"]
    return oracles.remaining(ligands, value["C_T"], value["K_EP_IKZF1"], value["kcat"], k_deg, k_on)


@pytest.mark.parametrize("k_on", [0.36, 3.6, 36.0])
@pytest.mark.parametrize("name", GLUES)
def test_dilute_substrate_is_degraded_to_the_level_of_the_closed_form(
    dilute: Model, name: str, k_on: float
) -> None:
    drug = compound(dilute, name)
    found = _level(dilute, {**drug, "k_on": k_on, "S_outside": LIGANDS})
    ligand = (LIGANDS, drug["K_S"], drug["alpha_IKZF1"])
    np.testing.assert_allclose(found, _expected(dilute, [ligand], k_on), rtol=1e-4)


def test_enantiomers_and_a_second_compound_share_the_ligase_as_the_closed_form_says(
    dilute: Model,
) -> None:
    second = compound(dilute, "mezigdomide")
    changes = {
        "S_outside": LIGANDS, "R_outside": 3 * LIGANDS[::-1], "X_outside": 0.3,
        "K_S_X": second["K_S"], "rho_X": second["rho"], "share_S_X": 1.0,
        "alpha_X_IKZF1": second["alpha_IKZF1"], "alpha_ratio": 0.4,
    }  # fmt: skip
    value = numbers(dilute)
    ligands = [
        (LIGANDS, value["K_S"], value["alpha_IKZF1"]),
        (3 * LIGANDS[::-1], value["K_S"] * value["rho"], 0.4 * value["alpha_IKZF1"]),
        (0.3, second["K_S"], second["alpha_IKZF1"]),
    ]
    np.testing.assert_allclose(_level(dilute, changes), _expected(dilute, ligands), rtol=1e-4)


def test_racemate_as_second_compound_has_the_affinity_of_both_enantiomers_together(
    dilute: Model,
) -> None:
    """1 / K_X = (share_S + share_R / rho) / K_S, exact where both cooperate alike."""
    value = numbers(dilute)
    as_drug = _level(dilute, {"S_outside": LIGANDS / 2, "R_outside": LIGANDS / 2})
    same = {"K_S_X": value["K_S"], "rho_X": value["rho"], "alpha_X_IKZF1": value["alpha_IKZF1"]}
    as_second = _level(dilute, {**same, "share_S_X": 0.5, "X_outside": LIGANDS})
    np.testing.assert_allclose(as_second, as_drug, rtol=1e-4)


def test_residual_weak_glue_helps_little_of_a_strong_one_and_hinders_much(dilute: Model) -> None:
    """A partial agonist: what is left over of lenalidomide under a titration of mezigdomide."""
    strong = compound(dilute, "mezigdomide")
    partner = {"K_S_X": strong["K_S"], "share_S_X": 1.0, "alpha_X_IKZF1": strong["alpha_IKZF1"]}
    doses = [0.01, 0.01, 300.0, 300.0]
    residual = [0.0, 1e4, 0.0, 1e4]
    found = _level(dilute, {**partner, "X_outside": doses, "S_outside": residual})
    assert found[1] < found[0]
    assert found[3] > found[2]


def test_affinity_shifts_in_parallel(dilute: Model) -> None:
    weak = _level(dilute, {"K_S": 10 * numbers(dilute)["K_S"], "S_outside": 10 * LIGANDS})
    np.testing.assert_allclose(weak, _level(dilute, {"S_outside": LIGANDS}), rtol=1e-4)


def test_loss_of_ligase_also_lowers_the_largest_effect(dilute: Model) -> None:
    value = numbers(dilute)
    found = _level(dilute, {"methylation_line": 0.9, "S_outside": LIGANDS})
    k_deg = oracles.LN2 / value["t_half_IKZF1"]
    ligand = (LIGANDS, value["K_S"], value["alpha_IKZF1"])
    rest = (value["K_EP_IKZF1"], value["kcat"], k_deg, value["k_on"])
    expected = oracles.remaining([ligand], 0.1 * value["C_T"], *rest)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert found[-1] > 1.5 * _expected(dilute, [ligand])[-1]


@settings(max_examples=6)
@given(efflux=st.floats(0.1, 3.0), inhibited=st.floats(0.0, 0.9))
def test_efflux_multiplies_the_dose_and_leaves_the_largest_effect(
    dish: Model, efflux: float, inhibited: float
) -> None:
    """EC50 with MDR1 over EC50 without is 1 + k_eff / k_perm, on every level and at every dose."""
    factor = oracles.dose_factor_of_efflux(efflux * (1 - inhibited))
    outputs = [*(f"{name}_level" for name in NEOSUBSTRATES), "IRF4", "MYC"]
    doses = np.array([20.0, 300.0, 1e7])
    settled = {**FEW_CELLS, "N0": 1e5, "efflux_ratio": efflux, "I_pgp": inhibited}
    found = [
        dish.simulate(
            [0.0, 2000.0],
            outputs,
            {**dosed(dish, "lenalidomide", dose), **STABLE_DRUG, **settled, "MDR1": level},
        )
        for level, dose in ((0.0, doses), (1.0, doses * factor))
    ]
    for name in outputs:
        without, with_efflux = (run[name].values[:, -1] for run in found)
        np.testing.assert_allclose(with_efflux, without, rtol=1e-5)


def test_efflux_shifts_a_dose_response_in_time_by_nearly_the_same_factor(dish: Model) -> None:
    doses = np.geomspace(10.0, 1e5, 9)
    factor = oracles.dose_factor_of_efflux(2.0)
    found = [
        dish.simulate([0.0, 72.0], ["live_cells"], dosed(dish, "lenalidomide", dose) | efflux)
        for dose, efflux in (
            (doses, {"MDR1": 0.0}),
            (factor * doses, {"MDR1": 1.0, "efflux_ratio": 2.0}),
        )
    ]
    parental, pumping = (run["live_cells"].values[:, -1] for run in found)
    np.testing.assert_allclose(pumping, parental, rtol=5e-3)
