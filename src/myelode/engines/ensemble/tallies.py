"""Numbers about outputs, kept while lanes go: extremes, areas, times beyond a level.

Outputs are looked at where a step begins and ends, and twice in between. The cubic through these
values (`searches.py`) says what the step adds, and whether an extreme or a passage lies within it.
Only if so is that searched. What comes in depends on no sampling, and jumps between stretches are
seen from both sides.
"""

from __future__ import annotations

import math

from myelode.engines.ensemble.compiling import call, inlined, part, whole
from myelode.engines.ensemble.lanes import LANES, Array, Kernels, Lanes, Stretch
from myelode.engines.ensemble.passages import sample_steps, time_reached
from myelode.engines.ensemble.searches import (
    END,
    LOOKS,
    START,
    Piece,
    at_place,
    find_passage,
    find_top,
    look_once,
    piece_of,
    turns_of,
)

VALUE, LARGEST, AREA, BEYOND, PASSAGE = range(5)
"""What is kept: an output at one time, its largest value and when, the area below it, how long it
is above a level, and when it first is."""

ROUNDING = 1e-13
"""Relative excess over the largest value so far below which no search is worth while."""


@inlined
def tally_start(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """Look at the outputs of simulations that begin a stretch."""
    if len(stretch.tallies.kinds) == 0:
        return
    values = (whole(lanes.constants), whole(lanes.hoisted))
    now = (whole(lanes.time), whole(lanes.states))
    call(kernels.observe, (*now, *values, whole(lanes.observed)))
    for lane in range(LANES):
        if lanes.fresh[lane]:
            for column in range(len(lanes.observed)):
                lanes.seen[START, column, lane] = lanes.observed[column, lane]
            for number in range(len(stretch.tallies.kinds)):
                _begin(stretch, lanes, lane, number)


@inlined
def tally_steps(kernels: Kernels, stretch: Stretch, lanes: Lanes) -> None:
    """Look at the outputs of accepted steps, and note what that says."""
    if len(stretch.tallies.kinds) == 0:
        return
    for look in range(1, len(LOOKS)):
        _look(kernels, lanes, look)
    for lane in range(LANES):
        if lanes.accepted[lane]:
            for number in range(len(stretch.tallies.kinds)):
                _add(kernels, stretch, lanes, lane, number)
            for column in range(len(lanes.observed)):
                lanes.seen[START, column, lane] = lanes.seen[END, column, lane]


@inlined
def _look(kernels: Kernels, lanes: Lanes, look: int) -> None:
    """Outputs of all lanes at one look into their steps."""
    for lane in range(LANES):
        lanes.shares[lane] = LOOKS[look] * lanes.reach[lane]
        lanes.between_times[lane] = lanes.time[lane] + lanes.shares[lane] * lanes.taken[lane]
    sample_steps(kernels, lanes, part(lanes.seen, look))


@inlined
def _begin(stretch: Stretch, lanes: Lanes, lane: int, number: int) -> None:
    """What the start of a stretch says: there an output may have jumped."""
    tallies, time, simulation = stretch.tallies, lanes.time[lane], lanes.simulation[lane]
    if tallies.opens[number] <= time <= tallies.closes[number]:
        value = tallies.signs[number] * lanes.seen[START, tallies.columns[number], lane]
        if tallies.kinds[number] == VALUE:
            _keep(tallies.kept, number, simulation, value, time)
        elif tallies.kinds[number] == LARGEST:
            _raise(tallies.kept, number, simulation, value, time)
        elif tallies.kinds[number] == PASSAGE and value > tallies.levels[number]:
            _pass(tallies.kept, number, simulation, time)


@inlined
def _add(kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int) -> None:
    """What an accepted step says, or the part of it between opening and closing."""
    tallies, start, end = stretch.tallies, lanes.time[lane], time_reached(lanes, lane)
    opens, closes = max(start, tallies.opens[number]), min(end, tallies.closes[number])
    low = 0.0 if opens == start else (opens - start) / lanes.taken[lane]
    high = lanes.reach[lane] if closes == end else (closes - start) / lanes.taken[lane]
    kind, kept, simulation = tallies.kinds[number], tallies.kept, lanes.simulation[lane]
    if kind == VALUE:
        if start < opens <= end:
            value = look_once(kernels, stretch, lanes, lane, number, low)
            _keep(kept, number, simulation, value, opens)
    elif opens < closes and not (kind == PASSAGE and kept[number, 0, simulation] < math.inf):
        piece = piece_of(kernels, stretch, lanes, lane, number, low, high)
        if kind == AREA:
            kept[number, 0, simulation] += (closes - opens) * (piece[0] + piece[2] / 3)
        elif kind == LARGEST:
            _raise(kept, number, simulation, piece[4], opens)
            _raise(kept, number, simulation, piece[5], closes)
            if _has_top(piece, kept[number, 0, simulation]):
                value, share = find_top(kernels, stretch, lanes, lane, number, low, high)
                _raise(kept, number, simulation, value, start + share * lanes.taken[lane])
        else:
            _follow_level(kernels, stretch, lanes, lane, number, low, high, piece)


@inlined
def _keep(kept: Array, number: int, simulation: int, value: float, time: float) -> None:
    """Let a tally hold a value, and a time that belongs to it."""
    kept[number, 0, simulation] = value
    kept[number, 1, simulation] = time


@inlined
def _raise(kept: Array, number: int, simulation: int, value: float, time: float) -> None:
    """Keep a value if it is larger; what is not a number stays for good."""
    if value > kept[number, 0, simulation] or math.isnan(value):
        _keep(kept, number, simulation, value, time)


@inlined
def _pass(kept: Array, number: int, simulation: int, time: float) -> None:
    """Keep the time of a passage if it is the first."""
    if time < kept[number, 0, simulation]:
        _keep(kept, number, simulation, time, time)


@inlined
def _has_top(piece: Piece, before: float) -> bool:
    """Whether a cubic is larger somewhere than a value before."""
    one, other = turns_of(piece)
    top = max(at_place(piece, one), at_place(piece, other))
    return top > before + ROUNDING * abs(before)


@inlined
def _follow_level(
    kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int, low: float,
    high: float, piece: Piece,
) -> None:  # fmt: skip
    """Passages through a level within a piece of a step, between the turns of its cubic."""
    level, turns, kept = stretch.tallies.levels[number], turns_of(piece), stretch.tallies.kept
    is_first, simulation = stretch.tallies.kinds[number] == PASSAGE, lanes.simulation[lane]
    time, taken = lanes.time[lane], lanes.taken[lane]
    above, since, mark, beyond = piece[4] > level, low, low, 0.0
    if is_first and above:
        _pass(kept, number, simulation, time + low * taken)
    for turn in range(3):
        place = 1.0 if turn == 2 else turns[turn]
        until = high if place == 1 else low + 0.5 * (place + 1) * (high - low)
        if (at_place(piece, place) > level) != above:
            share = find_passage(kernels, stretch, lanes, lane, number, mark, until, above)
            if share >= 0:
                beyond += share - since if above else 0.0
                above, since = not above, share
                if is_first and above:
                    _pass(kept, number, simulation, time + share * taken)
        mark = until
    if not is_first:
        kept[number, 0, simulation] += taken * (beyond + (high - since if above else 0.0))
