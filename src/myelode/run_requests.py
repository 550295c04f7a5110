"""What is asked of a plain model, checked: times, outputs, changes, summaries, and how to run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from myelode.engines import Run
from myelode.engines.protocol import Batch, Limits
from myelode.engines.summary import Kind, Summary
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model
from myelode.perturbations import require_changeable
from myelode.regimens.timeline import Timeline
from myelode.wholes import Wholes

PRECISIONS = ("float64", "float32")
SHARE = 0.5
"""How much of the memory that the machine has left results may take by default."""
LARGEST_BLOCK = 8192
"""How many runs a block has at most, if nobody says how many."""


@dataclass(frozen=True)
class How:
    """How runs are done; `simulated.py` says what each option means. Raises ScenarioError."""

    engine: str = "auto"
    rtol: float | None = None
    atol: float | None = None
    precision: str = "float64"
    reproducible: bool = False
    threads: int | None = None
    most_steps: int | None = None
    most_seconds: float | None = None
    memory: float | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ScenarioError(f"precision is 'float64' or 'float32', not {self.precision!r}")
        for name in ("threads", "most_steps", "most_seconds", "memory"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ScenarioError(f"{name} must be positive, not {value!r}")
            if name in ("threads", "most_steps") and value is not None and value != int(value):
                raise ScenarioError(f"{name} must be a whole number, not {value!r}")

    @property
    def limits(self) -> Limits:
        """When one run is given up."""
        return Limits(self.most_steps, self.most_seconds)

    @property
    def allowed(self) -> float:
        """Bytes that results may take; infinite where the machine does not say what it has."""
        return self.memory or SHARE * _available()


@dataclass(frozen=True)
class Request:
    """Runs of a plain model.

    Attributes
    ----------
    batch : the runs.
    samples : changes that differ from run to run, of shape (runs,); empty for a single run.
    names : of the batch's summaries.
    """

    batch: Batch
    samples: Mapping[str, np.ndarray]
    names: tuple[str, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether there is one run, which is no sample."""
        return not self.samples

    def part(self, first: int, last: int) -> Request:
        """Some of the runs."""
        samples = {name: values[first:last] for name, values in self.samples.items()}
        return replace(self, batch=self.batch.part(first, last), samples=samples)


def read_request(
    model: Model,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str] | None,
    changes: Mapping[str, Any] | None,
    summaries: Mapping[str, Summary] | None = None,
) -> Request:
    """The runs that are asked for, to the last of the times; raises ScenarioError."""
    grid, wanted = require_times(times), require_outputs(model, outputs)
    return _request(model, grid, wanted, changes or {}, summaries or {}, float(grid[-1]))


def read_summaries(
    model: Model, summaries: Mapping[str, Summary], end: float, changes: Mapping[str, Any] | None
) -> Request:
    """Runs of which only summaries are asked for; raises ScenarioError."""
    if not summaries:
        raise ScenarioError("summaries must name something")
    if not 0 <= end < math.inf:
        raise ScenarioError(f"the end must be a time from zero on, not {end!r}")
    return _request(model, np.empty(0), (), changes or {}, summaries, float(end))


def _request(
    model: Model,
    times: np.ndarray,
    outputs: tuple[str, ...],
    changes: Mapping[str, Any],
    summaries: Mapping[str, Summary],
    end: float,
) -> Request:
    arrays = require_changes(model, changes)
    samples = {name: array for name, array in arrays.items() if array.ndim}
    shared = {name: float(array) for name, array in arrays.items() if not array.ndim}
    count = len(next(iter(samples.values()), np.zeros(1)))
    for name, summary in summaries.items():
        _require_summary(model, name, summary, end, outputs)
    run = Run(shared, Timeline((), end), times, outputs, as_stated=True)
    batch = Batch(run, count, samples, tuple(summaries.values()))
    _require_wholes(model, batch)
    return Request(batch, samples, tuple(summaries))


def require_memory(batch: Batch, how: How) -> None:
    """Raise ScenarioError where the results of a batch would take more memory than is allowed."""
    needed = batch.count * bytes_per_run(batch, how)
    if needed > how.allowed:
        shape = f"{batch.count} runs x {len(batch.run.times)} times x {len(batch.run.outputs)}"
        raise ScenarioError(
            f"{shape} outputs need {_gigabytes(needed)} of memory, {_gigabytes(how.allowed)} are "
            "allowed: ask for fewer outputs or times, for precision='float32' or more memory=..., "
            "or use Model.summarize or Model.simulate_blocks"
        )


