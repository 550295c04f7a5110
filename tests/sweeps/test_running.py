"""Runs of a store: who takes over another plan, who waits, and who is refused and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.sweeps.backends import running
from myelode.sweeps.backends.local import Stop
from myelode.sweeps.backends.running import (
    TAKING_OVER,
    Run,
    failed_points,
    run_again,
    run_missing,
    writing,
)
from myelode.sweeps.blocks import DONE, MISSING
from myelode.sweeps.stores.store import Store, open_store

from .fakes import FakePlan, differences, new_store, same, whole_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweep.zarr"


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.3)
    monkeypatch.setattr(running, "PAUSES", (0.01, 0.02))


def plan_of(**about: object) -> FakePlan:
    return FakePlan(threaded=True, **about)


def contents(path: Path) -> dict[str, bytes]:
    """All files of a store but that in which writers sign."""
    files = (file for file in path.rglob("*") if file.is_file() and file.name != "writer")
    return {str(file): file.read_bytes() for file in files}


def compute(run: Run) -> list[int]:
    return run_missing(run, 1, lambda done: None, Stop())


def seen(path: Path) -> list[int]:
    """What plain xarray says became of the points."""
    values: list[int] = xr.open_zarr(path).status.values.tolist()
    return values


# Another plan is taken over


def test_who_opens_a_store_for_another_plan_leaves_nothing_of_the_older_one(path: Path) -> None:
    whole_store(path, threaded=True)
    with writing(plan_of(version=2), path) as run:
        assert run.older == [0, 1, 2, 3, 4]
        assert run.todo == [0, 1, 2, 3, 4]
    assert set(seen(path)) == {MISSING}
    with writing(plan_of(version=2), path) as run:
        assert (run.older, run.todo) == ([], [0, 1, 2, 3, 4])


def test_a_shard_of_another_plan_leaves_nothing_of_the_older_one(path: Path) -> None:
    whole_store(path, threaded=True)
    plan = plan_of(version=2)
    with writing(plan, path, "0/2") as run:
        assert (run.older, run.todo) == ([0, 1, 2, 3, 4], [0, 2, 4])
        compute(run)
    _, expected = whole_store(path.with_name("other.zarr"), version=2)
    found = xr.open_zarr(path).load()
    done = found.status.values == DONE
    assert done.reshape(5, 8).all(axis=1).tolist() == [True, False, True, False, True]
    assert same(found.drug.values[done], expected.columns("drug")[done])
    with writing(plan, path, "1/2") as run:
        assert run.older == []
        compute(run)
    assert not differences(open_store(path), expected)


def test_older_chunks_are_those_with_another_key(path: Path) -> None:
    whole_store(path, threaded=True, count=20)
    with writing(plan_of(count=44), path) as run:
        assert (run.older, run.todo) == ([2], [2, 3, 4, 5])


def test_only_keys_of_chunks_that_are_there_are_asked(path: Path) -> None:
    new_store(path, threaded=True, count=8000)
    plan = plan_of(count=8000)
    stop = Stop()
    with writing(plan, path) as run:
        assert plan.asked == []

        def stop_soon(done: object) -> None:
            stop.is_asked = True

        run_missing(run, 1, stop_soon, stop)
    assert set(plan.asked) == {0}


def test_a_store_that_others_change_before_it_is_locked_is_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_store(path, threaded=True)
    newer = plan_of(version=2)

    def open_and_be_overtaken(path: Path) -> Store:
        store = open_store(path)
        open_store(path).adopt(newer.layout, newer.document, newer.key)
        return store

    monkeypatch.setattr(running, "open_store", open_and_be_overtaken)
    for shard in ("", "0/2"):
        with writing(plan_of(), path, shard) as run:
            assert run.todo == list(range(0, 5, 2 if shard else 1))
        assert open_store(path).document == plan_of().document


# Shards beside others


@contextmanager
def held(store: Store, shard: str = "", purpose: str = "") -> Iterator[threading.Timer]:
    """Somebody else writes; lets go when the timer is started and has run down."""
    others = ExitStack()
    others.enter_context(store.locks.alone(purpose) if purpose else store.locks.writer(shard))
    timer = threading.Timer(1.0, others.close)
    try:
        yield timer
    finally:
        if timer.ident is not None:
            timer.join()
        others.close()


def test_a_shard_of_another_plan_is_refused_while_others_write(path: Path) -> None:
    whole_store(path, threaded=True)
    before = contents(path)
    newer = plan_of(version=2)
    with (
        held(open_store(path), "0/2"),
        pytest.raises(ScenarioError) as caught,
        writing(newer, path, "1/2"),
    ):
        pass
    assert str(caught.value) == (
        f"{path}: others write another plan of this sweep to it: "
        "wait until they end, or name another store"
    )
    assert contents(path) == before
    with writing(newer, path, "1/2") as run:
        assert run.older == [0, 1, 2, 3, 4]


def test_shards_of_one_plan_take_it_over_once_and_run_together(path: Path) -> None:
    whole_store(path, threaded=True)
    newer = plan_of(version=2)
    with (
        writing(newer, path, "0/3") as one,
        writing(newer, path, "1/3") as two,
        writing(newer, path, "2/3") as three,
    ):
        assert [len(run.older) for run in (one, two, three)] == [5, 0, 0]
        for run in (two, one, three):
            compute(run)
    _, expected = whole_store(path.with_name("other.zarr"), version=2)
    assert not differences(open_store(path), expected)


@pytest.mark.parametrize("purpose", ["", TAKING_OVER])
def test_a_shard_waits_for_others_to_end(
    path: Path, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    """However long they take who take over a plan; for others only so long."""
    if not purpose:
        monkeypatch.setattr(running, "PATIENCE", 60.0)
    whole_store(path, threaded=True)
    with held(open_store(path), "0/2", purpose) as timer:
        timer.start()
        with writing(plan_of(version=2), path, "1/2") as run:
            assert run.older == [0, 1, 2, 3, 4]


def test_a_shard_is_told_who_writes_all(path: Path) -> None:
    whole_store(path, threaded=True)
    with (
        held(open_store(path)),
        pytest.raises(ScenarioError, match="is being written by process"),
        writing(plan_of(), path, "1/2"),
    ):
        pass


# Another try


def test_a_retry_in_a_store_of_an_older_plan_changes_nothing(path: Path) -> None:
    whole_store(path, threaded=True, fail=[3])
    before = contents(path)
    for newer in (plan_of(version=2, fail=[3]), plan_of(hours=12.0, count=44)):
        with (
            writing(newer, path, is_retry=True) as run,
            pytest.raises(ScenarioError, match="5 chunks are of an older model or scenario"),
        ):
            failed_points(run, "failed")
    assert contents(path) == before


def test_a_retry_of_nothing_changes_nothing(path: Path) -> None:
    whole_store(path, threaded=True, fail=[3])
    before = contents(path)
    with (
        writing(plan_of(count=48, fail=[3]), path, is_retry=True) as run,
        pytest.raises(ScenarioError, match="no point is 'crashed'"),
    ):
        failed_points(run, "crashed")
    assert contents(path) == before


def test_a_retry_takes_over_more_points(path: Path) -> None:
    whole_store(path, threaded=True, fail=[3])
    with writing(plan_of(count=48, fail=[3]), path, is_retry=True) as run:
        points = failed_points(run, "failed")
        assert points == {0: (3,)}
        run_again(run, points, 1e-9, 1, lambda done: None, Stop())
    assert seen(path) == [DONE] * 40 + [MISSING] * 8
    assert open_store(path).columns("rtol")[3] == 1e-9
