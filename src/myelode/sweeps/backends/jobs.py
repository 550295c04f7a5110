"""The one step of a sweep that all back-ends take: hold a chunk, compute it, write it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import DONE, Block, Layout
from myelode.sweeps.stores.store import Store


class Plan(Protocol):
    """What a sweep must be able to do to be run."""

    @property
    def layout(self) -> Layout:
        """All arrays."""

    @property
    def document(self) -> str:
        """The text from which the sweep can be planned again; another one if any key is."""

    @property
    def is_threaded(self) -> bool:
        """Whether chunks are computed in threads of one process, at no risk for it."""

    def key(self, number: int) -> str:
        """What a chunk depends on, as one word; it may take seconds to find out."""

    def compute(self, number: int, threads: int = 1) -> Block:
        """A chunk."""

    def compute_points(
        self, numbers: Sequence[int], threads: int = 1, rtol: float | None = None
    ) -> Block:
        """Some points, at another relative tolerance if one is given."""

    def columns(self, numbers: np.ndarray) -> Block:
        """The values of all axes at some points; nothing is computed."""


@dataclass(frozen=True)
class Job:
    """A chunk to be computed.

    Attributes
    ----------
    key : of the chunk; empty until it is begun.
    points : numbers of those points alone that are to be computed again; None for a whole chunk.
    rtol : another relative tolerance for them.
    """

    number: int
    key: str = ""
    points: tuple[int, ...] | None = None
    rtol: float | None = None


@dataclass(frozen=True)
class Finished:
    """What a job has come to.

    Attributes
    ----------
    points, failed : how many were computed, and how many of them in vain.
    seconds : what it took, with the writing.
    is_ours : False if somebody else has the chunk in hand, or had; nothing was done then.
    """

    number: int
    points: int = 0
    failed: int = 0
    seconds: float = 0.0
    is_ours: bool = True


def do_job(plan: Plan, store: Store, job: Job, threads: int = 1) -> Finished:
    """Hold a chunk, compute it and write it.

    Raises
    ------
    ScenarioError : it cannot be written, or the plan is no longer what the job was made for.
    """
    began = time.perf_counter()
    with store.locks.chunk(job.number) as is_held:
        if not is_held:
            return Finished(job.number, is_ours=False)
        store.mend(job.number)
        if job.points is None and is_finished(plan, store, job.number):
            return Finished(job.number)
        job = with_key(plan, job)
        require_key(plan, store, job)
        fresh = compute(plan, job, threads)
        return write(store, job, fresh, began)


def with_key(plan: Plan, job: Job) -> Job:
    """A job that is begun."""
    return job if job.key else replace(job, key=plan.key(job.number))


def is_finished(plan: Plan, store: Store, number: int) -> bool:
    """Whether a chunk is there as it should be."""
    key = store.key(number)
    return key != "" and key == plan.key(number) and store.is_whole(number)


def require_key(plan: Plan, store: Store, job: Job) -> None:
    """Refuse a job that was begun by another plan; raises ScenarioError."""
    if plan.key(job.number) != job.key:
        raise _changed(store)


def _changed(store: Store) -> ScenarioError:
    return ScenarioError(
        f"{store.path}: the model or the scenario has changed while the sweep was running: "
        "run it again"
    )


def compute(plan: Plan, job: Job, threads: int) -> Block:
    """The points of a job."""
    if job.points is None:
        return plan.compute(job.number, threads)
    return plan.compute_points(job.points, threads, job.rtol)


def write(store: Store, job: Job, fresh: Block, began: float) -> Finished:
    """Write the points of a job, among those of its chunk that stay; the chunk must be held.

    Raises
    ------
    ScenarioError : it cannot be written, others have taken over another plan since, or the points
        that are to stay are gone.
    """
    if store.is_changed():
        raise _changed(store)
    whole = fresh if job.points is None else _among(store, job, fresh)
    store.write(job.number, whole, job.key)
    failed = int(np.count_nonzero(fresh["status"] > DONE))
    seconds = time.perf_counter() - began
    return Finished(job.number, len(fresh["status"]), failed, seconds)


def _among(store: Store, job: Job, fresh: Block) -> Block:
    """A chunk in which some points are replaced."""
    store.mend(job.number)
    if store.key(job.number) != job.key or not store.is_whole(job.number):
        raise ScenarioError(
            f"{store.path}: chunk {job.number} is damaged: first, myelode sweep resume {store.path}"
        )
    first, _ = store.layout.bounds(job.number)
    block = {name: values.copy() for name, values in store.read(job.number).items()}
    places = np.asarray(job.points, dtype=np.int64) - first
    for name, values in block.items():
        values[places] = fresh[name]
    return block
