"""A run of a sweep: what its store has already, what is left to do, and who does it."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from myelode.errors import ScenarioError, best_matches
from myelode.hardware import processors
from myelode.sweeps.backends.jobs import Finished, Plan
from myelode.sweeps.backends.local import (
    Stop,
    forget_outdated,
    outdated,
    points_to_retry,
    retry_points,
    run_chunks,
    unfinished,
)
from myelode.sweeps.blocks import CRASHED, DONE, STATUS
from myelode.sweeps.stores.store import Store, create, open_store, require_same_sweep

PATIENCE, PAUSES = 5.0, (0.1, 0.5)
"""Seconds that a shard waits for others to end, or to take over its plan, and between two looks.

These differ, so that shards do not meet again and again.
"""

TAKING_OVER = "takes over a plan"
_SHARD = re.compile(r"(\d{1,9})/(\d{1,9})")


@dataclass(frozen=True)
class Run:
    """A store that is open for writing.

    Attributes
    ----------
    numbers : the chunks of this run: all, or those of a shard.
    todo : those that are missing, or were computed from an older model or scenario.
    older : those that were, in the whole store; they count as missing now, but not for who wants
        to retry points only.
    is_alone : nobody else writes to the store.
    """

    plan: Plan
    store: Store
    numbers: Sequence[int]
    todo: Sequence[int]
    older: Sequence[int]
    is_alone: bool

    def points(self, numbers: Sequence[int]) -> int:
        """How many points chunks have."""
        return sum(map(self.store.layout.size, numbers))

    @property
    def there(self) -> list[int]:
        """The chunks that are there already."""
        return sorted({*self.numbers} - {*self.todo})


def read_shard(text: str) -> tuple[int, int]:
    """The I and the N of ``I/N``; raises `ScenarioError` unless I is 0 to N-1."""
    found = _SHARD.fullmatch(text)
    if found is None:
        raise ScenarioError(f"--shard {text}: must be I/N, 0/8 for example")
    index, count = int(found[1]), int(found[2])
    if index >= count:
        raise ScenarioError(f"--shard {text}: I must lie between 0 and N-1")
    return index, count


@contextmanager
def writing(plan: Plan, path: Path, shard: str = "", *, is_retry: bool = False) -> Iterator[Run]:
    """Open the store of a plan for writing, made now if there is none.

    If it holds an older plan, this one is taken over, and all that was computed from the older one
    and is not of this one too is forgotten.

    Parameters
    ----------
    shard : ``I/N`` for every Nth chunk from chunk I, beside others that write the rest.
    is_retry : nothing is taken over or forgotten before it is known that there is something to do.

    Raises
    ------
    ScenarioError : it is the store of another sweep, somebody writes to it, or nobody can.
    """
    index, count = read_shard(shard or "0/1")
    if not path.exists():
        create(path, plan.layout, plan.document)
    store = open_store(path)
    require_same_sweep(store, plan.layout)
    with ExitStack() as stack:
        older = _join(plan, store, shard, stack) if shard else _begin(plan, store, stack, is_retry)
        numbers = range(index, plan.layout.chunks, count)
        todo = unfinished(plan, store, numbers)
        yield Run(plan, store, numbers, todo, older, is_alone=not shard)


def _begin(plan: Plan, store: Store, stack: ExitStack, is_retry: bool) -> list[int]:
    """Hold a store alone, and take over the plan; gives the chunks of an older one."""
    stack.enter_context(store.locks.writer())
    store.refresh()
    store.sweep_up()
    if is_retry:
        return outdated(plan, store, range(store.layout.chunks))
    return _take_over(plan, store)


def _take_over(plan: Plan, store: Store) -> list[int]:
    return store.adopt(plan.layout, plan.document, plan.key)


def _join(plan: Plan, store: Store, shard: str, stack: ExitStack) -> list[int]:
    """Hold a store beside other shards of the plan; gives the chunks of an older one.

    The plan is taken over where nobody writes, and who holds another one is waited for a little.
    """
    older: list[int] = []
    end = time.monotonic() + PATIENCE
    while True:
        refusal = _refusal(plan, store, shard, stack)
        if refusal is None:
            return older
        with store.locks.alone(TAKING_OVER) as is_held:
            if is_held:
                store.refresh()
                store.sweep_up()
                older += _take_over(plan, store)
        if TAKING_OVER in str(refusal):
            end = time.monotonic() + PATIENCE
        if not is_held:
            if time.monotonic() > end:
                raise refusal
            time.sleep(random.uniform(*PAUSES))


def _refusal(plan: Plan, store: Store, shard: str, stack: ExitStack) -> ScenarioError | None:
    """Hold a store as a shard of the plan; or why that cannot be."""
    with ExitStack() as trial:
        try:
            trial.enter_context(store.locks.writer(shard))
        except ScenarioError as error:
            return error
        store.refresh()
        if store.is_of(plan.layout, plan.document):
            stack.enter_context(trial.pop_all())
            return None
    return ScenarioError(
        f"{store.path}: others write another plan of this sweep to it: "
        "wait until they end, or name another store"
    )


def run_missing(
    run: Run,
    workers: int | None,
    report: Callable[[Finished], None],
    stop: Stop,
    dask: str | None = None,
) -> list[int]:
    """Compute what is left to do; gives the chunks that others have in hand.

    Parameters
    ----------
    workers : how many chunks are computed at once; one for each core without.
    dask : where Dask runs it, as `run_on_dask` takes it; here, without.
    """
    forget_outdated(run.plan, run.store, run.todo)
    if dask is None:
        count = workers or processors()
        return run_chunks(run.plan, run.store, run.todo, count, report, stop, run.is_alone)
    from myelode.sweeps.backends.with_dask import run_on_dask

    return run_on_dask(run.plan, run.store, run.todo, dask, workers, report, stop, run.is_alone)


def read_status(text: str) -> tuple[list[int], str]:
    """The codes of a status, and the words of a reason: the one or the other is given."""
    word = text.strip().lower().replace(" ", "_").replace("-", "_")
    failures = {name: code for name, code in STATUS.items() if code != DONE}
    if word in failures:
        return [failures[word]], ""
    if not word or word in ("done", "missing"):
        known = ", ".join(failures)
        raise ScenarioError(f"--status {text}: must be {known}, or words of a reason")
    return list(failures.values()), text.strip()


def failed_points(run: Run, status: str) -> dict[int, tuple[int, ...]]:
    """The points of a status, or with words in their reason, by chunk.

    Raises
    ------
    ScenarioError : there are none, or their chunks are of an older model or scenario.
    """
    if run.older:
        raise ScenarioError(
            f"{run.store.path}: {len(run.older)} chunks are of an older model or scenario: "
            f"first, myelode sweep resume {run.store.path}"
        )
    codes, words = read_status(status)
    found = points_to_retry(run.plan, run.store, codes, words)
    if not found:
        reasons = {str(reason) for reason in run.store.columns("reason") if reason}
        hint = best_matches(words, reasons) if words else ""
        raise ScenarioError(f"{run.store.path}: no point is {status!r}{hint}")
    return found


def run_again(
    run: Run, points: dict[int, tuple[int, ...]], rtol: float | None, workers: int | None,
    report: Callable[[Finished], None], stop: Stop,
) -> None:  # fmt: skip
    """Compute points again that failed; those that have killed a process, in processes."""
    _take_over(run.plan, run.store)
    is_risky = any((run.store.column("status", n) == CRASHED).any() for n in points)
    count = workers or processors()
    retry_points(run.plan, run.store, points, rtol, count, report, stop, is_risky=is_risky)
