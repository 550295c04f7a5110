"""What is wrong with a model or scenario file, found without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from myelode.claims import read_claims
from myelode.descriptions import is_model
from myelode.engines import choose_engine
from myelode.errors import MyelodeError
from myelode.library import find_model
from myelode.model import Model, load_model
from myelode.model_folder import read_variants
from myelode.outcomes import check_expectations, evaluate_scenario
from myelode.perturbations import cell_lines, perturbations
from myelode.sbml import findings
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import rehearse
from myelode.steps import Context
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
            self.errors.append(str(error))
            return None


def check_file(name: str) -> Findings:
    """Errors and warnings of a model, a model folder or a scenario, by name or path."""
    found = Findings(name)
    model = found.attempt(is_model, name)
    if model is not None:
        (_check_model if model else _check_scenario)(name, found)
    return found


def _check_model(name: str, found: Findings) -> None:
    path = found.attempt(find_model, name)
    if path is None:
        return
    if not path.is_dir():
        _check_variant(found, name, None)
        return
    for variant in found.attempt(read_variants, path) or ():
        _check_variant(found, name, variant)
    found.attempt(read_claims, path)
    if (path / "observations.tsv").exists():
        found.attempt(read_observations, path)


def _check_variant(found: Findings, name: str, variant: str | None) -> None:
    model: Model | None = found.attempt(load_model, name, variant)
    if model is None:
        return
    where = f"{name} ({variant})" if variant else name
    errors, warnings = findings(model.sbml)
    found.errors += [f"{where}: {text}" for text in errors]
    found.warnings += [*model.warnings, *(f"{where}: {text}" for text in warnings)]
    found.attempt(perturbations, model)
    found.attempt(cell_lines, model)
    found.attempt(choose_engine("auto").compile, model.sbml)


def _check_scenario(name: str, found: Findings) -> None:
    scenario: Scenario | None = found.attempt(load_scenario, name)
    if scenario is None:
        return
    rehearsed = found.attempt(rehearse, scenario)
    if rehearsed is None:
        return
    plan, dataset = rehearsed
    found.warnings += plan.model.warnings
    result = found.attempt(evaluate_scenario, dataset, scenario, Context(plan.model))
    if result is not None:
        found.attempt(check_expectations, result, scenario)
