"""How a simulation starts: what is kept at time zero, from what it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from myelode.engines.ensemble.content import Content
from myelode.engines.ensemble.meanings import Meanings
from myelode.engines.ensemble.program import Start
from myelode.engines.ensemble.tape import Tape


def read_start(content: Content, held: int) -> Start:
    """The start of a model with so many held constants."""
    meanings = _StartMeanings(content)
    zeros = (meanings.tape.number(0.0),) * held
    return Start(
        tape=meanings.tape,
        slots=meanings.slots,
        defaults=np.array([_default(content, name) for name in meanings.slots]),
        states=_kept(meanings, content.states),
        constants=(*_kept(meanings, content.constants), *zeros),
    )


class _StartTape(Tape):
    """A tape of the moment at which everything starts."""

    def time(self) -> int:
        return self.number(0.0)


class _StartMeanings(Meanings):
    """Values of ids at time zero; a slot that is given a number replaces any formula."""

    def __init__(self, content: Content):
        self.slots = (*content.states, *content.constants)
        self._places = {name: place for place, name in enumerate(self.slots)}
        formulas = {**content.initial, **content.assignments, **content.rates}
        homes = {
            name: species.compartment
            for name, species in content.species.items()
            if name not in formulas and _is_converted(content, name)
        }
        super().__init__(content, _StartTape(), formulas, homes)

    def found(self, name: str) -> int:
        """The value of an id, where a formula only counts if nothing is given."""
        formula = super().found(name)
        if name not in self._places:
            return formula
        slot = self.tape.given(self._places[name])
        is_given = self.tape.apply("equal", slot, slot)
        return slot if slot == formula else self.tape.apply("select", is_given, slot, formula)

    def leaf(self, name: str) -> int:
        """What an id has without a formula: a slot, or a conversion of what the model states."""
        if _is_converted(self.content, name):
            return self._converted(name)
        return self.tape.given(self._places[name])

    def _converted(self, name: str) -> int:
        """A species whose id means an amount where the model states a concentration, or reverse."""
        species, item = self.content.species[name], self.content.model.getSpecies(name)
        size = self[species.compartment]
        if species.is_amount:
            stated = self.tape.number(item.getInitialConcentration())
            return self.tape.apply("multiply", stated, size)
        return self.tape.apply("divide", self.tape.number(item.getInitialAmount()), size)


def _kept(meanings: Meanings, names: Sequence[str]) -> tuple[int, ...]:
    quotient = meanings.content.is_quotient
    return tuple(meanings.amount(name) if quotient(name) else meanings[name] for name in names)


def _is_converted(content: Content, name: str) -> bool:
    if name not in content.species:
        return False
    item = content.model.getSpecies(name)
    states_concentration = item.isSetInitialConcentration()
    if content.species[name].is_amount:
        return bool(states_concentration)
    return bool(item.isSetInitialAmount() and not states_concentration)


def _default(content: Content, name: str) -> float:
    """The number that the model states for an id, NaN where a formula or nothing gives it."""
    if name in content.initial or _is_converted(content, name):
        return math.nan
    if name in content.species:
        return _stated(content.model.getSpecies(name))
    if name in content.compartments:
        item = content.compartments[name]
        return float(item.getSize()) if item.isSetSize() else 1.0
    item = content.parameters[name]
    return float(item.getStoichiometry() if hasattr(item, "getStoichiometry") else item.getValue())


def _stated(species: Any) -> float:
    if species.isSetInitialConcentration():
        return float(species.getInitialConcentration())
    return float(species.getInitialAmount()) if species.isSetInitialAmount() else math.nan
