"""Profiles: exact where the problem is linear and Gaussian, and open where data say nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest

from myelode.fitting.fits import fit
from myelode.fitting.free_values import FreeValue, Key
from myelode.fitting.identifiability import NORMAL_95, estimates
from myelode.fitting.predictions import Tally
from myelode.fitting.problems import Evaluation, Problem
from myelode.fitting.profiles import THRESHOLD, profiles_of, with_profile
from myelode.fitting.search import End, Search

DESIGN = np.array([[4.0, 1.0, 0.0], [0.5, 6.0, 2.0], [1.0, -2.0, 5.0], [3.0, 3.0, -1.0]])
MEASURED = np.array([1.0, -2.0, 0.5, 1.2])


@dataclass
class _Linear:
    """Residuals that are linear in the logarithms of three values."""

    design: np.ndarray
    low: float = 1e-4
    high: float = 1e4
    coefficients: int = 0

    @property
    def free(self) -> tuple[FreeValue, ...]:
        number = self.design.shape[1]
        names = [f"p{place}" for place in range(number)]
        ends = (self.low, self.high)
        return tuple(FreeValue(Key(n, n), "h", 1.0, 1.0, *ends, None) for n in names)

    def evaluate(self, logs: np.ndarray) -> Evaluation:
        """The residuals of a linear model."""
        return Evaluation(self.design @ logs - MEASURED[: len(self.design)], {}, {}, Tally(1))


def _profiles(problem: _Linear) -> tuple[Any, Any, Search, End]:
    search = Search(cast(Problem, problem), None, None)
    end, _ = search.best(1)
    slopes = search.slopes(end.logs)
    known = estimates(cast(Problem, problem), end.logs, end.evaluation.residuals, slopes)
    return profiles_of(search, end, known, THRESHOLD), known, search, end


def test_the_interval_of_a_linear_problem_is_exact() -> None:
    found, _, _, end = _profiles(_Linear(DESIGN))
    best = np.linalg.lstsq(DESIGN, MEASURED, rcond=None)[0]
    deviations = np.sqrt(np.diag(np.linalg.inv(DESIGN.T @ DESIGN)))
    np.testing.assert_allclose(end.logs, best, atol=1e-6)
    for place, profile in enumerate(found.values()):
        ends = np.log10(profile.interval)
        half = NORMAL_95 * deviations[place]
        np.testing.assert_allclose(ends, [best[place] - half, best[place] + half], rtol=2e-4)
        # The profile is a parabola with the variance of the value.
        rise = ((np.log10(profile.values) - best[place]) / deviations[place]) ** 2
        least = float(np.sum(end.evaluation.residuals**2))
        np.testing.assert_allclose(np.array(profile.objective) - least, rise, atol=2e-4)


def test_it_is_the_local_interval_where_everything_is_linear() -> None:
    found, known, _, end = _profiles(_Linear(DESIGN))
    assert float(np.sum(end.evaluation.residuals**2)) < 1, "the errors are as stated"
    for local, profile in zip(known, found.values(), strict=True):
        assert np.log10(profile.interval) == pytest.approx(np.log10(local.interval), rel=1e-3)


def test_profiles_run_in_order_through_the_optimum() -> None:
    found, _, _, end = _profiles(_Linear(DESIGN))
    for place, profile in enumerate(found.values()):
        assert list(profile.values) == sorted(profile.values)
        assert profile.values[int(np.argmin(profile.objective))] == 10 ** end.logs[place]
        assert len(profile.values) >= 5


def test_an_open_side_is_said_plainly() -> None:
    problem = _Linear(np.array([[4.0]]), low=0.9, high=10.0)
    found, known, _, _ = _profiles(problem)
    low, high = found["p0"].interval
    assert low is None
    assert high == pytest.approx(10 ** (0.25 + NORMAL_95 / 4), rel=1e-3)
    said = with_profile(known[0], problem.free[0], found["p0"])
    assert said.interval is None
    assert said.word == "below 5.5, no lower bound down to 0.9"


def test_what_data_do_not_determine_has_no_bound() -> None:
    together = _Linear(np.array([[3.0, 3.0], [6.0, 6.0]]), low=0.1, high=10)
    found, known, _, _ = _profiles(together)
    said = with_profile(known[0], together.free[0], found["p0"])
    assert found["p0"].interval == (None, None)
    assert said.word == "not identified: no bound within 0.1 to 10"


COURSE = """
parameters: {k_lost: {from: 0.01 1/h, to: 1 1/h, prior: false}}
records: DATA
series:
  - {id: course, file: data.json, where: {what: relative}, scenario: ../course.yaml,
     output: relative, error: {relative: 0.1, absolute: 0.001}}
"""


def test_profiles_do_not_depend_on_the_number_of_processes(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31})
    home.calibrate(COURSE)
    one, two = (fit(str(home), [data], workers=number, profile=True) for number in (1, 2))
    assert one.profiles == two.profiles
    low, high = one.profiles["k_lost"].interval
    assert low is not None
    assert high is not None
    assert low < 0.31 < high
    [local] = fit(str(home), [data]).values
    assert local.interval is not None
    assert math.log(high / low) == pytest.approx(
        math.log(local.interval[1] / local.interval[0]), rel=0.1
    )
