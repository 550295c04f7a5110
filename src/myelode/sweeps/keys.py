"""What a chunk is known by: a digest of all that its numbers depend on.

A chunk is computed again where its key has changed, and only there: a title or another perturbation
that none of its points uses changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from myelode.provenance import run_to_json
from myelode.scenario import Scenario
from myelode.sweeps.sections import Sweep
from myelode.sweeps.structures import Structure

NUMERICS = 1
"""Raised, with a line in the changelog, when the same input gives other numbers than before."""

_JUDGED = (
    "endpoints", "outcome", "rules", "assays", "activities", "responses", "combinations",
    "reference",
)  # fmt: skip
"""The sections of a scenario that say what becomes of trajectories."""


def structure_digest(sweep: Sweep, structure: Structure) -> str:
    """What the numbers of a structure depend on, beside the numbers of its points."""
    plan, chosen = structure.plan, structure.chosen
    data = {
        "numerics": NUMERICS,
        "sbml": plan.sbml,
        "runs": [run_to_json(planned) for planned in plan.runs],
        "times": plan.times.tolist(),
        "columns": plan.columns,
        "axes": [(axis.name, axis.values) for axis in plan.axes],
        "engine": [chosen.engine, sweep.reproducible],
        "tolerances": [structure.tolerances.relative, structure.tolerances.absolute],
        "limits": [sweep.limits.steps, sweep.limits.seconds],
        "judged": _judged(structure.scenario),
        "inputs": plan.inputs,
        "select": structure.select,
        "kept": [sweep.endpoints, sweep.record],
    }
    return _digest(json.dumps(data, sort_keys=True, default=str).encode())


def chunk_key(
    names: Iterable[str], parts: Iterable[tuple[str, np.ndarray, Mapping[str, np.ndarray]]]
) -> str:
    """The key of a chunk.

    `parts` are the digest of each structure of the chunk, which of its points belong to it, and
    what differs from the model in these.
    """
    found: list[bytes] = [json.dumps([*names]).encode()]
    for digest, which, values in parts:
        found += [digest.encode(), which.astype("<i8").tobytes()]
        for name in sorted(values):
            array = np.ascontiguousarray(values[name], dtype="<f8")
            found += [name.encode(), array.tobytes()]
    return _digest(*found)


def _judged(scenario: Scenario) -> dict[str, Any]:
    sections = {*_JUDGED}
    return scenario.model_dump(mode="json", by_alias=True, include=sections, exclude_unset=True)


def _digest(*parts: bytes) -> str:
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()
