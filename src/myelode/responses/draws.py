"""All runs of a plan, with a ledger of the draws of uncertain numbers that failed."""

from __future__ import annotations

from typing import Any

import xarray as xr

from myelode.datasets import plan_dataset
from myelode.engines import Tolerances
from myelode.engines.bulk import Progress
from myelode.errors import SimulationError
from myelode.plan import Plan, PlannedRun
from myelode.simulation import failed_runs, run_plan


def simulate_draws(
    plan: Plan, engine: str, tolerances: Tolerances, progress: Progress | None = None
) -> tuple[xr.Dataset, list[dict[str, Any]]]:
    """As `myelode.simulation.simulate_plan`, and which draws failed: where, when and why."""
    values, ran = run_plan(plan, engine, tolerances, progress)
    ledger = [_entry(plan, *failed) for failed in failed_runs(plan, ran)]
    return plan_dataset(plan, values, ran, tolerances), ledger


def _entry(plan: Plan, planned: PlannedRun, error: SimulationError) -> dict[str, Any]:
    """Where a run stands on the axes of its plan, and why and when it failed."""
    place = {axis.name: axis.values[at] for axis, at in zip(plan.axes, planned.place, strict=True)}
    return {**place, "time": error.time, "reason": error.reason}
