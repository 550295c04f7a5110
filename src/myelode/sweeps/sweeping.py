"""A sweep from Python: its points in one dataset, in memory or in a store."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.sweeps.backends.jobs import Finished
from myelode.sweeps.backends.local import Stop
from myelode.sweeps.backends.running import run_missing, writing
from myelode.sweeps.blocks import Block, Layout, joined
from myelode.sweeps.plans import SweepPlan, plan_sweep
from myelode.sweeps.sections import Sweep, load_sweep
from myelode.sweeps.stores.store import Store, open_store


def sweep(
    source: str | Path | Sweep,
    store: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    dask: str | None = None,
) -> xr.Dataset:
    """A scenario at many points.

    Parameters
    ----------
    source : the name of a shipped sweep, or a sweep file.
    store : a folder that keeps every chunk as soon as it is finished, and that a sweep which was
        stopped goes on from; without it all stays in memory.
    workers : chunks that are computed at once. Numbers do not depend on it.
    progress : is called with the points that are done, and how many there are.
    dask : where Dask computes the chunks of a store: ``local``, the address of a scheduler, or a
        file that describes a cluster.

    Returns
    -------
    Dataset with one variable per endpoint along ``sample`` and the dimensions of the scenario. The
    axes are coordinates; ``status``, ``reason``, ``time_reached``, ``steps``, ``seconds`` and
    ``rtol`` say what became of each point. An endpoint that needs a run which
    failed is NaN.

    Raises
    ------
    ScenarioError, ModelError, UnsupportedModelError.
    """
    if store is None:
        if dask is not None:
            raise ScenarioError(f"dask {dask!r} writes to a store: name one")
        return _in_memory(plan_sweep(source), workers, progress)
    path = Path(store)
    finish(plan_for(source, path), path, workers, progress, dask)
    found: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None)
    return found


def plan_for(source: str | Path | Sweep, store: Path) -> SweepPlan:
    """The plan of a sweep, in chunks of the size that its store has, if there is one already.

    Raises ScenarioError or ModelError.
    """
    wanted = source if isinstance(source, Sweep) else load_sweep(source)
    has_own = wanted.chunk is not None or not store.exists()
    return plan_sweep(wanted, None if has_own else open_store(store).layout.chunk)


def _in_memory(plan: SweepPlan, workers: int, progress: Progress | None) -> xr.Dataset:
    blocks: list[Block] = []
    for number in range(plan.layout.chunks):
        blocks.append(plan.compute(number, workers))
        if progress:
            progress(plan.layout.bounds(number)[1], plan.points)
    return as_dataset(plan.layout, joined(blocks))


def finish(
    plan: SweepPlan,
    path: Path,
    workers: int,
    progress: Progress | None = None,
    dask: str | None = None,
) -> Store:
    """The store at a path, new or already begun, once nothing is missing in it.

    Raises ScenarioError if it cannot be written, or is that of another sweep.
    """
    with writing(plan, path) as run:
        done = run.points(run.there)

        def report(chunk: Finished) -> None:
            nonlocal done
            done += chunk.points
            if progress:
                progress(done, plan.points)

        run_missing(run, workers, report, Stop(), dask)
        return run.store


def as_dataset(layout: Layout, block: Block) -> xr.Dataset:
    """The points of a block with their names, dimensions and units."""
    variables = {
        item.name: (("sample", *item.dims), block[item.name], dict(item.attributes))
        for item in layout.variables
    }
    shared = {name: (d, values, dict(more)) for name, (d, values, more) in layout.fixed.items()}
    found = xr.Dataset(variables, attrs=dict(layout.attributes))
    return found.assign_coords(shared).set_coords([item.name for item in layout.axes])
