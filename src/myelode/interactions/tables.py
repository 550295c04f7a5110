"""Everything that is known of a checkerboard, as a dataset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelode.datasets import NOTICE
from myelode.dose_ladders import LADDERS, ladder_of
from myelode.interactions.boards import Board
from myelode.interactions.indices import bliss_excess, hsa_excess
from myelode.interactions.layouts import Frame
from myelode.interactions.searches import Indices, Levels, index_levels, index_sham, index_wells
from myelode.interactions.verdicts import judge
from myelode.interactions.wells import Wells
from myelode.model import Model
from myelode.plan import Planner
from myelode.provenance import clinical_context, evidence_of
from myelode.scenario import Scenario


def tabulate(board: Board, levels: Sequence[float]) -> xr.Dataset:
    """All indices, excesses and verdicts of a board."""
    wells, agents = board.wells, agents_of(board.wells)
    indices = index_wells(board, agents)
    ranked = index_levels(board, levels, agents)
    first = Indices(*(item[..., 0] for item in vars(ranked.indices).values()))
    drawn = {
        "effect": 1 - board.shares,
        "combination_index": _framed(indices.index),
        "combination_index_limit": _framed(indices.limit),
        **_excesses(board.shares),
        **_of_levels(ranked),
    }
    told = {
        "undefined": _framed(indices.why[wells.typical]),
        **{name: _framed(item) for name, item in _verdicts(indices, wells, "").items()},
        **_verdicts(first, wells, "level_"),
        **_loewe(board),
        "sham_combination_index": index_sham(board),
    }
    dataset = Frame(board, agents, levels).dataset(drawn, told)
    dataset.attrs = _attributes(board)
    return dataset


def agents_of(wells: Wells) -> tuple[str, str]:
    """What the two agents are called."""
    scenario = wells.planner.scenario
    first, second = (
        axis.dosed or str(ladder_of(scenario, name))
        for name, axis in zip(LADDERS, wells.ladders, strict=True)
    )
    return (first, second) if first != second else (f"{first} (dose)", f"{second} (dose2)")


def _excesses(shares: np.ndarray) -> dict[str, np.ndarray]:
    first = np.broadcast_to(shares[:, :, :1], shares.shape)
    second = np.broadcast_to(shares[:, :1, :], shares.shape)
    return {
        "bliss_excess": bliss_excess(first, second, shares),
        "hsa_excess": hsa_excess(first, second, shares),
    }


def _loewe(board: Board) -> dict[str, np.ndarray]:
    """Expected effect and excess of the typical cases; NaN where no index is possible."""
    typical, shape = board.wells.typical, board.shares.shape[1:]
    first, second = (np.array(axis.values[1:]) for axis in board.axes)
    doses, doses2 = (part.ravel() for part in np.meshgrid(first, second, indexing="ij"))
    cases = np.repeat(typical, doses.size)
    many = len(typical)
    flat = board.expected(cases, np.tile(doses, many), np.tile(doses2, many))
    expected = _framed(flat.reshape(many, shape[0] - 1, shape[1] - 1))
    return {
        "loewe_effect": expected,
        "loewe_excess": 1 - board.shares[typical] - expected,
    }


def _framed(inner: np.ndarray) -> np.ndarray:
    """Wells with both agents in a board with those of one agent, which have no index."""
    fill: Any = "" if inner.dtype == object else np.nan
    whole = np.full((inner.shape[0], inner.shape[1] + 1, inner.shape[2] + 1), fill, inner.dtype)
    whole[:, 1:, 1:] = inner
    return whole


def _verdicts(indices: Indices, wells: Wells, prefix: str) -> dict[str, np.ndarray]:
    """Calls, reasons and intervals, judged over the draws of each treatment."""
    shape = (len(wells.treatments), *indices.index.shape[1:])
    kinds: dict[str, Any] = {"call": object, "reason": object, "low": float, "high": float}
    found = {prefix + name: np.empty(shape, kind) for name, kind in kinds.items()}
    for at in np.ndindex(*shape):
        first = at[0] * len(wells.draws)
        over = indices.index[(slice(first, first + len(wells.draws)), *at[1:])]
        verdict = judge(over, str(indices.why[(first, *at[1:])]))
        for name, values in found.items():
            values[at] = getattr(verdict, name.removeprefix(prefix))
    return found


def _of_levels(found: Levels) -> dict[str, np.ndarray]:
    return {
        "level_index": found.indices.index, "level_limit": found.indices.limit,
        "level_undefined": found.indices.why, "alone": found.alone[0], "alone2": found.alone[1],
        "mixed": found.mixed[0], "mixed2": found.mixed[1],
    }  # fmt: skip


def _attributes(board: Board) -> dict[str, Any]:
    """What the numbers are, and what they rest on."""
    wells = board.wells
    planner, read = wells.planner, wells.read
    model: Model = planner.model
    typical = Planner(_without_draws(planner.scenario), model, planner.inputs, {}).plan()
    return {
        "scenario": planner.scenario.id, "title": planner.scenario.title, "model": model.name,
        "variant": model.variant, "model_sha256": model.digest, "engine": wells.engine,
        "engine_because": wells.because, "of": str(read.of), "read_at": str(read.at),
        "definition": _definition(model, str(read.of), read.at),
        "bracket": board.bracket, "ratio": board.ratio, "runs": wells.done,
        "failed_runs": wells.failed, "draws": len(wells.draws),
        "perturbation_titles": json.dumps(
            {name: item.title for name, item in planner.perturbations.items() if item.title}
        ),
        "notice": NOTICE, **evidence_of(typical), **clinical_context(typical),
    }  # fmt: skip


def _definition(model: Model, of: str, at: object) -> str:
    return f"effect = 1 - {model.label_of(of)} at {at} over that without either agent"


def _without_draws(scenario: Scenario) -> Scenario:
    none = {"lines": None, "patients": None, "uncertainty": None}
    return scenario.model_copy(update={"design": scenario.design.model_copy(update=none)})
