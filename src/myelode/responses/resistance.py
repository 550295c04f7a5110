"""Resistance factors: the half dose of a line over that of the reference, and what it is called.

With draws of the uncertain numbers each draw has a factor of its own, from the same numbers in both
lines; the interval holds 90 % of them. A line whose interval reaches across a threshold of the rule
is undetermined.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from myelode.expressions import holds
from myelode.metrics import quantiles
from myelode.sections import OutcomeRule

MOST_UNDEFINED = 0.1
"""Share of draws without a factor from which a line is undetermined."""
_NO_RATIO = "the reference is beyond the ladder in them, or the line below it"
_COMPARED = re.compile(r"\bfold\s*[<>]=?\s*([-+.\w]+)")


@dataclass(frozen=True)
class Half:
    """A half dose of a line, of the typical run and of each draw, and what is odd of the first."""

    value: float
    draws: np.ndarray
    flag: str
    lowest: float


@dataclass(frozen=True)
class Factor:
    """A resistance factor: NaN, with the reason, where there is none; its interval, and its class.

    `draws` has the factor of each draw, `interval` the numbers at 5, 50 and 95 % of them; all NaN
    without draws. `undefined` is how many draws have none.
    """

    fold: float
    draws: np.ndarray
    interval: tuple[float, float, float]
    undefined: int
    outcome: str
    reason: str


def factor_of(line: Half, reference: Half, rule: OutcomeRule) -> Factor:
    """The resistance factor of a line, judged by a rule on ``fold``."""
    fold = ratio(line.value, reference.value)
    pairs = zip(line.draws, reference.draws, strict=True)
    draws = np.array([ratio(one, other) for one, other in pairs], dtype=float)
    undefined = int(np.isnan(draws).sum())
    low, median, high = (float(number) for number in quantiles(draws[np.newaxis])[:, 0])
    if math.isnan(fold):
        outcome, reason = _without_fold(line, reference, rule)
    elif undefined > MOST_UNDEFINED * len(draws):
        outcome, reason = (
            "undetermined",
            f"{undefined} of {len(draws)} draws have no fold: {_NO_RATIO}",
        )
    elif len(draws):
        outcome, reason = _judged(rule, low, high)
    else:
        outcome, reason = _judged(rule, fold, fold)
    return Factor(fold, draws, (low, median, high), undefined, outcome, reason)


def ratio(line: float, reference: float) -> float:
    """A half dose over that of the reference; infinity where only the reference is ever reached.

    NaN where the reference is not between the doses, or the line below the lowest.
    """
    if not (math.isfinite(reference) and reference > 0) or not line > 0:
        return math.nan
    return line / reference


def class_of(rule: OutcomeRule, fold: float) -> str:
    """What a rule calls a factor."""
    for name, condition in (("resistant", rule.resistant_if), ("reduced", rule.reduced_if)):
        if condition and holds(condition, {"fold": fold}):
            return name
    return "sensitive"


def _judged(rule: OutcomeRule, low: float, high: float) -> tuple[str, str]:
    """The class that both ends of an interval share, and why."""
    one, other = class_of(rule, low), class_of(rule, high)
    if low == high:
        return one, "not reached" if math.isinf(low) else f"{_size(low)} times the reference"
    said = f"interval {_size(low)} to {_size(high)}"
    if one == other:
        return one, said
    crossed = [f"{number:g}" for number in sorted(_thresholds(rule)) if low <= number <= high]
    across = " and ".join(crossed) or f"from {one} to {other}"
    return "undetermined", f"{said} crosses {across}"


def _thresholds(rule: OutcomeRule) -> Iterator[float]:
    """The numbers with which the rule compares the factor."""
    for text in (rule.resistant_if, rule.reduced_if or ""):
        for number in _COMPARED.findall(text):
            try:
                yield float(number)
            except ValueError:
                continue


def _without_fold(line: Half, reference: Half, rule: OutcomeRule) -> tuple[str, str]:
    """Why there is no factor; a bound may judge a line below its lowest dose all the same."""
    if not (math.isfinite(reference.value) and reference.value > 0):
        why = reference.flag or "it has no number"
        return "undetermined", f"no fold, because of the reference: {why}"
    if line.value == 0:
        bound = line.lowest / reference.value
        if class_of(rule, bound) == class_of(rule, 0.0):
            said = f"less than {_size(bound)} times the reference"
            return class_of(rule, 0.0), f"{said} ({line.flag})"
    return "undetermined", f"no fold: {line.flag or 'it has no number'}"


def _size(fold: float) -> str:
    return "infinity" if math.isinf(fold) else f"{fold:.3g}"
