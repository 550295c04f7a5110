"""Who a scenario treats: a model, its cell line, its perturbations, and the trial it imitates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from myelode.drugs import Overrides
from myelode.errors import ScenarioError, best_matches
from myelode.line_files import is_line_file, read_line_file
from myelode.model import Model, load_model
from myelode.perturbations import (
    CELL_LINES,
    Perturbation,
    absence,
    cell_lines,
    find_perturbation,
    perturbations,
    read_changes,
)
from myelode.scenario import Scenario
from myelode.trials import FILE as TRIALS
from myelode.trials import TrialArm, TrialNumber, read_trials, trial_arms


def model_of(scenario: Scenario, load: Callable[[str, str | None], Model] = load_model) -> Model:
    """The model that a scenario names; `load` may be one that keeps what it has loaded."""
    with scenario.at("variant" if "+" in (scenario.variant or "") else "model"):
        return load(scenario.beside(scenario.model), scenario.variant)


def lines_of(scenario: Scenario, model: Model) -> dict[str, Perturbation]:
    """The cell lines of the model of a scenario, with that of a file which the scenario names.

    A line of a file goes by its own name and by that of the file.
    """
    with scenario.at("cell_line"):
        known, wanted = cell_lines(model), scenario.cell_line
        if wanted and wanted not in known and is_line_file(wanted):
            own = read_line_file(scenario.beside(wanted), model)
            return {**known, own.name: own, wanted: own}
        said = absence(model, CELL_LINES, wanted) if wanted and wanted not in known else ""
        if said:
            raise ScenarioError(f"unknown cell line {wanted!r}{said}")
        return known


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


def trial_arms_of(scenario: Scenario, model: Model) -> tuple[TrialArm, ...]:
    """The trial arms that a scenario imitates, each once, with their published numbers.

    Of a trial without an arm all arms; those that the scenario has an arm of the same name for
    are imitated by it.
    """
    if scenario.trial is None:
        return ()
    with scenario.at("trial"):
        numbers = read_trials(model.folder)
        if not numbers:
            raise ScenarioError(f"model {model.name} has no {TRIALS}, and so no trial")
    if isinstance(scenario.trial, str):
        with scenario.at("trial"):
            found = trial_arms(numbers, scenario.trial)
        own = scenario.arms or {}
        return tuple(replace(a, imitated_by=(a.arm,) if a.arm in own else ()) for a in found)
    return _imitated(scenario, scenario.trial, numbers)


def _imitated(
    scenario: Scenario, wanted: Mapping[str, str], numbers: Sequence[TrialNumber]
) -> tuple[TrialArm, ...]:
    by_name: dict[str, TrialArm] = {}
    for arm, name in wanted.items():
        with scenario.at("trial", arm):
            if len(name.split()) < 2:
                raise ScenarioError(f"{name!r} names no arm: write TRIAL ARM")
            [found] = trial_arms(numbers, name)
        known = by_name.get(found.name, found)
        by_name[found.name] = replace(known, imitated_by=(*known.imitated_by, arm))
    return tuple(by_name.values())


def _named(item: Any) -> tuple[str, Any]:
    if isinstance(item, str):
        return item, item
    if len(item) != 1:
        raise ScenarioError(
            "an inline perturbation is written {name: {scale: ...}} or {name: a + b}"
        )
    name, definition = next(iter(item.items()))
    return str(name), definition
