"""MathML, as libSBML reads it, onto a tape: node by node, never through text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import libsbml

from myelode.engines.ensemble.tape import Tape
from myelode.errors import ModelError, UnsupportedModelError, best_matches


@dataclass(frozen=True)
class Writer:
    """Writes formulas onto a tape.

    Attributes
    ----------
    names : gives the value of an id; raises KeyError for one that is unknown.
    functions : function definitions of the model, as MathML lambdas, by id.
    where : what the formula belongs to, for messages.
    """

    tape: Tape
    names: Callable[[str], int]
    functions: Mapping[str, Any] = field(default_factory=dict)
    where: str = "the model"

    def write(self, node: Any) -> int:
        """The value of a formula; truth values are 0 and 1."""
        if node is None:
            raise UnsupportedModelError(f"{self.where}: a formula is missing")
        kind = node.getType()
        if kind in _NUMBERS:
            return self.tape.number(_NUMBERS[kind](node))
        if kind == libsbml.AST_NAME_TIME:
            return self.tape.time()
        if kind == libsbml.AST_NAME:
            return self._value(node.getName())
        if kind == libsbml.AST_FUNCTION:
            return self._call(node)
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            return self._value(f"rateOf({node.getChild(0).getName()})")
        operation = _OPERATIONS.get(kind)
        if operation is None:
            raise UnsupportedModelError(f"{self.where}: {_name(node)} is not supported in formulas")
        return operation(self.tape, [self.write(child) for child in _children(node)])

    def _value(self, name: str) -> int:
        try:
            return self.names(name)
        except KeyError:
            raise ModelError(f"{self.where}: nothing is called {name!r}") from None

    def _call(self, node: Any) -> int:
        name = node.getName()
        if name not in self.functions:
            hint = best_matches(name, self.functions)
            raise ModelError(f"{self.where}: no function is called {name!r}{hint}")
        *bound, body = _children(self.functions[name])
        arguments = [self.write(child) for child in _children(node)]
        if len(bound) != len(arguments):
            raise ModelError(f"{self.where}: {name} takes {len(bound)} arguments")
        # A function sees its arguments only, and must not see itself, or it would never end.
        others = {other: lambda_ for other, lambda_ in self.functions.items() if other != name}
        inside = dict(zip((item.getName() for item in bound), arguments, strict=True))
        return Writer(self.tape, inside.__getitem__, others, f"function {name}").write(body)


def _children(node: Any) -> list[Any]:
    return [node.getChild(position) for position in range(node.getNumChildren())]


def _name(node: Any) -> str:
    return str(node.getName() or node.getOperatorName() or f"construct {node.getType()}")


Operation = Callable[[Tape, Sequence[int]], int]


def _of(name: str) -> Operation:
    """An operation of the tape, as it is."""
    return lambda tape, parts: tape.apply(name, *parts)


def _of_inverse(name: str) -> Operation:
    """An operation of one over the argument."""
    return lambda tape, parts: tape.apply(name, _inverse(tape, parts[0]))


def _inverse_of(name: str) -> Operation:
    """One over an operation."""
    return lambda tape, parts: _inverse(tape, tape.apply(name, *parts))


def _inverse(tape: Tape, value: int) -> int:
    return tape.apply("divide", tape.number(1.0), value)


def _folded(name: str, empty: float) -> Operation:
    """An operation of two over any number of arguments."""

    def fold(tape: Tape, parts: Sequence[int]) -> int:
        if not parts:
            return tape.number(empty)
        found, *others = parts
        for value in others:
            found = tape.apply(name, found, value)
        return found

    return fold


def _minus(tape: Tape, parts: Sequence[int]) -> int:
    return tape.apply("negate" if len(parts) == 1 else "subtract", *parts)


def _power(tape: Tape, parts: Sequence[int]) -> int:
    base, exponent = parts
    return (
        tape.apply("exp", exponent) if tape.is_number(base, math.e) else tape.apply("power", *parts)
    )


def _root(tape: Tape, parts: Sequence[int]) -> int:
    """The square root, or of another degree if that comes first."""
    if len(parts) == 1 or tape.is_number(parts[0], 2.0):
        return tape.apply("square_root", parts[-1])
    return tape.apply("power", parts[1], _inverse(tape, parts[0]))


def _logarithm(tape: Tape, parts: Sequence[int]) -> int:
    """To base ten, or to another base if that comes first."""
    base = tape.number(10.0) if len(parts) == 1 else parts[0]
    return tape.apply("divide", tape.apply("log", parts[-1]), tape.apply("log", base))


def _ceiling(tape: Tape, parts: Sequence[int]) -> int:
    """From the whole part, which is the one operation that jumps."""
    below = tape.apply("floor", tape.apply("negate", parts[0]))
    return tape.apply("negate", below)


def _quotient(tape: Tape, parts: Sequence[int]) -> int:
    """The whole part of a quotient, towards zero."""
    ratio = tape.apply("divide", *parts)
    is_negative = tape.apply("less", ratio, tape.number(0.0))
    return tape.apply("select", is_negative, _ceiling(tape, [ratio]), tape.apply("floor", ratio))


def _remainder(tape: Tape, parts: Sequence[int]) -> int:
    whole = tape.apply("multiply", parts[1], _quotient(tape, parts))
    return tape.apply("subtract", parts[0], whole)


def _chain(name: str, exchanged: bool = False) -> Operation:
    """A relation that may be a chain, ``a < b < c``."""

    def compare(tape: Tape, parts: Sequence[int]) -> int:
        pairs = [pair[::-1] if exchanged else pair for pair in pairwise(parts)]
        return _folded("both", 1.0)(tape, [tape.apply(name, *pair) for pair in pairs])

    return compare


def _exclusive(tape: Tape, parts: Sequence[int]) -> int:
    """Whether an odd number of the parts hold."""
    truths = [tape.apply("not_equal", part, tape.number(0.0)) for part in parts]
    return _folded("not_equal", 0.0)(tape, truths)


def _implies(tape: Tape, parts: Sequence[int]) -> int:
    return tape.apply("either", tape.apply("not", parts[0]), parts[1])


def _piecewise(tape: Tape, parts: Sequence[int]) -> int:
    """Pairs of value and condition, the first that holds; without any the last part, or NaN."""
    found = parts[-1] if len(parts) % 2 else tape.number(math.nan)
    for place in reversed(range(0, len(parts) - 1, 2)):
        found = tape.apply("select", parts[place + 1], parts[place], found)
    return found


_NUMBERS: Mapping[int, Callable[[Any], float]] = {
    **dict.fromkeys(
        (libsbml.AST_INTEGER, libsbml.AST_REAL, libsbml.AST_REAL_E, libsbml.AST_NAME_AVOGADRO,
         libsbml.AST_RATIONAL),
        lambda node: float(node.getValue()),
    ),
    libsbml.AST_CONSTANT_E: lambda node: math.e,
    libsbml.AST_CONSTANT_PI: lambda node: math.pi,
    libsbml.AST_CONSTANT_TRUE: lambda node: 1.0,
    libsbml.AST_CONSTANT_FALSE: lambda node: 0.0,
}  # fmt: skip

_OPERATIONS: Mapping[int, Operation] = {
    libsbml.AST_PLUS: lambda tape, parts: tape.total(parts),
    libsbml.AST_TIMES: lambda tape, parts: tape.product(parts),
    libsbml.AST_MINUS: _minus,
    libsbml.AST_DIVIDE: _of("divide"),
    libsbml.AST_POWER: _power,
    libsbml.AST_FUNCTION_POWER: _power,
    libsbml.AST_FUNCTION_ROOT: _root,
    libsbml.AST_FUNCTION_EXP: _of("exp"),
    libsbml.AST_FUNCTION_LN: _of("log"),
    libsbml.AST_FUNCTION_LOG: _logarithm,
    libsbml.AST_FUNCTION_ABS: _of("absolute"),
    libsbml.AST_FUNCTION_FLOOR: _of("floor"),
    libsbml.AST_FUNCTION_CEILING: _ceiling,
    libsbml.AST_FUNCTION_FACTORIAL: _of("factorial"),
    libsbml.AST_FUNCTION_MIN: _folded("minimum", math.inf),
    libsbml.AST_FUNCTION_MAX: _folded("maximum", -math.inf),
    libsbml.AST_FUNCTION_QUOTIENT: _quotient,
    libsbml.AST_FUNCTION_REM: _remainder,
    libsbml.AST_FUNCTION_PIECEWISE: _piecewise,
    libsbml.AST_LOGICAL_AND: _folded("both", 1.0),
    libsbml.AST_LOGICAL_OR: _folded("either", 0.0),
    libsbml.AST_LOGICAL_XOR: _exclusive,
    libsbml.AST_LOGICAL_NOT: _of("not"),
    libsbml.AST_LOGICAL_IMPLIES: _implies,
    libsbml.AST_RELATIONAL_EQ: _chain("equal"),
    libsbml.AST_RELATIONAL_NEQ: _chain("not_equal"),
    libsbml.AST_RELATIONAL_LT: _chain("less"),
    libsbml.AST_RELATIONAL_LEQ: _chain("less_equal"),
    libsbml.AST_RELATIONAL_GT: _chain("less", exchanged=True),
    libsbml.AST_RELATIONAL_GEQ: _chain("less_equal", exchanged=True),
    libsbml.AST_FUNCTION_SIN: _of("sin"),
    libsbml.AST_FUNCTION_COS: _of("cos"),
    libsbml.AST_FUNCTION_TAN: _of("tan"),
    libsbml.AST_FUNCTION_SEC: _inverse_of("cos"),
    libsbml.AST_FUNCTION_CSC: _inverse_of("sin"),
    libsbml.AST_FUNCTION_COT: _inverse_of("tan"),
    libsbml.AST_FUNCTION_SINH: _of("sinh"),
    libsbml.AST_FUNCTION_COSH: _of("cosh"),
    libsbml.AST_FUNCTION_TANH: _of("tanh"),
    libsbml.AST_FUNCTION_SECH: _inverse_of("cosh"),
    libsbml.AST_FUNCTION_CSCH: _inverse_of("sinh"),
    libsbml.AST_FUNCTION_COTH: _inverse_of("tanh"),
    libsbml.AST_FUNCTION_ARCSIN: _of("arcsin"),
    libsbml.AST_FUNCTION_ARCCOS: _of("arccos"),
    libsbml.AST_FUNCTION_ARCTAN: _of("arctan"),
    libsbml.AST_FUNCTION_ARCSEC: _of_inverse("arccos"),
    libsbml.AST_FUNCTION_ARCCSC: _of_inverse("arcsin"),
    libsbml.AST_FUNCTION_ARCCOT: _of_inverse("arctan"),
    libsbml.AST_FUNCTION_ARCSINH: _of("arcsinh"),
    libsbml.AST_FUNCTION_ARCCOSH: _of("arccosh"),
    libsbml.AST_FUNCTION_ARCTANH: _of("arctanh"),
    libsbml.AST_FUNCTION_ARCSECH: _of_inverse("arccosh"),
    libsbml.AST_FUNCTION_ARCCSCH: _of_inverse("arcsinh"),
    libsbml.AST_FUNCTION_ARCCOTH: _of_inverse("arctanh"),
}
