"""The model beside the prototypes by which it was specified: their equations, and their printed numbers.

All settings are pinned, so that none of this moves when the numbers of the model are calibrated.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from myelode.model import Model

from . import prototype
from .conditions import CYCLE, DISH, PATIENT, Values, cycles, half_dose, left, run

STATES = {
    "ADC": "A", "sBCMA": "S", "ADC_sBCMA": "X1", "ADC_sBCMA2": "X2", "payload_medium": "free_payload",
    "BCMA": "R", "BCMA_ADC": "B", "BCMA2_ADC": "BB", "BCMA_ADC_sBCMA": "BS", "ADC_lysosome": "E",
    "payload_lysosome": "L", "payload_free_level": "P", "payload_tubulin_level": "PT",
}  # fmt: skip
"""What the model and the equations call the same thing."""
DECOY = 17.24  # 100 ng/mL
CHANGES = {
    "parental": {},
    "BCMA / 10": {"f_BCMA": 0.1},
    "BCMA / 30": {"f_BCMA": 1 / 30},
    "no BCMA": {"f_BCMA": 0.0},
    "decoy": {},
    "efflux x 10": {"fMRP": 10.0},
    "efflux x 30": {"fMRP": 30.0},
    "efflux x 100": {"fMRP": 100.0},
    "tubulin x 10": {"mutT": 10.0},
    "tubulin x 30": {"mutT": 30.0},
    "proteolysis / 10": {"f_Lys": 0.1},
    "lysosomal exit / 20": {"f_esc": 0.05},
    "internalisation / 5": {"f_int": 0.2},
    "protection x 5": {"f_bcl": 5.0},
    "division / 5": {"f_division": 0.2},
}
NEVER_HALF = ("BCMA / 30", "no BCMA", "tubulin x 30", "division / 5")
REACHES_HALF = [name for name in CHANGES if name not in NEVER_HALF]
PRINTED = {
    "parental": (1.0, 0.19), "BCMA / 10": (619.0, 0.42), "BCMA / 30": (np.inf, 0.87),
    "no BCMA": (np.inf, 1.00), "decoy": (35.0, 0.19), "efflux x 10": (1.7, 0.20),
    "efflux x 30": (4.4, 0.22), "efflux x 100": (1010.0, 0.35), "tubulin x 10": (44.0, 0.33),
    "tubulin x 30": (np.inf, 0.64), "proteolysis / 10": (56.0, 0.35),
    "lysosomal exit / 20": (8.6, 0.31), "internalisation / 5": (6.6, 0.27),
    "protection x 5": (1.4, 0.29), "division / 5": (np.inf, 0.71),
}  # fmt: skip
"""Factor on the EC50 of 72 h, and what of the cells the highest dose leaves."""
PRINTED_EC50 = 0.0237
"""Read off a grid of 37 doses, as are all that were printed."""
GRID = np.geomspace(1e-5, 3e3, 37)
THINNED = {
    "BCMA / 10": 1.91, "efflux x 100": 2.15, "tubulin x 10": 2.04, "proteolysis / 10": 2.04,
    "lysosomal exit / 20": 1.10, "internalisation / 5": 1.11, "efflux x 30": 1.08,
}  # fmt: skip
"""Factors that are so much larger where arrested cells' sisters halve what they hold at division.

