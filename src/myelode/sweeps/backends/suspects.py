"""What a crew has to do, in which order: chunks that kill their process come last.

Such a chunk is cut in halves, again and again, and those of its points that are known by then stay
in memory: so one chunk is cut after the other, and all others are computed before.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from myelode.sweeps.backends.jobs import Job
from myelode.sweeps.blocks import Block, joined

NOWHERE = -1
"""The chunk of points that belong to none."""


@dataclass
class Suspect:
    """A chunk that has killed its processes, and what is known of its points by now.

    Attributes
    ----------
    culprits : the points that kill, and how.
    blocks : the others that are known, by their numbers.
    """

    job: Job
    numbers: tuple[int, ...]
    culprits: dict[int, str] = field(default_factory=dict)
    blocks: dict[tuple[int, ...], Block] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    @property
    def is_known(self) -> bool:
        """Whether all points are."""
        return len(self.culprits) + sum(map(len, self.blocks)) == len(self.numbers)

    @property
    def unknown(self) -> tuple[int, ...]:
        """The points that may be innocent."""
        return tuple(number for number in self.numbers if number not in self.culprits)

    def whole(self, crashed: Block) -> Block:
        """All points, in their order; `crashed` are the culprits, as they increase."""
        numbers = [*sorted(self.culprits), *(number for part in self.blocks for number in part)]
        order = np.argsort(numbers)
        parts = [crashed, *self.blocks.values()] if self.culprits else [*self.blocks.values()]
        return {name: values[order] for name, values in joined(parts).items()}


@dataclass
class Task:
    """What a worker is given: a job, a piece of a suspect, or a point to see whether it survives.

    Attributes
    ----------
    tries : how many processes it has killed.
    """

    job: Job
    suspect: Suspect | None = None
    is_probe: bool = False
    tries: int = 0

    @property
    def points(self) -> tuple[int, ...]:
        """The points of a piece, or of a probe."""
        return self.job.points or ()

    @property
    def goes_home(self) -> bool:
        """Whether the worker sends home what it has computed, and does not write it."""
        return self.is_probe or self.suspect is not None


class Agenda:
    """What nobody does yet: probes, then chunks, then pieces of one suspect after the other."""

    def __init__(self, jobs: Iterable[Job]):
        self._chunks = deque(Task(job) for job in jobs)
        self._probes: deque[Task] = deque()
        self._pieces: deque[Task] = deque()
        self._suspects: deque[Suspect] = deque()

    def __len__(self) -> int:
        tasks = len(self._probes) + len(self._chunks) + len(self._pieces)
        return tasks + len(self._suspects)

    def next(self) -> Task:
        """What is to be done next."""
        if not (self._probes or self._chunks or self._pieces):
            suspect = self._suspects.popleft()
            suspect.began = time.perf_counter()
            self._cut(suspect, suspect.unknown)
        return (self._probes or self._chunks or self._pieces).popleft()

    def probe(self, points: Iterable[int]) -> None:
        """See whether a process survives these points, one at a time, before anything else."""
        self._probes.extend(Task(Job(NOWHERE, points=(point,)), is_probe=True) for point in points)

    def drop_probes(self) -> None:
        """What they were to tell is known."""
        self._probes.clear()

    def again(self, task: Task) -> None:
        """Do a task once more, and soon."""
        (self._pieces if task.suspect else self._chunks).appendleft(task)

    def suspect(self, suspect: Suspect) -> None:
        """Find out, later, which points of a chunk kill beside those that are known."""
        self._suspects.append(suspect)

    def halve(self, piece: Task) -> None:
        """Do a piece of two points or more in two pieces."""
        if piece.suspect is not None:
            self._cut(piece.suspect, piece.points)

    def _cut(self, suspect: Suspect, points: tuple[int, ...]) -> None:
        """Two pieces, or one if it is one point; before all others, so that they are soon known."""
        middle = (len(points) + 1) // 2
        for half in (points[middle:], points[:middle]):
            if half:
                self._pieces.appendleft(Task(replace(suspect.job, points=half), suspect))
