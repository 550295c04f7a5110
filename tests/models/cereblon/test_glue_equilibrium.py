"""A glue at equilibrium: ternary complexes, no hook, and cycles through which nothing flows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.model import Model

from . import oracles
from .conditions import NEOSUBSTRATES, NEVER, NO_CATALYSIS, STABLE_DRUG, dosed, numbers

pytestmark = pytest.mark.xdist_group("cereblon core")  # one worker compiles for all of them

EQUILIBRIUM = [0.0, 200.0]
LIGANDS = np.geomspace(1.0, 1e6, 19)
GLUES = ("S-lenalidomide", "pomalidomide", "thalidomide", "iberdomide", "mezigdomide")
NOTHING_TURNS_OVER = {**NO_CATALYSIS, **STABLE_DRUG, "t_half_CRBN": NEVER}


def _ternary(model: Model, changes: dict) -> np.ndarray:
    found = model.simulate(EQUILIBRIUM, ["IKZF1_ternary"], {**NO_CATALYSIS, **changes})
    return found["IKZF1_ternary"].values[..., -1]


def _glue(model: Model, name: str) -> tuple[float, float, float]:
    """Affinity to the ligase, that of bare IKZF1, and cooperativity of a compound's S-enantiomer."""
    row = dosed(model, name, 0.0)
    return row["K_S"], numbers(model)["K_EP_IKZF1"], row["alpha_IKZF1"]


@pytest.mark.parametrize("name", GLUES)
def test_ternary_complex_is_that_of_the_closed_form(core: Model, name: str) -> None:
    changes = {**dosed(core, name, 0.0), **STABLE_DRUG, "S_outside": LIGANDS}
    value = numbers(core)
    expected = oracles.glue_ternary(LIGANDS, value["P0_IKZF1"], value["C_T"], *_glue(core, name))
    np.testing.assert_allclose(_ternary(core, changes), expected, rtol=1e-6)


@pytest.mark.parametrize("name", GLUES)
def test_dilute_substrate_is_half_held_at_the_ec50_of_the_closed_form(
    dilute: Model, name: str
) -> None:
    ligase = numbers(dilute)["C_T"]
    half = oracles.glue_half_maximum(ligase, *_glue(dilute, name))
    changes = {**dosed(dilute, name, 0.0), **STABLE_DRUG, "S_outside": [half, half * 1e9]}
    at_half, at_most = _ternary(dilute, changes)
    assert at_half / at_most == pytest.approx(0.5, abs=1e-6)


@settings(max_examples=15)
@given(affinity=st.floats(1.0, 1e5), alpha=st.floats(0.1, 1e4), rho=st.floats(1.0, 100.0))
def test_glue_has_no_hook(core: Model, affinity: float, alpha: float, rho: float) -> None:
    changes = {"K_S": affinity, "rho": rho, "alpha_IKZF1": alpha}
    ladder = np.geomspace(1e-2, 1e4, 13) * affinity
    racemate = {"S_outside": ladder / 2, "R_outside": ladder / 2}
    assert (np.diff(_ternary(core, {**changes, **racemate})) >= -1e-9).all()


@pytest.mark.parametrize("name", GLUES)
def test_glue_has_no_hook_where_all_neosubstrates_compete(dish: Model, name: str) -> None:
    changes = dosed(dish, name, np.geomspace(0.1, 1e7, 17)) | NOTHING_TURNS_OVER
    found = dish.simulate(EQUILIBRIUM, ["ternary", "occupancy", "S_outside"], changes)
    for output in ("ternary", "occupancy"):
        assert (np.diff(found[output].values[:, -1]) > -1e-7).all(), output


@pytest.mark.parametrize("rho", [3.0, 10.0])
def test_eutomer_beside_an_idle_distomer_needs_the_dose_of_the_closed_form(
    dilute: Model, rho: float
) -> None:
    """Half of what pure S reaches, where R takes the pocket in vain: 2 K_S rho / (rho - 1)."""
    affinity = numbers(dilute)["K_S"]
    half = affinity * rho / (rho - 1)
    changes = {"rho": rho, "alpha_ratio": 1e-6, "alpha_IKZF1": 1.0}
    changes |= {"S_outside": [half, 1e9 * half], "R_outside": [half, 0.0]}
    at_half, at_most = _ternary(dilute, changes)
    assert at_half / at_most == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("ligand", ["S", "R", "X"])
def test_nothing_flows_round_any_cycle_at_equilibrium(dish: Model, ligand: str) -> None:
    """Every step of every cycle is balanced on its own: its net rate is nothing beside one way."""
    steps = {f"binding_{ligand}": ("E", f"{ligand}_cell")}
    for name in NEOSUBSTRATES:
        steps[f"{name}_binding"] = ("E", f"{name}_free")
        steps[f"{name}_binding_with_{ligand}"] = (f"E_{ligand}", f"{name}_free")
        steps[f"{name}_gluing_by_{ligand}"] = (f"{name}_on_E", f"{ligand}_cell")
    species = sorted({x for pair in steps.values() for x in pair})
    start = dict.fromkeys(("S_outside", "R_outside", "X_outside"), 300.0)
    changes = {**NOTHING_TURNS_OVER, "t_half_ee": 9.0, **start}
    found = dish.simulate([0.0, 2000.0], [*steps, *species, "cell"], changes, rtol=1e-11)
    end = {output: float(found[output][-1]) for output in found}
    for step, (one, other) in steps.items():
        one_way = end["cell"] * numbers(dish)["k_on"] * end[one] * end[other]
        assert one_way > 0
        assert abs(end[step]) < 1e-6 * one_way, step


def test_affinities_multiply_to_the_same_product_both_ways_round_a_cycle(core: Model) -> None:
    """At equilibrium [E][L]/[EL] * [EL][P]/[ELP] = [E][P]/[EP] * [EP][L]/[ELP] = K_G K_EP / alpha."""
    names = ["E", "S_cell", "E_S", "IKZF1_free", "IKZF1_on_E", "IKZF1_on_E_S"]
    found = core.simulate(EQUILIBRIUM, names, {**NO_CATALYSIS, "S_outside": 100.0})
    ligase, ligand, loaded, substrate, bare, ternary = (float(found[name][-1]) for name in names)
    k_glue, k_substrate, alpha = _glue(core, "lenalidomide")
    by_ligand = (ligase * ligand / loaded) * (loaded * substrate / ternary)
    by_substrate = (ligase * substrate / bare) * (bare * ligand / ternary)
    assert by_ligand == pytest.approx(k_glue * k_substrate / alpha, rel=1e-7)
    assert by_substrate == pytest.approx(k_glue * k_substrate / alpha, rel=1e-7)
