"""Exponential, logarithm and power of eight numbers at once, to about one unit in the last place.

The number is split into a power of two and a rest near zero (or near one), for which a series
converges quickly. Products that must not lose anything are computed with `fused`, so that the
answer is the same on every processor.
"""

from __future__ import annotations

import math

from myelode.engines.ensemble.assembly import VECTOR, Function, bits_of, number, whole

_SHIFT = 1.5 * 2.0**52
"""A number added to it is rounded to a whole one, which stands in its lowest bits."""
_LN2, _LN2_REST = math.log(2.0), 2.3190468138462996e-17
"""The logarithm of two, as a double, and what it lacks."""
_THIRD_REST = 1.850371707708594e-17
"""What one over three lacks as a double."""
_LARGEST, _SMALLEST = 710.0, -746.0
"""Beyond these an exponential is infinite, or zero."""
_BEYOND = 1e22
"""An exponent beyond which every power but those of one is infinite or zero."""
_PLAIN_BASE, _PLAIN_LOGARITHM = (1e-300, 1e300), (-700.0, 700.0)
"""A power whose base and logarithm are within these needs no care."""
_NORMAL, _LIFT = 2.0**-1022, 54
"""Numbers below the first lack digits; they are lifted by this power of two."""
_ROOT_HALF = bits_of(math.sqrt(0.5))
_MANTISSA = (1 << 52) - 1
_BIAS = 1023
"""What is added to the power of two in the bit pattern of a number."""
_PURE = "willreturn memory(none)"

_EXP_SERIES = [1 / math.factorial(power) for power in range(2, 14)]
_LOG_SERIES = [1 / (2 * power + 1) for power in range(2, 13)]


def exp_function() -> Function:
    """``exp(x)``."""
    function = Function("exp8", {"x": VECTOR}, VECTOR, attributes=_PURE)
    function.returns(_exp_of_sum(function, "%x", number(0.0)))
    return function


def log_function() -> Function:
    """``log(x)``."""
    function = Function("log8", {"x": VECTOR}, VECTOR, attributes=_PURE)
    function.returns(_logarithm(function, "%x")[0])
    return function


def power_function() -> Function:
    """``power(x, y)``, with short ways where all eight are as most powers in models are.

    Every way leads to the same bits, so that no lane depends on its neighbours.
    """
    function = Function("power8", {"x": VECTOR, "y": VECTOR}, VECTOR, attributes=_PURE)
    small, product = _small_whole_power(function, "%x", "%y")
    function.returns_where_all(small, product)
    plain, found = _plain_power(function, "%x", "%y")
    found = function.select(small, product, found)
    function.returns_where_all(function.either(small, plain), found)
    function.returns(function.call("any_power8", "%x", "%y"))
    return function


def any_power_function() -> Function:
    """``power(x, y)``, for every pair of numbers as the C library has it."""
    function = Function("any_power8", {"x": VECTOR, "y": VECTOR}, VECTOR, attributes=_PURE)
    size = _power_of_size(function, "%x", "%y")
    found = _signed_power(function, "%x", "%y", size)
    small, product = _small_whole_power(function, "%x", "%y")
    function.returns(function.select(small, product, found))
    return function


def _polynomial(function: Function, x: str, coefficients: list[float]) -> str:
    """A polynomial, lowest power first, in few rounds of independent operations (Estrin)."""
    terms = [number(coefficient) for coefficient in coefficients]
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        last = terms[-1:] if len(terms) % 2 else []
        terms = [function.fused(upper, x, lower) for lower, upper in pairs] + last
        if len(terms) > 1:
            x = function.multiply(x, x)
    return terms[0]


def _bounded(function: Function, x: str, lowest: float, highest: float) -> str:
    """A number within bounds; NaN stays NaN."""
    low, high = number(lowest), number(highest)
    x = function.select(function.compare("olt", x, low), low, x)
    return function.select(function.compare("ogt", x, high), high, x)


def _within(function: Function, x: str, lowest: float, highest: float) -> str:
    """Whether a number is within bounds."""
    above = function.compare("oge", x, number(lowest))
    return function.both(above, function.compare("ole", x, number(highest)))


