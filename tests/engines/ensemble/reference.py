"""One simulation of a program in plain NumPy, with everything that happens on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from myelode.engines.ensemble import oracle
from myelode.engines.ensemble.evaluation import evaluate, started
from myelode.engines.ensemble.events import Happenings
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.reading import read_program
from myelode.sbml import from_antimony

ALONE = np.array([0])


def program_from(antimony: str) -> Program:
    """The program of an Antimony text."""
    return read_program(from_antimony(antimony, "a test"))


def course(
    program: Program,
    times: Sequence[float],
    outputs: Sequence[str],
    given: Mapping[str, float] | None = None,
    relative: float = 1e-8,
) -> np.ndarray:
    """Values of shape (times, outputs); a sample at a stop is the value just after it."""
    trip = _Trip(program, given or {}, relative)
    rows = []
    for time in times:
        trip.go_to(time)
        rows.append(trip.values([program.outputs[name] for name in outputs]))
    return np.array(rows)


@dataclass
class _Trip:
    program: Program
    given: Mapping[str, float]
    relative: float
    time: float = 0.0
    states: np.ndarray = field(init=False)
    constants: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        values = {name: np.array([value]) for name, value in self.given.items()}
        self.states, self.constants = started(self.program, values, 1)
        self.happenings = Happenings(self.program, 1)
        assert not self.happenings.begin(ALONE, self.states, self.constants, self._now()).any()

    def values(self, wanted: Sequence[int]) -> np.ndarray:
        return self._at(self.time, self.states[:, 0], wanted)

    def go_to(self, end: float) -> None:
        while self.time < end:
            stop = min(end, self.happenings.next_stop(ALONE, self.constants, self._now())[0])
            truths = self._integrate(stop)
            endless = self.happenings.settle(
                ALONE, self.states, self.constants, self._now(), truths
            )
            assert not endless.any()

    def _now(self) -> np.ndarray:
        return np.array([self.time])

    def _at(self, time: float, state: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
        now = np.array([time])
        return evaluate(self.program.tape, wanted, state[:, None], self.constants, now)[:, 0]

    def _truths(self, time: float, state: np.ndarray) -> np.ndarray:
        values = self._at(time, state, [root.value for root in self.program.roots])
        closed = np.array([root.closed for root in self.program.roots], dtype=bool)
        return np.where(closed, values >= 0, values > 0)

    def _flips(self, time: float, state: np.ndarray) -> bool:
        held = [self.constants[root.place, 0] != 0 for root in self.program.roots]
        return bool((self._truths(time, state) != held).any())

    def _integrate(self, stop: float) -> np.ndarray:
        """Go on to a stop, or to just behind a root."""
        size = 1e-4 * (stop - self.time)
        while self.time < stop:
            size = min(size, stop - self.time)
            start, stages = self.states[:, 0].copy(), self._step(size)
            end = oracle.end_of(start, stages)
            scale = 1e-12 + self.relative * np.maximum(np.abs(start), np.abs(end))
            error = float(np.sqrt(np.mean((stages[-1] / scale) ** 2))) if len(start) else 0.0
            if error <= 1:
                share = self._share_to_root(size, start, end, stages)
                # A stop is reached to the last bit.
                reached = self.time + share * size
                self.time = stop if share == 1 and stop - reached < 1e-12 * stop else reached
                self.states[:, 0] = oracle.within(share, start, end, stages)
                if share < 1 or self._flips(self.time, self.states[:, 0]):
                    break
            size *= min(6.0, max(0.2, 0.9 * max(error, 1e-30) ** -0.2))
        return self._truths(self.time, self.states[:, 0])[:, None].astype(float)

    def _step(self, size: float) -> np.ndarray:
        if not len(self.states):
            return np.zeros((8, 0))
        problem = oracle.Problem(
            lambda time, state: self._at(time, state, self.program.slopes),
            self._jacobian,
            lambda time, state: self._at(time, state, self.program.by_time),
        )
        return oracle.step(problem, self.time, self.states[:, 0], size)

    def _jacobian(self, time: float, state: np.ndarray) -> np.ndarray:
        entries = self.program.jacobian
        matrix = np.zeros((len(state), len(state)))
        values = self._at(time, state, list(entries.values()))
        for place, value in zip(entries, values, strict=True):
            matrix[place] = value
        return matrix

    def _share_to_root(
        self, size: float, start: np.ndarray, end: np.ndarray, stages: np.ndarray
    ) -> float:
        """The share of the step after which the first root has flipped, by bisection."""
        if not self._flips(self.time + size, end):
            return 1.0
        low, high = 0.0, 1.0
        while low < (middle := (low + high) / 2) < high:
            state = oracle.within(middle, start, end, stages)
            flips = self._flips(self.time + middle * size, state)
            low, high = (low, middle) if flips else (middle, high)
        return high
