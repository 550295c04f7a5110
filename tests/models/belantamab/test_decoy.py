"""Soluble BCMA takes arms of the antibody: balance, shifts of dose-response, and what is left free."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from myelode.model import Model

from . import oracles
from .conditions import DISH, NEVER, TINY, half_dose, run

pytestmark = pytest.mark.xdist_group("belantamab dish")  # one worker compiles for all of them

CLOSED = {
    **DISH, "kint": TINY, "kintc": TINY, "ksh": TINY, "T_div": NEVER, "kleak": TINY,
    "cells_seeded": 2e6, "conditioned": 1.0, "sBCMA_conditioned": 4.0,
}  # fmt: skip
"""Binding alone, with enough cells to draw antibody out of the medium."""
STEPS = {
    "decoying": 2.0, "decoying_twice": 1.0, "line_binding": 2.0, "line_cross_linking": 1.0,
    "line_binding_decoyed": 1.0, "line_decoying_bound": 1.0,
}  # fmt: skip
FORMS = (
    "ADC",
    "sBCMA",
    "ADC_sBCMA",
    "ADC_sBCMA2",
    "BCMA",
    "BCMA_ADC",
    "BCMA2_ADC",
    "BCMA_ADC_sBCMA",
)
DECOYS = [1.724, 17.24]  # 10 and 100 ng/mL
FEW = {**DISH, "cells_seeded": 10.0, "f_sh": 0.0}
UNLINKED = {**FEW, "alpha": 1e-12}  # two arms that do not cross-link


@pytest.fixture(scope="module")
def balanced(dish: Model) -> dict[str, float]:
    """All forms, and all net flows, when binding has come to rest."""
    found = run(dish, [0.0, 2000.0], [*FORMS, *STEPS], CLOSED, {0.0: {"ADC": 3.0}}, rtol=1e-11)
    return {name: float(values[-1]) for name, values in found.items()}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_binding_comes_to_rest(balanced: dict[str, float], step: str) -> None:
    """Detailed balance: no flow is left that runs in a circle through A, X1, B and BS."""
    held = max(balanced[name] for name in FORMS if name.startswith("BCMA_ADC"))
    fluid = 1e-4 * DISH["kon"] * balanced["ADC"] * balanced["sBCMA"]
    flow = fluid if step.startswith("decoying") else DISH["kon"] * DISH["Kd"] * held
    assert abs(balanced[step]) < 1e-6 * flow


def test_balance_is_that_of_independent_arms(balanced: dict[str, float]) -> None:
    antibody, decoy, surface = (balanced[name] for name in ("ADC", "sBCMA", "BCMA"))
    k_d = DISH["Kd"]
    near = DISH["alpha"] * surface / (6.02214e14 * DISH["Veff"])  # the second arm's own level
    expected = {
        "ADC_sBCMA": 2 * antibody * decoy / k_d,
        "ADC_sBCMA2": antibody * (decoy / k_d) ** 2,
        "BCMA_ADC": 2 * antibody * surface / k_d,
        "BCMA2_ADC": antibody * surface * near / k_d**2,
        "BCMA_ADC_sBCMA": 2 * antibody * surface * decoy / k_d**2,
    }
    for name, value in expected.items():
        assert balanced[name] == pytest.approx(value, rel=1e-6), name


def _equilibrated(decoy: float, arms: int) -> dict[str, float]:
    """How a dose is shared among its forms at a free level of decoy."""
    shares = oracles.decoyed_shares(decoy / DISH["Kd"], arms)
    return dict(zip(("ADC", "ADC_sBCMA", "ADC_sBCMA2"), shares, strict=False))


@pytest.fixture(scope="module")
def undisturbed(dish: Model, fragment: Model) -> Callable[[int], float]:
    """The dose that leaves half of the cells without decoy, by the number of arms."""
    found = {1: half_dose(fragment, FEW), 2: half_dose(dish, UNLINKED)}
    return found.__getitem__


@pytest.mark.parametrize("decoy", DECOYS)
@pytest.mark.parametrize("arms", [1, 2])
def test_shift_at_a_free_level_of_decoy_is_one_plus_its_ratio_to_kd(
    dish: Model, fragment: Model, undisturbed: Callable[[int], float], arms: int, decoy: float
) -> None:
    """Without cross-linking and shedding of bound receptor, antibody equilibrated beforehand."""
    model, values = (fragment, FEW) if arms == 1 else (dish, UNLINKED)
    found = half_dose(model, values, _equilibrated(decoy, arms), {"sBCMA": decoy})
    expected = oracles.half_dose_shift(decoy, DISH["Kd"])
    assert found / undisturbed(arms) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("decoy", DECOYS)
@pytest.mark.parametrize("arms", [1, 2])
def test_shift_by_a_total_of_decoy_is_weaker(
    dish: Model, fragment: Model, undisturbed: Callable[[int], float], arms: int, decoy: float
) -> None:
    """The antibody itself uses up decoy that was merely spiked."""
    model, values = (fragment, FEW) if arms == 1 else (dish, UNLINKED)
    found = half_dose(model, values, spiked={"sBCMA": decoy}) / undisturbed(arms)
    free = oracles.half_dose_shift(decoy, DISH["Kd"])
    assert 0.75 * free < found < 0.97 * free


@pytest.mark.parametrize(("copies", "stronger"), [(10_000.0, True), (2000.0, False)])
def test_shift_beats_the_simple_law_only_where_copies_allow_cross_linking(
    dish: Model, copies: float, stronger: bool
) -> None:
    values = {**DISH, "R0": copies}
    shift = half_dose(dish, values, spiked={"sBCMA": 17.24}) / half_dose(dish, values)
    assert (shift > oracles.half_dose_shift(17.24, DISH["Kd"])) == stronger


def test_a_fragment_never_links_two_receptors_nor_carries_a_decoy_to_the_cell(
    fragment: Model,
) -> None:
    never = ["BCMA2_ADC", "BCMA_ADC_sBCMA", "ADC_sBCMA2"]
    found = run(fragment, [0.0, 24.0, 72.0], never, DISH, {0.0: {"ADC": 1.0, "sBCMA": 5.0}})
    assert all((values == 0).all() for values in found.values())


@pytest.mark.parametrize("f_sh", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("level", [0.1, 1.0, 10.0])
def test_half_occupied_level_is_not_kd_but_counts_what_is_lost(
    fragment: Model, f_sh: float, level: float
) -> None:
    values = {**FEW, "f_sh": f_sh, "T_div": NEVER, "cells_seeded": 0.01}
    found = run(fragment, [0.0, 60.0], ["BCMA", "BCMA_ADC"], values, {0.0: {"ADC": level}})
    lost = (DISH["kintc"], f_sh * DISH["ksh"])
    k_ss = oracles.k_steady(DISH["kon"], DISH["kon"] * DISH["Kd"], *lost)
    assert found["BCMA"][-1] / found["BCMA_ADC"][-1] == pytest.approx(k_ss / level, rel=1e-5)
    assert k_ss > 1.1 * DISH["Kd"]


def test_more_decoy_needs_more_drug(dish: Model) -> None:
    decoys = [0.0, 0.5, 2.0, 8.0, 32.0]
    needed = [half_dose(dish, DISH, spiked={"sBCMA": decoy}) for decoy in decoys]
    assert (np.diff(needed) > 0).all()


def test_wells_with_more_cells_hold_more_decoy(dish: Model) -> None:
    """Soluble BCMA at 72 h as the prototype has it: negligible in a usual well, not in a dense one."""
    printed = {5e3: 0.97, 2e4: 3.9, 1e5: 19.0}
    for seeded, level in printed.items():
        values = {**DISH, "cells_seeded": seeded}
        found = run(dish, [0.0, 72.0], ["sBCMA_free_mass"], values)["sBCMA_free_mass"]
        assert found[-1] == pytest.approx(level, rel=0.03)
