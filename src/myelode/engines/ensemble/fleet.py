"""Many simulations of one model, where they are now: what they keep, and how they go on.

All arrays have the simulations as their last axis; `which` are the numbers of some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from myelode.engines.ensemble.evaluation import assign, evaluate
from myelode.engines.ensemble.events import Happenings
from myelode.engines.ensemble.lanes import (
    AT_ROOT,
    FOR_EVER,
    REACHED,
    Stretch,
    Tallies,
    empty_lanes,
    no_tallies,
)
from myelode.engines.ensemble.machine import MachineCode
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.reasons import explained, reason_of
from myelode.engines.ensemble.scales import Scales, picked, put_back
from myelode.engines.ensemble.watch import Watch
from myelode.engines.protocol import Limits, Tolerances
from myelode.errors import SimulationError

MOST_STEPS = 100_000
"""Steps from one stop to the next after which a simulation gives up."""

MOST_STOPS = 200_000
"""Stops on the way to one end after which a simulation gives up."""

LOOKS = 4
"""How often in a step the roots of a model are looked at."""


@dataclass(frozen=True)
class Model:
    """A compiled model, and what its states are called and have in common."""

    program: Program
    code: MachineCode
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    tolerances: Tolerances
    limits: Limits = field(default_factory=Limits)
    recorded: int | None = None

    @property
    def width(self) -> int:
        """How many of the outputs of the code are recorded: the first ones, or all."""
        return self.code.sizes.outputs if self.recorded is None else self.recorded


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
    steps : how many each has taken in all.
    tallies : what is kept of outputs on those ways on which that is asked for.
    failures : of each simulation, None while all is well. One that has failed goes nowhere.
    """

    def __init__(self, model: Model, states: np.ndarray, constants: np.ndarray):
        count = states.shape[1]
        self.model = model
        self.states = states
        self.constants = constants
        self.time = np.zeros(count)
        self.steps = np.zeros(count, dtype=np.int64)
        self.tallies = no_tallies(count)
        self.failures: list[SimulationError | None] = [None] * count
        self._goes = np.ones(count, dtype=bool)
        self._sizes = np.zeros(count)
        self._watch = Watch(model.limits.seconds, count)
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

    def move(self, which: np.ndarray, time: np.ndarray) -> None:
        """Say that it is another time, and let what waits wait as long as before."""
        self._happenings.move(which, time - self.time[which])
        self.time[which] = time
        self._happen(which, None)

    def get(self, which: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Present values in the model's own mathematics, of shape (ids, which)."""
        program = self.model.program
        values = [program.outputs[name] for name in ids]
        states, constants = picked(self.states, which), picked(self.constants, which)
        return evaluate(program.tape, values, states, constants, self.time[which])

    def set(self, which: np.ndarray, ids: Sequence[str], values: np.ndarray) -> None:
        """Change values of shape (ids, which), all at once."""
        setters = [self.model.program.setters[name] for name in ids]
        kept = picked(self.states, which), picked(self.constants, which)
        rows = [[s.place for s in setters if s.kind == kind] for kind in ("state", "constant")]
        before = [array[places] for array, places in zip(kept, rows, strict=True)]
        changes = [*zip(setters, values, strict=True)]
        assign(self.model.program, *kept, self.time[which], changes)
        after = [array[places] for array, places in zip(kept, rows, strict=True)]
        self._note(which, before, after, rows[0])
        put_back(self.states, which, kept[0])
        put_back(self.constants, which, kept[1])

    def put(self, which: np.ndarray, states: np.ndarray, constants: np.ndarray) -> None:
        """Replace all that simulations keep."""
        before = picked(self.states, which), picked(self.constants, which)
        self._note(which, before, (states, constants), slice(None))
        self.states[:, which], self.constants[:, which] = states, constants

    def settle(self, which: np.ndarray) -> None:
        """Let everything happen that follows from changes at the present time."""
        self._happen(which, None)

    def advance(
        self, which: np.ndarray, ends: np.ndarray, wanted: Wanted, is_tallied: bool = False
    ) -> None:
        """Integrate to times of shape (which,), and record samples on the way, and tallies if told.

        What happens at an end has happened when a sample there is recorded.
        """
        tallies = self.tallies if is_tallied else no_tallies(len(self.time))
        goals = np.full(len(self.time), -np.inf)
        goals[which] = ends
        for _ in range(MOST_STOPS):
            which = self.alive(which)
            which = which[self.time[which] < goals[which]]
            if not which.size:
                break
            self._advance(which, goals[which], wanted, tallies)
        for number in which:
            self.fail(int(number), f"it stops {MOST_STOPS} times on its way to {goals[number]:g}")
        looks = (wanted.first < wanted.last) | bool(tallies.kinds.size)
        here = self.alive(np.flatnonzero((goals > -np.inf) & looks))
        if here.size:
            self._integrate(here, self.time[here], wanted, wanted.last[here], tallies)

    def fail(self, number: int, reason: str) -> None:
        """Note that a simulation has failed where it is now."""
        self._goes[number] = False
        self.failures[number] = SimulationError(reason, float(self.time[number]))

    def explained(self, most: int | None = None) -> list[SimulationError | None]:
        """The failures, of which the first ones, or all, have the states where they came about."""
        failed = np.array([n for n, e in enumerate(self.failures) if e][:most], dtype=np.int64)
        for number, values in zip(failed, self.get(failed, self.model.ids).T, strict=True):
            error = self.failures[number]
            if error is not None and not error.state:
                state = dict(zip(self.model.ids, map(float, values), strict=True))
                self.failures[number] = explained(error, state)
        return self.failures

    @contextmanager
    def noting(self, *which: int) -> Iterator[None]:
        """Note that simulations have failed where a SimulationError is raised inside."""
        try:
            yield
        except SimulationError as error:
            for number in which:
                self._goes[number] = False
                self.failures[number] = error

    def _note(
        self, which: np.ndarray, before: Sequence[np.ndarray], after: Sequence[np.ndarray],
        rows: Sequence[int] | slice,
    ) -> None:  # fmt: skip
        """Some states and constants have changed: who differs chooses the step size anew."""
        changed = [(now != then).any(axis=0) for then, now in zip(before, after, strict=True)]
        self._scales.believe(which, np.abs(after[0]) > np.abs(before[0]), rows)
        self._sizes[which[changed[0] | changed[1]]] = 0.0

    def _advance(
        self, which: np.ndarray, goals: np.ndarray, wanted: Wanted, tallies: Tallies
    ) -> None:
        """Integrate to the next stop."""
        last = wanted.last[which]
        if not self._is_smooth:
            constants = picked(self.constants, which)
            stops = self._happenings.next_stop(which, constants, self.time[which])
            goals = np.minimum(goals, stops)
            last = np.minimum(last, np.searchsorted(wanted.times, goals))
        truths = self._integrate(which, goals, wanted, last, tallies)
        if not self._is_smooth:
            self._happen(which, truths)

    def _integrate(
        self, which: np.ndarray, ends: np.ndarray, wanted: Wanted, last: np.ndarray,
        tallies: Tallies,
    ) -> np.ndarray:  # fmt: skip
        """Integrate to an end or a root; the truths of roots there."""
        stretch = self._stretch(which, ends, wanted, last, tallies)
        self._watch.drive(self.model.code.kernels, stretch, self._lanes, which)
        put_back(self.states, which, stretch.states)
        put_back(self.time, which, stretch.time)
        put_back(self._sizes, which, stretch.sizes)
        put_back(tallies.kept, which, stretch.tallies.kept)
        put_back(wanted.first, which, stretch.first)
        self.steps[which] += stretch.steps
        if stretch.records is not wanted.records:
            wanted.records[which] = stretch.records
        for place in np.flatnonzero((stretch.status != REACHED) & (stretch.status != AT_ROOT)):
            number, status = int(which[place]), int(stretch.status[place])
            self.fail(number, reason_of(status, int(self.steps[number]), self.model.limits))
        return stretch.truths

    def _stretch(
        self, which: np.ndarray, ends: np.ndarray, wanted: Wanted, last: np.ndarray,
        tallies: Tallies,
    ) -> Stretch:  # fmt: skip
        roots, count = self.model.program.roots, len(which)
        states, tolerances = picked(self.states, which), self.model.tolerances
        everyone = count == len(self.time)
        left = (self.model.limits.steps or FOR_EVER) - self.steps[which]
        return Stretch(
            samples=wanted.times,
            first=picked(wanted.first, which),
            last=last,
            time=picked(self.time, which),
            end=ends,
            sizes=picked(self._sizes, which),
            states=states,
            constants=picked(self.constants, which),
            absolute=self._scales.tolerances(which, states, tolerances.absolute),
            closed=np.array([root.closed for root in roots], dtype=bool),
            held=np.array([root.place for root in roots], dtype=np.int64),
            truths=np.zeros((len(roots), count), dtype=bool),
            records=wanted.records if everyone else wanted.records[which],
            status=np.zeros(count, dtype=np.int64),
            steps=np.zeros(count, dtype=np.int64),
            most_steps=np.minimum(left, MOST_STEPS),
            relative=tolerances.relative,
            looks=LOOKS,
            recorded=self.model.width,
            rounds=self._watch.rounds,
            tallies=tallies._replace(kept=picked(tallies.kept, which)),
        )

    def _happen(self, which: np.ndarray, truths: np.ndarray | None, begins: bool = False) -> None:
        """Let everything happen that is due at the present times."""
        if self._is_smooth:
            return
        states, constants = self.states.take(which, axis=1), self.constants.take(which, axis=1)
        time = self.time[which]
        if begins:
            endless = self._happenings.begin(which, states, constants, time)
        else:
            endless = self._happenings.settle(which, states, constants, time, truths)
        self.put(which, states, constants)
        for number in which[endless]:
            self.fail(int(number), "events follow one another without end")
