"""Locks: who comes second is told who writes; whoever is killed holds nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from myelode.errors import ScenarioError
from myelode.sweeps.stores.locks import Locks

HOLD = """
import sys
from pathlib import Path
from myelode.sweeps.stores.locks import Locks
locks = Locks(Path(sys.argv[1]))
with locks.writer(sys.argv[2]), locks.chunk(3):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "plan" / "locks").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def locks(store: Path) -> Locks:
    return Locks(store)


@contextmanager
def another(store: Path, shard: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another process that writes to the store, and has chunk 3 in hand."""
    command = [sys.executable, "-c", HOLD, str(store), shard]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_who_writes(store: Path, locks: Locks) -> None:
    with another(store) as first:
        with pytest.raises(ScenarioError) as caught, locks.writer():
            pass
        said = str(caught.value)
    assert f"is being written by process {first.pid} on {os.uname().nodename} since 20" in said
    assert said.endswith(f"UTC; wait for it, or follow it with: myelode sweep status {store}")


def test_shards_write_together_but_not_beside_one_that_writes_all(
    store: Path, locks: Locks
) -> None:
    with another(store, "1/4"):
        with locks.writer("2/4"), locks.writer("3/4"):
            pass
        with pytest.raises(ScenarioError, match=r"\(shard 3/4\) since"), locks.writer():
            pass
    with (
        another(store),
        pytest.raises(ScenarioError, match="is being written"),
        locks.writer("1/4"),
    ):
        pass


def test_who_is_killed_holds_nothing(store: Path, locks: Locks) -> None:
    with another(store) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with locks.writer(), locks.chunk(3) as is_held:
        assert is_held


def test_who_writes_can_be_asked_without_a_lock(store: Path, locks: Locks) -> None:
    assert locks.who_writes() == ""
    with another(store, "1/4") as first:
        assert locks.who_writes().startswith(f"process {first.pid} on ")
        assert "(shard 1/4)" in locks.who_writes()
    assert locks.who_writes() == ""
    with locks.writer():
        assert Locks(store).who_writes()


@pytest.fixture
def _like_nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not open for writing cannot be locked for one alone."""
    real = fcntl.flock

    def flock(handle: int, kind: int) -> None:
        is_read_only = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if is_read_only and kind & fcntl.LOCK_EX:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(handle, kind)

    monkeypatch.setattr("myelode.sweeps.stores.locks.fcntl.flock", flock)


@pytest.mark.usefixtures("_like_nfs")
@pytest.mark.parametrize("shard", ["", "1/4"])
def test_who_writes_can_be_asked_on_nfs(store: Path, locks: Locks, shard: str) -> None:
    with another(store, shard) as first:
        assert locks.who_writes().startswith(f"process {first.pid} on ")
    assert locks.who_writes() == ""


@pytest.mark.usefixtures("_like_nfs")
def test_who_writes_alone_is_seen_by_those_that_may_only_read(
    store: Path, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def open_to_read(name: Path, flags: int) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(name, flags)

    with another(store) as first:
        monkeypatch.setattr("myelode.sweeps.stores.locks.os.open", open_to_read)
        assert locks.who_writes().startswith(f"process {first.pid} on ")
    assert locks.who_writes() == ""


def test_one_is_alone_or_not_and_others_see_why(store: Path, locks: Locks) -> None:
    with another(store, "1/4"), locks.alone("tidies up") as is_held:
        assert not is_held
    with locks.alone("tidies up") as is_held:
        assert is_held
        assert "(tidies up) since" in Locks(store).who_writes()
        with pytest.raises(ScenarioError, match="tidies up"), Locks(store).writer("1/4"):
            pass


def test_a_chunk_in_other_hands_is_left_to_them(store: Path, locks: Locks) -> None:
    with another(store, "1/4"):
        with locks.chunk(3) as is_held:
            assert not is_held
        with locks.chunk(4) as is_held:
            assert is_held
            with Locks(store).chunk(4) as is_held_twice:
                assert not is_held_twice


def test_many_that_want_one_chunk_never_have_it_together(locks: Locks) -> None:
    inside: list[int] = []
    worst: list[int] = []

    def work() -> None:
        for _ in range(500):
            with locks.chunk(7) as is_held:
                if is_held:
                    inside.append(1)
                    worst.append(len(inside))
                    inside.pop()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(worst) == {1}


def test_no_lock_leaves_a_file_but_that_of_the_writer(store: Path, locks: Locks) -> None:
    with locks.writer():
        for number in range(3):
            with locks.chunk(number):
                pass
    assert [file.name for file in (store / "plan" / "locks").iterdir()] == ["writer"]


def test_what_the_killed_leave_is_swept_up(store: Path, locks: Locks) -> None:
    with another(store, "1/4") as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    left = store / "plan" / "locks" / "3"
    assert left.exists()
    with locks.writer(), locks.chunk(5):
        locks.sweep_up()
        assert not left.exists()
        assert (store / "plan" / "locks" / "5").exists()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_lets_everybody_write(
    locks: Locks, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(handle: int, kind: int) -> None:
        raise OSError(code, os.strerror(code))

    assert locks.are_kept
    monkeypatch.setattr("fcntl.flock", refuse)
    with ExitStack() as stack:
        stack.enter_context(locks.writer())
        stack.enter_context(locks.writer())
        assert stack.enter_context(locks.chunk(1))
    assert not locks.are_kept


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_store_has_no_writer(
    store: Path, locks: Locks, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("myelode.sweeps.stores.locks.os.open", refuse)
    with pytest.raises(ScenarioError) as caught, locks.writer():
        pass
    assert str(caught.value) == f"{store}: cannot be written: is read-only"
    assert locks.who_writes() == ""
