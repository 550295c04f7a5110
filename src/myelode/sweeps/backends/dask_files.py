"""A file that says which batch system lends the workers of a Dask cluster, and how many.

    cluster: slurm
    options: {cores: 8, memory: 16 GB, walltime: "02:00:00", queue: long}
    adapt: {maximum: 64}

`options` are those of dask_jobqueue's class for the batch system.
"""

from __future__ import annotations

import inspect
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from myelode.errors import ScenarioError, best_matches
from myelode.files import YamlFile, read_yaml

CLUSTERS = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "lsf": "LSFCluster",
    "sge": "SGECluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
    "htcondor": "HTCondorCluster",
    "local": "LocalCluster",
}
"""The classes of dask_jobqueue, by the name of the batch system; `local` is for trying it out."""

KEYS = ("cluster", "options", "adapt")
ADAPT = ("minimum", "maximum", "minimum_jobs", "maximum_jobs")

_NOT_IN_FILES = {"scheduler", "self", "asynchronous", "loop", "job_cls", "scheduler_cls", "name"}
_MISSING = "needs the extra 'dask': pip install 'myelode[dask]'"


@dataclass(frozen=True)
class ClusterFile:
    """What such a file says.

    Attributes
    ----------
    kind : the class of dask_jobqueue.
    options : what it is made with.
    adapt : how many workers or jobs there may be.
    place : where the options stand, for messages.
    """

    kind: Any
    options: Mapping[str, Any]
    adapt: Mapping[str, int]
    place: str


def read_cluster(path: Path) -> ClusterFile:
    """Read such a file; raises ScenarioError with the line of a fault."""
    file = read_yaml(path)
    _require_known(file, (), file.data, KEYS)
    kind = _class_of(file)
    return ClusterFile(kind, _options(file, kind), _adapt(file), file.place(("options",)))


def _class_of(file: YamlFile) -> Any:
    """The class of dask_jobqueue that the file names."""
    name = file.data.get("cluster")
    if name not in CLUSTERS:
        known, hint = ", ".join(CLUSTERS), best_matches(str(name), CLUSTERS)
        raise ScenarioError(f"{file.place(('cluster',))}: {name!r} is none of {known}{hint}")
    with _own_interrupts():
        try:
            import dask_jobqueue
            import dask_jobqueue.local
        except ImportError:
            raise ScenarioError(f"{file.where}: {_MISSING}") from None
    module = dask_jobqueue.local if name == "local" else dask_jobqueue
    return getattr(module, CLUSTERS[name])


@contextmanager
def _own_interrupts() -> Iterator[None]:
    """Keep what Ctrl-C means: dask_jobqueue makes it the end of the program once imported."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is not before:
            signal.signal(signal.SIGINT, before)


def _options(file: YamlFile, kind: Any) -> dict[str, Any]:
    """What is handed to the class: workers of one thread, this Python, any port for a dashboard."""
    given = file.data.get("options", {})
    _require_known(file, ("options",), given, _names_of(kind))
    missing = [name for name in ("cores", "memory") if name not in given]
    if missing:
        raise ScenarioError(f"{file.place(('options',))}: {missing[0]!r} is missing")
    _require_count(file, ("options", "cores"), given["cores"])
    _require_bytes(file, ("options", "memory"), given["memory"])
    scheduler = {"dashboard_address": ":0", **given.get("scheduler_options", {})}
    ours = {"python": sys.executable, "processes": given["cores"]}
    return {**ours, **given, "scheduler_options": scheduler}


def _names_of(kind: Any) -> list[str]:
    """The options of a class of dask_jobqueue, of its jobs and of all batch systems."""
    from dask_jobqueue.core import Job, JobQueueCluster

    made = (JobQueueCluster, Job, kind.job_cls)
    found = {name for one in made for name in inspect.signature(one.__init__).parameters}
    return sorted(name for name in found - _NOT_IN_FILES if "kwargs" not in name)


def _adapt(file: YamlFile) -> dict[str, int]:
    """How many workers there may be."""
    given = file.data.get("adapt")
    _require_known(file, ("adapt",), given, ADAPT)
    for name, number in given.items():
        _require_count(file, ("adapt", name), number)
    if not any(given.get(name) for name in ("maximum", "maximum_jobs")):
        raise ScenarioError(f"{file.place(('adapt',))}: 'maximum' is missing: how many workers")
    return dict(given)


def _require_known(
    file: YamlFile, path: tuple[str, ...], entry: Any, names: Collection[str]
) -> None:
    """Refuse what is no mapping, or has a key that is none of `names`."""
    if not isinstance(entry, Mapping):
        raise ScenarioError(f"{file.place(path)}: must map names to values")
    for key in entry:
        if key not in names:
            hint = best_matches(str(key), names)
            raise ScenarioError(f"{file.place((*path, str(key)))}: unknown key {key!r}{hint}")


def _require_count(file: YamlFile, path: tuple[str, ...], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScenarioError(f"{file.place(path)}: must be a whole number")


def _require_bytes(file: YamlFile, path: tuple[str, ...], value: Any) -> None:
    from dask.utils import parse_bytes

    try:
        parse_bytes(value)
    except (ValueError, AttributeError):
        raise ScenarioError(
            f"{file.place(path)}: {value!r} is no size: write 16 GB for example"
        ) from None
