"""What may be said of an index: why there is none, and when it is called synergy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.interactions.equal_effects import BELOW, BEYOND, FLAT, FOUND, NEVER, UNKNOWN
from myelode.metrics import quantiles

SYNERGY, ANTAGONISM, UNDETERMINED = "synergy", "antagonism", "undetermined"
LEAST_EFFECT = 1e-6
"""Effects closer to zero than this are none."""
SURE = 1e-3
"""How far from 1 an interval must lie: what a drug with itself may differ by, when simulated."""
MOST_LOST = 0.05
"""The share of draws that may have no index."""
NO_INTERVAL = "no interval: one set of numbers only"

_WORDS = {
    NEVER: "{} alone never reaches the effect",
    BEYOND: "{} alone does not reach the effect within the bracket",
    BELOW: "{} alone has the effect below the bracket",
    FLAT: "{} alone is too flat at the effect",
    UNKNOWN: "{} alone has a response that is not known",
}


@dataclass(frozen=True)
class Verdict:
    """A call, its reason, and the interval (5 to 95 %) of the index around its median."""

    call: str
    reason: str
    low: float
    median: float
    high: float


def judge(indices: np.ndarray, why: str = "") -> Verdict:
    """The verdict on one index, from its value in each draw; `why` the typical draw has none."""
    known = np.isfinite(indices)
    low, median, high = (float(x) for x in quantiles(indices[np.newaxis])[:, 0])
    call, reason = UNDETERMINED, ""
    if not known.any():
        reason = why or "no draw has an index"
    elif indices.size < 2:
        reason = NO_INTERVAL
    elif (~known).sum() > MOST_LOST * indices.size:
        reason = f"{(~known).sum()} of {indices.size} draws have no index"
    elif high < 1 - SURE:
        call, reason = SYNERGY, "the whole interval lies below 1"
    elif low > 1 + SURE:
        call, reason = ANTAGONISM, "the whole interval lies above 1"
    else:
        reason = "the interval holds 1"
    return Verdict(call, reason, low, median, high)


def why_none(states: Sequence[int], agents: Sequence[str]) -> str:
    """Why there is no index, from what became of each agent's search; "" where there is one."""
    return "; ".join(
        _WORDS[state].format(agent)
        for state, agent in zip(states, agents, strict=True)
        if state != FOUND
    )


def why_no_target(effect: float, control: float) -> str:
    """Why no dose of equal effect is looked for at all; "" where one is."""
    if not math.isfinite(control):
        return "the control is not known"
    if control <= 0:
        return "the control is zero"
    if not math.isfinite(effect):
        return "not finite"
    if effect < -LEAST_EFFECT:
        return "negative effect"
    return "no effect" if effect <= LEAST_EFFECT else ""
