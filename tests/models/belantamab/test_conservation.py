"""Ledgers: antibody, soluble BCMA and payload are moved about, and none is made or lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.model import Model

from .conditions import DAY, DOSE, cycles, run

THROUGH = ["balance_ADC", "balance_sBCMA", "balance_payload", "sBCMA_shed", "ADC_degraded"]
HOURS = np.linspace(0.0, 72.0, 13)
DAYS = np.linspace(0.0, 63 * DAY, 22)
BUSY = {
    "clone_high": 0.6, "clone_low": 0.2, "clone_null": 0.1, "clone_mutant": 0.1, "nu_low": 1e-3,
    "nu_back": 2e-3, "nu_last_copy": 0.05, "het_share": 0.5, "nu_mutant": 0.02, "k_I": 3.0,
    "kslip": 0.01, "k_im": 0.01, "kon_mutant": 0.4,
}  # fmt: skip
"""Four clones that switch, mutate, slip, and die of everything there is."""
PARTNERS = {
    48.0 + 100.0 * n: {"bortezomib_effect": 1.0, "dexamethasone_effect": 1.0, "nirogacestat": 3e5}
    for n in range(10)
}


NOTHING = 1e-12
"""In nmol: a ledger through which less than this went is empty."""


def _close(found: dict[str, np.ndarray], dosed: np.ndarray) -> None:
    """Each ledger stays within 1e-6 of what went through it."""
    through = {
        "balance_ADC": dosed.max(),
        "balance_sBCMA": abs(found["balance_sBCMA"][0]) + np.abs(found["sBCMA_shed"]).max(),
        "balance_payload": 4.0 * np.abs(found["ADC_degraded"]).max(),
    }
    right = {"balance_ADC": dosed, "balance_sBCMA": found["balance_sBCMA"][0], "balance_payload": 0}
    for name, size in through.items():
        assert np.abs(found[name] - right[name]).max() < max(1e-6 * size, NOTHING), name


@pytest.mark.parametrize(
    "changes", [{}, {"cells_seeded": 1e6, "f_sh": 1.0, "effector_cells": 5.0, "kslip": 0.02}]
)
@pytest.mark.xdist_group("belantamab dish")
def test_ledgers_of_a_dish_close(dish: Model, changes: dict[str, float]) -> None:
    doses = {0.0: {"ADC": 1.0, "bortezomib": 3.0}, 24.0: {"sBCMA": 5.0}}
    found = run(dish, HOURS, THROUGH, changes, doses)
    spiked = np.where(HOURS >= 24.0, 5e-4, 0.0)
    found["balance_sBCMA"] = found["balance_sBCMA"] - spiked
    _close(found, np.full(HOURS.size, 1e-4))


@pytest.mark.xdist_group("belantamab dish")
def test_payload_dosed_free_is_found_again(dish: Model) -> None:
    doses = {0.0: {"payload_medium": 5000.0}}
    found = run(dish, HOURS, ["balance_payload", "payload_cell"], {"kin": 0.01}, doses)
    np.testing.assert_allclose(found["balance_payload"], 0.5, rtol=1e-6)
    assert found["payload_cell"][-1] > 0


@pytest.mark.parametrize("changes", [{}, BUSY], ids=["as it is", "busy"])
@pytest.mark.parametrize("mode", ["patient", "mechanistic"])
@pytest.mark.xdist_group("belantamab patient")
def test_ledgers_of_a_patient_close(
    request: pytest.FixtureRequest, mode: str, changes: dict[str, float]
) -> None:
    model = request.getfixturevalue(mode)
    doses = {**PARTNERS, **cycles(3)}
    found = run(model, DAYS, THROUGH, changes, doses)
    dosed = DOSE * np.minimum(DAYS // (21 * DAY) + 1, 3)
    _close(found, dosed)


@settings(max_examples=6)
@given(
    copies=st.floats(0.0, 1e5), f_sh=st.floats(0.0, 1.0), inhibited=st.floats(0.0, 1.0),
    dose=st.floats(0.0, 1e3), decoy=st.floats(0.0, 100.0), quiet=st.floats(0.0, 0.9),
    kslip=st.floats(0.0, 0.1), cells=st.floats(0.0, 1e6),
)  # fmt: skip
@pytest.mark.xdist_group("belantamab dish")
def test_whatever_the_values_shares_stay_shares_and_ledgers_close(
    dish: Model, copies: float, f_sh: float, inhibited: float, dose: float, decoy: float,
    quiet: float, kslip: float, cells: float,
) -> None:  # fmt: skip
    shares = ["arrested", "quiescent", "occupancy", "arrest", "receptor_occupancy"]
    changes = {
        "R0": copies, "f_sh": f_sh, "Igs_0": inhibited, "quiescent_0": quiet, "kslip": kslip,
        "cells_seeded": cells,
    }  # fmt: skip
    names = [*shares, *THROUGH, "cells"]
    found = run(dish, HOURS, names, changes, {0.0: {"ADC": dose, "sBCMA": decoy}})
    for name in shares:
        assert found[name].min() > -1e-9, name
        assert found[name].max() < 1 + 1e-9, name
    assert found["cells"].min() >= -1e-9
    _close(found, np.full(HOURS.size, dose * 1e-4))
