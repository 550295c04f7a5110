"""Where Dask runs a sweep: on this machine, on a scheduler that is up, or on a batch system.

``local`` starts worker processes here. An address (``tcp://host:8786``) is that of a scheduler.
Anything else is a file that describes a cluster.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from myelode.errors import ScenarioError
from myelode.sweeps.backends.dask_files import ClusterFile, read_cluster

LOCAL = "local"
SECONDS_TO_CONNECT = 5

DEATHS = 1
"""How many workers a chunk may have killed before it is tried on no more, on our own clusters."""

WORKER_MODULE = "myelode.sweeps.backends.with_dask"
"""Whose `dask_setup` prepares worker processes on this machine."""

_ADDRESS = re.compile(r"\w+://\S+|[\w.-]+:\d+")
_LOUD = ("distributed", "dask_jobqueue", "tornado", "asyncio")


@dataclass(frozen=True)
class Cluster:
    """A cluster that can be used.

    Attributes
    ----------
    where : what names it.
    client : Dask's client.
    refusals : why jobs could not be submitted.
    """

    where: str
    client: Any
    refusals: list[str] = field(default_factory=list)

    def require_hope(self) -> None:
        """Raise ScenarioError if there is no worker, and will be none."""
        if self.refusals and not self.client.scheduler_info()["workers"]:
            raise ScenarioError(f"{self.where}: no job can be submitted: {self.refusals[-1]}")


@contextmanager
def dask_cluster(where: str, workers: int | None) -> Iterator[Cluster]:
    """The cluster that `where` names; what was started is ended.

    Raises
    ------
    ScenarioError : Dask is not installed, nobody answers, or the file is wrong.
    """
    try:
        import distributed  # noqa: F401 - it makes the logs that are to be quiet
    except ImportError:
        raise ScenarioError("--dask needs the extra 'dask': pip install 'myelode[dask]'") from None
    refusals: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if where == LOCAL:
            target = stack.enter_context(_local(workers))
        elif _ADDRESS.fullmatch(where):
            target = where
        else:
            target = stack.enter_context(_lent(_file(where), refusals))
        client = _connected(target, where)
        stack.callback(client.close, timeout=2)
        yield Cluster(where, client, refusals)


def _connected(target: Any, where: str) -> Any:
    """A client; raises ScenarioError if nobody answers within seconds."""
    import distributed

    kind: Any = distributed.Client  # is not annotated
    try:
        return kind(target, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except ValueError as problem:
        raise ScenarioError(f"{where}: is no address of a scheduler: {problem}") from None
    except OSError:
        raise ScenarioError(
            f"{where}: no scheduler answers there within {SECONDS_TO_CONNECT} s"
        ) from None


@contextmanager
def _local(workers: int | None) -> Iterator[Any]:
    """Worker processes on this machine, of one thread each."""
    import distributed

    kind: Any = distributed.LocalCluster  # is not annotated
    options = {"threads_per_worker": 1, "processes": True, "memory_limit": 0}
    quiet = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    with _few_deaths(), kind(workers, preload=[WORKER_MODULE], **options, **quiet) as cluster:
        yield cluster


def _file(where: str) -> ClusterFile:
    path = Path(where)
    if not path.exists():
        raise ScenarioError(
            f"{where}: --dask takes local, the address of a scheduler (tcp://HOST:8786), "
            "or a file that describes a cluster, and there is no such file"
        )
    return read_cluster(path)


@contextmanager
def _lent(file: ClusterFile, refusals: list[str]) -> Iterator[Any]:
    """Workers that a batch system lends: as many as there is work for, up to a maximum."""
    job = _telling(file.kind.job_cls, refusals)
    with _few_deaths():
        try:
            cluster = file.kind(job_cls=job, **file.options)
        except (ValueError, TypeError, OSError, RuntimeError) as problem:
            raise ScenarioError(f"{file.place}: {_first_line(problem)}") from None
        try:
            # Not `scale`: it replaces no job that was cancelled.
            cluster.adapt(**file.adapt)
            yield cluster
        finally:
            with suppress(AssertionError):  # it does not expect that a job is being submitted
                cluster.close()


def _telling(kind: Any, refusals: list[str]) -> Any:
    """A class of jobs that notes why one could not be submitted; Dask would only log it."""

    from distributed.core import Status

    class TellingJob(kind):  # type: ignore[misc]
        async def _submit_job(self, script_filename: str) -> Any:
            try:
                return await super()._submit_job(script_filename)
            except (OSError, RuntimeError) as problem:
                self.status = Status.failed
                refusals.append(_why(kind.submit_command, problem))
                raise

    return TellingJob


@contextmanager
def _few_deaths() -> Iterator[None]:
    """A chunk that kills a worker is not tried on many more: alone, its culprits are found."""
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": DEATHS}):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's log and its warnings are not for our users: what matters to them is said in a line."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOUD]
    before = {name: logging.getLogger(name).level for name in {*known, *_LOUD}}
    for name in before:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _first_line(problem: object) -> str:
    return str(problem).strip().split("\n")[0]


def _why(command: str, problem: OSError | RuntimeError) -> str:
    """Why a job could not be submitted: there is no such command, or it has said so at its end."""
    if isinstance(problem, OSError):
        return f"{command}: {problem.strerror}"
    return str(problem).strip().split("\n")[-1]
