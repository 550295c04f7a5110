"""The points at which a scenario runs: dose ladders, crossed or zipped values, virtual subjects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myelode.cohorts import virtual_subjects
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model
from myelode.parameters import Parameter
from myelode.perturbations import read_value
from myelode.regimens.doses import dose_unit, with_size
from myelode.regimens.steps import Step
from myelode.scenario import Scenario
from myelode.sections import Ladder
from myelode.units import to_unit

MOST_POINTS = 100_000


@dataclass(frozen=True)
class Axis:
    """A dimension of the result, with its coordinate and further labels along it.

    `labels` holds values and unit of each further coordinate, by name; `dosed` says what a ladder
    doses, in words, where that is one thing.
    """

    name: str
    values: tuple[Any, ...]
    unit: str | None = None
    labels: Mapping[str, tuple[tuple[float, ...], str | None]] | None = None
    dosed: str = ""


@dataclass(frozen=True)
class Point:
    """One point of a design: its place on the axes, sizes of doses by label, and base values."""

    place: tuple[int, ...] = ()
    doses: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)

    def apply(self, steps: Sequence[Step], model: Model) -> list[Step]:
        """The steps with the doses of this point."""
        return [
            with_size(step, self.doses[step.label], model)
            if step.label is not None and step.label in self.doses and step.quantity_field
            else step
            for step in steps
        ]


@dataclass(frozen=True)
class Grid:
    """The axes of a design, and all of its points."""

    axes: tuple[Axis, ...]
    points: tuple[Point, ...]

    @property
    def names(self) -> frozenset[str]:
        """The values of the model that the points set."""
        return frozenset(name for point in self.points for name in point.values)


def read_grid(
    scenario: Scenario, model: Model, below: Mapping[str, float], used: Mapping[str, Parameter]
) -> Grid:
    """The design of a scenario, in the model's units; raises ScenarioError with the place.

    `below` holds the values below the design, around which virtual subjects spread, and `used` the
    rows of the tables behind the runs.
    """
    ladders = list(_ladders(scenario, model))
    samples = virtual_subjects(scenario, model, below, used) or _samples(scenario, model)
    axes = [axis for axis, _ in ladders]
    axes += [_sample_axis(samples, model)] if samples else []
    places = itertools.product(*(range(len(axis.values)) for axis in axes))
    return Grid(tuple(axes), tuple(_point(place, ladders, samples) for place in places))


def _point(
    place: tuple[int, ...],
    ladders: Sequence[tuple[Axis, str]],
    samples: Sequence[Mapping[str, float]],
) -> Point:
    doses = {label: axis.values[at] for at, (axis, label) in zip(place, ladders, strict=False)}
    return Point(place, doses, samples[place[-1]] if samples else {})


def _ladders(scenario: Scenario, model: Model) -> Iterator[tuple[Axis, str]]:
    """The axis of each dose ladder, and the label of the step whose size it replaces."""
    design = scenario.design
    for name, ladder in (("dose", design.dose), ("dose2", design.dose2)):
        if ladder is not None:
            with scenario.at("design", name):
                unit = _unit_of_doses(scenario, ladder.of, model)
                dosed = _dosed(scenario, ladder.of, model)
                yield Axis(name, _doses(ladder, unit), unit, dosed=dosed), ladder.of


def _dosed(scenario: Scenario, label: str, model: Model) -> str:
    """What stands behind a labelled dose: a species, or a compound where its numbers share it out.

    "" where arms or compounds differ in it.
    """
    names = {step.dose or step.infuse or "" for step in _labelled(scenario, label)}
    if len(names) > 1:
        return ""
    name = names.pop()
    shares = model.compounds.doses.get(name, {name: 1.0})
    if len(shares) == 1 and not any(isinstance(share, str) for share in shares.values()):
        return model.label_of(next(iter(shares)))
    compound = scenario.compound or ("" if scenario.compounds else model.compounds.default)
    return model.compounds.canonical(compound) if compound and isinstance(compound, str) else ""


def _unit_of_doses(scenario: Scenario, label: str, model: Model) -> str | None:
    """The unit of a labelled dose, which is the same in every arm that has it."""
    units = {dose_unit(step, model) for step in _labelled(scenario, label)}
    if len(units) > 1:
        said = " and ".join(sorted(map(str, units)))
        raise ScenarioError(
            f"the doses labelled {label!r} are in {said}: one ladder needs one unit"
        )
    return units.pop()


def _labelled(scenario: Scenario, label: str) -> list[Step]:
    """The dose of that label in every arm that has one; the others are the same at every dose."""
    found = [step for steps in scenario.regimens.values() for step in _doses_labelled(steps, label)]
    if not found:
        steps = [step for arm in scenario.regimens.values() for step in arm]
        hint = best_matches(label, {str(s.label) for s in steps if s.label and s.quantity_field})
        where = "no dose of any arm" if scenario.arms else "no dose"
        raise ScenarioError(f"{where} is labelled {label!r}{hint}")
    _require_no_other_label(scenario, label, found)
    return found


def _require_no_other_label(scenario: Scenario, label: str, found: Sequence[Step]) -> None:
    """Refuse an arm with the same dose under another label: most likely one is misspelt."""
    dosed = {(step.dose, step.infuse) for step in found}
    for arm, steps in scenario.regimens.items():
        doubtful = [step for step in steps if (step.dose, step.infuse) in dosed]
        if doubtful and not _doses_labelled(steps, label):
            what = doubtful[0].dose or doubtful[0].infuse
            said = f"the arm {arm!r} has {what} too, but not under the label {label!r}"
            raise ScenarioError(f"{said}: the ladder would pass it by")


def _doses_labelled(steps: Sequence[Step], label: str) -> list[Step]:
    return [step for step in steps if step.label == label and step.quantity_field]


def first_alike(scenario: Scenario, axes: Sequence[Axis], place: Sequence[int]) -> tuple[int, ...]:
    """The place of the run that the one at a place repeats; its own where it repeats none.

    An arm without the dose of a ladder is the same at every dose, and so is run at the first only.
    """
    at = {axis.name: number for axis, number in zip(axes, place, strict=True)}
    if "arm" not in at:
        return tuple(place)
    names = next(axis.values for axis in axes if axis.name == "arm")
    steps = scenario.regimens[names[at["arm"]]]
    for name, ladder in (("dose", scenario.design.dose), ("dose2", scenario.design.dose2)):
        if ladder is not None and not _doses_labelled(steps, ladder.of):
            at[name] = 0
    return tuple(at.values())


def _doses(ladder: Ladder, unit: str | None) -> tuple[float, ...]:
    """The doses of a ladder in `unit`, increasing."""
    if ladder.values is not None:
        doses = [to_unit(value, unit, "a dose") for value in ladder.values]
    else:
        low, high = (to_unit(value, unit, "a dose") for value in (ladder.from_, ladder.to))
        if not 0 < low < high:
            raise ScenarioError("a ladder runs from a positive dose to a higher one")
        doses = [float(dose) for dose in np.geomspace(low, high, ladder.points or 2)]
    if ladder.zero and doses[0] > 0:
        doses = [0.0, *doses]
    if doses[0] < 0 or any(after <= before for before, after in itertools.pairwise(doses)):
        raise ScenarioError("the doses of a ladder must increase and may not be negative")
    return tuple(doses)


def _samples(scenario: Scenario, model: Model) -> list[dict[str, float]]:
    """Base values at each sample: zipped lists run together, crossed ones in every combination."""
    zipped = _value_lists(scenario, model, "zip")
    crossed = _value_lists(scenario, model, "cross")
    if (
        math.prod(map(len, crossed.values())) * max(map(len, zipped.values()), default=1)
        > MOST_POINTS
    ):
        raise ScenarioError(f"{scenario.id}: the design has more than {MOST_POINTS} points")
    if not zipped and not crossed:
        return []
    rows = [dict(zip(zipped, row, strict=True)) for row in zip(*zipped.values(), strict=True)]
    columns = [dict(zip(crossed, row, strict=True)) for row in itertools.product(*crossed.values())]
    return [{**row, **column} for row in rows or [{}] for column in columns]


def _value_lists(scenario: Scenario, model: Model, section: str) -> dict[str, list[float]]:
    lists: dict[str, list[float]] = {}
    for name, values in getattr(scenario.design, section).items():
        with scenario.at("design", section, name):
            lists[name] = [read_value(model, name, value) for value in values]
    return lists


def _sample_axis(samples: Sequence[Mapping[str, float]], model: Model) -> Axis:
    labels = {
        name: (tuple(sample[name] for sample in samples), model.entity(name).unit)
        for name in samples[0]
    }
    return Axis("sample", tuple(range(len(samples))), None, labels)
