"""Values of a tape in NumPy, for many simulations at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from myelode.engines.ensemble.operations import OPERATIONS
from myelode.engines.ensemble.program import Program, Setter
from myelode.engines.ensemble.tape import GIVEN, NUMBER, STATE, Operation, Tape


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
    found: dict[int, np.ndarray] = {}
    with np.errstate(all="ignore"):
        for value in tape.needed_for(values):
            found[value] = _computed(tape.operations[value], found, states, constants, time)
    shape = (len(values), len(time))
    rows = [np.broadcast_to(found[value], len(time)) for value in values]
    return np.array(rows, dtype=float).reshape(shape)


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


def _computed(
    line: Operation,
    found: Mapping[int, np.ndarray],
    states: np.ndarray,
    constants: np.ndarray,
    time: np.ndarray,
) -> np.ndarray:
    if line.name == NUMBER:
        return np.asarray(line.number)
    if line.name == STATE:
        return np.asarray(states[int(line.number)])
    if line.name == GIVEN:
        return np.asarray(constants[int(line.number)])
    if line.name in OPERATIONS:
        return OPERATIONS[line.name](*(found[argument] for argument in line.arguments))
    return time
