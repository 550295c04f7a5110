"""What has become of the points of a sweep: counts, reasons, rate, and when it will be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from myelode.sweeps.blocks import DONE, MISSING, STATUS

if TYPE_CHECKING:
    from myelode.sweeps.stores.store import Store

WORDS = {code: word for word, code in STATUS.items()}
LATEST = 50
"""From how many chunks, the latest ones, the rate is taken."""


@dataclass(frozen=True)
class Ledger:
    """What has become of the points of a sweep.

    Attributes
    ----------
    points, done, failed, missing : numbers of points; `failed` are all that were computed in vain.
    seconds : what their computation took, on one processor.
    reasons : how many points failed for each reason, the most frequent first, led by the word of
        the status.
    rate : points per second in the latest chunks, by when they were finished; None where too few.
    """

    points: int
    done: int
    failed: int
    missing: int
    seconds: float
    reasons: Mapping[str, int]
    rate: float | None

    @property
    def remaining_seconds(self) -> float | None:
        """How long the missing points would take at this rate; None if nobody knows."""
        return self.missing / self.rate if self.rate else None


def read_ledger(store: Store) -> Ledger:
    """The ledger of a store, read chunk by chunk."""
    counts: Counter[int] = Counter()
    reasons: Counter[str] = Counter()
    seconds = 0.0
    for number in range(store.layout.chunks):
        status = store.column("status", number)
        counts.update(status.tolist())
        seconds += float(np.nansum(store.column("seconds", number)))
        if (status > DONE).any():
            reasons.update(_reasons(status, store.column("reason", number)))
    done, missing = counts[DONE], counts[MISSING]
    failed = store.layout.count - done - missing
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    return Ledger(store.layout.count, done, failed, missing, seconds, ordered, _rate(store))


def _reasons(status: np.ndarray, reason: np.ndarray) -> list[str]:
    """Why points failed, of those that did."""
    failed = np.flatnonzero(status > DONE)
    return [words(int(status[i]), str(reason[i])) for i in failed]


def words(status: int, reason: str) -> str:
    """A status and its reason as ``gave up: took more than 10 s``."""
    word = WORDS.get(status, f"status {status}").replace("_", " ")
    return f"{word}: {reason}" if reason else word


def _rate(store: Store) -> float | None:
    """Points per second in the chunks that were finished last."""
    times = [(store.finished_at(number), number) for number in range(store.layout.chunks)]
    known = sorted(item for item in times if np.isfinite(item[0]))[-LATEST:]
    if len(known) < 2 or known[-1][0] <= known[0][0]:
        return None
    points = sum(store.layout.size(number) for _, number in known[1:])
    return points / (known[-1][0] - known[0][0])
