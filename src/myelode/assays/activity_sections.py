"""The section of a scenario that computes enzyme activities from absorbance: ``activities``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from myelode.assays.sections import NOISELESS, Assay
from myelode.errors import best_matches
from myelode.regimens.steps import STRICT, Quantity
from myelode.sections import FLAG

AS_OD, CLASS = "_od", "_class"
"""Endings of the names that an activity adds to the result, besides its flag."""

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""


class ActivityClass(BaseModel):
    """A label for activities above, below or between thresholds.

    A bare number is in OD/mg/min, at the path length of the assay.
    """

    model_config = STRICT

    label: str
    above: Quantity | None = None
    below: Quantity | None = None

    @model_validator(mode="after")
    def _has_threshold(self) -> ActivityClass:
        if self.above is None and self.below is None:
            raise ValueError(f"the class {self.label!r} needs above, below or both")
        return self


class Activity(BaseModel):
    """The specific activity of an enzyme, as a laboratory computes it from readings.

    `of` is an assay with `absorbance`, `from` to `until` the time over which product was made;
    `protein` and `volume` are quantities or names of outputs. `blank` is the arm whose reading is
    taken off; without it that is the arm's own reading at `from`.
    """

    model_config = STRICT

    of: str
    from_: Annotated[Quantity | None, Field(alias="from")] = None
    until: Quantity
    protein: Quantity
    volume: Quantity
    blank: str | None = None
    substrate: str | None = None
    most_used: Annotated[float, Field(gt=0, le=1)] = 0.1
    highest: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
    classes: list[ActivityClass] = []
    title: str | None = None

    def adds(self, name: str) -> tuple[str, ...]:
        """What the activity of that name adds to a result."""
        always = (name, name + NOISELESS, name + AS_OD, name + FLAG)
        return (*always, name + CLASS) if self.classes else always

    def faults(self, assays: Mapping[str, Assay], arms: Collection[str]) -> Iterator[Fault]:
        """Names that the scenario does not know, and where they stand below the activity."""
        readers = [name for name, assay in assays.items() if assay.absorbance is not None]
        if self.of in assays and self.of not in readers:
            yield ("of",), f"the assay {self.of!r} reads no absorbance: give it absorbance: {{...}}"
        elif self.of not in assays:
            yield ("of",), f"no assay is called {self.of!r}{best_matches(self.of, readers)}"
        if self.blank is not None and self.blank not in arms:
            yield ("blank",), f"unknown arm {self.blank!r}{best_matches(self.blank, arms)}"


def activity_faults(
    items: Mapping[str, Activity], assays: Mapping[str, Assay], arms: Collection[str],
    named: Collection[str],
) -> Iterator[Fault]:  # fmt: skip
    """Activities of unknown assays or arms, and names that are taken by `named` or an assay."""
    readings = {own: name for name, assay in assays.items() for own in assay.adds(name)}
    owners: dict[str, str] = {}
    for name, item in items.items():
        for path, fault in item.faults(assays, arms):
            yield ("activities", name, *path), fault
        for own in item.adds(name):
            if own in named:
                said = f"{own!r} is the name of an endpoint, rule or input already"
                yield ("activities", name), said
            if own in readings:
                said = f"{own!r} is what the assay {readings[own]!r} gives already"
                yield ("activities", name), said
            if owners.setdefault(own, name) != name:
                said = f"{own!r} is what the activity {owners[own]!r} gives already"
                yield ("activities", name), said
