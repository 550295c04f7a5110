"""When a step acts: its recurrence, its lag, and the end of what it sets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from myelode.errors import ScenarioError
from myelode.regimens.steps import Context, Step, resolve_time
from myelode.regimens.timeline import tidy


@dataclass(frozen=True)
class Occasions:
    """The times of one regimen, in a run that ends at `end`."""

    context: Context
    labels: Mapping[str, float]
    end: float

    def times(self, step: Step, start: float) -> list[float]:
        """Every time at which a step acts, from its start on."""
        lag = self.lag(step)
        every = self.period(step) if step.every is not None else 0.0
        times = [tidy(start + lag + every * number) for number in range(step.times or 1)]
        if times[0] > self.end:
            raise ScenarioError(f"{step.title} acts after the end of the run at {self.end:g}")
        return times

    def lag(self, step: Step) -> float:
        """How long after its time a step acts."""
        lag = 0.0 if step.lag is None else self.context.time(step.lag, "lag")
        if lag < 0:
            raise ScenarioError(f"{step.title}: the lag is negative")
        return lag

    def period(self, step: Step) -> float:
        """The time from one occurrence to the next."""
        period = self.context.time(step.every or 0, "every")
        if period <= 0:
            raise ScenarioError(f"{step.title}: every must be a positive time")
        return period

    def phase(self, step: Step) -> float:
        """How long before the start the last dose took effect, and a period less."""
        period, lag = self.period(step), self.lag(step)
        if lag >= period:
            raise ScenarioError(f"{step.title}: at steady state the lag must be below every")
        return (period - lag) % period

    def finish(self, step: Step, start: float) -> float:
        """When a setting ends that starts at that time."""
        if step.for_ is not None:
            finish = tidy(start + self.context.time(step.for_, "for"))
        elif step.until is not None:
            finish = resolve_time(step.until, self.labels, self.context)
        else:
            return math.inf
        if finish <= start:
            raise ScenarioError(f"{step.title} ends at {finish:g}, before it begins at {start:g}")
        return finish
