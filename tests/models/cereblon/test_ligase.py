"""The ligase: its assembly, its loss, and a start that is the untreated steady state."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model

from . import oracles
from .conditions import NEOSUBSTRATES, NEVER, numbers

pytestmark = pytest.mark.xdist_group("cereblon dish")  # one worker compiles for all of them

COLLECTS = {"live_cells", "annexin_positive", "dead_cells", "hydrolysed"}
NO_SUBSTRATES = {f"{name}_expression": 1e-12 for name in NEOSUBSTRATES}
LINES = {
    "reference": {},
    "more_cereblon": {"C_T": 60.0},
    "less_cereblon": {"C_T": 5.0},
    "little_scaffold": {"A_T": 5.0},
    "silenced": {"methylation_line": 0.98},
    "re_expressed": {"methylation_line": 0.9, "CRBN_rescue": 1.0},
    "one_copy": {"CRBN_copies": 0.5},
    "null": {"CRBN_copies": 0.0},
    "exon_skipped": {"share_dead": 0.6},
    "exon_mostly_skipped": {"share_dead": 0.95, "A_T": 20.0},
    "competitor": {"Q": 1e4},
    "competing_substrate": {"ZFP91_expression": 10.0},
    "little_substrate": {"IKZF1_expression": 0.2},
    "slow_enzymes": {"E2": 0.1, "k_on": 0.36},
    "t_cell": {"T_cell": 1.0, "MDR1": 1.0},
    "bypass": {"bypass_STAT3": 0.5, "IRF4_knockdown": 0.4},
}


def _relative_change(values: np.ndarray, scale: float) -> float:
    """Of the last value against the first; what is not there at all is compared with `scale`."""
    size = max(abs(values[0]), abs(values[-1]), scale)
    return abs(values[-1] - values[0]) / size


@pytest.mark.parametrize("line", LINES)
def test_untreated_cells_start_in_their_steady_state(dish: Model, line: str) -> None:
    species = [name for name in dish.species() if name not in COLLECTS]
    found = dish.simulate([0.0, 2000.0], species, LINES[line])
    changes = {name: _relative_change(found[name].values, 1e-9) for name in species}
    allowed = 1e-3 if "share_dead" in LINES[line] else 1e-5  # two cereblons share the scaffold
    assert {name: change for name, change in changes.items() if change > allowed} == {}


@pytest.mark.parametrize(
    ("cereblon", "scaffold", "dissociation"),
    [(20.37, 100.0, 5.0), (20.37, 5.0, 5.0), (60.0, 60.0, 0.5)],
)
def test_assembly_is_the_root_of_its_quadratic(
    dish: Model, cereblon: float, scaffold: float, dissociation: float
) -> None:
    """At the start, and again from parts, where nothing is made anew and nothing else binds."""
    expected = oracles.assembled(cereblon, scaffold, dissociation)
    line = {"C_T": cereblon, "A_T": scaffold, "K_A": dissociation, **NO_SUBSTRATES}
    parts = {"t_half_CRBN": NEVER, "E": 0.0, "C": cereblon, "A": scaffold}
    start = dish.simulate([0.0], ["E_total", "C", "A"], line)
    end = dish.simulate([0.0, 100.0], ["E_total", "C", "A"], {**line, **parts})
    assert float(start["E_total"][0]) == pytest.approx(expected, rel=2e-3)
    assert float(end["E_total"][-1]) == pytest.approx(expected, rel=1e-8)
    for found in (start, end):
        free = {name: float(found[name][-1]) for name in ("E_total", "C", "A")}
        assert free["C"] + free["E_total"] == pytest.approx(cereblon, rel=1e-6)
        assert free["A"] + free["E_total"] == pytest.approx(scaffold, rel=1e-6)


def test_turnover_of_the_ligase_adds_to_its_dissociation(dish: Model) -> None:
    """Where cereblon is lost and made anew, K_A + k_deg / k_on takes the place of K_A."""
    value = numbers(dish)
    dissociation = value["K_A"] + oracles.LN2 / value["t_half_CRBN"] / value["k_on"]
    expected = oracles.assembled(value["C_T"], value["A_T"], dissociation)
    found = dish.simulate([0.0, 2000.0], ["E_total"], NO_SUBSTRATES)
    assert float(found["E_total"][-1]) == pytest.approx(expected, rel=1e-7)


def test_cereblon_without_exon_10_takes_scaffold_and_shows_on_a_blot(dish: Model) -> None:
    names = ["E_total", "CRBN_blot", "CRBN_short", "CRBN_full_length"]
    skipped = {"share_dead": [0.0, 0.6], "A_T": 10.0}
    found = dish.simulate([0.0, 500.0], names, skipped)
    last = {name: found[name].values[:, -1] for name in names}
    np.testing.assert_allclose(last["CRBN_blot"], 1.0, rtol=1e-4)
    assert last["CRBN_short"][1] == pytest.approx(0.6, rel=1e-4)
    assert last["E_total"][1] == pytest.approx(0.4 * last["E_total"][0], rel=1e-2)


def test_new_message_brings_cereblon_back_with_its_half_lives(dish: Model) -> None:
    """From silence: message and protein follow the two-step solution of synthesis and decay."""
    value = numbers(dish)
    message, protein = (oracles.LN2 / value[name] for name in ("t_half_mRNA", "t_half_CRBN"))
    times = np.linspace(0.0, 96.0, 9)
    states = {"CRBN_mRNA": 0.0, "C": 0.0, "A": value["A_T"], "E": 0.0}
    states |= {f"{name}_on_E": 0.0 for name in NEOSUBSTRATES}
    found = dish.simulate(times, ["CRBN_mRNA", "CRBN_blot"], states, rtol=1e-10)
    np.testing.assert_allclose(found["CRBN_mRNA"], -np.expm1(-message * times), atol=1e-8)
    late = (protein * np.exp(-message * times) - message * np.exp(-protein * times)) / (
        message - protein
    )
    np.testing.assert_allclose(found["CRBN_blot"], 1 + late, atol=1e-7)
