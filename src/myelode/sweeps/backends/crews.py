"""Worker processes: one that dies is replaced, and the points that killed it are marked.

A chunk whose worker has died is tried once more: a process may be killed for reasons of its own.
If that one dies too, the chunk is cut in halves again and again, until each point that kills its
process twice is known; all others are computed. Only deaths count: an error in Python is a fault
of ours, and is raised.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.backends.jobs import Finished, Job, Plan, write
from myelode.sweeps.backends.processes import Worker
from myelode.sweeps.blocks import CRASHED, Block, joined
from myelode.sweeps.stores.store import Store

PATIENCE = 0.5
"""Seconds between two looks at whether the user wants to stop."""

TRIES = 2
"""How often a chunk, or a point alone, may kill its process before something else is done."""

FEWEST_STARTS = 5
"""After how many workers that die before they are ready no more are started."""

HOPELESS = 8
"""After how many points that kill, and none that does not, the sweep is given up."""


@dataclass
class Suspect:
    """A chunk that has killed its processes, and what is known of its points by now."""

    job: Job
    numbers: tuple[int, ...]
    began: float
    blocks: dict[int, Block] = field(default_factory=dict)

    def add(self, numbers: tuple[int, ...], block: Block) -> bool:
        """Some neighbouring points are known; gives whether all are."""
        self.blocks[numbers[0]] = block
        return sum(len(block["status"]) for block in self.blocks.values()) == len(self.numbers)

    def whole(self) -> Block:
        """All points."""
        return joined([self.blocks[first] for first in sorted(self.blocks)])


@dataclass
class Task:
    """What a worker is given: a job, or a piece of a suspect."""

    job: Job
    suspect: Suspect | None = None
    tries: int = 0

    @property
    def points(self) -> tuple[int, ...]:
        """The points of a piece."""
        return self.job.points or ()


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
        self._tasks: deque[Task] = deque()
        self._workers: list[Worker] = []
        self._in_hand: dict[Worker, Task] = {}
        self._false_starts = 0
        self._computed = self._culprits = 0

    def run(self, jobs: Sequence[Job], workers: int) -> None:
        """Do all jobs; raises what a worker raises."""
        self._tasks.extend(Task(job) for job in jobs)
        try:
            while self._is_busy():
                self._hire(workers)
                self._give_tasks()
                for connection in wait([w.connection for w in self._workers], PATIENCE):
                    self._hear(next(w for w in self._workers if w.connection is connection))
        finally:
            for worker in self._workers:
                worker.end()

    def _is_busy(self) -> bool:
        return bool(self._in_hand) or (bool(self._tasks) and not self._stopped())

    def _hire(self, workers: int) -> None:
        wanted = min(workers, len(self._tasks) + len(self._in_hand))
        while len(self._workers) < wanted and not self._stopped():
            self._workers.append(Worker(self._store.path, self._planner))

    def _give_tasks(self) -> None:
        for worker in self._workers:
            is_free = worker.is_ready and worker not in self._in_hand
            if is_free and self._tasks and not self._stopped():
                task = self._in_hand[worker] = self._tasks.popleft()
                # If it has died, its end of the pipe says so when it is read.
                with suppress(BrokenPipeError):
                    worker.connection.send((task.job, task.suspect is not None))

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
        self._computed += 1
        if task.suspect is None:
            self._report(answer)
        else:
            self._know(task.suspect, task.points, answer)

    def _know(self, suspect: Suspect, points: tuple[int, ...], block: Block) -> None:
        """Points of a suspect are known; if all are, the chunk is written."""
        if not suspect.add(points, block):
            return
        with self._store.locks.chunk(suspect.job.number) as is_held:
            if is_held:
                done = write(self._store, suspect.job, suspect.whole(), suspect.began)
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
        task.tries += 1
        if task.suspect is not None and len(task.points) > 1:
            self._tasks.extendleft(_halves(task, task.suspect, task.points))
        elif task.tries < TRIES:
            self._tasks.appendleft(task)
        elif task.suspect is None:
            numbers = task.job.points or tuple(range(*self._store.layout.bounds(task.job.number)))
            suspect = Suspect(task.job, numbers, time.perf_counter())
            self._tasks.extendleft(_halves(task, suspect, numbers))
        else:
            self._convict(task.suspect, task.points, code)

    def _convict(self, suspect: Suspect, points: tuple[int, ...], code: int) -> None:
        """A point alone has killed its process for the last time."""
        self._culprits += 1
        reason = f"the process {cause_of_death(code)}"
        if self._culprits >= HOPELESS and not self._computed:
            raise ScenarioError(f"whatever point is computed, {reason}: nothing has been computed")
        block = self._store.layout.empty(len(points)) | self._plan.columns(np.array(points))
        block["status"][:] = CRASHED
        block["reason"][:] = reason
        self._know(suspect, points, block)


def _halves(task: Task, suspect: Suspect, points: tuple[int, ...]) -> list[Task]:
    """Two pieces, the second first: they are put at the front one after the other."""
    middle = (len(points) + 1) // 2
    halves = [half for half in (points[middle:], points[:middle]) if half]
    job = task.job
    return [Task(Job(job.number, job.key, half, job.rtol), suspect) for half in halves]


def cause_of_death(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    number = -code
    name = signal.strsignal(number) or "unknown"
    hint = ", perhaps for lack of memory" if number == signal.SIGKILL else ""
    return f"was ended by signal {number} ({name}{hint})"
