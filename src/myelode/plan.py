"""From a scenario to runs: steps 1 to 5 of the order of one run, in one place.

Defaults, cell line, perturbation, design point and settings become the values of each run; doses,
washes and inhibitors become its timeline; what is observed becomes its sample times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelode.design import MOST_POINTS, Axis, Grid, Point, read_grid
from myelode.engines import Tolerances, choose_engine
from myelode.engines.protocol import Run
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model, load_model
from myelode.perturbations import (
    Effective,
    Perturbation,
    cell_lines,
    find_perturbation,
    perturbations,
    read_changes,
    read_value,
    resolve,
)
from myelode.regimen import compile_regimen, infused_species, regimen_targets
from myelode.sampling import end_of_run, sample_times
from myelode.sbml.infusions import with_infusions
from myelode.scenario import RESERVED, Scenario
from myelode.steps import Context, Quantity, Step, label_times
from myelode.timeline import Equilibration, Instant, Timeline
from myelode.units import to_unit

# Endpoints of other scenarios, by name and perturbation; bare numbers are in the model's own units.
Inputs = Mapping[str, Mapping[str, Quantity]]


@dataclass(frozen=True)
class PlannedRun:
    """One run, its place on the axes, and where its values come from."""

    place: tuple[int, ...]
    run: Run
    effective: Effective


@dataclass(frozen=True)
class Plan:
    """All runs of a scenario on one model.

    `labels` holds the times of the regimen's labels, by arm.
    """

    scenario: Scenario
    model: Model
    sbml: str
    axes: tuple[Axis, ...]
    times: np.ndarray
    outputs: tuple[str, ...]
    labels: Mapping[str, Mapping[str, float]]
    perturbations: Mapping[str, Perturbation]
    cell_line: Perturbation | None
    runs: tuple[PlannedRun, ...]


def make_plan(scenario: Scenario, inputs: Inputs | None = None) -> Plan:
    """Everything that a scenario will run; raises ScenarioError with the place of a fault."""
    with scenario.at("model"):
        model = load_model(scenario.beside(scenario.model), scenario.variant)
    return _Planner(scenario, model, inputs or {}).plan()


@dataclass(frozen=True)
class _Draft:
    """A run for which the sample times are not known yet."""

    place: tuple[int, ...]
    effective: Effective
    instants: tuple[Instant, ...]


class _Planner:
    """Holds what all runs of a scenario share."""

    def __init__(self, scenario: Scenario, model: Model, inputs: Inputs):
        self.scenario = scenario
        self.model = model
        self.inputs = inputs
        self.grid = read_grid(scenario, model)
        self.cell_line = _cell_line(scenario, model)
        self.perturbations = _perturbations(scenario, model)
        self.base = _values(scenario, model, "set")
        self.final = _values(scenario, model, "final")
        self.outputs = _outputs(scenario, model, self.grid)
        self.end = end_of_run(scenario, model)
        self.equilibration = _equilibration(scenario, model)
        self._require_free_of_regimen()
        self._require_free_of_design()

    def plan(self) -> Plan:
        """All runs, with sample times that suit the events of every one."""
        arms = self.scenario.regimens
        labels = {
            arm: label_times(steps, Context(self.model), self._place(arm))
            for arm, steps in arms.items()
        }
        drafts = list(self._drafts())
        events = {instant.time for draft in drafts for instant in draft.instants}
        times = sample_times(self.scenario, self.model, labels, events)
        infused = dict.fromkeys(name for steps in arms.values() for name in infused_species(steps))
        return Plan(
            scenario=self.scenario, model=self.model,
            sbml=with_infusions(self.model.sbml, tuple(infused)), axes=self._axes(), times=times,
            outputs=self.outputs, labels=labels, perturbations=self.perturbations,
            cell_line=self.cell_line, runs=tuple(self._run(draft, times) for draft in drafts),
        )  # fmt: skip

    def _axes(self) -> tuple[Axis, ...]:
        arms = [Axis("arm", tuple(self.scenario.regimens))] if self.scenario.arms else []
        return (Axis("perturbation", tuple(self.perturbations)), *arms, *self.grid.axes)

    def _drafts(self) -> Iterator[_Draft]:
        arms = self.scenario.regimens
        if len(self.perturbations) * len(arms) * len(self.grid.points) > MOST_POINTS:
            raise ScenarioError(f"{self.scenario.id}: has more than {MOST_POINTS} runs")
        for position, name in enumerate(self.perturbations):
            for number, (arm, steps) in enumerate(arms.items()):
                own = (position, number) if self.scenario.arms else (position,)
                for point in self.grid.points:
                    effective = self._start(point, name)
                    instants = self._instants(arm, point.apply(steps, self.model), effective, name)
                    yield _Draft((*own, *point.place), effective, instants)

    def _run(self, draft: _Draft, times: np.ndarray) -> PlannedRun:
        timeline = Timeline(draft.instants, self.end, self.equilibration)
        run = Run(draft.effective.changes, timeline, times, self.outputs)
        return PlannedRun(draft.place, run, draft.effective)

    def _start(self, point: Point, name: str) -> Effective:
        base = {**self.base, **point.values}
        return resolve(self.model, self.cell_line, base, self.perturbations[name], self.final)

    def _instants(
        self, arm: str, steps: Sequence[Step], effective: Effective, perturbation: str
    ) -> tuple[Instant, ...]:
        values = effective.changes
        here = {name: held.get(perturbation) for name, held in self.inputs.items()}
        context = Context(self.model, values, here, lambda name: self._initial(name, values))
        return compile_regimen(steps, context, self.end, self._place(arm)).instants

    def _place(self, arm: str) -> Callable[[int], AbstractContextManager[None]]:
        path = ("arms", arm) if self.scenario.arms else ("regimen",)
        return lambda number: self.scenario.at(*path, number)

    def _initial(self, name: str, changes: Mapping[str, float]) -> float:
        """A value that the model computes at the start of a run."""
        start = Run(changes, Timeline((), 0.0), np.zeros(1), (name,))
        simulator = choose_engine("auto").compile(self.model.sbml)
        return float(simulator.run(start, Tolerances())[0, 0])

    def _require_free_of_regimen(self) -> None:
        """A value that the regimen changes cannot also be set: the setting would not last."""
        for section, names in (
            ("set", self.base.keys()), ("final", self.final.keys()), ("design", self.grid.names),
        ):  # fmt: skip
            for steps in self.scenario.regimens.values():
                for name in sorted(regimen_targets(steps) & names):
                    with self.scenario.at(section, name):
                        raise ScenarioError(f"{name!r} is set, but the regimen changes it too")

    def _require_free_of_design(self) -> None:
        """A value that differs from point to point cannot also be set for all of them."""
        for section, names in (("set", self.base.keys()), ("final", self.final.keys())):
            for name in sorted(names & self.grid.names):
                with self.scenario.at(section, name):
                    raise ScenarioError(f"{name!r} is set, but the design varies it")


def _cell_line(scenario: Scenario, model: Model) -> Perturbation | None:
    if scenario.cell_line is None:
        return None
    with scenario.at("cell_line"):
        known = cell_lines(model)
        if scenario.cell_line not in known:
            hint = best_matches(scenario.cell_line, known)
            raise ScenarioError(f"unknown cell line {scenario.cell_line!r}{hint}")
        return known[scenario.cell_line]


def _perturbations(scenario: Scenario, model: Model) -> dict[str, Perturbation]:
    """The perturbations of the scenario; inline ones may use those before them."""
    known = perturbations(model)
    found: dict[str, Perturbation] = {}
    for number, item in enumerate(scenario.perturbations):
        with scenario.at("perturbations", number):
            name, definition = _named(item)
            if isinstance(definition, str):
                found[name] = find_perturbation(model, definition, {**known, **found})
            else:
                found[name] = read_changes(model, name, definition)
    return found


def _named(item: Any) -> tuple[str, Any]:
    if isinstance(item, str):
        return item, item
    if len(item) != 1:
        raise ScenarioError(
            "an inline perturbation is written {name: {scale: ...}} or {name: a + b}"
        )
    name, definition = next(iter(item.items()))
    return str(name), definition


def _values(scenario: Scenario, model: Model, section: str) -> dict[str, float]:
    values = {}
    for name, value in getattr(scenario, section).items():
        with scenario.at(section, name):
            values[name] = read_value(model, name, value)
    return values


def _outputs(scenario: Scenario, model: Model, grid: Grid) -> tuple[str, ...]:
    """What is recorded: the outputs that are listed, and those that endpoints need."""
    taken = RESERVED | grid.names
    wanted: dict[str, None] = {}
    places: list[tuple[tuple[str | int, ...], str | None]] = [
        (("observe", "outputs", number), output)
        for number, output in enumerate(scenario.observe.outputs)
    ]
    places += [(("endpoints", name, "of"), item.of) for name, item in scenario.endpoints.items()]
    for path, output in places:
        if output is not None:
            with scenario.at(*path):
                model.unit_of(output)
                if output in taken:
                    raise ScenarioError(f"{output!r} is a coordinate of the result already")
                wanted[output] = None
    return tuple(wanted)


def _equilibration(scenario: Scenario, model: Model) -> Equilibration | None:
    rule = scenario.equilibrate
    if rule is None:
        return None
    with scenario.at("equilibrate"):
        duration = to_unit(rule.for_, model.time_unit, "for")
        for name in rule.hold:
            model.entity(name)
        if duration <= 0:
            raise ScenarioError("for must be a positive time")
        return Equilibration(duration, tuple(rule.hold))
