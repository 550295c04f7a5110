"""MathML, as libSBML reads it, to sympy: node by node, never through text.

sympy's own parser executes what it reads, so formulas of a model must not reach it.
Import this module inside functions only: it imports sympy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import libsbml
import sympy

from myelode.equations.functions import magnitude, parity, power
from myelode.errors import ModelError, UnsupportedModelError, best_matches

TIME = sympy.Symbol("time", real=True)


def symbol(name: str) -> sympy.Symbol:
    """The sympy symbol of an id; all values are real."""
    return sympy.Symbol(name, real=True)


@dataclass(frozen=True)
class Translator:
    """Turns MathML into sympy.

    Attributes
    ----------
    names : what each id stands for.
    functions : function definitions of the model, as MathML lambdas, by id.
    """

    names: Mapping[str, sympy.Expr]
    functions: Mapping[str, Any] = field(default_factory=dict)
    where: str = "the model"

    def number(self, node: Any) -> sympy.Expr:
        """The expression, with truth values as 0 and 1."""
        return _as_number(self._translate(node))

    def _translate(self, node: Any) -> Any:
        if node is None:
            raise UnsupportedModelError(f"{self.where}: a formula is missing")
        kind = node.getType()
        if kind in _LEAVES:
            return _LEAVES[kind](node)
        if kind == libsbml.AST_NAME:
            return self._value(node.getName())
        if kind == libsbml.AST_FUNCTION:
            return self._call(node)
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return _piecewise([self._translate(child) for child in _children(node)])
        operation = _OPERATIONS.get(kind)
        if operation is None:
            raise UnsupportedModelError(f"{self.where}: {_name(node)} is not supported in formulas")
        arguments = [self._translate(child) for child in _children(node)]
        convert = _as_truth if kind in _LOGICAL else _as_number
        return operation([convert(argument) for argument in arguments])

    def _value(self, name: str) -> sympy.Expr:
        if name not in self.names:
            raise ModelError(
                f"{self.where}: nothing is called {name!r}{best_matches(name, self.names)}"
            )
        return self.names[name]

    def _call(self, node: Any) -> Any:
        name = node.getName()
        if name not in self.functions:
            raise ModelError(f"{self.where}: no function is called {name!r}, or it calls itself")
        *bound, body = _children(self.functions[name])
        arguments = [self._translate(child) for child in _children(node)]
        if len(bound) != len(arguments):
            raise ModelError(f"{self.where}: {name} takes {len(bound)} arguments")
        # A function sees its arguments only, and must not see itself, or it would never end.
        others = {other: math for other, math in self.functions.items() if other != name}
        names = dict(zip((item.getName() for item in bound), arguments, strict=True))
        return Translator(names, others, f"function {name}")._translate(body)


def _children(node: Any) -> list[Any]:
    return [node.getChild(position) for position in range(node.getNumChildren())]


def _name(node: Any) -> str:
    return str(node.getName() or node.getOperatorName() or f"construct {node.getType()}")


def _real(node: Any) -> sympy.Expr:
    """A number; one that is whole becomes an integer, which keeps exponents exact."""
    value = float(node.getValue())
    if value.is_integer() and abs(value) < 1e15:
        return sympy.Integer(int(value))
    return sympy.Float(value)


def _is_truth(value: Any) -> bool:
    # sympy counts symbols as truth values too; here they are numbers.
    return isinstance(value, sympy.logic.boolalg.Boolean) and not value.is_Symbol


def _as_number(value: Any) -> Any:
    return parity(value) if _is_truth(value) else value


def _as_truth(value: Any) -> Any:
    return value if _is_truth(value) else sympy.Ne(value, 0)


def _piecewise(parts: Sequence[Any]) -> sympy.Expr:
    pairs = [
        (_as_number(value), _as_truth(condition))
        for value, condition in zip(parts[::2], parts[1::2], strict=False)
    ]
    if len(parts) % 2:
        pairs.append((_as_number(parts[-1]), sympy.true))
    return sympy.Piecewise(*pairs)


def _minus(parts: Sequence[sympy.Expr]) -> sympy.Expr:
    return -parts[0] if len(parts) == 1 else parts[0] - parts[1]


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    return sympy.exp(exponent) if base == sympy.E else power(base, exponent)


def _root(parts: Sequence[sympy.Expr]) -> sympy.Expr:
    """The square root, or of another degree if that comes first."""
    degree, base = parts if len(parts) == 2 else (sympy.Integer(2), parts[0])
    return power(base, 1 / degree)


def _logarithm(parts: Sequence[sympy.Expr]) -> sympy.Expr:
    """To base ten, or to another base if that comes first."""
    base, argument = parts if len(parts) == 2 else (sympy.Integer(10), parts[0])
    return sympy.log(argument) / sympy.log(base)


def _truncated(quotient: sympy.Expr) -> sympy.Expr:
    """The whole part, towards zero."""
    return sympy.sign(quotient) * sympy.floor(magnitude(quotient))


def _remainder(dividend: sympy.Expr, divisor: sympy.Expr) -> sympy.Expr:
    return dividend - divisor * _truncated(dividend / divisor)


def _compare(relation: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    """A relation that may be a chain, ``a < b < c``."""
    return lambda parts: sympy.And(*(relation(*pair) for pair in pairwise(parts)))


def _of_one(function: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda parts: function(parts[0])


def _of_inverse(function: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda parts: function(1 / parts[0])


def _inverse_of(function: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda parts: 1 / function(parts[0])


_LEAVES: Mapping[int, Callable[[Any], Any]] = {
    libsbml.AST_INTEGER: _real,
    libsbml.AST_REAL: _real,
    libsbml.AST_REAL_E: _real,
    libsbml.AST_NAME_AVOGADRO: _real,
    libsbml.AST_RATIONAL: lambda node: sympy.Rational(node.getNumerator(), node.getDenominator()),
    libsbml.AST_NAME_TIME: lambda node: TIME,
    libsbml.AST_CONSTANT_E: lambda node: sympy.E,
    libsbml.AST_CONSTANT_PI: lambda node: sympy.pi,
    libsbml.AST_CONSTANT_TRUE: lambda node: sympy.true,
    libsbml.AST_CONSTANT_FALSE: lambda node: sympy.false,
}

_LOGICAL: Mapping[int, Callable[[Sequence[Any]], Any]] = {
    libsbml.AST_LOGICAL_AND: lambda parts: sympy.And(*parts),
    libsbml.AST_LOGICAL_OR: lambda parts: sympy.Or(*parts),
    libsbml.AST_LOGICAL_XOR: lambda parts: sympy.Ne(parity(*parts), 0),
    libsbml.AST_LOGICAL_NOT: lambda parts: sympy.Not(parts[0]),
    libsbml.AST_LOGICAL_IMPLIES: lambda parts: sympy.Or(sympy.Not(parts[0]), parts[1]),
}

_OPERATIONS: Mapping[int, Callable[[Sequence[Any]], Any]] = {
    **_LOGICAL,
    libsbml.AST_PLUS: lambda parts: sympy.Add(*parts),
    libsbml.AST_TIMES: lambda parts: sympy.Mul(*parts),
    libsbml.AST_MINUS: _minus,
    libsbml.AST_DIVIDE: lambda parts: parts[0] / parts[1],
    libsbml.AST_POWER: lambda parts: _power(*parts),
    libsbml.AST_FUNCTION_POWER: lambda parts: _power(*parts),
    libsbml.AST_FUNCTION_ROOT: _root,
    libsbml.AST_FUNCTION_EXP: _of_one(sympy.exp),
    libsbml.AST_FUNCTION_LN: _of_one(sympy.log),
    libsbml.AST_FUNCTION_LOG: _logarithm,
    libsbml.AST_FUNCTION_ABS: _of_one(magnitude),
    libsbml.AST_FUNCTION_FLOOR: _of_one(sympy.floor),
    libsbml.AST_FUNCTION_CEILING: _of_one(sympy.ceiling),
    libsbml.AST_FUNCTION_FACTORIAL: _of_one(sympy.factorial),
    libsbml.AST_FUNCTION_MIN: lambda parts: sympy.Min(*parts),
    libsbml.AST_FUNCTION_MAX: lambda parts: sympy.Max(*parts),
    libsbml.AST_FUNCTION_QUOTIENT: lambda parts: _truncated(parts[0] / parts[1]),
    libsbml.AST_FUNCTION_REM: lambda parts: _remainder(*parts),
    libsbml.AST_RELATIONAL_EQ: _compare(sympy.Eq),
    libsbml.AST_RELATIONAL_NEQ: _compare(sympy.Ne),
    libsbml.AST_RELATIONAL_LT: _compare(sympy.Lt),
    libsbml.AST_RELATIONAL_LEQ: _compare(sympy.Le),
    libsbml.AST_RELATIONAL_GT: _compare(sympy.Gt),
    libsbml.AST_RELATIONAL_GEQ: _compare(sympy.Ge),
    libsbml.AST_FUNCTION_SIN: _of_one(sympy.sin),
    libsbml.AST_FUNCTION_COS: _of_one(sympy.cos),
    libsbml.AST_FUNCTION_TAN: _of_one(sympy.tan),
    libsbml.AST_FUNCTION_SEC: _inverse_of(sympy.cos),
    libsbml.AST_FUNCTION_CSC: _inverse_of(sympy.sin),
    libsbml.AST_FUNCTION_COT: _inverse_of(sympy.tan),
    libsbml.AST_FUNCTION_SINH: _of_one(sympy.sinh),
    libsbml.AST_FUNCTION_COSH: _of_one(sympy.cosh),
    libsbml.AST_FUNCTION_TANH: _of_one(sympy.tanh),
    libsbml.AST_FUNCTION_SECH: _inverse_of(sympy.cosh),
    libsbml.AST_FUNCTION_CSCH: _inverse_of(sympy.sinh),
    libsbml.AST_FUNCTION_COTH: _inverse_of(sympy.tanh),
    libsbml.AST_FUNCTION_ARCSIN: _of_one(sympy.asin),
    libsbml.AST_FUNCTION_ARCCOS: _of_one(sympy.acos),
    libsbml.AST_FUNCTION_ARCTAN: _of_one(sympy.atan),
    libsbml.AST_FUNCTION_ARCSEC: _of_inverse(sympy.acos),
    libsbml.AST_FUNCTION_ARCCSC: _of_inverse(sympy.asin),
    libsbml.AST_FUNCTION_ARCCOT: _of_inverse(sympy.atan),
    libsbml.AST_FUNCTION_ARCSINH: _of_one(sympy.asinh),
    libsbml.AST_FUNCTION_ARCCOSH: _of_one(sympy.acosh),
    libsbml.AST_FUNCTION_ARCTANH: _of_one(sympy.atanh),
    libsbml.AST_FUNCTION_ARCSECH: _of_inverse(sympy.acosh),
    libsbml.AST_FUNCTION_ARCCSCH: _of_inverse(sympy.asinh),
    libsbml.AST_FUNCTION_ARCCOTH: _of_inverse(sympy.atanh),
}
