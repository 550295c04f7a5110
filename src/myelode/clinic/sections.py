"""The section of a scenario that asks what a clinic would say: response, progression, dropout."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from myelode.regimens.steps import STRICT, Quantity

BEST = "best"
OF_PATIENTS = (
    BEST, "progression", "progressed", "duration", "duration_censored", "best_change",
)  # fmt: skip
"""Endings of what a response adds to the result for each patient."""
COUNTS = ("evaluable", "failed")
ESTIMATES = ("response_rate", "vgpr_rate", "pfs_median", "duration_median")
CURVE, AT_RISK, AT = "pfs", "at_risk", "pfs_at_"
LOW, HIGH = "_low", "_high"
"""Endings of the ends of a 95 % interval."""
TIME = "_time"
"""Ending of the coordinate of a curve: times of assessment, from baseline."""

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""


class Dropout(BaseModel):
    """Patients who leave at a constant rate, whatever their state."""

    model_config = STRICT

    rate: Quantity
    seed: Annotated[int, Field(ge=0)] = 1


class ClinicalResponse(BaseModel):
    """What a clinic would read from an output: assessments on a grid, judged by criteria.

    `first` is baseline, `until` the end of follow-up; patients whose baseline lies below
    `measurable` are not evaluable, and a response below `undetectable` is called complete.
    """

    model_config = STRICT

    title: str | None = None
    of: str
    criteria: Literal["IMWG"] = "IMWG"
    first: Quantity | None = None
    every: Quantity = "28 d"
    until: Quantity | None = None
    confirm: bool = True
    measurable: Quantity = "10 g/L"
    undetectable: Quantity | None = None
    dropout: Dropout | None = None
    landmarks: Annotated[list[Quantity], Field(min_length=1)] | None = None

    def names(self, name: str) -> Iterator[str]:
        """All names that a response of that name may add to the result."""
        yield from (f"{name}_{ending}" for ending in OF_PATIENTS)
        yield from self.names_of_groups(name)

    def names_of_groups(self, name: str) -> Iterator[str]:
        """The names of what it says of all patients together."""
        yield from (f"{name}_{ending}" for ending in (*COUNTS, AT_RISK))
        for ending in (*ESTIMATES, CURVE, *landmark_endings(self).values()):
            yield from (f"{name}_{ending}{end}" for end in ("", LOW, HIGH))
        yield name + TIME


def landmark_endings(rule: ClinicalResponse) -> dict[str, str]:
    """The ending of the name of each landmark: ``12 mo`` becomes ``pfs_at_12_mo``."""
    said = [str(landmark).strip() for landmark in rule.landmarks or ()]
    return {landmark: AT + re.sub(r"\W+", "_", landmark) for landmark in said}


def response_faults(
    items: Mapping[str, ClinicalResponse], taken: Mapping[str, Collection[str]]
) -> Iterator[Fault]:
    """Names of a response that another section has, by the name of the section."""
    own: dict[str, str] = {}
    for name, item in items.items():
        for added in item.names(name):
            for section, names in taken.items():
                if added in names:
                    yield (section, added), f"{added!r} is what the response {name!r} gives already"
            if own.setdefault(added, name) != name:
                other = own[added]
                yield ("responses", name), f"{added!r} is what the response {other!r} gives already"
        if len(set(landmark_endings(item).values())) < len(item.landmarks or ()):
            yield ("responses", name, "landmarks"), "a landmark is listed twice"
