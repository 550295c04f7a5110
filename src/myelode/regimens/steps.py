"""One line of a regimen as scenario files write it, and when it happens.

A `Step` has one verb (dose, infuse, wash, renew, set, reset) and the fields that the verb takes.
Times may stand relative to the label of another step: ``wash + 6 h``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema

from myelode.errors import ScenarioError, best_matches
from myelode.expressions import is_condition, names_in
from myelode.model import Model
from myelode.regimens.timeline import just_before, tidy
from myelode.units import to_unit


def _as_written(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        several = ": write one alone" if isinstance(value, list | dict) else ""
        raise ValueError(f"{value!r} is not a quantity such as '2 h'{several}")
    return value


STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
"""What all parts of a scenario file share: known keys only, and values of the very type."""

Quantity = Annotated[str | float | int, BeforeValidator(_as_written)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
Factor = Annotated[float, Field(allow_inf_nan=False)]

# Says at which place of the file the step of that number stands, in errors raised inside.
Place = Callable[[int], AbstractContextManager[None]]

VERBS = ("dose", "infuse", "wash", "renew", "set", "reset")
_ALWAYS_ALLOWED = {"at", "label", "if", "count"}
_ALLOWED: Mapping[str, frozenset[str]] = {
    "dose": frozenset("to add amount every times lag bioavailability steady_state".split()),
    "infuse": frozenset("amount rate over every times lag bioavailability steady_state".split()),
    "wash": frozenset({"dilute", "times", "fresh"}),
    "renew": frozenset({"fraction", "fresh"}),
    "set": frozenset({"for", "until", "every", "times"}),
    "reset": frozenset(),
}
_RELATIVE = re.compile(r"@?([A-Za-z_]\w*)\s*(?:([+-])\s*([\d.].*))?")
_BEFORE = re.compile(r"@?([A-Za-z_]\w*)-")


class Step(BaseModel):
    """One act of a regimen: exactly one verb, at one time, with the fields that the verb takes."""

    model_config = STRICT

    at: Quantity
    label: Identifier | None = None
    dose: str | None = None
    infuse: str | None = None
    wash: str | None = None
    renew: str | None = None
    set: dict[str, Quantity] | None = None
    reset: bool | None = None
    to: Quantity | None = None
    add: Quantity | None = None
    amount: Quantity | None = None
    rate: Quantity | None = None
    over: Quantity | None = None
    every: Quantity | None = None
    times: Annotated[int | None, Field(ge=1, le=100_000)] = None
    lag: Quantity | None = None
    bioavailability: Annotated[Factor | None, Field(gt=0)] = None
    steady_state: bool | None = None
    dilute: Annotated[Factor | None, Field(ge=1)] = None
    fraction: Annotated[Factor | None, Field(gt=0, le=1)] = None
    fresh: dict[str, Quantity] | None = None
    for_: Annotated[Quantity | None, Field(alias="for")] = None
    until: Quantity | None = None
    if_: Annotated[str | None, Field(alias="if")] = None
    count: Identifier | None = None

    @property
    def verb(self) -> str:
        """What the step does."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def quantity_field(self) -> str:
        """The field that holds the size of a dose: ``to``, ``add``, ``amount`` or ``rate``."""
        names = ("to", "add", "amount", "rate")
        return next((name for name in names if getattr(self, name) is not None), "")

    @property
    def counted_as(self) -> str:
        """The name under which occurrences with a condition are counted; "" where they are not."""
        return (self.count or self.label or "") if self.if_ is not None else ""

    @property
    def title(self) -> str:
        """The step in a message: its label, or its verb and time."""
        return f"step {self.label!r}" if self.label else f"the {self.verb} at {self.at!r}"

    @model_validator(mode="after")
    def _one_verb_with_its_fields(self) -> Step:
        verbs = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(verbs) != 1:
            said = f"not {' and '.join(verbs)} together" if verbs else "none is given"
            raise ValueError(f"a step has one of {', '.join(VERBS)}: {said}")
        given = {name.rstrip("_") for name in self.model_fields_set} - {*_ALWAYS_ALLOWED, verbs[0]}
        wrong = sorted(given - _ALLOWED[verbs[0]])
        if wrong:
            allowed = ", ".join(sorted(_ALLOWED[verbs[0]])) or "no further keys"
            raise ValueError(f"{verbs[0]} does not take {wrong[0]!r}: it takes {allowed}")
        for fault in _faults(self, verbs[0], given):
            raise ValueError(fault)
        return self


