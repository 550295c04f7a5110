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
from typing import Any

import numpy as np

from myelode.errors import ScenarioError, best_matches

Value = float | str | bool
Values = Mapping[str, Value] | Mapping[str, np.ndarray]
"""Single values by name, or arrays that broadcast against each other; texts in them are objects."""
LONGEST_TEXT = 500
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp,
    "log": np.log, "log2": np.log2, "log10": np.log10,
}  # fmt: skip
_ONE_ARGUMENT = FUNCTIONS.keys() - {"min", "max"}


def _power(base: Any, exponent: Any) -> Any:
    """Powers, each of which is the same whatever else is computed with it.

    NumPy has a path of its own for an exponent such as 2 that lies in one place for many elements.
    """
    if np.ndim(exponent):
        shape = np.broadcast_shapes(np.shape(base), np.shape(exponent))
        exponent = np.array(np.broadcast_to(exponent, shape))
    return np.power(base, exponent)


_BINARY: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.Pow: _power,
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
    found = _evaluated(text, values)
    value: Value = found.item() if isinstance(found, np.generic | np.ndarray) else found
    return value


def evaluate_each(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """As `evaluate_expression`, of every element of arrays: numbers, truths or texts.

    The shape is that of what the expression uses, broadcast. What stands behind ``and`` or ``or``
    is left out where it makes no difference to any element.
    """
    return np.asarray(_evaluated(text, values))


def evaluate_array(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The arithmetic of an expression on whole arrays, element by element.

    Raises ScenarioError for unknown names, and for anything but arithmetic.
    """
    if not _is_number(parse_expression(text)):
        raise ScenarioError(f"{text!r} stands where a number is due")
    return np.asarray(_evaluated(text, values), dtype=float)


def is_condition(text: str) -> bool:
    """Whether an expression compares numbers, whatever values its names have."""
    return _is_condition(parse_expression(text))


def holds(text: str, values: Mapping[str, Value]) -> bool:
    """Whether a condition holds; raises ScenarioError where the expression is no condition."""
    return bool(_truth(_evaluated(text, values), text))


def holds_each(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """As `holds`, of every element of arrays; see `evaluate_each`."""
    return np.asarray(_truth(_evaluated(text, values), text))


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


def _evaluated(text: str, values: Values) -> Any:
    try:
        with np.errstate(all="ignore"):
            return _value(parse_expression(text), values)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ScenarioError(f"{text!r} cannot be evaluated: {error}") from None


def _value(node: ast.expr, values: Values) -> Any:
    match node:
        case ast.Constant(value=bool() | str() as constant):
            return constant
        case ast.Constant(value=int() | float() as constant):
            return float(constant)
        case ast.Name() | ast.Attribute():
            return _known(_dotted(node), values)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return FUNCTIONS[name](*(_number(part, values) for part in parts))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_condition(operand, values))
        case ast.UnaryOp(op=op, operand=operand):
            number = _number(operand, values)
            return -number if isinstance(op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_number(left, values), _number(right, values))
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), parts, values)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _chain([_value(part, values) for part in (left, *rest)], ops)
    raise ScenarioError(f"{ast.unparse(node)!r} is not allowed in an expression")


def _known(name: str, values: Values) -> Any:
    if name not in values:
        raise ScenarioError(f"unknown name {name!r}{best_matches(name, values)}")
    return values[name]


def _number(node: ast.expr, values: Values) -> Any:
    value = _value(node, values)
    if _kind(value) not in "fiu":
        raise ScenarioError(f"{ast.unparse(node)!r} stands where a number is due")
    return value if isinstance(value, float) else np.asarray(value, dtype=float)


def _condition(node: ast.expr, values: Values) -> Any:
    return _truth(_value(node, values), ast.unparse(node))


def _truth(value: Any, text: str) -> Any:
    if _kind(value) != "b":
        raise ScenarioError(f"{text!r} is no condition such as 'a < 0.5 * b'")
    return value


def _kind(value: Any) -> str:
    """The letter that NumPy has for this kind of value, or of elements."""
    return np.asarray(value).dtype.kind


def _joined(by_and: bool, parts: list[ast.expr], values: Values) -> Any:
    """Conditions joined by ``and`` or by ``or``, as far as anything is undecided."""
    join, found = np.logical_and if by_and else np.logical_or, _condition(parts[0], values)
    for part in parts[1:]:
        if np.all(found != by_and):
            break
        found = join(found, _condition(part, values))
    return found


def _chain(parts: list[Any], ops: list[ast.cmpop]) -> Any:
    """``a < b < c`` as Python reads it."""
    pairs = zip(parts, ops, parts[1:], strict=False)
    return reduce(np.logical_and, (_COMPARE[type(op)](one, other) for one, op, other in pairs))
