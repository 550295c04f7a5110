"""A sweep on this machine: chunks in threads, or in processes where the engine may kill them."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType

import numpy as np

from myelode.sweeps.backends.crews import PATIENCE, Crew
from myelode.sweeps.backends.jobs import Finished, Job, Plan, do_job, is_finished
from myelode.sweeps.backends.processes import PLANNER
from myelode.sweeps.stores.store import Store

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether the user wants to stop: once, and the chunks in hand are finished; twice, and now.

    As a context manager it listens to Ctrl-C and SIGTERM, in the main thread only; the second one
    raises KeyboardInterrupt.

    Parameters
    ----------
    tell : called at the first.
    """

    def __init__(self, tell: Callable[[], None] = lambda: None):
        self.is_asked = False
        self._tell = tell

    @contextmanager
    def listening(self) -> Iterator[Stop]:
        """Listen to signals for a while."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True
        self._tell()


def unfinished(plan: Plan, store: Store, numbers: Sequence[int]) -> list[int]:
    """Which of these chunks are not there, or were computed from something else."""
    return [n for n in numbers if not is_finished(plan, store, n)]


def outdated(plan: Plan, store: Store, numbers: Sequence[int]) -> list[int]:
    """Which of these chunks were computed from something else than the plan says."""
    return [n for n in numbers if (key := store.key(n)) and key != plan.key(n)]


def forget_outdated(plan: Plan, store: Store, numbers: Sequence[int]) -> None:
    """Let chunks that were computed from something else count as missing."""
    for number in outdated(plan, store, numbers):
        store.forget(number)


def run_chunks(
    plan: Plan,
    store: Store,
    numbers: Sequence[int],
    workers: int = 1,
    report: Callable[[Finished], None] = lambda done: None,
    stop: Stop | None = None,
    is_alone: bool = True,
    planner: str = PLANNER,
) -> list[int]:
    """Compute these chunks; gives those that others have in hand.

    Until then they count as missing, whatever was there.

    Parameters
    ----------
    workers : how many chunks are computed at once; where there are fewer chunks, in threads inside.
    report : is told of every chunk that is finished, in this thread.
    stop : says when no more chunks are to be begun.
    is_alone : nobody else writes to the store, so that what others have in hand will be free soon:
        they are workers of a run that was killed. Such chunks are waited for.
    planner : what makes the plan in a worker process, as ``module:function``.

    Raises
    ------
    MyelodeError : a chunk cannot be computed or written; those that are finished stay.
    KeyboardInterrupt : the user has stopped for the second time.
    """
    stop = stop or Stop()
    forget_outdated(plan, store, numbers)
    jobs = [Job(number) for number in numbers]
    while True:
        busy: list[int] = []
        run_jobs(plan, store, jobs, workers, _sorter(report, busy), stop, planner)
        if not (busy and is_alone) or stop.is_asked:
            return busy
        time.sleep(PATIENCE)
        jobs = [job for job in jobs if job.number in set(busy)]


def _sorter(report: Callable[[Finished], None], busy: list[int]) -> Callable[[Finished], None]:
    """Reports what is finished, and collects what others have in hand."""

    def sort(done: Finished) -> None:
        if done.is_ours:
            report(done)
        else:
            busy.append(done.number)

    return sort


def run_jobs(
    plan: Plan,
    store: Store,
    jobs: Sequence[Job],
    workers: int,
    report: Callable[[Finished], None],
    stop: Stop,
    planner: str = PLANNER,
    is_risky: bool = False,
) -> None:
    """Do jobs in threads, or in processes if the engine or the jobs may kill them."""
    if not jobs:
        return
    if plan.is_threaded and not is_risky:
        _in_threads(plan, store, jobs, workers, report, stop)
    else:
        Crew(plan, store, planner, report, lambda: stop.is_asked).run(jobs, workers)


def _in_threads(
    plan: Plan,
    store: Store,
    jobs: Sequence[Job],
    workers: int,
    report: Callable[[Finished], None],
    stop: Stop,
) -> None:
    """Do jobs in threads, as many at once as there are; this one stays free to listen."""
    at_once = min(workers, len(jobs))
    threads = max(1, workers // at_once)
    todo, begun = deque(jobs), set[Future[Finished]]()
    pool, is_dropped = ThreadPoolExecutor(at_once, "sweep"), False
    try:
        while begun or (todo and not stop.is_asked):
            while todo and len(begun) < at_once and not stop.is_asked:
                begun.add(pool.submit(do_job, plan, store, todo.popleft(), threads))
            ended, begun = wait(begun, PATIENCE, FIRST_COMPLETED)
            for future in ended:
                report(future.result())
    except KeyboardInterrupt:
        is_dropped = True
        raise
    finally:
        pool.shutdown(wait=not is_dropped, cancel_futures=True)


def points_to_retry(
    plan: Plan, store: Store, codes: Sequence[int], words: str
) -> dict[int, tuple[int, ...]]:
    """The points with one of these statuses, and with these words in their reason, by chunk.

    Only chunks that are as the plan wants them have such points: others are computed anyway.
    """
    found = {}
    for number in range(store.layout.chunks):
        places = np.flatnonzero(_matches(store, number, codes, words))
        if places.size and is_finished(plan, store, number):
            first, _ = store.layout.bounds(number)
            found[number] = tuple(int(first + place) for place in places)
    return found


def _matches(store: Store, number: int, codes: Sequence[int], words: str) -> np.ndarray:
    matches = np.isin(store.column("status", number), codes)
    if words and matches.any():
        reasons = store.column("reason", number)
        matches &= np.array([words.lower() in str(reason).lower() for reason in reasons])
    return matches


def retry_points(
    plan: Plan,
    store: Store,
    points: dict[int, tuple[int, ...]],
    rtol: float | None,
    workers: int,
    report: Callable[[Finished], None],
    stop: Stop,
    planner: str = PLANNER,
    is_risky: bool = False,
) -> None:
    """Compute some points again, by chunk, at another relative tolerance if one is given."""
    jobs = [Job(number, points=which, rtol=rtol) for number, which in points.items()]
    run_jobs(plan, store, jobs, workers, report, stop, planner, is_risky)
