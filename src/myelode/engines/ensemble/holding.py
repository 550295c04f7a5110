"""Formulas that do not jump while an integration is on its way.

A comparison that could flip, and the whole part of what grows with time, become constants that are
computed anew at stops (`Held`). Where time alone decides, the stop is known beforehand; else the
integration looks for a root. So no formula that is integrated has a jump within a step, and what
lasts shorter than a step is not missed where the clock decides.
"""

from __future__ import annotations

from myelode.engines.ensemble.clocks import Clock
from myelode.engines.ensemble.program import Held, Root
from myelode.engines.ensemble.tape import GIVEN, MOVING, Tape


class Holding:
    """What is held, on one tape: the constants from a first place on."""

    def __init__(self, tape: Tape, first: int):
        self.tape = tape
        self.clock = Clock(tape)
        self.first = first
        self.values: list[int] = []
        self.roots: list[Root] = []
        self.stops: list[int] = []
        self._places: dict[tuple[str, int, int], int] = {}

    def names(self) -> tuple[str, ...]:
        """Names of the constants."""
        return tuple(f"held({number})" for number in range(len(self.values)))

    def groups(self) -> tuple[tuple[Held, ...], ...]:
        """What is held, in groups of which each needs only those before it."""
        depths: list[int] = []
        for value in self.values:
            depths.append(max((depths[inner] + 1 for inner in self._held_in(value)), default=0))
        groups: list[list[Held]] = [[] for _ in set(depths)]
        for number, depth in enumerate(depths):
            groups[depth].append(Held(self.first + number, self.values[number]))
        return tuple(map(tuple, groups))

    def comparison(self, name: str, left: int, right: int) -> int:
        """A held ``left < right`` (``less``, ``less_equal``)."""
        moment = self.clock.moment(left, right)
        flipped = self.clock.compared(name, left, right, afterwards=True)
        if moment is None or flipped is None:
            return self._root(name, self.tape.apply("subtract", right, left))
        self._stop(moment)
        return self._hold(name, left, right, flipped)

    def instant(self, left: int, right: int) -> int | None:
        """A held ``left == right`` that is true at one moment only; None if no clock tells it."""
        moment = self.clock.moment(left, right)
        if moment is None:
            return None
        self._stop(moment)
        return self._hold("equal", left, right, self.tape.apply("equal", self.tape.time(), moment))

    def floor(self, value: int) -> int | None:
        """The held whole part of what changes in proportion to time; None for anything else."""
        line = self.clock.line(value)
        if line is None:
            return None
        held = self._hold("floor", value, value, self.clock.whole_part(value, line))
        above = self.tape.apply("add", held, self.tape.number(1.0))
        next_one = self.tape.apply("select", self.clock.rises(line), above, held)
        self._stop(self.clock.when(line, next_one))
        return held

    def _root(self, name: str, difference: int) -> int:
        """A comparison that states flip."""
        known = len(self.values)
        truth = self.tape.apply(name, self.tape.number(0.0), difference)
        held = self._hold(name, difference, difference, truth)
        if len(self.values) > known:
            self.roots.append(Root(difference, name == "less_equal", self.first + known))
        return held

    def _hold(self, name: str, left: int, right: int, value: int) -> int:
        key = (name, left, right)
        if key not in self._places:
            self._places[key] = self.first + len(self.values)
            self.values.append(value)
        return self.tape.given(self._places[key])

    def _stop(self, moment: int) -> None:
        if moment not in self.stops:
            self.stops.append(moment)

    def _held_in(self, value: int) -> list[int]:
        """Numbers of what is held that a value needs."""
        lines = (self.tape.operations[needed] for needed in self.tape.needed_for([value]))
        places = [int(line.number) for line in lines if line.name == GIVEN]
        return [place - self.first for place in places if place >= self.first]


class SmoothTape(Tape):
    """A view of a tape on which formulas that are to be integrated are written.

    What could jump is held, and a power counts a base that a step left just below zero as zero.
    `instants` says whether an equality of times counts at its one moment, as it does in a trigger.
    """

    def __init__(self, holding: Holding, instants: bool = False):
        self.share(holding.tape)
        self.holding = holding
        self.instants = instants

    def apply(self, name: str, *arguments: int) -> int:
        """The value of an operation, held or clamped where it must be."""
        if all(self.pace[argument] < MOVING for argument in arguments):
            return super().apply(name, *arguments)
        if (held := self._held(name, arguments)) is not None:
            return held
        if name in ("power", "square_root"):
            arguments = (self._clamped(*arguments), *arguments[1:])
        return super().apply(name, *arguments)

    def _held(self, name: str, arguments: tuple[int, ...]) -> int | None:
        if name in ("less", "less_equal"):
            return self.holding.comparison(name, *arguments)
        if name == "equal" and self.instants:
            return self.holding.instant(*arguments)
        return self.holding.floor(*arguments) if name == "floor" else None

    def _clamped(self, base: int, exponent: int | None = None) -> int:
        """A base that counts as zero below it, unless its exponent is a whole number."""
        tape, zero = self.holding.tape, self.number(0.0)
        clamped = tape.apply("select", tape.apply("less", base, zero), zero, base)
        if exponent is None:
            return clamped
        whole = tape.apply("equal", exponent, tape.apply("floor", exponent))
        return tape.apply("select", whole, base, clamped)
