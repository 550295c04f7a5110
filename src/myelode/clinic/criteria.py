"""Response and progression of myeloma by serum M-protein, as the criteria of the IMWG say it.

The uniform response criteria of the International Myeloma Working Group (Kumar and colleagues,
Lancet Oncology 2016;17:e328, doi:10.1016/S1470-2045(16)30206-6), as far as serum M-protein alone
can tell: no urine, no marrow, no bone lesions, no free light chains, and so no stringent response.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LABELS = ("NE", "PD", "SD", "MR", "PR", "VGPR", "CR")
"""From not evaluable to complete response, in the order in which one is better than another."""
_NE, _PD, _SD, _MR, _PR, _VGPR, _CR = range(len(LABELS))
FALLS = (0.25, 0.5, 0.9)
"""Shares of the baseline that are gone in a minimal, a partial and a very good partial response."""
RISE, LEAST_RISE = 1.25, 5.0
HIGH, RISE_FROM_HIGH = 50.0, 10.0
"""Progression is a rise by a quarter and 5 g/L; from 50 g/L and more, 10 g/L are enough."""
MEASURABLE = 10.0
"""Serum M-protein in g/L from which it can be followed."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Responses:
    """Response and progression of patients: arrays with one element for each patient.

    Attributes
    ----------
    best : the best response before progression: CR, VGPR, PR, MR, SD, PD, or NE (not evaluable).
    progression : time from baseline to progression, or to the end of follow-up where there was
        none; NaN for patients without a measurable baseline.
    progressed : whether `progression` is that of a progression.
    duration : time from the first assessment of a response (PR or better) to `progression`; NaN
        without a response.
    best_change : the lowest M-protein up to progression relative to baseline, minus 1; NaN without
        an assessment after baseline.
    failed : patients whose M-protein is not a number at some assessment.
    """

    best: np.ndarray
    progression: np.ndarray
    progressed: np.ndarray
    duration: np.ndarray
    best_change: np.ndarray
    failed: np.ndarray


def imwg_response(
    times: np.ndarray,
    m_protein: np.ndarray,
    *,
    followed_until: np.ndarray | float | None = None,
    confirm: bool = True,
    measurable: float = MEASURABLE,
    undetectable: float | None = None,
) -> Responses:
    """Best response, progression and duration of response from serum M-protein at assessments.

    Parameters
    ----------
    times : the times of assessment, of shape ``(visits,)``, increasing; the first is baseline. All
        times in the result are in their unit, counted from baseline.
    m_protein : serum M-protein in g/L, of shape ``(..., visits)``.
    followed_until : when follow-up ends, at the same clock as `times` and of the shape of the
        patients; assessments after it are not seen. The last time by default.
    confirm : whether response and progression need a second assessment in a row.
    measurable : M-protein at baseline, in g/L, below which a patient is not evaluable.
    undetectable : M-protein in g/L below which a response is called complete, in the place of a
        negative immunofixation; without it no response is.

    Raises ValueError for times that do not increase, and for shapes that do not fit.
    """
    times, values = np.asarray(times, dtype=float), np.asarray(m_protein, dtype=float)
    if times.ndim != 1 or times.size == 0 or not (np.diff(times) > 0).all():
        raise ValueError("times must be a list of increasing numbers")
    if values.ndim == 0 or values.shape[-1] != times.size:
        raise ValueError(f"m_protein has shape {values.shape}: its last axis is not that of times")
    end = times[-1] if followed_until is None else followed_until
    end = np.broadcast_to(np.asarray(end, dtype=float), values.shape[:-1])
    failed = ~np.isfinite(values).all(axis=-1)
    readable = ~failed & (values[..., 0] > 0) & _reaches(values[..., 0], measurable)
    seen = times <= end[..., None] * (1 + ROUNDING)
    # What cannot be read is read as one, and struck out below.
    course = _Course(np.where(readable[..., None], values, 1.0), seen, confirm)
    return _assess(times, course, end, course.levels(undetectable), readable, failed)


class _Course:
    """M-protein over the assessments that are seen, and the one at which it has progressed."""

    def __init__(self, values: np.ndarray, seen: np.ndarray, confirm: bool):
        self.values, self.seen, self.confirm = values, seen, confirm
        self.visits = np.arange(values.shape[-1])
        self.end = self._progression()
        self.counted = seen & (self.visits > 0) & (self.visits < self.end[..., None])

    def _progression(self) -> np.ndarray:
        """The assessment at which each patient first has progressed, or their number.

        A second assessment that confirms is held against the same lowest value as the first: a
        rise leaves the lowest value as it was.
        """
        lowest = np.minimum.accumulate(self.values, axis=-1)[..., :-1]
        value = self.values[..., 1:]
        by_quarter = _reaches(value, RISE * lowest) & _reaches(value - lowest, LEAST_RISE)
        from_high = _reaches(lowest, HIGH) & _reaches(value - lowest, RISE_FROM_HIGH)
        risen = (by_quarter | from_high) & self.seen[..., 1:]
        if self.confirm:
            risen[..., :-1] &= risen[..., 1:]
            risen[..., -1:] = False
        first = risen.argmax(axis=-1) + 1 if risen.shape[-1] else 0
        return np.where(risen.any(axis=-1), first, self.visits.size)

    def levels(self, undetectable: float | None) -> np.ndarray:
        """The response at each assessment that counts, not evaluable elsewhere.

        What is confirmed is the response that this assessment and the next one share; without a
        next one it is stable disease.
        """
        share_gone = 1 - self.values / self.values[..., :1]
        found = _SD + np.searchsorted(FALLS, share_gone + ROUNDING, side="right")
        if undetectable is not None:
            found = np.where(self.values < undetectable, _CR, found)
        found = np.where(self.counted, found, _NE)
        if not self.confirm:
            return found
        following = np.concatenate([found[..., 1:], np.zeros_like(found[..., :1])], axis=-1)
        shared = np.maximum(np.minimum(found, following), _SD)
        return np.where(self.counted, shared, _NE)

    def best_change(self) -> np.ndarray:
        """The lowest value up to progression relative to baseline, minus 1."""
        looked_at = self.seen & (self.visits > 0) & (self.visits <= self.end[..., None])
        lowest = np.where(looked_at, self.values, np.inf).min(axis=-1)
        return np.where(looked_at.any(axis=-1), lowest / self.values[..., 0] - 1, np.nan)


def _assess(
    times: np.ndarray, course: _Course, end: np.ndarray, levels: np.ndarray,
    readable: np.ndarray, failed: np.ndarray,
) -> Responses:  # fmt: skip
    progressed = readable & (course.end < times.size)
    at = times[np.minimum(course.end, times.size - 1)]
    progression = np.where(progressed, at, end) - times[0]
    worst = np.where(progressed, _PD, _NE)
    best = np.where(course.counted.any(axis=-1), levels.max(axis=-1), worst)
    starts = times[(levels >= _PR).argmax(axis=-1)] - times[0]
    labels = np.empty(best.shape, dtype=object)
    labels[...] = np.array(LABELS, dtype=object)[np.where(readable, best, _NE)]
    return Responses(
        best=labels,
        progression=np.where(readable, progression, np.nan),
        progressed=progressed,
        duration=np.where(readable & (best >= _PR), progression - starts, np.nan),
        best_change=np.where(readable, course.best_change(), np.nan),
        failed=failed,
    )


def _reaches(values: np.ndarray, limit: np.ndarray | float) -> np.ndarray:
    """Whether values lie at a limit or above it, but for rounding."""
    return np.asarray(values >= np.asarray(limit) * (1 - ROUNDING))
