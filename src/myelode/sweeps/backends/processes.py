"""A process that computes chunks of a sweep: how it is started, what it does, how it ends."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from myelode.errors import MyelodeError
from myelode.sweeps.backends.jobs import Finished, Job, Plan, compute, do_job, require_key
from myelode.sweeps.blocks import Block
from myelode.sweeps.stores.store import Store, open_store

PLANNER = "myelode.sweeps.plans:plan_again"
"""What makes a plan from a document in a worker, as ``module:function``."""

SECONDS_TO_DIE = 10.0
"""How long a process that has let go of its pipe may take to be gone."""

_ENTRY = "from myelode.sweeps.backends.processes import work; work()"


class Worker:
    """A process that computes what it is given.

    Attributes
    ----------
    connection : sends jobs, and gives pairs of a word and an answer.
    is_ready : whether it has planned the sweep.
    """

    def __init__(self, path: Path, planner: str):
        self.connection, theirs = Pipe()
        self.is_ready = False
        with theirs:
            # A group of its own: Ctrl-C in a terminal is for us, and we decide what it means.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _ENTRY, str(theirs.fileno()), str(path), planner],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,
                process_group=0,
            )

    def end(self, is_dying: bool = False) -> int:
        """Kill the process, unless it is dying, by itself and soon; how it ended."""
        self.connection.close()
        if is_dying:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(SECONDS_TO_DIE)
        self._process.kill()
        return self._process.wait()


class _Voice:
    """Sends home what goes wrong in Python; deaths need no words, and lack of memory is one."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:  # fmt: skip
        if isinstance(problem, MyelodeError):
            self._connection.send(("error", problem))
        elif isinstance(problem, Exception) and not isinstance(problem, MemoryError):
            self._connection.send(("fault", "".join(traceback.format_exception(problem))))
        return isinstance(problem, Exception) and not isinstance(problem, MemoryError)


def work() -> None:
    """What a worker process does: it plans the sweep again and computes what it is given."""
    handle, path, planner = sys.argv[1:]
    _end_with_parent()
    connection: Connection = Connection(int(handle))
    with _Voice(connection), suppress(EOFError, BrokenPipeError, ConnectionResetError):
        store = open_store(Path(path))
        plan = make_plan(planner, store.document)
        connection.send(("ready", None))
        while True:
            job, goes_home = connection.recv()
            connection.send(("done", _answer(plan, store, job, goes_home)))


def _answer(plan: Plan, store: Store, job: Job, goes_home: bool) -> Finished | Block:
    """A job is written here; the pieces of a suspect go home, and so do points without a chunk."""
    if not goes_home:
        return do_job(plan, store, job)
    if job.key:
        require_key(plan, store, job)
    return compute(plan, job, 1)


def make_plan(planner: str, document: str) -> Plan:
    """The plan that a function, given as ``module:function``, makes from a document."""
    module, _, name = planner.partition(":")
    plan: Plan = getattr(import_module(module), name)(document)
    return plan


def _end_with_parent() -> None:
    """Leave signals to the parent, and do not outlive it, not even in the middle of a chunk."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError, AttributeError):  # Linux only; elsewhere the pipe's end is noticed
        die_with_parent = 1
        ctypes.CDLL(None).prctl(die_with_parent, signal.SIGKILL)
