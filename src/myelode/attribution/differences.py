"""What differs between two sides: the players among whom a gap is divided.

A player is a value of the model, all shares of one whole together, a number that comes from another
scenario, or a step of the regimen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from myelode.attribution.sides import Side
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.plan import Plan
from myelode.regimens.steps import Quantity, Step
from myelode.units import split_quantity
from myelode.wholes import Wholes

SAME_INPUT = 1e-6
Pair = tuple[float | None, float | None]
"""A value on both sides; None where the model computes it."""
_SAME = (
    "model", "variant", "observe", "design", "equilibrate", "endpoints", "assays", "activities",
    "responses",
)  # fmt: skip


@dataclass(frozen=True)
class Player:
    """One thing that differs: `values`, `inputs` and `slots` say where, on both sides.

    `slots` are places in the regimen of the mixture.
    """

    name: str
    title: str
    texts: tuple[str, str]
    values: Mapping[str, Pair] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Quantity, Quantity]] = field(default_factory=dict)
    slots: tuple[int, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The players, in the order of their names, and what both sides have in common.

    `slots` are the steps of both sides in one list: what stands there on each side, if anything.
    """

    players: tuple[Player, ...]
    common: Mapping[str, float]
    inputs: Mapping[str, Quantity]
    slots: tuple[tuple[Step | None, Step | None], ...]

    @property
    def has_steps(self) -> bool:
        """Whether the regimens differ."""
        return any(player.slots for player in self.players)


def differences(one: Side, other: Side, plans: tuple[Plan, Plan]) -> Difference:
    """Everything in which two sides differ.

    Raises ScenarioError where they differ in something that cannot be exchanged, or in nothing.
    """
    for name in _SAME:
        if getattr(one.scenario, name) != getattr(other.scenario, name):
            said = f"{one.name!r} and {other.name!r} differ in {name!r}"
            raise ScenarioError(f"{said}: only values and steps can be exchanged")
    many = one.scenario.regimens if len(one.scenario.regimens) > 1 else other.scenario.regimens
    if len(many) > 1 and one.scenario.regimens != other.scenario.regimens:
        raise ScenarioError("steps are exchanged within one arm: name it with --arm")
    model = plans[0].model
    values = tuple(_values(plan) for plan in plans)
    inputs = tuple(_inputs(plan) for plan in plans)
    slots = _slots(*(_regimen(side) for side in (one, other)))
    found = [
        *_value_players(model, values[0], values[1]),
        *_input_players(inputs[0], inputs[1]),
        *_step_players(slots, model),
    ]
    if not found:
        raise ScenarioError(f"{one.name!r} and {other.name!r} do not differ in any value or step")
    taken = {name for player in found for name in (*player.values, *player.inputs)}
    return Difference(
        tuple(sorted(found, key=lambda player: player.name)),
        {name: value for name, value in values[0].items() if name not in taken},
        {name: value for name, value in inputs[0].items() if name not in taken},
        slots,
    )


def _values(plan: Plan) -> Mapping[str, float]:
    """The values that differ from the model's, which are the same in all runs of a side."""
    ladders = (plan.scenario.design.dose, plan.scenario.design.dose2)
    laid = {ladder.of for ladder in ladders if ladder}
    [who] = plan.perturbations.values()
    if clash := laid & (who.set.keys() | who.scale.keys()):
        raise ScenarioError(f"{who.name!r} changes {min(clash)!r}, over which there is a ladder")
    first, *others = (_without(run.effective.changes, laid) for run in plan.runs)
    if any(changes != first for changes in others):
        raise ScenarioError("the runs of one side differ in their values: name an arm or compound")
    return first


def _without(values: Mapping[str, float], names: set[str]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in names}


