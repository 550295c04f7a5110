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
            array = "%p" if operation.name == GIVEN else "%y"
            return self._function.load(array, int(operation.number))
        arguments = [self._names[argument] for argument in operation.arguments]
        return write_operation(self._function, operation.name, arguments)
