"""Runs of a plain model, without a scenario: trajectories, summaries, and blocks of both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from myelode.datasets import model_dataset, model_origin
from myelode.engines import Tolerances
from myelode.engines.bulk import Chosen, Ran, choose_for_batch, run_batch
from myelode.engines.protocol import Outcome
from myelode.engines.summary import Summary
from myelode.model import Model
from myelode.run_requests import (
    How,
    Request,
    block_size,
    read_request,
    read_summaries,
    require_memory,
)
from myelode.simulation import read_tolerances
from myelode.units import is_dimensionless

_ABOUT = {
    "status": "0 = reached its end, 1 = failed",
    "reason": "why it failed",
    "time_reached": "time reached",
    "steps": "steps of the integration, -1 = not known",
}
"""What stands beside every sample."""

_SAYS = {
    "value": "{label}",
    "max": "largest {label}",
    "min": "smallest {label}",
    "argmax": "time of the largest {label}",
    "argmin": "time of the smallest {label}",
    "auc": "area under the curve of {label}",
    "time_above": "time with {label} above {level}",
    "time_below": "time with {label} below {level}",
    "first_above": "first time with {label} above {level}",
    "first_below": "first time with {label} below {level}",
}
"""Kinds of summaries in words."""


def simulate_model(
    model: Model,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str] | None,
    changes: Mapping[str, Any] | None,
    **options: Any,
) -> xr.Dataset:
    """As `Model.simulate`, which documents it."""
    how = How(**options)
    return _answer(model, read_request(model, times, outputs, changes), how)


def summarize_model(
    model: Model,
    summaries: Mapping[str, Summary],
    end: float,
    changes: Mapping[str, Any] | None,
    **options: Any,
) -> xr.Dataset:
    """As `Model.summarize`, which documents it."""
    how = How(**options)
    return _answer(model, read_summaries(model, summaries, end, changes), how)


def simulate_in_blocks(
    model: Model,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str] | None,
    changes: Mapping[str, Any] | None,
    summaries: Mapping[str, Summary] | None,
    block: int | None,
    **options: Any,
) -> Iterator[xr.Dataset]:
    """As `Model.simulate_blocks`, which documents it. What is wrong is said at once."""
    how = How(**options)
    request = read_request(model, times, outputs, changes, summaries)
    asked = _Asked(model, request, how)
    return asked.blocks(block_size(request.batch, how, block))


def _answer(model: Model, request: Request, how: How) -> xr.Dataset:
    """All runs of a request; raises SimulationError where none reaches its end."""
    require_memory(request.batch, how)
    asked = _Asked(model, request, how)
    outcome = asked.done(request)
    if len(outcome.failures) == request.batch.count:
        raise outcome.failures[0]
    return asked.dataset(request, outcome)


class _Asked:
    """A request on its way, with the engine that does it."""

    def __init__(self, model: Model, request: Request, how: How):
        self._model = model
        self._request = request
        self._how = how
        self._tolerances: Tolerances = read_tolerances(how.rtol, how.atol)
        self._chosen: Chosen = choose_for_batch(
            model.sbml, request.batch, how.engine, how.reproducible
        )

    def done(self, request: Request) -> Outcome:
        """What becomes of some of the runs."""
        how = self._how
        return run_batch(
            self._chosen, request.batch, self._tolerances, how.limits, how.threads, how.precision
        )

    def blocks(self, size: int) -> Iterator[xr.Dataset]:
        """All runs, so many at a time."""
        for first in range(0, self._request.batch.count, size):
            part = self._request.part(first, first + size)
            found = self.dataset(part, self.done(part))
            numbers = np.arange(first, first + part.batch.count)
            yield found if part.is_single else found.assign_coords(sample=numbers)

    def dataset(self, request: Request, outcome: Outcome) -> xr.Dataset:
        """Trajectories and summaries with their units, beside what became of each run."""
        model, run = self._model, request.batch.run
        values = outcome.values[0] if request.is_single else outcome.values
        found = model_dataset(model, run.times, run.outputs, values, request.samples)
        if not run.outputs:
            found = found.drop_vars("time")
        found = found.assign(_summary_variables(model, request, outcome.summaries))
        if not request.is_single:
            beside = _beside(model, outcome)
            found = found.assign_coords({n: v for n, v in beside.items() if n not in found})
        ran = Ran([], self._chosen.engine, self._chosen.because)
        origin = model_origin(model, ran, self._tolerances)
        return found.assign_attrs(origin, **self._remarks(request))

    def _remarks(self, request: Request) -> dict[str, str]:
        """What is to be known beside where the numbers come from."""
        remarks = {}
        if request.names:
            asked = zip(request.names, map(asdict, request.batch.summaries), strict=True)
            remarks["summaries"] = json.dumps(dict(asked))
            remarks["summaries_computed"] = "while integrating"
            if not self._chosen.is_bulk:
                from myelode.engines.sampled import HOW

                remarks["summaries_computed"] = HOW
        limits = self._how.limits
        if (limits.steps or limits.seconds) and not self._chosen.is_bulk:
            remarks["limits"] = f"not kept by {self._chosen.engine}"
        return remarks


def _beside(model: Model, outcome: Outcome) -> dict[str, Any]:
    """What became of each run, as coordinates along the samples."""
    count = len(outcome.steps)
    status, reasons = np.zeros(count, dtype=np.int8), np.full(count, "", dtype=object)
    for number, error in outcome.failures.items():
        status[number], reasons[number] = 1, error.reason
    values = (status, reasons, outcome.time_reached, outcome.steps)
    found = {
        name: ("sample", array, {"long_name": said})
        for (name, said), array in zip(_ABOUT.items(), values, strict=True)
    }
    found["time_reached"][2]["units"] = model.time_unit or ""
    return found


def _summary_variables(model: Model, request: Request, values: np.ndarray) -> dict[str, Any]:
    """A variable for each summary, from values of shape (runs, summaries)."""
    found: dict[str, Any] = {}
    for at, (name, summary) in enumerate(zip(request.names, request.batch.summaries, strict=True)):
        dims, column = ((), values[0, at]) if request.is_single else ("sample", values[:, at])
        found[name] = (dims, column, _attributes(model, summary))
    return found


def _attributes(model: Model, summary: Summary) -> dict[str, str]:
    level = f"{summary.level or 0.0:g} {model.unit_of(summary.output) or ''}".strip()
    said = _SAYS[summary.kind].format(label=model.label_of(summary.output), level=level)
    return {"units": _unit(model, summary), "long_name": said}


def _unit(model: Model, summary: Summary) -> str:
    own, time = model.unit_of(summary.output) or "", model.time_unit or ""
    if summary.kind in ("value", "max", "min"):
        return own
    if summary.kind != "auc":
        return time
    return time if not own or is_dimensionless(own) else f"{own}*{time}" if time else own
