"""Expressions over quantities: which kind each part has, and numbers that may stand together.

A concentration may be compared with a concentration in another unit, never with a time or a bare
number. Values are therefore turned into coherent base units (metre, mole, second ...) before an
expression sees them, and what mixes kinds is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from myelode.errors import ScenarioError, best_matches
from myelode.expressions import parse_expression
from myelode.units import factor, parse_unit, registry

DIGITS = 12  # what a conversion is good for: 10 umol/L and 10000 nmol/L are equal
Kinds = Mapping[str, Any]


def base_value(value: float, unit: str) -> float:
    """The value in base units; ScenarioError for a scale with a zero of its own."""
    base = format(registry().get_base_units(parse_unit(unit))[1], "C")
    return float(f"{value * factor(unit, base):.{DIGITS}g}")


def is_number(text: str, units: Mapping[str, str]) -> bool:
    """Whether an expression is a pure number, such as a ratio of two concentrations.

    Raises ScenarioError for an unknown name, and for parts of different kinds.
    """
    kinds = {name: parse_unit(unit).dimensionality for name, unit in units.items()}
    try:
        return bool(_kind(parse_expression(text), kinds) == _pure())
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ScenarioError(f"{text!r} has no unit: {error}") from None


def _pure() -> Any:
    return parse_unit("dimensionless").dimensionality


def _kind(node: ast.expr, kinds: Kinds) -> Any:
    """The dimensionality of a part; numbers and conditions have none."""
    match node:
        case ast.Constant(value=int() | float()):
            return _pure()
        case ast.Name() | ast.Attribute():
            return _kind_of_name(ast.unparse(node), kinds)
        case ast.UnaryOp(operand=operand):
            return _kind(operand, kinds)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _kind(left, kinds) * _kind(right, kinds)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _kind(left, kinds) / _kind(right, kinds)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(node, _kind(left, kinds), right, kinds)
        case ast.BinOp(left=left, right=right):
            return _same(node, [left, right], kinds)
        case ast.BoolOp(values=parts):
            return _same(node, parts, kinds)
        case ast.Compare(left=left, comparators=rest):
            _same(node, [left, *rest], kinds)
            return _pure()
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _kind_of_call(node, name, parts, kinds)
    raise ScenarioError(f"{ast.unparse(node)!r} has no place among quantities")


def _kind_of_name(name: str, kinds: Kinds) -> Any:
    if name not in kinds:
        raise ScenarioError(f"unknown name {name!r}{best_matches(name, kinds)}")
    return kinds[name]


def _kind_of_call(node: ast.expr, name: str, parts: list[ast.expr], kinds: Kinds) -> Any:
    """`min`, `max` and `abs` keep the kind, `sqrt` halves it, the rest takes numbers only."""
    if name in ("min", "max", "abs"):
        return _same(node, parts, kinds)
    if name == "sqrt":
        return _kind(parts[0], kinds) ** 0.5
    return _same(node, [*parts, ast.Constant(1)], kinds)


def _power(node: ast.expr, base: Any, exponent: ast.expr, kinds: Kinds) -> Any:
    _same(node, [exponent, ast.Constant(1)], kinds)
    if base == _pure():
        return base
    try:
        return base ** float(ast.literal_eval(exponent))
    except ValueError:
        raise ScenarioError(f"{ast.unparse(node)!r}: a quantity needs a plain exponent") from None


def _same(node: ast.expr, parts: Iterable[ast.expr], kinds: Kinds) -> Any:
    """The one kind of all parts."""
    found = [_kind(part, kinds) for part in parts]
    for other in found[1:]:
        if other != found[0]:
            mixed = f"{_described(found[0])} and {_described(other)}"
            raise ScenarioError(f"{ast.unparse(node)!r} mixes {mixed}")
    return found[0]


def _described(kind: Any) -> str:
    return "a pure number" if kind == _pure() else str(kind)