def _exp_of_sum(function: Function, large: str, small: str) -> str:
    """The exponential of a number and what it lacks, which counts for little."""
    bounded = _bounded(function, large, _SMALLEST, _LARGEST)
    curved, shifted = _exp_near_zero(function, bounded, small)
    # In two steps, of which neither overflows where the result does not.
    positive = function.on_bits("sub", shifted, whole(bits_of(_SHIFT) - 2 * _BIAS))
    half = function.on_bits("lshr", positive, whole(1))
    other = function.on_bits("sub", positive, half)
    half_way = function.multiply(curved, _two_to(function, half))
    return function.multiply(half_way, _two_to(function, other))


def _exp_near_zero(function: Function, large: str, small: str) -> tuple[str, str]:
    """The exponential but for a power of two, which stands in the lowest bits of the second."""
    shifted = function.fused(large, number(1 / _LN2), number(_SHIFT))
    twos = function.subtract(shifted, number(_SHIFT))
    rest = function.fused(twos, number(-_LN2), large)
    rest = function.fused(twos, number(-_LN2_REST), rest)
    rest = function.add(rest, small)
    series = _polynomial(function, rest, _EXP_SERIES)
    curved = function.fused(function.multiply(rest, rest), series, rest)
    return function.add(curved, number(1.0)), function.to_bits(shifted)


def _two_to(function: Function, biased: str) -> str:
    """A power of two from its bits in a number, of which only the last eleven count."""
    return function.from_bits(function.on_bits("shl", biased, whole(52)))


def _logarithm(function: Function, x: str) -> tuple[str, str]:
    """The logarithm and what it lacks, which together have about ten more bits."""
    tiny = function.compare("olt", x, number(_NORMAL))
    lifted = function.select(tiny, function.multiply(x, number(2.0**_LIFT)), x)
    twos, share = _split(function, lifted)
    twos = function.subtract(twos, function.select(tiny, number(_LIFT), number(0.0)))
    high, low = _logarithm_of_parts(function, twos, share)
    return _logarithm_of_limits(function, x, high), low


def _split(function: Function, x: str) -> tuple[str, str]:
    """A positive number as a power of two times a share between the roots of 1/2 and of 2."""
    lifted = function.on_bits("add", function.to_bits(x), whole(bits_of(1.0) - _ROOT_HALF))
    power = function.on_bits("lshr", lifted, whole(52))
    share = function.on_bits("and", lifted, whole(_MANTISSA))
    share = function.from_bits(function.on_bits("add", share, whole(_ROOT_HALF)))
    shifted = function.from_bits(function.on_bits("add", power, whole(bits_of(_SHIFT))))
    return function.subtract(shifted, number(_SHIFT + _BIAS)), share


def _logarithm_of_parts(function: Function, twos: str, share: str) -> tuple[str, str]:
    """The logarithm of a power of two times a number near one."""
    large, small = _logarithm_near_one(function, share)
    product, lost = _exact_product(function, twos, number(_LN2))
    lost = function.fused(twos, number(_LN2_REST), lost)
    high, error = _exact_sum(function, product, large)
    return _exact_sum(function, high, function.total([error, lost, small]))


def _logarithm_near_one(function: Function, share: str) -> tuple[str, str]:
    """The logarithm as twice the inverse hyperbolic tangent of ``(share - 1) / (share + 1)``."""
    one, two = number(1.0), number(2.0)
    above, lost = _exact_sum(function, one, share)
    inverse = function.divide(one, above)
    below = function.subtract(share, one)
    ratio = function.multiply(below, inverse)
    minus = function.negate(ratio)
    error = function.fused(minus, lost, function.fused(minus, above, below))
    error = function.multiply(error, inverse)
    third, rest = _beyond_ratio(function, ratio, error)
    large, lost = _exact_sum(function, ratio, third)
    return function.multiply(large, two), function.multiply(function.add(lost, rest), two)


def _beyond_ratio(function: Function, ratio: str, error: str) -> tuple[str, str]:
    """A third of the cube of the ratio, and all that is smaller, the error of the ratio too."""
    square, square_lost = _exact_product(function, ratio, ratio)
    square_lost = function.fused(function.add(ratio, ratio), error, square_lost)
    cube, cube_lost = _exact_product(function, ratio, square)
    cube_lost = function.fused(ratio, square_lost, function.fused(error, square, cube_lost))
    third, third_lost = _exact_product(function, cube, number(1 / 3))
    third_lost = function.fused(cube_lost, number(1 / 3), third_lost)
    third_lost = function.fused(cube, number(_THIRD_REST), third_lost)
    series = function.multiply(_polynomial(function, square, _LOG_SERIES), square)
    return third, function.add(function.fused(cube, series, third_lost), error)


