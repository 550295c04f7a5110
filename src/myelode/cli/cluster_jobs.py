"""`sweep submit`: a sweep as jobs of a batch system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import print_summary
from myelode.cli.options import JsonOption, QuietOption
from myelode.cli.sweep_progress import duration
from myelode.cli.sweeps import StoreOption, SweepArgument, plan_and_store
from myelode.errors import ScenarioError

if TYPE_CHECKING:
    from myelode.sweeps.backends.running import Run
    from myelode.sweeps.backends.slurm_scripts import Request, Tasks
    from myelode.sweeps.plans import SweepPlan

LONG = 7200.0
"""Seconds that a chunk takes of which a task should have many."""


def submit_command(
    sweep: SweepArgument,
    output: StoreOption = None,
    slurm: Annotated[bool, typer.Option("--slurm", help="As an array job of SLURM.")] = False,
    tasks: Annotated[
        int | None,
        typer.Option("--tasks", metavar="N", min=1, help="How many; of 5 min and more without."),
    ] = None,
    throttle: Annotated[
        int | None, typer.Option("--throttle", metavar="N", min=1, help="At most N run at once.")
    ] = None,
    cores: Annotated[int, typer.Option("--cores", metavar="N", min=1, help="Of each task.")] = 1,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="TIME", help="Of each task, 2:00:00 for example."),
    ] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="Of each task, 4G for example.")
    ] = None,
    partition: Annotated[str | None, typer.Option("--partition", metavar="NAME")] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME")] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option("--sbatch", metavar="OPTION", help="Any other, --qos=long; repeat for more."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write store and scripts, and submit nothing.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Submit the points that a store does not have as an array job, and a job that sums up.

    After tasks were killed, or ran out of time, the same command submits what is missing then.
    """
    if not slurm:
        raise ScenarioError(
            "--slurm is missing: other batch systems call `myelode sweep run STORE --shard I/N`"
        )
    from myelode.sweeps.backends.slurm_scripts import Request

    more = sbatch or ()
    request = Request(tasks, throttle, time, memory, partition, account, cores, more)
    summary = _submitted(sweep, output, request, dry_run)
    print_summary(summary, submission_lines(summary), quiet, as_json)


def _submitted(sweep: str, output: Path | None, request: Request, dry_run: bool) -> dict[str, Any]:
    """Share out what is missing, write the scripts, and submit them; what was done."""
    from myelode.sweeps.backends.running import writing
    from myelode.sweeps.backends.slurm_scripts import write_scripts
    from myelode.sweeps.backends.with_slurm import require_idle, submit

    plan, path = plan_and_store(sweep, output)
    require_idle(path)
    with writing(plan, path) as run:
        summary = {"sweep": plan.sweep.id, "points": plan.points, "missing": run.points(run.todo)}
        files = {"store": str(run.store.path)}
        if not run.todo:
            return {**summary, "tasks": 0, "job": None, "summary_job": None, "files": files}
        tasks = _shared(run, plan, request)
    scripts = write_scripts(path, tasks, request)
    jobs = (None, None) if dry_run else submit(*scripts)
    files |= {"array": str(scripts[0]), "summary": str(scripts[1]), "logs": str(scripts[0].parent)}
    found = {
        "tasks": len(tasks.numbers),
        "array": tasks.text,
        "shards": tasks.count,
        "chunks_per_task": tasks.chunks,
        "chunks_at_once": 1 if plan.is_threaded else request.cores,
        "seconds_per_task": tasks.seconds,
    }
    return {**summary, **found, "job": jobs[0], "summary_job": jobs[1], "files": files}


def _shared(run: Run, plan: SweepPlan, request: Request) -> Tasks:
    """The tasks of a run, by what a chunk takes here."""
    from myelode.sweeps.backends.with_slurm import Pace, largest_array, share
    from myelode.sweeps.costs import measure_costs

    costs = measure_costs(plan)
    seconds = 1e-6 * costs.us_per_point * run.store.layout.chunk
    pace = Pace(seconds, request.cores, plan.is_threaded)
    return share(run.todo, pace, request, largest_array())


def submission_lines(summary: dict[str, Any]) -> Iterator[str]:
    """What was submitted, and what to do next."""
    files, job = summary["files"], summary["job"]
    store = files["store"]
    if not summary["tasks"]:
        yield f"All {summary['points']:,} points are in {store}: there is nothing to submit."
        return
    yield (
        f"{summary['missing']:,} of {summary['points']:,} points are missing: "
        f"{_counted(summary['tasks'], 'task')} of at most "
        f"{_counted(summary['chunks_per_task'], 'chunk')}, "
        f"about {duration(summary['seconds_per_task'])} each."
    )
    is_one = summary["chunks_per_task"] <= summary["chunks_at_once"]
    if is_one and summary["seconds_per_task"] > LONG:
        yield "That is one chunk: with a smaller `chunk` in the sweep file there are more tasks."
    if job is None:
        yield "Nothing was submitted. To do so:"
        yield f"  sbatch {files['array']}"
        yield f"  sbatch --dependency=afterany:JOB {files['summary']}"
        return
    yield f"Submitted: job {job}, and {summary['summary_job']}, which sums up."
    yield f"Logs: {files['logs']}"
    yield f"  squeue --jobs {job}                     what runs"
    yield f"  myelode sweep status {store}            what is done"
    yield f"  myelode sweep submit {store} --slurm    again, if tasks were killed"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


COMMANDS = (
    (
        "submit",
        submit_command,
        "myelode sweep submit my_sweep.yaml -o my_sweep.zarr --slurm --throttle 50",
    ),
)
