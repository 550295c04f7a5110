"""Values that two parts of a scenario would both give: only one of them could last."""

from __future__ import annotations

from collections.abc import Mapping, Set

from myelode.dose_ladders import LADDERS, ladder_of
from myelode.errors import ScenarioError
from myelode.perturbations import Perturbation
from myelode.regimens.compilation import regimen_targets
from myelode.scenario import Scenario


def require_apart(scenario: Scenario, base: Set[str], final: Set[str], design: Set[str]) -> None:
    """Refuse a value that is set, and that the regimen changes or the design varies too.

    What is drawn for its uncertainty holds until the regimen changes it.
    """
    sections = {"set": base, "final": final}
    drawn = {} if scenario.design.uncertainty else {"design": design}
    for section, names in {**sections, **drawn}.items():
        for steps in scenario.regimens.values():
            for name in sorted(regimen_targets(steps) & names):
                with scenario.at(section, name):
                    raise ScenarioError(f"{name!r} is set, but the regimen changes it too")
    for section, names in sections.items():
        for name in sorted(names & design):
            with scenario.at(section, name):
                raise ScenarioError(f"{name!r} is set, but the design varies it")


def require_own_ladders(
    scenario: Scenario, laddered: Set[str], perturbations: Mapping[str, Perturbation]
) -> None:
    """Refuse a ladder over a value that a step of the regimen or a perturbation sets.

    Every dose of it would give the same, and under another number.
    """
    for axis in LADDERS:
        name = ladder_of(scenario, axis)
        if name in laddered:
            with scenario.at("design", axis, "of"):
                _require_unset(scenario, str(name), perturbations)


def _require_unset(
    scenario: Scenario, name: str, perturbations: Mapping[str, Perturbation]
) -> None:
    if any(name in regimen_targets(steps) for steps in scenario.regimens.values()):
        raise ScenarioError(f"{name!r} has a ladder, but the regimen sets it")
    for item in perturbations.values():
        if name in item.set:
            raise ScenarioError(
                f"{name!r} has a ladder, but the perturbation {item.name!r} sets it"
            )
