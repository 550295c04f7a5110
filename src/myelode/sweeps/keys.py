"""What a chunk is known by: a digest of all that its numbers depend on.

A chunk is computed again where its key has changed, and only there: a title or another perturbation
that none of its points uses changes nothing. Keys are cheap beside the numbers, and the same on
every processor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from myelode.design import Point
from myelode.engines.protocol import Limits
from myelode.errors import ScenarioError
from myelode.plan import Planner
from myelode.provenance import run_to_json, timeline_to_json
from myelode.regimens.timeline import Timeline
from myelode.scenario import Scenario
from myelode.sweeps.cores import Core, doses_of
from myelode.sweeps.sections import Sweep
from myelode.sweeps.structures import Structure

NUMERICS = 1
"""Raised, with a line in the changelog, when the same input gives other numbers than before."""

_WORDS = {"title", "description", "expect", "scores", "figure", "trial"}
"""The sections of a scenario that change no number of a point."""
_PROBES = np.array([1.0, 2.0])
"""Where it is looked at what treatments make of an axis: no more than a factor and a constant."""


def structure_digest(sweep: Sweep, structure: Structure) -> str:
    """What the numbers of a structure depend on, beside the numbers of its points."""
    plan, chosen = structure.plan, structure.chosen
    data = {
        "numerics": NUMERICS,
        "sbml": plan.sbml,
        "runs": [run_to_json(planned) for planned in plan.runs],
        "moved": [*_moved(structure)],
        "labels": plan.labels,
        "times": plan.times.tolist(),
        "columns": plan.columns,
        "axes": [(axis.name, axis.values) for axis in plan.axes],
        "engine": [chosen.engine, "" if chosen.is_bulk else _version(), sweep.reproducible],
        "tolerances": [structure.tolerances.relative, structure.tolerances.absolute],
        "limits": [sweep.limits.steps, sweep.limits.seconds] if chosen.is_bulk else [],
        "scenario": _scenario(structure.scenario),
        "inputs": plan.inputs,
        "select": structure.select,
        "kept": [sweep.endpoints, sweep.record],
    }
    return _digest(_as_bytes(data))


def chunk_key(
    names: Iterable[str], about: str,
    parts: Iterable[tuple[str, np.ndarray, Mapping[str, np.ndarray]]],
) -> str:  # fmt: skip
    """The key of a chunk.

    `about` is what the design's numbers depend on beside their marks; `parts` are the digest of
    each structure of the chunk, which of its points belong to it, and the marks of their numbers.
    """
    found: list[bytes] = [json.dumps([*names]).encode(), about.encode()]
    for digest, which, marks in parts:
        found += [digest.encode(), which.astype("<i8").tobytes()]
        for name in sorted(marks):
            array = np.ascontiguousarray(marks[name], dtype="<f8")
            found += [name.encode(), array.tobytes()]
    return _digest(*found)


def plan_state(sweep: Sweep, planner: Planner, about: str, files: Iterable[Path]) -> str:
    """A digest that changes whenever the key of any chunk may, and sometimes when none does.

    `files` are all files and folders behind the sweep: those of the model, and of the design.
    """
    data = [NUMERICS, _version(), sweep.text, about, planner.inputs, _scenario(planner.scenario)]
    return _digest(_as_bytes(data), *_contents(files))


def _contents(files: Iterable[Path]) -> Iterator[bytes]:
    for path in files:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file.is_file():
                yield file.name.encode()
                yield file.read_bytes()


def _moved(structure: Structure) -> Iterator[Any]:
    """What each treatment makes of the axes: of values, and of doses of size 1."""
    axes = dict.fromkeys(structure.numbers, _PROBES)
    core = Core(structure, axes, len(_PROBES), Limits(), 1)
    yield {name: values.tolist() for name, values in core.resolved().items()}
    ones = dict.fromkeys(structure.numbers, 1.0)
    for treatment, _ in structure.planner.treatments():
        sizes = doses_of(structure.numbers, ones, treatment[2])
        if sizes:
            yield _timeline(structure.planner, treatment, sizes)


def _timeline(planner: Planner, treatment: tuple[str, str, str], sizes: Mapping[str, float]) -> Any:
    """The timeline of a treatment with doses of these sizes, or why there is none."""
    first = planner.grid.points[0]
    values = {n: float(v) for n, v in planner.changes(treatment, first.values, {}).items()}
    try:
        point = Point(first.place, {**first.doses, **sizes})
        instants = planner.instants(treatment, point, values)
    except ScenarioError as error:
        return str(error)
    return timeline_to_json(Timeline(instants, planner.end, planner.equilibration))


def _scenario(scenario: Scenario) -> Any:
    """A scenario without its words; by its id assays know their noise."""
    words = _WORDS if scenario.assays else _WORDS | {"id"}
    data = scenario.model_dump(mode="json", by_alias=True, exclude=words, exclude_unset=True)
    return _without_titles(data)


def _without_titles(data: Any) -> Any:
    if isinstance(data, list):
        return [_without_titles(item) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: _without_titles(value)
        for key, value in data.items()
        if not (key == "title" and isinstance(value, str))
    }


def _version() -> str:
    return version("libroadrunner")


def _as_bytes(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, default=str).encode()


def _digest(*parts: bytes) -> str:
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()
