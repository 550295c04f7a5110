"""5-azacytidine: an unstable drug that dividing cells dilute their methylation under."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from . import oracles
from .conditions import NEVER, numbers

pytestmark = pytest.mark.xdist_group("cereblon dish")  # one worker compiles for all of them

PERFECT = {
    "eta_0": 1.0, "t_half_remethylation": NEVER, "kill_AZA": 0.0, "t_half_AZA": NEVER, "N_max": 1e30,
}  # fmt: skip
"""Maintenance that only the drug disturbs, a drug that stays, and cells with room to grow."""
DAYS = np.linspace(0.0, 120.0, 6)
REFRESHED = """
id: refreshed
title: 5-azacytidine, refreshed every day
model: cereblon
final: {{t_half_AZA: {half_life} h}}
regimen: [{{at: 0 h, dose: azacitidine, to: 2 uM, every: 24 h, times: 3}}]
observe: {{every: 3 min, until: 72 h, outputs: [azacitidine]}}
"""


@pytest.mark.parametrize("half_life", [3.0, 7.0, 12.0])
def test_mean_level_of_a_refreshed_drug_is_that_of_its_decay(half_life: float) -> None:
    level = simulate(scenario_from_text(REFRESHED.format(half_life=half_life)))["azacitidine"]
    level = level.squeeze(drop=True)
    k = oracles.LN2 / half_life
    for day in (0.0, 24.0, 48.0):
        inside = level.sel(time=slice(day, day + 23.999))
        mean = np.trapezoid(inside, inside["time"]) / float(inside["time"][-1] - day)
        expected = oracles.mean_of_decay(k, float(inside["time"][-1] - day))
        assert mean / 2000.0 == pytest.approx(expected, rel=1e-4)
        assert float(inside[-1]) / 2000.0 == pytest.approx(np.exp(-k * 23.95), rel=1e-6)


@pytest.mark.parametrize("dose", [100.0, 2000.0, 1e9])
@pytest.mark.parametrize("doubling", [30.0, 60.0])
def test_each_division_multiplies_methylation(dish: Model, dose: float, doubling: float) -> None:
    value = numbers(dish)
    effect = dose / (dose + value["K_AZA"])
    fidelity = 1 - (1 - value["eta_min"]) * effect
    changes = {**PERFECT, "T_div": doubling, "azacitidine": dose, "methylation_line": 0.7}
    found = dish.simulate(DAYS, ["methylation", "methylome"], changes)
    expected = oracles.methylation_left(0.7, fidelity, DAYS / doubling)
    np.testing.assert_allclose(found["methylation"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["methylome"], expected / 0.7, rtol=1e-6)


def test_cells_that_do_not_divide_keep_their_methylation(dish: Model) -> None:
    changes = {**PERFECT, "azacitidine": 5000.0, "methylation_line": 0.7, "T_div": 1e12}
    found = dish.simulate(DAYS, ["methylation"], changes)["methylation"]
    np.testing.assert_allclose(found, 0.7, rtol=1e-6)


def test_route_a_restores_cereblon_and_route_b_does_not_touch_it(dish: Model) -> None:
    primed = {**PERFECT, "azacitidine": 5000.0, "methylation_line": 0.9}
    by_route = {"route_A": [0.0, 1.0, 0.0], "w_route_B": [0.0, 0.0, 0.5]}
    found = dish.simulate(DAYS, ["CRBN_blot", "MYC"], {**primed, **by_route})
    blot, survival = (found[name].values[:, -1] for name in ("CRBN_blot", "MYC"))
    np.testing.assert_allclose(blot[[0, 2]], 0.1, rtol=1e-4)
    assert blot[1] > 0.3
    assert survival[2] < 0.8 * survival[0]


def test_line_without_the_gene_has_nothing_to_restore(dish: Model) -> None:
    changes = {**PERFECT, "azacitidine": 5000.0, "methylation_line": 0.9, "CRBN_copies": 0.0}
    assert float(abs(dish.simulate(DAYS, ["CRBN_blot"], changes)["CRBN_blot"]).max()) == 0.0


def test_fully_methylated_line_makes_its_first_ligase_under_azacytidine(dish: Model) -> None:
    changes = {**PERFECT, "azacitidine": 5000.0, "methylation_line": 1.0, "S_outside": 1000.0}
    found = dish.simulate(DAYS, ["E_total", "IKZF1_level"], changes)
    assert float(found["E_total"][0]) == 0.0
    assert (np.diff(found["E_total"]) > 0).all()
    assert float(found["IKZF1_level"][-1]) < float(found["IKZF1_level"][0])
