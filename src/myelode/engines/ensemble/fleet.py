"""Many simulations of one model, where they are now: what they keep, and how they go on.

All arrays have the simulations as their last axis; `which` are the numbers of some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from myelode.engines.ensemble.driver import integrate
from myelode.engines.ensemble.evaluation import assign, evaluate
from myelode.engines.ensemble.events import Happenings
from myelode.engines.ensemble.lanes import (
    AT_ROOT,
    NOT_FINITE,
    REACHED,
    TOO_MANY_STEPS,
    TOO_SMALL,
    Stretch,
    empty_lanes,
)
from myelode.engines.ensemble.machine import MachineCode
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.scales import Scales
from myelode.engines.protocol import Tolerances
from myelode.errors import SimulationError

MOST_STEPS = 100_000
"""Steps from one stop to the next after which a simulation gives up."""

MOST_STOPS = 100_000
"""Stops on the way to one end after which a simulation gives up."""

LOOKS = 4
"""How often in a step the roots of a model are looked at."""

_REASONS = {
    TOO_MANY_STEPS: f"{MOST_STEPS} steps were not enough",
    NOT_FINITE: "the derivatives are not finite",
    TOO_SMALL: "the error stays too large however small the steps",
}


@dataclass(frozen=True)
class Model:
    """A compiled model, and what its states are called and have in common."""

    program: Program
    code: MachineCode
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    tolerances: Tolerances


@dataclass(frozen=True)
class Wanted:
    """Samples that simulations still want.

    Attributes
    ----------
    times : increasing times that all of them share.
    first, last : shape (simulations,); the next sample of each, and the one behind its last.
    records : shape (simulations, samples, outputs or more), where the outputs go.
    """

    times: np.ndarray
    first: np.ndarray
    last: np.ndarray
    records: np.ndarray


class Fleet:
    """The simulations.

    Attributes
    ----------
    states, constants, time : what they keep, and their present times.
    failures : of each simulation, None while all is well. One that has failed goes nowhere.
    """

    def __init__(self, model: Model, states: np.ndarray, constants: np.ndarray):
        count = states.shape[1]
        self.model = model
        self.states = states
        self.constants = constants
        self.time = np.zeros(count)
        self.failures: list[SimulationError | None] = [None] * count
        self._goes = np.ones(count, dtype=bool)
        self._steps = np.zeros(count)
        self._scales = Scales(model.groups, count)
        self._happenings = Happenings(model.program, count)
        self._lanes = empty_lanes(model.code.sizes)
        # Where nothing ever happens by itself there is nothing to stop for.
        self._is_smooth = not (model.program.held or model.program.events)

    def alive(self, which: np.ndarray) -> np.ndarray:
        """Those that have not failed."""
        return np.asarray(which[self._goes[which]])

    def begin(self, which: np.ndarray, time: np.ndarray) -> None:
        """Start simulations at these times."""
        self.time[which] = time
        self._happen(which, None, begins=True)

    def get(self, which: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Present values in the model's own mathematics, of shape (ids, which)."""
        program = self.model.program
        values = [program.outputs[name] for name in ids]
        states, constants = _picked(self.states, which), _picked(self.constants, which)
        return evaluate(program.tape, values, states, constants, self.time[which])

    def set(self, which: np.ndarray, ids: Sequence[str], values: np.ndarray) -> None:
        """Change values of shape (ids, which), all at once."""
        states, constants = _picked(self.states, which), _picked(self.constants, which)
        setters = [self.model.program.setters[name] for name in ids]
        changes = list(zip(setters, values, strict=True))
        assign(self.model.program, states, constants, self.time[which], changes)
        self.put(which, states, constants)

    def put(self, which: np.ndarray, states: np.ndarray, constants: np.ndarray) -> None:
        """Replace what simulations keep; those that differ choose their step size anew."""
        before, others = _picked(self.states, which), _picked(self.constants, which)
        changed = (states != before).any(axis=0) | (constants != others).any(axis=0)
        self._scales.believe(which, np.abs(states) > np.abs(before))
        self._steps[which[changed]] = 0.0
        self.states[:, which], self.constants[:, which] = states, constants

    def settle(self, which: np.ndarray) -> None:
        """Let everything happen that follows from changes at the present time."""
        self._happen(which, None)

    def advance(self, which: np.ndarray, ends: np.ndarray, wanted: Wanted) -> None:
        """Integrate to times of shape (which,), and record samples on the way.

        What happens at an end has happened when a sample there is recorded.
        """
        goals = np.full(len(self.time), -np.inf)
        goals[which] = ends
        for _ in range(MOST_STOPS):
            which = self.alive(which)
            which = which[self.time[which] < goals[which]]
            if not which.size:
                break
            self._advance(which, goals[which], wanted)
        for number in which:
            self.fail(int(number), f"it stops {MOST_STOPS} times on its way to {goals[number]:g}")
        here = self.alive(np.flatnonzero((goals > -np.inf) & (wanted.first < wanted.last)))
        if here.size:
            self._integrate(here, self.time[here], wanted, wanted.last[here])

    def fail(self, number: int, reason: str) -> None:
        """Note that a simulation has failed where it is now."""
        which = np.array([number])
        values = self.get(which, self.model.ids)[:, 0]
        state = dict(zip(self.model.ids, map(float, values), strict=True))
        self._goes[number] = False
        self.failures[number] = SimulationError(reason, float(self.time[number]), state)

    @contextmanager
    def noting(self, *which: int) -> Iterator[None]:
        """Note that simulations have failed where a SimulationError is raised inside."""
        try:
            yield
        except SimulationError as error:
            for number in which:
                self._goes[number] = False
                self.failures[number] = error

    def _advance(self, which: np.ndarray, goals: np.ndarray, wanted: Wanted) -> None:
        """Integrate to the next stop."""
        last = wanted.last[which]
        if not self._is_smooth:
            constants = _picked(self.constants, which)
            stops = self._happenings.next_stop(which, constants, self.time[which])
            goals = np.minimum(goals, stops)
            last = np.minimum(last, np.searchsorted(wanted.times, goals))
        truths = self._integrate(which, goals, wanted, last)
        if not self._is_smooth:
            self._happen(which, truths)

    def _integrate(
        self, which: np.ndarray, ends: np.ndarray, wanted: Wanted, last: np.ndarray
    ) -> np.ndarray:
        """Integrate to an end or a root; the truths of roots there."""
        stretch = self._stretch(which, ends, wanted, last)
        integrate(self.model.code.kernels, stretch, self._lanes)
        self.states[:, which] = stretch.states
        self.time[which] = stretch.time
        self._steps[which] = stretch.sizes
        wanted.first[which] = stretch.first
        if stretch.records is not wanted.records:
            wanted.records[which] = stretch.records
        for place in np.flatnonzero((stretch.status != REACHED) & (stretch.status != AT_ROOT)):
            self.fail(int(which[place]), _REASONS[int(stretch.status[place])])
        return stretch.truths

    def _stretch(
        self, which: np.ndarray, ends: np.ndarray, wanted: Wanted, last: np.ndarray
    ) -> Stretch:
        roots, count = self.model.program.roots, len(which)
        states, tolerances = _picked(self.states, which), self.model.tolerances
        everyone = count == len(self.time)
        return Stretch(
            samples=wanted.times,
            first=wanted.first[which],
            last=last,
            time=self.time[which],
            end=ends,
            sizes=self._steps[which],
            states=states,
            constants=_picked(self.constants, which),
            absolute=self._scales.tolerances(which, states, tolerances.absolute),
            closed=np.array([root.closed for root in roots], dtype=bool),
            held=np.array([root.place for root in roots], dtype=np.int64),
            truths=np.zeros((len(roots), count), dtype=bool),
            records=wanted.records if everyone else wanted.records[which],
            status=np.zeros(count, dtype=np.int64),
            steps=np.zeros(count, dtype=np.int64),
            relative=tolerances.relative,
            most_steps=MOST_STEPS,
            looks=LOOKS,
        )

    def _happen(self, which: np.ndarray, truths: np.ndarray | None, begins: bool = False) -> None:
        """Let everything happen that is due at the present times."""
        if self._is_smooth:
            return
        states, constants = _picked(self.states, which), _picked(self.constants, which)
        time = self.time[which]
        if begins:
            endless = self._happenings.begin(which, states, constants, time)
        else:
            endless = self._happenings.settle(which, states, constants, time, truths)
        self.put(which, states, constants)
        for number in which[endless]:
            self.fail(int(number), "events follow one another without end")


def _picked(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Columns of an array, one behind the other in memory, so that any choice computes alike."""
    return np.take(values, which, axis=1)
