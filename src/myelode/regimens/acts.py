"""What the steps of a regimen do, sorted into instants."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from myelode.regimens.timeline import (
    Change,
    Clash,
    Instant,
    Lasting,
    Occurrence,
    SteadyState,
    is_same_time,
)

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Act:
    """One change at one time; `step` is the number of the step that makes it.

    Acts that add may share a time and a target, others may not.
    """

    time: float
    change: Change | Lasting
    step: int
    adds: bool = False

    @property
    def occurrence(self) -> int | None:
        """The number of the occurrence on which the act hangs, None for what is certain."""
        return self.change.occurrence if isinstance(self.change, Change) else None


@dataclass(frozen=True)
class Spell:
    """A value that a parameter has over [start, end), if its occurrence takes place."""

    target: str
    start: float
    end: float
    value: float
    step: int
    occurrence: int | None = None

    def excludes(self, other: Spell) -> bool:
        """Whether both start together, or one is cut short by the start of the other."""
        if self.target != other.target:
            return False
        if is_same_time(self.start, other.start):
            return True
        first, second = sorted((self, other), key=lambda spell: spell.start)
        return second.start < first.end < math.inf and not is_same_time(second.start, first.end)


@dataclass
class Plans:
    """What a regimen does beside its acts: all that is not a change of a value.

    Occurrences and clashes stand with their times.
    """

    resets: list[float] = field(default_factory=list)
    steady: dict[float, SteadyState] = field(default_factory=dict)
    occurrences: list[tuple[float, Occurrence]] = field(default_factory=list)
    clashes: list[tuple[float, Clash]] = field(default_factory=list)

    def cancel(self, start: float) -> None:
        """Leave out what would come from `start` on and may not take place."""
        self.occurrences = [(time, item) for time, item in self.occurrences if time < start]
        self.clashes = [(time, item) for time, item in self.clashes if time < start]

    def until(self, end: float) -> Plans:
        """What happens until the end of a run."""
        occurrences = [(time, item) for time, item in self.occurrences if time <= end]
        clashes = [(time, item) for time, item in self.clashes if time <= end]
        return Plans(self.resets, self.steady, occurrences, clashes)


def acts_of(
    spells: Iterable[Spell], value: Callable[[str, list[Spell]], float], sums: bool = True
) -> Iterator[Act]:
    """An act at each time at which the spells of a target change.

    `value` gives what holds while certain spells last, which may be none, in order of their starts:
    their sum, or else that of the last one.
    """
    by_target: dict[str, list[Spell]] = {}
    for spell in sorted(spells, key=lambda item: item.start):
        by_target.setdefault(spell.target, []).append(spell)
    for target, own in by_target.items():
        for time, lasting, due in _course(own):
            step = (lasting or own)[-1].step
            if all(spell.occurrence is None for spell in (*lasting, *due)):
                yield Act(time, Change(target, 0.0, value(target, lasting)), step)
            else:
                # Where no spell ever ends there is nothing to go back to.
                ends = any(spell.end < math.inf for spell in own)
                otherwise = value(target, []) if ends else 0.0
                yield Act(time, _lasting(target, lasting, due, sums, otherwise), step)


def _lasting(
    target: str, lasting: Sequence[Spell], due: Sequence[Spell], sums: bool, otherwise: float
) -> Lasting:
    values = tuple((spell.occurrence, spell.value) for spell in lasting)
    return Lasting(target, values, tuple(spell.occurrence for spell in due), sums, otherwise)


def _course(spells: Sequence[Spell]) -> Iterator[tuple[float, list[Spell], list[Spell]]]:
    """Each time at which spells start or end, those that last from then on, and which do so."""
    waiting = list(reversed(spells))
    lasting: list[Spell] = []
    edges = [edge for spell in spells for edge in (spell.start, spell.end) if edge < math.inf]
    for time in dict.fromkeys(_moments(edges).values()):
        due = [spell for spell in lasting if _is_over(spell, time)]
        lasting = [spell for spell in lasting if not _is_over(spell, time)]
        while waiting and (waiting[-1].start <= time or is_same_time(waiting[-1].start, time)):
            spell = waiting.pop()
            due.append(spell)
            lasting += [] if _is_over(spell, time) else [spell]
        yield time, list(lasting), due


def _is_over(spell: Spell, time: float) -> bool:
    return spell.end <= time or is_same_time(spell.end, time)


def exclusive_acts(acts: Sequence[Act]) -> Iterator[tuple[Act, Act]]:
    """Acts of one time on one target that do not simply add up, and so have no clear meaning."""
    moments = _moments(act.time for act in acts)
    together: dict[tuple[float, str], list[Act]] = {}
    for act in acts:
        together.setdefault((moments[act.time], act.change.target), []).append(act)
    for group in together.values():
        if len(group) > 1 and not all(act.adds for act in group):
            pairs = itertools.combinations(group, 2)
            yield from (pair for pair in pairs if not (pair[0].adds and pair[1].adds))


def to_instants(acts: Iterable[Act], plans: Plans) -> Iterator[Instant]:
    """All that happens, grouped by time, in order of time."""
    acts = list(acts)
    times = [*(act.time for act in acts), *plans.resets, *plans.steady]
    times += [time for time, _ in (*plans.occurrences, *plans.clashes)]
    moments = _moments(times)
    acts_at: dict[float, list[Act]] = {time: [] for time in moments.values()}
    for act in acts:
        acts_at[moments[act.time]].append(act)
    reset_at = {moments[time] for time in plans.resets}
    steady_at = {moments[time]: state for time, state in plans.steady.items()}
    occurrences, clashes = (
        _by_moment(plans.occurrences, moments),
        _by_moment(plans.clashes, moments),
    )
    for time, here in acts_at.items():
        yield Instant(
            time,
            tuple(act.change for act in here if isinstance(act.change, Change)),
            time in reset_at,
            steady_at.get(time),
            tuple(occurrences.get(time, ())),
            tuple(act.change for act in here if isinstance(act.change, Lasting)),
            tuple(clashes.get(time, ())),
        )


def _by_moment(
    items: Iterable[tuple[float, _Item]], moments: Mapping[float, float]
) -> dict[float, list[_Item]]:
    found: dict[float, list[_Item]] = {}
    for time, item in items:
        found.setdefault(moments[time], []).append(item)
    return found


def _moments(times: Iterable[float]) -> dict[float, float]:
    """Each time, and the one by which it goes, in increasing order."""
    moments: dict[float, float] = {}
    last = None
    for time in sorted(set(times)):
        last = last if last is not None and is_same_time(time, last) else time
        moments[time] = last
    return moments
