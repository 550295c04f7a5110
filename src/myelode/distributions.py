"""Numbers drawn from the distributions that a parameter table states.

Every draw starts from a standard normal number with a key of its own, such as (seed, line, name):
the same key gives the same number, whatever else is drawn before or beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import sha256
from statistics import NormalDist

import numpy as np

from myelode.errors import ModelError
from myelode.parameters import Distribution

_NORMAL = NormalDist()
_STEPS = 2**52


def standard_normal(*key: int | str) -> float:
    """A number from the standard normal distribution that depends on nothing but its key."""
    return _NORMAL.inv_cdf(standard_uniform(*key))


def standard_uniform(*key: int | str) -> float:
    """A number between 0 and 1, ends excluded, that depends on nothing but its key."""
    digest = sha256("\x1f".join(map(str, key)).encode()).digest()
    return (int.from_bytes(digest[:8]) % _STEPS + 0.5) / _STEPS


def draw(
    distribution: Distribution,
    median: float,
    normal: float,
    low: float = -math.inf,
    high: float = math.inf,
) -> float:
    """The value that stands where `normal` stands in a standard normal distribution.

    The distribution is cut off at `low` and `high`, as if values outside were drawn again. Log-
    normal and normal ones spread around `median`; a uniform or beta one has its place already.
    Raises ModelError where nothing of the distribution lies in the range.
    """
    if distribution.kind == "fixed":
        return median
    bottom, top = _ends(distribution, median, low, high)
    if (bottom, top) != (0.0, 1.0):
        normal = _inverse(bottom + (top - bottom) * _NORMAL.cdf(normal))
    return min(max(_value(distribution, median, normal), low), high)


def draw_many(
    distribution: Distribution,
    median: float,
    normals: np.ndarray,
    low: float = -math.inf,
    high: float = math.inf,
) -> np.ndarray:
    """The values that stand where `normals` stand, as `draw` gives them but for rounding.

    Raises ModelError for a share of a whole too, which is drawn with all others alone.
    """
    from scipy.special import ndtr, ndtri

    if distribution.kind == "fixed":
        return np.full(len(normals), median)
    if distribution.kind == "dirichlet":
        raise ModelError("a share of a whole is drawn together with the others, not alone")
    bottom, top = _ends(distribution, median, low, high)
    if (bottom, top) != (0.0, 1.0):
        normals = ndtri(bottom + (top - bottom) * ndtr(normals))
    return np.asarray(np.clip(_values(distribution, median, normals), low, high))


def _ends(
    distribution: Distribution, median: float, low: float, high: float
) -> tuple[float, float]:
    """How much of a distribution lies below the two ends of its range."""
    if distribution.kind == "lognormal" and median <= 0:
        raise ModelError(f"a log-normal value must be positive, not {median:g}")
    bottom, top = (_NORMAL.cdf(_place(distribution, median, end)) for end in (low, high))
    if top <= bottom:
        raise ModelError(f"nothing of the distribution lies between {low:g} and {high:g}")
    return bottom, top


def draw_shares(means: Mapping[str, float], normals: Mapping[str, float]) -> dict[str, float]:
    """Shares from a Dirichlet distribution: they have these means, and add up to 1.

    Its concentration is the number of shares, so that equal means give every division of the whole
    the same weight.
    """
    from scipy.special import gammaincinv

    count, total = len(means), sum(means.values())
    sizes = {
        name: float(gammaincinv(count * mean / total, _NORMAL.cdf(normals[name]))) if mean else 0.0
        for name, mean in means.items()
    }
    whole = sum(sizes.values())
    return {name: size / whole for name, size in sizes.items()}


def _place(distribution: Distribution, median: float, value: float) -> float:
    """Where a value stands in a standard normal distribution."""
    if distribution.kind == "lognormal":
        ratio = value / median
        return math.log(ratio) / distribution.numbers[0] if ratio > 0 else -math.inf
    if distribution.kind == "normal":
        return (value - median) / distribution.numbers[0]
    first, second = distribution.numbers
    if distribution.kind == "uniform":
        return _inverse((value - first) / (second - first))
    from scipy.special import betainc

    return _inverse(float(betainc(first, second, min(max(value, 0.0), 1.0))))


def _value(distribution: Distribution, median: float, normal: float) -> float:
    """The value at a place in the standard normal distribution."""
    if distribution.kind == "lognormal":
        return median * math.exp(distribution.numbers[0] * normal)
    if distribution.kind == "normal":
        return median + distribution.numbers[0] * normal
    first, second = distribution.numbers
    if distribution.kind == "uniform":
        return first + (second - first) * _NORMAL.cdf(normal)
    from scipy.special import betaincinv

    return float(betaincinv(first, second, _NORMAL.cdf(normal)))


def _values(distribution: Distribution, median: float, normals: np.ndarray) -> np.ndarray:
    """The values at places in the standard normal distribution."""
    if distribution.kind == "lognormal":
        return np.asarray(median * np.exp(distribution.numbers[0] * normals))
    if distribution.kind == "normal":
        return median + distribution.numbers[0] * normals
    from scipy.special import betaincinv, ndtr

    first, second = distribution.numbers
    if distribution.kind == "uniform":
        return np.asarray(first + (second - first) * ndtr(normals))
    return np.asarray(betaincinv(first, second, ndtr(normals)))


def _inverse(probability: float) -> float:
    if probability <= 0:
        return -math.inf
    return math.inf if probability >= 1 else _NORMAL.inv_cdf(probability)
