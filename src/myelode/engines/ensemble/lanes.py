"""What the driver works on, as plain arrays: the kernels, the simulations, and the eight lanes.

All memory is allocated here, in Python, and handed in: compiled code that asked an array for its
address would not keep that array alive.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

LANES = 8
"""How many simulations are stepped at once: as many as a register of AVX-512 holds; LLVM splits
what is too wide for others."""

GOING_ON = -1
REACHED, AT_ROOT, TOO_MANY_STEPS, NOT_FINITE, TOO_SMALL, TOO_LONG = range(6)
"""How a stretch of a simulation ended."""

FOR_EVER = 2**62
"""Rounds of steps after which nobody wants to look at the clock."""

_LINE = 64
"""Bytes of a cache line, to which everything that kernels read is aligned."""

Array = np.ndarray[Any, np.dtype[Any]]


class Kernels(NamedTuple):
    """Addresses of the machine code of one model, as `machine.py` describes it."""

    prepare: int
    slopes: int
    step: int
    error: int
    accept: int
    dense: int
    roots: int
    observe: int
    sample: int


class Tallies(NamedTuple):
    """Numbers about outputs that are kept on the way, as `tallies.py` describes them.

    Attributes
    ----------
    kinds, columns : shape (tallies,); what is kept of which output.
    signs : shape (tallies,); -1 where the output counts upside down.
    levels : shape (tallies,); the level that is watched, with its sign.
    opens, closes : shape (tallies,); from when to when an output is looked at.
    rows : the states on which these outputs depend.
    kept : shape (tallies, 2, simulations); a value, and a time that belongs to it.
    """

    kinds: Array
    columns: Array
    signs: Array
    levels: Array
    opens: Array
    closes: Array
    rows: Array
    kept: Array


def no_tallies(simulations: int) -> Tallies:
    """Nothing is kept."""
    integers, numbers = np.zeros(0, dtype=np.int64), np.zeros(0)
    kept = np.zeros((0, 2, simulations))
    return Tallies(integers, integers, numbers, numbers, numbers, numbers, integers, kept)


class Stretch(NamedTuple):
    """Simulations over one stretch of time each: what to do, and in the same arrays what came out.

    Attributes
    ----------
    samples : increasing times at which outputs may be wanted.
    first, last : shape (simulations,); simulation k wants ``samples[first[k]:last[k]]``, of which
        none lies outside its stretch; `first` becomes the first that is not recorded.
    time, end : shape (simulations,); `time` becomes the time reached.
    sizes : shape (simulations,); step sizes to begin with, 0 where one is to be chosen, and then
        those to go on with.
    states, constants : shape (states, simulations) and (constants, simulations); `states` become
        those of the time reached.
    absolute : shape (states, simulations), absolute tolerances.
    closed : shape (roots,); truth is value >= 0 where a root is closed, else value > 0.
    held : shape (roots,); places of the constants that hold the truth of roots. A stretch ends just
        after the truth of a root has become another one.
    truths : shape (roots, simulations); becomes the truth of roots at the time reached.
    records : shape (simulations, samples, recorded or more).
    status, steps : shape (simulations,); how a stretch ended, and after how many steps.
    most_steps : shape (simulations,); steps after which each gives up.
    relative : relative tolerance.
    looks : how many times in each step the truth of roots is looked at, its end included.
    recorded : how many of the outputs, the first ones, go into `records`.
    rounds : how many steps of all lanes are taken before the driver returns, done or not.
    tallies : what else is kept.
    """

    samples: Array
    first: Array
    last: Array
    time: Array
    end: Array
    sizes: Array
    states: Array
    constants: Array
    absolute: Array
    closed: Array
    held: Array
    truths: Array
    records: Array
    status: Array
    steps: Array
    most_steps: Array
    relative: float
    looks: int
    recorded: int
    rounds: int
    tallies: Tallies


class Lanes(NamedTuple):
    """Eight simulations on their way. The last axis of nearly everything is the lane.

    Attributes
    ----------
    simulation : which simulation is in a lane, -1 for none.
    outcome : how its stretch ended, ``GOING_ON`` while it has not.
    sample, steps : the next sample to record, and the steps so far.
    fresh : whether its stretch has not begun yet.
    refused : whether its last step was refused.
    accepted : 1 where the present step is accepted, else 0; numbers, as kernels want them.
    final : whether it leads to the end.
    end, size : where the stretch ends, and the size that its next step should have.
    ideal_before : the size with which the last accepted step would just have done, 0 for none.
    time, taken, error, factor, states, new_states, constants, hoisted, tolerances, stages, bends,
        slopes, work, roots : what kernels read and write: present times, sizes of the present
        step, and so on.
    truth : shape (roots, lanes), as it is held; at the end of a stretch, as it was found there.
    crossing : the look, counted from 1, before which the truth of a root changed, 0 for none.
    is_wanted : whether the present step has another sample.
    between_times, between : shape (8,) and (states, 8), times within steps and the states there.
    own_constants, own_hoisted : shape (lane, values, 8): eight times those of one lane, for kernels
        that look at one simulation at eight times.
    observed : shape (outputs, 8), of all lanes, or of one lane at eight times.
    reach : the share of the present step at whose end a lane will be.
    seen : shape (4, outputs, lanes), outputs at the start of a step, twice within, and at its end.
    shares : shape (8,), shares of steps at which lanes are looked at, or one lane is.
    """

    simulation: Array
    outcome: Array
    sample: Array
    steps: Array
    fresh: Array
    refused: Array
    accepted: Array
    final: Array
    end: Array
    size: Array
    ideal_before: Array
    time: Array
    taken: Array
    error: Array
    factor: Array
    states: Array
    new_states: Array
    constants: Array
    hoisted: Array
    tolerances: Array
    stages: Array
    bends: Array
    slopes: Array
    work: Array
    roots: Array
    truth: Array
    crossing: Array
    is_wanted: Array
    between_times: Array
    between: Array
    own_constants: Array
    own_hoisted: Array
    observed: Array
    reach: Array
    seen: Array
    shares: Array


class Sizes(NamedTuple):
    """How many values of each kind a model has; `work` are the numbers its step kernel needs."""

    states: int
    constants: int
    hoisted: int
    roots: int
    outputs: int
    work: int
    stages: int = 8
    bends: int = 3


def empty_lanes(sizes: Sizes) -> Lanes:
    """Lanes without simulations. Numbers in them are harmless: kernels compute idle lanes too."""
    states, constants, hoisted = sizes.states, sizes.constants, sizes.hoisted
    return Lanes(
        simulation=np.full(LANES, -1),
        outcome=np.full(LANES, GOING_ON),
        sample=_integers(),
        steps=_integers(),
        fresh=_flags(),
        refused=_flags(),
        accepted=_aligned(),
        final=_flags(),
        end=_aligned(),
        size=_aligned(),
        ideal_before=_aligned(),
        time=_aligned(),
        taken=_aligned(),
        error=_aligned(),
        factor=_aligned(),
        states=_aligned(states),
        new_states=_aligned(states),
        constants=_aligned(constants),
        hoisted=_aligned(hoisted),
        tolerances=_aligned(states + 1),
        stages=_aligned(sizes.stages, states),
        bends=_aligned(sizes.bends, states),
        slopes=_aligned(states),
        work=_aligned(-(-sizes.work // LANES)),
        roots=_aligned(sizes.roots),
        truth=np.zeros((sizes.roots, LANES), dtype=np.bool_),
        crossing=_integers(),
        is_wanted=_flags(),
        between_times=_aligned(),
        between=_aligned(states),
        own_constants=_aligned(LANES, constants),
        own_hoisted=_aligned(LANES, hoisted),
        observed=_aligned(sizes.outputs),
        reach=_aligned(),
        seen=_aligned(4, sizes.outputs),
        shares=_aligned(),
    )


def _integers() -> Array:
    return np.zeros(LANES, dtype=np.int64)


def _flags() -> Array:
    return np.zeros(LANES, dtype=np.bool_)


def _aligned(*shape: int) -> Array:
    """Ones of a shape, with the lanes as the last axis, which begin where a cache line does."""
    count = LANES * int(np.prod(shape, dtype=int))
    memory = np.ones(count + _LINE // 8)
    skipped = -memory.ctypes.data % _LINE // 8
    return memory[skipped : skipped + count].reshape(*shape, LANES)
