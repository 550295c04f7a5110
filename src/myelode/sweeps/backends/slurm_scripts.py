"""The scripts of an array job of SLURM, and of the job that sums up behind it.

Task ``i`` of ``n`` computes the chunks ``i``, ``i + n``, ... that are not stored. The scripts stand
in a folder beside the store, and so do their logs.
"""

from __future__ import annotations

import math
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

from myelode.errors import ScenarioError
from myelode.files import write_atomically

ARRAY, SUMMARY, STATUS = "array.sh", "summary.sh", "status.json"

SPARE, SPARE_MINUTES = 3.0, 10
"""A task may take so many times as long as predicted, and so many minutes more."""

UNKNOWN_HOURS = 24
"""How long a task may take of which nothing can be predicted."""


@dataclass(frozen=True)
class Request:
    """What is asked of SLURM; None leaves it to the prediction, or to the cluster.

    Attributes
    ----------
    tasks : of how many the array is.
    throttle : how many of them run at once.
    time, memory, partition, account : as `sbatch` takes them.
    cores : of each task.
    options : more options of `sbatch`, ``--qos=long`` for example.
    """

    tasks: int | None = None
    throttle: int | None = None
    time: str | None = None
    memory: str | None = None
    partition: str | None = None
    account: str | None = None
    cores: int = 1
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what would be more than one option in a script."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str) and not re.fullmatch(r"[^\s#]+", value):
                raise ScenarioError(f"--{item.name} {value!r}: must be one word")
        for option in self.options:
            if not re.fullmatch(r"--?\w[^\n\r]*", option):
                raise ScenarioError(f"--sbatch {option!r}: must be an option such as --qos=long")


@dataclass(frozen=True)
class Tasks:
    """How the missing chunks are shared.

    Attributes
    ----------
    count : the `n` of ``--shard i/n``.
    numbers : the tasks that have something to do, in order.
    chunks : the most that one of them has.
    seconds : how long that one is predicted to take; NaN where nobody knows.
    """

    count: int
    numbers: tuple[int, ...]
    chunks: int
    seconds: float

    @property
    def text(self) -> str:
        """The numbers as ``--array`` takes them: ``0-9,12``."""
        ends = [n for n, after in pairwise([*self.numbers, math.inf]) if after != n + 1]
        begins = [n for before, n in pairwise([-math.inf, *self.numbers]) if n != before + 1]
        pairs = zip(begins, ends, strict=True)
        return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in pairs)


def folder_of(store: Path) -> Path:
    """Where the scripts and logs of a store stand: beside it."""
    return store.with_name(f"{store.name.removesuffix('.zarr')}.slurm")


def write_scripts(store: Path, tasks: Tasks, request: Request) -> tuple[Path, Path]:
    """Write the scripts of the array and of its summary; raises ScenarioError if that fails."""
    folder = folder_of(store)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        raise ScenarioError(f"{folder}: cannot be written: {problem.strerror}") from None
    write_atomically(folder / ARRAY, _writer(_array_script(store.absolute(), tasks, request)))
    write_atomically(folder / SUMMARY, _writer(_summary_script(store.absolute(), request)))
    return folder / ARRAY, folder / SUMMARY


def _writer(text: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    return write


def _array_script(store: Path, tasks: Tasks, request: Request) -> str:
    throttle = f"%{request.throttle}" if request.throttle else ""
    options = [
        *_shared_options(store, request, "%A_%a"),
        f"--array={tasks.text}{throttle}",
        "--requeue",
        f"--cpus-per-task={request.cores}",
        f"--time={request.time or _minutes(tasks.seconds)}",
        *([f"--mem={request.memory}"] if request.memory else []),
        *request.options,
    ]
    command = _myelode("run", store, "--workers", str(request.cores))
    shard = f'--shard "$SLURM_ARRAY_TASK_ID/{tasks.count}"'
    return _script(options, f"exec {command} {shard}\n")


def _summary_script(store: Path, request: Request) -> str:
    options = [*_shared_options(store, request, "summary_%j"), "--time=30", *request.options]
    status = shlex.quote(str(folder_of(store) / STATUS))
    commands = f"{_myelode('status', store, '--json')} > {status}\n{_myelode('status', store)}\n"
    return _script(options, f"set -eu\n{commands}")


def _shared_options(store: Path, request: Request, log: str) -> Iterator[str]:
    yield "--job-name=" + re.sub(r"[^\w.-]", "_", f"sweep-{folder_of(store).stem}")
    folder = str(folder_of(store)).replace("%", "%%")
    yield f'--output="{folder}/{log}.log"'
    yield "--open-mode=append"
    yield "--ntasks=1"
    if request.partition:
        yield f"--partition={request.partition}"
    if request.account:
        yield f"--account={request.account}"


def _script(options: Sequence[str], commands: str) -> str:
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in options)]
    return "\n".join([*lines, "", commands])


def _myelode(verb: str, store: Path, *options: str) -> str:
    """A command of ours, with the Python that runs now: jobs may have another path."""
    return shlex.join([sys.executable, "-m", "myelode", "sweep", verb, str(store), *options])


def _minutes(seconds: float) -> int:
    """How long SLURM is to let a task run that is predicted to take so long."""
    if not math.isfinite(seconds):
        return 60 * UNKNOWN_HOURS
    return math.ceil(SPARE * seconds / 60) + SPARE_MINUTES
