"""The model of a scenario as a plate: what is left in a well with any dose of two agents.

A case is one perturbation, compound and arm of the scenario with one draw of its uncertain numbers.
Doses need not stand on the ladders of the scenario. All wells that are asked for at once are one
batch of runs; the engine of the first batch does the later ones too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from myelode.design import point_at
from myelode.dose_ladders import LADDERS, Axis, ladder_of
from myelode.engines import Run, Tolerances
from myelode.engines.bulk import MANY, Progress, Ran, run_all
from myelode.errors import ScenarioError, SimulationError, UnsupportedModelError
from myelode.model import Model
from myelode.plan import Planner, Treatment
from myelode.regimens.steps import Context, label_times, resolve_time
from myelode.scenario import Scenario
from myelode.sections import Endpoint
from myelode.simulation import evaluate_inputs
from myelode.units import factor

LATER = 4
"""How many times the runs of the first batch there are in all, or more."""


class Wells:
    """Responses of a scenario at any doses of its two ladders, case by case."""

    def __init__(
        self,
        scenario: Scenario,
        model: Model,
        read: Endpoint,
        engine: str,
        tolerances: Tolerances,
        progress: Progress | None = None,
    ):
        inputs = evaluate_inputs(scenario, engine, tolerances)
        self.planner = Planner(scenario, model, inputs, {})
        self.read = read
        self.engine, self.because = engine, ""
        self.tolerances, self.progress = tolerances, progress
        self.sbml = self.planner.sbml
        self.treatments = _dosed(self.planner, read)
        self.draws = self._draws()
        self.times = {arm: self._time(arm) for _, _, arm in self.treatments}
        self.failed = self.done = 0

    @property
    def cases(self) -> int:
        """How many cases there are: every treatment with every draw, the draws running fastest."""
        return len(self.treatments) * len(self.draws)

    @property
    def typical(self) -> np.ndarray:
        """The numbers of the cases with the typical draw, one for each treatment."""
        return np.arange(0, self.cases, len(self.draws))

    @property
    def ladders(self) -> tuple[Axis, Axis]:
        """The axes of the two ladders."""
        found = {axis.name: axis for axis in self.planner.grid.axes}
        return found[LADDERS[0]], found[LADDERS[1]]

    def ceiling(self, agent: int) -> float:
        """The largest dose of an agent that has a meaning; infinite where it is dosed in a step."""
        planner = self.planner
        name = ladder_of(planner.scenario, LADDERS[agent])
        row = planner.model.parameters.get(str(name))
        if name not in planner.grid.laddered or row is None:
            return np.inf
        return row.high * factor(row.unit, planner.model.entities[row.name].unit or row.unit)

    def responses(self, cases: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """What is read in each well: of the case of that number, with that dose of each agent.

        NaN where a run fails; raises SimulationError where all of them do.
        """
        runs = [
            self._run(int(case), float(one), float(two))
            for case, one, two in zip(cases, first, second, strict=True)
        ]
        ran = self._ran(runs)
        self.engine, self.because = ran.engine, self.because or ran.because
        self.done += len(runs)
        failures = [item for item in ran.results if isinstance(item, SimulationError)]
        if runs and len(failures) == len(runs):
            raise failures[0]
        self.failed += len(failures)
        return np.array(
            [np.nan if isinstance(item, SimulationError) else item[0, 0] for item in ran.results]
        )

    def _ran(self, runs: Sequence[Run]) -> Ran:
        """The batch, done; the first one chooses an engine for all that are to come."""
        few = self.engine != "auto" or len(runs) * LATER < MANY
        try:
            ran = self._run_all(runs, self.engine if few else "ensemble")
        except UnsupportedModelError:
            if few:
                raise
            return self._run_all(runs, "auto")
        return ran if few else replace(ran, because=f"more than {MANY} runs in all")

    def _run_all(self, runs: Sequence[Run], engine: str) -> Ran:
        return run_all(self.sbml, runs, engine, self.tolerances, self._show)

    def _show(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(self.done + done, self.done + total)

    def _run(self, case: int, first: float, second: float) -> Run:
        treatment = self.treatments[case // len(self.draws)]
        values = self.draws[case % len(self.draws)]
        planner = self.planner
        doses = dict(zip(LADDERS, (first, second), strict=True))
        point = point_at(planner.grid, planner.scenario, doses, values)
        return planner.run(treatment, point, self.times[treatment[2]], (str(self.read.of),))

    def _draws(self) -> Sequence[dict[str, float]]:
        """The values of each draw; one empty draw where nothing is drawn."""
        grid = self.planner.grid
        samples = next((len(axis.values) for axis in grid.axes if axis.name == "sample"), 0)
        drawn = [dict(point.values) for point in grid.points[:samples]] or [{}]
        return [{n: v for n, v in one.items() if n not in grid.laddered} for one in drawn]

    def _time(self, arm: str) -> np.ndarray:
        planner = self.planner
        context, steps = Context(planner.model), planner.scenario.regimens[arm]
        labels = label_times(steps, context, lambda _: nullcontext())
        time = resolve_time(self.read.at or 0, labels, context)
        if time > planner.end:
            said = f"at {self.read.at!r} lies after the end of the run"
            raise ScenarioError(f"{planner.scenario.id}: {said} ({planner.end:g})")
        return np.array([time])


def _dosed(planner: Planner, read: Endpoint) -> list[Treatment]:
    """The treatments whose arm has both agents, and in which the response is read."""
    scenario, grid = planner.scenario, planner.grid
    labels = {str(ladder_of(scenario, axis)) for axis in LADDERS} - grid.laddered
    found = []
    for name, drug, arm in (treatment for treatment, _ in planner.treatments()):
        own = {step.label for step in scenario.regimens[arm] if step.quantity_field}
        wanted = read.arm in (None, arm) and read.compound in (None, drug)
        if labels <= own and wanted:
            found.append((name, drug, arm))
    if not found:
        raise ScenarioError(f"{scenario.id}: no arm has the doses of both ladders")
    return found
