"""What the lines of a tape can do, in plain NumPy: the readable meaning of every kernel.

Truth is 1 and untruth 0, so that every value is a number. `derivatives.py` has the slopes of these
operations and `instructions.py` their machine instructions; tests hold all three together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def _power(base: Array, exponent: Array) -> Array:
    # Zero to the zero is one, and a negative base has a power where the exponent is whole.
    return np.power(base, exponent)


def _truth(condition: Any) -> Array:
    return np.asarray(np.add(condition, 0.0))


def _select(condition: Array, chosen: Array, other: Array) -> Array:
    return np.where(np.asarray(condition) != 0, chosen, other)


def _factorial(number: Array) -> Array:
    from scipy.special import gamma

    return np.asarray(gamma(np.asarray(number, dtype=float) + 1))


OPERATIONS: Mapping[str, Callable[..., Array]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "power": _power,
    "square_root": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "absolute": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceiling": np.ceil,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "factorial": _factorial,
    "less": lambda one, other: _truth(np.less(one, other)),
    "less_equal": lambda one, other: _truth(np.less_equal(one, other)),
    "equal": lambda one, other: _truth(np.equal(one, other)),
    "not_equal": lambda one, other: _truth(np.not_equal(one, other)),
    "both": lambda one, other: _truth(np.logical_and(one, other)),
    "either": lambda one, other: _truth(np.logical_or(one, other)),
    "not": lambda one: _truth(np.logical_not(one)),
    "select": _select,
}
"""Every operation, on numbers or arrays of one shape."""

COMMUTATIVE = frozenset(
    {"add", "multiply", "minimum", "maximum", "equal", "not_equal", "both", "either"}
)
"""Operations whose two arguments may be exchanged."""


def computed(name: str, arguments: Sequence[float]) -> float:
    """An operation on plain numbers; what has no value is NaN, without a warning."""
    with np.errstate(all="ignore"):
        return float(OPERATIONS[name](*map(np.float64, arguments)))
