"""What is worth a word before a sweep is run: what of it does not hold, and axes without effect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from myelode.errors import ScenarioError
from myelode.sweeps.costs import idle_axes
from myelode.sweeps.plans import SweepPlan

IDLE = "{axis} changes nothing of what is kept"
"""What is said of an axis without effect."""
WORTH_A_LOOK = 50
"""Points per axis from which it is worth a few runs to see whether the axis changes anything."""


def warnings_of(plan: SweepPlan) -> Iterator[str]:
    """What the user should know of a sweep that is about to be run."""
    yield from plan.remarks
    if plan.points >= WORTH_A_LOOK * len(plan.axes):
        with suppress(ScenarioError):  # points that kill their process are for the run to find
            yield from [IDLE.format(axis=name) for name in idle_axes(plan)]
