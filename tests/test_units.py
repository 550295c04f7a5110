"""Quantities become numbers at the border, and what is not a quantity is refused at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.units import factor, is_dimensionless, parse_unit, split_quantity, to_unit

PAIRS = [
    ("nmol/L", "umol/L"), ("h", "d"), ("1/h", "1/min"), ("mg/kg", "ug/g"), ("item", "cells"),
    ("cells/L", "1/mL*item"), ("percent", "dimensionless"), ("L/h", "mL/min"), ("uM", "nM"),
    ("umol/L*h", "nM*min"), ("item*L/umol", "item*mL/nmol"), ("pL/cell", "L/item"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("2 h", "h", 2.0),
        ("90 min", "h", 1.5),
        ("1 uM", "nmol/L", 1000.0),
        ("1 µM", "umol/L", 1.0),
        ("0.3 1/h", "1/min", 0.005),
        ("0.3/h", "1/h", 0.3),
        ("5e5 cells/mL", "item/L", 5e8),
        ("3 lesions", "item", 3.0),
        ("50 %", "dimensionless", 0.5),
        ("50 percent", "1", 0.5),
        ("-1.5e-3 L", "mL", -1.5),
        (".5 h", "h", 0.5),
        ("7 h^-1", "1/h", 7.0),
        ("7 h**-1", "1/h", 7.0),
        ("2h", "h", 2.0),
    ],
)
def test_a_quantity_becomes_a_number_in_the_declared_unit(
    text: str, unit: str, number: float
) -> None:
    assert to_unit(text, unit) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(("one", "other"), PAIRS)
@given(number=st.floats(1e-9, 1e9))
def test_converting_there_and_back_changes_nothing(one: str, other: str, number: float) -> None:
    there = to_unit(f"{number!r} {one}", other)
    assert to_unit(f"{there!r} {other}", one) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_factors_there_and_back_are_reciprocal(one: str, other: str) -> None:
    assert factor(one, other) * factor(other, one) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2 "])
def test_a_bare_number_is_refused_where_a_unit_is_due(value: object) -> None:
    with pytest.raises(ScenarioError, match="until needs a unit: write '2 h'"):
        to_unit(value, "h", "until")


@pytest.mark.parametrize("unit", ["", "1", "dimensionless"])
def test_a_bare_number_is_right_where_the_unit_is_a_pure_number(unit: str) -> None:
    assert to_unit(2, unit) == 2.0
    assert to_unit("2", unit) == 2.0


def test_a_bare_number_counts_in_the_declared_multiple_of_one() -> None:
    assert to_unit(0.5, "percent") == 50.0


def test_a_model_without_units_takes_bare_numbers_only() -> None:
    assert to_unit(2, None) == 2.0
    with pytest.raises(
        ScenarioError, match="has no declared unit in the model: write 2, not '2 h'"
    ):
        to_unit("2 h", None, "until")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("2 h", "umol/L"),
        ("2 cells", "dimensionless"),
        ("2 items", "mol"),
        ("2 mg", "umol"),
        ("2 h", "1/h"),
    ],
)
def test_units_of_different_kinds_do_not_mix(text: str, unit: str) -> None:
    with pytest.raises(ScenarioError, match="cannot be converted to"):
        to_unit(text, unit, "the dose")


@pytest.mark.parametrize("own", ["degC", "degF"])
def test_a_scale_with_a_zero_of_its_own_is_no_unit_to_multiply_with(own: str) -> None:
    with pytest.raises(ScenarioError, match="no multiple"):
        factor(own, "kelvin")


@pytest.mark.parametrize(
    "value",
    [
        "", "h", "two h", "2 parsnips", "2 h h(", "1e9999 h", "1e400", "nan h", "inf h", "--2 h",
        "2 h; 3 h", "2 (h", "2 h^", "2 h**", "2 /", "2 **", "2 1h1", "2 h\n3", "0x10 h", "2 h$", True,
        None, [2], {"h": 2}, float("nan"), float("inf"), 10**400,
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(ScenarioError):
        to_unit(value, "h")


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "1 10**10**8", "1 10^10^8", "1 h^100000000", "1 10**100000000", "1 m**9**9**9", "1 (10^8)^8",
        "1 10 ** 10 ** 8", "1 ((((9^99)^99)^99)^99)^99", "1 10^-10^8", "1 h^1e9", "1 1e99999999", "9" * 1_000_000, "1 " + "h" * 1_000_000,
        "1 " + "(" * 60, "1 " + "-" * 60, "1 " + "h*" * 31,
    ],
)  # fmt: skip
def test_what_would_take_for_ever_is_refused_at_once(text: str) -> None:
    with pytest.raises(ScenarioError):
        to_unit(text, "h")


@given(st.text(max_size=80))
def test_any_text_is_a_quantity_or_a_scenario_error(text: str) -> None:
    try:
        number, unit = split_quantity(text)
        parse_unit(unit or "")
    except ScenarioError:
        return
    assert number == number


@given(st.text("0123456789.hLgmol*/^() -+eu%", max_size=30))
def test_any_unit_like_text_is_a_unit_or_a_scenario_error(text: str) -> None:
    try:
        unit = parse_unit(text)
    except ScenarioError:
        return
    assert unit is not None


def test_items_are_no_pure_numbers() -> None:
    assert is_dimensionless("percent")
    assert not is_dimensionless("item")
    assert not is_dimensionless("cells")
