"""When patients are assessed, until when they are followed, and from which limits they are judged.

Everything is in the model's unit of time and in g/L.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from myelode.clinic.sections import ClinicalResponse, landmark_endings
from myelode.distributions import standard_uniform
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.regimens.steps import Quantity
from myelode.regimens.timeline import SAME_TIME, tidy
from myelode.sampling import end_of_run
from myelode.scenario import Scenario
from myelode.units import factor, to_unit

GRAMS = "g/L"
MOST_VISITS = 10_000


@dataclass(frozen=True)
class Visits:
    """One response of a scenario with its numbers in place of quantities.

    `times` are those of assessment, the first is baseline; `end` is that of follow-up, for those
    who stay. `landmarks` are times from baseline, by the ending of their name in the result.
    """

    times: np.ndarray
    end: float
    measurable: float
    undetectable: float | None
    dropout_rate: float
    seed: int
    landmarks: Mapping[str, float]

    def followed_until(self, samples: np.ndarray) -> np.ndarray:
        """When each sample is lost to follow-up: at the end, or when it drops out before."""
        if self.dropout_rate == 0:
            return np.full(samples.shape, self.end)
        draws = (standard_uniform(self.seed, int(sample), "dropout") for sample in samples)
        stays = np.array([-math.log(draw) / self.dropout_rate for draw in draws])
        return np.asarray(np.minimum(self.times[0] + stays, self.end))


def read_visits(scenario: Scenario, model: Model) -> dict[str, Visits]:
    """The visits of every response; raises ScenarioError with the place of a fault."""
    if scenario.responses:
        with scenario.at("responses"):
            _require_patients(scenario, model)
    return {name: _visits(name, rule, scenario, model) for name, rule in scenario.responses.items()}


def _require_patients(scenario: Scenario, model: Model) -> None:
    """Refuse to count responses of what stands for no patient."""
    if model.no_responses:
        raise ScenarioError(
            f"{model.name} (variant {model.variant}) computes no response rate and no survival: "
            f"{model.no_responses}"
        )
    if scenario.design.uncertainty:
        raise ScenarioError(
            "draws of the uncertain numbers are no patients: leave out responses, or the draws"
        )


def assessed_outputs(
    scenario: Scenario, model: Model
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The outputs that responses look at, and where these say so; visits and units are checked."""
    read_visits(scenario, model)
    for name, rule in scenario.responses.items():
        yield ("responses", name, "of"), rule.of
        if rule.of in model.entities:
            with scenario.at("responses", name, "of"):
                to_grams(rule.of, model.unit_of(rule.of))


def to_grams(output: str, unit: str | None) -> float:
    """The number that turns an output into g/L; ScenarioError where it is no mass per volume."""
    try:
        return factor(unit or "", GRAMS)
    except ScenarioError:
        said = f"is in {unit!r}" if unit else "has no unit"
        raise ScenarioError(
            f"{output!r} {said}: a response needs mass per volume, such as 'g/L' or 'g/dL'"
        ) from None


def _visits(name: str, rule: ClinicalResponse, scenario: Scenario, model: Model) -> Visits:
    def time(key: str, value: Quantity | None, missing: float) -> float:
        with scenario.at("responses", name, key):
            return missing if value is None else tidy(to_unit(value, model.time_unit, key))

    run = end_of_run(scenario, model)
    first, end = time("first", rule.first, 0.0), time("until", rule.until, run)
    with scenario.at("responses", name):
        if not 0 <= first < end <= run * (1 + SAME_TIME):
            raise ScenarioError(
                f"follow-up from {first:g} to {end:g} must lie in the run, from 0 to {run:g}"
            )
    every = time("every", rule.every, 0.0)
    with scenario.at("responses", name, "every"):
        times = _grid(first, every, end)
    rate, seed = _dropout(name, rule, scenario, model)
    return Visits(
        times=times, end=end, dropout_rate=rate, seed=seed,
        measurable=_grams(name, "measurable", rule.measurable, scenario),
        undetectable=None if rule.undetectable is None
        else _grams(name, "undetectable", rule.undetectable, scenario),
        landmarks=_landmarks(name, rule, scenario, model, end - first),
    )  # fmt: skip


def _grid(first: float, every: float, end: float) -> np.ndarray:
    if every <= 0 or not 1 - SAME_TIME <= (end - first) / every <= MOST_VISITS:
        raise ScenarioError(
            f"assessments must follow one another within {end - first:g}, the time of follow-up, "
            f"not every {every:g}"
        )
    steps = math.floor((end - first) / every * (1 + SAME_TIME))
    return np.array([min(tidy(first + every * step), end) for step in range(steps + 1)])


def _dropout(
    name: str, rule: ClinicalResponse, scenario: Scenario, model: Model
) -> tuple[float, int]:
    if rule.dropout is None:
        return 0.0, 0
    with scenario.at("responses", name, "dropout", "rate"):
        rate = to_unit(rule.dropout.rate, f"1/({model.time_unit})", "rate")
        if rate < 0:
            raise ScenarioError(f"the rate of dropout may not be negative: {rule.dropout.rate}")
        return rate, rule.dropout.seed


def _grams(name: str, key: str, value: Quantity, scenario: Scenario) -> float:
    with scenario.at("responses", name, key):
        grams = to_unit(value, GRAMS, key)
        if grams <= 0:
            raise ScenarioError(f"{key} must be positive, not {value}")
        return grams


def _landmarks(
    name: str, rule: ClinicalResponse, scenario: Scenario, model: Model, length: float
) -> dict[str, float]:
    found = {}
    for number, (landmark, ending) in enumerate(landmark_endings(rule).items()):
        with scenario.at("responses", name, "landmarks", number):
            time = tidy(to_unit(landmark, model.time_unit, "the landmark"))
            if not 0 < time <= length * (1 + SAME_TIME):
                raise ScenarioError(
                    f"the landmark {landmark!r} lies outside follow-up, which lasts {length:g} "
                    f"{model.time_unit or ''}".strip()
                )
            found[ending] = time
    return found
