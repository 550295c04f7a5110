"""The sections of a scenario that speak of its arms: agents combined, and trial arms imitated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from myelode.errors import best_matches
from myelode.regimens.steps import STRICT, Step
from myelode.sections import FLAG, HALVED, Endpoint, Ladder

BLISS, HSA, SHIFT = "bliss_", "hsa_", "shift_"
"""Beginnings of the names that a combination adds to the result."""

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""
Arms = Mapping[str, Sequence[Step]]


class Combination(BaseModel):
    """Two agents alone and together, each in an arm: is more gone than was to be expected?

    `of` is an endpoint, the share that is left, or a count that is divided by that of the arm
    `untreated`. `shift` is a dose of half over a ladder of the first agent: how much less of it is
    needed with the second. `claim` is what a document says of the pair, from the model's claims.
    """

    model_config = STRICT

    of: str
    untreated: str | None = None
    single: Annotated[list[str], Field(min_length=2, max_length=2)]
    together: str
    shift: str | None = None
    claim: str | None = None
    title: str | None = None

    def adds(self, name: str) -> tuple[str, ...]:
        """What a combination of this name adds to the result."""
        shifts = (SHIFT + name, SHIFT + name + FLAG) if self.shift is not None else ()
        return (BLISS + name, HSA + name, *shifts)

    def faults(
        self, endpoints: Mapping[str, Endpoint], arms: Arms, ladder: Ladder | None
    ) -> Iterator[Fault]:
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
        if self.shift is not None:
            fault = _fault_of_shift(self.shift, endpoints) or self._without_ladder(arms, ladder)
            yield from ((("shift",), fault) for fault in fault)

    def _without_ladder(self, arms: Arms, ladder: Ladder | None) -> list[str]:
        """Arms that have no dose to shift, where others do."""
        if ladder is None:
            return ["a shift needs a dose ladder under design"]
        having = {arm for arm, steps in arms.items() if ladder.of in {s.label for s in steps}}
        lacking = [arm for arm in (self.single[0], self.together) if arm not in having]
        said = f"has no step {ladder.of!r}, whose doses shift"
        return [f"the arm {arm!r} {said}" for arm in lacking if having and arm in arms]


def _fault_of_shift(name: str, endpoints: Mapping[str, Endpoint]) -> list[str]:
    """Why an endpoint is no dose of half in every arm; nothing where it is one."""
    if name not in endpoints:
        return [f"unknown endpoint {name!r}{best_matches(name, endpoints)}"]
    if endpoints[name].take not in HALVED:
        return [f"{name!r} is no dose of half: take {' or '.join(HALVED)}"]
    return [f"{name!r} is of one arm only: leave its arm out"] if endpoints[name].arm else []


def combination_faults(
    items: Mapping[str, Combination], endpoints: Mapping[str, Endpoint],
    rules: Collection[str], arms: Arms, ladder: Ladder | None,
) -> Iterator[Fault]:  # fmt: skip
    """Combinations of unknown arms or endpoints, and names that are taken."""
    for name, item in items.items():
        for path, fault in item.faults(endpoints, arms, ladder):
            yield ("combinations", name, *path), fault
        for own in item.adds(name):
            if own in endpoints or own in rules:
                yield ("combinations", name), f"{own!r} is the name of an endpoint or rule already"


def trial_faults(trial: str | dict[str, str] | None, arms: Mapping[str, object]) -> Iterator[Fault]:
    """Arms that do not exist, and one trial arm for all arms of a scenario."""
    if isinstance(trial, dict):
        for arm in trial.keys() - arms.keys():
            yield ("trial", arm), f"unknown arm {arm!r}{best_matches(arm, arms)}"
    elif trial is not None and arms and len(trial.split()) > 1:
        yield ("trial",), f"each arm has a trial arm of its own: {{{next(iter(arms))}: TRIAL ARM}}"
