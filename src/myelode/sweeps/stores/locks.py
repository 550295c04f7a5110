"""Who may write what in a store: locks that the system frees when a process ends, however it ends.

A sweep that writes all of a store holds `writer` alone; shards of a sweep hold it together. Whoever
computes a chunk holds the chunk's own lock, so that no chunk is ever written by two.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from myelode.errors import ScenarioError

WRITER = "writer"
ATTEMPTS, MOMENT = 5, 0.02
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class Locks:
    """The locks of one store.

    Attributes
    ----------
    are_kept : whether the file system keeps locks, as far as is known. Without them two writers do
        the same work twice; the numbers are the same.
    """

    def __init__(self, store: Path):
        self._store = store
        self._folder = store / "plan" / "locks"
        self.are_kept = True

    @contextmanager
    def writer(self, shard: str = "") -> Iterator[None]:
        """Write to the store: alone, or beside others as this shard of the sweep.

        Raises
        ------
        ScenarioError : somebody else writes to it, or nobody can.
        """
        handle = self._open(WRITER)
        try:
            self._lock_soon(handle, fcntl.LOCK_SH if shard else fcntl.LOCK_EX)
            self._sign(handle, f" (shard {shard})" if shard else "")
            yield
        finally:
            os.close(handle)

    @contextmanager
    def alone(self, purpose: str) -> Iterator[bool]:
        """Write to the store alone, for this purpose; gives whether nobody else does."""
        handle = self._open(WRITER)
        try:
            is_held = self._lock(handle, fcntl.LOCK_EX)
            if is_held:
                self._sign(handle, f" ({purpose})")
            yield is_held
        finally:
            os.close(handle)

    def _lock_soon(self, handle: int, kind: int) -> None:
        """Lock the writer's file; who only asks who writes holds it for a moment too."""
        for _ in range(ATTEMPTS):
            if self._lock(handle, kind):
                return
            time.sleep(MOMENT)
        who, store = self._signature(handle), self._store
        raise ScenarioError(
            f"{store}: is being written by {who}; wait for it, "
            f"or follow it with: myelode sweep status {store}"
        )

    def _signature(self, handle: int) -> str:
        return os.pread(handle, 1000, 0).decode(errors="replace").strip() or "somebody else"

    def _sign(self, handle: int, part: str) -> None:
        """Say who writes, for those that come later."""
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"process {os.getpid()} on {socket.gethostname()}{part} since {since}\n"
        with suppress(OSError):  # a full disk keeps nobody from computing what is half-written
            os.ftruncate(handle, 0)
            os.pwrite(handle, text.encode(), 0)

    def who_writes(self) -> str:
        """Who holds the store, as it signed; empty if nobody does."""
        try:
            handle = self._open_to_ask()
        except OSError:
            return ""
        try:
            return "" if self._is_free(handle) else self._signature(handle)
        except ScenarioError:
            return ""
        finally:
            os.close(handle)

    def _open_to_ask(self) -> int:
        """The writer's file, open for writing if possible: on NFS one alone can lock only such."""
        try:
            return os.open(self._folder / WRITER, os.O_RDWR)
        except OSError as problem:
            if problem.errno not in _READ_ONLY:
                raise
            return os.open(self._folder / WRITER, os.O_RDONLY)

    def _is_free(self, handle: int) -> bool:
        try:
            return self._lock(handle, fcntl.LOCK_EX)
        except ScenarioError:  # read-only on NFS: who writes alone is seen, shards are not
            return self._lock(handle, fcntl.LOCK_SH)

    @contextmanager
    def chunk(self, number: int) -> Iterator[bool]:
        """Hold a chunk; gives whether it is held, for others may compute it."""
        handle = self._held_file(str(number))
        try:
            yield handle is not None
        finally:
            if handle is not None:
                with suppress(OSError):
                    os.unlink(self._folder / str(number))
                os.close(handle)

    def _held_file(self, name: str) -> int | None:
        """A locked file of that name, which is deleted while it is locked.

        Others may have had it, and deleted it, between our opening and our locking.
        """
        while True:
            handle = self._open(name)
            if not self._lock(handle, fcntl.LOCK_EX):
                os.close(handle)
                return None
            with suppress(OSError):
                if os.path.samestat(os.fstat(handle), os.stat(self._folder / name)):
                    return handle
            os.close(handle)

    def _open(self, name: str) -> int:
        try:
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as problem:
            raise write_error(self._store, problem) from None

    def _lock(self, handle: int, kind: int) -> bool:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as problem:
            if problem.errno not in _NO_LOCKS:
                raise write_error(self._store, problem) from None
            self.are_kept = False
        return True

    def sweep_up(self) -> None:
        """Delete what killed processes left; only for who writes alone."""
        for path in self._folder.glob("[0-9]*"):
            with self.chunk(int(path.name)):
                pass


def write_error(store: Path, problem: OSError) -> ScenarioError:
    """Why a store cannot be written, in a line."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        why = "the disk is full; what was finished is kept: make room, then: myelode sweep resume "
        return ScenarioError(f"{store}: {why}{store}")
    if problem.errno in _READ_ONLY:
        return ScenarioError(f"{store}: cannot be written: is read-only")
    return ScenarioError(f"{store}: cannot be written: {problem.strerror or problem}")
