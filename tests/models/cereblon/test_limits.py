"""Order, limits, a second integrator, and runs that must not fail however stiff they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode import sbml
from myelode.model import Model, load_model
from myelode.model_folder import read_variants

from .conditions import NEOSUBSTRATES, compound, dosed, numbers

pytestmark = pytest.mark.xdist_group("cereblon dish")  # one worker compiles for all of them

GLUES = ("lenalidomide", "pomalidomide", "thalidomide", "iberdomide", "mezigdomide")
HOURS = np.linspace(0.0, 72.0, 13)
NOISE = 1e-7
"""Relative room for the error of the integrator where two values may be equal."""
LEVELS = [f"{name}_level" for name in NEOSUBSTRATES]


def _last(model: Model, output: str, hours: float, changes: dict) -> np.ndarray:
    return model.simulate([0.0, hours], [output], changes)[output].values[:, -1]


def _falls(values: np.ndarray) -> bool:
    return bool((np.diff(values) <= NOISE * values[:-1]).all())


@pytest.mark.parametrize("variant", ["dish", "protac"])
def test_libsbml_finds_nothing_to_say(variant: str) -> None:
    assert sbml.findings(load_model("cereblon", variant).sbml) == ([], [])


def test_variants_are_known(dish: Model) -> None:
    assert dish.folder is not None
    assert {"dish", "protac"} <= set(read_variants(dish.folder))


@settings(max_examples=8)
@given(
    hours=st.floats(2.0, 96.0),
    doses=st.lists(st.floats(0.1, 1e5), min_size=4, max_size=8, unique=True),
    name=st.sampled_from(GLUES),
)
def test_ikzf1_falls_with_the_dose(dish: Model, hours: float, doses: list, name: str) -> None:
    changes = dosed(dish, name, np.sort(doses))
    assert _falls(_last(dish, "IKZF1_level", hours, changes))


@settings(max_examples=8)
@given(
    hours=st.floats(2.0, 96.0),
    factors=st.lists(st.floats(0.01, 1e4), min_size=4, max_size=8, unique=True),
    dose=st.floats(10.0, 1e4),
)
def test_ikzf1_rises_as_binding_gets_weaker(
    dish: Model, hours: float, factors: list, dose: float
) -> None:
    drug = dosed(dish, "lenalidomide", dose)
    weaker = {**drug, "K_S": drug["K_S"] * np.sort(factors)}
    assert _falls(_last(dish, "IKZF1_level", hours, weaker)[::-1])


def test_ikzf1_and_cells_are_kept_as_cereblon_is_lost(dish: Model) -> None:
    drug = dosed(dish, "lenalidomide", 1000.0)
    lost = {**drug, "methylation_line": np.array([0.0, 0.3, 0.6, 0.9, 0.99, 1.0])}
    for output in ("IKZF1_level", "live_cells"):
        assert (np.diff(_last(dish, output, 48.0, lost)) > 0).all(), output


def test_no_drug_no_ligase_and_no_cooperativity_leave_everything_as_it_is(dish: Model) -> None:
    drug = dosed(dish, "lenalidomide", 1000.0)
    loose = {f"alpha_{name}": 1e-6 for name in NEOSUBSTRATES}
    for changes in ({}, {**drug, "CRBN_copies": 0.0}, {**drug, **loose}):
        found = dish.simulate(HOURS, [*LEVELS, "MYC", "live_cells"], changes)
        for level in LEVELS:
            np.testing.assert_allclose(found[level], 1.0, atol=2e-3)
        doublings = HOURS / numbers(dish)["T_div"]
        np.testing.assert_allclose(found["live_cells"], 2**doublings, rtol=2e-3)


def test_degron_mutants_are_spared_and_the_others_are_not(dish: Model) -> None:
    drug = dosed(dish, "pomalidomide", 1000.0)
    mutant = {**drug, "alpha_IKZF1": drug["alpha_IKZF1"] / 300.0}
    wild, changed = (dish.simulate([0.0, 24.0], LEVELS, run) for run in (drug, mutant))
    assert float(changed["IKZF1_level"][-1]) > 0.8
    for name in ("IKZF3", "ZFP91"):
        before, after = (float(run[f"{name}_level"][-1]) for run in (wild, changed))
        assert after == pytest.approx(before, rel=0.05)


@pytest.mark.parametrize("name", ["lenalidomide", "pomalidomide"])
def test_gspt1_stays_under_lenalidomide_and_pomalidomide(dish: Model, name: str) -> None:
    found = dish.simulate(HOURS, ["GSPT1_level"], dosed(dish, name, 1000.0))
    assert float(found["GSPT1_level"].min()) > 0.9


def test_second_integrator_agrees(dish: Model) -> None:
    outputs = [*dish.species(), *LEVELS, "occupancy", "annexin_share"]
    changes = {**dosed(dish, "lenalidomide", 1000.0), "X_outside": 3.0, "bortezomib": 1.0}
    runs = [
        dish.simulate(HOURS[::3], outputs, changes, engine=engine, rtol=1e-10)
        for engine in ("roadrunner", "scipy")
    ]
    for name in outputs:
        one, other = (run[name].values for run in runs)
        size = max(np.abs(one).max(), 1e-15)
        assert np.abs(one - other).max() < 1e-7 * size, name


@pytest.mark.parametrize("k_on", [0.36, 36.0])
@pytest.mark.parametrize("name", ["lenalidomide", "mezigdomide"])
def test_ladder_of_25_doses_runs_however_fast_binding_is(
    dish: Model, name: str, k_on: float
) -> None:
    doses = np.geomspace(1e-3, 1e5, 25)
    found = dish.simulate(
        HOURS, [*LEVELS, "live_cells"], {**dosed(dish, name, doses), "k_on": k_on}
    )
    for output in found.data_vars:
        assert np.isfinite(found[output]).all()
        assert (found[output] > -1e-12).all()
    assert _falls(found["IKZF1_level"].values[:, -1])


@pytest.mark.parametrize("share", [0.1, 0.02])
def test_mezigdomide_on_hardly_any_ligase_runs(dish: Model, share: float) -> None:
    doses = np.geomspace(1e-3, 1e5, 9)
    changes = {**dosed(dish, "mezigdomide", doses), "methylation_line": 1 - share, "k_on": 36.0}
    found = dish.simulate(HOURS, ["IKZF1_level", "E_total"], changes)
    assert np.isfinite(found["IKZF1_level"]).all()
    assert (found["E_total"] > 0).all()


def test_enantiomers_of_equal_affinity_are_one_drug(dish: Model) -> None:
    """Without a difference, neither what is dosed nor how fast it inverts matters."""
    half = np.array([1000.0, 500.0, 0.0])
    drug = compound(dish, "lenalidomide") | {"rho": 1.0, "t_half_ee": 5.0}
    changes = {**drug, "S_outside": half, "R_outside": 1000.0 - half}
    found = dish.simulate(HOURS, ["IKZF1_level", "live_cells"], changes)
    for output in found.data_vars:
        for other in (1, 2):
            np.testing.assert_allclose(found[output][other], found[output][0], rtol=1e-7)
