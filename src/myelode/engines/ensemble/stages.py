"""The step of Rodas5P as instructions: its eight stages, each with slopes and a linear system.

`oracle.step` is the same method to read. Here the products with the coefficients of the method are
loops over the states, and all that follows from the model is called: slopes, matrix, solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from myelode.engines.ensemble.assembly import READ, WRITTEN, Function, number
from myelode.engines.ensemble.tableau import RODAS5P

MODEL = {"y": READ, "p": READ, "q": READ}
"""What all values of a model follow from, besides the time."""


@dataclass(frozen=True)
class Parts:
    """What a step calls, and how much they work on.

    Attributes
    ----------
    linearise : now, y, p, q, diagonal, matrix, f, by_time.
    factorise : matrix; these one after another.
    slopes : now, y, p, q, f.
    solve : matrix, f, factor, right, x.
    states, entries : how many states there are, and filled places of the matrix.
    autonomous : whether the slopes do not depend on the time itself.
    """

    linearise: Function
    factorise: Sequence[Function]
    slopes: Function
    solve: Function
    states: int
    entries: int
    autonomous: bool

    @property
    def work(self) -> int:
        """How many places of memory a step works in: the matrix, and three values of each state."""
        return self.entries + 3 * self.states


def write_step(parts: Parts, contract: bool) -> Function:
    """The kernel of a step."""
    arrays = {"t": READ, "h": READ, **MODEL, "k": WRITTEN, "y_new": WRITTEN, "work": WRITTEN}
    function = Function("step", arrays, exported=True, contract=contract)
    stages = _Stages(function, parts)
    stages.linearise()
    for stage in range(RODAS5P.stages):
        stages.begin(stage)
        if stage > 0:
            stages.slopes(stage)
        stages.solve(stage)
    stages.end()
    function.returns()
    return function


def load_stage(function: Function, stage: int, place: str, states: int) -> str:
    """What a stage has for the state at a place, from the array `k` of all stages."""
    return function.load("%k", function.count(place, stage * states))


class _Stages:
    """Writes the stages of a step into its function."""

    def __init__(self, function: Function, parts: Parts):
        self.function, self.parts = function, parts
        self.now, self.size = function.load("%t"), function.load("%h")
        self.inverse = function.divide(number(1.0), self.size)
        self.squared = function.multiply(self.size, self.size)
        arrays = [parts.entries + array * parts.states for array in range(3)]
        self.matrix = function.at("%work", 0)
        self.found, self.right, self.by_time = (function.at("%work", array) for array in arrays)

    def linearise(self) -> None:
        """The slopes of the first stage, and the factors of the matrix."""
        function, parts = self.function, self.parts
        diagonal = function.multiply(self.inverse, number(1 / RODAS5P.gamma))
        written = (self.matrix, self.found, self.by_time)
        function.run(parts.linearise, self.now, "%y", "%p", "%q", diagonal, *written)
        for part in parts.factorise:
            function.run(part, self.matrix)

    def begin(self, stage: int) -> None:
        """Where the slopes of a stage are taken, and what is added to them."""
        function = self.function
        with function.loop(self.parts.states) as place:
            before = [self._load(earlier, place) for earlier in range(stage)]
            if stage > 0:
                function.store(self._at(stage, place, before), "%y_new", place)
            function.store(self._added(stage, place, before), self.right, place)

    def slopes(self, stage: int) -> None:
        """The slopes of a later stage."""
        function = self.function
        later = function.multiply(self.size, number(float(RODAS5P.times[stage])))
        now = function.add(self.now, later)
        function.run(self.parts.slopes, now, "%y_new", "%p", "%q", self.found)

    def solve(self, stage: int) -> None:
        """The stage itself, from its right side."""
        found = self.function.at("%k", stage * self.parts.states)
        right = (self.inverse, self.right)
        self.function.run(self.parts.solve, self.matrix, self.found, *right, found)

    def end(self) -> None:
        """The last stage takes the states from where its slopes were to the end of the step."""
        function = self.function
        with function.loop(self.parts.states) as place:
            before = function.load("%y_new", place)
            after = function.add(before, self._load(RODAS5P.stages - 1, place))
            function.store(after, "%y_new", place)

    def _load(self, stage: int, place: str) -> str:
        return load_stage(self.function, stage, place, self.parts.states)

    def _at(self, stage: int, place: str, before: Sequence[str]) -> str:
        function, row = self.function, RODAS5P.a[stage, :stage]
        if stage > 1 and (row == [*RODAS5P.a[stage - 1, : stage - 1], 1.0]).all():
            # It goes on from where the stage before was.
            return function.add(function.load("%y_new", place), before[-1])
        return function.add(function.load("%y", place), function.combination(row, before))

    def _added(self, stage: int, place: str, before: Sequence[str]) -> str:
        function, share = self.function, float(RODAS5P.time_slopes[stage])
        terms = []
        if stage > 0:
            terms.append(function.combination(RODAS5P.c_matrix[stage, :stage], before))
        if share != 0 and not self.parts.autonomous:
            weight = function.multiply(self.squared, number(share))
            terms.append(function.multiply(weight, function.load(self.by_time, place)))
        return function.total(terms)
