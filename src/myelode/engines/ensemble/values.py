"""Values of a tape inside a function that is being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from myelode.engines.ensemble.assembly import Function, number
from myelode.engines.ensemble.instructions import write_operation
from myelode.engines.ensemble.tape import GIVEN, MOVING, NUMBER, STATE, TIME, Tape


def hoisted_values(tape: Tape, wanted: Iterable[int]) -> list[int]:
    """What can be computed once for a whole simulation, where `wanted` is computed again and again.

    Only values that are needed as they are; what only they need is forgotten.
    """
    needed = set(wanted)
    for value in tape.needed_for(needed):
        if tape.pace[value] == MOVING:
            needed.update(tape.operations[value].arguments)
    constant = (value for value in needed if tape.pace[value] < MOVING)
    return sorted(v for v in constant if tape.operations[v].name not in (NUMBER, GIVEN))


class Values:
    """The values, loaded or computed when they are first asked for.

    The function has the arrays `y` of states, `p` of constants and `q` of hoisted values, as far as
    they are needed. `hoisted` are places in `q` by value, `now` is the time.
    """

    def __init__(self, function: Function, tape: Tape, hoisted: Mapping[int, int], now: str):
        self._function, self._tape, self._hoisted, self._now = function, tape, hoisted, now
        self._names: dict[int, str] = {}

    def __getitem__(self, value: int) -> str:
        for missing in self._missing(value):
            self._names[missing] = self._write(missing)
        return self._names[value]

    def store(self, wanted: Iterable[int], array: str) -> None:
        """Store values in an array, one after another."""
        for place, value in enumerate(wanted):
            self._function.store(self[value], array, place)

    def _missing(self, value: int) -> Iterator[int]:
        """What is to be computed for a value, in order; each is known before the next is asked."""
        waiting = [value]
        while waiting:
            unknown = [a for a in self._arguments(waiting[-1]) if a not in self._names]
            waiting.extend(unknown)
            if not unknown and (found := waiting.pop()) not in self._names:
                yield found

    def _arguments(self, value: int) -> tuple[int, ...]:
        return () if value in self._hoisted else self._tape.operations[value].arguments

    def _write(self, value: int) -> str:
        operation = self._tape.operations[value]
        if value in self._hoisted:
            return self._function.load("%q", self._hoisted[value])
        if operation.name == NUMBER:
            return number(operation.number)
        if operation.name == TIME:
            return self._now
        if operation.name in (GIVEN, STATE):
            return self._leaf(operation.name, int(operation.number))
        arguments = [self._names[argument] for argument in operation.arguments]
        return write_operation(self._function, operation.name, arguments)

    def _leaf(self, name: str, place: int) -> str:
        """A constant or a state."""
        return self._function.load("%p" if name == GIVEN else "%y", place)


class Inside(Values):
    """The values within a step of a function with the arrays of the kernel `sample`.

    A state at a share of the step follows from its values at both ends and from its three
    coefficients of the interpolation; those of one power stand side by side for all `states`. How
    it is rounded does not depend on what else the function computes.
    """

    def __init__(self, function: Function, tape: Tape, hoisted: Mapping[int, int], states: int):
        super().__init__(function, tape, hoisted, function.load("%t"))
        self._share, self._states = function.load("%s"), states
        self._rest = function.subtract(number(1.0), self._share)

    def _leaf(self, name: str, place: int) -> str:
        if name == GIVEN:
            return super()._leaf(name, place)
        function, share, rest = self._function, self._share, self._rest
        bends = [function.load("%d", place + power * self._states) for power in range(3)]
        bend = function.fused(share, function.fused(share, bends[2], bends[1]), bends[0])
        inside = function.fused(rest, bend, function.load("%y_new", place))
        return function.fused(share, inside, function.multiply(rest, function.load("%y", place)))
