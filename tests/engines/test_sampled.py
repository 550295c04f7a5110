"""Summaries from samples agree with closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.engines.sampled import sample_times, summarized
from myelode.engines.summary import Summary

END = 6.0
CASES = [
    (Summary("value", "y"), np.sin(END)),
    (Summary("value", "y", at=1.23), np.sin(1.23)),
    (Summary("max", "y"), 1.0),
    (Summary("min", "y"), -1.0),
    (Summary("argmax", "y"), np.pi / 2),
    (Summary("argmin", "y"), 3 * np.pi / 2),
    (Summary("auc", "y"), 1 - np.cos(END)),
    (Summary("auc", "y", start=1.0, end=2.5), np.cos(1.0) - np.cos(2.5)),
    (Summary("time_above", "y", level=0.5), 2 * np.pi / 3),
    (Summary("time_below", "y", level=-0.5, end=4.0), 4.0 - 7 * np.pi / 6),
    (Summary("first_above", "y", level=0.5), np.pi / 6),
    (Summary("first_below", "y", level=0.5, start=1.0), 5 * np.pi / 6),
    (Summary("first_above", "y", level=0.5, start=1.0), 1.0),
    (Summary("first_above", "y", level=1.5), np.inf),
]


@pytest.mark.parametrize(("summary", "expected"), CASES)
def test_a_sine_is_summarized(summary: Summary, expected: float) -> None:
    times = sample_times([summary], END)
    assert (np.diff(times) > 0).all()
    [found] = summarized([summary], times, {"y": np.sin(times)})
    assert found == pytest.approx(expected, abs=2e-3 if "arg" in summary.kind else 1e-5)


def test_a_run_without_length_has_one_sample() -> None:
    summaries = [
        Summary("max", "y"),
        Summary("first_above", "y", level=1.0),
        Summary("time_above", "y", level=1.0),
    ]
    times = sample_times(summaries, 0.0)
    found = summarized(summaries, times, {"y": np.array([2.0])})
    np.testing.assert_array_equal(found, [2.0, 0.0, 0.0])


def test_what_is_not_finite_stays_so() -> None:
    times = sample_times([], END)
    values = np.where(times < 1, np.nan, 1.0)
    assert np.isnan(summarized([Summary("auc", "y")], times, {"y": values})).all()
