"""How often steps with a condition took place: numbers that stand beside the trajectories."""

from __future__ import annotations

import xarray as xr

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.scenario import Scenario

GIVEN = "given_"
"""With the label of a step, the name of the number of its occurrences that took place."""


def counts_of(scenario: Scenario, model: Model) -> tuple[str, ...]:
    """The names under which the steps of all arms are counted.

    Raises ScenarioError where the number would have a name that is taken.
    """
    taken = {*model.entities, *scenario.endpoints, *scenario.rules, *scenario.assays}
    names: dict[str, None] = {}
    for arm, steps in scenario.regimens.items():
        for number, step in enumerate(steps):
            if GIVEN + step.counted_as in taken:
                with scenario.at(*(("arms", arm) if scenario.arms else ("regimen",)), number):
                    raise ScenarioError(_said(step.counted_as))
            names[step.counted_as] = None
    return tuple(name for name in names if name)


def _said(name: str) -> str:
    return (
        f"the step would be counted as {GIVEN + name!r}, which is the name of something else "
        "already: give it another label, or count: NAME"
    )


def counts_in(dataset: xr.Dataset) -> tuple[str, ...]:
    """The variables of a result that are such numbers, in order of their names."""
    names = sorted(str(name) for name in dataset.data_vars)
    return tuple(n for n in names if n.startswith(GIVEN) and "time" not in dataset[n].dims)
