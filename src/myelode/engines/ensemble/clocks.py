"""What changes in proportion to time: its comparisons and whole parts, without errors of rounding.

``time >= 24`` must hold at 24 however the model writes it (``time/24 >= 1``), so a comparison of
such values is one of the time itself with the moment at which both are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from myelode.engines.ensemble.derivatives import BY_TIME, Derivatives
from myelode.engines.ensemble.tape import MOVING, TIME, Tape

NEARLY_WHOLE = 1e-12
"""Distance from a whole number, relative to its size, that is taken for rounding."""


@dataclass(frozen=True)
class Line:
    """A value that changes in proportion to time: its slope, and what it is at time zero."""

    slope: int
    origin: int


class Clock:
    """Reads what changes with time alone off a tape."""

    def __init__(self, tape: Tape):
        self.tape = tape
        self._derivatives = Derivatives(tape)

    def line(self, value: int) -> Line | None:
        """A value as a line, if it is one."""
        if self._derivatives.states_of(value) != {BY_TIME} or self._bends(value):
            return None
        slope = self._derivatives.by_state(value, BY_TIME)
        if self.tape.pace[slope] == MOVING:
            return None
        return Line(slope, at_time_zero(self.tape, value))

    def moment(self, left: int, right: int) -> int | None:
        """When two values are equal, if time alone decides that."""
        for one, other in ((left, right), (right, left)):
            if self.tape.operations[one].name == TIME and self.tape.pace[other] < MOVING:
                return other
        line = self.line(self.tape.apply("subtract", right, left))
        return None if line is None else self.when(line, self.tape.number(0.0))

    def when(self, line: Line, level: int) -> int:
        """When a line has a value; not finite for never."""
        way = self.tape.apply("subtract", level, line.origin)
        return self.tape.apply("divide", way, line.slope)

    def compared(self, name: str, left: int, right: int, afterwards: bool = False) -> int | None:
        """``left < right`` (or the like) as a comparison with a moment; None where it is none.

        `afterwards` asks what holds from now on: at the moment itself it has flipped already.
        """
        tape, zero = self.tape, self.tape.number(0.0)
        moment = self.moment(left, right)
        line = self.line(tape.apply("subtract", right, left))
        if moment is None or line is None:
            return None
        rising, falling = ("less_equal", "less") if afterwards else (name, name)
        flips = tape.apply(
            "select",
            self.rises(line),
            tape.apply(rising, moment, tape.time()),
            tape.apply(falling, tape.time(), moment),
        )
        moves = tape.apply("not_equal", line.slope, zero)
        return tape.apply("select", moves, flips, tape.apply(name, zero, line.origin))

    def rises(self, line: Line) -> int:
        """Whether a line rises."""
        return self.tape.apply("less", self.tape.number(0.0), line.slope)

    def whole_part(self, value: int, line: Line) -> int:
        """The whole part of a line from now on."""
        tape = self.tape
        nearest = tape.apply("floor", tape.apply("add", value, tape.number(0.5)))
        below = tape.apply("subtract", nearest, tape.number(1.0))
        at_step = tape.apply("select", self.rises(line), nearest, below)
        return tape.apply(
            "select", self._is_near(value, nearest), at_step, tape.apply("floor", value)
        )

    def _is_near(self, value: int, whole: int) -> int:
        tape = self.tape
        distance = tape.apply("absolute", tape.apply("subtract", value, whole))
        size = tape.apply("maximum", tape.number(1.0), tape.apply("absolute", value))
        return tape.apply(
            "less_equal", distance, tape.apply("multiply", size, tape.number(NEARLY_WHOLE))
        )

    def _bends(self, value: int) -> bool:
        """Whether a value has a step or a bend on its way, which its slope would not show."""
        return any(self._is_bend(needed) for needed in self.tape.needed_for([value]))

    def _is_bend(self, value: int) -> bool:
        """Whether an operation bends; a choice whose condition stands does not."""
        line = self.tape.operations[value]
        decisive = line.arguments[0] if line.name == "select" else value
        return line.name in _BENDING and self.tape.pace[decisive] == MOVING


class SeenTape(Tape):
    """A view of a tape on which formulas that are only looked at are written.

    They are compared as they are at the moment; no integration stops for them.
    """

    def __init__(self, clock: Clock):
        self.share(clock.tape)
        self.clock = clock

    def apply(self, name: str, *arguments: int) -> int:
        """The value of an operation."""
        found = self._clocked(name, arguments)
        return super().apply(name, *arguments) if found is None else found

    def _clocked(self, name: str, arguments: tuple[int, ...]) -> int | None:
        if name in ("less", "less_equal"):
            return self.clock.compared(name, arguments[0], arguments[1])
        line = self.clock.line(arguments[0]) if name == "floor" else None
        return None if line is None else self.clock.whole_part(arguments[0], line)


def at_time_zero(tape: Tape, value: int) -> int:
    """The same value with zero for the time."""
    found: dict[int, int] = {}
    for needed in tape.needed_for([value]):
        line = tape.operations[needed]
        if line.name == TIME:
            found[needed] = tape.number(0.0)
        elif tape.pace[needed] < MOVING:
            found[needed] = needed
        else:
            found[needed] = tape.apply(line.name, *(found[used] for used in line.arguments))
    return found[value]


_BENDING = frozenset(
    {"floor", "ceiling", "absolute", "sign", "minimum", "maximum", "less", "less_equal", "equal",
     "not_equal", "both", "either", "not", "select"}
)  # fmt: skip
"""Operations whose slope does not show where they jump or bend."""
