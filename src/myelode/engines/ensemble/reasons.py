"""Why a simulation has failed, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from myelode.engines.ensemble.lanes import NOT_FINITE, TOO_LONG, TOO_MANY_STEPS, TOO_SMALL
from myelode.engines.protocol import TOOK_LONGER, Limits
from myelode.errors import SimulationError

_NOT_FINITE = "the derivatives are not finite"


def reason_of(status: int, steps: int, limits: Limits) -> str:
    """Why a stretch ended where it did not want to, with that status and after so many steps."""
    return {
        TOO_MANY_STEPS: f"{steps} steps were not enough",
        TOO_LONG: f"{TOOK_LONGER} {limits.seconds or math.inf:g} s",
        NOT_FINITE: _NOT_FINITE,
        TOO_SMALL: "the error stays too large however small the steps",
    }[status]


def explained(error: SimulationError, state: Mapping[str, float]) -> SimulationError:
    """A failure with the states where it came about; names one that has no value there."""
    unknown = [name for name, value in state.items() if math.isnan(value)]
    is_vague = unknown and error.reason == _NOT_FINITE
    reason = f"{unknown[0]} has no value" if is_vague else error.reason
    return SimulationError(reason, error.time, dict(state))
