"""Mass, substance and copies per cell are one amount in three languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import myelode
from myelode.conversion import convert
from myelode.errors import ScenarioError

AVOGADRO = 6.02214076e23
NUMBERS = st.floats(1e-9, 1e9)
MASSES = st.floats(0.1, 1000).map(lambda number: f"{number!r} kDa")
DENSITIES = st.floats(1e2, 1e9).map(lambda number: f"{number!r} /mL")


@pytest.mark.parametrize(
    ("quantity", "unit", "number"),
    [
        ("1 ug/mL", "nM", 1000 / 152),
        ("1 nM", "ug/mL", 0.152),
        ("2 mg", "nmol", 2e-3 / 152e3 * 1e9),
        ("1 umol", "mg", 152),
        ("10000 1/cell", "nM", 1e4 * 1e9 / AVOGADRO * 1e9),
        ("10000 copies/cell", "nM", 1e4 * 1e9 / AVOGADRO * 1e9),
        ("10000 molecules/cell", "pM", 1e4 * 1e9 / AVOGADRO * 1e12),
        ("1 nM", "copies/cell", 1e-9 / 1e9 * AVOGADRO),
        ("1 nM", "/cell", 1e-9 / 1e9 * AVOGADRO),
        ("1 ug/mL", "copies/cell", 1e-3 / 152e3 / 1e9 * AVOGADRO),
        ("7 1/cell", "copies/cell", 7),
        ("1e6 copies", "amol", 1e6 / AVOGADRO * 1e18),
        ("3 fmol/cell", "uM", 3e-15 * 1e9 * 1e6),
        ("90 min", "h", 1.5),
        (0.5, "percent", 50),
    ],
)
def test_a_quantity_in_another_unit(quantity: str | float, unit: str, number: float) -> None:
    found = convert(quantity, unit, molar_mass="152 kg/mol", cells="1e6 /mL")
    assert found == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    "mass", ["5.8 kDa", "5800 Da", "5.8 kg/mol", "5800 g/mol", "5.8 kilodalton"]
)
def test_a_dalton_is_a_gram_per_mole(mass: str) -> None:
    assert convert("58 ng/mL", "nM", molar_mass=mass) == pytest.approx(10, rel=1e-14)


@pytest.mark.parametrize("cells", ["1e6 /mL", "1e6 1/mL", "1e6 cells/mL", "1e9 items/L"])
def test_the_word_cells_may_be_left_out(cells: str) -> None:
    assert convert("1 amol/cell", "nM", cells=cells) == pytest.approx(1, rel=1e-14)


@given(NUMBERS, MASSES)
def test_mass_and_substance_there_and_back(number: float, mass: str) -> None:
    there = convert(f"{number!r} ug/mL", "nM", molar_mass=mass)
    assert convert(f"{there!r} nM", "ug/mL", molar_mass=mass) == pytest.approx(number, rel=1e-12)


@given(NUMBERS, DENSITIES)
def test_copies_and_concentration_there_and_back(number: float, cells: str) -> None:
    there = convert(f"{number!r} copies/cell", "nM", cells=cells)
    assert convert(f"{there!r} nM", "copies/cell", cells=cells) == pytest.approx(number, rel=1e-12)


@given(NUMBERS, MASSES, DENSITIES)
def test_both_at_once_is_one_after_the_other(number: float, mass: str, cells: str) -> None:
    once = convert(f"{number!r} ng/mL", "copies/cell", molar_mass=mass, cells=cells)
    molar = convert(f"{number!r} ng/mL", "nM", molar_mass=mass)
    assert convert(f"{molar!r} nM", "copies/cell", cells=cells) == pytest.approx(once, rel=1e-12)


@pytest.mark.parametrize(
    ("quantity", "unit", "given", "message"),
    [
        ("1 ug/mL", "nM", {}, "'1 ug/mL' in 'nM' needs a molar mass such as '152 kg/mol'"),
        ("1 /cell", "nM", {}, "needs a density of cells such as '1e6 /mL': cells=..."),
        ("1 ug/mL", "/cell", {"molar_mass": "5 kDa"}, "needs a density of cells"),
        ("1 ug/mL", "h", {"molar_mass": "5 kDa"}, "'1 ug/mL' cannot be converted to 'h'"),
        ("1 ug/mL", "nM", {"molar_mass": "5 kg"}, "molar_mass is in 'kg', which cannot be converted"),
        ("1 ug/mL", "nM", {"molar_mass": "5"}, "molar_mass is in '', which cannot be converted"),
        ("1 ug/mL", "nM", {"molar_mass": "0 kDa"}, "'0 kDa' is not a molar mass such as"),
        ("1 ug/mL", "nM", {"molar_mass": "heavy"}, "'heavy' is not a quantity"),
        ("1 /cell", "nM", {"cells": "-1 /mL"}, "'-1 /mL' is not a density of cells"),
        ("1 /cell", "nM", {"cells": "1e6"}, "cells is in 'dimensionless'"),
        ("plenty", "nM", {}, "'plenty' is not a quantity"),
        ("1 ug/mL", "parsnips", {}, "'parsnips' is not a known unit"),
        ("20 degC", "K", {}, "is no multiple of"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_one_line(
    quantity: str, unit: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        convert(quantity, unit, **given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_public() -> None:
    assert myelode.convert is convert
