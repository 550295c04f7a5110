"""What can be said of an output over a whole run, without its trajectory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "value", "max", "min", "argmax", "argmin", "auc", "time_above", "time_below", "first_above",
    "first_below",
]  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """One number that says something about an output over a whole run.

    Attributes
    ----------
    kind : ``value`` at a time, ``max`` and ``min``, ``argmax`` and ``argmin`` (when they are),
        ``auc`` (area under the curve), ``time_above`` and ``time_below`` (for how long it is beyond
        a level), ``first_above`` and ``first_below`` (when it first is; infinite where never).
    output : an id, ``amount(X)`` or ``concentration(X)``.
    at : for ``value``, when; the end of the run where None.
    level : for the last four, the level. What is exactly at it is neither above nor below.
    start, end : the part of the run that counts; times in the model's unit.
    """

    kind: Kind
    output: str
    at: float | None = None
    level: float | None = None
    start: float = 0.0
    end: float | None = None

    def window(self, end: float) -> tuple[float, float]:
        """From when to when a run that ends at `end` is looked at."""
        if self.kind == "value":
            time = end if self.at is None else self.at
            return time, time
        return self.start, end if self.end is None else self.end
