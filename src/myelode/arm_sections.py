"""The sections of a scenario that speak of its arms: agents combined, and trial arms imitated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from myelode.errors import best_matches
from myelode.regimens.steps import STRICT
from myelode.sections import Endpoint

BLISS, HSA = "bliss_", "hsa_"
"""Beginnings of the names that a combination adds to the result."""

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""


class Combination(BaseModel):
    """Two agents alone and together, each in an arm: is more gone than was to be expected?

    `of` is an endpoint, the share that is left, or a count that is divided by that of the arm
    `untreated`.
    """

    model_config = STRICT

    of: str
    untreated: str | None = None
    single: Annotated[list[str], Field(min_length=2, max_length=2)]
    together: str
    title: str | None = None

    def faults(self, endpoints: Mapping[str, Endpoint], arms: Collection[str]) -> Iterator[Fault]:
        """Names that the scenario does not know, and where they stand below the combination."""
        if self.of not in endpoints:
            yield ("of",), f"unknown endpoint {self.of!r}{best_matches(self.of, endpoints)}"
        elif endpoints[self.of].arm is not None:
            yield ("of",), f"{self.of!r} is of one arm only: leave its arm out"
        named: list[tuple[tuple[str | int, ...], str | None]] = [
            (("untreated",), self.untreated),
            *((("single", number), arm) for number, arm in enumerate(self.single)),
            (("together",), self.together),
        ]
        for path, arm in named:
            if arm is not None and arm not in arms:
                yield path, f"unknown arm {arm!r}{best_matches(arm, arms)}"


def combination_faults(
    items: Mapping[str, Combination], endpoints: Mapping[str, Endpoint],
    rules: Collection[str], arms: Collection[str],
) -> Iterator[Fault]:  # fmt: skip
    """Combinations of unknown arms or endpoints, and names that are taken."""
    for name, item in items.items():
        for path, fault in item.faults(endpoints, arms):
            yield ("combinations", name, *path), fault
        for own in (BLISS + name, HSA + name):
            if own in endpoints or own in rules:
                yield ("combinations", name), f"{own!r} is the name of an endpoint or rule already"


def trial_faults(trial: str | dict[str, str] | None, arms: Mapping[str, object]) -> Iterator[Fault]:
    """Arms that do not exist, and one trial arm for all arms of a scenario."""
    if isinstance(trial, dict):
        for arm in trial.keys() - arms.keys():
            yield ("trial", arm), f"unknown arm {arm!r}{best_matches(arm, arms)}"
    elif trial is not None and arms and len(trial.split()) > 1:
        yield ("trial",), f"each arm has a trial arm of its own: {{{next(iter(arms))}: TRIAL ARM}}"
