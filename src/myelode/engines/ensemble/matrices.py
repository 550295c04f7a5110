"""The matrix of a step as instructions, with the opposite sign: the Jacobian less a diagonal.

In memory its filled places stand one after another; after the elimination they hold the factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from myelode.engines.ensemble.assembly import READ, VECTOR, WRITTEN, Function, number
from myelode.engines.ensemble.elimination import (
    Fill,
    Invert,
    Place,
    Row,
    Scale,
    Step,
    plan_elimination,
)
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.values import Values

_LONGEST = 250
"""Operations of an elimination in one function: LLVM takes far more than twice as long for two."""


class Matrix:
    """Writes what a step does with its matrix.

    Attributes
    ----------
    places : where in memory an entry stands.
    """

    def __init__(self, program: Program, contract: bool):
        self._jacobian, self._contract = program.jacobian, contract
        self._size = len(program.states)
        self._plan = plan_elimination(self._size, list(program.jacobian))
        self.places = {entry: place for place, entry in enumerate(self._plan.pattern)}

    def store(self, function: Function, values: Values) -> None:
        """The matrix itself, inside a function that has the arguments `diagonal` and `matrix`."""
        for entry, slope in self._jacobian.items():
            found = values[slope]
            if entry[0] == entry[1]:
                found = function.subtract(found, "%diagonal")
            function.store(found, "%matrix", self.places[entry])
        for i in range(self._size):
            if (i, i) not in self._jacobian:
                function.store(function.negate("%diagonal"), "%matrix", self.places[i, i])

    def factorise(self) -> list[Function]:
        """Functions that carry out the elimination, one after another."""
        steps = self._plan.factorise
        starts = range(0, len(steps), _LONGEST)
        return [self._part(start, steps[start : start + _LONGEST]) for start in starts]

    def solve(self) -> Function:
        """Solves for `f` and a factor times `right`, with the sign that the matrix lacks."""
        arrays = {"matrix": READ, "f": READ, "factor": VECTOR, "right": READ, "x": WRITTEN}
        function = Function("solve", arrays, contract=self._contract)
        x = [
            function.plus_product(function.load("%f", i), "%factor", function.load("%right", i))
            for i in range(self._size)
        ]
        for row in self._plan.forward():
            self._add(function, x, row)
        for i, later in self._plan.backward():
            self._add(function, x, (i, later))
            x[i] = function.multiply(x[i], self._load(function, (i, i)))
            function.store(x[i], "%x", i)
        function.returns()
        return function

    def _add(self, function: Function, x: list[str], row: Row) -> None:
        """Add to an element of a solution what others contribute."""
        i, others = row
        for entry, k in others:
            x[i] = function.plus_product(x[i], self._load(function, entry), x[k])

    def _load(self, function: Function, entry: Place) -> str:
        return function.load("%matrix", self.places[entry])

    def _part(self, start: int, steps: Sequence[Step]) -> Function:
        function = Function(f"factorise_{start}", {"matrix": WRITTEN}, contract=self._contract)
        entries = _Entries(function, self.places)
        for step in steps:
            entries.carry_out(step)
        entries.store()
        function.returns()
        return function


class _Entries:
    """Entries of the matrix inside one function, loaded when they are first asked for."""

    def __init__(self, function: Function, places: Mapping[Place, int]):
        self._function, self._places = function, places
        self._names: dict[Place, str] = {}
        self._changed: dict[Place, None] = {}

    def carry_out(self, step: Step) -> None:
        """One operation of an elimination."""
        self._names[step.entry] = self._result(step)
        self._changed[step.entry] = None

    def _result(self, step: Step) -> str:
        function, get = self._function, self._get
        if isinstance(step, Invert):
            return function.divide(number(-1.0), get(step.entry))
        if isinstance(step, Scale):
            return function.multiply(get(step.entry), get(step.by))
        if isinstance(step, Fill):
            return function.multiply(get(step.left), get(step.right))
        return function.plus_product(get(step.entry), get(step.left), get(step.right))

    def store(self) -> None:
        """Store what has changed."""
        for entry in self._changed:
            self._function.store(self._names[entry], "%matrix", self._places[entry])

    def _get(self, entry: Place) -> str:
        if entry not in self._names:
            self._names[entry] = self._function.load("%matrix", self._places[entry])
        return self._names[entry]
