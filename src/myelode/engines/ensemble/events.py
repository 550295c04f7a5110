"""SBML events over many simulations, and what is held between stops.

What the driver has to do:

* after the start of simulations, and whenever their time is set back, call `begin`;
* integrate to the smallest of: its own next end, `next_stop`, and the first root. The stop of the
  clock must be reached exactly, bit for bit; a root must be passed, by however little;
* at every end of a stretch, whatever its reason, and after every change from outside call `settle`.
  It computes anew what is held and lets all events take place that are due, one after the other.

Arrays are of shape (states, k), (constants, k) and (k,) for the k simulations whose numbers are in
`which`; states and constants are changed in place. Views will do.

Event semantics (SBML Level 3 Version 2, section 4.11): an event is triggered where its trigger
turns from false to true; it is due after its delay. Of the events that are due, the one with the
largest priority takes place, then all triggers are looked at again. Events without a priority come
last; those of equal priority take place in the order in which they were triggered, then in that of
the model, or by lot where that decides which of them take place at all (`chance.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from myelode.engines.ensemble.chance import Lots
from myelode.engines.ensemble.evaluation import assign, evaluate
from myelode.engines.ensemble.program import Event, Held, Program

MOST_AT_ONCE = 10_000
"""Events of one simulation at one time after which there is no end to be seen."""


@dataclass(frozen=True)
class _Due:
    """An event that was triggered and has not taken place; `values` where it has them already."""

    time: float
    event: int
    values: np.ndarray | None


@dataclass(frozen=True)
class _Moment:
    """Some simulations where they are now; `columns` picks from them."""

    program: Program
    which: np.ndarray
    states: np.ndarray
    constants: np.ndarray
    time: np.ndarray

    def values(self, wanted: Sequence[int], columns: np.ndarray) -> np.ndarray:
        """Values on the tape, of shape (wanted, columns)."""
        if len(self.which) == 1 == len(columns):  # which spares copies
            return evaluate(self.program.tape, wanted, self.states, self.constants, self.time)
        states, constants = self.states[:, columns], self.constants[:, columns]
        return evaluate(self.program.tape, wanted, states, constants, self.time[columns])

    def assign(self, event: Event, columns: np.ndarray, values: np.ndarray) -> None:
        """What the assignments of an event do; values of shape (assignments, columns)."""
        states, constants = self.states[:, columns], self.constants[:, columns]
        setters = [assignment.setter for assignment in event.assignments]
        changes = list(zip(setters, values, strict=True))
        assign(self.program, states, constants, self.time[columns], changes, resized_first=False)
        self.states[:, columns], self.constants[:, columns] = states, constants


@dataclass(frozen=True)
class _Arrival:
    """What the kernels said of the roots, and the values that NumPy has for them."""

    truths: np.ndarray
    values: np.ndarray


class Happenings:
    """The events of many simulations: which triggers hold, and what is still to take place."""

    def __init__(self, program: Program, simulations: int):
        self.program = program
        self.events = program.events
        self._holds = np.zeros((len(self.events), simulations), dtype=bool)
        self._waiting: list[list[_Due]] = [[] for _ in range(simulations)]
        self._passing = [n for n, event in enumerate(self.events) if not event.persistent]
        self._triggers = [event.trigger for event in self.events]
        self._lots = Lots()
        self._rows = {root.place: row for row, root in enumerate(program.roots)}
        self._roots = [root.value for root in program.roots]

    def begin(
        self, which: np.ndarray, states: np.ndarray, constants: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """Start simulations; events whose trigger counts as false before may take place at once.

        What comes back is that of `settle`.
        """
        before = np.array([event.starts_true for event in self.events], dtype=bool)
        self._holds[:, which] = before[:, None]
        for simulation in which:
            self._waiting[simulation] = []
            self._lots.begin(int(simulation))
        return self.settle(which, states, constants, time)

    def settle(
        self,
        which: np.ndarray,
        states: np.ndarray,
        constants: np.ndarray,
        time: np.ndarray,
        truths: np.ndarray | None = None,
    ) -> np.ndarray:
        """Let everything happen that is due at the present times.

        `truths` of shape (roots, k) are those that the kernels found where they stopped. They count
        until an event moves the root, for NumPy may round what is all but zero to the other side.
        Comes back, of shape (k,), whether a simulation's events follow one another without end.
        """
        moment = _Moment(self.program, which, states, constants, time)
        everything = np.arange(len(which))
        arrival = None
        if truths is not None and self._roots:
            arrival = _Arrival(truths, moment.values(self._roots, everything))
        self._hold(moment, everything, arrival)
        endless = np.zeros(len(which), dtype=bool)
        if not self.events:
            return endless
        busy = everything
        for _ in range(MOST_AT_ONCE):
            self._look(moment, busy)
            busy = self._take_place(moment, busy)
            if not busy.size:
                return endless
            self._hold(moment, busy, arrival)
        endless[busy] = True
        return endless

    def move(self, which: np.ndarray, by: np.ndarray) -> None:
        """Time is moved, by times of shape (k,): what waits is due as much earlier or later."""
        for simulation, shift in zip(which, by, strict=True):
            waiting = self._waiting[simulation]
            self._waiting[simulation] = [replace(item, time=item.time + shift) for item in waiting]

    def next_stop(self, which: np.ndarray, constants: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The next time at which the clock or an event ends the way, shape (k,); inf for none."""
        none = np.empty((0, len(which)))
        stops = evaluate(self.program.tape, self.program.stops, none, constants, time)
        stops = np.where(stops > time, stops, np.inf).min(axis=0, initial=np.inf)
        if any(event.delay is not None for event in self.events):
            stops = np.minimum(stops, [self._first_due(simulation) for simulation in which])
        return np.asarray(stops)

    def _first_due(self, simulation: int) -> float:
        return min((item.time for item in self._waiting[simulation]), default=np.inf)

    def _hold(self, moment: _Moment, columns: np.ndarray, arrival: _Arrival | None) -> None:
        """Compute anew what is held."""
        for group in self.program.held:
            values = moment.values([held.value for held in group], columns)
            if arrival is not None:
                values = self._corrected(moment, columns, arrival, group, values)
            places = np.array([held.place for held in group])
            moment.constants[places[:, None], columns] = values

    def _corrected(
        self,
        moment: _Moment,
        columns: np.ndarray,
        arrival: _Arrival,
        group: Sequence[Held],
        found: np.ndarray,
    ) -> np.ndarray:
        """What is held, with the truths of the kernels where a root has not moved since."""
        now = moment.values(self._roots, columns)
        unmoved = now == arrival.values[:, columns]
        rows = [self._rows.get(held.place) for held in group]
        return np.array(
            [
                values
                if row is None
                else np.where(unmoved[row], arrival.truths[row, columns], values)
                for row, values in zip(rows, found, strict=True)
            ]
        )

    def _look(self, moment: _Moment, columns: np.ndarray) -> None:
        """Look which triggers turned true, and which turned false before their event was due."""
        which = moment.which[columns]
        found = moment.values(self._triggers, columns)
        holds = (found != 0) & (found == found)  # what is not a number does not hold
        new = holds & ~self._holds[:, which]
        self._holds[:, which] = holds
        for number in self._passing:
            self._forget(number, which[~holds[number]])
        for place in np.flatnonzero(new.any(axis=1)):
            self._trigger(moment, int(place), columns[new[place]])

    def _forget(self, number: int, simulations: np.ndarray) -> None:
        """An event that does not persist, and whose trigger is false, will not take place."""
        for simulation in simulations:
            if waiting := self._waiting[simulation]:
                self._waiting[simulation] = [item for item in waiting if item.event != number]

    def _trigger(self, moment: _Moment, number: int, columns: np.ndarray) -> None:
        """Note when an event is due, and its values if it has those of the present."""
        event = self.events[number]
        values = moment.values([assignment.value for assignment in event.assignments], columns)
        delays = np.zeros(len(columns))
        if event.delay is not None:
            delays = np.maximum(moment.values([event.delay], columns)[0], 0.0)
        for place, column in enumerate(columns):
            due = moment.time[column] + delays[place]
            kept = values[:, place] if event.early else None
            self._waiting[moment.which[column]].append(_Due(due, number, kept))

    def _take_place(self, moment: _Moment, columns: np.ndarray) -> np.ndarray:
        """Let one event of each simulation take place; the columns where there was one."""
        chosen = self._chosen(moment, columns)
        for number in sorted({item.event for item in chosen.values()}):
            mine = [column for column, item in chosen.items() if item.event == number]
            self._execute(moment, self.events[number], mine, [chosen[column] for column in mine])
        return np.array([*chosen], dtype=int)

    def _execute(
        self, moment: _Moment, event: Event, columns: Sequence[int], items: Sequence[_Due]
    ) -> None:
        picked = np.array(columns)
        if event.early:
            values = np.array([item.values for item in items]).T
        else:
            values = moment.values([assignment.value for assignment in event.assignments], picked)
        moment.assign(event, picked, values.reshape(len(event.assignments), len(picked)))

    def _chosen(self, moment: _Moment, columns: np.ndarray) -> dict[int, _Due]:
        """The event of each column that comes next, taken off the waiting ones."""
        due = dict(self._due(moment, columns))
        several = [column for column, items in due.items() if len(items) > 1]
        priorities = self._priorities(moment, several)
        chosen = {}
        for column, items in due.items():
            simulation = int(moment.which[column])
            order = priorities.get(column)
            first = items[0] if order is None else self._first(simulation, items, order)
            # By what it is, not by what it equals: an event can wait twice.
            waiting = self._waiting[simulation]
            place = next(number for number, item in enumerate(waiting) if item is first)
            chosen[column] = waiting.pop(place)
        return chosen

    def _first(self, simulation: int, items: Sequence[_Due], order: np.ndarray) -> _Due:
        """The item with the largest priority, drawn by lot where chance decides."""
        first = max(items, key=lambda item: float(order[item.event]))
        if not self.events[first.event].drawn:
            return first
        equal = [item for item in items if order[item.event] == order[first.event]]
        return self._lots.draw(
            simulation, [item for item in equal if self.events[item.event].drawn]
        )

    def _due(self, moment: _Moment, columns: np.ndarray) -> Iterator[tuple[int, list[_Due]]]:
        for column in columns:
            waiting = self._waiting[moment.which[column]]
            items = [item for item in waiting if item.time <= moment.time[column]]
            if items:
                yield int(column), items

    def _priorities(self, moment: _Moment, columns: Sequence[int]) -> dict[int, np.ndarray]:
        """Priorities of all events by column; those without one come last."""
        if not columns:
            return {}
        found = np.full((len(self.events), len(columns)), -np.inf)
        stated = [(n, e.priority) for n, e in enumerate(self.events) if e.priority is not None]
        values = moment.values([priority for _, priority in stated], np.array(columns))
        found[[number for number, _ in stated]] = values
        return dict(zip(columns, found.T, strict=True))
