"""How a sweep says that it gets on: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from myelode.sweeps.backends.jobs import Finished

SECONDS_BETWEEN_LINES = 30.0


class Pace:
    """How many points there are, and how fast they go.

    Parameters
    ----------
    total, there : points in all, and those that were there before.
    """

    def __init__(self, total: int, there: int = 0):
        self.total, self.there = total, there
        self.computed = self.failed = 0
        self._began = time.monotonic()

    def add(self, done: Finished) -> None:
        """A chunk is finished."""
        self.computed += done.points
        self.failed += done.failed

    @property
    def done(self) -> int:
        """The points that are there now."""
        return self.there + self.computed

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Points per second since it began."""
        return self.computed / max(self.seconds, 1e-9)

    @property
    def line(self) -> str:
        """All of it: ``12,288 of 100,000 points (12.3 %), 1,500 points/s, 58 s left, 3 failed``."""
        share = 100 * self.done / max(self.total, 1)
        left = (self.total - self.done) / self.rate if self.computed else None
        return (
            f"{self.done:,} of {self.total:,} points ({share:.1f} %), {pace(self.rate)}, "
            f"{'?' if left is None else duration(left)} left, {self.failed:,} failed"
        )


def pace(rate: float) -> str:
    """A rate with as many digits as it deserves: ``1,500 points/s`` or ``0.25 points/s``."""
    return f"{rate:,.0f} points/s" if rate >= 100 else f"{rate:.3g} points/s"


def duration(seconds: float) -> str:
    """Seconds in words, no finer than two units: ``3 d 4 h``, ``2 min 5 s``, ``0.4 s``."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    rest, parts = round(seconds), list[str]()
    for size, unit in units:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


@contextmanager
def showing(title: str, pace: Pace, wanted: bool) -> Iterator[Callable[[Finished], None]]:
    """Calls with what is finished are shown on stderr, if that is wanted."""
    if not wanted:
        yield pace.add
    elif sys.stderr.isatty():
        with _bar(title, pace) as show:
            yield show
    else:
        with _lines(title, pace):
            yield pace.add


@contextmanager
def _bar(title: str, pace: Pace) -> Iterator[Callable[[Finished], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    text = TextColumn("{task.fields[line]}", markup=False)
    screen = Console(stderr=True, highlight=False)
    with Progress(TextColumn(title, markup=False), BarColumn(20), text, console=screen) as bar:
        task = bar.add_task(title, total=pace.total, completed=pace.there, line=pace.line)

        def show(done: Finished) -> None:
            pace.add(done)
            bar.update(task, completed=pace.done, line=pace.line)

        yield show


@contextmanager
def _lines(title: str, pace: Pace) -> Iterator[None]:
    """A line every half minute, also when nothing was finished: a log shows that it lives."""
    ended = threading.Event()

    def speak() -> None:
        while not ended.wait(SECONDS_BETWEEN_LINES):
            say(f"{title}: {pace.line}")

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()


def say(line: str) -> None:
    """A line on stderr, with the time of day."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
