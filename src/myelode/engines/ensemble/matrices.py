"""The matrix of a step, one over size and diagonal of the method less Jacobian, as instructions.

In memory its filled places stand one after another; after the elimination they hold the factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from myelode.engines.ensemble.assembly import READ, WRITTEN, Function, number
from myelode.engines.ensemble.elimination import Invert, Place, Reduce, Scale, plan_elimination
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
        for entry, place in self.places.items():
            function.store(self._entry(function, values, entry), "%matrix", place)

    def factorise(self) -> list[Function]:
        """Functions that carry out the elimination, one after another."""
        steps = self._plan.factorise
        starts = range(0, len(steps), _LONGEST)
        return [self._part(start, steps[start : start + _LONGEST]) for start in starts]

    def solve(self) -> Function:
        """Solves with the factors for the sum of two right sides."""
        arrays = {"matrix": READ, "f": READ, "right": READ, "x": WRITTEN}
        function = Function("solve", arrays, contract=self._contract)
        x = [
            function.add(function.load("%f", i), function.load("%right", i))
            for i in range(self._size)
        ]
        for i, entry, k in self._plan.forward():
            x[i] = function.less_product(x[i], self._load(function, entry), x[k])
        for i, later in self._plan.backward():
            for entry, k in later:
                x[i] = function.less_product(x[i], self._load(function, entry), x[k])
            x[i] = function.multiply(x[i], self._load(function, (i, i)))
            function.store(x[i], "%x", i)
        function.returns()
        return function

    def _load(self, function: Function, entry: Place) -> str:
        return function.load("%matrix", self.places[entry])

    def _entry(self, function: Function, values: Values, entry: Place) -> str:
        row, column = entry
        slope = self._jacobian.get(entry)
        if slope is None:
            return "%diagonal" if row == column else number(0.0)
        if row == column:
            return function.subtract("%diagonal", values[slope])
        return function.negate(values[slope])

    def _part(self, start: int, steps: Sequence[Invert | Scale | Reduce]) -> Function:
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

    def carry_out(self, step: Invert | Scale | Reduce) -> None:
        """One operation of an elimination."""
        function, before = self._function, self._get(step.entry)
        if isinstance(step, Invert):
            found = function.divide(number(1.0), before)
        elif isinstance(step, Scale):
            found = function.multiply(before, self._get(step.by))
        else:
            found = function.less_product(before, self._get(step.left), self._get(step.right))
        self._names[step.entry] = found
        self._changed[step.entry] = None

    def store(self) -> None:
        """Store what has changed."""
        for entry in self._changed:
            self._function.store(self._names[entry], "%matrix", self._places[entry])

    def _get(self, entry: Place) -> str:
        if entry not in self._names:
            self._names[entry] = self._function.load("%matrix", self._places[entry])
        return self._names[entry]
