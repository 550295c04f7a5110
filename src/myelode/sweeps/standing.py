"""What stands where no axis of a sweep moves it: one number, or one for each treatment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from myelode.errors import ScenarioError
from myelode.perturbations import NO_PERTURBATION
from myelode.plan import Planner
from myelode.precedence import resolve

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Who:
    """Whose a number is; "" where it makes no difference."""

    perturbation: str = ""
    compound: str = ""
    arm: str = ""

    def differs_in(self, other: Who) -> str:
        """The first of the three in which another is another."""
        return next(name for name in vars(self) if getattr(self, name) != getattr(other, name))


Numbers = Mapping[Who, float | None]
"""A number for each treatment; None where the model computes it."""


class Standing:
    """The numbers that hold in the treatments of a scenario, at no point of a design."""

    def __init__(self, planner: Planner):
        self._planner = planner
        self._model = planner.model

    def below(self, name: str) -> Numbers:
        """What perturbations act on: the base value with each compound."""
        return self._numbers(self._bases, name)

    def settled(self, name: str) -> Numbers:
        """What holds in the end, in each treatment."""
        return self._numbers(self._ends, name)

    def _numbers(self, held: Mapping[Who, Mapping[str, Any]], name: str) -> Numbers:
        own = self._model.entity(name).value
        return {who: values.get(name, own) for who, values in held.items()}

    @cached_property
    def _bases(self) -> Mapping[Who, Mapping[str, Any]]:
        planner = self._planner
        drugs = {Who(arm=arm): drug for arm, drug in planner.arm_drugs.items()}
        drugs = drugs or {Who(compound=name): drug for name, drug in planner.drugs.items()}
        model, line, base = self._model, planner.cell_line, planner.base
        return {
            who: resolve(model, line, base, NO_PERTURBATION, {}, drug.layers).changes
            for who, drug in drugs.items()
        }

    @cached_property
    def _ends(self) -> Mapping[Who, Mapping[str, Any]]:
        planner = self._planner
        return {Who(*who): planner.changes(who, {}, {}) for who, _ in planner.treatments()}


def the_one(name: str, unit: str | None, found: Numbers, instead: Mapping[str, str]) -> float:
    """The number that all have; raises ScenarioError where two have different ones.

    `instead` says what to do where they differ by perturbation, compound or arm, with ``{one}``
    for the name of the first.
    """
    (first, value), *others = found.items()
    for who, other in others:
        if not _is_same(value, other):
            kind = first.differs_in(who)
            said = " and ".join(_said(kind, found, unit, (first, who)))
            hint = instead[kind].format(one=getattr(first, kind))
            raise ScenarioError(f"{name} is {said}, and a base point has one value: {hint}")
    if value is None:
        raise ScenarioError(f"{name!r} is computed by the model: it has no value of its own")
    return float(value)


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_ROUNDING)


def _said(kind: str, found: Numbers, unit: str | None, two: tuple[Who, Who]) -> Iterator[str]:
    """``0.5 1/h for perturbation none``, of two treatments."""
    units = "" if unit in (None, "dimensionless") else f" {unit}"
    for who in two:
        value = found[who]
        number = "computed by the model" if value is None else f"{value:.10g}{units}"
        yield f"{number} for {kind} {getattr(who, kind)}"
