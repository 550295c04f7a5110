"""What is wrong with a model, scenario or sweep file, found without running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from myelode.claims import read_claims, violations
from myelode.correlations import read_correlations
from myelode.descriptions import is_model
from myelode.engines import choose_engine
from myelode.errors import MyelodeError
from myelode.files import read_text
from myelode.library import find_model
from myelode.model import Model, load_model
from myelode.model_folder import read_variants
from myelode.outcomes import check_expectations, evaluate_scenario
from myelode.perturbations import cell_lines, perturbations
from myelode.preflight import check_antimony, check_in_subprocess, check_sbml, lint_sbml
from myelode.preflight.externals import read_externals
from myelode.regimens.named import check_regimens
from myelode.regimens.steps import Context
from myelode.sbml import findings
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import rehearse
from myelode.sweeps.plans import plan_sweep
from myelode.sweeps.sections import is_sweep
from myelode.trials import read_trials
from myelode.validation import read_observations


@dataclass
class Findings:
    """What was found in one file: errors forbid its use, warnings do not."""

    path: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def attempt(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function gives; None, and an error noted, where it raises one."""
        try:
            return function(*arguments)
        except MyelodeError as error:
            if str(error) not in self.errors:
                self.errors.append(str(error))
            return None

    @property
    def is_sound(self) -> bool:
        """Whether no error was found."""
        return not self.errors


def check_file(name: str) -> Findings:
    """Errors and warnings of a model, a model folder, a scenario or a sweep, by name or path."""
    found = Findings(name)
    if is_sweep(name):
        _check_sweep(name, found)
        return found
    model = found.attempt(is_model, name)
    if found.is_sound:
        (_check_model if model else _check_scenario)(name, found)
    return found


def _check_model(name: str, found: Findings) -> None:
    path = found.attempt(find_model, name)
    if path is None:
        return
    if not path.is_dir():
        found.attempt(_load_apart, path)
        if found.is_sound:
            _check_variant(found, name, None)
        return
    for variant in found.attempt(read_variants, path) or ():
        _check_variant(found, name, variant)
    found.attempt(read_correlations, path)
    found.attempt(read_trials, path)
    found.warnings += violations(found.attempt(read_claims, path) or ())
    if (path / "observations.tsv").exists():
        found.attempt(read_observations, path)


def _load_apart(path: Path) -> None:
    """Refuse a stranger's file that would harm this process, before this process loads it."""
    text = read_text(path)
    others: Mapping[str, str] = {}
    if text.lstrip().startswith("<"):
        check_sbml(text, str(path), may_refer=True)
        others = read_externals(text, str(path), path.parent)
    else:
        check_antimony(text, str(path))
    for part in (text, *others.values()):
        check_in_subprocess(part, str(path))


def _check_variant(found: Findings, name: str, variant: str | None) -> None:
    model: Model | None = found.attempt(load_model, name, variant)
    if model is None:
        return
    where = f"{name} ({variant})" if variant else name
    errors, warnings = findings(model.sbml)
    found.errors += [f"{where}: {text}" for text in errors]
    found.warnings += [*model.warnings, *(f"{where}: {text}" for text in warnings)]
    found.warnings += lint_sbml(model.sbml, where).warnings
    found.attempt(perturbations, model)
    found.attempt(cell_lines, model)
    found.attempt(check_regimens, model)
    found.attempt(choose_engine("auto").compile, model.sbml)


def _check_sweep(name: str, found: Findings) -> None:
    """Its design and its scenario at the first point; the scenario's own file is checked apart."""
    plan = found.attempt(plan_sweep, name)
    if plan is not None:
        found.attempt(lambda: plan.layout)


def _check_scenario(name: str, found: Findings) -> None:
    scenario: Scenario | None = found.attempt(load_scenario, name)
    if scenario is None:
        return
    path = found.attempt(_find_model_of, scenario)
    if path is not None and not path.is_dir():
        found.attempt(_load_apart, path)
    if found.is_sound:
        _rehearse(scenario, found)


def _find_model_of(scenario: Scenario) -> Path:
    with scenario.at("model"):
        return find_model(scenario.beside(scenario.model))


def _rehearse(scenario: Scenario, found: Findings) -> None:
    """All that a run does before and after the integration."""
    rehearsed = found.attempt(rehearse, scenario)
    if rehearsed is None:
        return
    plan, dataset = rehearsed
    found.warnings += plan.model.warnings
    result = found.attempt(evaluate_scenario, dataset, scenario, Context(plan.model))
    if result is not None:
        found.attempt(check_expectations, result, scenario)
