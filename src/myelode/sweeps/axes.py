"""What an axis of a sweep is: a value of the model, the size of a dose, or a place of the scenario.

``k_FA`` and ``final.k_FA`` are values, ``regimen.LABEL.to`` and ``arms.ARM.LABEL.to`` sizes of
doses; ``perturbation``, ``cell_line``, ``compound``, ``regimen.LABEL.at`` or any other path is a
place, for each value of which the scenario is read anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

from myelode.cohorts import Cohort
from myelode.dose_ladders import doses_labelled
from myelode.errors import ScenarioError, best_matches
from myelode.faults import keys
from myelode.model import where_else
from myelode.perturbations import read_value
from myelode.plan import Planner
from myelode.regimens.doses import dose_unit
from myelode.regimens.steps import Step
from myelode.scenario import Scenario
from myelode.sections import SUBJECTS
from myelode.sweeps.designs.scales import Columns
from myelode.sweeps.standing import Numbers, Standing, Who, the_one
from myelode.units import to_unit

Kind = Literal["value", "final", "dose", "place"]
PERTURBATION = "perturbation"
"""The place that stands for one of the scenario's perturbations."""
_FIELDS = ("to", "add", "amount", "rate")
_STEPS = {"regimen": 3, "arms": 4}
"""How many keys lead to a field of a step."""


@dataclass(frozen=True)
class Axis:
    """One axis: what it is, and what it moves.

    Attributes
    ----------
    target : the value of the model, or the label of the dose.
    arm : that of the dose; None where the axis moves it in every arm.
    unit : the model's unit of its numbers.
    """

    name: str
    kind: Kind
    target: str = ""
    arm: str | None = None
    unit: str | None = None

    @property
    def is_place(self) -> bool:
        """Whether its values are texts."""
        return self.kind == "place"


