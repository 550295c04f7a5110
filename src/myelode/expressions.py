"""Arithmetic and comparisons written in scenario files, evaluated without running code.

The grammar is Python's, cut down to numbers, text, names (``peak``, ``none.peak``), ``+ - * / **``,
comparisons, ``and or not``, and a few functions. Numbers follow floating-point arithmetic: division
by zero gives an infinity, and what has no value is NaN.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, reduce
from typing import Any, TypeVar

import numpy as np

from myelode.errors import ScenarioError, best_matches

Value = float | str | bool
_Known = TypeVar("_Known")
LONGEST_TEXT = 500
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": lambda *values: np.min(values), "max": lambda *values: np.max(values),
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp,
    "log": np.log, "log2": np.log2, "log10": np.log10,
}  # fmt: skip
_ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    **FUNCTIONS,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
}
_ONE_ARGUMENT = FUNCTIONS.keys() - {"min", "max"}
_BINARY: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.Pow: np.power,
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def names_in(text: str) -> tuple[str, ...]:
    """The names that an expression uses, dotted ones whole, in order of appearance."""
    return tuple(dict.fromkeys(_names(parse_expression(text))))


def evaluate_expression(text: str, values: Mapping[str, Value]) -> Value:
    """The value of the expression, with names looked up in `values`.

    Raises ScenarioError for unknown names, with the closest known ones, and for text or conditions
    where a number is due.
    """
    try:
        with np.errstate(all="ignore"):
            return _value(parse_expression(text), values)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ScenarioError(f"{text!r} cannot be evaluated: {error}") from None


def evaluate_array(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The arithmetic of an expression on whole arrays, element by element.

    Raises ScenarioError for unknown names, and for anything but arithmetic.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_array(parse_expression(text), values), dtype=float)


def is_condition(text: str) -> bool:
    """Whether an expression compares numbers, whatever values its names have."""
    return _is_condition(parse_expression(text))


def holds(text: str, values: Mapping[str, Value]) -> bool:
    """Whether a condition holds; raises ScenarioError where the expression is no condition."""
    return _truth(evaluate_expression(text, values), text)


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> ast.expr:
    """The syntax tree, which holds nothing but what the grammar allows."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ScenarioError(f"{str(text)[:40]!r} is not an expression such as 'a < 0.5 * b'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python only frowns at is a fault here
            tree = _with_species(ast.parse(text.strip(), mode="eval"))
        for _ in _names(tree):
            pass
    except (SyntaxError, ValueError, MemoryError, RecursionError, Warning):
        raise ScenarioError(f"{text!r} is not an expression such as 'a < 0.5 * b'") from None
    return tree


def _is_condition(node: ast.expr) -> bool:
    match node:
        case ast.Compare(left=left, comparators=rest):
            return all(map(_is_number, (left, *rest)))
        case ast.BoolOp(values=parts):
            return all(map(_is_condition, parts))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _is_condition(operand)
    return False


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return not isinstance(value, bool | str)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_number(operand)
        case ast.Call(args=parts):
            return all(map(_is_number, parts))
    return isinstance(node, ast.Name | ast.Attribute)


def _with_species(whole: ast.Expression) -> ast.expr:
    """``amount(X)`` and ``concentration(X)`` become names, as they are of outputs."""
    for parent in ast.walk(whole):
        for field, child in ast.iter_fields(parent):
            if isinstance(child, list):
                child[:] = map(_species_or_same, child)
            else:
                setattr(parent, field, _species_or_same(child))
    return whole.body


def _species_or_same(node: Any) -> Any:
    match node:
        case ast.Call(
            func=ast.Name(id=("amount" | "concentration") as kind),
            args=[ast.Name(id=species)],
            keywords=[],
        ):
            return ast.Name(f"{kind}({species})")
    return node


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name() | ast.Attribute():
            yield _dotted(node)
        case ast.Constant(value=int() | float() | str()):
            pass
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            if not parts or (name in _ONE_ARGUMENT and len(parts) != 1):
                raise ScenarioError(f"{ast.unparse(node)!r} has the wrong number of arguments")
            yield from _names_of(parts)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            yield from _names_of([left, right])
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=operand):
            yield from _names(operand)
        case ast.BoolOp(values=parts):
            yield from _names_of(parts)
        case ast.Compare(left=left, ops=ops, comparators=rest) if set(map(type, ops)) <= set(
            _COMPARE
        ):
            yield from _names_of([left, *rest])
        case _:
            raise ScenarioError(f"{ast.unparse(node)!r} is not allowed in an expression")


def _names_of(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        yield from _names(node)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ScenarioError(f"{ast.unparse(node)!r} is not a name")


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool() | str() as constant):
            return constant
        case ast.Constant(value=int() | float() as constant):
            return float(constant)
        case ast.Name() | ast.Attribute():
            return _known(_dotted(node), values)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return float(FUNCTIONS[name](*(_number(part, values) for part in parts)))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _condition(operand, values)
        case ast.UnaryOp(op=op, operand=operand):
            number = _number(operand, values)
            return -number if isinstance(op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right):
            return float(_BINARY[type(op)](_number(left, values), _number(right, values)))
        case ast.BoolOp(op=op, values=parts):
            conditions = (_condition(part, values) for part in parts)
            return all(conditions) if isinstance(op, ast.And) else any(conditions)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _chain([_value(part, values) for part in (left, *rest)], ops)
    raise ScenarioError(f"{ast.unparse(node)!r} is not allowed in an expression")


def _array(node: ast.expr, values: Mapping[str, np.ndarray]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            return float(constant)
        case ast.Name() | ast.Attribute():
            return _known(_dotted(node), values)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _ELEMENTWISE[name](*(_array(part, values) for part in parts))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            number = _array(operand, values)
            return -number if isinstance(op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_array(left, values), _array(right, values))
    raise ScenarioError(f"{ast.unparse(node)!r} stands where a number is due")


def _known(name: str, values: Mapping[str, _Known]) -> _Known:
    if name not in values:
        raise ScenarioError(f"unknown name {name!r}{best_matches(name, values)}")
    return values[name]


def _number(node: ast.expr, values: Mapping[str, Value]) -> float:
    value = _value(node, values)
    if isinstance(value, str | bool):
        raise ScenarioError(f"{ast.unparse(node)!r} stands where a number is due")
    return float(value)


def _condition(node: ast.expr, values: Mapping[str, Value]) -> bool:
    return _truth(_value(node, values), ast.unparse(node))


def _truth(value: Value, text: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise ScenarioError(f"{text!r} is no condition such as 'a < 0.5 * b'")
    return bool(value)


def _chain(parts: list[Value], ops: list[ast.cmpop]) -> bool:
    """``a < b < c`` as Python reads it."""
    pairs = zip(parts, ops, parts[1:], strict=False)
    return all(bool(_COMPARE[type(op)](left, right)) for left, op, right in pairs)
