"""Slopes of values on a tape, written onto the same tape.

A slope of an operation is a formula of its arguments and its value, so that a derivative shares
whatever the formulas themselves have computed. Steps (floor, comparisons) have slope zero: an
integrator meets their jumps as events or with smaller steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from myelode.engines.ensemble.tape import STATE, TIME, Tape

BY_TIME = -1
"""Stands for the time where the place of a state is asked for."""


class Derivatives:
    """Derivatives of values by the states of a tape, each computed once."""

    def __init__(self, tape: Tape):
        self.tape = tape
        self._states: dict[int, frozenset[int]] = {}
        self._found: dict[tuple[int, int], int] = {}

    def states_of(self, value: int) -> frozenset[int]:
        """The places of the states on which a value depends."""
        if value not in self._states:
            for needed in self.tape.needed_for([value]):
                if needed not in self._states:
                    self._states[needed] = self._states_of(needed)
        return self._states[value]

    def by_state(self, value: int, place: int) -> int:
        """The derivative of a value by the state at a place."""
        if place not in self.states_of(value):
            return self.tape.number(0.0)
        for needed in self._unknown(value, place):
            self._found[needed, place] = self._slope(needed, place)
        return self._found[value, place]

    def _unknown(self, value: int, place: int) -> list[int]:
        """The values, in order, on whose slopes by a state that of a value still waits."""
        found: set[int] = set()
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if one not in found and (one, place) not in self._found and place in self._states[one]:
                found.add(one)
                waiting.extend(self.tape.operations[one].arguments)
        return sorted(found)

    def _states_of(self, value: int) -> frozenset[int]:
        operation = self.tape.operations[value]
        if operation.name in (STATE, TIME):
            return frozenset({self._place(value)})
        return frozenset().union(*(self._states[argument] for argument in operation.arguments))

    def _place(self, value: int) -> int:
        operation = self.tape.operations[value]
        return BY_TIME if operation.name == TIME else int(operation.number)

    def _slope(self, value: int, place: int) -> int:
        """The chain rule, for a value whose arguments have their derivatives."""
        tape, operation = self.tape, self.tape.operations[value]
        if operation.name in (STATE, TIME):
            return tape.number(1.0)
        parts = []
        for position, argument in enumerate(operation.arguments):
            inner = self._found.get((argument, place))
            if inner is not None and not tape.is_number(inner, 0.0):
                slope = _SLOPES.get(operation.name, _flat)
                outer = slope(tape, operation.arguments, value, position)
                parts.append(tape.apply("multiply", outer, inner))
        return tape.total(parts)


Slope = Callable[[Tape, Sequence[int], int, int], int]
"""The slope of an operation by one of its arguments: tape, arguments, value, which argument."""


def _constant(number: float) -> Slope:
    return lambda tape, arguments, value, position: tape.number(number)


def _flat(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    return tape.number(0.0)


def _of_one(text: Callable[[Tape, int, int], int]) -> Slope:
    """The slope of an operation with one argument, from its argument and its value."""
    return lambda tape, arguments, value, position: text(tape, arguments[0], value)


def _subtract(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    return tape.number(-1.0 if position else 1.0)


def _multiply(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    return arguments[1 - position]


def _divide(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    if position == 0:
        return tape.apply("divide", tape.number(1.0), arguments[1])
    return tape.apply("negate", tape.apply("divide", value, arguments[1]))


def _power(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    base, exponent = arguments
    if position == 0:
        # Not value * exponent / base, which is 0/0 where every Hill law starts.
        less = tape.apply("subtract", exponent, tape.number(1.0))
        slope = tape.apply("multiply", exponent, tape.apply("power", base, less))
        finite = tape.apply("less_equal", tape.number(0.0), less)
        return _unless_infinite(tape, finite, base, slope)
    # Where the base is zero the power does not move with its exponent.
    zero = tape.number(0.0)
    moves = tape.apply("less", zero, base)
    slope = tape.apply("multiply", value, tape.apply("log", base))
    return tape.apply("select", moves, slope, zero)


def _square_root(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    slope = tape.apply("divide", tape.number(0.5), value)
    return _unless_infinite(tape, tape.number(0.0), value, slope)


def _unless_infinite(tape: Tape, finite: int, base: int, slope: int) -> int:
    """The slope of a root, which at zero is infinite: no matrix could be solved with that."""
    zero = tape.number(0.0)
    usable = tape.apply("either", finite, tape.apply("not_equal", base, zero))
    return tape.apply("select", usable, slope, zero)


def _select(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
    one, zero = tape.number(1.0), tape.number(0.0)
    if position == 0:
        return zero
    return tape.apply("select", arguments[0], *((one, zero) if position == 1 else (zero, one)))


def _least(name: str) -> Slope:
    def slope(tape: Tape, arguments: Sequence[int], value: int, position: int) -> int:
        mine, other = arguments[position], arguments[1 - position]
        order = (mine, other) if name == "minimum" else (other, mine)
        return tape.apply("less", *order)

    return slope


def _inverse(tape: Tape, value: int) -> int:
    return tape.apply("divide", tape.number(1.0), value)


def _inverse_root(tape: Tape, inside: int) -> int:
    return _inverse(tape, tape.apply("square_root", inside))


def _plus(tape: Tape, number: float, value: int) -> int:
    return tape.apply("add", tape.number(number), value)


def _square(tape: Tape, value: int) -> int:
    return tape.apply("multiply", value, value)


def _minus_square(tape: Tape, value: int) -> int:
    """One minus the square."""
    return tape.apply("subtract", tape.number(1.0), _square(tape, value))


_SLOPES: Mapping[str, Slope] = {
    "add": _constant(1.0),
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negate": _constant(-1.0),
    "power": _power,
    "select": _select,
    "minimum": _least("minimum"),
    "maximum": _least("maximum"),
    "square_root": _square_root,
    "exp": _of_one(lambda t, x, y: y),
    "log": _of_one(lambda t, x, y: _inverse(t, x)),
    "absolute": _of_one(lambda t, x, y: t.apply("sign", x)),
    "sin": _of_one(lambda t, x, y: t.apply("cos", x)),
    "cos": _of_one(lambda t, x, y: t.apply("negate", t.apply("sin", x))),
    "tan": _of_one(lambda t, x, y: _plus(t, 1.0, _square(t, y))),
    "arcsin": _of_one(lambda t, x, y: _inverse_root(t, _minus_square(t, x))),
    "arccos": _of_one(lambda t, x, y: t.apply("negate", _inverse_root(t, _minus_square(t, x)))),
    "arctan": _of_one(
        lambda t, x, y: t.apply("divide", t.number(1.0), _plus(t, 1.0, _square(t, x)))
    ),
    "sinh": _of_one(lambda t, x, y: t.apply("cosh", x)),
    "cosh": _of_one(lambda t, x, y: t.apply("sinh", x)),
    "tanh": _of_one(lambda t, x, y: _minus_square(t, y)),
    "arcsinh": _of_one(lambda t, x, y: _inverse_root(t, _plus(t, 1.0, _square(t, x)))),
    "arccosh": _of_one(lambda t, x, y: _inverse_root(t, _plus(t, -1.0, _square(t, x)))),
    "arctanh": _of_one(lambda t, x, y: _inverse(t, _minus_square(t, x))),
}
