"""What the model says where something was measured, for any values of the free parameters.

Each scenario is planned and run once for all that is read from it, and only those of its runs that
something is read from. A run that fails gives no number, and is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from myelode import subjects
from myelode.calibration import Records, Series
from myelode.datasets import plan_dataset
from myelode.engines import Tolerances, choose_engine
from myelode.engines.bulk import Ran, engine_for, run_all
from myelode.engines.protocol import Result, Run
from myelode.errors import SimulationError
from myelode.expressions import names_in
from myelode.fitting.measurements import Measurement
from myelode.model import Model, load_model
from myelode.outcomes import evaluate_scenario
from myelode.plan import Plan
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, expressions_of
from myelode.simulation import plan_scenario
from myelode.validation import Observation, simulated_value

Overrides = Mapping[str, float]
Place = tuple[int, ...]
_ENGINE = "auto"


@dataclass
class Tally:
    """How many runs there were, and how many failed."""

    runs: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Target:
    """A series with its measurements, and where each is on the axes of its scenario.

    `factor` brings the output to the unit of the readings, where both are of one kind.
    """

    series: Series
    records: Records
    measured: tuple[Measurement, ...]
    places: tuple[Place, ...]
    times: tuple[float, ...]
    factor: float


@dataclass(frozen=True)
class Curves:
    """One scenario, and the series that are read from it."""

    scenario: Scenario
    model: Model
    targets: tuple[Target, ...]

    def predict(self, overrides: Overrides, tally: Tally) -> Iterator[tuple[str, np.ndarray]]:
        """The id of each series, and its output at every measurement; NaN where a run failed."""
        plan = make_plan_of(self.scenario, self.model, overrides)
        values = _run(plan, {place for target in self.targets for place in target.places}, tally)
        for target in self.targets:
            output = plan.outputs.index(target.series.output)
            found = [
                values[(*place, nearest(plan.times, time), output)]
                for place, time in zip(target.places, target.times, strict=True)
            ]
            yield target.series.id, target.factor * np.array(found)

    @property
    def ids(self) -> tuple[str, ...]:
        """What `predict` gives, by id."""
        return tuple(target.series.id for target in self.targets)


@dataclass(frozen=True)
class Rows:
    """One scenario, and the rows of a table of observations that it computes."""

    scenario: Scenario
    model: Model
    rows: tuple[Observation, ...]

    def predict(self, overrides: Overrides, tally: Tally) -> Iterator[tuple[str, np.ndarray]]:
        """The id of each row, and the number that the scenario gives; NaN where a run failed."""
        plan = make_plan_of(self.scenario, self.model, overrides)
        values = _run(plan, _needed(plan, self.rows), tally)
        ran = Ran([], choose_engine(_ENGINE).name, "")
        dataset = plan_dataset(plan, values, ran, Tolerances())
        result = evaluate_scenario(dataset, self.scenario, Context(self.model))
        for row in self.rows:
            yield row.id, np.array([simulated_value(row, result)])

    @property
    def ids(self) -> tuple[str, ...]:
        """What `predict` gives, by id."""
        return tuple(row.id for row in self.rows)


Source = Curves | Rows


def predict(source: Source, overrides: Overrides, tally: Tally) -> dict[str, np.ndarray]:
    """What a source gives; nothing where a scenario that it takes as input cannot be run."""
    try:
        return dict(source.predict(overrides, tally))
    except SimulationError:
        tally.runs += 1
        tally.failed += 1
        return {}


def make_plan_of(scenario: Scenario, model: Model, overrides: Overrides) -> Plan:
    """The runs of a scenario with the values that replace others, each in its own layer."""
    return plan_scenario(scenario, _ENGINE, Tolerances(), overrides, model)


def model_of(scenario: Scenario) -> Model:
    """The model of a scenario; each is loaded once."""
    return subjects.model_of(scenario, _load_once)


_load_once = lru_cache(maxsize=8)(load_model)


def nearest(values: np.ndarray, wanted: float) -> int:
    """The position of the value that is closest."""
    return int(np.argmin(np.abs(values - wanted)))


def _run(plan: Plan, places: Collection[Place] | None, tally: Tally) -> np.ndarray:
    """Values of shape (axes..., times, columns), NaN where nothing was run or a run failed."""
    shape = (*(len(axis.values) for axis in plan.axes), len(plan.times), len(plan.columns))
    values = np.full(shape, np.nan)
    wanted = [item for item in plan.runs if places is None or item.place in places]
    found = _remembered(plan.sbml, [item.run for item in wanted])
    for planned, result in zip(wanted, found, strict=True):
        tally.runs += 1
        if isinstance(result, SimulationError):
            tally.failed += 1
        else:
            values[planned.place] = result
    return values


_MEMORY: OrderedDict[Hashable, Result] = OrderedDict()
_MOST_REMEMBERED = 4096
_EVALUATIONS = 100
"""How often a search computes everything, at least, once every slope is counted."""


def _remembered(sbml: str, runs: Sequence[Run]) -> list[Result]:
    """The results of runs; equal ones are integrated once.

    Most of the free values concern some compounds or lines only, so that for the slopes most runs
    are equal to those of the evaluation before.
    """
    keys = [_key(sbml, run) for run in runs]
    new = {key: run for key, run in zip(keys, runs, strict=True) if key not in _MEMORY}
    if new:
        engine = engine_for(sbml, runs, _EVALUATIONS)
        ran = run_all(sbml, [*new.values()], engine, Tolerances())
        _MEMORY.update(zip(new, ran.results, strict=True))
    for key in keys:
        _MEMORY.move_to_end(key)
    found = [_MEMORY[key] for key in keys]
    while len(_MEMORY) > _MOST_REMEMBERED:
        _MEMORY.popitem(last=False)
    return found


def _key(sbml: str, run: Run) -> Hashable:
    changes = tuple(sorted(run.changes.items()))
    return sbml, changes, run.timeline, run.times.tobytes(), run.outputs, run.counts


def _needed(plan: Plan, rows: Collection[Observation]) -> set[Place] | None:
    """The runs on which the rows depend, as far as their names tell; None for all of them."""
    scenario = plan.scenario
    texts = [row.endpoint for row in rows]
    texts += [text for path, text in expressions_of(scenario) if path[0] == "endpoints"]
    names = {part for text in texts for name in names_in(text) for part in name.split(".")[:-1]}
    if any("." not in name for row in rows for name in names_in(row.endpoint)):
        return None
    wanted = [{scenario.reference, *names}] + [
        names | {getattr(endpoint, axis.name, None) for endpoint in scenario.endpoints.values()}
        for axis in plan.axes[1:]
    ]
    return {
        planned.place
        for planned in plan.runs
        if all(
            axis.name not in ("perturbation", "compound", "arm")
            or not among.intersection(axis.values)
            or axis.values[at] in among
            for axis, at, among in zip(plan.axes, planned.place, wanted, strict=True)
        )
    }
