"""From a scenario to runs: steps 1 to 5 of the order of one run, in one place.

Defaults, compound, cell line, perturbation, design point and settings become the values of each
run; doses, washes and inhibitors its timeline; what is observed its sample times.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np

from myelode.collisions import require_apart, require_own_ladders
from myelode.design import MOST_POINTS, Point, read_grid
from myelode.dose_ladders import Axis
from myelode.drugs import Drug, read_arm_drugs, read_drugs, read_overrides
from myelode.engines import Tolerances, choose_engine
from myelode.engines.protocol import Run
from myelode.errors import ScenarioError
from myelode.inputs import Inputs
from myelode.model import Model
from myelode.parameters import Parameter
from myelode.perturbations import NO_PERTURBATION, Perturbation, read_value
from myelode.precedence import Effective, resolve, resolve_many
from myelode.quotations import claims_of
from myelode.recordings import recorded_outputs
from myelode.regimens.compilation import compile_regimen, infused_species
from myelode.regimens.counts import GIVEN, counts_of
from myelode.regimens.steps import Context, Quantity, label_times
from myelode.regimens.timeline import Equilibration, Instant, Timeline
from myelode.sampling import end_of_run, sample_times
from myelode.sbml.infusions import with_infusions
from myelode.scenario import Scenario
from myelode.scores import true_classes
from myelode.subjects import cell_line_of, lines_of, model_of, perturbations_of, trial_arms_of
from myelode.trials import TrialArm
from myelode.units import to_unit
from myelode.wholes import Wholes


@dataclass(frozen=True)
class PlannedRun:
    """One run, its place on the axes, and where its values come from."""

    place: tuple[int, ...]
    run: Run
    effective: Effective


@dataclass(frozen=True)
class Plan:
    """All runs of a scenario on one model.

    `labels` holds the times of the regimen's labels, by arm; `drugs` the compounds, by the names
    of their axis, one named "" where there is no such axis; `arm_drugs` those of the arms, where
    each has its own; `published` the numbers of the trial that it imitates; `counts` those of
    occurrences; `inputs` those of other scenarios.
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
    drugs: Mapping[str, Drug]
    arm_drugs: Mapping[str, Drug]
    runs: tuple[PlannedRun, ...]
    published: tuple[TrialArm, ...] = ()
    counts: tuple[str, ...] = ()
    inputs: Inputs = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """What the engine gives at every time: the outputs, and what it counts."""
        return (*self.outputs, *(GIVEN + name for name in self.counts))


def make_plan(
    scenario: Scenario,
    inputs: Inputs | None = None,
    overrides: Mapping[str, float] | None = None,
    model: Model | None = None,
) -> Plan:
    """Everything that a scenario will run; raises ScenarioError with the place of a fault.

    `overrides` are as in `myelode.drugs`; `model` is that of the scenario, where it is at hand.
    """
    return Planner(scenario, model or model_of(scenario), inputs or {}, overrides or {}).plan()


Treatment = tuple[str, str, str]
"""Perturbation, compound and arm; the last two are "" where there is no such axis."""


@dataclass(frozen=True)
class _Draft:
    """A run for which the sample times are not known yet."""

    place: tuple[int, ...]
    effective: Effective
    instants: tuple[Instant, ...]


