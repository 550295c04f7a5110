"""The hook of a bifunctional degrader, in free ligand inside the cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.model import Model

from . import oracles
from .conditions import STABLE_DRUG, compound, numbers

pytestmark = pytest.mark.xdist_group("cereblon core")  # one worker compiles for all of them

EQUILIBRIUM = [0.0, 400.0]
DEGRADERS = ("dBET1", "BTK-PROTAC")
AFFINITY = st.floats(5.0, 5e3)


def _system(model: Model, **changes: float) -> dict[str, float]:
    """Target, ligase, affinity to the target and to the ligase, cooperativity."""
    value = numbers(model) | changes
    names = {"target": "P0_T", "ligase": "C_T", "k_target": "K_T", "k_ligase": "K_S"}
    return {key: value[name] for key, name in names.items()} | {"alpha": value["alpha_T"]}


def _ternary(model: Model, ligand, **changes: float) -> np.ndarray:
    """The ternary complex where the free ligand is held by the medium."""
    changes = {**changes, "S_outside": np.asarray(ligand, dtype=float)}
    return model.simulate(EQUILIBRIUM, ["E_S_T"], changes)["E_S_T"].values[..., -1]


def _degrader(model: Model, name: str) -> dict[str, float]:
    """The affinities and cooperativity of a degrader; the amount of target stays as it is."""
    row = compound(model, name)
    return {key: row[key] for key in ("K_S", "K_T", "alpha_T")}


@pytest.mark.parametrize("name", DEGRADERS)
def test_ternary_complex_is_that_of_the_closed_form(target_alone: Model, name: str) -> None:
    ligand = np.geomspace(1.0, 1e6, 19)
    changes = _degrader(target_alone, name)
    expected = oracles.degrader_ternary(ligand, **_system(target_alone, **changes))
    np.testing.assert_allclose(_ternary(target_alone, ligand, **changes), expected, rtol=1e-6)


@settings(max_examples=12)
@given(k_target=AFFINITY, k_ligase=AFFINITY, alpha=st.floats(0.05, 50.0))
def test_hook_stands_where_the_closed_form_says_and_is_as_high(
    target_alone: Model, k_target: float, k_ligase: float, alpha: float
) -> None:
    """The peak is level to all digits; what places it is that both flanks are mirror images."""
    changes = {"K_T": k_target, "K_S": k_ligase, "alpha_T": alpha}
    system = _system(target_alone, **changes)
    middle = oracles.hook_position(k_target, k_ligase)
    below, left, peak, right, above = _ternary(
        target_alone, middle * np.array([0.25, 0.8, 1.0, 1.25, 4.0]), **changes
    )
    assert peak == pytest.approx(oracles.hook_height(**system), rel=1e-6)
    assert left == pytest.approx(right, rel=1e-6)
    assert below == pytest.approx(above, rel=1e-6)
    assert below < left < peak > right > above
    assert abs(_vertex(below, peak, above) * np.log(4.0)) < 1e-6


def _vertex(left: float, middle: float, right: float) -> float:
    """Where a parabola through three evenly spaced values peaks, in steps from the middle one."""
    return (left - right) / (left - 2 * middle + right) / 2


@pytest.mark.parametrize("total", [10.0, 460.0, 5e4])
def test_closed_cell_has_the_free_ligand_that_goes_with_the_total(
    target_alone: Model, total: float
) -> None:
    system = _system(target_alone)
    free = oracles.degrader_free(total, **system)
    closed = {"k_perm": 0.0, "S_cell": total}
    found = target_alone.simulate(EQUILIBRIUM, ["S_cell", "E_S_T"], closed)
    assert float(found["S_cell"][-1]) == pytest.approx(free, rel=1e-6)
    expected = oracles.degrader_ternary(free, **system)
    assert float(found["E_S_T"][-1]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("total", [1.0, 100.0, 1e4])
def test_without_cooperativity_the_ternary_complex_is_that_of_douglass(
    target_alone: Model, total: float
) -> None:
    closed = {"k_perm": 0.0, "S_cell": total, "alpha_T": 1.0}
    found = target_alone.simulate(EQUILIBRIUM, ["E_S_T"], closed)
    system = _system(target_alone)
    del system["alpha"]
    expected = oracles.douglass_ternary(total, **system)
    assert float(found["E_S_T"][-1]) == pytest.approx(expected, rel=1e-6)


def test_closed_form_without_cooperativity_is_that_of_douglass() -> None:
    random = np.random.default_rng(7)
    for total, target, ligase, k_target, k_ligase in 10 ** random.uniform(-1, 4, (200, 5)):
        system = (target, ligase, k_target, k_ligase)
        free = oracles.degrader_free(total, *system, 1.0)
        expected = oracles.douglass_ternary(total, *system)
        assert oracles.degrader_ternary(free, *system, 1.0) == pytest.approx(expected, rel=1e-8)


def test_published_values_of_the_closed_form() -> None:
    system = {"target": 50.0, "ligase": 20.0, "k_target": 120.0, "k_ligase": 1795.0, "alpha": 0.2}
    assert oracles.hook_height(**system) == pytest.approx(0.0699984, abs=1e-6)
    free = oracles.degrader_free(460.0, **system)
    assert oracles.degrader_ternary(free, **system) == pytest.approx(0.069870454, abs=1e-9)


def test_hook_of_cells_with_little_ligase_is_lower_and_stands_where_it_stood(
    protac: Model,
) -> None:
    """Occupancy follows the affinities; only the height follows the amount of ligase."""
    changes = compound(protac, "dBET1") | STABLE_DRUG | {"kcat_T": 0.0, "k_perm": 20.0}
    middle = float(oracles.hook_position(changes["K_T"], changes["K_S"]))
    ligands = middle * np.array([0.5, 1.0, 2.0])
    found = [
        protac.simulate([0.0, 200.0], ["E_S_T"], {**changes, **line, "S_outside": ligands})
        for line in ({}, {"methylation_line": 0.9})
    ]
    parental, silenced = (run["E_S_T"].values[:, -1] for run in found)
    for values in (parental, silenced):
        assert values[0] < values[1] > values[2]
    assert (silenced < 0.2 * parental).all()


@pytest.mark.parametrize("name", DEGRADERS)
def test_target_comes_back_at_doses_beyond_the_hook(protac: Model, name: str) -> None:
    doses = np.geomspace(1.0, 1e7, 22)
    found = protac.simulate(
        [0.0, 24.0],
        ["target_level"],
        {**compound(protac, name), **STABLE_DRUG, "S_outside": doses},
    )
    levels = found["target_level"].values[:, -1]
    lowest = int(levels.argmin())
    assert 0 < lowest < len(doses) - 1
    assert levels[-1] > levels[lowest] + 0.1
