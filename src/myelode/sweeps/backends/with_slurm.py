"""A sweep as an array job of SLURM: few tasks of many chunks each, submitted with `sbatch`.

Nothing here needs SLURM's accounting: what is missing, the store itself knows.
"""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.backends.slurm_scripts import Request, Tasks, folder_of

SECONDS_PER_TASK = 300.0
"""How long a task should take at least: a batch system needs seconds to start one."""

LARGEST_ARRAY = 1001
"""MaxArraySize where no cluster says another."""

MOST_CANDIDATES = 50
JOB = "job"

_BUSY = {"PENDING", "RUNNING", "REQUEUED", "REQUEUE_HOLD", "SUSPENDED", "CONFIGURING", "STOPPED"}


@dataclass(frozen=True)
class Pace:
    """How fast a task gets on.

    Attributes
    ----------
    seconds : of a chunk on one core.
    is_threaded : whether cores that would stand idle may share a chunk; else it has one of them.
    """

    seconds: float
    cores: int
    is_threaded: bool

    def predicted(self, chunks: int) -> float:
        """Seconds for so many chunks, of which so many are computed at once as there are cores."""
        if self.is_threaded and chunks < self.cores:
            return self.seconds / (self.cores // chunks)
        return self.seconds * math.ceil(chunks / self.cores)

    def tasks(self, chunks: int) -> int:
        """In how many tasks all cores are busy for as long as a task should take."""
        if self.is_threaded:
            return math.floor(self.seconds * chunks / self.cores / SECONDS_PER_TASK)
        return math.ceil(chunks / self.cores / math.ceil(SECONDS_PER_TASK / self.seconds))


def share(missing: Sequence[int], pace: Pace, request: Request, largest: int) -> Tasks:
    """Tasks of five minutes and more for the missing chunks, as even as their numbers allow.

    Parameters
    ----------
    largest : the cluster's MaxArraySize: so many tasks, of which the first is number 0.

    Raises
    ------
    ScenarioError : more tasks are asked for than the cluster takes, or it takes no arrays.
    """
    numbers = np.asarray(missing, dtype=np.int64)
    if largest < 1:
        raise ScenarioError(
            "this cluster takes no array jobs (MaxArraySize is 0): submit jobs of your own that "
            "call `myelode sweep run STORE --shard I/N`"
        )
    count = request.tasks or _enough(numbers, pace, largest)
    if count > largest:
        raise ScenarioError(f"--tasks {count}: this cluster takes {largest} (MaxArraySize)")
    loads = np.bincount(numbers % count)
    busy = tuple(int(number) for number in np.flatnonzero(loads))
    return Tasks(count, busy, int(loads.max()), pace.predicted(int(loads.max())))


def _enough(missing: np.ndarray, pace: Pace, most: int) -> int:
    """So many tasks that each takes long enough, and none much longer than the others.

    Chunks of tasks that were killed are missing in a pattern: another number breaks it.
    """
    most = min(most, len(missing))
    fewest = min(max(pace.tasks(len(missing)), 1), most)
    candidates = range(fewest, min(2 * fewest, most) + 1)[:MOST_CANDIDATES]
    even = pace.predicted(-(-len(missing) // fewest))
    longest = {n: pace.predicted(int(np.bincount(missing % n).max())) for n in candidates}
    return min(candidates, key=lambda count: (max(longest[count], even), count))


def largest_array() -> int:
    """The cluster's MaxArraySize, or SLURM's default where there is no cluster."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _said("scontrol", "show", "config"), re.M)
    return int(found[1]) if found else LARGEST_ARRAY


def require_idle(store: Path) -> None:
    """Refuse while an array of the same store waits or runs; raises ScenarioError."""
    note = folder_of(store) / JOB
    if not note.is_file():
        return
    job = note.read_text(encoding="utf-8").strip()
    states = _said("squeue", "--noheader", "--array", f"--jobs={job}", "--format=%T").split()
    if busy := sum(state in _BUSY for state in states):
        raise ScenarioError(
            f"{store}: {busy} tasks of job {job} wait or run: let them end, or scancel {job} first"
        )


def _said(*command: str) -> str:
    """What a command prints; nothing if it fails, or if there is no such command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout


def submit(array: Path, summary: Path) -> tuple[str, str]:
    """Submit both scripts, the summary behind the array; the numbers of their jobs.

    Raises
    ------
    ScenarioError : there is no `sbatch`, or it refuses a script.
    """
    job = _sbatch(str(array))
    (array.parent / JOB).write_text(f"{job}\n", encoding="utf-8")
    return job, _sbatch(f"--dependency=afterany:{job}", str(summary))


def _sbatch(*arguments: str) -> str:
    command = ["sbatch", "--parsable", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise ScenarioError(
            "there is no sbatch here: where SLURM is not, write the scripts with --dry-run, "
            "or let another scheduler call `myelode sweep run STORE --shard I/N`"
        ) from None
    if done.returncode:
        said = (done.stderr.strip() or "it does not say why").splitlines()[-1]
        raise ScenarioError(f"{arguments[-1]}: sbatch refuses it: {said}")
    return done.stdout.strip().partition(";")[0]
