"""Shares of a whole, which sum to 1 in every run, whoever has set one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.parameters import fault_of_whole, wholes
from myelode.perturbations import Perturbation
from myelode.scenario import Scenario, perturbation_names
from myelode.units import factor


class Wholes:
    """The shares of a model that belong together."""

    def __init__(self, model: Model):
        self.model = model
        self.groups = wholes(model.parameters)

    def broken(self, values: Mapping[str, float]) -> Iterator[tuple[set[str], str]]:
        """Each whole that the values of a run break: what they change of it, and a message."""
        for names in self.groups:
            if changed := values.keys() & set(names):
                shares = {name: self._share(name, values) for name in names}
                if fault := fault_of_whole(shares):
                    yield changed, fault

    def require(
        self,
        values: Mapping[str, float],
        scenario: Scenario,
        name: str,
        perturbation: Perturbation,
    ) -> None:
        """Refuse values that break a whole, with the place of the topmost that changes it.

        `name` is that of the perturbation in the scenario.
        """
        for changed, fault in self.broken(values):
            number = perturbation_names(scenario).index(name)
            with scenario.at(*_place(changed, scenario, number, perturbation)):
                raise ScenarioError(fault)

    def _share(self, name: str, values: Mapping[str, float]) -> float:
        entity = self.model.entities[name]
        value = values.get(name, entity.value or 0.0)
        return value * factor(entity.unit or "", "dimensionless", name)


def _place(
    names: set[str], scenario: Scenario, number: int, perturbation: Perturbation
) -> tuple[str | int, ...]:
    """Where a scenario changes one of several values, the topmost place first."""
    changed = perturbation.set.keys() | perturbation.scale.keys()
    sections: list[tuple[Collection[str], tuple[str | int, ...]]] = [
        (scenario.final, ("final",)),
        (changed, ("perturbations", number)),
        (scenario.design.cross, ("design", "cross")),
        (scenario.design.zip, ("design", "zip")),
        (scenario.set, ("set",)),
    ]
    for own, path in sections:
        for name in sorted(names & set(own)):
            return path if path[0] == "perturbations" else (*path, name)
    return ("cell_line",) if scenario.cell_line else ("model",)
