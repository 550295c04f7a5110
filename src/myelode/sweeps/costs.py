"""What a sweep will take, measured on some of its points before hours are spent on all."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from myelode.sweeps.apart import apart
from myelode.sweeps.blocks import DONE, LEDGER_NAMES, Block
from myelode.sweeps.plans import SweepPlan

ENOUGH = 2.0
"""Seconds after which a measurement is believed."""
FEWEST, MOST = 8, 4096
"""Points of the first measurement, and of the last."""
MOVES = 4
"""To how many other values an axis is moved, to see whether it changes anything."""
COPIES = 4
"""How often the trajectories of a chunk stand in memory while they are evaluated."""


@dataclass(frozen=True)
class Costs:
    """What a sweep takes.

    Attributes
    ----------
    us_per_point : microseconds of one processor core, measured.
    measured : points on which that was measured.
    core_hours, gigabytes : of all points; what is stored is smaller, as it is compressed.
    memory_gigabytes : of one worker.
    idle : axes that change nothing of what is kept.
    failed : how many of the measured points failed.
    """

    points: int
    us_per_point: float
    measured: int
    core_hours: float
    gigabytes: float
    memory_gigabytes: float
    idle: tuple[str, ...]
    failed: int


def measure_costs(plan: SweepPlan, seconds: float = ENOUGH) -> Costs:
    """What a sweep takes, by running points spread over the whole design for some seconds.

    Raises ScenarioError where they kill the process in which they run, which is not this one.
    """
    if plan.is_threaded:
        return Costs(**costs_of(plan, seconds))
    found = apart(plan, f"{__name__}:{costs_of.__name__}", seconds=seconds)
    return Costs(**{**found, "idle": tuple(found["idle"])})


def costs_of(plan: SweepPlan, seconds: float) -> dict[str, Any]:
    """What a sweep takes, measured in this process."""
    plan.compute_points(_spread(plan.points, FEWEST))  # whatever is compiled, is compiled now
    count, block, taken = _measured(plan, seconds)
    per_point = taken / count
    return asdict(
        Costs(
            points=plan.points,
            us_per_point=1e6 * per_point,
            measured=count,
            core_hours=plan.points * per_point / 3600,
            gigabytes=plan.points * plan.layout.bytes_per_point / 1e9,
            memory_gigabytes=_memory(plan) / 1e9,
            idle=tuple(idle_of(plan)),
            failed=int((block["status"] != DONE).sum()),
        )
    )


def _measured(plan: SweepPlan, seconds: float) -> tuple[int, Block, float]:
    """How many points were run, what they gave, and how long they took together."""
    count = FEWEST
    while True:
        numbers = _spread(plan.points, count)
        started = perf_counter()
        block = plan.compute_points(numbers)
        taken = perf_counter() - started
        if taken > seconds / 2 or len(numbers) >= min(plan.points, MOST):
            return len(numbers), block, taken
        count = min(MOST, max(2 * count, int(count * seconds / max(taken, 1e-3) / 2)))


def _spread(points: int, count: int) -> np.ndarray:
    """So many points, evenly spread over all."""
    return np.unique(np.linspace(0, points - 1, min(count, points)).astype(np.int64))


def _memory(plan: SweepPlan) -> float:
    """Bytes that a worker takes: what it took so far, a chunk, and the trajectories of a part."""
    so_far = 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    chunk = plan.layout.bytes_per_point * min(plan.layout.chunk, plan.points)
    return so_far + chunk + COPIES * plan.slab_bytes


def idle_axes(plan: SweepPlan) -> list[str]:
    """The axes of which some values give the same results, at several points of the design.

    Raises ScenarioError where such points kill the process in which they run.
    """
    return idle_of(plan) if plan.is_threaded else apart(plan, f"{__name__}:{idle_of.__name__}")


def idle_of(plan: SweepPlan) -> list[str]:
    """The axes without effect, found in this process."""
    others = plan.columns(_spread(plan.points, MOST))
    around = [{name: values[at] for name, values in others.items()} for at in (0, -1)]
    around.append({name: values[len(values) // 2] for name, values in others.items()})
    moves = {name: _distinct(others[name])[:MOVES] for name in plan.axes}
    return [
        name
        for name, values in moves.items()
        if len(values) > 1 and all(_is_idle(plan, name, values, point) for point in around)
    ]


def _is_idle(plan: SweepPlan, name: str, values: np.ndarray, point: Mapping[str, Any]) -> bool:
    """Whether values of an axis give the same results at a point."""
    columns = {
        other: np.full(len(values), point[other], dtype=object if axis.is_place else float)
        for other, axis in plan.axes.items()
    }
    same = np.zeros(len(values), dtype=np.int64)  # so that no assay's noise tells them apart
    return _are_alike(plan.compute_at({**columns, name: values}, same), plan.axes)


def _distinct(values: np.ndarray) -> np.ndarray:
    """The first value, the last, and some others, each once."""
    found = list(dict.fromkeys(values.tolist()))
    some = list(dict.fromkeys([found[0], found[-1], *found[1 :: max(1, len(found) // MOVES)]]))
    array = np.empty(len(some), dtype=values.dtype)
    array[:] = some
    return array


def _are_alike(block: Block, axes: Mapping[str, object]) -> bool:
    """Whether all points of a block have the same results, and at least one has any."""
    beside = LEDGER_NAMES | {*axes}
    results = [values for name, values in block.items() if name not in beside]
    is_done = block["status"] == DONE
    return bool(is_done.all()) and all(_same(values) for values in results)


def _same(values: np.ndarray) -> bool:
    return all(np.array_equal(values[0], other, equal_nan=True) for other in values[1:])
