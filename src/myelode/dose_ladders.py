"""Ladders of doses: over the size of a labelled step, or over a parameter of the model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.model import Model
from myelode.perturbations import read_value
from myelode.regimens.doses import dose_unit
from myelode.regimens.steps import Step
from myelode.scenario import Scenario
from myelode.sections import Ladder
from myelode.units import to_unit

LADDERS = ("dose", "dose2")
"""The axes that a ladder may have."""


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
class DoseLadder:
    """The axis of a ladder, and what it doses: a labelled step, or a value of the model."""

    axis: Axis
    of: str
    is_value: bool


def ladder_of(scenario: Scenario, axis: str) -> str | None:
    """What the ladder ``dose`` or ``dose2`` is of; None where there is none."""
    ladder: Ladder | None = getattr(scenario.design, axis)
    return ladder.of if ladder else None


def read_ladders(scenario: Scenario, model: Model) -> Iterator[DoseLadder]:
    """Each ladder, over the size of a labelled step or over a value of the model."""
    for name in LADDERS:
        ladder: Ladder | None = getattr(scenario.design, name)
        if ladder is None:
            continue
        with scenario.at("design", name):
            if is_of_value(scenario, ladder.of, model):
                yield DoseLadder(_value_axis(name, ladder, model), ladder.of, True)
                continue
            unit = _unit_of_doses(scenario, ladder.of, model)
            dosed = _dosed(scenario, ladder.of, model)
            yield DoseLadder(Axis(name, _doses(ladder, unit), unit, dosed=dosed), ladder.of, False)


def is_of_value(scenario: Scenario, of: str, model: Model) -> bool:
    """Whether a ladder is over a parameter of the model: no step with a dose has that label."""
    entity = model.entities.get(of)
    return not is_label(scenario, of) and entity is not None and entity.kind == "parameter"


def is_label(scenario: Scenario, of: str) -> bool:
    """Whether a step of any arm has a dose under that label."""
    return any(doses_labelled(steps, of) for steps in scenario.regimens.values())


def _value_axis(name: str, ladder: Ladder, model: Model) -> Axis:
    """The values of a parameter along its ladder, in its own unit."""
    said = ladder.values if ladder.values is not None else (ladder.from_, ladder.to)
    unit = model.entity(ladder.of).unit
    read = [read_value(model, ladder.of, value) for value in said if value is not None]
    if ladder.zero:
        # What must be positive has no zero.
        read_value(model, ladder.of, f"0 {unit}" if unit else 0.0)
    return Axis(name, _in_order(ladder, read), unit, dosed=model.label_of(ladder.of))


def _dosed(scenario: Scenario, label: str, model: Model) -> str:
    """What stands behind a labelled dose: a species, or a compound where its numbers share it out.

    "" where arms or compounds differ in it.
    """
    names = {step.dose or step.infuse or "" for step in _labelled(scenario, label, model)}
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
    units = {dose_unit(step, model) for step in _labelled(scenario, label, model)}
    if len(units) > 1:
        said = " and ".join(sorted(map(str, units)))
        raise ScenarioError(
            f"the doses labelled {label!r} are in {said}: one ladder needs one unit"
        )
    return units.pop()


def _labelled(scenario: Scenario, label: str, model: Model) -> list[Step]:
    """The dose of that label in every arm that has one; the others are the same at every dose."""
    found = [step for steps in scenario.regimens.values() for step in doses_labelled(steps, label)]
    if not found and label in model.entities and model.entities[label].kind == "species":
        raise ScenarioError(f"{label!r} is a species: dose it in a step, and label that step")
    if not found:
        steps = [step for arm in scenario.regimens.values() for step in arm]
        labels = {str(s.label) for s in steps if s.label and s.quantity_field}
        values = {name for name, item in model.entities.items() if item.kind == "parameter"}
        hint = best_matches(label, labels) or best_matches(label, values)
        where = "no dose of any arm" if scenario.arms else "no dose"
        raise ScenarioError(f"{where} is labelled {label!r}{hint}")
    _require_no_other_label(scenario, label, found)
    return found


def _require_no_other_label(scenario: Scenario, label: str, found: Sequence[Step]) -> None:
    """Refuse an arm with the same dose under another label: most likely one is misspelt."""
    dosed = {(step.dose, step.infuse) for step in found}
    for arm, steps in scenario.regimens.items():
        doubtful = [step for step in steps if (step.dose, step.infuse) in dosed]
        if doubtful and not doses_labelled(steps, label):
            what = doubtful[0].dose or doubtful[0].infuse
            said = f"the arm {arm!r} has {what} too, but not under the label {label!r}"
            raise ScenarioError(f"{said}: the ladder would pass it by")


def doses_labelled(steps: Sequence[Step], label: str) -> list[Step]:
    """The doses of that label among the steps of one arm."""
    return [step for step in steps if step.label == label and step.quantity_field]


def _doses(ladder: Ladder, unit: str | None) -> tuple[float, ...]:
    """The doses of a ladder in `unit`, increasing."""
    said = ladder.values if ladder.values is not None else (ladder.from_, ladder.to)
    return _in_order(
        ladder, [to_unit(value, unit, "a dose") for value in said if value is not None]
    )


def _in_order(ladder: Ladder, read: Sequence[float]) -> tuple[float, ...]:
    """All doses of a ladder, increasing, from those that it lists, or from its two ends."""
    doses = list(read)
    if ladder.values is None:
        low, high = read
        if not 0 < low < high:
            raise ScenarioError("a ladder runs from a positive dose to a higher one")
        doses = [float(dose) for dose in np.geomspace(low, high, ladder.points or 2)]
    if ladder.zero and doses[0] > 0:
        doses = [0.0, *doses]
    if doses[0] < 0 or any(after <= before for before, after in itertools.pairwise(doses)):
        raise ScenarioError("the doses of a ladder must increase and may not be negative")
    return tuple(doses)