def _exact_product(function: Function, one: str, other: str) -> tuple[str, str]:
    """A product and what rounding took from it."""
    found = function.multiply(one, other)
    return found, function.fused(one, other, function.negate(found))


def _exact_sum(function: Function, larger: str, smaller: str) -> tuple[str, str]:
    """A sum and what rounding took from it; the first number is zero or the larger one."""
    found = function.add(larger, smaller)
    return found, function.subtract(smaller, function.subtract(found, larger))


def _wide_product(function: Function, factor: str, high: str, low: str) -> tuple[str, str]:
    """A factor times a number and what that lacks."""
    large, lost = _exact_product(function, factor, high)
    return large, function.fused(factor, low, lost)


def _logarithm_of_limits(function: Function, x: str, found: str) -> str:
    """The logarithm where it is not that of a positive number."""
    infinite, zero = number(math.inf), number(0.0)
    found = function.select(function.compare("oeq", x, infinite), infinite, found)
    found = function.select(function.compare("oeq", x, zero), number(-math.inf), found)
    return function.select(function.compare("oge", x, zero), found, number(math.nan))


def _small_whole_power(function: Function, base: str, exponent: str) -> tuple[str, str]:
    """Whether the exponent is 0, 1, 2, 3 or 4, as in most Hill laws; and the power if it is."""
    square = function.multiply(base, base)
    powers = [base, square, function.multiply(square, base), function.multiply(square, square)]
    small, found = function.compare("oeq", exponent, number(0.0)), number(1.0)
    for whole_number, power in enumerate(powers, start=1):
        same = function.compare("oeq", exponent, number(whole_number))
        small, found = function.either(small, same), function.select(same, power, found)
    return small, found


def _plain_power(function: Function, base: str, exponent: str) -> tuple[str, str]:
    """Whether the power needs no care, and the power if that is so."""
    high, low = _logarithm_of_parts(function, *_split(function, base))
    large, small = _wide_product(function, exponent, high, low)
    curved, shifted = _exp_near_zero(function, large, small)
    biased = function.on_bits("add", shifted, whole(_BIAS))
    found = function.multiply(curved, _two_to(function, biased))
    within = _within(function, large, *_PLAIN_LOGARITHM)
    plain = function.both(within, _within(function, base, *_PLAIN_BASE))
    # Zero, where Hill laws start. (Minus zero needs care: its power may be minus zero.)
    zero = function.compare_bits("eq", function.to_bits(base), whole(0))
    nothing = function.both(zero, function.compare("ogt", exponent, number(0.0)))
    return function.either(plain, nothing), function.select(nothing, number(0.0), found)


def _power_of_size(function: Function, base: str, exponent: str) -> str:
    """The power of the absolute value of the base."""
    high, low = _logarithm(function, function.intrinsic("fabs", base))
    factor = _bounded(function, exponent, -_BEYOND, _BEYOND)
    large, small = _wide_product(function, factor, high, low)
    # Where the power is infinite or zero, what its logarithm lacks may be anything.
    within = function.compare("olt", function.intrinsic("fabs", large), number(-_SMALLEST))
    small = function.select(within, small, number(0.0))
    found = _exp_of_sum(function, large, small)
    constant = function.either(
        function.compare("oeq", exponent, number(0.0)), function.compare("oeq", base, number(1.0))
    )
    return function.select(constant, number(1.0), found)


def _signed_power(function: Function, base: str, exponent: str, size: str) -> str:
    """The power of the base itself: negative for odd exponents, none for broken ones."""
    half = function.multiply(exponent, number(0.5))
    is_whole = function.compare("oeq", function.intrinsic("floor", exponent), exponent)
    is_even = function.compare("oeq", function.intrinsic("floor", half), half)
    signed = function.select(is_even, size, function.intrinsic("copysign", size, base))
    below = function.compare("olt", base, number(0.0))
    finite = function.compare("ogt", base, number(-math.inf))
    found = function.select(is_whole, signed, size)
    broken = function.select(function.both(below, finite), number(math.nan), found)
    return function.select(is_whole, found, broken)
