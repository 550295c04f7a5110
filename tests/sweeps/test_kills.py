"""Whatever is killed, and whenever: a store that is resumed is that of a run without a pause."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.sweeps.backends.jobs import Job, do_job
from myelode.sweeps.backends.local import unfinished
from myelode.sweeps.blocks import DONE, MISSING
from myelode.sweeps.stores.store import Store, open_store

from .deaths import life, require_honest, require_readable
from .fakes import FOLDER, FakePlan, differences, new_store, same, whole_store

FAIL = [5, 17]


def compute(plan: FakePlan, path: Path) -> None:
    """What a run does: whatever is not there."""
    store = open_store(path)
    store.sweep_up()
    store.adopt(plan.layout, plan.document, plan.key)
    for number in unfinished(plan, store, range(plan.layout.chunks)):
        do_job(plan, store, Job(number))


def tear(path: Path, which: int, share: float) -> None:
    """Cut off a file of a chunk, as a loss of power does."""
    files = sorted(
        file for file in path.rglob("c.*") if file.is_file() and "plan/d" not in str(file)
    )
    files = [file for file in files if not {"time", "perturbation"} & set(file.parts)]
    if files:
        file = files[which % len(files)]
        content = file.read_bytes()
        file.write_bytes(content[: int(share * (len(content) - 1))])


CHANGES: tuple[dict[str, Any], ...] = (
    {}, {"version": 2}, {"hours": 12.0}, {"count": 40}, {"version": 2, "count": 44},
)  # fmt: skip
EVENTS = st.one_of(
    st.tuples(st.just("dies"), st.sampled_from(CHANGES), st.integers(0, 150)),
    st.tuples(st.just("is torn"), st.integers(0, 1000), st.floats(0, 1)),
)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of one worker that nothing has interrupted."""
    return whole_store(tmp_path_factory.mktemp("whole") / "sweep.zarr", fail=FAIL)[1]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same with more points."""
    return whole_store(tmp_path_factory.mktemp("whole") / "sweep.zarr", fail=FAIL, count=44)[1]


@given(events=st.lists(EVENTS, max_size=6))
@settings(max_examples=30)
def test_after_any_deaths_and_torn_files_the_store_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, larger: Store, events: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("killed") / "sweep.zarr"
    new_store(path, fail=FAIL, count=20)
    for what, *about in events:
        if what == "is torn":
            tear(path, *about)
        else:
            change, calls = about
            _die(path, change, calls)
        require_honest(path)
    compute(FakePlan(fail=FAIL, count=44), path)
    store = open_store(path)
    store.sweep_up()
    assert not differences(store, larger)
    assert not list(path.rglob("*.partial"))
    require_readable(path)


def _die(path: Path, change: dict[str, Any], calls: int) -> None:
    """Somebody computes a plan of no fewer points, and dies."""
    count = max(open_store(path).layout.count, change.get("count", 20))
    with life(calls):
        compute(FakePlan(fail=FAIL, **{**change, "count": count}), path)


# Chunks that are replaced


def _retry(plan: FakePlan, path: Path, point: int) -> None:
    do_job(plan, open_store(path), Job(0, points=(point,), rtol=1e-9))


@pytest.fixture
def retried(tmp_path: Path) -> tuple[FakePlan, Path]:
    """A store of one chunk, of which one of the points that had failed was retried."""
    plan, store = whole_store(tmp_path / "sweep.zarr", count=8, fail=[2, 3])
    _retry(plan, store.path, 2)
    return plan, store.path


def _require_one_or_the_other(store: Store, is_new: bool | None = None) -> None:
    """The chunk is that before the retry of point 3, or that after it."""
    rtol, status = store.columns("rtol"), store.status()
    new = rtol[3] == 1e-9
    assert is_new in (None, new)
    assert np.flatnonzero(rtol == 1e-9).tolist() == ([2, 3] if new else [2])
    assert np.flatnonzero(status != DONE).tolist() == ([] if new else [3])
    assert np.flatnonzero(np.isnan(store.columns("drug")[:, 0])).tolist() == ([] if new else [3])
    assert all(map(store.is_whole, range(store.layout.chunks)))


def _killed_retries(plan: FakePlan, path: Path) -> Iterator[Path]:
    """Copies of a store in which the retry of point 3 was killed, at each moment once."""
    for calls in range(10_000):
        there = shutil.copytree(path, path.with_name("killed.zarr"))
        with life(calls) as mortal:
            _retry(plan, there, 3)
        if not mortal.is_dead:
            _require_one_or_the_other(open_store(there), is_new=True)
            return
        yield there
        shutil.rmtree(there)


def test_a_retry_that_is_killed_loses_nothing(retried: tuple[FakePlan, Path]) -> None:
    plan, path = retried
    missing = 0
    for there in _killed_retries(plan, path):
        missing += not open_store(there).key(0)
        raw = open_store(there).read(0)
        if (raw["status"] != MISSING).any():
            assert np.flatnonzero(raw["rtol"] == 1e-9).tolist() in ([2], [2, 3])
        shutil.copytree(there, path.with_name("shard.zarr"))
        store = open_store(there)
        store.sweep_up()
        _require_one_or_the_other(store)
        assert not list(there.rglob("*.partial"))
        assert [file.name for file in (there / "plan" / "locks").glob("[!z]*")] == []
        do_job(plan, open_store(path.with_name("shard.zarr")), Job(0))
        _require_one_or_the_other(open_store(path.with_name("shard.zarr")))
        shutil.rmtree(path.with_name("shard.zarr"))
    assert missing > 10


@given(first=st.integers(0, 60), second=st.integers(0, 40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_who_finishes_it_may_be_killed_too(
    retried: tuple[FakePlan, Path], first: int, second: int
) -> None:
    plan, path = retried
    there = shutil.copytree(path, path.with_name(f"{first}-{second}-{time.monotonic_ns()}"))
    with life(first):
        _retry(plan, there, 3)
    is_new = not open_store(there).key(0) or None
    with life(second):
        open_store(there).sweep_up()
    _retry(plan, there, 3)
    store = open_store(there)
    store.sweep_up()
    _require_one_or_the_other(store, is_new=True if is_new else None)


def test_what_was_half_replaced_does_not_come_back(retried: tuple[FakePlan, Path]) -> None:
    plan, path = retried
    newer = FakePlan(count=8, version=2)
    for there in _killed_retries(plan, path):
        store = open_store(there)
        store.adopt(newer.layout, newer.document, newer.key)
        store.sweep_up()
        assert store.key(0) == ""
        assert set(store.read(0)["status"].tolist()) == {MISSING}


def test_half_a_chunk_that_is_torn_too_is_computed_again(retried: tuple[FakePlan, Path]) -> None:
    plan, path = retried
    for there in _killed_retries(plan, path):
        if open_store(there).key(0):
            continue
        for partial in there.rglob("*.partial"):
            partial.write_bytes(partial.read_bytes()[:-1])
        store = open_store(there)
        if not list(there.rglob("*.partial")):
            continue
        store.sweep_up()
        assert store.key(0) == ""
        assert set(store.read(0)["status"].tolist()) == {MISSING}


def test_a_point_is_not_retried_in_a_chunk_that_is_gone(retried: tuple[FakePlan, Path]) -> None:
    plan, path = retried
    open_store(path).forget(0)
    with pytest.raises(ScenarioError, match="chunk 0 is damaged: first, myelode sweep resume"):
        _retry(plan, path, 3)
    assert open_store(path).key(0) == ""


# Processes that are killed indeed


def processes(path: Path) -> set[int]:
    """The processes that were started with this path."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(path).encode() in entry.read_bytes():
                found.add(int(entry.parent.name))
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that must come; fail if it does not."""
    for _ in range(3000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


@contextmanager
def runner(path: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that computes what is missing in a store."""
    command = [sys.executable, str(FOLDER / "fakes.py"), str(path), str(workers)]
    environment = os.environ | {"PYTHONPATH": str(FOLDER)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(path: Path) -> int:
    """How many chunks of a store are there."""
    return sum(map(bool, open_store(path).keys()))


@given(
    lives=st.lists(
        st.tuples(st.sampled_from(["runner", "worker", "all", "stop"]), st.integers(0, 3)),
        min_size=1,
        max_size=2,
    )
)
@settings(max_examples=3)
def test_after_any_kills_of_processes_the_store_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, expected: Store, lives: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("killed") / "sweep.zarr"
    new_store(path, fail=FAIL, wait=0.05)
    for victim, chunks in lives:
        with runner(path, 2) as process:
            target = min(finished(path) + chunks, 5)
            wait_until(lambda: _has_come_so_far(path, process, target))  # noqa: B023
            _kill(victim, process, path)
        wait_until(lambda: not processes(path))
    with runner(path, 2) as process:
        assert process.wait() == 0, process.stderr and process.stderr.read()
    store = open_store(path)
    assert not differences(store, expected)
    assert {*store.status().tolist()} == {DONE, 1}


def _has_come_so_far(path: Path, process: subprocess.Popen[bytes], chunks: int) -> bool:
    """Whether so many chunks are there, and workers are, or the end is reached."""
    return process.poll() is not None or (finished(path) >= chunks and len(processes(path)) > 1)


def _kill(victim: str, process: subprocess.Popen[bytes], path: Path) -> None:
    if victim == "stop":
        process.send_signal(signal.SIGTERM)
        process.wait()
        return
    doomed = {process.pid} if victim == "runner" else processes(path) - {process.pid}
    for number in doomed | ({process.pid} if victim == "all" else set()):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    if victim == "worker":
        process.wait()


def test_workers_do_not_outlive_a_runner_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "sweep.zarr"
    new_store(path, wait=60)
    with runner(path, 2) as process:
        wait_until(lambda: len(processes(path)) == 3)
        process.kill()
    wait_until(lambda: not processes(path))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_second_signal_drops_the_chunks_in_hand(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "sweep.zarr"
    _, store = new_store(path, wait=60)
    with runner(path, workers) as process:
        wait_until(lambda: len(list((path / "plan" / "locks").glob("[0-9]*"))) == workers)
        wait_until(lambda: _has_given_in(process))
        assert process.wait() != 0
    wait_until(lambda: not processes(path))
    assert not any(store.keys())
    with store.locks.writer():
        pass


def _has_given_in(process: subprocess.Popen[bytes]) -> bool:
    """Ask once more; two signals at once may count as one."""
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    return process.poll() is not None


def test_a_store_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "sweep.zarr"
    whole_store(path)
    _, expected_store = whole_store(tmp_path / "other.zarr", version=3)
    plan = FakePlan(version=3)
    store = open_store(path)
    store.adopt(plan.layout, plan.document, plan.key)
    for number in range(5):
        store.write(number, plan.compute(number), plan.key(number))
        found = xr.open_zarr(path).load()
        done = 8 * (number + 1)
        assert same(found.drug.values[:done], expected_store.columns("drug")[:done])


def test_what_a_stranger_has_in_hand_is_not_swept_away(tmp_path: Path) -> None:
    """A worker on another machine may outlive the run that it belongs to."""
    plan, store = new_store(tmp_path / "sweep.zarr")
    with life(20):
        store.write(1, plan.compute(1), plan.key(1))
    half = set(store.path.rglob("*.partial"))
    with open_store(store.path).locks.chunk(1) as is_held:
        assert is_held
        store.sweep_up()
        assert set(store.path.rglob("*.partial")) == half != set()
    store.sweep_up()
    assert not list(store.path.rglob("*.partial"))
