"""Whatever is killed, and whenever: a store that is resumed is that of a run without a pause."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.sweeps.backends.jobs import Job, do_job
from myelode.sweeps.backends.local import unfinished
from myelode.sweeps.blocks import DONE, MISSING
from myelode.sweeps.stores import store as stores
from myelode.sweeps.stores.store import Store, open_store

from .fakes import FOLDER, FakePlan, differences, new_store, same, whole_store

FAIL = [5, 17]


class Killed(BaseException):
    """The process ends here: nothing is tidied up."""


class Mortal:
    """`os` for a process that dies at the call of a system function after so many others."""

    def __init__(self, calls: int):
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._counted(real) if name in ("open", "write", "replace", "unlink") else real

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Killed
            return real(*arguments)

        return call


@contextmanager
def life(calls: int) -> Iterator[None]:
    """Whoever writes to stores here dies after so many calls."""
    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(stores, "os", Mortal(calls))
        yield


def compute(plan: FakePlan, path: Path) -> None:
    """What a run does: whatever is not there."""
    store = open_store(path)
    store.adopt(plan.layout, plan.document)
    for number in unfinished(plan, store, range(plan.layout.chunks)):
        do_job(plan, store, Job(number, plan.key(number)))


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


EVENTS = st.one_of(
    st.tuples(st.just("dies"), st.integers(0, 150)),
    st.tuples(st.just("dies with another model"), st.integers(0, 150)),
    st.tuples(st.just("is torn"), st.integers(0, 1000), st.floats(0, 1)),
)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of one worker that nothing has interrupted."""
    return whole_store(tmp_path_factory.mktemp("whole") / "sweep.zarr", fail=FAIL)[1]


@given(events=st.lists(EVENTS, max_size=6))
@settings(max_examples=30)
def test_after_any_deaths_and_torn_files_the_store_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, expected: Store, events: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("killed") / "sweep.zarr"
    plan, store = new_store(path, fail=FAIL)
    for what, *numbers in events:
        if what == "is torn":
            tear(path, *numbers)
        else:
            version = 2 if "another" in what else 1
            with life(*numbers):
                compute(FakePlan(fail=FAIL, version=version), path)
        _require_honest(path)
    compute(plan, path)
    store = open_store(path)
    store.sweep_up()
    assert not differences(store, expected)
    assert not list(path.rglob("*.partial"))


def _require_honest(path: Path) -> None:
    """Plain xarray sees no point as done whose numbers are not those of a finished chunk."""
    store = open_store(path)
    found = store.status()
    for number in range(store.layout.chunks):
        first, last = store.layout.bounds(number)
        if not store.key(number):
            assert set(found[first:last].tolist()) == {MISSING}


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
    store.adopt(plan.layout, plan.document)
    for number in range(5):
        store.write(number, plan.compute(number), plan.key(number))
        found = xr.open_zarr(path).load()
        done = 8 * (number + 1)
        assert same(found.drug.values[:done], expected_store.columns("drug")[:done])
