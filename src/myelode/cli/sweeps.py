"""`sweep plan|run|status|resume|retry`: a scenario at many points, in a store that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import print_summary
from myelode.cli.options import JsonOption, QuietOption
from myelode.cli.sweep_runs import SweepCommand
from myelode.errors import ScenarioError

if TYPE_CHECKING:
    from myelode.sweeps.plans import SweepPlan
    from myelode.sweeps.sections import Sweep
    from myelode.sweeps.stores.store import Store

FAILED, STORE_SUFFIX = 1, ".zarr"

SweepArgument = Annotated[
    str, typer.Argument(metavar="FILE|STORE", help="A shipped name, a sweep file, or a store.")
]
StoreOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="STORE", help="The store; ID.zarr without."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Chunks at once; one for each core."),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Every Nth chunk only, from chunk I (0 to N-1)."),
]
DaskOption = Annotated[
    str | None,
    typer.Option("--dask", metavar="WHERE", help="local, a scheduler's address, or a file."),
]


def plan_command(
    sweep: SweepArgument, quiet: QuietOption = False, as_json: JsonOption = False
) -> None:
    """Measure on some points what all of a sweep will take."""
    from myelode.cli.sweep_reports import cost_lines, summarise_costs
    from myelode.sweeps.costs import measure_costs

    plan, _ = plan_and_store(sweep, None)
    summary = summarise_costs(plan, measure_costs(plan))
    print_summary(summary, cost_lines(summary), quiet, as_json)


def run_command(
    sweep: SweepArgument,
    output: StoreOption = None,
    workers: WorkersOption = None,
    shard: ShardOption = None,
    dask: DaskOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compute the points of a sweep that its store does not have.

    A sweep may be stopped, or killed, at any time: run it again, and it goes on. Points that fail
    are in the store's ledger. Exit code 1: all points failed; 130: interrupted.
    """
    plan, path = plan_and_store(sweep, output)
    command = SweepCommand(plan, path, workers, quiet)
    _answer(command.compute_missing(shard or "", dask), quiet, as_json)


def resume_command(
    sweep: SweepArgument,
    output: StoreOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compute the points that are missing in a store."""
    require_store(sweep, output)
    run_command(sweep, output, workers, None, dask, quiet, as_json)


def retry_command(
    sweep: SweepArgument,
    status: Annotated[
        str,
        typer.Option(
            "--status",
            metavar="WORD",
            help="failed, gave_up, crashed, refused, or words of the reason.",
        ),
    ],
    rtol: Annotated[
        float | None,
        typer.Option("--rtol", metavar="X", help="At this relative tolerance, 1e-9 for example."),
    ] = None,
    output: StoreOption = None,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compute points again that failed, and no others."""
    if rtol is not None and not 0 < rtol < 1:
        raise ScenarioError(f"--rtol {rtol:g}: must lie between 0 and 1")
    require_store(sweep, output)
    plan, path = plan_and_store(sweep, output)
    command = SweepCommand(plan, path, workers, quiet)
    _answer(command.compute_again(status, rtol), quiet, as_json)


def _answer(summary: dict[str, Any], quiet: bool, as_json: bool) -> None:
    """Print what a run has come to; points that failed are its result, unless all did."""
    from myelode.cli.sweep_reports import report_store

    print_summary(summary, report_store(summary), quiet, as_json)
    if summary["failed"] and not summary["done"] and not summary["missing"]:
        raise typer.Exit(FAILED)


def status_command(
    sweep: SweepArgument,
    output: StoreOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say how many points of a store are done, failed and missing; why; how fast it goes."""
    from myelode.cli.sweep_reports import report_store, summarise_store
    from myelode.sweeps.backends.local import outdated
    from myelode.sweeps.stores.ledgers import read_ledger

    store, plan = opened(sweep, output)
    more: dict[str, Any] = {}
    if plan is not None:
        more["chunks_older"] = len(outdated(plan, store, range(store.layout.chunks)))
    more["writer"] = store.locks.who_writes()
    if more["writer"]:
        more["remaining_seconds"] = read_ledger(store).remaining_seconds
    summary = summarise_store(store, **more)
    print_summary(summary, report_store(summary), quiet, as_json)


def is_store(source: str) -> bool:
    """Whether that is the path of a folder: sweep files are none."""
    return Path(source).is_dir()


def require_store(source: str, output: Path | None = None) -> Path:
    """The path of a store that is there: itself, or that of a sweep file or of a shipped sweep.

    Raises ScenarioError, with the store that was looked for and how it comes to be, without one.
    """
    from myelode.sweeps.sections import load_sweep

    if is_store(source):
        return Path(source)
    if Path(source).suffix == STORE_SUFFIX:
        raise ScenarioError(f"{source}: there is no such store")
    path = output or _usual_store(load_sweep(source))
    if not path.exists():
        command = f"myelode sweep run {source}" + (f" -o {output}" if output else "")
        raise ScenarioError(f"{path}: there is no such store: first, {command}")
    return path


def opened(source: str, output: Path | None = None) -> tuple[Store, SweepPlan | None]:
    """A store, and the plan of the sweep where it was found by that.

    Raises ScenarioError where there is none, or one of another sweep.
    """
    from myelode.sweeps.stores.store import open_store, require_same_sweep

    path = require_store(source, output)
    if is_store(source):
        return open_store(path), None
    plan, _ = plan_and_store(source, output)
    store = open_store(path)
    require_same_sweep(store, plan.layout)
    return store, plan


def _usual_store(sweep: Sweep) -> Path:
    """Where the store of a sweep is, unless another is named."""
    return Path(f"{sweep.id}{STORE_SUFFIX}")


def plan_and_store(source: str, output: Path | None) -> tuple[SweepPlan, Path]:
    """The plan of a sweep file or of a store, and where the store is, or is to be."""
    from myelode.sweeps.plans import plan_again
    from myelode.sweeps.sections import load_sweep
    from myelode.sweeps.stores.store import open_store
    from myelode.sweeps.sweeping import plan_for

    if not is_store(source):
        sweep = load_sweep(source)
        path = output or _usual_store(sweep)
        return plan_for(sweep, path), path
    if output is not None:
        raise ScenarioError(f"{source}: is a store already: -o is for sweep files")
    return plan_again(open_store(Path(source)).document), Path(source)


COMMANDS = (
    ("plan", plan_command, "myelode sweep plan my_sweep.yaml"),
    ("run", run_command, "myelode sweep run my_sweep.yaml -o my_sweep.zarr --workers 4"),
    ("status", status_command, "myelode sweep status my_sweep.zarr"),
    ("resume", resume_command, "myelode sweep resume my_sweep.zarr"),
    (
        "retry",
        retry_command,
        "myelode sweep retry my_sweep.zarr --status gave_up --rtol 1e-4",
    ),
)
