"""Formulas as one list of operations, in which equal operations are one.

A value is the number of its operation on the tape. Every operation comes after those that it uses,
and is entered once however often a model writes it: common sub-expressions need no search. How
often a value changes is known at once: never, from one simulation to the next, or in time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from myelode.engines.ensemble.operations import COMMUTATIVE, OPERATIONS, computed

NUMBER, GIVEN, STATE, TIME = "number", "given", "state", "time"
"""What a value can be without any other value: a number of the text, a number that each simulation
is given, a state, and the time."""
FIXED, PER_SIMULATION, MOVING = 0, 1, 2
"""How often a value changes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the tape.

    `number` is the value of a number, and the place of a given value or state among its kind.
    """

    name: str
    arguments: tuple[int, ...] = ()
    number: float = 0.0


class Tape:
    """Operations in an order in which they can be computed.

    Attributes
    ----------
    operations : the lines; a value is the position of its line.
    pace : for each value ``FIXED``, ``PER_SIMULATION`` or ``MOVING``.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.pace: list[int] = []
        self._known: dict[Operation, int] = {}

    def share(self, other: Tape) -> None:
        """Become a view: all lines are those of another tape, and new ones are written there."""
        self.operations, self.pace, self._known = other.operations, other.pace, other._known

    def number(self, value: float) -> int:
        """A number of the text."""
        return self._enter(Operation(NUMBER, (), float(value)), FIXED)

    def given(self, place: int) -> int:
        """The number at a place among those that each simulation is given."""
        return self._enter(Operation(GIVEN, (), place), PER_SIMULATION)

    def state(self, place: int) -> int:
        """The state at a place among the states."""
        return self._enter(Operation(STATE, (), place), MOVING)

    def time(self) -> int:
        """The time."""
        return self._enter(Operation(TIME), MOVING)

    def apply(self, name: str, *arguments: int) -> int:
        """The value of an operation of ``OPERATIONS``, simplified where that loses nothing."""
        if (simple := self._simplified(name, arguments)) is not None:
            return simple
        if name in COMMUTATIVE:
            arguments = tuple(sorted(arguments))
        pace = max(self.pace[argument] for argument in arguments)
        return self._enter(Operation(name, arguments), pace)

    def value_of(self, value: int) -> float | None:
        """The number, if a value is one."""
        operation = self.operations[value]
        return operation.number if operation.name == NUMBER else None

    def is_number(self, value: int, number: float) -> bool:
        """Whether a value is this number."""
        return self.value_of(value) == number

    def needed_for(self, values: Iterable[int]) -> list[int]:
        """All values that some values need, themselves included, in order."""
        found: set[int] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if value not in found:
                found.add(value)
                waiting.extend(self.operations[value].arguments)
        return sorted(found)

    def total(self, values: Sequence[int]) -> int:
        """The sum; what changes less often is added first, so that it can be added once."""
        ordered = sorted(values, key=lambda value: (self.pace[value], value))
        return self._chain("add", ordered, 0.0)

    def product(self, values: Sequence[int]) -> int:
        """The product; what changes less often is multiplied first."""
        ordered = sorted(values, key=lambda value: (self.pace[value], value))
        return self._chain("multiply", ordered, 1.0)

    def _chain(self, name: str, values: Sequence[int], empty: float) -> int:
        if not values:
            return self.number(empty)
        found, *others = values
        for value in others:
            found = self.apply(name, found, value)
        return found

    def _enter(self, operation: Operation, pace: int) -> int:
        known = self._known.get(operation)
        if known is None:
            known = self._known[operation] = len(self.operations)
            self.operations.append(operation)
            self.pace.append(pace)
        return known

    def _simplified(self, name: str, arguments: tuple[int, ...]) -> int | None:
        """A value that is the same for every input, NaN and infinity apart, or None."""
        numbers = [self.value_of(argument) for argument in arguments]
        if all(number is not None for number in numbers):
            return self.number(computed(name, [number for number in numbers if number is not None]))
        rule = _RULES.get(name)
        return rule(self, arguments) if rule else None


def _add(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    first, second = arguments
    if tape.is_number(first, 0.0):
        return second
    if tape.is_number(second, 0.0):
        return first
    if tape.operations[second].name == "negate":
        return tape.apply("subtract", first, *tape.operations[second].arguments)
    if tape.operations[first].name == "negate":
        return tape.apply("subtract", second, *tape.operations[first].arguments)
    return None


def _subtract(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    first, second = arguments
    if tape.is_number(second, 0.0):
        return first
    if tape.is_number(first, 0.0):
        return tape.apply("negate", second)
    return None


def _multiply(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    for one, other in (arguments, arguments[::-1]):
        if tape.is_number(one, 1.0):
            return other
        if tape.is_number(one, 0.0):
            return one
        if tape.is_number(one, -1.0):
            return tape.apply("negate", other)
    return None


def _divide(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    dividend, divisor = arguments
    if tape.is_number(divisor, 1.0) or tape.is_number(dividend, 0.0):
        return dividend
    # A divisor that holds for a whole simulation is inverted once.
    if tape.pace[divisor] < MOVING <= tape.pace[dividend]:
        return tape.apply("multiply", dividend, tape.apply("divide", tape.number(1.0), divisor))
    return None


def _negate(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    inner = tape.operations[arguments[0]]
    return inner.arguments[0] if inner.name == "negate" else None


def _power(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    base, exponent = arguments
    number = tape.value_of(exponent)
    if number is None or not (number.is_integer() and abs(number) <= _LARGEST_WHOLE_POWER):
        return tape.apply("square_root", base) if number == 0.5 else None
    found = _whole_power(tape, base, abs(int(number)))
    return found if number >= 0 else tape.apply("divide", tape.number(1.0), found)


def _whole_power(tape: Tape, base: int, exponent: int) -> int:
    """A power as products, by halving its exponent."""
    if exponent == 0:
        return tape.number(1.0)
    half = _whole_power(tape, base, exponent // 2)
    square = tape.apply("multiply", half, half)
    return tape.apply("multiply", square, base) if exponent % 2 else square


def _select(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    condition, chosen, other = arguments
    known = tape.value_of(condition)
    if chosen == other or (known is not None and known != 0):
        return chosen
    return other if known is not None and not math.isnan(known) else None


def _both(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    for one, other in (arguments, arguments[::-1]):
        if tape.is_number(one, 0.0):
            return one
        if tape.is_number(one, 1.0) and tape.operations[other].name in _TRUTHS:
            return other
    return None


def _either(tape: Tape, arguments: tuple[int, ...]) -> int | None:
    for one, other in (arguments, arguments[::-1]):
        if tape.is_number(one, 1.0):
            return one
        if tape.is_number(one, 0.0) and tape.operations[other].name in _TRUTHS:
            return other
    return None


_LARGEST_WHOLE_POWER = 16
_TRUTHS = frozenset({"less", "less_equal", "equal", "not_equal", "both", "either", "not"})
"""Operations whose values are 0 and 1 only."""
_RULES = {
    "add": _add, "subtract": _subtract, "multiply": _multiply, "divide": _divide,
    "negate": _negate, "power": _power, "select": _select, "both": _both, "either": _either,
}  # fmt: skip
assert _RULES.keys() <= OPERATIONS.keys()
