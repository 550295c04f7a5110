"""What a model is once it stands on a tape: the contract between reading, kernels and driver.

What is *kept* of a model are its states, which are integrated, and its constants, which only the
start, changes and events set. A species whose id means a concentration is kept as its amount.

Between two stops of an integration everything is smooth: a comparison that could flip on the way is
*held*, as a constant that is 1 or 0, and so is the whole part of what grows with time. Where a root
changes sign, or a stop of the clock comes, the integration ends, what is held is computed anew
(`events.py` does that), and it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from myelode.engines.ensemble.tape import Tape


@dataclass(frozen=True)
class Root:
    """A comparison that states can flip: an integration must stop just after it did.

    Attributes
    ----------
    value : on the tape; its sign is the truth.
    closed : true means ``value >= 0``, else ``value > 0``.
    place : the constant that holds the truth. The integration stops where the truth differs from
        it, which is not the same as a change since the last step: rounding may differ between the
        kernels and NumPy, and no flip must be lost by that.
    """

    value: int
    closed: bool
    place: int


@dataclass(frozen=True)
class Held:
    """A constant that is computed anew at every stop, and holds in between.

    Attributes
    ----------
    place : of the constant.
    value : on the tape; what the constant is from the present time on.
    """

    place: int
    value: int


@dataclass(frozen=True)
class Setter:
    """How a new value of an id, in the model's own mathematics, reaches what is kept.

    Attributes
    ----------
    kind, place : what is set.
    factor : value on the tape: ``kept = factor * value``; None stands for one. Where several ids
        change at once, those without a factor come first, so that a concentration meets the new
        size of its compartment.
    """

    kind: Literal["state", "constant"]
    place: int
    factor: int | None = None


@dataclass(frozen=True)
class Assignment:
    """What an event sets, and to which value on the tape (in the model's own mathematics)."""

    setter: Setter
    value: int


@dataclass(frozen=True)
class Event:
    """An event of the model.

    Attributes
    ----------
    trigger : value on the tape; the event is triggered where it turns from zero to something else.
    delay : value on the tape, None for none.
    priority : value on the tape, None for none: of events at one time the largest comes first.
    starts_true : what the trigger counts as before the start, so that it may trigger at time zero.
    persistent : once triggered the event takes place even if its trigger is no longer true.
    early : its assignments have the values of the time at which it was triggered, not at which it
        takes place.
    drawn : chance decides between it and others of the same priority that are due with it.
    """

    name: str
    trigger: int
    assignments: tuple[Assignment, ...]
    delay: int | None = None
    priority: int | None = None
    starts_true: bool = True
    persistent: bool = True
    early: bool = True
    drawn: bool = False


@dataclass(frozen=True)
class Start:
    """How the start of a simulation follows from what it is given, on a tape of its own.

    Attributes
    ----------
    tape : ``given(i)`` is the i-th slot.
    slots : ids that a simulation may be given, in the model's own mathematics.
    defaults : shape (slots,): the value in the model. NaN stands for "as the model has it", which
        for what a formula gives is the formula: a slot that is given a number replaces it, and all
        that depends on it follows.
    states, constants : values on the tape: what is kept, at time zero; held constants are zero.
    """

    tape: Tape
    slots: tuple[str, ...]
    defaults: np.ndarray
    states: tuple[int, ...]
    constants: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A model on a tape.

    Attributes
    ----------
    tape : ``state(i)`` is the i-th state, ``given(j)`` the j-th constant.
    states : names of what is integrated, ``X`` or ``amount(X)``.
    constants : names of all else that is kept; ``held(...)`` is what `held` says.
    slopes : of each state, by time.
    jacobian : slope of a slope by a state, by (row, column), where it is not always zero.
    by_time : explicit dependence of each slope on time.
    roots : comparisons of states where an integration must stop.
    stops : values (they change only at stops): times at which it must stop, where they are finite
        and ahead.
    held : what is computed anew at every stop; each group needs the ones before it.
    outputs : value of every id, of ``amount(X)`` and ``concentration(X)`` of every species X, and
        of ``time``.
    setters : of every id that a change may set.
    events, start : see there.
    """

    tape: Tape
    states: tuple[str, ...]
    constants: tuple[str, ...]
    slopes: tuple[int, ...]
    jacobian: Mapping[tuple[int, int], int]
    by_time: tuple[int, ...]
    roots: tuple[Root, ...]
    stops: tuple[int, ...]
    held: tuple[tuple[Held, ...], ...]
    outputs: Mapping[str, int]
    setters: Mapping[str, Setter]
    events: tuple[Event, ...]
    start: Start
