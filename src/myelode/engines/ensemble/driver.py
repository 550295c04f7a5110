"""Many simulations over one stretch of time each: the loop around the kernels of any model.

Eight lanes hold a simulation each, with a time and a step size of its own. A round steps all of
them at once; each lane then accepts its step or refuses it, records the samples that it passed, and
stops where a root changes its truth. A lane that is done takes the next simulation at once. What a
lane computes does not depend on the others, so that the numbers of a simulation are the same bit
for bit whatever runs beside it.

Numba compiles this once for all models and keeps the result on disk. The functions are small to be
read; in machine code they are one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from myelode.engines.ensemble import lanes as lanes_module
from myelode.engines.ensemble import passages, searches, tallies
from myelode.engines.ensemble.compiling import call, compiled, fingerprint, inlined, whole
from myelode.engines.ensemble.lanes import (
    GOING_ON,
    LANES,
    NOT_FINITE,
    REACHED,
    TOO_MANY_STEPS,
    TOO_SMALL,
    Array,
    Kernels,
    Lanes,
    Stretch,
)
from myelode.engines.ensemble.passages import go_on, look_inside, record_start, record_steps
from myelode.engines.ensemble.tallies import tally_start, tally_steps

SHRINK, GROW = 0.2, 6.0
"""How much smaller or larger than the last one a step can be."""

SAFETY = 0.9
"""The share of the size that would just do; the factor of the error kernel contains it."""

MOST_EASE = 2.5
"""How much larger than it was a step counts as having been able to be, at most."""

FIRST_CHANGE = 0.01
"""By which share the states may change, by their slopes, in a first step at a tolerance of one."""

FIRST_SHARE = 0.1
"""How much of its stretch a first step may take."""

NOT_FINITE_SHRINK = 0.1
"""How much smaller a step is after one without a finite error."""

NEARLY = 1e-7
"""A step that leaves less than this share of itself to the end goes there."""

LEAST = 1e-290
"""A step that is smaller is none."""


def _driver(sources: str) -> Callable[[Kernels, Stretch, Lanes, int], int]:
    """The driver, which numba compiles anew when any of its sources has changed."""

    @compiled
    def integrate(kernels: Kernels, stretch: Stretch, lanes: Lanes, taken: int) -> int:
        """Bring every simulation to the end of its stretch, or as far as it goes.

        Of the simulations `taken` have been in lanes before. Returns how many have been in the end;
        while lanes still hold some, it is to be called again.
        """
        taken += 0 * len(sources)
        for _ in range(stretch.rounds):
            taken = _fill(kernels, stretch, lanes, taken)
            if not _choose_steps(lanes):
                break
            _step(kernels, lanes)
            _judge(stretch, lanes)
            look_inside(kernels, stretch, lanes)
            tally_steps(kernels, stretch, lanes)
            record_steps(kernels, stretch, lanes)
            for lane in range(LANES):
                if lanes.accepted[lane]:
                    go_on(lanes, lane)
            _take_new_states(kernels, lanes)
            for lane in range(LANES):
                if lanes.simulation[lane] >= 0 and lanes.outcome[lane] != GOING_ON:
                    _unload(stretch, lanes, lane)
        return taken

    return integrate


@inlined
def _fill(kernels: Kernels, stretch: Stretch, lanes: Lanes, taken: int) -> int:
    """Simulations for the idle lanes; how many have been taken by now."""
    before = taken
    for lane in range(LANES):
        if lanes.simulation[lane] < 0 and taken < len(stretch.time):
            _load(stretch, lanes, lane, taken)
            taken += 1
    if taken > before:
        _start(kernels, stretch, lanes)
    return taken


@inlined
def _load(stretch: Stretch, lanes: Lanes, lane: int, number: int) -> None:
    """Put a simulation into a lane."""
    states = len(lanes.states)
    for i in range(states):
        lanes.states[i, lane] = stretch.states[i, number]
        lanes.tolerances[i, lane] = stretch.absolute[i, number]
    lanes.tolerances[states, lane] = stretch.relative
    for i in range(len(lanes.constants)):
        lanes.constants[i, lane] = stretch.constants[i, number]
    for root in range(len(lanes.truth)):
        lanes.truth[root, lane] = stretch.constants[stretch.held[root], number] != 0
    lanes.time[lane] = stretch.time[number]
    lanes.end[lane] = stretch.end[number]
    lanes.size[lane] = stretch.sizes[number]
    lanes.sample[lane] = stretch.first[number]
    lanes.simulation[lane] = number
    lanes.outcome[lane] = GOING_ON if lanes.end[lane] > lanes.time[lane] else REACHED
    lanes.steps[lane] = 0
    lanes.ideal_before[lane] = 0.0
    lanes.refused[lane] = False
    lanes.fresh[lane] = True


@inlined
def _start(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """What lanes need that begin: what follows from their constants, step sizes, first samples."""
    constants, hoisted = whole(lanes.constants), whole(lanes.hoisted)
    call(kernels.prepare, (constants, hoisted))
    now = (whole(lanes.time), whole(lanes.states))
    call(kernels.slopes, (*now, constants, hoisted, whole(lanes.slopes)))
    tally_start(kernels, stretch, lanes)
    record_start(kernels, stretch, lanes)
    is_searched = len(lanes.truth) > 0 or len(stretch.tallies.kinds) > 0
    for lane in range(LANES):
        if lanes.fresh[lane]:
            if is_searched:
                _repeat(lanes.constants, lanes.own_constants, lane)
                _repeat(lanes.hoisted, lanes.own_hoisted, lane)
            if lanes.size[lane] <= 0:
                lanes.size[lane] = _first_size(stretch, lanes, lane)
            lanes.fresh[lane] = False


@inlined
def _repeat(values: Array, own: Array, lane: int) -> None:
    """Eight times the values of one lane."""
    for i in range(len(values)):
        for column in range(LANES):
            own[lane, i, column] = values[i, lane]


@inlined
def _first_size(stretch: Stretch, lanes: Lanes, lane: int) -> float:
    """A step size at which the slopes change states so little as a method of order 5 needs."""
    states, total = len(lanes.states), 0.0
    for i in range(states):
        size = abs(lanes.states[i, lane])
        allowed = lanes.tolerances[i, lane] + lanes.tolerances[states, lane] * size
        total += (lanes.slopes[i, lane] / allowed) ** 2
    change = stretch.relative * math.sqrt(total / max(states, 1))
    longest: float = FIRST_SHARE * (lanes.end[lane] - lanes.time[lane])
    allowed = FIRST_CHANGE * stretch.relative**0.2
    return min(allowed / change, longest) if change > 0 else longest


@inlined
def _choose_steps(lanes: Lanes) -> bool:
    """The sizes of the steps to take now; false if no lane has anything to do."""
    active = False
    for lane in range(LANES):
        if lanes.simulation[lane] >= 0:
            active = True
            left, wanted = lanes.end[lane] - lanes.time[lane], lanes.size[lane]
            lanes.final[lane] = wanted * (1 + NEARLY) >= left
            # Two equal steps to the end rather than a long one and a tiny one.
            lanes.taken[lane] = left if lanes.final[lane] else min(wanted, 0.5 * left)
    return active


@inlined
def _step(kernels: Kernels, lanes: Lanes) -> None:
    """One step of every lane, and its error; without states every step is right."""
    if len(lanes.states) == 0:
        for lane in range(LANES):
            lanes.error[lane], lanes.factor[lane] = 0.0, GROW
        return
    before, after, stages = whole(lanes.states), whole(lanes.new_states), whole(lanes.stages)
    start = (whole(lanes.time), whole(lanes.taken), before)
    values = (whole(lanes.constants), whole(lanes.hoisted))
    call(kernels.step, (*start, *values, stages, after, whole(lanes.work)))
    found = (whole(lanes.error), whole(lanes.factor))
    call(kernels.error, (before, after, stages, whole(lanes.tolerances), *found))


@inlined
def _judge(stretch: Stretch, lanes: Lanes) -> None:
    """Which steps are good enough, and how long the next step of each lane is to be."""
    for lane in range(LANES):
        going_on = lanes.simulation[lane] >= 0 and lanes.outcome[lane] == GOING_ON
        lanes.accepted[lane] = going_on and lanes.error[lane] <= 1
        if lanes.accepted[lane]:
            _grow(lanes, lane)
        elif going_on:
            _shrink(lanes, lane)
        if going_on:
            lanes.steps[lane] += 1
            if lanes.steps[lane] >= stretch.most_steps[lanes.simulation[lane]]:
                lanes.outcome[lane] = TOO_MANY_STEPS


@inlined
def _grow(lanes: Lanes, lane: int) -> None:
    """The next size after a good step, by its error and by that of the step before."""
    taken, factor = lanes.taken[lane], lanes.factor[lane]
    ease = factor / SAFETY
    if lanes.refused[lane]:
        factor = min(factor, 1.0)
    elif lanes.ideal_before[lane] > 0:
        # Where the size that would do has become smaller, it is taken to go on so (Gustafsson).
        factor *= min(1.0, ease * taken / lanes.ideal_before[lane])
    size = taken * min(GROW, max(SHRINK, factor))
    # A step that was cut off at the end of a stretch says little about the size to go on with.
    lanes.size[lane] = max(size, lanes.size[lane]) if lanes.final[lane] else size
    lanes.ideal_before[lane] = taken * min(ease, MOST_EASE)
    lanes.refused[lane] = False


@inlined
def _shrink(lanes: Lanes, lane: int) -> None:
    """The next size after a bad step; where none could be small enough, the simulation ends."""
    finite = lanes.error[lane] < math.inf
    factor = max(SHRINK, lanes.factor[lane]) if finite else NOT_FINITE_SHRINK
    size = lanes.taken[lane] * factor
    if lanes.time[lane] + size == lanes.time[lane] or size < LEAST:
        lanes.outcome[lane] = TOO_SMALL if finite else NOT_FINITE
    lanes.size[lane] = size
    lanes.refused[lane] = True


@inlined
def _take_new_states(kernels: Kernels, lanes: Lanes) -> None:
    """The states at the ends of accepted steps become the present ones."""
    states = (whole(lanes.new_states), whole(lanes.states))
    call(kernels.accept, (whole(lanes.accepted), *states))


@inlined
def _unload(stretch: Stretch, lanes: Lanes, lane: int) -> None:
    """Hand back what became of a simulation; its lane is idle."""
    number = lanes.simulation[lane]
    for i in range(len(lanes.states)):
        stretch.states[i, number] = lanes.states[i, lane]
    for root in range(len(lanes.truth)):
        stretch.truths[root, number] = lanes.truth[root, lane]
    stretch.first[number] = lanes.sample[lane]
    stretch.time[number] = lanes.time[lane]
    stretch.sizes[number] = lanes.size[lane]
    stretch.steps[number] = lanes.steps[lane]
    stretch.status[number] = lanes.outcome[lane]
    lanes.simulation[lane] = -1


_SOURCES = (passages.__file__, searches.__file__, tallies.__file__, lanes_module.__file__)
integrate = _driver(fingerprint(*_SOURCES))
