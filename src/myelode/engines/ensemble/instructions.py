"""What each operation of a tape is as instructions on eight numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from myelode.engines.ensemble.assembly import VECTOR, Function, number
from myelode.engines.ensemble.elementary import (
    any_power_function,
    exp_function,
    log_function,
    power_function,
)
from myelode.engines.ensemble.operations import OPERATIONS

_ZERO, _ONE = number(0.0), number(1.0)


def write_operation(function: Function, name: str, arguments: Iterable[str]) -> str:
    """Writes an operation of ``OPERATIONS`` and returns its value."""
    return _INSTRUCTIONS[name](function, *arguments)


def library(functions: Iterable[Function]) -> Iterator[str]:
    """The text of all that some functions call and that is not among them."""
    waiting, known = list(functions), set[str]()
    while waiting:
        for name, declaration in waiting.pop().calls.items():
            if name not in known:
                known.add(name)
                if name in _LIBRARY:
                    waiting.append(_LIBRARY[name]())
                    yield waiting[-1].text()
                else:
                    yield declaration + "\n"


Instruction = Callable[..., str]
"""Takes the function that is being written and the names of the arguments."""


def _intrinsic(name: str) -> Instruction:
    """An operation that LLVM knows."""
    return lambda function, *arguments: function.intrinsic(name, *arguments)


def _call(name: str) -> Instruction:
    """A function of the library below."""
    return lambda function, *arguments: function.call(name, *arguments)


def _compare(relation: str) -> Instruction:
    """A comparison of numbers as 0 and 1."""
    return lambda function, one, other: _truth(function, function.compare(relation, one, other))


def _truth(function: Function, condition: str) -> str:
    return function.select(condition, _ONE, _ZERO)


def _holds(function: Function, value: str) -> str:
    """Whether a number stands for truth, as a condition."""
    return function.compare("une", value, _ZERO)


def _both(function: Function, one: str, other: str) -> str:
    return _truth(function, function.both(_holds(function, one), _holds(function, other)))


def _either(function: Function, one: str, other: str) -> str:
    return _truth(function, function.either(_holds(function, one), _holds(function, other)))


def _not(function: Function, one: str) -> str:
    return _truth(function, function.compare("oeq", one, _ZERO))


def _select(function: Function, condition: str, chosen: str, other: str) -> str:
    return function.select(_holds(function, condition), chosen, other)


def _sign(function: Function, one: str) -> str:
    below = function.select(function.compare("olt", one, _ZERO), number(-1.0), one)
    return function.select(function.compare("ogt", one, _ZERO), _ONE, below)


def _factorial(function: Function, one: str) -> str:
    return function.call("tgamma8", function.add(one, _ONE))


_INSTRUCTIONS: Mapping[str, Instruction] = {
    "add": Function.add,
    "subtract": Function.subtract,
    "multiply": Function.multiply,
    "divide": Function.divide,
    "negate": Function.negate,
    "power": _call("power8"),
    "square_root": _intrinsic("sqrt"),
    "exp": _call("exp8"),
    "log": _call("log8"),
    "absolute": _intrinsic("fabs"),
    "sign": _sign,
    "floor": _intrinsic("floor"),
    "ceiling": _intrinsic("ceil"),
    "minimum": _intrinsic("minimum"),
    "maximum": _intrinsic("maximum"),
    "sin": _call("sin8"),
    "cos": _call("cos8"),
    "tan": _call("tan8"),
    "arcsin": _call("asin8"),
    "arccos": _call("acos8"),
    "arctan": _call("atan8"),
    "sinh": _call("sinh8"),
    "cosh": _call("cosh8"),
    "tanh": _call("tanh8"),
    "arcsinh": _call("asinh8"),
    "arccosh": _call("acosh8"),
    "arctanh": _call("atanh8"),
    "factorial": _factorial,
    "less": _compare("olt"),
    "less_equal": _compare("ole"),
    "equal": _compare("oeq"),
    "not_equal": _compare("une"),
    "both": _both,
    "either": _either,
    "not": _not,
    "select": _select,
}
assert _INSTRUCTIONS.keys() == OPERATIONS.keys()


def _lane_by_lane(name: str) -> Callable[[], Function]:
    """A function of the C library, which models use too rarely for code of our own."""

    def write() -> Function:
        function = Function(f"{name}8", {"x": VECTOR}, VECTOR)
        function.returns(function.call_lanes(name, "%x"))
        return function

    return write


_C_FUNCTIONS = "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh tgamma".split()
_LIBRARY: Mapping[str, Callable[[], Function]] = {
    "exp8": exp_function,
    "log8": log_function,
    "power8": power_function,
    "any_power8": any_power_function,
    **{f"{name}8": _lane_by_lane(name) for name in _C_FUNCTIONS},
}
"""How a function is written that kernels call; the others are LLVM's or the C library's."""