class Planner:
    """Holds what all runs of a scenario share, and makes any one of them."""

    def __init__(
        self, scenario: Scenario, model: Model, inputs: Inputs, values: Mapping[str, float]
    ):
        self.scenario = scenario
        self.model = model
        self.inputs = inputs
        lines = lines_of(scenario, model) if scenario.cell_line or values else {}
        overrides = read_overrides(model, lines, values)
        self.cell_line = cell_line_of(scenario, lines, overrides)
        self.drugs = read_drugs(scenario, model, overrides)
        self.arm_drugs = read_arm_drugs(scenario, model, overrides)
        self.grid = read_grid(scenario, model, self.typical, self.rows)
        self.perturbations = perturbations_of(scenario, model)
        true_classes(scenario, {n: item.true_class for n, item in self.perturbations.items()})
        self.wholes = Wholes(model)
        self.starts: dict[tuple[object, ...], float] = {}
        self.published = trial_arms_of(scenario, model)
        claims_of(scenario, model)
        self.base = _values(scenario, model, "set")
        self.final = _values(scenario, model, "final")
        self.outputs = recorded_outputs(scenario, model, self.grid)
        self.counts = counts_of(scenario, model)
        self.end = end_of_run(scenario, model)
        self.equilibration = _equilibration(scenario, model)
        require_own_ladders(scenario, self.grid.laddered, self.perturbations)
        require_apart(scenario, self.base.keys(), self.final.keys(), self.grid.names)

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
        return Plan(
            scenario=self.scenario, model=self.model,
            sbml=self.sbml, axes=self._axes(), times=times,
            outputs=self.outputs, labels=labels, perturbations=self.perturbations,
            cell_line=self.cell_line, drugs=self.drugs, arm_drugs=self.arm_drugs,
            runs=tuple(self._run(draft, times) for draft in drafts), published=self.published,
            counts=self.counts, inputs=self.inputs,
        )  # fmt: skip

    @property
    def sbml(self) -> str:
        """The model with an input for whatever any arm infuses."""
        arms = self.scenario.regimens.values()
        infused = dict.fromkeys(
            name for steps in arms for name in infused_species(steps, self.model)
        )
        return with_infusions(self.model.sbml, tuple(infused))

    @property
    def typical(self) -> Mapping[str, float]:
        """What stands below the design: the values around which virtual subjects spread."""
        below = next(iter(self.drugs.values())).layers
        return resolve(self.model, self.cell_line, {}, NO_PERTURBATION, {}, below).changes

    @property
    def rows(self) -> dict[str, Parameter]:
        """The rows of the tables that all compounds of the scenario share."""
        drugs = (self.arm_drugs or self.drugs).values()
        first, *others = (drug.rows for drug in drugs)
        return {n: row for n, row in first.items() if all(rows.get(n) == row for rows in others)}

    def _axes(self) -> tuple[Axis, ...]:
        first = [Axis("perturbation", tuple(self.perturbations))]
        if self.scenario.compounds is not None:
            first.append(Axis("compound", tuple(self.drugs)))
        if self.scenario.arms:
            first.append(Axis("arm", tuple(self.scenario.regimens)))
        return (*first, *self.grid.axes)

    def _drafts(self) -> Iterator[_Draft]:
        for treatment, place in self.treatments():
            for point in self.grid.points:
                effective, instants = self._draft(treatment, point)
                yield _Draft((*place, *point.place), effective, instants)

    def _draft(self, treatment: Treatment, point: Point) -> tuple[Effective, tuple[Instant, ...]]:
        name, drug, arm = treatment
        effective = self._start(point, name, self.arm_drugs.get(arm, self.drugs[drug]))
        self.wholes.require(effective.changes, self.scenario, name, self.perturbations[name])
        return effective, self.instants(treatment, point, effective.changes)

    def run(
        self, treatment: Treatment, point: Point, times: np.ndarray, outputs: tuple[str, ...]
    ) -> Run:
        """The run of a treatment at any point, on the design or off it; raises ScenarioError."""
        effective, instants = self._draft(treatment, point)
        timeline = Timeline(instants, self.end, self.equilibration)
        return Run(effective.changes, timeline, times, outputs)

    def changes(
        self,
        treatment: Treatment,
        base: Mapping[str, float | np.ndarray],
        final: Mapping[str, float | np.ndarray],
    ) -> dict[str, float | np.ndarray]:
        """What differs from the model in runs whose base and final values may be arrays."""
        name, drug, arm = treatment
        layers = self.arm_drugs.get(arm, self.drugs[drug]).layers
        base, final, who = {**self.base, **base}, {**self.final, **final}, self.perturbations[name]
        return resolve_many(self.model, self.cell_line, base, who, final, layers)

    def instants(
        self,
        treatment: Treatment,
        point: Point,
        values: Mapping[str, float],
        compute: Callable[[str], float] | None = None,
    ) -> tuple[Instant, ...]:
        """What happens in a run with these values; `compute` gives initial values of the model."""
        name, drug, arm = treatment
        steps = point.apply(self.scenario.regimens[arm], self.model)
        begin = compute or (lambda wanted: self._initial(wanted, values))
        context = Context(self.model, values, self._inputs_of(name, drug), begin)
        return compile_regimen(steps, context, self.end, self._place(arm)).instants

    def treatments(self) -> Iterator[tuple[Treatment, tuple[int, ...]]]:
        """Every perturbation, compound and arm together, and their place on the first axes."""
        arms = self.scenario.regimens
        number = len(self.perturbations) * len(self.drugs) * len(arms)
        if number * len(self.grid.points) > MOST_POINTS:
            raise ScenarioError(f"{self.scenario.id}: has more than {MOST_POINTS} runs")
        has_axis = (True, self.scenario.compounds is not None, bool(self.scenario.arms))
        names = itertools.product(self.perturbations, self.drugs, arms)
        sizes = (len(self.perturbations), len(self.drugs), len(arms))
        for whole, (name, drug, arm) in zip(np.ndindex(*sizes), names, strict=True):
            place = tuple(itertools.compress(whole, has_axis))
            yield (name, drug, arm), place

    def _run(self, draft: _Draft, times: np.ndarray) -> PlannedRun:
        timeline = Timeline(draft.instants, self.end, self.equilibration)
        run = Run(draft.effective.changes, timeline, times, self.outputs, self.counts)
        return PlannedRun(draft.place, run, draft.effective)

    def _start(self, point: Point, name: str, drug: Drug) -> Effective:
        base = {**self.base, **point.values}
        return resolve(
            self.model, self.cell_line, base, self.perturbations[name], self.final, drug.layers
        )

    def _inputs_of(self, perturbation: str, drug: str) -> dict[str, Quantity | None]:
        """The endpoints of other scenarios for a perturbation, and for its compound where each
        compound has its own."""
        return {
            name: held.get(f"{perturbation}.{drug}", held.get(perturbation))
            for name, held in self.inputs.items()
        }

    def _place(self, arm: str) -> Callable[[int], AbstractContextManager[None]]:
        path = ("arms", arm) if self.scenario.arms else ("regimen",)
        return lambda number: self.scenario.at(*path, number)

    def _initial(self, name: str, changes: Mapping[str, float]) -> float:
        """A value that the model computes at the start of a run; the same for all of its doses."""
        key = (name, *sorted(changes.items()))
        if key not in self.starts:
            start = Run(changes, Timeline((), 0.0), np.zeros(1), (name,))
            simulator = choose_engine("auto").compile(self.model.sbml)
            self.starts[key] = float(simulator.run(start, Tolerances())[0, 0])
        return self.starts[key]


def _values(scenario: Scenario, model: Model, section: str) -> dict[str, float]:
    values = {}
    for name, value in getattr(scenario, section).items():
        with scenario.at(section, name):
            values[name] = read_value(model, name, value)
    return values


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
