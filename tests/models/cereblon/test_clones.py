"""Clones that compete for months, each at the quasi-steady state of its own degradation."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model, load_model

from . import oracles
from .conditions import FEW_CELLS, STABLE_DRUG, numbers

HOURS = np.linspace(0.0, 4284.0, 52)
SETTLED = np.linspace(480.0, 960.0, 11)  # fitness has long reached its level
CLASSES = {"full": 1.0, "half": 0.5, "quarter": 0.25, "tenth": 0.1, "fiftieth": 0.02}
MUTANTS = ("one_copy", "null_mutant", "affinity_mutant", "degron_mutant", "bypass_clone")
CLONES = (*CLASSES, *MUTANTS)
NO_CHANGE = {"k_switch": 0.0, "k_revert": 0.0, "mutation": 0.0, "mutation_other": 0.0}
DOSES = np.array([0.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])


@pytest.fixture(scope="module")
def clones() -> Model:
    return load_model("cereblon", "clones")


def racemate(dose: float | np.ndarray) -> dict[str, float | np.ndarray]:
    """That much stable drug in the medium."""
    return {**STABLE_DRUG, "S_outside": dose / 2, "R_outside": dose / 2}


def only(**cells: float) -> dict[str, float]:
    """A culture of these clones alone."""
    return dict.fromkeys(CLONES, 0.0) | cells


def test_clone_takes_over_in_the_time_of_the_closed_form(clones: Model) -> None:
    """Odds of two clones grow with the difference of their growth, whatever the passages do."""
    outputs = ["full", "degron_mutant", "growth_full", "growth_degron_mutant"]
    start = only(full=1e7 - 1e3, degron_mutant=1e3)
    found = clones.simulate(
        SETTLED, outputs, {**NO_CHANGE, **start, **racemate(1000.0)}, rtol=1e-11
    )
    advantage = float(found["growth_degron_mutant"][-1] - found["growth_full"][-1])
    assert advantage > 0
    shares = (found["degron_mutant"] / (found["full"] + found["degron_mutant"])).values
    expected = oracles.takeover(shares[0], shares[1:], advantage)
    np.testing.assert_allclose(SETTLED[1:] - SETTLED[0], expected, rtol=1e-6)


@pytest.mark.parametrize("clone", ["full", "tenth"])
def test_level_in_a_clone_is_that_of_the_closed_form(clones: Model, clone: str) -> None:
    """A dilute substrate under both enantiomers, where no chain is taken back."""
    value = numbers(clones)
    changes = {"k_dub": 0.0, "S_outside": 200.0, "R_outside": 300.0}
    names = [f"IKZF1_{clone}", f"ligase_{clone}"]
    level, ligase = (float(x[0]) for x in clones.simulate([0.0], names, changes).values())
    copies = CLASSES[clone] * value["C_T"]
    assert ligase == pytest.approx(oracles.assembled(copies, value["A_T"], value["K_A"]))
    affinity, alpha = value["K_S"] * value.get("scale_K", 1.0), value["alpha_IKZF1"]
    ligands = [(200.0, affinity, alpha), (300.0, affinity * value["rho"], alpha)]
    k_deg = oracles.LN2 / value["t_half_IKZF1"]
    rest = (value["K_EP_IKZF1"], value["kcat"], k_deg, value["k_on"])
    assert level == pytest.approx(oracles.remaining(ligands, ligase, *rest), rel=1e-6)


@pytest.mark.parametrize("clone", ["full", "half", "tenth", "fiftieth"])
def test_clone_agrees_with_the_dish_when_all_has_settled(
    clones: Model, dish: Model, clone: str
) -> None:
    """The same ligase and dose for weeks: IKZF1 within 0.025, net growth within 0.0007 per hour.

    The clone neglects that neosubstrates occupy ligase and lie in ubiquitin chains.
    """
    cell = {**racemate(DOSES), **FEW_CELLS, "methylation_line": 1.0 - CLASSES[clone]}
    whole = dish.simulate([400.0, 480.0], ["IKZF1_level", "live_cells"], cell)
    grown = np.log(whole["live_cells"]).values
    start = {**NO_CHANGE, **only(**{clone: 1e7}), "cost_CRBN": 0.0}
    names = [f"IKZF1_{clone}", f"growth_{clone}"]
    level, growth = clones.simulate([480.0], names, {**start, **racemate(DOSES)}).values()
    np.testing.assert_allclose(level[:, -1], whole["IKZF1_level"][:, -1], atol=0.025)
    np.testing.assert_allclose(growth[:, -1], (grown[:, 1] - grown[:, 0]) / 80.0, atol=7e-4)


@pytest.mark.parametrize("clone", ["full", "half", "tenth"])
def test_probe_reads_the_viability_of_the_dish(clones: Model, dish: Model, clone: str) -> None:
    """After 72 h with one dose of lenalidomide, within 0.05."""
    cell = {"S_outside": DOSES / 2, "R_outside": DOSES / 2, **FEW_CELLS}
    line = {"methylation_line": 1.0 - CLASSES[clone]}
    alive = dish.simulate([72.0], ["live_cells"], {**cell, **line})["live_cells"].values[:, 0]
    probe = {**only(**{clone: 1e7}), "X_outside": DOSES}
    read = clones.simulate([0.0], ["probe_viability"], probe)["probe_viability"].values[:, 0]
    np.testing.assert_allclose(read, alive / alive[0], atol=0.05)


def test_culture_never_exceeds_its_capacity(clones: Model) -> None:
    cells = clones.simulate(HOURS, ["cells"], racemate(DOSES))["cells"].values
    assert cells.max() <= 1e7 * (1 + 1e-5)  # mutants of the start come on top
    assert cells[:, -1].min() > 5e6


def test_nothing_arises_without_switch_and_mutation(clones: Model) -> None:
    changes = {**NO_CHANGE, "k_revert": 1e-3, **racemate(1000.0)}
    found = clones.simulate(HOURS, list(CLONES), changes)
    assert found["full"].values[0] == 1e7
    assert all((found[name].values == 0.0).all() for name in CLONES if name != "full")


def test_clones_are_neutral_without_drug_and_without_cost(clones: Model) -> None:
    start = only(full=4e6, half=3e6, tenth=2e6, null_mutant=1e6)
    free = {**NO_CHANGE, "cost_CRBN": 0.0, "cost_mutant": 0.0, **start}
    found = clones.simulate(HOURS, [*start, "cells"], free)
    for name, cells in start.items():
        np.testing.assert_allclose(found[name] / found["cells"], cells / 1e7, rtol=1e-6)


def test_higher_doses_leave_less_cereblon_in_the_winner(clones: Model) -> None:
    doses = np.array([0.0, 30.0, 300.0, 1000.0, 10000.0])
    changes = {**racemate(doses), "mutation_other": 0.0}
    names = [*CLASSES, "CRBN_mean"]
    found = clones.simulate(HOURS, names, changes)
    assert (np.diff(found["CRBN_mean"].values[:, -1]) < 0).all()
    winners = np.argmax([found[name].values[:, -1] for name in CLASSES], axis=0)
    assert (np.diff(winners) >= 0).all()
    assert winners[0] == 0
    assert winners[-1] >= 2


def test_culture_without_drug_drifts_back_to_full_cereblon(clones: Model) -> None:
    """Switching alone brings cells back slowly; they take over because they grow faster."""
    down = {"k_switch": 0.0, "mutation": 0.0, "mutation_other": 0.0, **only(tenth=1e7)}
    ways = ({"k_revert": 0.0}, {"cost_CRBN": 0.0}, {})
    runs = [clones.simulate(HOURS, ["CRBN_mean"], {**down, **way})["CRBN_mean"] for way in ways]
    np.testing.assert_allclose(runs[0], 0.1)
    assert all((np.diff(run) > 0).all() for run in runs[1:])
    assert 0.1 < runs[1][-1] < runs[2][-1]


def test_nobody_multiplies_below_one_cell(clones: Model) -> None:
    """A tenth of a cell is a chance of one in ten, not the start of a clone."""
    start = only(full=1e7, bypass_clone=0.1)
    found = clones.simulate(HOURS, ["bypass_clone"], {**NO_CHANGE, **start, **racemate(300.0)})
    assert found["bypass_clone"].values.max() < 0.2
    start["bypass_clone"] = 2.0
    found = clones.simulate(HOURS, ["bypass_clone"], {**NO_CHANGE, **start, **racemate(300.0)})
    assert found["bypass_clone"].values[-1] > 1e6


def test_losing_a_gene_takes_as_many_hits_as_there_are_copies(clones: Model) -> None:
    """The start holds nobody without cereblon where two copies must go."""
    outputs = ["null_mutant", "one_copy"]
    changes = {"hemizygous": np.array([0.0, 1.0]), "k_switch": 0.0, "mutation_other": 0.0}
    found = clones.simulate(HOURS, outputs, {**changes, **racemate(10000.0)})
    assert found["null_mutant"].values[0, 0] == 0.0
    assert found["one_copy"].values[0, 0] > 10.0
    assert (found["one_copy"].values[1] == 0.0).all()
    assert found["null_mutant"].values[1, -1] > 5e6
