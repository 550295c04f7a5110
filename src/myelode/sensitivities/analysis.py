"""The public `sensitivity`: a sweep is run, or read where it has been, and analysed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xarray as xr

from myelode.engines.bulk import Progress
from myelode.sensitivities.finished import endpoints_of, kind_of, readings_of, sample_of
from myelode.sensitivities.methods import Method, method_for
from myelode.sensitivities.samples import Sample
from myelode.sensitivities.tables import indices_of
from myelode.sweeps.blocks import Layout
from myelode.sweeps.foreseen import warnings_of
from myelode.sweeps.layouts import ORIGIN
from myelode.sweeps.sections import Sweep, sweep_from_text
from myelode.sweeps.stores.store import Store, open_store
from myelode.sweeps.sweeping import finish, plan_for


def sensitivity(
    file: str | Path | Sweep,
    of: str | None = None,
    method: str | None = None,
    workers: int = 1,
    store: str | Path | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> xr.Dataset:
    """How far each parameter of a sweep moves its endpoints.

    Parameters
    ----------
    file : a shipped sweep or a sweep file, which is run; or the store of a sweep that is finished.
    of : one endpoint; all by default.
    method : ``elasticities``, ``morris``, ``sobol``, ``pawn`` or ``rbd``; by default the first that
        the design allows.
    workers : how many chunks of points are computed at once.
    store : where the points are kept; what is finished there is not computed again.
    progress : is called with the number of finished points and of all.
    warn : is called before the work begins with what does not hold, or has no effect, in a sweep.

    Returns
    -------
    Dataset along ``endpoint`` (each entry of each endpoint) and ``parameter``, largest first, with
    the indices of the method, whose definitions and units stand in their ``attrs``, and ``used``,
    the number of points behind them. ``attrs`` have ``method``, ``design``, ``points``, ``failed``,
    and in ``notes``, line by line, what to know of all this, and which entries are left out.

    Raises
    ------
    ScenarioError : among others for Sobol's indices where every entry has a point without a number,
        with the region of the parameters in which such points lie.
    """

    def accept(layout: Layout) -> tuple[Sweep, Method]:
        sweep = sweep_from_text(str(layout.attributes["sweep"]), _where(file))
        endpoints_of(layout, of)
        return sweep, method_for(kind_of(sweep.design), method, sweep.design.kind)

    with _finished(file, accept, workers, store, progress, warn) as (found, foreseen):
        sweep, chosen = accept(found.layout)
        sample = sample_of(sweep.design, found.layout, found.columns)
        readings = readings_of(found.layout, found.columns, of, sweep.endpoints)
    result, notes = indices_of(sample, readings, chosen)
    return result.assign_attrs(
        {**result.attrs, **_attributes(found.layout.attributes, sweep, sample, chosen)},
        notes="\n".join([*foreseen, *notes]),
    )


def _where(file: str | Path | Sweep) -> str:
    return file.where if isinstance(file, Sweep) else str(file)


@contextmanager
def _finished(
    file: str | Path | Sweep, accept: Callable[[Layout], object], workers: int,
    store: str | Path | None, progress: Progress | None, warn: Callable[[str], None] | None,
) -> Iterator[tuple[Store, list[str]]]:  # fmt: skip
    """The store of a sweep all of whose chunks are there, which may be gone afterwards.

    With it comes what was to be foreseen of the sweep, if it had to be planned. `accept` raises
    what can be known before the work.
    """
    if not isinstance(file, Sweep) and Path(file).is_dir():
        yield open_store(Path(file)), []
        return
    with _place(store) as path:
        plan = plan_for(file, path)
        accept(plan.layout)
        foreseen = []
        for text in warnings_of(plan):
            foreseen.append(text)
            if warn:
                warn(text)
        yield finish(plan, path, workers, progress), foreseen


@contextmanager
def _place(store: str | Path | None) -> Iterator[Path]:
    """The store that was asked for, or one that is deleted afterwards."""
    if store is not None:
        yield Path(store)
        return
    with TemporaryDirectory(prefix="myelode-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "points.zarr"


def _attributes(
    kept: Mapping[str, Any], sweep: Sweep, sample: Sample, method: Method
) -> dict[str, Any]:
    step = {"step": sample.options["step"]} if sample.kind == "elasticities" else {}
    return {
        **{name: kept[name] for name in (*ORIGIN, "title") if name in kept},
        "sweep": sweep.id,
        "scenario": str(json.loads(str(kept["scenario"]))["id"]),
        "method": method.name,
        "method_title": method.title,
        "design": sweep.design.kind,
        "points": sample.count,
        "failed": sample.failed,
        **step,
    }
