"""When a scenario is looked at: a grid, the moments asked for, and both sides of every event."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.regimens.steps import Context, Quantity, resolve_time
from myelode.regimens.timeline import SAME_TIME, just_before, tidy
from myelode.scenario import Scenario
from myelode.units import to_unit

if TYPE_CHECKING:
    import xarray as xr

MOST_SAMPLES = 200_000


def end_of_run(scenario: Scenario, model: Model) -> float:
    """The time until which the scenario runs."""
    with scenario.at("observe", "until"):
        until = scenario.observe.until
        end = tidy(to_unit(until, model.time_unit, "until"))
        if end <= 0:
            raise ScenarioError(f"until must be a positive time, not {until!r}")
        return end


def sample_times(
    scenario: Scenario,
    model: Model,
    labels: Mapping[str, Mapping[str, float]],
    events: Iterable[float],
) -> np.ndarray:
    """Increasing sample times between zero and the end of the run.

    An event is sampled twice: just before it, and at its time, which shows the value after it.
    `labels` are the times of the labels of each arm.
    """
    end = end_of_run(scenario, model)
    at_events = np.unique(np.array([time for time in events if time <= end], dtype=float))
    wanted = [*_grid(scenario, model, end), *_asked_times(scenario, model, labels, end), end]
    before = [just_before(time) for time in at_events if time > 0]
    times = np.unique([*_away_from(np.unique(wanted), at_events), *at_events, *before])
    if len(times) > MOST_SAMPLES:
        raise ScenarioError(f"{scenario.id}: has {len(times)} samples, more than {MOST_SAMPLES}")
    return times


def _away_from(times: np.ndarray, events: np.ndarray) -> np.ndarray:
    """The times that are not, but for rounding, the time of an event."""
    if not events.size:
        return times
    right = np.searchsorted(events, times).clip(max=len(events) - 1)
    left = (right - 1).clip(min=0)
    distance = np.minimum(np.abs(times - events[left]), np.abs(times - events[right]))
    kept: np.ndarray = times[distance > SAME_TIME * np.maximum(1.0, times)]
    return kept


def _grid(scenario: Scenario, model: Model, end: float) -> Iterator[float]:
    observe = scenario.observe
    with scenario.at("observe"):
        start = 0.0
        if observe.from_ is not None:
            start = to_unit(observe.from_, model.time_unit, "from")
        if not 0 <= start <= end:
            raise ScenarioError(f"from must lie between 0 and until, not at {observe.from_!r}")
        yield start
        if observe.every is not None:
            every = to_unit(observe.every, model.time_unit, "every")
            if every <= 0 or (end - start) / every > MOST_SAMPLES:
                raise ScenarioError(f"every {observe.every!r} gives no sensible number of samples")
            steps = math.floor((end - start) / every * (1 + SAME_TIME))
            yield from (min(tidy(start + every * step), end) for step in range(1, steps + 1))


def _asked_times(
    scenario: Scenario, model: Model, labels: Mapping[str, Mapping[str, float]], end: float
) -> Iterator[float]:
    """The moments under ``observe.at`` and those that endpoints need, in every arm."""
    context = Context(model)
    for arm, known in labels.items():
        for number, text in enumerate(scenario.observe.at):
            with scenario.at("observe", "at", number):
                yield _inside(text, known, context, end)
        for name, endpoint in scenario.endpoints.items():
            if endpoint.arm in (None, arm):
                with scenario.at("endpoints", name):
                    for moment in (endpoint.at, endpoint.from_, endpoint.until):
                        if moment is not None:
                            yield _inside(moment, known, context, end)
        for name, activity in scenario.activities.items():
            with scenario.at("activities", name):
                yield _inside(activity.until, known, context, end)
                start = activity.from_
                yield 0.0 if start is None else _inside(start, known, context, end)


def at_time(data: xr.DataArray, time: float) -> xr.DataArray:
    """The values of trajectories at a time; at the time of an event those after it."""
    times = data["time"].values
    exact = np.flatnonzero(times == time)
    position = int(exact[0] if exact.size else np.argmin(np.abs(times - time)))
    if abs(times[position] - time) > SAME_TIME * max(1.0, abs(time)):
        raise ScenarioError(f"time {time:g} was not sampled: list it under observe.at")
    found = data.isel(time=position, drop=True)
    return found.copy(deep=False, data=found.values.copy())


def _inside(text: Quantity, labels: Mapping[str, float], context: Context, end: float) -> float:
    time = resolve_time(text, labels, context)
    if time > end * (1 + SAME_TIME):
        raise ScenarioError(f"the time {time:g} lies after the end of the run at {end:g}")
    return min(time, end)
