"""Small programs written by hand, and a random stiff one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from myelode.engines.ensemble.derivatives import BY_TIME, Derivatives
from myelode.engines.ensemble.program import Program, Root, Start
from myelode.engines.ensemble.tape import Tape


def program_of(
    tape: Tape,
    slopes: Sequence[int],
    constants: int = 0,
    outputs: Mapping[str, int] | None = None,
    roots: Sequence[int] = (),
) -> Program:
    """A program with these slopes; its derivatives are written onto the tape."""
    states, derivatives = len(slopes), Derivatives(tape)
    entries = {
        (row, column): derivatives.by_state(slope, column)
        for row, slope in enumerate(slopes)
        for column in sorted(derivatives.states_of(slope) - {BY_TIME})
    }
    zero = tape.number(0.0)
    return Program(
        tape=tape,
        states=tuple(f"x{place}" for place in range(states)),
        constants=tuple(f"p{place}" for place in range(constants)),
        slopes=tuple(slopes),
        jacobian={place: v for place, v in entries.items() if not tape.is_number(v, 0.0)},
        by_time=tuple(derivatives.by_state(slope, BY_TIME) for slope in slopes),
        roots=tuple(Root(value, closed=True, place=0) for value in roots),
        stops=(),
        held=(),
        outputs=outputs or {},
        setters={},
        events=(),
        start=Start(Tape(), (), np.zeros(0), (zero,) * 0, ()),
    )


def binding() -> Program:
    """A Hill law and a turnover that follows the time of day; two states, four constants."""
    tape = Tape()
    x, y = tape.state(0), tape.state(1)
    rate, half, steepness, loss = (tape.given(place) for place in range(4))
    strength = tape.apply("power", tape.apply("divide", x, half), steepness)
    bound = tape.apply("divide", strength, tape.apply("add", tape.number(1.0), strength))
    made = tape.apply("multiply", rate, tape.apply("sin", tape.time()))
    lost = tape.apply("multiply", tape.apply("multiply", loss, loss), y)
    slopes = (tape.apply("subtract", made, x), tape.apply("subtract", bound, lost))
    outputs = {"bound": bound, "time": tape.time(), "both": tape.apply("add", x, y), "p0": rate}
    return program_of(tape, slopes, 4, outputs, roots=[tape.apply("subtract", x, y)])


def network(states: int, reactions: int, seed: int) -> Program:
    """Random reactions of two reactants and one product among neighbours; each has a constant."""
    random, tape = np.random.default_rng(seed), Tape()
    flows: list[list[int]] = [[] for _ in range(states)]
    for place in range(reactions):
        near = random.integers(states) + random.permutation(6)[:3]
        one, other, made = (int(state) for state in near % states)
        rate = tape.product([tape.given(place), tape.state(one), tape.state(other)])
        flows[made].append(rate)
        flows[one].append(tape.apply("negate", rate))
        flows[other].append(tape.apply("negate", rate))
    outputs = {f"x{place}": tape.state(place) for place in range(states)}
    return program_of(tape, [tape.total(flow) for flow in flows], reactions, outputs)


def aligned(*shape: int) -> np.ndarray:
    """Zeros that begin where a cache line does."""
    count = int(np.prod(shape))
    memory = np.zeros(count + 8)
    skipped = -memory.ctypes.data % 64 // 8
    return memory[skipped : skipped + count].reshape(shape)


def call(kernel: Callable[..., None], *arrays: np.ndarray) -> None:
    """A kernel on arrays."""
    kernel(*(array.ctypes.data for array in arrays))
