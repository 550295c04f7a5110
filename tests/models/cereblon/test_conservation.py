"""What reactions may move about, but neither make nor lose."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from myelode.equations import derive
from myelode.equations.conservation import conserved_weights
from myelode.model import Model

from .conditions import NEOSUBSTRATES, NEVER, NO_CATALYSIS, dosed

pytestmark = pytest.mark.xdist_group("cereblon dish")  # one worker compiles for all of them

HOURS = np.linspace(0.0, 72.0, 25)
LIGANDS = ("S", "R", "X")
HELD = {
    name: [f"{name}_on_E", *(f"{name}_on_E_{ligand}" for ligand in LIGANDS)]
    for name in NEOSUBSTRATES
}
"""The complexes of each neosubstrate with the ligase, by name of the neosubstrate."""
LIGASE = ["E", "E_S", "E_R", "E_X", "E_Q", *(x for held in HELD.values() for x in held)]
SCAFFOLD = ["A", "E_dead", *LIGASE]
CEREBLON = ["C", "C_dead", "E_dead", *LIGASE]
LIGAND = [
    *(f"{ligand}_{place}" for ligand in LIGANDS for place in ("outside", "cell")),
    *(f"E_{ligand}" for ligand in LIGANDS),
    *(f"{name}_on_E_{ligand}" for name in NEOSUBSTRATES for ligand in LIGANDS),
    "hydrolysed",
]
MADE_OR_LOST = ("_made", "_lost", "ligase_loss", "ligase_lost", "CRBN")
TURNOVER = ("synthesis", "turnover", "proteasome_3")


def _totals(model: Model, names: list[str], changes: dict) -> np.ndarray:
    found = model.simulate(HOURS, [f"amount({name})" for name in names], changes)
    return sum(found[f"amount({name})"].values for name in names)


def _drift(totals: np.ndarray) -> float:
    return float(np.abs(totals / totals[0] - 1).max())


def _crowd(model: Model) -> dict[str, float]:
    """Both enantiomers, a second compound and a competitor, all of them at once."""
    return {**dosed(model, "lenalidomide", 1000.0), "X_outside": 30.0, "Q": 500.0, "MDR1": 1.0}


@pytest.fixture(scope="module")
def stoichiometry(dish: Model) -> dict[str, dict[str, Fraction]]:
    return {name: dict(row) for name, row in derive(dish.sbml).system.stoichiometry.items()}


def _conserved(stoichiometry: dict, without: tuple[str, ...] = ()) -> set[frozenset[str]]:
    """The species of each conserved total; reactions whose names hold such a word do not run."""
    kept = {
        species: {r: n for r, n in row.items() if not any(word in r for word in without)}
        for species, row in stoichiometry.items()
    }
    moving = {species: row for species, row in kept.items() if row}
    weights = conserved_weights(moving)
    assert all(weight == 1 for total in weights for weight in total.values())
    return {frozenset(total) for total in weights}


def test_scaffold_and_drug_with_what_hydrolysed_are_all_that_reactions_conserve(
    stoichiometry,
) -> None:
    assert _conserved(stoichiometry) == {frozenset(SCAFFOLD), frozenset(LIGAND)}


def test_cereblon_is_conserved_where_it_does_not_turn_over(stoichiometry) -> None:
    dead = frozenset(["C_dead", "E_dead"])
    live = frozenset(CEREBLON) - dead
    assert {dead, live} <= _conserved(stoichiometry, MADE_OR_LOST)


@pytest.mark.parametrize("name", NEOSUBSTRATES)
def test_neosubstrate_is_conserved_without_synthesis_turnover_and_proteasome(
    stoichiometry, name: str
) -> None:
    forms = {f"{name}_free", *HELD[name], *(f"{name}_ub{n}" for n in (1, 2, 3))}
    assert frozenset(forms) in _conserved(stoichiometry, TURNOVER)


def test_drug_is_conserved_while_it_binds_inverts_hydrolyses_and_degrades(dish: Model) -> None:
    assert _drift(_totals(dish, LIGAND, _crowd(dish))) < 1e-9


def test_scaffold_is_conserved_while_ligase_turns_over(dish: Model) -> None:
    assert _drift(_totals(dish, SCAFFOLD, _crowd(dish))) < 1e-9


def test_cereblon_is_conserved_in_time_where_it_does_not_turn_over(dish: Model) -> None:
    changes = {**_crowd(dish), "t_half_CRBN": NEVER, "share_dead": 0.3}
    assert _drift(_totals(dish, CEREBLON, changes)) < 1e-9


def test_neosubstrates_are_conserved_in_time_without_synthesis_and_catalysis(dish: Model) -> None:
    changes = {**_crowd(dish), **NO_CATALYSIS}
    for name in NEOSUBSTRATES:
        forms = [f"{name}_free", *HELD[name], *(f"{name}_ub{n}" for n in (1, 2, 3))]
        assert _drift(_totals(dish, forms, changes)) < 1e-9, name


def test_degrader_is_conserved_while_it_binds_ligase_and_target(protac: Model) -> None:
    changes = {**dosed(protac, "dBET1", 1000.0), "t_half_hydrolysis": 40.0}
    assert _drift(_totals(protac, [*LIGAND, "T_S", "E_S_T"], changes)) < 1e-9
    assert _drift(_totals(protac, [*SCAFFOLD, "E_S_T"], changes)) < 1e-9


def test_total_of_the_level_is_the_sum_of_all_forms(dish: Model) -> None:
    name = "IKZF1"
    forms = [f"{name}_free", *HELD[name], *(f"{name}_ub{n}" for n in (1, 2, 3))]
    found = dish.simulate(HOURS, [*forms, f"{name}_level"], _crowd(dish))
    total = sum(found[form].values for form in forms) / dish.parameters["P0_IKZF1"].value
    np.testing.assert_allclose(found[f"{name}_level"], total, rtol=1e-12)
