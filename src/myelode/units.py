"""Quantities at the border: text with a unit becomes a number in the model's unit, once.

Inside the program there are only numbers. The registry is pint's, with the counts that biology
needs (cells and lesions are items), and is built on first use.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

from myelode.errors import ScenarioError

if TYPE_CHECKING:
    import pint

LONGEST_TEXT = 64
DIMENSIONLESS = ("", "1", "dimensionless")
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*?)\s*")
_SECOND = re.compile(r"[=,;]\s*[\d.]|\w\s*\(\s*\d")
_UNIT = re.compile(r"[A-Za-zµμ%1][A-Za-z0-9µμ%_/*^(). -]*")
# A power of anything but a name, or other than a small plain number: 10**10**8 would keep the
# registry busy for ever.
_TOWER = re.compile(
    r"(?<![A-Za-zµμ%])\s*(?:\^|\*\*)"
    r"|(?:\^|\*\*)(?!\s*-?\d{1,2}(?:\.\d{1,3})?(?![\d.]|\s*\^|\s*\*\*))"
)
# What comes out of pint's parser for text that makes no sense, besides its own errors.
_NO_UNIT = (
    ValueError, TypeError, ArithmeticError, AttributeError, KeyError, AssertionError,
    SyntaxError, TokenError,
)  # fmt: skip


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Any]:
    """The one unit registry, with items (cells, lesions) defined."""
    import pint

    units: pint.UnitRegistry[Any] = pint.UnitRegistry()
    units.define("item = [item_count] = items = cell = cells = lesion = lesions")
    units.define("@alias month = mo")
    return units


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> pint.Unit:
    """The unit that `text` names; raises ScenarioError if it names none."""
    import pint

    text = text.strip()
    text = f"1{text}" if text.startswith("/") else text  # what "0.3/h" leaves of itself
    if text in DIMENSIONLESS:
        return registry().Unit("dimensionless")
    if len(text) > LONGEST_TEXT or not _UNIT.fullmatch(text) or _TOWER.search(text):
        raise ScenarioError(f"{text[:LONGEST_TEXT]!r} is not a unit")
    try:
        return registry().Unit(text)
    except (pint.PintError, *_NO_UNIT):
        raise ScenarioError(f"{text!r} is not a known unit") from None


def split_quantity(value: object) -> tuple[float, str | None]:
    """Number and unit text of ``"2 h"`` or of a bare number (unit None); the number is finite."""
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value) if len(value) <= LONGEST_TEXT else None
        number, unit = (float(match[1]), match[2] or None) if match else (math.nan, None)
        if unit and _SECOND.search(unit):
            raise ScenarioError(f"{value!r} is more than one quantity: write one of them")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number, unit = _float(value), None
    else:
        number, unit = math.nan, None
    if not math.isfinite(number):
        shown = repr(value)
        shown = shown if len(shown) <= LONGEST_TEXT else f"{shown[:20]}..."
        raise ScenarioError(f"{shown} is not a quantity such as '2 h'")
    return number, unit


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def to_unit(value: object, unit: str | None, what: str = "the value") -> float:
    """`value` as a number in `unit`.

    A bare number is right only where the unit is dimensionless or unknown (None).
    """
    number, own = split_quantity(value)
    if unit is None:
        if own is None:
            return number
        raise ScenarioError(
            f"{what} has no declared unit in the model: write {number:g}, not {value!r}"
        )
    if own is None:
        if is_dimensionless(unit) and not is_per(unit, "kg"):
            return number * factor("dimensionless", unit)
        raise ScenarioError(f"{what} needs a unit: write '{number:g} {unit}', not {value!r}")
    return number * factor(own, unit, what)


@lru_cache(maxsize=4096)
def factor(own: str, unit: str, what: str = "the value") -> float:
    """The number by which a value in `own` is multiplied to stand in `unit`.

    Raises ScenarioError for units of different kinds, and for scales with a zero of their own.
    """
    source, target = parse_unit(own), parse_unit(unit)
    if source.dimensionality != target.dimensionality or _is_mixed(own, unit):
        raise ScenarioError(f"{what} is in {own!r}, which cannot be converted to {unit!r}")
    zero, one = (float(registry().Quantity(x, source).to(target).magnitude) for x in (0.0, 1.0))
    if zero != 0:
        raise ScenarioError(f"{what} is in {own!r}, which is no multiple of {unit!r}")
    return one


def _is_mixed(own: str, unit: str) -> bool:
    """Whether one of two pure numbers is written as mass per mass: a dose is no share."""
    return is_dimensionless(unit) and is_per(own, "kg") != is_per(unit, "kg")


@lru_cache(maxsize=4096)
def has_mass_for_substance(own: str, unit: str) -> bool:
    """Whether a unit is of the kind of `unit`, but with mass where that one has substance."""
    kind = parse_unit(own).dimensionality / parse_unit(unit).dimensionality
    return bool(kind == parse_unit("g/mol").dimensionality)


@lru_cache(maxsize=4096)
def is_per(own: str, unit: str) -> bool:
    """Whether a unit is written as something per a unit of the kind of `unit`, as in ``mg/kg``.

    The words count, because mass per mass is a pure number to the registry.
    """
    kind = parse_unit(unit).dimensionality
    words: Any = registry().Quantity(1, parse_unit(own)).unit_items()
    below = (parse_unit(word) ** -power for word, power in words if power < 0)
    return any(part.dimensionality == kind for part in below)


def is_dimensionless(unit: str) -> bool:
    """Whether the unit is a pure number."""
    return unit.strip() in DIMENSIONLESS or bool(parse_unit(unit).dimensionless)