Where little more than half of the cells can be killed the curve is flat, and its crossing of one
half moves far. All others agree within the width of the printed digits.
"""
in_dish = pytest.mark.xdist_group("belantamab dish")
in_patient = pytest.mark.xdist_group("belantamab patient")


def _values(name: str, **more: float) -> dict[str, float]:
    return {**DISH, **CHANGES[name], **more}


def _spiked(name: str) -> float:
    return DECOY if name == "decoy" else 0.0


@lru_cache
def _untreated(name: str, net_dilution: float) -> float:
    return prototype.viable(_values(name, net_dilution=net_dilution), S=_spiked(name))


def _core(name: str, dose: float, net_dilution: float = 0.0) -> float:
    """Viability of the equations at a dose."""
    values = _values(name, net_dilution=net_dilution)
    return prototype.viable(values, A=dose, S=_spiked(name)) / _untreated(name, net_dilution)


@pytest.mark.parametrize("name", REACHES_HALF)
@in_dish
def test_half_dose_is_that_of_the_equations(dish: Model, name: str) -> None:
    found = half_dose(dish, _values(name), spiked={"sBCMA": _spiked(name)})
    assert _core(name, found / 1.002) > 0.5 > _core(name, found * 1.002)


@pytest.mark.parametrize("name", NEVER_HALF)
@in_dish
def test_half_is_never_reached_where_the_prototype_never_reaches_it(dish: Model, name: str) -> None:
    assert half_dose(dish, _values(name)) == np.inf
    assert _core(name, GRID[-1]) > 0.5


@pytest.mark.parametrize("name", CHANGES)
@in_dish
def test_what_the_highest_dose_leaves_is_that_of_the_equations(dish: Model, name: str) -> None:
    spiked = {"sBCMA": _spiked(name)}
    found = left(dish, {**_values(name), **spiked}, {"ADC": GRID[-1]})
    assert found == pytest.approx(_core(name, GRID[-1]), rel=1e-4)
    assert found == pytest.approx(PRINTED[name][1], abs=0.04)


@pytest.mark.parametrize("name", ["parental", "decoy", "efflux x 30", "protection x 5"])
@pytest.mark.parametrize("hours", [8.0, 24.0, 72.0])
@in_dish
def test_every_state_is_that_of_the_equations(dish: Model, name: str, hours: float) -> None:
    names = [*STATES, "cells", "arrested"]
    changes = {**_values(name), "capacity": 1e30}
    doses = {0.0: {"ADC": 0.1, "sBCMA": _spiked(name)}}
    found = run(dish, [0.0, hours], names, changes, doses)
    core = prototype.cultured(_values(name), hours, A=0.1, S=_spiked(name))
    core["cells"] = core["N"] + core["G"]
    core["arrested"] = core["G"] / core["cells"]
    for state in names:
        expected = core[STATES.get(state, state)]
        assert found[state][-1] == pytest.approx(expected, rel=1e-4, abs=1e-9), state


@pytest.mark.parametrize("name", REACHES_HALF)
def test_equations_with_dilution_by_net_growth_give_the_printed_factors(name: str) -> None:
    """So that where the model departs from what was printed, dilution is all of the reason."""
    factor, least = PRINTED[name]
    above = int(np.searchsorted(GRID, factor * PRINTED_EC50))
    doses = np.log(GRID[above - 1 : above + 1])
    levels = [_core(name, np.exp(dose), 1.0) for dose in doses]
    crossing = np.exp(np.interp(-0.5, [-level for level in levels], doses))
    assert crossing / PRINTED_EC50 == pytest.approx(factor, rel=0.03)
    assert _core(name, GRID[-1], 1.0) == pytest.approx(least, abs=0.006)


@pytest.mark.parametrize("name", REACHES_HALF)
@in_dish
def test_factors_are_the_printed_ones_but_for_dilution(dish: Model, name: str) -> None:
    parental = half_dose(dish, DISH)
    found = half_dose(dish, _values(name), spiked={"sBCMA": _spiked(name)}) / parental
    expected = PRINTED[name][0] * THINNED.get(name, 1.0)
    assert found == pytest.approx(expected, rel=0.05)


@in_dish
def test_half_doses_of_the_prototype_with_dilution_by_births(dish: Model) -> None:
    """0.0229 and 0.370 nM were printed for dilution by net growth."""
    assert half_dose(dish, DISH) == pytest.approx(0.0255, rel=0.01)
    assert half_dose(dish, {**DISH, "R0": 2000.0}) == pytest.approx(0.506, rel=0.01)
    free = half_dose(dish, DISH, {"payload_medium": 1.0})
    assert free == pytest.approx(6800.0, rel=0.05)


@in_dish
def test_payload_per_cell_is_that_of_the_prototype(dish: Model) -> None:
    """At 1 nM, when hardly a cell divides: molecules of payload, in thousands."""
    hours, printed = [8.0, 24.0, 48.0, 72.0], [12.0, 94.0, 281.0, 480.0]
    found = run(dish, [0.0, *hours], ["payload_cell"], DISH, {0.0: {"ADC": 1.0}})["payload_cell"]
    np.testing.assert_allclose(found[1:] / 1000, printed, rtol=0.08)


# ------------------------------------------------------------------ the patient, mode B
JUST_BEFORE = CYCLE - 1e-6
CYCLE_1 = {
    "ADC_total": 14.424, "c_ADC_plasma": 2.747, "c_sBCMA_plasma": 1.034, "tumour_cells": 9.985e10,
    "M_protein": 19.45, "arrest_high": 0.966,
}  # fmt: skip
CYCLE_6 = {"ADC_total": 33.41, "tumour_cells": 1.251e7, "M_protein": 0.140, "arrest_high": 0.969}
LEFT_AFTER_SIX = {
    "reference": ({}, 2.5e-5),
    "efflux x 10": ({"fMRP": 10.0}, 7.9e-5),
    "efflux x 30": ({"fMRP": 30.0}, 8.4e-3),
    "tubulin x 10": ({"mutT": 10.0}, 8.4e-5),
    "tubulin x 30": ({"mutT": 30.0}, 1.4e-2),
    "proteolysis / 10": ({"f_Lys": 0.1}, 3.0e-5),
    "BCMA / 10": ({"R0_patient": 200.0}, 3.0e-4),
    "clearance x 2": ({"CL_lin": 2 * 0.0292}, 2.8e-5),
    "marrow access / 10": ({"CLb": 0.0083}, 2.7e-5),
    "protection x 5": ({"f_bcl": 5.0, "kslip": 0.02}, 1.1e-3),
}


@pytest.fixture(scope="module")
def six_cycles(mechanistic: Model) -> dict[str, np.ndarray]:
    names = [*CYCLE_1, "sBCMA_free_mass"]
    return run(mechanistic, [0.0, JUST_BEFORE, 6 * CYCLE], names, PATIENT, cycles(6))


@pytest.mark.parametrize(("row", "printed"), [(1, CYCLE_1), (2, CYCLE_6)])
@in_patient
def test_six_cycles_end_as_printed(
    six_cycles: dict[str, np.ndarray], row: int, printed: dict[str, float]
) -> None:
    for name, value in printed.items():
        assert six_cycles[name][row] == pytest.approx(value, rel=0.005), name


@in_patient
def test_soluble_bcma_begins_as_printed(six_cycles: dict[str, np.ndarray]) -> None:
    assert six_cycles["sBCMA_free_mass"][0] == pytest.approx(138.65, rel=1e-4)


@pytest.mark.parametrize("name", LEFT_AFTER_SIX)
@in_patient
def test_what_is_left_after_six_cycles_is_as_printed(mechanistic: Model, name: str) -> None:
    changes, printed = LEFT_AFTER_SIX[name]
    names = ["tumour_relative"]
    found = run(mechanistic, [0.0, 6 * CYCLE], names, {**PATIENT, **changes}, cycles(6), rtol=1e-7)
    assert found["tumour_relative"][-1] == pytest.approx(printed, rel=0.05)


def _one_cycle(model: Model, decoy: float, changes: Values) -> dict[str, float]:
    """A cycle with this much soluble BCMA (ng/mL) at its start, most from elsewhere than the tumour."""
    values = {**PATIENT, "N0": 1e11, **changes}
    values["N0"] *= 2000.0 / values["R0_patient"]
    tumour = 1e11 * 1.4 * 2000.0 / 6.02214e14
    source = decoy / 5.8 * 0.0231 * 4.21 - tumour
    hours = np.linspace(0.0, CYCLE, 505)
    names = ["ADC_total_mass", "ADC_free_mass", "arrest_high", "sBCMA_free_mass", "sBCMA_total"]
    values["extra_source"] = max(source, 0.0)
    found = run(model, hours, names, values, cycles(1), rtol=1e-7)
    area = {name: np.trapezoid(found[name], hours) for name in names}
    return {
        "total": found["ADC_total_mass"][-1], "free": found["ADC_free_mass"][-1],
        "ratio": area["ADC_free_mass"] / area["ADC_total_mass"], "arrest": area["arrest_high"] / CYCLE,
        "total_decoy": found["sBCMA_total"].max() / found["sBCMA_total"][0],
        "back": hours[1:][found["sBCMA_free_mass"][1:] > 0.5 * decoy].min(initial=np.inf) / 24,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("decoy", "free", "ratio"),
    [
        (28, 2.36, 0.92),
        (88, 0.26, 0.67),
        (277, 0.0013, 0.38),
        (555, 0.0002, 0.22),
        (1100, 0.0001, 0.09),
    ],
)
@in_patient
def test_total_adc_hides_the_decoy(
    mechanistic: Model, decoy: float, free: float, ratio: float
) -> None:
    found = _one_cycle(mechanistic, decoy, {})
    assert found["total"] == pytest.approx(2.9, rel=0.03)
    assert found["free"] == pytest.approx(free, rel=0.05, abs=0.00005)
    assert found["ratio"] == pytest.approx(ratio, abs=0.011)
    assert found["arrest"] == pytest.approx(0.91, abs=0.011)


@in_patient
def test_decoy_matters_where_copies_are_few(mechanistic: Model) -> None:
    """A clone of 500 copies that is less sensitive, which the prototype has at 0.52 and 0.36."""
    few = {"R0_patient": 500.0, "occ50": 0.6, "hocc": 4.0}
    little, much = (_one_cycle(mechanistic, decoy, few)["arrest"] for decoy in (28, 1100))
    assert little == pytest.approx(0.52, abs=0.02)
    assert much == pytest.approx(0.36, abs=0.02)


@pytest.mark.parametrize(("decoy", "day"), [(277, 12.0), (555, 6.5), (1100, 4.0)])
@in_patient
def test_free_soluble_bcma_is_back_before_the_next_dose_where_there_is_much(
    mechanistic: Model, decoy: float, day: float
) -> None:
    """An assay of the total sees a rise all the while."""
    found = _one_cycle(mechanistic, decoy, {})
    assert found["back"] == pytest.approx(day, abs=0.6)
    assert 1.15 < found["total_decoy"] < 1.95
