"""Values that two parts of a scenario would both give: only one of them could last."""

from __future__ import annotations

from collections.abc import Set

from myelode.errors import ScenarioError
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
