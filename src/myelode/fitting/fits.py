"""Fit the free values of a model to measurements by least squares, and say what they are worth.

Intervals come from the slope of the residuals at the optimum, local and approximate; or from
profiles of the objective, where these are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.fitting.identifiability import Estimate, estimates, inflation
from myelode.fitting.problems import DEFAULT_ERROR, Evaluation, Problem, Request
from myelode.fitting.profiles import THRESHOLD, Profile, profiles_of, with_profile
from myelode.fitting.search import Search, pool_of, problem_of


@dataclass(frozen=True)
class Fit:
    """What a fit found.

    Attributes
    ----------
    problem : the free values, and what they were compared with.
    values : value, interval and a word on it, in the order of the free values.
    before, after : everything compared with the present and with the fitted values.
    converged : whether the search ended by itself, and `message` how.
    evaluations, failed : how often everything was run, and how many single runs failed in all.
    starts, agreeing : from how many places the search began, and how many ended at the best one.
    profiles : a profile for each free value, by name, where these were asked for.
    request : what was fitted to what.
    """

    problem: Problem
    values: tuple[Estimate, ...]
    before: Evaluation
    after: Evaluation
    converged: bool
    message: str
    evaluations: int
    failed: int
    starts: int
    agreeing: int
    request: Request
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    @property
    def overrides(self) -> dict[str, float]:
        """The fitted values, by name, in the model's units."""
        free = self.problem.free
        return {v.key.text: item.value for v, item in zip(free, self.values, strict=True)}


def fit(
    target: str,
    data: Sequence[str | Path] = (),
    parameters: Sequence[str] | None = None,
    calibration: str | Path | None = None,
    starts: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    settings: Sequence[str] = (),
    error: float = DEFAULT_ERROR,
    profile: bool = False,
    prior: bool = True,
) -> Fit:
    """Fit a model, or what of its calibration concerns one scenario.

    Parameters
    ----------
    target : a model or a scenario, by name or path.
    data : the data files that the calibration names; series without data are left out. Or tables of
        readings with units in their headers, which need a scenario and `parameters`.
    parameters : the only ones to free, of those that the calibration names; of tables of readings
        those to free, within the range that the tables of the model state.
    calibration : a file to use instead of the model's own ``calibration.yaml``.
    starts : from how many places to begin, instead of what the calibration says.
    workers : how many processes compute slopes at the same time.
    progress : is called with the number of iterations and the most there can be.
    settings : as in `load_scenario`, for the scenario that tables of readings are compared with.
    error : the error of a reading whose table states none, as a share of it.
    profile : whether to follow the objective away from the optimum, for intervals that are not
        local. It takes many times as long.
    prior : whether the uncertainty that the tables of the model state counts beside the readings.

    Raises
    ------
    ScenarioError, ModelError, SimulationError (where nothing can be run with the present values)
    """
    request = Request(
        target, tuple(map(Path, data)), None if parameters is None else tuple(parameters),
        None if calibration is None else Path(calibration), tuple(settings), error, prior,
    )  # fmt: skip
    problem = problem_of(request)
    number = problem.found.content.starts if starts is None else starts
    if number < 1 or workers < 1:
        raise ScenarioError("starts and workers must be 1 or more")
    with pool_of(request, workers) as pool:
        return _found(Search(problem, pool, progress), request, number, profile)


def _found(search: Search, request: Request, starts: int, profile: bool) -> Fit:
    problem, before = search.problem, search.before()
    end, agreeing = search.best(starts)
    residuals = end.evaluation.residuals
    known = estimates(problem, end.logs, residuals, search.slopes(end.logs))
    profiles: dict[str, Profile] = {}
    if profile:
        profiles = profiles_of(search, end, known, THRESHOLD * inflation(problem, residuals))
        known = tuple(
            with_profile(item, value, profiles[value.key.text])
            for item, value in zip(known, problem.free, strict=True)
        )
    return Fit(
        problem, known, before, end.evaluation, end.converged, end.message, search.evaluations,
        search.failed, starts, agreeing, request, profiles,
    )  # fmt: skip
