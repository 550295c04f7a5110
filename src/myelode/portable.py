"""Exponentials whose bits are the same on every processor.

Libraries choose other code, which rounds otherwise, where a processor has other instructions.
Sums and products of doubles, one at a time, are rounded alike everywhere.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal

import numpy as np

_LN2 = Decimal(2).ln(Context(prec=60))
_LN2_HIGH = float(int(_LN2 * 2**32)) * 2.0**-32
"""The first digits of ln 2, so few that a product with a whole number is exact."""
_LN2_LOW = float(_LN2 - Decimal(_LN2_HIGH))
_PER_LN2 = float(1 / _LN2)
_COEFFICIENTS = tuple(1 / math.factorial(power) for power in range(14, -1, -1))
"""Of the series of exp; what is left out is below 1e-18 up to half of ln 2."""


def log_ratio(high: float, low: float) -> float:
    """The natural logarithm of a ratio of positive numbers, rounded right."""
    context = Context(prec=40)
    return float(context.divide(Decimal(high), Decimal(low)).ln(context))


def exp(values: np.ndarray) -> np.ndarray:
    """The exponential of each number, to two units in the last place."""
    doublings = np.rint(values * _PER_LN2)
    rest = (values - doublings * _LN2_HIGH) - doublings * _LN2_LOW
    series = np.full_like(rest, _COEFFICIENTS[0])
    for coefficient in _COEFFICIENTS[1:]:
        series = series * rest + coefficient
    return np.asarray(np.ldexp(series, doublings.astype(np.int64)))
