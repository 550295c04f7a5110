"""Points without a number: how many, where they lie, and why, for one endpoint or several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from myelode.sensitivities.regions import failing_region
from myelode.sensitivities.samples import Reading, Sample


def has_gaps(reading: Reading) -> bool:
    """Whether a point has no number."""
    return not np.isfinite(reading.values).all()


def failed_in(sample: Sample, reading: Reading) -> np.ndarray:
    """Which points have no number because they failed.

    A point fails with any of its runs; the numbers of its other runs stand.
    """
    return np.asarray(sample.has_failed & ~np.isfinite(reading.values))


def failures_of(sample: Sample, reading: Reading, labels: Sequence[str] = ()) -> str:
    """``failed``, or ``failed for`` these entries where other points failed for others."""
    is_all = not labels or np.array_equal(failed_in(sample, reading), sample.has_failed)
    return "failed" if is_all else f"failed for {' and '.join(labels)}"


def gaps_of(sample: Sample, reading: Reading, labels: Sequence[str] = ()) -> str:
    """``12 of 6144 points failed, all with k_H above 3.2 1/h (5000 steps were not enough)``.

    Of points that have not failed: ``185 of 2560 points never reach ic50, all with ...``.

    Parameters
    ----------
    labels : all entries that this is said of, if it is not of one by itself.
    """
    failed = failed_in(sample, reading)
    lost = ~np.isfinite(reading.values) & ~failed
    texts = []
    if failed.any():
        what = failures_of(sample, reading, labels)
        texts.append(_where(sample, failed, what) + commonest(sample.reasons_at(failed)))
    if lost.any():
        never = np.isinf(reading.values[lost]).all()
        what = "never reach" if never else "have no number for"
        texts.append(_where(sample, lost, f"{what} {' and '.join(labels or [reading.label])}"))
    return "; ".join(texts)


def _where(sample: Sample, lost: np.ndarray, what: str) -> str:
    region = failing_region(sample.parameters, sample.points, lost)
    return f"{int(lost.sum())} of {lost.size} points {what}, {region}"


def commonest(reasons: Sequence[str]) -> str:
    """The reason that is given most often, in brackets."""
    known = Counter(reason for reason in reasons if reason)
    if not known:
        return ""
    [(reason, times)] = known.most_common(1)
    if len(known) == 1:
        return f" ({reason})"
    return f" ({f'most often, {times} times' if times > 1 else 'among others'}: {reason})"
