"""A model as plain formulas, for engines that read neither SBML nor doses.

It is one stretch of a scenario: from just after what happens at time zero to the end, and nothing
on the way. What holds for a whole simulation is computed before. States are scaled by their
largest values, so that one absolute tolerance fits all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from myelode.engines import Run, Tolerances
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.engines.ensemble.evaluation import evaluate
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.tape import GIVEN, NUMBER, STATE, TIME
from myelode.engines.ensemble.values import hoisted_values
from tests.benchmarks.cases import Case

EXACT = Tolerances(1e-9, 1e-12)


@dataclass(frozen=True)
class Flat:
    """One stretch of a scenario with all its sets.

    Attributes
    ----------
    inputs : values on the tape that are known for each simulation.
    known : shape (sets, inputs), what they are.
    starts : shape (sets, states), scaled states at time zero.
    sizes : shape (states,), by which the states are divided.
    runs : the same for engines that know doses.
    """

    program: Program
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    known: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    runs: Sequence[Run]

    def lines(self, forms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Names and formulas of all that moves, in order; `forms` are operations as text."""
        tape = self.program.tape
        for value in tape.needed_for({*self.program.slopes, *self.outputs}):
            operation = tape.operations[value]
            if value not in self.inputs and operation.name in forms:
                names = map(self.name, operation.arguments)
                yield f"v{value}", forms[operation.name].format(*names)

    def slopes(self) -> Iterator[str]:
        """The slope of each scaled state."""
        for value, size in zip(self.program.slopes, self.sizes, strict=True):
            yield f"({self.name(value)} / {float(size)!r})"

    def name(self, value: int) -> str:
        """A value in a formula."""
        operation = self.program.tape.operations[value]
        place = int(operation.number) if operation.name == STATE else 0
        if value in self.inputs:
            return f"c{self.inputs.index(value)}"
        return {
            NUMBER: f"({operation.number!r})",
            TIME: "t",
            STATE: f"({float(self.sizes[place])!r} * x{place})",
        }.get(operation.name, f"v{value}")

    def observed(self, set_number: int, states: np.ndarray) -> np.ndarray:
        """Outputs, of shape (times, outputs), from scaled states of shape (times, states)."""
        count = len(states)
        constants = np.repeat(self.constants(set_number)[:, None], count, axis=1)
        times = self.runs[0].times[-count:]
        found = evaluate(
            self.program.tape, self.outputs, states.T * self.sizes[:, None], constants, times
        )
        return np.asarray(found.T)

    def constants(self, set_number: int) -> np.ndarray:
        """What is kept of the model besides states; NaN where nothing depends on it."""
        found = np.full(len(self.program.constants), np.nan)
        for place, value in enumerate(self.inputs):
            operation = self.program.tape.operations[value]
            if operation.name == GIVEN:
                found[int(operation.number)] = self.known[set_number, place]
        return found


def flat(case: Case) -> Flat:
    """The first stretch of a case."""
    program = case.ensemble.program
    runs = [_without_later(run) for run in case.runs]
    outputs = tuple(program.outputs[name] for name in runs[0].outputs)
    states, constants, sizes = _start(case.ensemble, runs)
    wanted = {*program.slopes, *outputs}
    hoisted = hoisted_values(program.tape, wanted)
    needed = program.tape.needed_for(wanted)
    given = [v for v in needed if program.tape.operations[v].name == GIVEN]
    inputs = (*hoisted, *given)
    known = evaluate(program.tape, inputs, states, constants, np.zeros(len(runs)))
    starts = states.T / sizes
    return Flat(program, outputs, inputs, known.T, starts, sizes, runs)


def _without_later(run: Run) -> Run:
    instants = tuple(instant for instant in run.timeline.instants if instant.time == 0)
    return replace(run, timeline=replace(run.timeline, instants=instants))


def _start(ensemble: Ensemble, runs: Sequence[Run]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States and constants just after time zero, by simulation, and the sizes of states."""
    program = ensemble.program
    ids = (*program.states, *program.constants)
    found = ensemble.run_many([replace(run, outputs=ids) for run in runs], EXACT, 1)
    values = np.array(found)
    states = len(program.states)
    sizes = np.abs(values[:, :, :states]).max(axis=(0, 1))
    first = values[:, 0].T
    return first[:states], first[states:], np.where(sizes > 0, sizes, 1.0)
