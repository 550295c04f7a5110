"""The way of many simulations along their timelines; for one run, `engines/walk.py` has the same.

Every run has a timeline of its own. All of them go to their next instant at once, whenever that is,
and what happens to the same ids there is computed at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from myelode.engines.choices import Choices
from myelode.engines.ensemble.changes import Decision, change
from myelode.engines.ensemble.fleet import Fleet, Wanted
from myelode.engines.ensemble.recurrence import Recurrence, Repeated
from myelode.engines.protocol import Run
from myelode.engines.walk import merge_changes, require_rest, require_times
from myelode.expressions import names_in
from myelode.regimens.timeline import Equilibration, Instant, Timeline, targets_of


@dataclass(frozen=True)
class Itinerary:
    """A timeline as stretches between instants.

    Attributes
    ----------
    instants : those that a run reaches.
    ends : shape (instants + 1,), times at which its stretches end.
    samples : shape (instants + 1,), for each stretch the number of samples up to its end; one at an
        instant belongs to the stretch behind it.
    is_certain : whether the same happens to every run.
    """

    instants: tuple[Instant, ...]
    ends: np.ndarray
    samples: np.ndarray
    is_certain: bool


def itinerary(timeline: Timeline, times: np.ndarray) -> Itinerary:
    """The stretches of a timeline with these sample times."""
    require_times(times, timeline.end)
    instants = tuple(item for item in timeline.instants if item.time <= timeline.end)
    events = [instant.time for instant in instants]
    samples = np.array([*np.searchsorted(times, events), len(times)])
    is_certain = not any(instant.occurrences for instant in instants)
    return Itinerary(instants, np.array([*events, timeline.end]), samples, is_certain)


class Journey:
    """Simulations under way, each along its run; runs share sample times, outputs and counts."""

    def __init__(self, fleet: Fleet, runs: Sequence[Run], idle: frozenset[str]):
        self.fleet = fleet
        self.runs = runs
        self.idle = idle
        times = np.asarray(runs[0].times, dtype=float)
        timelines = {id(run.timeline): run.timeline for run in runs}
        places = {key: place for place, key in enumerate(timelines)}
        self._timelines = [*timelines.values()]
        self._ways = [itinerary(timeline, times) for timeline in self._timelines]
        self._way_of = np.array([places[id(run.timeline)] for run in runs])
        self._choices = [Choices(run.counts) for run in runs]
        columns = len(runs[0].outputs) + len(runs[0].counts)
        self.wanted = Wanted(
            times=times,
            first=np.zeros(len(runs), dtype=np.int64),
            last=np.zeros(len(runs), dtype=np.int64),
            records=np.full((len(runs), len(times), columns), np.nan),
        )

    def travel(self) -> np.ndarray:
        """Values of shape (runs, times, outputs and counts); those of failed runs end somewhere."""
        everyone = np.arange(len(self.runs))
        for rule in dict.fromkeys(timeline.equilibration for timeline in self._timelines):
            ways = [w for w, line in enumerate(self._timelines) if line.equilibration == rule]
            self._start(everyone[np.isin(self._way_of, ways)], rule)
        start = self.fleet.states.copy(), self.fleet.constants.copy()
        lengths = np.array([len(way.ends) for way in self._ways])
        for leg in range(lengths.max()):
            which = self.fleet.alive(everyone[lengths[self._way_of] > leg])
            if leg > 0:
                self._arrive(which, leg - 1, start)
            self._sail(self.fleet.alive(which), leg)
        return self.wanted.records

    def _start(self, which: np.ndarray, rule: Equilibration | None) -> None:
        """Begin at time zero, with or without a time of rest before."""
        start = -rule.duration if rule else 0.0
        self.fleet.begin(which, np.full(len(which), start))
        if rule is not None:
            self._equilibrate(self.fleet.alive(which), rule)

    def _equilibrate(self, which: np.ndarray, rule: Equilibration) -> None:
        """Run without drug up to time zero, require rest, and put the held values back."""
        fleet = self.fleet
        held = sorted({*rule.hold, *self.idle})
        watched = [name for name in fleet.model.ids if name not in held]
        restored, size = fleet.get(which, held), np.abs(fleet.get(which, watched))
        fleet.advance(which, np.full(len(which), -0.1 * rule.duration), self.wanted)
        before = fleet.get(which, watched)
        fleet.advance(fleet.alive(which), np.zeros(len(fleet.alive(which))), self.wanted)
        after = fleet.get(which, watched)
        for place, number in enumerate(which):
            if fleet.failures[number] is None:
                with fleet.noting(number):
                    require_rest(watched, before[:, place], after[:, place], size[:, place])
        fleet.set(which, held, restored)
        fleet.settle(fleet.alive(which))

    def _sail(self, which: np.ndarray, leg: int) -> None:
        """Go to the end of a stretch; what is counted does not change on the way."""
        wanted, outputs = self.wanted, len(self.runs[0].outputs)
        wanted.first[which] = wanted.last[which]
        wanted.last[which] = self._of_ways(which, [way.samples[leg:] for way in self._ways])
        for number in which if self.runs[0].counts else ():
            samples = slice(wanted.first[number], wanted.last[number])
            wanted.records[number, samples, outputs:] = [*self._choices[number].counts.values()]
        ends = self._of_ways(which, [way.ends[leg:] for way in self._ways])
        self.fleet.advance(which, ends, wanted, is_tallied=True)

    def _of_ways(self, which: np.ndarray, values: Sequence[np.ndarray]) -> np.ndarray:
        """The first of the values of the way of each simulation; some ways may have none left."""
        firsts: np.ndarray = np.array([next(iter(items), 0) for items in values])
        return np.asarray(firsts[self._way_of[which]])

    def _arrive(self, which: np.ndarray, place: int, start: tuple[np.ndarray, np.ndarray]) -> None:
        """All that happens at one instant of each run, in its fixed order."""
        decisions = [*self._decided(which, place)]
        which = self.fleet.alive(which)
        for way, mine in self._by_way(which):
            instant = self._ways[way].instants[place]
            if instant.reset or instant.steady is not None:
                self._reset(mine, targets_of(self._timelines[way].instants), *start)
        self._recur(which, place)
        change(self.fleet, decisions)
        self.fleet.settle(self.fleet.alive(which))

    def _by_way(self, which: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Some simulations by the number of their way."""
        if len(self._ways) == 1 and which.size:
            yield 0, which
            return
        ways, order = self._way_of[which], np.argsort(self._way_of[which], kind="stable")
        numbers, firsts = np.unique(ways[order], return_index=True)
        for way, mine in zip(numbers, np.split(which[order], firsts[1:]), strict=False):
            yield int(way), mine

    def _decided(self, which: np.ndarray, place: int) -> Iterator[Decision]:
        """What changes in each run; runs in which it cannot be said fail."""
        for way, mine in self._by_way(which):
            instant = self._ways[way].instants[place]
            if self._ways[way].is_certain:
                yield from self._decided_for(mine, mine[0], instant, {})
            else:
                values = self._seen(mine, instant)
                for column, number in enumerate(mine):
                    seen = {name: row[column] for name, row in values.items()}
                    yield from self._decided_for(mine[column : column + 1], number, instant, seen)

    def _decided_for(
        self, which: np.ndarray, one: int, instant: Instant, seen: Mapping[str, float]
    ) -> Iterator[Decision]:
        """What changes in simulations of which one stands for all."""
        with self.fleet.noting(*which):
            chosen = self._choices[one].decide(
                instant, lambda names: np.array([seen[name] for name in names])
            )
            yield Decision(which, merge_changes(chosen))

    def _seen(self, which: np.ndarray, instant: Instant) -> dict[str, np.ndarray]:
        """The present values of what the conditions of an instant name."""
        texts = [occurrence.condition for occurrence in instant.occurrences]
        names = sorted({name for text in texts for name in names_in(text)} - {"time"})
        return dict(zip(names, self.fleet.get(which, names), strict=True))

    def _recur(self, which: np.ndarray, place: int) -> None:
        """Bring those to a steady state that have one at an instant."""
        alike: dict[tuple[tuple[str, ...], ...], list[Repeated]] = defaultdict(list)
        for way, mine in self._by_way(which):
            steady = self._ways[way].instants[place].steady
            if steady is not None:
                collecting = self.idle - set(targets_of(steady.instants))
                targets = targets_of(self._timelines[way].instants)
                known = dict.fromkeys((*self.fleet.model.ids, *targets))
                ids = tuple(name for name in known if name not in collecting)
                alike[ids, tuple(sorted(collecting))].append(Repeated(mine, steady))
        for (ids, idle), repeated in alike.items():
            Recurrence(self.fleet, self.wanted, repeated, ids, idle).reach()

    def _reset(
        self, which: np.ndarray, targets: Iterable[str], states: np.ndarray, constants: np.ndarray
    ) -> None:
        """Put states, and all that a regimen changes, back to where they stood at time zero."""
        restored = self.fleet.constants[:, which]
        for setter in (self.fleet.model.program.setters[name] for name in targets):
            if setter.kind == "constant":
                restored[setter.place] = constants[setter.place, which]
        self.fleet.put(which, states[:, which], restored)