def block_size(batch: Batch, how: How, block: int | None) -> int:
    """How many runs go into a block: the given number, or as many as memory holds."""
    if block is not None:
        if block < 1 or block != int(block):
            raise ScenarioError(f"block must be a positive whole number, not {block!r}")
        require_memory(batch.part(0, block), how)
        return block
    # The caller may still hold one block while the next one is made.
    return int(max(1, min(LARGEST_BLOCK, how.allowed / 2 // bytes_per_run(batch, how))))


def bytes_per_run(batch: Batch, how: How) -> int:
    """How much memory the results of a run take."""
    width = np.dtype(how.precision).itemsize * len(batch.run.times)
    return int(width * len(batch.run.outputs) + 8 * (len(batch.summaries) + 4))


def _gigabytes(number: float) -> str:
    size = number / 1e9
    return f"{size:.0f} GB" if size >= 100 else f"{size:.3g} GB"


def _available() -> float:
    """How much memory the machine has left, as far as it says."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        [found] = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        return 1024.0 * int(found)
    except (OSError, ValueError):
        names = getattr(os, "sysconf_names", {})
        if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):
            return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
        return math.inf


def require_times(times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Sample times as an array of increasing numbers, none of them negative."""
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or not np.isfinite(grid).all():
        raise ScenarioError("times must be a list of finite numbers")
    if grid[0] < 0 or (np.diff(grid) <= 0).any():
        raise ScenarioError("times must increase, and none may be negative")
    return grid


def require_outputs(model: Model, outputs: Sequence[str] | None) -> tuple[str, ...]:
    """The outputs, each once; all species and whatever a rule drives where none are named."""
    if outputs is None:
        entities = model.entities.values()
        return tuple(e.id for e in entities if e.kind == "species" or e.rule is not None)
    if not outputs or ("time" in outputs and "time" not in model.entities):
        raise ScenarioError("outputs must name something other than time, which is always there")
    for output in outputs:
        model.unit_of(output)
    return tuple(dict.fromkeys(outputs))


def require_changes(model: Model, changes: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The changes as numbers or arrays of one length."""
    arrays: dict[str, np.ndarray] = {}
    for name, value in changes.items():
        require_changeable(model, name)
        arrays[name] = np.asarray(value, dtype=float)
        if arrays[name].ndim > 1 or not np.isfinite(arrays[name]).all():
            raise ScenarioError(f"the change of {name!r} must be a finite number or a list of them")
    lengths = {name: array.size for name, array in arrays.items() if array.ndim}
    said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
    if 0 in lengths.values():
        raise ScenarioError(f"changes of zero lengths are no runs: {said}")
    if len(set(lengths.values())) > 1:
        raise ScenarioError(f"changes must have equal lengths: {said}")
    return arrays


def _require_wholes(model: Model, batch: Batch) -> None:
    """Raise ScenarioError where shares of a whole do not sum to 1 in a run."""
    shares = Wholes(model)
    together = {name for group in shares.groups for name in group}
    shared = {name: value for name, value in batch.run.changes.items() if name in together}
    own = {name: values.tolist() for name, values in batch.changes.items() if name in together}
    rows = zip(*own.values(), strict=True) if own else [()] if shared else []
    for row in rows:
        for _, fault in shares.broken({**shared, **dict(zip(own, row, strict=True))}):
            raise ScenarioError(fault)


def _require_summary(
    model: Model, name: str, summary: Summary, end: float, outputs: Sequence[str]
) -> None:
    """Raise ScenarioError where a summary makes no sense for runs to `end`."""
    place = f"summary {name!r}"
    if name in outputs:
        raise ScenarioError(f"{place} has the name of an output")
    if summary.kind not in get_args(Kind):
        hint = best_matches(summary.kind, get_args(Kind))
        raise ScenarioError(f"{place}: unknown kind {summary.kind!r}{hint}")
    if summary.output == "time" and "time" not in model.entities:
        raise ScenarioError(f"{place} must be of something other than time")
    model.unit_of(summary.output)
    needs_level = summary.kind.endswith(("above", "below"))
    if needs_level != (summary.level is not None):
        said = "needs a level" if needs_level else "takes no level"
        raise ScenarioError(f"{place}: {summary.kind} {said}")
    if summary.level is not None and not math.isfinite(summary.level):
        raise ScenarioError(f"{place}: the level must be a finite number")
    if summary.at is not None and summary.kind != "value":
        raise ScenarioError(f"{place}: only a value is at a time")
    if summary.kind == "value" and (summary.start != 0 or summary.end is not None):
        raise ScenarioError(f"{place}: a value is at a time, not from a start to an end")
    start, stop = summary.window(end)
    if not 0 <= start <= stop <= end:
        raise ScenarioError(f"{place}: its times must increase and lie between 0 and {end:g}")