class _OrName:
    """What the schema says of steps: a list of them, or the name of a regimen of the model."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(core_schema), {"type": "string"}]}


Steps = Annotated[list[Step], _OrName()]
"""The steps of a regimen; a file may name a regimen instead, which is then written out."""


def _faults(step: Step, verb: str, given: set[str]) -> Iterator[str]:
    """What is missing, or does not go together, in the fields of a step."""
    if verb == "dose":
        yield from _dose_faults(given)
    if verb == "infuse":
        constant = step.steady_state and "rate" in given and not given & {"amount", "over"}
        if not constant and len(given & {"amount", "rate", "over"}) != 2:
            yield f"an infusion has two of amount, rate, over{_given(given, 'amount rate over')}"
        if constant and given & {"every", "times"}:
            yield "a constant infusion to steady state does not recur: give it an amount"
        if step.steady_state and not constant and "every" not in given:
            yield "steady_state needs every, the dosing interval"
    if verb in ("dose", "infuse", "set"):
        if "times" in given and "every" not in given:
            yield "times needs every"
        if "every" in given and "times" not in given and not step.steady_state:
            yield f"every needs times, the number of {'settings' if verb == 'set' else 'doses'}"
    if verb == "wash" and step.dilute is None:
        yield "a wash says how much it dilutes: dilute: 1000"
    if {"for", "until"} <= given:
        yield "a setting ends with for or until, not both"
    if {"every", "until"} <= given:
        yield "a setting that recurs ends with for, not until"
    yield from _condition_faults(step)


def _condition_faults(step: Step) -> Iterator[str]:
    """What is no condition, and steps that take none."""
    if step.if_ is None:
        if step.count is not None:
            yield "count needs if: it counts the occurrences that took place"
        return
    if step.steady_state:
        yield "a steady state takes no if: it is reached as if its doses had always been given"
    if step.reset is not None:
        yield "a reset takes no if: it cancels what other steps still had to do"
    try:
        names = names_in(step.if_)
    except ScenarioError as error:
        yield f"if: {error}"
        return
    if not is_condition(step.if_):
        yield f"if: {step.if_!r} is no condition such as 'a < 0.5 * b'"
    if not names:
        yield f"if: {step.if_!r} compares numbers only: it names no value of the model"


def _given(given: set[str], keys: str) -> str:
    """Which of some keys are there."""
    found = [key for key in keys.split() if key in given]
    return f", not {' and '.join(found)}" if found else ": none is given"


def _dose_faults(given: set[str]) -> Iterator[str]:
    if len(given & {"to", "add", "amount"}) != 1:
        yield f"a dose has one of to, add, amount{_given(given, 'to add amount')}"
    if "to" in given and given & {"bioavailability", "steady_state"}:
        yield "a dose to a level takes no bioavailability and no steady_state: use add"
    if "steady_state" in given and "every" not in given:
        yield "steady_state needs every, the dosing interval"


@dataclass(frozen=True)
class Context:
    """What a regimen needs to know of its run.

    `values` are those that differ from the model's; `inputs` are quantities from other scenarios,
    None where they have no finite value; `compute` gives initial values that the model computes.
    """

    model: Model
    values: Mapping[str, float] = field(default_factory=dict)
    inputs: Mapping[str, Quantity | None] = field(default_factory=dict)
    compute: Callable[[str], float | None] = lambda name: None

    def value(self, name: str) -> float | None:
        """The value at the start of the run, None if it is not known before it."""
        value = self.values.get(name, self.model.entity(name).value)
        return self.compute(name) if value is None else value

    def time(self, value: Quantity, what: str) -> float:
        """A duration in the model's time unit."""
        return to_unit(value, self.model.time_unit, what)


def label_times(
    steps: Sequence[Step], context: Context, at: Place = lambda number: nullcontext()
) -> dict[str, float]:
    """The time of every label; steps may refer to labels anywhere in the regimen."""
    numbers: dict[str, int] = {}
    for number, step in enumerate(steps):
        with at(number):
            if step.label in numbers:
                raise ScenarioError(f"the label {step.label!r} is used twice")
            if step.label:
                numbers[step.label] = number
    times: dict[str, float] = {}
    by_label = {label: steps[number] for label, number in numbers.items()}
    for label, number in numbers.items():
        with at(number):
            _add_time(label, by_label, times, context)
    return times


def _add_time(
    label: str, steps: Mapping[str, Step], times: dict[str, float], context: Context
) -> None:
    """Add the time of a label to `times`, after those of the labels on which it depends."""
    path: list[str] = [label]
    while (other := _label_in(steps[path[-1]].at)) in steps and other not in times:
        if other in path:
            raise ScenarioError(
                f"the times of {' and '.join(map(repr, path))} depend on each other"
            )
        path.append(other)
    for name in reversed(path):
        times.setdefault(name, resolve_time(steps[name].at, times, context))


def _label_in(text: Quantity) -> str:
    match = _RELATIVE.fullmatch(text.strip()) if isinstance(text, str) else None
    return str(match[1]) if match else ""


def resolve_time(text: Quantity, labels: Mapping[str, float], context: Context) -> float:
    """A time such as ``2 h``, ``wash``, ``wash + 6 h``, or ``wash-`` (the moment before it)."""
    time = _time(text, labels, context)
    if time < 0:
        raise ScenarioError(f"the time {text!r} lies before the start of the run at 0")
    return time


def _time(text: Quantity, labels: Mapping[str, float], context: Context) -> float:
    if isinstance(text, str):
        if before := _BEFORE.fullmatch(text.strip()):
            return just_before(_label_time(before[1], labels))
        if relative := _RELATIVE.fullmatch(text.strip()):
            start = _label_time(relative[1], labels)
            shift = context.time(relative[3], "the time") if relative[3] else 0.0
            return tidy(start - shift if relative[2] == "-" else start + shift)
    return tidy(context.time(text, "the time"))


def _label_time(label: str, labels: Mapping[str, float]) -> float:
    if label not in labels:
        raise ScenarioError(f"unknown label {label!r} in a time{best_matches(label, labels)}")
    return labels[label]
