"""Runs in which some players have the value of one side, and the others that of the other.

All mixtures are one scenario: those of values are its perturbations, those of steps its arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from myelode.attribution.differences import Difference
from myelode.attribution.sides import Side, written
from myelode.datasets import plan_dataset
from myelode.engines import Tolerances
from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.outcomes import evaluate_scenario
from myelode.plan import Plan, make_plan
from myelode.regimens.steps import Context, Quantity, Step
from myelode.scenario import Scenario
from myelode.sections import FLAG
from myelode.simulation import run_plan


@dataclass(frozen=True)
class Mixed:
    """The endpoint in every mixture, by coalition: those who have the values of the other side.

    `flags` say why a number is none, where the endpoint says so; `said` are the attributes of the
    endpoint, `origin` those of all runs.
    """

    game: Mapping[int, float]
    flags: Mapping[int, str]
    said: Mapping[Any, Any]
    origin: Mapping[Any, Any]
    runs: int


@dataclass(frozen=True)
class Batch:
    """How the runs are done."""

    engine: str = "auto"
    tolerances: Tolerances = field(default_factory=Tolerances)
    progress: Progress | None = None


def run_mixtures(
    side: Side, difference: Difference, plan: Plan, coalitions: Sequence[int], endpoint: str,
    batch: Batch,
) -> Mixed:  # fmt: skip
    """The endpoint of all mixtures, from one batch of runs; `plan` is that of the first side.

    Raises ScenarioError for an endpoint that is no single number, SimulationError where a run of a
    mixture fails.
    """
    mixtures = _Mixtures(side.scenario, difference, plan.model, coalitions)
    whole = make_plan(mixtures.scenario(), mixtures.inputs(), model=plan.model)
    values, ran = run_plan(whole, batch.engine, batch.tolerances, batch.progress)
    # What each run was is of no use here, and much.
    dataset = plan_dataset(replace(whole, runs=()), values, ran, batch.tolerances)
    result = evaluate_scenario(dataset, whole.scenario, Context(whole.model))
    numbers = mixtures.read(_single(result, endpoint, mixtures.axes))
    flags = {}
    if endpoint + FLAG in result:
        flags = mixtures.read(_single(result, endpoint + FLAG, mixtures.axes))
    game = {coalition: float(value) for coalition, value in numbers.items()}
    return Mixed(game, flags, result[endpoint].attrs, dataset.attrs, len(whole.runs))


def _single(result: xr.Dataset, name: str, axes: Sequence[str]) -> xr.DataArray:
    """A variable along the axes of the mixtures alone."""
    data = result[name]
    data = data.squeeze([dim for dim in data.dims if dim not in axes and data.sizes[dim] == 1])
    if rest := [str(dim) for dim in data.dims if dim not in axes]:
        said = f"{name!r} has a value for each {' and '.join(rest)}, and so no single gap"
        hint = f": name one, with --set endpoints.{name}.dose=..." if "dose" in rest else ""
        raise ScenarioError(said + hint)
    return data


class _Mixtures:
    """Coalitions as perturbations and arms of one scenario."""

    def __init__(
        self, scenario: Scenario, difference: Difference, model: Model, coalitions: Sequence[int]
    ):
        self.base, self.difference, self.model = scenario, difference, model
        self.coalitions = coalitions
        by_steps = sum(1 << at for at, player in enumerate(difference.players) if player.slots)
        self.of_steps = {coalition: coalition & by_steps for coalition in coalitions}
        self.of_values = {coalition: coalition & ~by_steps for coalition in coalitions}
        self.axes = ("perturbation", "arm") if difference.has_steps else ("perturbation",)

    def scenario(self) -> Scenario:
        """The scenario of all mixtures; the regimens of several arms that do not differ stay."""
        changed: dict[str, Any] = {
            "perturbations": [{self._name(c): self._changes(c)} for c in self._values()],
            "reference": self._name(next(iter(self._values()))),
            "set": {}, "final": {}, "cell_line": None,
        }  # fmt: skip
        if self.difference.has_steps:
            arms = {
                self._arm(c): list(self._steps(c)) for c in dict.fromkeys(self.of_steps.values())
            }
            changed |= {"regimen": None, "arms": arms}
        return self.base.model_copy(update=changed)

    def inputs(self) -> dict[str, dict[str, Quantity]]:
        """The numbers from other scenarios, for every mixture."""
        found: dict[str, dict[str, Quantity]] = {
            name: {self._name(c): value for c in self._values()}
            for name, value in self.difference.inputs.items()
        }
        for at, player in enumerate(self.difference.players):
            for name, both in player.inputs.items():
                found[name] = {self._name(c): both[c >> at & 1] for c in self._values()}
        return found

    def read(self, data: xr.DataArray) -> dict[int, Any]:
        """The value of every coalition."""
        return {
            coalition: data.sel(self._place(coalition)).values.item()
            for coalition in self.coalitions
        }

    def _values(self) -> list[int]:
        return list(dict.fromkeys(self.of_values.values()))

    def _place(self, coalition: int) -> dict[str, str]:
        place = {"perturbation": self._name(self.of_values[coalition])}
        if self.difference.has_steps:
            place["arm"] = self._arm(self.of_steps[coalition])
        return place

    def _name(self, coalition: int) -> str:
        """Who has the values of the other side."""
        players = self.difference.players
        names = [player.name for at, player in enumerate(players) if coalition >> at & 1]
        return f"exchanged: {', '.join(names) or 'nothing'}"

    def _arm(self, coalition: int) -> str:
        return f"steps_{coalition}"

    def _changes(self, coalition: int) -> dict[str, Any]:
        values: dict[str, float | None] = dict(self.difference.common)
        for at, player in enumerate(self.difference.players):
            values |= {name: both[coalition >> at & 1] for name, both in player.values.items()}
        known = {name: value for name, value in values.items() if value is not None}
        return {"set": {name: written(self.model, name, value) for name, value in known.items()}}

    def _steps(self, coalition: int) -> Iterator[Step]:
        owners = {n: at for at, player in enumerate(self.difference.players) for n in player.slots}
        for number, both in enumerate(self.difference.slots):
            step = both[coalition >> owners[number] & 1] if number in owners else both[0]
            if step is not None:
                yield step
