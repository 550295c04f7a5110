"""What every id of a model means, as values on a tape."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from myelode.engines.ensemble.content import Content, Dependencies, Formula
from myelode.engines.ensemble.formulas import Writer
from myelode.engines.ensemble.tape import Tape
from myelode.errors import UnsupportedModelError

_RATE_OF = re.compile(r"rateOf\((\w+)\)")


class Meanings(ABC):
    """Values of ids on one tape, in the model's own mathematics.

    Attributes
    ----------
    formulas : formulas by the id to which they give a value; all other ids are leaves.
    values : what has been found so far.
    """

    def __init__(
        self,
        content: Content,
        tape: Tape,
        formulas: Mapping[str, Formula],
        homes: Mapping[str, str],
    ):
        self.content = content
        self.tape = tape
        self.formulas = formulas
        self.values = {name: tape.number(value) for name, value in content.numbers.items()}
        self._asked: list[str] = []
        self._dependencies = Dependencies(formulas, homes)

    @abstractmethod
    def leaf(self, name: str) -> int:
        """The value of an id without a formula; raises KeyError for what there is not."""

    def __getitem__(self, name: str) -> int:
        """The value of an id, or of ``rateOf(id)``; raises KeyError for what there is not."""
        if name not in self.values:
            # In this order no formula leads deep into others.
            for needed in self._dependencies.ahead_of(name, self.values):
                self.values[needed] = self.found(needed)
            self.values[name] = self.found(name)
        return self.values[name]

    def found(self, name: str) -> int:
        """The value of an id that has not been asked for yet."""
        if name in self.formulas:
            return self.written(self.formulas[name])
        asked = _RATE_OF.fullmatch(name)
        return self._rate_of(asked[1]) if asked else self.leaf(name)

    def written(self, formula: Formula) -> int:
        """The value of a formula."""
        tape = self.tape
        local = {name: tape.number(value) for name, value in formula.local.items()}

        def names(name: str) -> int:
            return local[name] if name in local else self[name]

        return Writer(tape, names, self.content.functions, formula.where).write(formula.math)

    def amount(self, name: str) -> int:
        """The amount of a species."""
        species = self.content.species[name]
        size = self[species.compartment]
        return self[name] if species.is_amount else self.tape.apply("multiply", self[name], size)

    def concentration(self, name: str) -> int:
        """The concentration of a species."""
        species = self.content.species[name]
        size = self[species.compartment]
        return self.tape.apply("divide", self[name], size) if species.is_amount else self[name]

    def slope(self, name: str) -> int:
        """The slope of what is kept for an id: zero for a constant."""
        if name in self.content.rate_rules:
            stated = self.written(self.content.rate_rules[name])
            return self._slope_of_amount(name, stated) if self.content.is_quotient(name) else stated
        parts = [
            self.tape.product([self._count(part.count, part.sign), self[part.reaction]])
            for part in self.content.parts.get(name, ())
        ]
        total = self.tape.total(parts)
        factor = self.content.species[name].factor if name in self.content.species else None
        return self.tape.product([self[factor], total]) if factor else total

    def _count(self, count: float | str, sign: float) -> int:
        value = self[count] if isinstance(count, str) else self.tape.number(count)
        return self.tape.apply("multiply", self.tape.number(sign), value)

    def _rate_of(self, name: str) -> int:
        """The slope of an id itself: of a quotient, that of its amount and that of its size."""
        if name in self.content.assignments or name in self._asked:
            raise UnsupportedModelError(f"the rate of {name!r}: not supported, a rule gives {name}")
        self._asked.append(name)
        found = self.slope(name)
        if self.content.is_quotient(name):
            found = self._slope_of_quotient(name, found)
        self._asked.pop()
        return found

    def _slope_of_amount(self, name: str, of_quotient: int) -> int:
        tape, home = self.tape, self.content.species[name].compartment
        growth = tape.apply("multiply", self[name], self[f"rateOf({home})"])
        return tape.total([tape.apply("multiply", of_quotient, self[home]), growth])

    def _slope_of_quotient(self, name: str, of_amount: int) -> int:
        tape, home = self.tape, self.content.species[name].compartment
        growth = tape.apply("multiply", self[name], self[f"rateOf({home})"])
        return tape.apply("divide", tape.apply("subtract", of_amount, growth), self[home])
