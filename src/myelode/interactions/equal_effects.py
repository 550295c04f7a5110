"""Doses of equal effect, by root finding on the model itself.

Effects come from a function of many cases at once: ``respond(cases, doses)`` gives the effect of
each dose for the case of that number. First a ladder brackets the first crossing of each case, then
all brackets shrink together, so that every round is one batch of runs. A case is never changed by
its neighbours: their order and number alter no digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Respond = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From numbers of cases and doses, arrays of one length, to effects of that length."""

FOUND, NEVER, BEYOND, BELOW, FLAT, UNKNOWN = range(6)
"""What became of a search: a dose; no dose has the effect; it may have it above the bracket, or
below it; the curve is too flat there to tell; an effect is not known."""

CLOSE = 1e-10
"""How far a logarithm of a dose may be from the root."""
LEAST_SLOPE = 1e-4
"""Effect per e-fold of dose below which rounding, and not the dose, decides where a curve is."""
ROUNDS = 100


@dataclass(frozen=True)
class Curve:
    """Effects of one agent alone along a ladder: `doses` (increasing, positive), `effects`.

    `whole` says that the ladder ends where the range of the dose does: there is no more to give.
    """

    doses: np.ndarray
    effects: np.ndarray
    whole: bool = False

    @property
    def reach(self) -> float:
        """The effect above which no dose of it is to be expected.

        A curve that levels off gains less from each further tenfold than from the last.
        """
        top, last = float(self.effects.max()), float(self.effects[-1])
        tenth = float(np.interp(np.log(self.doses[-1] / 10), np.log(self.doses), self.effects))
        return top if self.whole else max(top, last + max(0.0, last - tenth))


@dataclass(frozen=True)
class Equal:
    """Doses of equal effect, and what became of each search; NaN where there is none.

    Infinity stands for an effect that the agent never has.
    """

    doses: np.ndarray
    states: np.ndarray


def equal_doses(curves: Sequence[Curve], targets: np.ndarray, respond: Respond) -> Equal:
    """The dose of the curve of each case that has the target effect: the first, on the way up.

    `targets` are effects, one for each curve; ``respond(cases, doses)`` is the model.
    """
    states = np.full(len(curves), UNKNOWN)
    low, high = np.full((2, len(curves)), np.nan)
    for case, (curve, target) in enumerate(zip(curves, targets, strict=True)):
        states[case], low[case], high[case] = _bracket(curve, float(target))
    doses = np.where(states == NEVER, np.inf, np.nan)
    cases = np.flatnonzero(states == FOUND)
    if cases.size:
        found, slopes = _roots(cases, low, high, targets, respond)
        good = slopes >= LEAST_SLOPE
        doses[cases[good]] = found[good]
        states[cases[~good & (slopes < LEAST_SLOPE)]] = FLAT
        states[cases[np.isnan(slopes)]] = UNKNOWN
    return Equal(doses, states)


def _bracket(curve: Curve, target: float) -> tuple[int, float, float]:
    """What is known before any search, and between which doses of the ladder to look."""
    if not np.isfinite(target) or not np.isfinite(curve.effects).all():
        return UNKNOWN, np.nan, np.nan
    reached = curve.effects >= target
    if not reached.any():
        return (NEVER if target > curve.reach else BEYOND), np.nan, np.nan
    after = int(np.argmax(reached))
    if after == 0:
        return BELOW, np.nan, np.nan
    return FOUND, float(curve.doses[after - 1]), float(curve.doses[after])


def _roots(
    cases: np.ndarray, low: np.ndarray, high: np.ndarray, targets: np.ndarray, respond: Respond
) -> tuple[np.ndarray, np.ndarray]:
    """Doses at the targets, and how steep the curves are there."""
    logs = solve(
        lambda numbers, x: respond(numbers, np.exp(x)) - targets[numbers],
        np.log(low[cases]), np.log(high[cases]), cases,
    )  # fmt: skip
    step = 0.01
    numbers = np.concatenate([cases, cases])
    beside = respond(numbers, np.exp(np.concatenate([logs - step, logs + step])))
    below, above = np.split(beside, 2)
    return np.exp(logs), (above - below) / (2 * step)


def solve(
    function: Respond, low: np.ndarray, high: np.ndarray, cases: np.ndarray, close: float = CLOSE
) -> np.ndarray:
    """The root of each case between `low` and `high`, at which its function differs in sign.

    All cases are refined at once, by Chandrupatla's method; NaN where a value is none.
    """
    from scipy.optimize.elementwise import find_root

    with np.errstate(invalid="ignore"):
        found = find_root(
            lambda x, numbers: function(np.rint(numbers).astype(int), x),
            (low, high), args=(cases.astype(float),), maxiter=ROUNDS,
            tolerances={"xatol": close, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
        )  # fmt: skip
    return np.where(found.success, found.x, np.nan)
