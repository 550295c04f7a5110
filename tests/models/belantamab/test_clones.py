"""Clones: one without BCMA, small ones, those that switch and mutate, and those that only arrest."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model

from . import oracles
from .conditions import (
    ALL_CYCLE,
    DAY,
    DISH,
    NO_SWITCH,
    ONE_CLONE,
    cycles,
    run,
)

pytestmark = pytest.mark.xdist_group("belantamab patient")  # one worker compiles for all of them

MONTHS = np.linspace(0.0, 84 * DAY, 13)
CLONES = ("high", "low", "null", "mutant")
CELLS = [f"cells_{name}" for name in CLONES]
NULL_ALONE = {**ONE_CLONE, "clone_high": 0.0, "clone_null": 1.0, **NO_SWITCH, "kin": 0.0}
SMALL = {"N0": 1e6, "K_max": 1e30}  # far from crowding
SPREAD = {"clone_high": 0.5, "clone_low": 0.3, "clone_null": 0.15, "clone_mutant": 0.05}
NOISE = 1e-12
"""What an integrator leaves in a state that is zero."""
INSIDE = [
    *(f"{state}_null" for state in ("BCMA_ADC", "BCMA2_ADC", "BCMA_ADC_sBCMA", "ADC_lysosome")),
    "payload_lysosome_null", "payload_free_null", "payload_tubulin_null", "sBCMA_shed", "ADC_degraded",
]  # fmt: skip


def test_a_null_clone_takes_up_nothing_sheds_nothing_and_grows_as_without_drug(
    patient: Model,
) -> None:
    changes = {**NULL_ALONE, "normal_source": 0.0, "brake_dexamethasone": 1.0}
    names = ["cells_null", "sBCMA_total", *INSIDE]
    treated = run(patient, MONTHS, names, changes, cycles(4))
    alone = run(patient, MONTHS, names, changes)
    for name in ("sBCMA_total", *INSIDE):
        assert np.abs(treated[name]).max() < NOISE, name
    np.testing.assert_allclose(treated["cells_null"], alone["cells_null"], rtol=1e-9)
    assert treated["cells_null"][-1] > 2 * treated["cells_null"][0]


@pytest.mark.xdist_group("belantamab dish")
def test_cells_without_bcma_grow_in_a_well_as_without_drug(dish: Model) -> None:
    changes = {"f_BCMA": 0.0, "kin": 0.0, "cells_seeded": 5000.0, "T_div": 40.0, "capacity": 1e30}
    names = ["cells", "antibody_cell", "payload_cell", "sBCMA_total", "receptor_occupancy"]
    found = run(dish, [0.0, 40.0, 80.0], names, changes, {0.0: {"ADC": 1000.0}})
    np.testing.assert_allclose(found["cells"], [5e3, 1e4, 2e4], rtol=1e-6)
    assert all((found[name] == 0).all() for name in names[1:])


def test_the_drug_kills_the_clone_that_shows_bcma_and_spares_the_others(patient: Model) -> None:
    changes = {**SPREAD, **NO_SWITCH, **ALL_CYCLE, "kAmax": 0.0, "occ50": 0.3}
    treated, alone = (run(patient, MONTHS, CELLS, changes, doses) for doses in (cycles(4), None))
    left = {name: treated[name][-1] / alone[name][-1] for name in CELLS}
    assert left["cells_high"] < left["cells_low"] < 0.5
    # with the others gone, those that are spared have more room than without drug
    assert left["cells_null"] > 1
    assert left["cells_mutant"] == pytest.approx(left["cells_null"], rel=1e-6)


@pytest.mark.parametrize("cells", [0.01, 0.5, 0.99])
def test_less_than_one_cell_never_grows_and_dies_out(patient: Model, cells: float) -> None:
    changes = {**ONE_CLONE, **NO_SWITCH, "N0": cells, "K_max": 1e12}
    found = run(patient, [0.0, 1e3, 1e4, 1e5], ["tumour_cells"], changes)["tumour_cells"]
    assert (np.diff(found) < 0).all()
    expected = cells * np.exp(-patient.parameters["d"].value * 1e3)
    assert found[1] == pytest.approx(expected, rel=1e-6)


def test_a_small_clone_beside_a_large_one_dies_out_below_one_cell_and_grows_above(
    patient: Model,
) -> None:
    for cells, grows in ((0.5, False), (5.0, True)):
        share = cells / 1e9
        changes = {
            **NO_SWITCH,
            "N0": 1e9,
            **ONE_CLONE,
            "clone_high": 1 - share,
            "clone_null": share,
        }
        found = run(patient, MONTHS, ["cells_null"], changes)["cells_null"]
        assert (found[-1] > found[0]) == grows


def _growth(net: float, births: float, values: dict[str, float]) -> np.ndarray:
    """How clones beget one another without drug: column to row, in the order of CLONES."""
    null = values["het_share"] * values["nu_last_copy"] * births
    mutant = values["nu_mutant"] * births
    down, up = values["nu_low"], values["nu_back"]
    lost = null + mutant
    return np.array([
        [net - down - lost, up, 0, 0],
        [down, net - up - lost, 0, 0],
        [null, null, net, 0],
        [mutant, mutant, 0, net],
    ])  # fmt: skip


@pytest.mark.parametrize("quiet", [0.0, 0.5])
def test_switching_and_mutating_clones_follow_the_closed_form(patient: Model, quiet: float) -> None:
    """A linear birth process with mutation, without drug and without crowding."""
    values = {
        "nu_low": 1e-3,
        "nu_back": 3e-3,
        "het_share": 0.5,
        "nu_last_copy": 0.02,
        "nu_mutant": 0.03,
    }
    rates = {"KGR": 7e-4, "d": 1e-4, "q": quiet}
    changes = {**SMALL, **SPREAD, **values, **rates}
    found = run(patient, MONTHS, CELLS, changes, rtol=1e-11)
    start = 1e6 * np.array(list(SPREAD.values()))
    growth = _growth(rates["KGR"], rates["KGR"] + rates["d"], values)
    expected = oracles.clones_over_time(MONTHS, start, growth)
    for name, column in zip(CELLS, expected.T, strict=True):
        np.testing.assert_allclose(found[name], column, rtol=1e-6)


def test_null_cells_arise_from_nothing_at_the_rate_of_mutation(patient: Model) -> None:
    """Before they divide themselves: births times the chance per birth."""
    changes = {
        **ONE_CLONE,
        **NO_SWITCH,
        **SMALL,
        "het_share": 1.0,
        "nu_last_copy": 1e-9,
        "KGR": 0.0,
    }
    found = run(patient, [0.0, 1000.0], ["cells_null"], {**changes, "d": 1e-3})["cells_null"]
    per_hour = 1e6 * 1e-3 * 1e-9
    assert found[-1] == pytest.approx(per_hour * -np.expm1(-1.0) / 1e-3, rel=1e-5)


def test_without_drug_the_tumour_grows_at_its_published_rate_whatever_is_quiet(
    patient: Model,
) -> None:
    for quiet in (0.0, 0.3, 0.8):
        changes = {**SMALL, "KGR": 7e-4, "q": quiet}
        found = run(patient, [0.0, 1000.0], ["tumour_cells", "quiescent_high"], changes)
        assert np.log(found["tumour_cells"][-1] / 1e6) == pytest.approx(0.7, rel=1e-6)
        assert found["quiescent_high"][-1] == pytest.approx(quiet, rel=1e-9)


ALL_ARREST = {
    **ONE_CLONE, **NO_SWITCH, **ALL_CYCLE, **SMALL, "KGR": 8e-4, "d": 3e-4, "kslip": 0.0,
    "kAmax": 0.0, "occ50": 1e-9, "R0_patient": 0.0, "kleak": 1e-15, "VmM": 0.0, "mutT": 1e-9,
}  # fmt: skip


def test_where_every_mitosis_arrests_cycling_cells_fall_at_entry_plus_death(patient: Model) -> None:
    """All tubulin is held for ever: one cell leaves the cycle for each that enters mitosis."""
    full = 65.0 * 6.02214e14 * 1e-12
    changes = {**ALL_ARREST, "Ttot": 65.0, "payload_tubulin_high": full}
    names = ["tumour_cells", "arrested_high", "arrest_high"]
    found = run(patient, MONTHS, names, changes, rtol=1e-11)
    np.testing.assert_allclose(found["arrest_high"], 1.0, rtol=1e-9)
    cycling = found["tumour_cells"] * (1 - found["arrested_high"])
    entry = 8e-4 + 3e-4
    np.testing.assert_allclose(cycling, 1e6 * np.exp(-(entry + 3e-4) * MONTHS), rtol=1e-5)


@pytest.mark.xdist_group("belantamab dish")
def test_the_drug_kills_no_faster_than_cells_enter_mitosis(dish: Model) -> None:
    changes = {**DISH, "kap": 10.0, "occ50": 0.01, "hocc": 5.0}
    found = run(dish, [0.0, 24.0, 72.0], ["cells"], changes, {0.0: {"ADC": 1000.0}})["cells"]
    fastest = np.log(2) / DISH["T_div"]
    fall = -np.log(found[2] / found[1]) / 48.0
    assert 0.9 * fastest < fall <= fastest * (1 + 1e-6)


def test_paraprotein_stays_where_the_tumour_does_and_follows_with_its_own_half_life(
    patient: Model,
) -> None:
    still = {**ONE_CLONE, **NO_SWITCH, "KGR": 0.0, "d": 0.0, "M0": 30.0, "k_M": 0.0021}
    found = run(patient, [0.0, 500.0], ["M_protein", "tumour_cells"], still)
    np.testing.assert_allclose(found["M_protein"], 30.0, rtol=1e-9)
    np.testing.assert_allclose(found["tumour_cells"][1], found["tumour_cells"][0], rtol=1e-9)
    half = oracles.LN2 / 0.0021
    above = run(patient, [0.0, half], ["M_protein"], {**still, "M_protein": 50.0})["M_protein"]
    assert above[-1] == pytest.approx(40.0, rel=1e-6)
