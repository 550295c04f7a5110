"""Any scenario as a titration: on which ladder of doses it runs, and for whom.

A ladder of the scenario is taken as it stands, with dose zero added. A scenario without one gets
25 doses from a thousandth to a thousand times the regimen's own dose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from myelode.dose_ladders import is_of_value
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model
from myelode.regimens.doses import dose_unit
from myelode.regimens.steps import Quantity
from myelode.scenario import Scenario, perturbation_names
from myelode.sections import Design, Ladder, Uncertainty
from myelode.units import to_unit

REACH, POINTS = 1000.0, 25
LEAST_POINTS = 3
_NUMBER = re.compile(r"\s*([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)")
_Part = TypeVar("_Part", Design, Ladder)


@dataclass(frozen=True)
class Asked:
    """What is asked of a ladder: of which labelled dose or value, its ends, how many doses."""

    of: str | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    points: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the ladder of the scenario stands as it is."""
        return self == Asked()


def with_ladder(scenario: Scenario, model: Model, asked: Asked) -> Scenario:
    """The scenario with one ladder of doses, which starts with zero.

    Raises ScenarioError for a dose that does not exist, and for ends that are no ladder.
    """
    own = scenario.design.dose
    if own is None or (asked.of is not None and asked.of != own.of):
        ladder = _new_ladder(scenario, model, asked)
    elif asked.is_empty:
        ladder = own.model_copy(update={"zero": True})
    else:
        ladder = _ladder(own.of, asked, _ends(own, _unit(scenario, model, own.of)))
    return _designed(scenario, dose=ladder.model_dump(by_alias=True, exclude_none=True))


def with_draws(scenario: Scenario, number: int, seed: int) -> Scenario:
    """The scenario with a typical run and so many draws of the uncertain numbers beside it.

    Raises ScenarioError for a design that varies something else already.
    """
    subjects = scenario.design.subjects
    if subjects is not None and not isinstance(subjects, Uncertainty):
        said = f"has {subjects.title} already: they cannot be drawn as well"
        raise ScenarioError(f"{scenario.id}: the design {said}")
    drawn: dict[str, Any] = {"number": number + 1, "seed": seed}
    drawn |= {"vary": subjects.vary} if subjects else {}
    return _designed(scenario, uncertainty=drawn)


def with_perturbations(scenario: Scenario, names: Sequence[str] | None) -> Scenario:
    """The scenario with its reference and these perturbations: its own, or the model's by name."""
    listed = perturbation_names(scenario)
    own = dict(zip(listed, scenario.perturbations, strict=True))
    wanted = listed if names is None else [name.strip() for name in names]
    order = dict.fromkeys([scenario.reference, *wanted])
    items = [own.get(name, name) for name in order]
    return scenario.model_copy(update={"perturbations": items})


def labels_of(scenario: Scenario) -> list[str]:
    """The labels of the doses of a regimen, in order."""
    steps = [step for steps in scenario.regimens.values() for step in steps]
    return list(dict.fromkeys(str(s.label) for s in steps if s.label and s.quantity_field))


def _new_ladder(scenario: Scenario, model: Model, asked: Asked) -> Ladder:
    """A ladder around the regimen's own dose, but for what is asked for."""
    of = asked.of or _only_label(scenario)
    if asked.low is not None and asked.high is not None:
        return _ladder(of, asked, (asked.low, asked.high, POINTS))
    unit = _unit(scenario, model, of)
    dose = _own_dose(scenario, model, of, unit)
    return _ladder(of, asked, (_text(dose / REACH, unit), _text(dose * REACH, unit), POINTS))


def _only_label(scenario: Scenario) -> str:
    labels = labels_of(scenario)
    if len(labels) == 1:
        return labels[0]
    if not labels:
        raise ScenarioError(f"{scenario.id}: no dose has a label, so that none can be titrated")
    said = ", ".join(labels)
    raise ScenarioError(f"{scenario.id}: has several doses ({said}): say which to titrate (--dose)")


def _unit(scenario: Scenario, model: Model, of: str) -> str | None:
    """The unit of a labelled dose, or of a value of the model."""
    if is_of_value(scenario, of, model):
        return model.entity(of).unit
    steps = [step for steps in scenario.regimens.values() for step in steps]
    found = [step for step in steps if step.label == of and step.quantity_field]
    if not found:
        hint = best_matches(of, labels_of(scenario)) or best_matches(of, model.entities)
        raise ScenarioError(f"{scenario.id}: no dose is labelled {of!r}{hint}")
    return dose_unit(found[0], model)


def _own_dose(scenario: Scenario, model: Model, of: str, unit: str | None) -> float:
    """The size of the labelled dose in the regimen, in that unit."""
    steps = [step for steps in scenario.regimens.values() for step in steps]
    sizes = [getattr(s, s.quantity_field) for s in steps if s.label == of and s.quantity_field]
    ask = "say from where to where to go (--from, --to)"
    if not sizes:
        raise ScenarioError(f"{scenario.id}: {of!r} has no dose to go around: {ask}")
    try:
        dose = to_unit(sizes[0], unit, of)
    except ScenarioError:
        raise ScenarioError(f"{scenario.id}: {of!r} is no plain dose ({sizes[0]}): {ask}") from None
    if dose <= 0:
        raise ScenarioError(f"{scenario.id}: the dose {of!r} is zero: {ask}")
    return dose


def _ends(own: Ladder, unit: str | None) -> tuple[Quantity, Quantity, int]:
    """The lowest and highest positive dose of a ladder, and how many there are."""
    if own.values is None:
        return own.from_ or 0, own.to or 0, own.points or 0
    sizes = [to_unit(value, unit, "a dose") for value in own.values]
    positive = [value for value, size in zip(own.values, sizes, strict=True) if size > 0]
    if not positive:
        raise ScenarioError("no dose of the ladder is positive")
    return positive[0], positive[-1], len(positive)


def _ladder(of: str, asked: Asked, ends: tuple[Quantity, Quantity, int]) -> Ladder:
    low, high = asked.low or ends[0], asked.high or ends[1]
    points = asked.points or ends[2]
    for end in (low, high):
        if _is_zero(end):
            said = "has no place on a log axis: the control without drug is added by itself"
            raise ScenarioError(f"the ladder: a dose of zero ({end}) {said}")
    if points < LEAST_POINTS:
        raise ScenarioError(f"the ladder: has {points} doses, and needs {LEAST_POINTS} or more")
    given = {"of": of, "from": low, "to": high, "points": points, "zero": True}
    return _validated(Ladder, given, "the ladder")


def _is_zero(quantity: Quantity) -> bool:
    """Whether a quantity is none, in whatever unit."""
    found = _NUMBER.match(str(quantity))
    return found is not None and float(found[1]) == 0


def _text(number: float, unit: str | None) -> Quantity:
    return f"{number!r} {unit or ''}".strip()


def _designed(scenario: Scenario, **parts: dict[str, Any]) -> Scenario:
    """The scenario with these parts of its design in place of its own."""
    said = scenario.design.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    design = _validated(Design, {**said, **parts}, f"{scenario.id}: design")
    return scenario.model_copy(update={"design": design})


def _validated(kind: type[_Part], data: dict[str, Any], where: str) -> _Part:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ScenarioError(f"{where}: {message}") from None
