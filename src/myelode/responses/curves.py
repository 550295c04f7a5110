"""What one dose-response curve says: half doses, effect, steepness, area, and what is odd of it.

A curve is what was computed at the doses of a ladder that starts with zero; between them it is
interpolated as `myelode.metrics` does. Whether it falls or rises with the dose is decided for all
curves of a response together, so that numbers of different lines mean the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from myelode.half_crossings import half_crossing
from myelode.metrics import (
    LEAST_EFFECT,
    extreme_response,
    greatest_effect,
    half_effect_dose,
    half_maximal_dose,
    relative_to_control,
    relative_to_extreme,
)
from myelode.responses.doses import NO_CONTROL, NO_EFFECT, NO_NUMBER, dose_text

HOOK = 0.1
"""Share of its largest effect that a curve with a hook gives back at higher doses."""
WIGGLE = 0.05
"""Share of its largest effect by which a curve may turn and still pass as monotone."""
STILL_MOVING = 0.01
"""Change per decade, as a share of the control, from which a curve has not come to its end."""

RISES = "rises with the dose: read as ec50"
DEFINITIONS: Mapping[str, str] = {
    "ic50": "dose at which the response first falls to half of that without drug (absolute)",
    "ec50": "dose at which half of the effect that the ladder reaches is first there (relative)",
    "emax": "1 - lowest response over that without drug",
    "hill": "fall of the logit of the response over that without drug, per e-fold dose, at ic50; "
    "of the share of the reached effect, at ec50, where there is no ic50",
    "auc": "mean over log dose, from the lowest to the highest, of the response over that without "
    "drug",
}
RISING_DEFINITIONS: Mapping[str, str] = {
    **DEFINITIONS,
    "ic50": "none: the response rises with the dose",
    "emax": "highest response minus that without drug",
    "auc": "mean over log dose, from the lowest to the highest, of the response minus that without "
    "drug",
}


@dataclass(frozen=True)
class Curve:
    """The numbers of one curve, as `DEFINITIONS` defines them, and what to know of it.

    Half doses are infinity where no dose is enough, zero where the lowest is more than enough, and
    NaN where they have no meaning; `flags` say which and why.
    """

    ic50: float
    ec50: float
    emax: float
    hill: float
    auc: float
    flags: tuple[str, ...]


def rises(curves: np.ndarray) -> bool:
    """Whether curves (..., doses) rise: by the one that moves furthest from its own control."""
    rows = curves.reshape(-1, curves.shape[-1])
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not rows.size:
        return False
    moves = extreme_response(rows) - rows[:, 0]
    return bool(moves[np.argmax(np.abs(moves))] > 0)


def curve_of(responses: np.ndarray, doses: np.ndarray, unit: str, rising: bool) -> Curve:
    """The numbers of a curve over doses that start with zero and increase.

    `unit` is that of the doses, for the flags; `rising` as `rises` says it of all curves.
    """
    if not np.isfinite(responses).all():
        return Curve(math.nan, math.nan, math.nan, math.nan, math.nan, (NO_NUMBER,))
    ic50 = math.nan if rising else float(half_maximal_dose(responses, doses))
    ec50 = float(half_effect_dose(responses, doses))
    if (extreme_response(responses) > responses[0]) != rising:
        ec50 = math.nan
    emax = float(responses[1:].max() - responses[0])
    emax = emax if rising else float(greatest_effect(responses, doses))
    hill = _steepness(responses, doses, ic50, ec50)
    flags = tuple(_flags(responses, doses, unit, rising, ic50, ec50))
    return Curve(ic50, ec50, emax, hill, _mean_over_log_dose(responses, doses, rising), flags)


def _is_dose(half: float) -> bool:
    return math.isfinite(half) and half > 0


def _steepness(responses: np.ndarray, doses: np.ndarray, ic50: float, ec50: float) -> float:
    """The exponent that a Hill curve with this steepness at its half dose would have."""
    if _is_dose(ic50):
        return float(half_crossing(relative_to_control(responses), doses[1:])[1])
    if _is_dose(ec50):
        return float(half_crossing(relative_to_extreme(responses), doses[1:])[1])
    return math.nan


def _mean_over_log_dose(responses: np.ndarray, doses: np.ndarray, rising: bool) -> float:
    control = responses[0]
    if not rising and not control > 0:
        return math.nan
    values = responses[1:] - control if rising else responses[1:] / control
    return mean_over_log_dose(values, doses[1:])


def mean_over_log_dose(values: np.ndarray, doses: np.ndarray) -> float:
    """The average of what lies on straight lines over log dose; `doses` are positive."""
    logs = np.log(doses)
    return float(np.trapezoid(values, logs) / (logs[-1] - logs[0]))


def _flags(
    responses: np.ndarray, doses: np.ndarray, unit: str, rising: bool, ic50: float, ec50: float
) -> Iterator[str]:
    control = float(responses[0])
    if rising:
        yield RISES
    elif not control > 0:
        yield NO_CONTROL
        return
    effect = (responses - control) * (1 if rising else -1)
    if effect.max() <= LEAST_EFFECT * abs(control):
        yield (
            NO_EFFECT if rising else f"not reached: {NO_EFFECT} up to {dose_text(doses[-1], unit)}"
        )
        return
    yield from half_flags(ec50 if rising else ic50, responses, doses, unit)
    yield from _turns(effect, doses, unit)


def half_flags(half: float, responses: np.ndarray, doses: np.ndarray, unit: str) -> Iterator[str]:
    """Why a half dose lies on no side of the ladder's doses; nothing where it lies between them."""
    if half == 0:
        yield f"below lowest dose: less than {dose_text(doses[1], unit)}"
    if not math.isinf(half):
        return
    highest = dose_text(doses[-1], unit)
    decades = math.log10(doses[-1] / doses[-2])
    fall = float(responses[-2] - responses[-1]) / float(responses[0]) / decades
    if fall > STILL_MOVING:
        yield f"above highest dose: not reached up to {highest}, and still falling there"
    else:
        left = responses[1:].min() / responses[0]
        yield f"not reached: {left:.3g} of the control is left, at the lowest, up to {highest}"


def _turns(effect: np.ndarray, doses: np.ndarray, unit: str) -> Iterator[str]:
    """A hook behind the largest effect, and turns of other kinds."""
    largest, at = float(effect.max()), int(effect.argmax())
    back = (largest - float(effect[at:].min())) / largest
    if back > HOOK:
        top = dose_text(doses[at], unit)
        yield f"hook: {back:.0%} of the effect at {top} is given back at higher doses"
    before = effect[: at + 1]
    turn = float((np.maximum.accumulate(before) - before).max()) / largest
    turn = max(turn, back if back <= HOOK else 0.0)
    if turn > WIGGLE:
        yield f"non-monotone: turns by {turn:.0%} of its largest effect"
