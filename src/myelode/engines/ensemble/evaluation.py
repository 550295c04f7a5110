"""Values of a tape in NumPy, for many simulations at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from myelode.engines.ensemble.operations import OPERATIONS
from myelode.engines.ensemble.program import Program, Setter
from myelode.engines.ensemble.scalars import SCALARS
from myelode.engines.ensemble.tape import GIVEN, NUMBER, STATE, TIME, Tape


def evaluate(
    tape: Tape,
    values: Sequence[int],
    states: np.ndarray,
    constants: np.ndarray,
    time: np.ndarray,
) -> np.ndarray:
    """Values on a tape, of shape (values, simulations).

    Parameters
    ----------
    states : shape (states, simulations).
    constants : shape (constants, simulations): what the tape calls given.
    time : shape (simulations,).
    """
    plan = _plan(tape, tuple(values))
    if len(time) == 1:
        computed = plan.follow_one(states[:, 0].tolist(), constants[:, 0].tolist(), time[0])
        return np.array([computed[value] for value in values]).reshape(-1, 1)
    found = np.empty((len(values), len(time)))
    with np.errstate(all="ignore"):
        computed = plan.follow(states, constants, time)
        for place, value in enumerate(values):
            found[place] = computed[value]
    return found


@dataclass(frozen=True)
class _Plan:
    """How some values are computed: leaves by value, then operations one after the other."""

    numbers: Mapping[int, float]
    states: Sequence[tuple[int, int]]
    constants: Sequence[tuple[int, int]]
    times: Sequence[int]
    operations: Sequence[tuple[int, str, tuple[int, ...]]]

    def follow(
        self, states: np.ndarray, constants: np.ndarray, time: np.ndarray
    ) -> Mapping[int, Any]:
        """All values on the way, for many simulations."""
        return self._followed(OPERATIONS, states, constants, time)

    def follow_one(
        self, states: Sequence[float], constants: Sequence[float], time: float
    ) -> Mapping[int, Any]:
        """All values on the way, for one simulation."""
        return self._followed(SCALARS, states, constants, float(time))

    def _followed(
        self, operations: Mapping[str, Callable[..., Any]], states: Any, constants: Any, time: Any
    ) -> Mapping[int, Any]:
        found: dict[int, Any] = dict(self.numbers)
        for value, place in self.states:
            found[value] = states[place]
        for value, place in self.constants:
            found[value] = constants[place]
        for value in self.times:
            found[value] = time
        for value, name, arguments in self.operations:
            found[value] = operations[name](*[found[argument] for argument in arguments])
        return found


_plans: WeakKeyDictionary[Tape, dict[tuple[int, ...], _Plan]] = WeakKeyDictionary()


def _plan(tape: Tape, values: tuple[int, ...]) -> _Plan:
    """The plan for some values of a tape: events ask for the same ones again and again."""
    known = _plans.setdefault(tape, {})
    if values not in known:
        known[values] = _new_plan(tape, values)
    return known[values]


def _new_plan(tape: Tape, values: tuple[int, ...]) -> _Plan:
    needed = [(value, tape.operations[value]) for value in tape.needed_for(values)]
    return _Plan(
        numbers={v: line.number for v, line in needed if line.name == NUMBER},
        states=[(v, int(line.number)) for v, line in needed if line.name == STATE],
        constants=[(v, int(line.number)) for v, line in needed if line.name == GIVEN],
        times=[v for v, line in needed if line.name == TIME],
        operations=[
            (v, line.name, line.arguments) for v, line in needed if line.name in OPERATIONS
        ],
    )


def started(
    program: Program, given: Mapping[str, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """States and constants at time zero of simulations that are given values by id.

    Of shape (states, count) and (constants, count); an array of `given` has shape (count,), with
    NaN where a simulation starts as the model has it. What is held is still to be settled.
    """
    start = program.start
    slots = np.repeat(start.defaults[:, None], count, axis=1)
    for name, values in given.items():
        row = start.slots.index(name)
        slots[row] = np.where(np.isnan(values), slots[row], values)
    none, zero = np.empty((0, count)), np.zeros(count)
    kept = evaluate(start.tape, (*start.states, *start.constants), none, slots, zero)
    return kept[: len(start.states)], kept[len(start.states) :]


def assign(
    program: Program,
    states: np.ndarray,
    constants: np.ndarray,
    time: np.ndarray,
    changes: Sequence[tuple[Setter, np.ndarray]],
    resized_first: bool = True,
) -> None:
    """Set ids of many simulations at once, in place, to new values in the model's own mathematics.

    Shapes are those of `evaluate`, and (simulations,) of the values. With `resized_first` a
    concentration meets the new size of its compartment, if that changes too; else, as in SBML
    events, the old one.
    """
    plain = [(setter, values) for setter, values in changes if setter.factor is None]
    scaled = [(setter, values) for setter, values in changes if setter.factor is not None]
    kept = {"state": states, "constant": constants}
    if not resized_first:
        plain, scaled = [*_converted(program, kept, time, scaled), *plain], []
    for setter, values in plain:
        kept[setter.kind][setter.place] = values
    for setter, values in _converted(program, kept, time, scaled):
        kept[setter.kind][setter.place] = values


def _converted(
    program: Program,
    kept: Mapping[str, np.ndarray],
    time: np.ndarray,
    changes: Sequence[tuple[Setter, np.ndarray]],
) -> list[tuple[Setter, np.ndarray]]:
    """Values as they are kept, by the present sizes of compartments."""
    wanted = [setter.factor for setter, _ in changes if setter.factor is not None]
    factors = evaluate(program.tape, wanted, kept["state"], kept["constant"], time)
    return [
        (setter, values * factor) for (setter, values), factor in zip(changes, factors, strict=True)
    ]
