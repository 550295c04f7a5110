"""Commands that write to the store of a sweep: they show how it gets on, and can be stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from myelode.cli.sweep_progress import Pace
    from myelode.sweeps.backends.jobs import Finished
    from myelode.sweeps.backends.local import Stop
    from myelode.sweeps.plans import SweepPlan
    from myelode.sweeps.stores.store import Store

INTERRUPTED = 130

Compute = Callable[["Callable[[Finished], None]", "Stop"], Sequence[int]]
"""What computes something, tells of it, and stops; gives the chunks that others have in hand."""


class InterruptionError(Exception):
    """The user has stopped a sweep; what was finished is stored.

    Attributes
    ----------
    summary : what has become of the points by now.
    is_hurried : the user has said so twice: chunks in hand are not waited for.
    """

    def __init__(self, message: str, summary: dict[str, Any], is_hurried: bool):
        super().__init__(message)
        self.summary = summary
        self.is_hurried = is_hurried

    def leave(self) -> int:
        """The exit code; in a hurry, leave at once, for Python itself would wait for threads."""
        if self.is_hurried:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        return INTERRUPTED


class SweepCommand:
    """One command that writes to a store.

    Parameters
    ----------
    workers : how many chunks are computed at once; one for each core without.
    """

    def __init__(self, plan: SweepPlan, path: Path, workers: int | None, quiet: bool):
        self._plan, self._path = plan, path
        self._workers, self._quiet = workers, quiet

    def compute_missing(self, shard: str, dask: str | None) -> dict[str, Any]:
        """Compute the chunks that are missing; what has become of the points then."""
        from myelode.cli.sweep_progress import Pace
        from myelode.sweeps.backends.running import run_missing, writing

        with writing(self._plan, self._path, shard) as run:
            pace = Pace(run.points(run.numbers), run.points(run.there))
            found = {"chunks": len(run.numbers), "chunks_there": len(run.there)}
            found["chunks_older"] = len(run.older)
            if not run.there and not shard:
                self._warn()

            def compute(report: Callable[[Finished], None], stop: Stop) -> Sequence[int]:
                return run_missing(run, self._workers, report, stop, dask)

            return self._watched(run.store, pace, compute, found)

    def compute_again(self, status: str, rtol: float | None) -> dict[str, Any]:
        """Compute points again that failed; what has become of the points then."""
        from myelode.cli.sweep_progress import Pace
        from myelode.sweeps.backends.running import failed_points, run_again, writing

        with writing(self._plan, self._path, is_retry=True) as run:
            points = failed_points(run, status)
            pace = Pace(sum(map(len, points.values())))

            def compute(report: Callable[[Finished], None], stop: Stop) -> Sequence[int]:
                run_again(run, points, rtol, self._workers, report, stop)
                return ()

            return self._watched(run.store, pace, compute, {"retried": pace.total})

    def _watched(
        self, store: Store, pace: Pace, compute: Compute, found: dict[str, Any]
    ) -> dict[str, Any]:
        """Compute, show how it gets on, and sum up; `InterruptionError` if the user stops it."""
        from myelode.cli.sweep_progress import showing
        from myelode.sweeps.backends.local import Stop

        self._warn_of_locks(store)
        stop, is_hurried = Stop(_tell_stop), False
        elsewhere: Sequence[int] = ()
        try:
            with stop.listening(), showing(self._plan.sweep.id, pace, not self._quiet) as report:
                elsewhere = compute(report, stop)
        except KeyboardInterrupt:
            is_hurried = True
        found["chunks_elsewhere"] = len(elsewhere)
        summary = self._summary(store, pace, found)
        if is_hurried or (stop.is_asked and summary["missing"]):
            raise InterruptionError(_how_to_go_on(summary), summary, is_hurried)
        return summary

    def _summary(self, store: Store, pace: Pace, found: dict[str, Any]) -> dict[str, Any]:
        from myelode.cli.sweep_reports import summarise_store

        more = {"computed": pace.computed, "elapsed_seconds": pace.seconds}
        return summarise_store(store, **found, **more)

    def _warn(self) -> None:
        """Say what does not hold, and which axes change nothing, before the work is done."""
        from myelode.cli.sweep_reports import warn
        from myelode.sweeps.foreseen import warnings_of

        for text in () if self._quiet else warnings_of(self._plan):
            warn(text)

    def _warn_of_locks(self, store: Store) -> None:
        from myelode.cli.sweep_reports import warn

        if not store.locks.are_kept and not self._quiet:
            warn(f"{store.path}: this file system keeps no locks: let nobody else write")


def _tell_stop() -> None:
    """A signal may come in the middle of a line: no buffer is used."""
    os.write(2, b"\nfinishing the chunks in hand; once more, and they are dropped\n")


def _how_to_go_on(summary: dict[str, Any]) -> str:
    there = summary["points"] - summary["missing"]
    return (
        f"interrupted: {there:,} of {summary['points']:,} points are stored; "
        f"the rest: myelode sweep resume {summary['files']['store']}"
    )