class ScenarioAxes:
    """The axes that a scenario may have."""

    def __init__(self, scenario: Scenario, planner: Planner):
        self.scenario = scenario
        self.planner = planner
        self.model = planner.model
        self.axis = lru_cache(maxsize=None)(self._axis)
        self._cohort = lru_cache(maxsize=None)(self._new_cohort)

    def is_place(self, name: str) -> bool:
        """Whether an axis is a place of the scenario, whose values are texts."""
        return self.axis(name).is_place

    def number(self, name: str, quantity: str | float | int) -> float:
        """A quantity in the model's unit of an axis; raises ScenarioError."""
        axis = self.axis(name)
        if axis.kind == "dose":
            size = to_unit(quantity, axis.unit, "a dose")
            if size < 0:
                raise ScenarioError(f"the dose {quantity!r} is negative")
            return size
        return read_value(self.model, axis.target, quantity)

    def unit(self, name: str) -> str | None:
        """The model's unit of an axis; None where it has none."""
        return self.axis(name).unit

    def value(self, name: str) -> float:
        """What stands on an axis of numbers where nothing moves it.

        Raises ScenarioError where that differs between the treatments of the scenario.
        """
        axis = self.axis(name)
        if axis.kind == "dose":
            found: Numbers = self._sizes(axis)
        else:
            standing = self._standing
            of = standing.settled if axis.kind == "final" else standing.below
            found = of(axis.target)
        return the_one(name, axis.unit, found, self._instead(axis))

    def _sizes(self, axis: Axis) -> dict[Who, float]:
        """The size of a dose in each arm."""
        return {
            Who(arm=arm): to_unit(getattr(step, step.quantity_field), axis.unit, "a dose")
            for arm, step in self._steps(axis.target, axis.arm)
        }

    def _instead(self, axis: Axis) -> Mapping[str, str]:
        """What to do where treatments have a number of their own, by what they differ in."""
        of_arms = "name one for all arms, as in 'with: {{compound: NAME}}'"
        if axis.kind == "dose":
            of_arms = f"name the arm, as in arms.{{one}}.{axis.name.partition('.')[2]}"
        return {
            "perturbation": "name one, as in 'with: {{perturbations: [{one}]}}', or take "
            f"{axis.target}, on which perturbations act",
            "compound": "name one, as in 'with: {{compounds: [{one}]}}', or leave it out",
            "arm": f"{of_arms}, or leave it out",
        }

    def quantile(self, name: str, column: str, normal: np.ndarray) -> np.ndarray:
        """Values of the spread that a column states, where standard normal numbers stand."""
        if self.axis(name).kind != "value":
            raise ScenarioError(f"{name!r} is no value of the model: it has no spread")
        return self._cohort(column, (name,), 1).quantiles(name, normal)

    def drawn(
        self, column: str, names: Sequence[str] | None, seed: int, first: int, last: int
    ) -> Columns:
        """Subjects number first + 1 and so on, of all rows (or those named) with such a spread."""
        cohort = self._cohort(column, tuple(names) if names else None, seed)
        subjects = [cohort.subject(number + 1) for number in range(first, last)]
        return {name: np.array([item[name] for item in subjects]) for name in cohort.names}

    def spread(self, column: str, names: Sequence[str] | None) -> str:
        """All that drawn numbers depend on, beside seed and places."""
        return self._cohort(column, tuple(names) if names else None, 1).about

    def _new_cohort(self, column: str, names: tuple[str, ...] | None, seed: int) -> Cohort:
        [kind] = [kind for kind in SUBJECTS.values() if kind.column == column]
        rule = kind(number=1, seed=seed, vary=column if names is None else list(names))
        planner = self.planner
        return Cohort(self.scenario, rule, self.model, planner.typical, planner.rows)

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self.planner)

    def _axis(self, name: str) -> Axis:
        path = name.split(".")
        if name in self.model.entities:
            return self._value_axis(name, "value", name)
        if path[0] == "final" and len(path) == 2:
            return self._value_axis(name, "final", path[1])
        if len(path) == _STEPS.get(path[0]) and path[-1] in _FIELDS:
            return self._dose_axis(name, path)
        if path[0] in {PERTURBATION, *keys(Scenario)} - {"set", "design", "id", "title"}:
            return Axis(name, "place")
        raise ScenarioError(self._unknown(name))

    def _value_axis(self, name: str, kind: Kind, target: str) -> Axis:
        entity = self.model.entity(target)
        if entity.kind == "reaction" or entity.rule == "assignment":
            raise ScenarioError(f"{target!r} is computed by the model and cannot be an axis")
        ladders = self.planner.grid.laddered
        if target in ladders:
            raise ScenarioError(f"{target!r} has a ladder in the scenario: it cannot be an axis")
        return Axis(name, kind, target, None, entity.unit)

    def _dose_axis(self, name: str, path: Sequence[str]) -> Axis:
        label, field = path[-2], path[-1]
        arm = path[1] if path[0] == "arms" else None
        steps = [step for _, step in self._steps(label, arm)]
        for step in steps:
            if step.quantity_field != field:
                said = f"the size of {step.title} is its {step.quantity_field!r}"
                raise ScenarioError(f"{name}: {said}, not {field!r}")
        units = {dose_unit(step, self.model) for step in steps}
        if len(units) > 1:
            said = " and ".join(sorted(map(str, units)))
            raise ScenarioError(f"{name}: the doses labelled {label!r} are in {said}")
        ladders = (self.scenario.design.dose, self.scenario.design.dose2)
        if any(ladder.of == label for ladder in ladders if ladder):
            raise ScenarioError(f"{label!r} has a ladder in the scenario: it cannot be an axis")
        return Axis(name, "dose", label, arm, units.pop())

    def _steps(self, label: str, arm: str | None) -> list[tuple[str, Step]]:
        """The doses of that label, in one arm or in all, each with its arm."""
        arms = self.scenario.regimens
        if arm is not None and arm not in arms:
            raise ScenarioError(f"unknown arm {arm!r}{best_matches(arm, arms)}")
        found = [
            (name, step)
            for name, steps in arms.items()
            if arm in (None, name)
            for step in doses_labelled(steps, label)
        ]
        if not found:
            labels = {str(s.label) for steps in arms.values() for s in steps if s.label}
            hint = best_matches(label, labels)
            raise ScenarioError(f"no dose is labelled {label!r}{hint}")
        return found

    def _unknown(self, name: str) -> str:
        """What is wrong with a name that is neither a value nor a place."""
        if said := where_else(self.model, name):
            return said
        values = [n for n, item in self.model.entities.items() if item.kind == "parameter"]
        hint = best_matches(name, [*values, PERTURBATION, *keys(Scenario)])
        return f"{name!r} is no value of {self.model.name} and no place of a scenario{hint}"
