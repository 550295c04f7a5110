"""The operations of a tape on plain numbers, for one simulation: many times sooner than NumPy.

All give the same bits as `operations.py`: these are rounded correctly wherever they are computed.
What is not (powers, logarithms and the like) is left to NumPy here too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

import numpy as np

from myelode.engines.ensemble.operations import OPERATIONS


def _divide(above: float, below: float) -> float:
    return above / below if below else _by_numpy("divide")(above, below)


def _floor(number: float) -> float:
    # A zero keeps its sign, and what is larger than any whole number in memory stays what it is.
    is_plain = math.isfinite(number) and abs(number) < 2**52 and number != 0
    return math.copysign(float(math.floor(number)), number) if is_plain else number


def _truth(compared: Callable[[float, float], bool]) -> Callable[..., float]:
    return lambda one, other: 1.0 if compared(one, other) else 0.0


def _by_numpy(name: str) -> Callable[..., float]:
    """An operation on arrays of one number."""
    operation = OPERATIONS[name]

    def compute(*numbers: float) -> float:
        with np.errstate(all="ignore"):
            return float(operation(*(np.array([number]) for number in numbers))[0])

    return compute


_PLAIN: Mapping[str, Callable[..., float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": _divide,
    "negate": operator.neg,
    "absolute": abs,
    "floor": _floor,
    "less": _truth(operator.lt),
    "less_equal": _truth(operator.le),
    "equal": _truth(operator.eq),
    "not_equal": _truth(operator.ne),
    "both": lambda one, other: 1.0 if one and other else 0.0,
    "either": lambda one, other: 1.0 if one or other else 0.0,
    "not": lambda one: 0.0 if one else 1.0,
    "select": lambda condition, chosen, other: chosen if condition else other,
}

SCALARS: Mapping[str, Callable[..., float]] = {
    name: _PLAIN.get(name) or _by_numpy(name) for name in OPERATIONS
}
"""Every operation, on numbers."""
