"""The scale on which a gap between two numbers is divided."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from myelode.errors import ScenarioError, best_matches

AUTO = "auto"


@dataclass(frozen=True)
class Scale:
    """How a number becomes one whose differences are divided, and what is said of it."""

    name: str
    apply: Callable[[float], float]
    definition: str


def _log(value: float) -> float:
    return math.log10(value) if 0 < value < math.inf else math.nan


def _inverse(value: float) -> float:
    return 0.0 if value == math.inf else 1 / value if value else math.nan


SCALES: Mapping[str, Scale] = {
    "linear": Scale("linear", lambda value: value, "differences of the endpoint itself"),
    "log": Scale("log", _log, "differences of its logarithm to base 10"),
    "inverse": Scale("inverse", _inverse, "differences of 1 / endpoint: never reached counts as 0"),
}


def scale_of(name: str, is_dose: bool) -> Scale:
    """The scale of that name; ``auto`` is logarithmic for a dose, and linear for anything else."""
    if name == AUTO:
        return SCALES["log" if is_dose else "linear"]
    if name not in SCALES:
        known = (AUTO, *SCALES)
        raise ScenarioError(
            f"unknown scale {name!r}{best_matches(name, known)}: it is one of {', '.join(known)}"
        )
    return SCALES[name]
