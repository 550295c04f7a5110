"""Worker processes: one that dies is replaced, and the points that killed it are marked.

A chunk whose worker has died is tried once more: a process may be killed for reasons of its own.
If that one dies too, the chunk is cut in halves again and again, once all other chunks are there,
until each point that kills its process twice is known; all others are computed. Only deaths count:
an error in Python is a fault of ours, and is raised.

Where nothing but deaths is seen, points from all over the sweep are tried, and one that has been
computed before, if there is one: if none of them survives, the sweep is given up.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.backends import culprits
from myelode.sweeps.backends.jobs import Finished, Job, Plan, with_key, write
from myelode.sweeps.backends.processes import Worker
from myelode.sweeps.backends.suspects import Agenda, Suspect, Task
from myelode.sweeps.blocks import CRASHED, MISSING, Block
from myelode.sweeps.stores.store import Store

PATIENCE = 0.5
"""Seconds between two looks at whether the user wants to stop."""

TRIES = 2
"""How often a chunk, or a point alone, may kill its process before something else is done."""

FEWEST_STARTS = 5
"""After how many workers that die before they are ready no more are started."""

DOUBTFUL = 4
"""After how many deaths, and nothing else, points from all over the sweep are tried."""

HOPELESS = 16
"""How many these are; smaller sweeps are never given up, for all points are tried soon."""


class Hope:
    """Whether any point survives, wherever it lies: else a sweep is given up.

    Attributes
    ----------
    is_sure : something has been computed.
    """

    def __init__(self, store: Store):
        self._store = store
        self.is_sure = False
        self._deaths = self._lost = 0
        self._tried: list[int] = []
        self._code = 0

    def after_death(self, is_probe: bool, code: int) -> list[int]:
        """A process has died; gives the points that are to be tried now, if it is time."""
        self._code = code
        self._deaths += 1
        self._lost += is_probe
        is_small = self._store.layout.count < HOPELESS
        if self.is_sure or self._tried or is_small or self._deaths < DOUBTFUL:
            return []
        self._tried = [*_everywhere(self._store.layout.count), *_innocent(self._store)]
        return self._tried

    @property
    def is_lost(self) -> bool:
        """Whether all that was tried has died, and nothing has been computed."""
        return bool(self._tried) and self._lost >= len(self._tried) and not self.is_sure

    def require(self) -> None:
        """Raise ScenarioError if none is left."""
        if self.is_lost:
            raise ScenarioError(
                f"whatever point is computed, the process {cause_of_death(self._code)}: "
                f"{len(self._tried)} from all over the sweep were tried"
            )


def _everywhere(count: int) -> list[int]:
    """Points from all over a sweep, others each time: who resumes is to learn something new."""
    shift = random.random()  # which points are tried changes no number
    return [int((place + shift) * count / HOPELESS) for place in range(HOPELESS)]


def _innocent(store: Store) -> list[int]:
    """A point that has been computed before, if there is one."""
    for number in range(store.layout.chunks):
        status = store.column("status", number)
        survived = np.flatnonzero((status != CRASHED) & (status != MISSING))
        if survived.size:
            return [store.layout.bounds(number)[0] + int(survived[0])]
    return []


class Crew:
    """Some workers, and what there is to do.

    Parameters
    ----------
    stopped : whether the user wants no more chunks to be begun.
    """

    def __init__(
        self, plan: Plan, store: Store, planner: str, report: Callable[[Finished], None],
        stopped: Callable[[], bool],
    ):  # fmt: skip
        self._plan, self._store, self._planner = plan, store, planner
        self._report, self._stopped = report, stopped
        self._agenda = Agenda(())
        self._workers: list[Worker] = []
        self._in_hand: dict[Worker, Task] = {}
        self._false_starts = 0
        self._hope = Hope(store)

    def run(self, jobs: Sequence[Job], workers: int) -> None:
        """Do all jobs; raises what a worker raises."""
        self._agenda = Agenda(jobs)
        try:
            while self._is_busy():
                self._hire(workers)
                self._give_tasks()
                for connection in wait([w.connection for w in self._workers], PATIENCE):
                    self._hear(next(w for w in self._workers if w.connection is connection))
                if not self._in_hand:
                    self._hope.require()
        finally:
            for worker in self._workers:
                worker.end()

    def _is_busy(self) -> bool:
        return bool(self._in_hand) or (bool(self._agenda) and not self._stopped())

    def _hire(self, workers: int) -> None:
        wanted = min(workers, len(self._agenda) + len(self._in_hand))
        while len(self._workers) < wanted and not self._stopped():
            self._workers.append(Worker(self._store.path, self._planner))

    def _give_tasks(self) -> None:
        for worker in self._workers:
            is_free = worker.is_ready and worker not in self._in_hand
            if is_free and self._agenda and not self._stopped() and not self._hope.is_lost:
                task = self._in_hand[worker] = self._agenda.next()
                if not task.goes_home:
                    task.job = with_key(self._plan, task.job)
                # If it has died, its end of the pipe says so when it is read.
                with suppress(BrokenPipeError):
                    worker.connection.send((task.job, task.goes_home))

    def _hear(self, worker: Worker) -> None:
        try:
            kind, answer = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if kind == "error":
            raise answer
        if kind == "fault":
            raise RuntimeError(f"in a worker process:\n{answer}")
        worker.is_ready, self._false_starts = True, 0
        task = self._in_hand.pop(worker, None)
        if task is not None:
            self._note(task, answer)

    def _note(self, task: Task, answer: Any) -> None:
        """A task has come to its end."""
        if task.goes_home or answer.points:
            self._hope.is_sure = True
            self._agenda.drop_probes()
        if task.suspect is not None:
            task.suspect.blocks[task.points] = answer
            self._write_if_known(task.suspect)
        elif not task.is_probe:
            culprits.forget(self._store, task.job.number)
            self._report(answer)

    def _write_if_known(self, suspect: Suspect) -> None:
        """Write a chunk if all of its points are known."""
        if not suspect.is_known:
            return
        block = suspect.whole(self._crashed(suspect))
        with self._store.locks.chunk(suspect.job.number) as is_held:
            if is_held:
                self._store.mend(suspect.job.number)
                done = write(self._store, suspect.job, block, suspect.began)
                culprits.forget(self._store, suspect.job.number)
                self._report(done)
            else:
                self._report(Finished(suspect.job.number, is_ours=False))

    def _bury(self, worker: Worker) -> None:
        """A worker has died: do again what it did, if it did anything."""
        self._workers.remove(worker)
        code = worker.end(is_dying=True)
        if not worker.is_ready:
            self._false_starts += 1
            if self._false_starts >= FEWEST_STARTS:
                raise ScenarioError(f"worker processes do not start: each {cause_of_death(code)}")
        task = self._in_hand.pop(worker, None)
        if task is not None and not self._stopped():
            self._suspect(task, code)

    def _suspect(self, task: Task, code: int) -> None:
        """A task has killed its process."""
        self._agenda.probe(self._hope.after_death(task.is_probe, code))
        task.tries += 1
        if task.is_probe:
            return
        if task.suspect is not None and len(task.points) > 1:
            self._agenda.halve(task)
        elif task.tries < TRIES:
            self._agenda.again(task)
        elif task.suspect is None:
            self._look_for_culprits(task.job)
        else:
            self._convict(task.suspect, task.points[0], code)

    def _look_for_culprits(self, job: Job) -> None:
        """A chunk has killed its processes: which of its points do?"""
        numbers = job.points or tuple(range(*self._store.layout.bounds(job.number)))
        suspect = Suspect(job, numbers, culprits.noted(self._store, job))
        if suspect.is_known:
            self._write_if_known(suspect)
        else:
            self._agenda.suspect(suspect)

    def _convict(self, suspect: Suspect, point: int, code: int) -> None:
        """A point alone has killed its process for the last time."""
        reason = suspect.culprits[point] = f"the process {cause_of_death(code)}"
        culprits.note(self._store, suspect.job, point, reason)
        self._write_if_known(suspect)

    def _crashed(self, suspect: Suspect) -> Block:
        """The points that kill: no more is known of them than where they lie."""
        points = sorted(suspect.culprits)
        block = self._store.layout.empty(len(points))
        if points:
            block |= self._plan.columns(np.array(points))
        block["status"][:] = CRASHED
        block["reason"][:] = [suspect.culprits[point] for point in points]
        return block


def cause_of_death(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    number = -code
    name = signal.strsignal(number) or "unknown"
    hint = ", perhaps for lack of memory" if number == signal.SIGKILL else ""
    return f"was ended by signal {number} ({name}{hint})"
