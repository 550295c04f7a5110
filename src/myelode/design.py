"""The points at which a scenario runs: dose ladders, crossed or zipped values, virtual subjects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from myelode.cohorts import virtual_subjects
from myelode.dose_ladders import (
    LADDERS,
    Axis,
    DoseLadder,
    doses_labelled,
    is_label,
    ladder_of,
    read_ladders,
)
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.parameters import Parameter
from myelode.perturbations import read_value
from myelode.regimens.doses import with_size
from myelode.regimens.steps import Step
from myelode.scenario import Scenario

MOST_POINTS = 100_000


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
    """The axes of a design, and all of its points; `laddered` are the values with a ladder."""

    axes: tuple[Axis, ...]
    points: tuple[Point, ...]

    laddered: frozenset[str] = frozenset()

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
    ladders = list(read_ladders(scenario, model))
    samples = virtual_subjects(scenario, model, below, used) or _samples(scenario, model)
    axes = [rung.axis for rung in ladders]
    axes += [_sample_axis(samples, model)] if samples else []
    laddered = frozenset(rung.of for rung in ladders if rung.is_value)
    _require_once(scenario, laddered, samples)
    places = itertools.product(*(range(len(axis.values)) for axis in axes))
    points = tuple(_point(place, ladders, samples) for place in places)
    return Grid(tuple(axes), points, laddered)


def point_at(
    grid: Grid, scenario: Scenario, doses: Mapping[str, float], values: Mapping[str, float]
) -> Point:
    """The point at any `doses` of the ladders, by the names of their axes, on them or off them."""
    sizes = {str(ladder_of(scenario, axis)): size for axis, size in doses.items()}
    set_ = {name: size for name, size in sizes.items() if name in grid.laddered}
    given = {label: size for label, size in sizes.items() if label not in grid.laddered}
    return Point((), given, {**values, **set_})


def _require_once(
    scenario: Scenario, laddered: frozenset[str], samples: Sequence[Mapping[str, float]]
) -> None:
    """Refuse a value with a ladder that the rest of the design varies too."""
    for name in sorted(laddered & set(samples[0] if samples else ())):
        with scenario.at("design"):
            raise ScenarioError(f"{name!r} has a ladder, and the design varies it too")


def _point(
    place: tuple[int, ...], ladders: Sequence[DoseLadder], samples: Sequence[Mapping[str, float]]
) -> Point:
    sizes = [(doses, doses.axis.values[at]) for at, doses in zip(place, ladders, strict=False)]
    values = {doses.of: size for doses, size in sizes if doses.is_value}
    given = {doses.of: size for doses, size in sizes if not doses.is_value}
    return Point(place, given, {**(samples[place[-1]] if samples else {}), **values})


def first_alike(scenario: Scenario, axes: Sequence[Axis], place: Sequence[int]) -> tuple[int, ...]:
    """The place of the run that the one at a place repeats; its own where it repeats none.

    An arm without the dose of a ladder is the same at every dose, and so is run at the first only.
    """
    at = {axis.name: number for axis, number in zip(axes, place, strict=True)}
    if "arm" not in at:
        return tuple(place)
    names = next(axis.values for axis in axes if axis.name == "arm")
    steps = scenario.regimens[names[at["arm"]]]
    for name in LADDERS:
        of = ladder_of(scenario, name)
        if of is not None and is_label(scenario, of) and not doses_labelled(steps, of):
            at[name] = 0
    return tuple(at.values())


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