def _inputs(plan: Plan) -> dict[str, Quantity]:
    """The numbers from other scenarios for the one perturbation, and compound, of a side."""
    [who], drugs = plan.perturbations, list(plan.drugs)
    found = {
        name: held.get(f"{who}.{drugs[0]}", held.get(who)) for name, held in plan.inputs.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _value_players(
    model: Model, one: Mapping[str, float], other: Mapping[str, float]
) -> Iterator[Player]:
    def pair(name: str) -> Pair:
        default = model.entity(name).value
        return one.get(name, default), other.get(name, default)

    pairs = {name: pair(name) for name in sorted({*one, *other})}
    differ = {name: both for name, both in pairs.items() if both[0] != both[1]}
    for whole in Wholes(model).groups:
        if changed := differ.keys() & set(whole):
            own = {name: differ.pop(name) for name in sorted(changed)}
            title = "shares of one whole: " + ", ".join(map(model.label_of, own))
            yield Player(" + ".join(own), title, _texts(model, own), own)
    for name, both in differ.items():
        yield Player(name, model.label_of(name), _texts(model, {name: both}), {name: both})


def _texts(model: Model, values: Mapping[str, Pair]) -> tuple[str, str]:
    def text(side: int) -> str:
        return " + ".join(_written(model, name, pair[side]) for name, pair in values.items())

    return text(0), text(1)


def _written(model: Model, name: str, value: float | None) -> str:
    if value is None:
        return "as computed"
    unit = model.entity(name).unit or ""
    return f"{value:.4g} {'' if unit == 'dimensionless' else unit}".strip()


def _input_players(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> Iterator[Player]:
    for name in sorted(one.keys() | other.keys()):
        if name not in one or name not in other:
            raise ScenarioError(f"the input {name!r} has a value on one side only")
        (first, unit), (second, own) = split_quantity(one[name]), split_quantity(other[name])
        # These are results of simulations, which may differ by the error of the integrator.
        if unit != own or not math.isclose(first, second, rel_tol=SAME_INPUT):
            both = (f"{first:.4g} {unit or ''}".strip(), f"{second:.4g} {own or ''}".strip())
            yield Player(name, f"input {name}", both, inputs={name: (one[name], other[name])})


def _regimen(side: Side) -> list[Step]:
    """The steps of a side; none where it keeps several arms, which then cannot differ."""
    steps = list(side.scenario.regimens.values())
    return steps[0] if len(steps) == 1 else []


def _slots(
    one: Sequence[Step], other: Sequence[Step]
) -> tuple[tuple[Step | None, Step | None], ...]:
    """The steps of both sides in one list: equal ones, then those that are alike, then the rest."""
    rest = list(other)
    slots: list[tuple[Step | None, Step | None]] = []
    for alike in (lambda a, b: a == b, _alike):
        pending = [step for step in one if not any(step is known for known, _ in slots)]
        for step in pending:
            match = next((candidate for candidate in rest if alike(step, candidate)), None)
            if match is not None:
                rest.remove(match)
                slots.append((step, match))
    lone = [step for step in one if not any(step is known for known, _ in slots)]
    return (*slots, *((step, None) for step in lone), *((None, step) for step in rest))


def _alike(one: Step, other: Step) -> bool:
    """Whether two steps do the same thing, with another size or at another time."""
    same_label = one.label is not None and one.label == other.label
    same_place = one.label is None and other.label is None and one.at == other.at
    return one.verb == other.verb and (
        same_label or (same_place and _target(one) == _target(other))
    )


def _target(step: Step) -> str:
    found = getattr(step, step.verb)
    return found if isinstance(found, str) else " and ".join(found) if step.set else step.verb


def _step_players(
    slots: Sequence[tuple[Step | None, Step | None]], model: Model
) -> Iterator[Player]:
    taken: dict[str, int] = {}
    for number, both in enumerate(slots):
        if both[0] != both[1]:
            step = both[0] or both[1]
            assert step is not None
            name = step.label or f"{step.verb} {_target(step)} at {step.at}"
            taken[name] = taken.get(name, 0) + 1
            name = name if taken[name] == 1 else f"{name} ({taken[name]})"
            if name in model.entities:
                name = f"step {name}"
            said = tuple("nothing" if side is None else _said(side) for side in both)
            yield Player(name, step.title, (said[0], said[1]), slots=(number,))


def _said(step: Step) -> str:
    """``dose melflufen_medium at 0 h, to 1 umol/L``."""
    more = step.model_dump(mode="json", by_alias=True, exclude_unset=True)
    rest = [f"{k} {v}" for k, v in more.items() if k not in ("at", "label", step.verb)]
    return ", ".join([f"{step.verb} {_target(step)} at {step.at}", *rest])
