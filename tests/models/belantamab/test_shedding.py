"""Gamma-secretase: what its inhibition does to surface and soluble BCMA, and where the latter goes."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.model import Model

from . import oracles
from .conditions import DISH, NEVER, NO_GROWTH, PATIENT, run

INHIBITED = [0.5, 0.9, 0.99]
STILL = {**DISH, "T_div": NEVER}


def _added(share: float, ic50: float = 6.2) -> float:
    """The level of inhibitor that inhibits this share."""
    return ic50 * share / (1 - share)


@pytest.mark.parametrize("share", INHIBITED)
@pytest.mark.xdist_group("belantamab dish")
def test_surface_and_soluble_bcma_follow_the_algebra(dish: Model, share: float) -> None:
    names = ["BCMA", "line_shedding"]
    changes = {**STILL, "IC50_GSI": 6.2}
    found = run(dish, [0.0, 100.0], names, changes, {0.0: {"GSI": _added(share)}}, rtol=1e-11)
    fold = oracles.surface_fold(DISH["kint"], DISH["ksh"], share)
    assert found["BCMA"][-1] / DISH["R0"] == pytest.approx(fold, rel=1e-6)
    shed = found["line_shedding"][-1] / (DISH["ksh"] * DISH["R0"])
    assert shed == pytest.approx(oracles.soluble_share(DISH["kint"], DISH["ksh"], share), rel=1e-6)
    # both together give the share that is inhibited, whatever turnover is
    assert 1 - shed / fold == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(("share", "fold", "soluble"), [(0.9, 3.6, 0.36), (0.99, 4.8, 0.05)])
def test_algebra_gives_the_printed_trap(share: float, fold: float, soluble: float) -> None:
    """Nine tenths inhibited leave more than a third of the soluble BCMA."""
    assert oracles.surface_fold(0.35, 1.4, share) == pytest.approx(fold, rel=0.02)
    assert oracles.soluble_share(0.35, 1.4, share) == pytest.approx(soluble, rel=0.05)


@pytest.mark.parametrize("share", INHIBITED)
@pytest.mark.xdist_group("belantamab dish")
def test_surface_bcma_rises_at_the_rate_of_what_still_removes_it(dish: Model, share: float) -> None:
    rate = DISH["kint"] + DISH["ksh"] * (1 - share)
    t_90 = oracles.time_to_share(0.9, rate)
    assert t_90 == pytest.approx(2.3 / rate, rel=2e-3)
    doses = {0.0: {"GSI": _added(share)}}
    found = run(dish, [0.0, t_90, 60.0], ["BCMA"], {**STILL, "IC50_GSI": 6.2}, doses)["BCMA"]
    assert (found[1] - found[0]) / (found[2] - found[0]) == pytest.approx(0.9, rel=1e-6)


@pytest.mark.xdist_group("belantamab dish")
def test_surface_bcma_is_near_its_plateau_after_four_hours(dish: Model) -> None:
    doses = {0.0: {"GSI": _added(0.95)}}
    found = run(dish, [0.0, 4.0, 42.0], ["BCMA"], {**STILL, "IC50_GSI": 6.2}, doses)["BCMA"]
    assert (found[1] - found[0]) / (found[2] - found[0]) == pytest.approx(0.81, abs=0.005)


@pytest.mark.parametrize("share", INHIBITED)
@pytest.mark.xdist_group("belantamab dish")
def test_a_well_pretreated_is_a_well_treated_for_long(dish: Model, share: float) -> None:
    changes = {**STILL, "Igs_0": share}
    found = run(dish, [0.0, 24.0], ["BCMA", "sBCMA", "cells"], changes)
    assert found["BCMA"][1] == pytest.approx(found["BCMA"][0], rel=1e-9)
    per_well = DISH["cells_seeded"] / 6.02214e14 / 1e-4
    shed = oracles.soluble_share(DISH["kint"], DISH["ksh"], share) * DISH["ksh"] * DISH["R0"]
    assert found["sBCMA"][1] == pytest.approx(24 * per_well * shed, rel=1e-6)


@pytest.mark.xdist_group("belantamab dish")
def test_full_inhibition_leaves_no_soluble_bcma_and_all_that_turnover_allows(dish: Model) -> None:
    found = run(dish, [0.0, 72.0], ["BCMA", "sBCMA"], {**DISH, "Igs_0": 1.0})
    most = DISH["R0"] * (1 + DISH["ksh"] / DISH["kint"])
    np.testing.assert_allclose(found["BCMA"], most, rtol=1e-9)
    assert found["sBCMA"][-1] == 0


@pytest.mark.parametrize("share", [0.0, 0.9])
@pytest.mark.xdist_group("belantamab patient")
def test_soluble_bcma_of_a_patient_starts_where_it_stays(patient: Model, share: float) -> None:
    """Production over loss, in plasma and marrow, as long as the tumour does not change."""
    changes = {**PATIENT, **NO_GROWTH, "Igs_0": share}
    changes = {name: value for name, value in changes.items() if name in patient.entities}
    names = ["sBCMA_plasma", "sBCMA_marrow", "sBCMA_free_mass"]
    found = run(patient, [0.0, 2000.0], names, changes)
    made = 5e11 * 1.4 * 2000.0 / 6.02214e14 * oracles.soluble_share(0.35, 1.4, share)
    np.testing.assert_allclose(found["sBCMA_plasma"], made / 0.0231, rtol=1e-6)
    np.testing.assert_allclose(found["sBCMA_marrow"], made / 0.1, rtol=1e-6)
    np.testing.assert_allclose(found["sBCMA_free_mass"], made / 0.0231 / 4.21 * 5.8, rtol=1e-6)


@pytest.mark.xdist_group("belantamab patient")
def test_soluble_bcma_is_lost_with_its_published_half_life(patient: Model) -> None:
    none = {"R0_patient": 0.0, "normal_source": 0.0}
    half = oracles.LN2 / patient.parameters["kelS"].value
    assert 24 <= half <= 36
    doses = {0.0: {"sBCMA_plasma": 100.0}}
    found = run(patient, [0.0, half], ["sBCMA_plasma"], none, doses)["sBCMA_plasma"]
    assert found[-1] == pytest.approx(50.0, rel=1e-6)


@pytest.mark.xdist_group("belantamab patient")
def test_an_inhibitor_given_to_a_patient_lowers_soluble_and_raises_surface_bcma(
    patient: Model,
) -> None:
    nmol = 150.0 / 489.6 * 1e3 * 1e3
    doses = {12.0 * n: {"nirogacestat": nmol} for n in range(6)}
    names = ["sBCMA_free_mass", "BCMA_high"]
    found = run(patient, [0.0, 72.0], names, None, doses)
    assert found["sBCMA_free_mass"][-1] < 0.8 * found["sBCMA_free_mass"][0]
    assert found["BCMA_high"][-1] > 1.5 * found["BCMA_high"][0]
