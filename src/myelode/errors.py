"""Everything that can go wrong, in one tree.

    MyelodeError
      + ScenarioError          a scenario, or a value given for one, is wrong
      + ModelError             a model, or one of its tables, is wrong
        x UnsupportedModelError    correct, but no engine does it right
      + SimulationError        the integration did not reach its end

Messages are one line: what is wrong, where, and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches


class MyelodeError(Exception):
    """Base of all errors that myelode raises on purpose."""


class ScenarioError(MyelodeError):
    """A scenario file, or a value given for one, cannot be used."""


class ModelError(MyelodeError):
    """A model file, or one of its tables, cannot be used."""


class UnsupportedModelError(ModelError):
    """The model is valid, but uses a construct that no engine does right."""


class SimulationError(MyelodeError):
    """An integration stopped before its end.

    Attributes
    ----------
    reason : what the integrator said.
    time : the time reached, in the model's time unit; NaN if the run never started.
    state : the last state, by id.
    """

    def __init__(
        self, reason: str, time: float = math.nan, state: Mapping[str, float] | None = None
    ):
        # All arguments go to the base, so that the error survives its way between processes.
        super().__init__(reason, time, state)
        self.reason = reason
        self.time = time
        self.state = dict(state or {})

    def __str__(self) -> str:
        if math.isnan(self.time):
            return f"the integration did not start: {self.reason}"
        return f"the integration stopped at time {self.time:g}: {self.reason}"


def best_matches(name: str, names: Iterable[str]) -> str:
    """A hint such as ``: did you mean 'k_FA'?``, or nothing if no name is close."""
    by_lower_case = {known.lower(): known for known in names}
    found = [by_lower_case[match] for match in get_close_matches(name.lower(), by_lower_case, n=3)]
    if not found:
        return ""
    return ": did you mean " + " or ".join(repr(match) for match in found) + "?"
