"""What lies within the steps that lanes take: samples to be recorded, and roots.

A step that was accepted is interpolated. Where a root has another truth than the one that is held,
the step ends just after the first such time.
"""

from __future__ import annotations

from myelode.engines.ensemble.compiling import call, inlined, part, whole
from myelode.engines.ensemble.lanes import AT_ROOT, LANES, REACHED, Array, Kernels, Lanes, Stretch

PASSES = 17
"""Divisions by eight of a step in search of a root, after which only rounding is left."""


@inlined
def look_inside(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """Prepare the interpolation of accepted steps where it is needed, and look for roots."""
    needed = len(lanes.truth) > 0 or len(stretch.tallies.kinds) > 0
    for lane in range(LANES):
        lanes.crossing[lane] = 0
        if lanes.accepted[lane] and not needed:
            needed = _is_wanted(stretch, lanes, lane, time_reached(lanes, lane))
    if needed:
        call(kernels.dense, (whole(lanes.stages), whole(lanes.bends)))
    if len(lanes.truth) > 0:
        for look in range(1, stretch.looks + 1):
            _look(kernels, stretch, lanes, look)
    for lane in range(LANES):
        lanes.reach[lane] = 1.0
        if lanes.crossing[lane] > 0:
            lanes.reach[lane] = _first_root(kernels, stretch, lanes, lane)


@inlined
def go_on(lanes: Lanes, lane: int) -> None:
    """What an accepted step leads to: perhaps a root or the end."""
    reached = time_reached(lanes, lane)
    if lanes.crossing[lane] > 0:
        for i in range(len(lanes.states)):
            lanes.new_states[i, lane] = within(lanes, i, lane, lanes.reach[lane])
        lanes.outcome[lane] = AT_ROOT
    elif lanes.final[lane]:
        lanes.outcome[lane] = REACHED
    lanes.time[lane] = reached


@inlined
def record_start(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """Record the samples at which lanes begin."""
    while _wanted(stretch, lanes, lanes.fresh, True):
        now = (whole(lanes.time), whole(lanes.states))
        values = (whole(lanes.constants), whole(lanes.hoisted))
        call(kernels.observe, (*now, *values, whole(lanes.observed)))
        _write_samples(stretch, lanes)


@inlined
def record_steps(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """Record the samples within accepted steps: of each lane one at a time."""
    while _wanted(stretch, lanes, lanes.accepted, False):
        sample_steps(kernels, lanes, whole(lanes.observed))
        _write_samples(stretch, lanes)


@inlined
def sample_steps(kernels: Kernels, lanes: Lanes, observed: int) -> None:
    """Outputs of all lanes at times within their steps, at the shares that belong to them."""
    now = (whole(lanes.between_times), whole(lanes.shares))
    step = (whole(lanes.states), whole(lanes.new_states), whole(lanes.bends))
    call(kernels.sample, (*now, *step, whole(lanes.constants), whole(lanes.hoisted), observed))


@inlined
def _wanted(stretch: Stretch, lanes: Lanes, some: Array, at_start: bool) -> bool:
    """Note the next sample, if there is one, of some lanes at the start or within their steps."""
    found = False
    for lane in range(LANES):
        lanes.is_wanted[lane] = False
        if some[lane]:
            reached = lanes.time[lane] if at_start else time_reached(lanes, lane)
            if _is_wanted(stretch, lanes, lane, reached):
                time = stretch.samples[lanes.sample[lane]]
                lanes.between_times[lane] = time
                lanes.shares[lane] = (time - lanes.time[lane]) / lanes.taken[lane]
                lanes.is_wanted[lane] = found = True
    return found


@inlined
def _write_samples(stretch: Stretch, lanes: Lanes) -> None:
    """Write the outputs of lanes where they are wanted, and turn to their next samples."""
    for lane in range(LANES):
        if lanes.is_wanted[lane]:
            number, sample = lanes.simulation[lane], lanes.sample[lane]
            for output in range(stretch.recorded):
                stretch.records[number, sample, output] = lanes.observed[output, lane]
            lanes.sample[lane] += 1


@inlined
def time_reached(lanes: Lanes, lane: int) -> float:
    """The time at the end of the step, or at the root at which it ends before."""
    is_whole = lanes.crossing[lane] == 0
    if is_whole and lanes.final[lane]:
        return float(lanes.end[lane])
    share = 1.0 if is_whole else lanes.reach[lane]
    return float(lanes.time[lane] + share * lanes.taken[lane])


@inlined
def _is_wanted(stretch: Stretch, lanes: Lanes, lane: int, reached: float) -> bool:
    """Whether the next sample lies before the time reached, or at it."""
    sample = lanes.sample[lane]
    is_last = sample >= stretch.last[lanes.simulation[lane]]
    return not is_last and bool(stretch.samples[sample] <= reached)


@inlined
def within(lanes: Lanes, i: int, lane: int, share: float) -> float:
    """A state at a share of the step of a lane."""
    bends, rest = lanes.bends, 1 - share
    bend = bends[0, i, lane] + share * (bends[1, i, lane] + share * bends[2, i, lane])
    inside = lanes.new_states[i, lane] + rest * bend
    state: float = rest * lanes.states[i, lane] + share * inside
    return state


@inlined
def _look(kernels: Kernels, stretch: Stretch, lanes: Lanes, look: int) -> None:
    """Note in which lanes a root has another truth at this look into the step, the first such."""
    share = look / stretch.looks
    for lane in range(LANES):
        lanes.between_times[lane] = lanes.time[lane] + share * lanes.taken[lane]
    for i in range(len(lanes.states)):
        for lane in range(LANES):
            lanes.between[i, lane] = within(lanes, i, lane, share)
    now = (whole(lanes.between_times), whole(lanes.between))
    values = (whole(lanes.constants), whole(lanes.hoisted))
    call(kernels.roots, (*now, *values, whole(lanes.roots)))
    for lane in range(LANES):
        searched = lanes.accepted[lane] and lanes.crossing[lane] == 0
        if searched and _has_changed(stretch, lanes, lane, lane):
            lanes.crossing[lane] = look


@inlined
def _has_changed(stretch: Stretch, lanes: Lanes, lane: int, column: int) -> bool:
    """Whether a root in a column of its kernel's values has another truth than a lane holds."""
    for root in range(len(lanes.truth)):
        if _holds(stretch, lanes, root, column) != lanes.truth[root, lane]:
            return True
    return False


@inlined
def _holds(stretch: Stretch, lanes: Lanes, root: int, column: int) -> bool:
    """The truth of a root in a column of its kernel's values."""
    value = lanes.roots[root, column]
    return bool(value > 0 or (stretch.closed[root] and value == 0))


@inlined
def _first_root(kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int) -> float:
    """The share of the step just after the first root, found in the first eighth with a change."""
    high: float = lanes.crossing[lane] / stretch.looks
    low = (lanes.crossing[lane] - 1) / stretch.looks
    time, taken, column = lanes.time[lane], lanes.taken[lane], 0
    for _ in range(PASSES):
        _look_between(kernels, lanes, lane, low, high)
        column = 0
        while column < LANES - 1 and not _has_changed(stretch, lanes, lane, column):
            column += 1
        low, high = _share(low, high, column - 1), _share(low, high, column)
        if time + low * taken == time + high * taken:
            break
    for root in range(len(lanes.truth)):
        lanes.truth[root, lane] = _holds(stretch, lanes, root, column)
    return high


@inlined
def _share(low: float, high: float, column: int) -> float:
    """The end of an eighth of what lies between two shares of a step."""
    return high if column == LANES - 1 else low + (column + 1) * ((high - low) / LANES)


@inlined
def _look_between(kernels: Kernels, lanes: Lanes, lane: int, low: float, high: float) -> None:
    """Roots of one lane at the ends of the eighths between two shares of its step."""
    for column in range(LANES):
        share = _share(low, high, column)
        lanes.between_times[column] = lanes.time[lane] + share * lanes.taken[lane]
        for i in range(len(lanes.states)):
            lanes.between[i, column] = within(lanes, i, lane, share)
    now = (whole(lanes.between_times), whole(lanes.between))
    values = (part(lanes.own_constants, lane), part(lanes.own_hoisted, lane))
    call(kernels.roots, (*now, *values, whole(lanes.roots)))
