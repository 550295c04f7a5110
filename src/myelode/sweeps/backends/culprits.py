"""Points that have killed their process, noted beside the store's locks until their chunk is there.

Who looks for the points that kill may be killed: the next one does not try again what is noted.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from myelode.sweeps.backends.jobs import Job
from myelode.sweeps.stores.store import Store


def note(store: Store, job: Job, point: int, reason: str) -> None:
    """Note a point of a whole chunk that is being computed; a full disk forgets it."""
    if job.points is None:
        with suppress(OSError), _file(store, job.number).open("a", encoding="utf-8") as file:
            file.write(json.dumps([job.key, point, reason]) + "\n")


def noted(store: Store, job: Job) -> dict[int, str]:
    """The points of a chunk that kill, and how; none if they are to be tried again."""
    found: dict[int, str] = {}
    if job.points is None:
        for line in _lines(_file(store, job.number)):
            with suppress(ValueError, TypeError):  # cut off
                key, point, reason = json.loads(line)
                found |= {point: reason} if key == job.key else {}
    return found


def forget(store: Store, number: int) -> None:
    """A chunk is there."""
    with suppress(OSError):
        _file(store, number).unlink()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _file(store: Store, number: int) -> Path:
    return store.path / "plan" / "locks" / f"culprits.{number}"
