"""Events between which chance decides, and the lots that are drawn.

Of events that are due together, with the same priority or none, SBML has the first drawn by lot.
Mostly it does not matter which comes first, and the order of the model will do. It matters where
the first undoes the trigger that it has in common with others, which then do not take place.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any, TypeVar

import libsbml

_Item = TypeVar("_Item")
_SEED = 20


class Lots:
    """Draws for each of many simulations: equal simulations draw alike."""

    def __init__(self) -> None:
        self._sources: dict[int, random.Random] = {}

    def begin(self, simulation: int) -> None:
        """A simulation starts."""
        self._sources.pop(simulation, None)

    def draw(self, simulation: int, items: Sequence[_Item]) -> _Item:
        """One of the items."""
        if simulation not in self._sources:
            self._sources[simulation] = random.Random(_SEED)
        return self._sources[simulation].choice(items)


def rivals(events: Sequence[Any]) -> frozenset[int]:
    """Places of those libSBML events between which chance decides when they are due together."""
    candidates = [place for place, event in enumerate(events) if _can_be_undone(event)]
    pairs = [
        pair
        for pair in combinations(candidates, 2)
        if _trigger(events[pair[0]]) == _trigger(events[pair[1]])
        and not _ordered(*(events[place] for place in pair))
    ]
    return frozenset(place for pair in pairs for place in pair)


def _can_be_undone(event: Any) -> bool:
    """Whether an event is not persistent and sets something that its own trigger depends on."""
    trigger = event.getTrigger()
    if trigger is None or not trigger.isSetMath() or trigger.getPersistent():
        return False
    names = set(re.findall(r"\w+", _trigger(event)))
    return any(item.getVariable() in names for item in event.getListOfEventAssignments())


def _trigger(event: Any) -> str:
    return str(libsbml.formulaToL3String(event.getTrigger().getMath()))


def _ordered(one: Any, other: Any) -> bool:
    """Whether both have priorities that are different numbers."""
    numbers = [_priority(event) for event in (one, other)]
    return None not in numbers and numbers[0] != numbers[1]


def _priority(event: Any) -> float | None:
    """The priority, if it is a plain number."""
    math = event.getPriority().getMath() if event.isSetPriority() else None
    return float(math.getValue()) if math is not None and math.isNumber() else None
