"""What has become of the points of a sweep: counts, reasons, rate, and when it will be done."""

from __future__ import annotations

import itertools
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
PAUSE = 10.0
"""How many times longer than usual nothing is finished where nobody computes."""


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
    seconds = np.zeros(store.layout.chunks)
    for number in range(store.layout.chunks):
        status = store.column("status", number)
        counts.update(status.tolist())
        seconds[number] = np.nansum(store.column("seconds", number))
        if (status > DONE).any():
            reasons.update(_reasons(status, store.column("reason", number)))
    done, missing = counts[DONE], counts[MISSING]
    failed = store.layout.count - done - missing
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    rate, total = _rate(store, seconds), float(seconds.sum())
    return Ledger(store.layout.count, done, failed, missing, total, ordered, rate)


def _reasons(status: np.ndarray, reason: np.ndarray) -> list[str]:
    """Why points failed, of those that did."""
    failed = np.flatnonzero(status > DONE)
    return [words(int(status[i]), str(reason[i])) for i in failed]


def words(status: int, reason: str) -> str:
    """A status and its reason as ``gave up: took more than 10 s``."""
    word = WORDS.get(status, f"status {status}").replace("_", " ")
    return f"{word}: {reason}" if reason else word


def _rate(store: Store, seconds: np.ndarray) -> float | None:
    """Points per second in the chunks that were finished last, without pauses between them."""
    times = np.array([store.finished_at(number) for number in range(store.layout.chunks)])
    latest = np.argsort(times)[: np.isfinite(times).sum()][-LATEST:]
    run = _without_pause(times[latest], seconds[latest])
    numbers = latest[run]
    took = times[numbers[-1]] - times[numbers[0]] if numbers.size else 0.0
    if took <= 0:
        return None
    return float(sum(store.layout.size(int(number)) for number in numbers[1:]) / took)


def _without_pause(times: np.ndarray, seconds: np.ndarray) -> slice:
    """The last two chunks and more between which nobody has paused.

    Chunks that many workers compute side by side are finished in bursts: it is a pause only if none
    of them took as long either.
    """
    gaps = np.diff(times)
    if not gaps.size:
        return slice(0)
    usual = max(float(np.median(gaps)), float(seconds.max()))
    cuts = [0, *(np.flatnonzero(gaps > PAUSE * usual) + 1).tolist(), len(times)]
    runs = [slice(first, last) for first, last in itertools.pairwise(cuts) if last - first > 1]
    return runs[-1] if runs else slice(0)
