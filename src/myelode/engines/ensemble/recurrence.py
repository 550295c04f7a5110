"""Steady states of regimens: where many simulations come to if their doses recur for ever.

For one run `engines/walk.py` has the same. Every simulation repeats its own dosing period; those
that are there wait for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from myelode.engines.ensemble.changes import Decision, change
from myelode.engines.ensemble.fleet import Fleet, Wanted
from myelode.engines.steadiness import Approach
from myelode.engines.walk import merge_changes
from myelode.errors import SimulationError
from myelode.regimens.timeline import Change, SteadyState


@dataclass(frozen=True)
class Repeated:
    """Simulations that repeat the same dosing period."""

    which: np.ndarray
    steady: SteadyState


class Recurrence:
    """Simulations on their way to a steady state, from the start of their runs.

    Parameters
    ----------
    wanted : samples, none of which is on this way.
    repeated : who repeats what.
    ids : of the values that must not change any more.
    collecting : ids that have no steady state, and begin anew.
    """

    def __init__(
        self,
        fleet: Fleet,
        wanted: Wanted,
        repeated: Sequence[Repeated],
        ids: Sequence[str],
        collecting: Sequence[str],
    ):
        self._fleet = fleet
        self._wanted = wanted
        self._repeated = repeated
        self._ids = ids
        self._collecting = collecting
        self._which = np.sort(np.concatenate([item.which for item in repeated]))
        self._legs = [*_legs(repeated)]
        self._now = fleet.time.copy()
        self._period = np.zeros(len(fleet.time))
        self._phase = np.zeros(len(fleet.time))
        for item in repeated:
            self._period[item.which] = item.steady.period
            self._phase[item.which] = item.steady.phase

    def reach(self) -> None:
        """Bring all to their steady state, as if they had been dosed for ever before now.

        An instant exactly at the phase has not happened yet: the present changes may be it.
        """
        fleet, which = self._fleet, self._which
        collected = fleet.get(which, self._collecting)
        last = self._now - self._phase
        fleet.begin(which, (last - self._period)[which])
        self._settle(last - self._period)
        self._pass(fleet.alive(which), last, self._phase)
        fleet.set(which, self._collecting, collected)
        rest = fleet.alive(which)
        fleet.move(rest, self._now[rest])

    def _settle(self, begin: np.ndarray) -> None:
        """Repeat the periods, which begin at times of shape (simulations,), until all is steady."""
        places = np.zeros(len(begin), dtype=int)
        places[self._which] = np.arange(len(self._which))
        before = self._fleet.get(self._which, self._ids)
        relative = self._fleet.model.tolerances.relative
        approach = Approach(self._ids, self._period[self._which], np.abs(before), relative)
        going = self._fleet.alive(self._which)
        while going.size:
            self._pass(going, begin, self._period)
            going = self._fleet.alive(going)
            after = self._fleet.get(going, self._ids)
            ended, reasons = approach.judge(places[going], before[:, places[going]], after)
            before[:, places[going]] = after
            for place, reason in reasons.items():
                self._fail(int(self._which[place]), reason, before[:, place])
            going = self._fleet.alive(going[~ended])

    def _fail(self, number: int, reason: str, values: np.ndarray) -> None:
        state = dict(zip(self._ids, map(float, values), strict=True))
        with self._fleet.noting(number):
            raise SimulationError(reason, float(self._now[number]), state)

    def _pass(self, which: np.ndarray, begin: np.ndarray, duration: np.ndarray) -> None:
        """One dosing period, or the part of it before a duration; both of shape (simulations,)."""
        self._fleet.move(which, begin[which])
        for leg in self._legs:
            times, decisions = begin.copy(), []
            for act in leg:
                mine = np.intersect1d(act.which, which)
                mine = mine[act.time < duration[mine]]
                times[mine] += act.time
                decisions.append(Decision(mine, act.changes))
            due = np.sort(np.concatenate([decision.which for decision in decisions]))
            self._go(due, times)
            change(self._fleet, decisions)
            self._fleet.settle(self._fleet.alive(due))
        self._go(which, begin + duration)

    def _go(self, which: np.ndarray, ends: np.ndarray) -> None:
        which = self._fleet.alive(which)
        self._fleet.advance(which, ends[which], self._wanted)


@dataclass(frozen=True)
class _Act:
    """What changes in some simulations, and when in their period."""

    which: np.ndarray
    time: float
    changes: Mapping[str, Change]


def _legs(repeated: Sequence[Repeated]) -> Iterator[list[_Act]]:
    """The first instants of all periods, the second ones, and so on."""
    for instants in zip_longest(*(item.steady.instants for item in repeated)):
        yield [
            _Act(item.which, instant.time, merge_changes(instant.changes))
            for item, instant in zip(repeated, instants, strict=True)
            if instant is not None
        ]
