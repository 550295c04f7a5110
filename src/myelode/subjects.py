"""Who a scenario treats: a model, its cell line, and the perturbations of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from myelode.drugs import Overrides
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model, load_model
from myelode.perturbations import (
    Perturbation,
    cell_lines,
    find_perturbation,
    perturbations,
    read_changes,
)
from myelode.scenario import Scenario


def model_of(scenario: Scenario, load: Callable[[str, str | None], Model] = load_model) -> Model:
    """The model that a scenario names; `load` may be one that keeps what it has loaded."""
    with scenario.at("model"):
        return load(scenario.beside(scenario.model), scenario.variant)


def lines_of(scenario: Scenario, model: Model) -> dict[str, Perturbation]:
    """The cell lines of the model of a scenario."""
    with scenario.at("cell_line"):
        return cell_lines(model)


def cell_line_of(
    scenario: Scenario, known: Mapping[str, Perturbation], overrides: Overrides
) -> Perturbation | None:
    """The cell line of a scenario, with what replaces its values; None where it names none."""
    if scenario.cell_line is None:
        return None
    with scenario.at("cell_line"):
        if scenario.cell_line not in known:
            hint = best_matches(scenario.cell_line, known)
            raise ScenarioError(f"unknown cell line {scenario.cell_line!r}{hint}")
        return overrides.on_line(known[scenario.cell_line])


def perturbations_of(scenario: Scenario, model: Model) -> dict[str, Perturbation]:
    """The perturbations of the scenario; inline ones may use those before them."""
    known = perturbations(model)
    found: dict[str, Perturbation] = {}
    for number, item in enumerate(scenario.perturbations):
        with scenario.at("perturbations", number):
            name, definition = _named(item)
            if isinstance(definition, str):
                found[name] = find_perturbation(model, definition, {**known, **found})
            else:
                found[name] = read_changes(model, name, definition)
    return found


def _named(item: Any) -> tuple[str, Any]:
    if isinstance(item, str):
        return item, item
    if len(item) != 1:
        raise ScenarioError(
            "an inline perturbation is written {name: {scale: ...}} or {name: a + b}"
        )
    name, definition = next(iter(item.items()))
    return str(name), definition
