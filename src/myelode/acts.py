"""What the steps of a regimen do, sorted into instants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from myelode.timeline import Change, Instant, SteadyState, is_same_time


@dataclass(frozen=True)
class Act:
    """One change at one time; `step` is the number of the step that makes it.

    Acts that add may share a time and a target, others may not.
    """

    time: float
    change: Change
    step: int
    adds: bool = False


@dataclass(frozen=True)
class Spell:
    """A value that a parameter has over [start, end)."""

    target: str
    start: float
    end: float
    value: float
    step: int


def acts_of(spells: Iterable[Spell], value: Callable[[str, list[Spell]], float]) -> Iterator[Act]:
    """An act at each time at which the spells of a target change.

    `value` gives what holds while certain spells last, which may be none, in order of their starts.
    """
    by_target: dict[str, list[Spell]] = {}
    for spell in sorted(spells, key=lambda item: item.start):
        by_target.setdefault(spell.target, []).append(spell)
    for target, own in by_target.items():
        for time, lasting in _course(own):
            change = Change(target, 0.0, value(target, lasting))
            yield Act(time, change, (lasting or own)[-1].step)


def _course(spells: Sequence[Spell]) -> Iterator[tuple[float, list[Spell]]]:
    """Each time at which a spell starts or ends, and the spells that last from then on."""
    waiting = list(reversed(spells))
    lasting: list[Spell] = []
    edges = [edge for spell in spells for edge in (spell.start, spell.end) if edge < math.inf]
    for time in dict.fromkeys(_moments(edges).values()):
        lasting = [spell for spell in lasting if not _is_over(spell, time)]
        while waiting and (waiting[-1].start <= time or is_same_time(waiting[-1].start, time)):
            spell = waiting.pop()
            lasting += [] if _is_over(spell, time) else [spell]
        yield time, list(lasting)


def _is_over(spell: Spell, time: float) -> bool:
    return spell.end <= time or is_same_time(spell.end, time)


def exclusive_acts(acts: Sequence[Act]) -> Iterator[list[Act]]:
    """Acts of one time on one target that do not simply add up, and so have no clear meaning."""
    moments = _moments(act.time for act in acts)
    together: dict[tuple[float, str], list[Act]] = {}
    for act in acts:
        together.setdefault((moments[act.time], act.change.target), []).append(act)
    for group in together.values():
        if len(group) > 1 and not all(act.adds for act in group):
            yield group


def to_instants(
    acts: Iterable[Act], resets: Iterable[float], steady: Iterable[tuple[float, SteadyState]]
) -> Iterator[Instant]:
    """All that happens, grouped by time, in order of time."""
    acts, resets, steady = list(acts), list(resets), list(steady)
    times = [*(act.time for act in acts), *resets, *(time for time, _ in steady)]
    moments = _moments(times)
    acts_at: dict[float, list[Act]] = {time: [] for time in moments.values()}
    for act in acts:
        acts_at[moments[act.time]].append(act)
    reset_at = {moments[time] for time in resets}
    steady_at = {moments[time]: state for time, state in steady}
    for time, here in acts_at.items():
        changes = tuple(act.change for act in here)
        yield Instant(time, changes, time in reset_at, steady_at.get(time))


def _moments(times: Iterable[float]) -> dict[float, float]:
    """Each time, and the one by which it goes, in increasing order."""
    moments: dict[float, float] = {}
    last = None
    for time in sorted(set(times)):
        last = last if last is not None and is_same_time(time, last) else time
        moments[time] = last
    return moments
