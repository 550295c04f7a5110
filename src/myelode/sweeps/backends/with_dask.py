"""A sweep on Dask: a task is the path of the store and the number of a chunk.

Nothing but a few words goes through the scheduler: each worker plans the sweep once, from the
store's own document, and writes what it computes itself. A chunk that kills its workers is computed
again by processes of our own, which find the points that do so.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from myelode.errors import MyelodeError, ScenarioError
from myelode.sweeps.backends.crews import PATIENCE, Crew
from myelode.sweeps.backends.dask_clusters import Cluster, dask_cluster
from myelode.sweeps.backends.jobs import Finished, Job, Plan, do_job
from myelode.sweeps.backends.local import Stop
from myelode.sweeps.backends.processes import PLANNER, make_plan
from myelode.sweeps.blocks import DONE
from myelode.sweeps.stores.store import Store, open_store

IN_FLIGHT = 1000
"""How many tasks a scheduler has at a time, of however many."""

_ONE_AT_A_TIME = threading.Lock()


def run_on_dask(
    plan: Plan,
    store: Store,
    numbers: Sequence[int],
    where: str,
    workers: int | None = None,
    report: Callable[[Finished], None] = lambda done: None,
    stop: Stop | None = None,
    is_alone: bool = True,
    planner: str = PLANNER,
) -> list[int]:
    """Compute these chunks on a cluster; gives those that others have in hand.

    Parameters
    ----------
    where : ``local``, the address of a scheduler, or a file that describes a cluster.
    workers : how many processes there are to be with ``local``; None means one for each core.
    report, stop, is_alone, planner : as in `myelode.sweeps.backends.local.run_chunks`.

    Raises
    ------
    ScenarioError : there is no such cluster, it went away, or a chunk cannot be written; what is
        stored stays.
    KeyboardInterrupt : the user has stopped for the second time.
    """
    stop = stop or Stop()
    jobs = [Job(number, plan.key(number)) for number in numbers]
    if not jobs:
        return []
    with dask_cluster(where, workers) as cluster:
        tasks = _Tasks(cluster, store, planner, stop)
        busy = tasks.gather(jobs, report)
        while busy and is_alone and not stop.is_asked:
            time.sleep(PATIENCE)
            busy = tasks.gather(busy, report)
    if tasks.suspects and not stop.is_asked:
        Crew(plan, store, planner, report, lambda: stop.is_asked).run(tasks.suspects, 1)
    return [job.number for job in busy]


class _Tasks:
    """Jobs on their way through a scheduler.

    Attributes
    ----------
    suspects : jobs that have killed their workers.
    """

    def __init__(self, cluster: Cluster, store: Store, planner: str, stop: Stop):
        self._cluster, self._stop = cluster, stop
        self._store, self._path = store, store.path.absolute()
        digest = sha256(store.document.encode()).hexdigest()
        self._arguments = (str(self._path), digest, planner)
        self._begun: dict[int, tuple[Job, Any]] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self.suspects: list[Job] = []

    def gather(self, jobs: Sequence[Job], report: Callable[[Finished], None]) -> list[Job]:
        """Do jobs, and report them; gives those that others have in hand."""
        busy = []
        for job, finished in self._run(jobs):
            if finished is None:
                self.suspects.append(job)
            elif finished.is_ours:
                report(self._counted(finished))
            else:
                busy.append(job)
        return busy

    def _counted(self, done: Finished) -> Finished:
        """What a worker did that died before it could say so has been found done by the next."""
        if done.points:
            return done
        status = self._store.column("status", done.number)
        return replace(done, points=len(status), failed=int(np.count_nonzero(status > DONE)))

    def _run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Finished | None]]:
        """Jobs as they end, those that have killed their workers with None."""
        # Tasks of one name wait in the scheduler's queue until a worker is free: what dies with a
        # worker is then what it was computing, and little else.
        name = f"sweep-{os.urandom(8).hex()}"
        waiting = iter(jobs)
        self._begin(name, islice(waiting, IN_FLIGHT))
        while self._begun:
            if self._stop.is_asked:
                waiting = iter(())
                self._drop_waiting()
            try:
                future = self._ended.get(timeout=PATIENCE)
            except Empty:
                self._cluster.require_hope()
                continue
            number = future.key[1]
            if number in self._begun:
                result = self._result(future)
                yield self._begun.pop(number)[0], result
                self._begin(name, islice(waiting, 1))

    def _begin(self, name: str, jobs: Iterator[Job]) -> None:
        for job in jobs:
            future: Any = self._cluster.client.submit(
                finish, *self._arguments, job, key=(name, job.number), pure=False
            )
            self._begun[job.number] = job, future
            future.add_done_callback(self._ended.put)

    def _drop_waiting(self) -> None:
        """Let go of what no worker has in hand."""
        in_hand = {key for keys in self._cluster.client.processing().values() for key in keys}
        waiting = [(n, f) for n, (_, f) in self._begun.items() if f.key not in in_hand]
        self._cluster.client.cancel([future for _, future in waiting if future.status == "pending"])
        for number, future in waiting:
            if future.status in ("pending", "cancelled"):
                del self._begun[number]

    def _result(self, future: Any) -> Finished | None:
        """What has become of a job; None if it has killed its workers."""
        from distributed import KilledWorker

        try:
            finished: Finished = future.result()
        except KilledWorker:
            return None
        except MyelodeError:
            raise
        except (CancelledError, OSError):
            raise self._lost() from None
        except Exception as problem:  # noqa: BLE001 - whatever a worker may raise
            kind = type(problem).__name__
            raise ScenarioError(
                f"{self._cluster.where}: a worker failed: {kind}: {problem}"
            ) from None
        return finished

    def _lost(self) -> ScenarioError:
        return ScenarioError(
            f"{self._cluster.where}: the scheduler is gone; what was finished is stored, "
            f"and the rest is computed with: myelode sweep resume {self._path}"
        )


def finish(store_path: str, digest: str, planner: str, job: Job) -> Finished:
    """On a worker: do a job; raises MyelodeError.

    Threads of one worker take turns: an engine that has threads of its own uses all of them, and
    the other one must not be called by two.
    """
    with _ONE_AT_A_TIME:
        plan, store = _planned(store_path, digest, planner)
        return do_job(plan, store, job, _threads())


@lru_cache(maxsize=2)
def _planned(store_path: str, digest: str, planner: str) -> tuple[Plan, Store]:
    """A store and its plan, made once for each content of the store's document."""
    store = open_store(Path(store_path))
    if sha256(store.document.encode()).hexdigest() != digest:
        raise ScenarioError(f"{store_path}: is another store where the workers are")
    return make_plan(planner, store.document), store


def _threads() -> int:
    """How many threads this worker has."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def dask_setup(_worker: Any) -> None:
    """Called in workers on this machine: Ctrl-C in a terminal is for the process that has them."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
