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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from myelode.errors import MyelodeError, ScenarioError
from myelode.sweeps.backends.crews import PATIENCE, Crew
from myelode.sweeps.backends.dask_clusters import Cluster, dask_cluster
from myelode.sweeps.backends.jobs import Finished, Job, Plan, do_job, with_key
from myelode.sweeps.backends.local import Stop
from myelode.sweeps.backends.processes import PLANNER, make_plan
from myelode.sweeps.blocks import DONE
from myelode.sweeps.stores.store import Store, open_store

IN_FLIGHT = 1000
"""How many tasks a scheduler has at a time, of however many."""

MOMENT = 1e-4
"""Seconds that are waited for news while there is more to be given to the scheduler."""

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
    if not numbers:
        return []

    def isolate(numbers: Iterable[int]) -> list[int]:
        """Find the points that kill; gives the chunks that others have in hand."""
        told = _Told(store, report)
        jobs = [Job(number) for number in numbers]
        Crew(plan, store, planner, told, lambda: stop.is_asked).run(jobs, 1)
        return told.busy

    with dask_cluster(where, workers) as cluster:
        tasks = _Tasks(cluster, plan, store, planner, stop, report)
        busy = _until_free(tasks.gather, numbers, stop, is_alone)
    if not stop.is_asked:
        busy += _until_free(isolate, tasks.suspects, stop, is_alone)
    return busy


def _until_free(
    do: Callable[[Iterable[int]], list[int]], numbers: Iterable[int], stop: Stop, is_alone: bool
) -> list[int]:
    """Do chunks, and once more those in other hands if these must end soon; gives the rest."""
    busy = do(numbers)
    while busy and is_alone and not stop.is_asked:
        time.sleep(PATIENCE)
        busy = do(busy)
    return busy


class _Told:
    """Reports chunks that are finished; those that others have in hand are noted.

    Attributes
    ----------
    busy : what others have in hand.
    """

    def __init__(self, store: Store, report: Callable[[Finished], None]):
        self._store, self._report = store, report
        self.busy: list[int] = []

    def __call__(self, done: Finished) -> None:
        """A job has come to its end."""
        if done.is_ours:
            self._report(done if done.points else self._counted(done))
        else:
            self.busy.append(done.number)

    def _counted(self, done: Finished) -> Finished:
        """What a worker did that died before it could say so has been found done by the next."""
        status = self._store.column("status", done.number)
        return replace(done, points=len(status), failed=int(np.count_nonzero(status > DONE)))


class _Tasks:
    """Jobs on their way through a scheduler.

    Attributes
    ----------
    suspects : chunks that have killed their workers.
    """

    def __init__(
        self, cluster: Cluster, plan: Plan, store: Store, planner: str, stop: Stop,
        report: Callable[[Finished], None],
    ):  # fmt: skip
        self._cluster, self._stop, self._report = cluster, stop, report
        self._plan, self._store, self._path = plan, store, store.path.absolute()
        digest = sha256(store.document.encode()).hexdigest()
        self._arguments = (str(self._path), digest, planner)
        # Tasks of one name wait in the scheduler's queue until a worker is free: what dies with a
        # worker is then what it was computing, and little else.
        self._name = ""
        self._begun: dict[int, Any] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self.suspects: list[int] = []

    def gather(self, numbers: Iterable[int]) -> list[int]:
        """Do chunks, and report them; gives those that others have in hand."""
        told = _Told(self._store, self._report)
        for number, finished in self._run(iter(numbers)):
            if finished is None:
                self.suspects.append(number)
            else:
                told(finished)
        return told.busy

    def _run(self, waiting: Iterator[int]) -> Iterator[tuple[int, Finished | None]]:
        """Chunks as they end, those that have killed their workers with None."""
        self._name = f"sweep-{os.urandom(8).hex()}"
        while self._begun or self._begin(waiting):
            if self._stop.is_asked:
                waiting = iter(())
                self._drop_waiting()
            # One at a time, as their keys may be slow: what ends is heard in between.
            is_more = len(self._begun) < IN_FLIGHT and self._begin(waiting)
            try:
                future = self._ended.get(timeout=MOMENT if is_more else PATIENCE)
            except Empty:
                self._cluster.require_hope()
                continue
            number = future.key[1]
            if number in self._begun:
                result = self._result(future)
                del self._begun[number]
                yield number, result

    def _begin(self, waiting: Iterator[int]) -> bool:
        """Give the next chunk to the scheduler; gives whether there was one."""
        number = next(waiting, None)
        if number is None:
            return False
        job = with_key(self._plan, Job(number))
        future: Any = self._cluster.client.submit(
            finish, *self._arguments, job, key=(self._name, number), pure=False
        )
        self._begun[number] = future
        future.add_done_callback(self._ended.put)
        return True

    def _drop_waiting(self) -> None:
        """Let go of what no worker has in hand."""
        in_hand = {key for keys in self._cluster.client.processing().values() for key in keys}
        waiting = [(n, future) for n, future in self._begun.items() if future.key not in in_hand]
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
