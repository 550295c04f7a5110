"""An output within a step: the cubic through four values, and the search for what that says.

The values are those at the nodes of Lobatto's quadrature, with which the cubic has the same area as
any polynomial of degree 5. A search looks at one lane at eight times at once, on the interpolation
itself. Signs and levels are those of a tally, by its number.
"""

from __future__ import annotations

import math

from myelode.engines.ensemble.compiling import call, inlined, part, whole
from myelode.engines.ensemble.lanes import LANES, Array, Kernels, Lanes, Stretch
from myelode.engines.ensemble.passages import sample_steps, within

NODE = math.sqrt(0.2)
"""Where in a step from -1 to 1 the quadrature looks, apart from the ends."""

LOOKS = (0.0, 0.5 - 0.5 * NODE, 0.5 + 0.5 * NODE, 1.0)
"""The shares of a step at which outputs are looked at."""

START, END = 0, 3
"""The first and the last of these looks."""

TOP_PASSES, PASSAGE_PASSES = 6, 7
"""How often a step is divided in search of an extreme or a passage. What is then left of it, a
ten-thousandth and a millionth, is as good as a parabola and a straight line."""

Piece = tuple[float, float, float, float, float, float]
"""An output over a piece of a step: the coefficients of a cubic whose argument runs from -1 to 1,
and its values at the ends."""


@inlined
def _look_at_shares(kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int) -> None:
    """Outputs of one lane at eight shares of its step."""
    rows = stretch.tallies.rows
    for slot in range(LANES):
        share = lanes.shares[slot]
        lanes.between_times[slot] = lanes.time[lane] + share * lanes.taken[lane]
        for at in range(len(rows)):
            lanes.between[rows[at], slot] = within(lanes, rows[at], lane, share)
    now = (whole(lanes.between_times), whole(lanes.between))
    values = (part(lanes.own_constants, lane), part(lanes.own_hoisted, lane))
    call(kernels.observe, (*now, *values, whole(lanes.observed)))


@inlined
def _spread(shares: Array, first: float, gap: float) -> None:
    """Eight shares of a step, with equal gaps."""
    for slot in range(LANES):
        shares[slot] = first + slot * gap


@inlined
def look_once(
    kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int, share: float
) -> float:
    """An output at a share of a step, the same number as a sample there."""
    lanes.shares[lane] = share
    lanes.between_times[lane] = lanes.time[lane] + share * lanes.taken[lane]
    sample_steps(kernels, lanes, whole(lanes.observed))
    return float(lanes.observed[stretch.tallies.columns[number], lane])


@inlined
def piece_of(
    kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int, low: float,
    high: float,
) -> Piece:  # fmt: skip
    """An output, with the sign of a tally, between two shares of a step."""
    column, sign = stretch.tallies.columns[number], stretch.tallies.signs[number]
    if low == 0 and high == lanes.reach[lane]:
        first, last = lanes.seen[START, column, lane], lanes.seen[END, column, lane]
        left, right = lanes.seen[1, column, lane], lanes.seen[2, column, lane]
    else:
        for look in range(len(LOOKS)):
            lanes.shares[look] = low + LOOKS[look] * (high - low)
        _look_at_shares(kernels, stretch, lanes, lane)
        first, last = lanes.observed[column, START], lanes.observed[column, END]
        left, right = lanes.observed[column, 1], lanes.observed[column, 2]
    even, odd = 0.5 * sign * (first + last), 0.5 * sign * (last - first)
    square = 1.25 * (even - 0.5 * sign * (left + right))
    cube = 1.25 * (odd - 0.5 * sign * (right - left) / NODE)
    return even - square, odd - cube, square, cube, sign * first, sign * last


@inlined
def at_place(piece: Piece, place: float) -> float:
    """The value of a cubic at a place from -1 to 1."""
    inside = piece[0] + place * (piece[1] + place * (piece[2] + place * piece[3]))
    return piece[5] if place == 1 else inside


@inlined
def turns_of(piece: Piece) -> tuple[float, float]:
    """The places, in order, where a cubic turns; 1 where it does not."""
    square = piece[2] * piece[2] - 3 * piece[1] * piece[3]
    if not square > 0:
        return 1.0, 1.0
    steep = -(piece[2] + math.copysign(math.sqrt(square), piece[2]))
    one, other = steep / (3 * piece[3]), piece[1] / steep
    one, other = one if -1 < one < 1 else 1.0, other if -1 < other < 1 else 1.0
    return min(one, other), max(one, other)


@inlined
def find_top(
    kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int, low: float,
    high: float,
) -> tuple[float, float]:  # fmt: skip
    """The largest value between two shares of a step, and its share."""
    column, sign, best = stretch.tallies.columns[number], stretch.tallies.signs[number], 0
    for _ in range(TOP_PASSES):
        gap = (high - low) / (LANES + 1)
        _spread(lanes.shares, low + gap, gap)
        _look_at_shares(kernels, stretch, lanes, lane)
        best = 0
        for slot in range(1, LANES):
            if sign * lanes.observed[column, slot] > sign * lanes.observed[column, best]:
                best = slot
        low, high = lanes.shares[best] - gap, lanes.shares[best] + gap
    rise, shift = _vertex(lanes.observed, column, best)
    share = lanes.shares[best] + shift * 0.5 * (high - low)
    return sign * (lanes.observed[column, best] + rise), share


@inlined
def _vertex(observed: Array, column: int, best: int) -> tuple[float, float]:
    """How much a parabola through the best of eight values and its neighbours exceeds it, where."""
    if best == 0 or best == LANES - 1:
        return 0.0, 0.0
    middle = observed[column, best]
    before = observed[column, best - 1] - middle
    after = observed[column, best + 1] - middle
    shift = 0.5 * (before - after) / (before + after)
    return (0.25 * (after - before) * shift, shift) if -1 < shift < 1 else (0.0, 0.0)


@inlined
def find_passage(
    kernels: Kernels, stretch: Stretch, lanes: Lanes, lane: int, number: int, low: float,
    high: float, above: bool,
) -> float:  # fmt: skip
    """The share between two others at which an output is no longer above its level, or no longer
    not above it; negative where the cubic was wrong and there is none."""
    tallies, observed, slot = stretch.tallies, lanes.observed, 0
    column, sign, level = tallies.columns[number], tallies.signs[number], tallies.levels[number]
    for _ in range(PASSAGE_PASSES):
        _spread(lanes.shares, low, (high - low) / (LANES - 1))
        lanes.shares[LANES - 1] = high
        _look_at_shares(kernels, stretch, lanes, lane)
        slot = 0
        while slot < LANES and (sign * observed[column, slot] > level) == above:
            slot += 1
        if slot == LANES:
            return -1.0
        if slot == 0:
            return low
        low, high = lanes.shares[slot - 1], lanes.shares[slot]
    before = sign * observed[column, slot - 1] - level
    after = sign * observed[column, slot] - level
    share = low + (high - low) * before / (before - after)
    return share if low <= share <= high else high
