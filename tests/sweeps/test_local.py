"""Local runs: threads and processes give the same, points that kill are found, runs can stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode.errors import ScenarioError
from myelode.sweeps.backends import local
from myelode.sweeps.backends.crews import cause_of_death
from myelode.sweeps.backends.jobs import Finished
from myelode.sweeps.backends.local import (
    Stop,
    points_to_retry,
    retry_points,
    run_chunks,
    unfinished,
)
from myelode.sweeps.blocks import CRASHED, DONE, FAILED, MISSING
from myelode.sweeps.stores.ledgers import read_ledger
from myelode.sweeps.stores.store import Store, open_store

from .fakes import PLANNER, FakePlan, differences, new_store, same, whole_store

pytestmark = pytest.mark.usefixtures("workers_find_the_fake")


def run(plan: FakePlan, store: Store, workers: int = 2, **more: Any) -> list[Finished]:
    """What is reported by a run of all that is missing."""
    told: list[Finished] = []
    todo = unfinished(plan, store, range(plan.layout.chunks))
    run_chunks(plan, store, todo, workers, told.append, planner=PLANNER, **more)
    return told


@pytest.mark.parametrize(("is_threaded", "workers"), [(True, 1), (True, 3), (False, 1), (False, 2)])
def test_however_it_is_run_it_is_the_same(path: Path, is_threaded: bool, workers: int) -> None:
    plan, store = new_store(path, count=44, fail=[1, 20], threaded=is_threaded)
    told = run(plan, store, workers)
    assert sorted((done.number, done.points, done.failed) for done in told) == [
        (0, 8, 1), (1, 8, 0), (2, 8, 1), (3, 8, 0), (4, 8, 0), (5, 4, 0),
    ]  # fmt: skip
    _, expected = whole_store(path.with_name("other"), count=44, fail=[1, 20])
    assert not differences(store, expected)
    assert run(plan, store) == []


@pytest.mark.parametrize(("workers", "chunks", "threads"), [(4, 1, 4), (4, 2, 2), (2, 5, 1)])
def test_fewer_chunks_than_workers_have_threads_inside(
    path: Path, workers: int, chunks: int, threads: int
) -> None:
    given_threads = []

    class Plan(FakePlan):
        def compute(self, number: int, threads: int = 1) -> Any:
            given_threads.append(threads)
            return super().compute(number)

    _, store = new_store(path)
    run_chunks(Plan(threaded=True), store, range(chunks), workers)
    assert given_threads == [threads] * chunks


def test_only_what_has_changed_is_computed_again(path: Path) -> None:
    plan, store = whole_store(path)
    [torn] = path.glob("drug/c.3*")
    torn.write_bytes(torn.read_bytes()[:20])
    (path / "plan" / "keys" / "c.1").unlink()
    assert unfinished(plan, store, range(5)) == [1, 3]
    newer = FakePlan(version=2, threaded=True)
    assert unfinished(newer, store, [0, 4]) == [0, 4]
    store.write(4, newer.compute(4), newer.key(4))
    stop = Stop()
    stop.is_asked = True
    assert run(newer, store, 1, stop=stop) == []
    assert np.flatnonzero(store.status() == DONE).tolist() == list(range(32, 40))
    assert [done.number for done in run(newer, store, 1)] == [0, 1, 2, 3]
    assert not differences(store, whole_store(path.with_name("other"), version=2)[1])


# Points that kill


@pytest.mark.parametrize("culprits", [(), (2,), (3, 4, 8)], ids=str)
def test_only_the_points_that_kill_are_marked(path: Path, culprits: tuple[int, ...]) -> None:
    about = {"count": 9, "chunk": 4, "fail": [6]}
    plan, store = new_store(path, **about, kill=culprits)
    told = run(plan, store)
    assert sum(done.failed for done in told) == 1 + len(culprits)
    _require_marked(store, path, culprits, about)


def _require_marked(
    store: Store, path: Path, culprits: tuple[int, ...], about: dict[str, Any]
) -> None:
    """Culprits have their place on the axes and nothing else; all others are as ever."""
    which = list(culprits)
    others = np.setdiff1d(np.arange(about["count"]), which)
    _, expected = whole_store(path.with_name("other.zarr"), **about)
    for variable in store.layout.variables:
        found, wanted = store.columns(variable.name), expected.columns(variable.name)
        if variable.name != "seconds":
            assert same(found[others], wanted[others]), variable.name
        if variable.is_coordinate:
            assert same(found, wanted), variable.name
    assert set(store.status()[which].tolist()) <= {CRASHED}
    assert set(store.columns("reason")[which]) <= {
        "the process was ended by signal 11 (Segmentation fault)"
    }
    assert np.isnan(store.columns("drug")[which]).all()


def test_a_process_that_is_killed_once_marks_nothing(path: Path, tmp_path: Path) -> None:
    plan, store = new_store(path, kill_once=[3, 12, 39], marks=str(tmp_path))
    run(plan, store)
    assert not differences(store, whole_store(path.with_name("other"))[1])


def test_a_sweep_of_points_that_all_kill_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myelode.sweeps.backends.crews.HOPELESS", 2)
    plan, store = new_store(path, count=2, chunk=2, kill=[0, 1])
    with pytest.raises(ScenarioError, match="whatever point is computed, the process was ended by"):
        run(plan, store)


def test_a_fault_in_python_is_raised_and_not_isolated(path: Path) -> None:
    plan, store = new_store(path, **{"raise": [20]})
    with pytest.raises(RuntimeError, match="ZeroDivisionError: a fault of ours"):
        run(plan, store, 1)
    assert store.keys()[:3] == ["1-0-8", "1-8-16", ""]


def test_workers_that_do_not_start_are_not_started_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myelode.sweeps.backends.crews.FEWEST_STARTS", 2)
    plan, store = new_store(path)
    with pytest.raises(ScenarioError, match="processes do not start: each ended with code 7"):
        run_chunks(plan, store, [0], planner="fakes:leave")


def test_a_worker_that_plans_something_else_writes_nothing(path: Path) -> None:
    _, store = new_store(path)
    with pytest.raises(ScenarioError, match="the model or the scenario has changed while"):
        run_chunks(FakePlan(version=2), store, [0], planner=PLANNER)
    assert store.keys()[0] == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-11, "was ended by signal 11 (Segmentation fault)"),
        (-9, "was ended by signal 9 (Killed, perhaps for lack of memory)"),
        (3, "ended with code 3"),
    ],
)
def test_how_a_process_ended_is_said(code: int, words: str) -> None:
    assert cause_of_death(code) == words


# Others, and the user


def test_a_chunk_in_other_hands_is_left_out_by_a_shard(path: Path) -> None:
    plan, store = new_store(path, threaded=True)
    with store.locks.chunk(1):
        assert run_chunks(plan, store, range(5), 2, is_alone=False) == [1]
    assert [bool(store.key(number)) for number in range(5)] == [True, False, True, True, True]


@pytest.mark.parametrize("is_threaded", [True, False])
def test_a_chunk_in_dying_hands_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_threaded: bool
) -> None:
    plan, store = new_store(path, threaded=is_threaded)
    held = store.locks.chunk(1)
    held.__enter__()

    def let_go(seconds: float) -> None:
        held.__exit__(None, None, None)

    monkeypatch.setattr(local.time, "sleep", let_go)
    told: list[Finished] = []
    report = told.append
    assert run_chunks(plan, store, range(5), 2, report, planner=PLANNER) == []
    assert sorted(done.number for done in told) == list(range(5))


@pytest.mark.parametrize("is_threaded", [True, False])
def test_who_stops_gets_the_chunks_in_hand(path: Path, is_threaded: bool) -> None:
    plan, store = new_store(path, threaded=is_threaded)
    stop, told = Stop(), list[Finished]()

    def report(done: Finished) -> None:
        told.append(done)
        stop.is_asked = True

    run_chunks(plan, store, range(5), 2, report, stop, planner=PLANNER)
    finished = [number for number, key in enumerate(store.keys()) if key]
    assert finished == sorted(done.number for done in told)
    assert 1 <= len(finished) <= 2
    assert {*np.unique(store.status()).tolist()} == {DONE, MISSING}


@pytest.fixture
def _signals() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_insists(number: signal.Signals) -> None:
    told = []
    with Stop(lambda: told.append(1)).listening() as stop:
        assert not stop.is_asked
        signal.raise_signal(number)
        assert stop.is_asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert told == [1]


def test_threads_of_others_do_not_listen() -> None:
    found = []

    def listen() -> None:
        with Stop().listening() as stop:
            found.append(stop.is_asked)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [False]


# Once more


@pytest.mark.parametrize("is_threaded", [True, False])
def test_points_that_failed_are_computed_again_and_no_others(path: Path, is_threaded: bool) -> None:
    plan, store = whole_store(path, fail=[3, 4, 20], threaded=is_threaded)
    (path / "plan" / "keys" / "c.4").unlink()
    before = store.columns("seconds")
    points = points_to_retry(plan, store, [FAILED], "")
    assert points == {0: (3, 4), 2: (20,)}
    told: list[Finished] = []
    retry_points(plan, store, points, 1e-9, 2, told.append, Stop(), planner=PLANNER)
    assert sum(done.points for done in told) == 3
    assert set(store.status()[:32].tolist()) == {DONE}
    rtol = store.columns("rtol")
    assert np.flatnonzero(rtol == 1e-9).tolist() == [3, 4, 20]
    assert np.flatnonzero(store.columns("seconds")[:32] != before[:32]).tolist() == [3, 4, 20]
    assert store.keys()[:4] == [plan.key(number) for number in range(4)]
    assert not set(store.columns("reason")) - {""}
    assert store.status()[32:].tolist() == [MISSING] * 8


def test_points_to_retry_have_these_words_in_their_reason(path: Path) -> None:
    plan, store = whole_store(path, fail=[3])
    assert points_to_retry(plan, store, [FAILED], "NOT finite") == {0: (3,)}
    assert points_to_retry(plan, store, [FAILED], "too long") == {}
    assert points_to_retry(plan, store, [CRASHED], "") == {}
    assert points_to_retry(FakePlan(version=2), store, [FAILED], "") == {}


def test_points_that_kill_again_are_found_again(path: Path) -> None:
    plan, store = whole_store(path, threaded=True)
    block = plan.compute(1)
    block["status"][[1, 5]] = CRASHED
    store.write(1, block, plan.key(1))
    store = _killing(path, 13)
    points = points_to_retry(plan, store, [CRASHED], "")
    assert points == {1: (9, 13)}
    retry_points(plan, store, points, None, 2, lambda done: None, Stop(), PLANNER, is_risky=True)
    assert np.flatnonzero(store.status() == CRASHED).tolist() == [13]


def _killing(path: Path, *points: int) -> Store:
    """The store with a plan whose points kill a process."""
    plan, store = FakePlan(kill=points), open_store(path)
    store.adopt(plan.layout, plan.document, plan.key)
    return store


# The ledger


def test_a_ledger_counts_and_gives_reasons(path: Path) -> None:
    _, store = whole_store(path, fail=[3, 4, 20])
    store.forget(4)
    found = read_ledger(store)
    assert (found.points, found.done, found.failed, found.missing) == (40, 29, 3, 8)
    assert found.reasons == {"failed: the derivatives are not finite": 3}
    assert found.seconds == pytest.approx(np.nansum(store.columns("seconds")))


def test_a_rate_is_that_of_the_latest_chunks(path: Path) -> None:
    _, store = whole_store(path)
    for number in range(4):
        os.utime(path / "plan" / "keys" / f"c.{number}", (0, 1000 + 2 * number))
    store.forget(4)
    found = read_ledger(store)
    assert found.rate == 4
    assert found.remaining_seconds == 2
    for number in range(3):
        store.forget(number)
    assert read_ledger(store).rate is None
    assert read_ledger(store).remaining_seconds is None


def _finished(path: Path, times: dict[int, float]) -> None:
    """Let chunks be those of so many, finished at these times."""
    for number, time in times.items():
        os.utime(path / "plan" / "keys" / f"c.{number}", (time, time))


def _took(store: Store, plan: FakePlan, seconds: float) -> None:
    """Let each chunk of a store have taken so long."""
    for number in range(plan.layout.chunks):
        block = plan.compute(number)
        block["seconds"][:] = seconds / len(block["seconds"])
        store.write(number, block, plan.key(number))


@pytest.mark.parametrize("pauses", [(10,), (3, 10), (5, 10, 19)], ids=str)
@pytest.mark.parametrize("seconds", [0.01, 1.0])
def test_a_rate_knows_no_pause(path: Path, pauses: tuple[int, ...], seconds: float) -> None:
    plan, store = new_store(path, count=160)
    _took(store, plan, seconds)
    _finished(path, {n: n + sum(1e5 for at in pauses if at <= n) for n in range(20)})
    assert read_ledger(store).rate == pytest.approx(8.0)


def test_a_rate_knows_that_workers_finish_together(path: Path) -> None:
    plan, store = new_store(path, count=160)
    _took(store, plan, 100.0)
    _finished(path, {n: 100.0 * (n // 4) + 0.01 * (n % 4) for n in range(20)})
    assert read_ledger(store).rate == pytest.approx(8 * 19 / 400.0, rel=1e-3)
