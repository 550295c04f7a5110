"""What there is, and what it consists of, as plain data: the answers of `list` and `show`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from myelode.claims import read_claims
from myelode.compounds import FILE as COMPOUNDS_FILE
from myelode.compounds import Compound, read_compounds
from myelode.drugs import Overrides, read_drugs
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import read_yaml
from myelode.library import beside, find_scenario, models, scenarios, sweeps
from myelode.model import Model
from myelode.model_folder import default_variant, read_variants
from myelode.parameters import Parameter
from myelode.perturbations import Perturbation, cell_lines, perturbations
from myelode.precedence import Effective
from myelode.provenance import statements_on
from myelode.regimens.named import NamedRegimen, read_regimens
from myelode.scenario import Scenario
from myelode.simulation import plan_scenario
from myelode.trials import read_trials

_MODEL_SUFFIXES = {".ant", ".txt", ".antimony", ".xml", ".sbml"}
_SCENARIO_SUFFIXES = {".yaml", ".yml"}
Item = dict[str, str | None]


def list_items(kind: str) -> list[Item]:
    """The shipped things of a kind: name, title, path and model of each.

    Raises ScenarioError for a kind that does not exist.
    """
    if kind not in KINDS:
        raise ScenarioError(f"there is no kind {kind!r}{best_matches(kind, KINDS)}")
    return KINDS[kind]()


def _list_models() -> list[Item]:
    found: list[Item] = []
    for name, folder in models().items():
        variants = read_variants(folder)
        title = str(variants[default_variant(variants)].get("title", name))
        found.append({"name": name, "title": title, "path": str(folder), "model": name})
    return found


def _list_scenarios() -> list[Item]:
    found: list[Item] = []
    for name, path in scenarios().items():
        data = read_yaml(path).data
        title, model = str(data.get("title", name)), str(data.get("model", ""))
        found.append({"name": name, "title": title, "path": str(path), "model": model})
    return found


def _list_perturbations() -> list[Item]:
    found: list[Item] = []
    for model, folder in models().items():
        path = folder / "perturbations.yaml"
        data = read_yaml(path, ModelError).data if path.exists() else {}
        for name, entry in data.items():
            title = str(entry.get("title", name))
            found.append({"name": str(name), "title": title, "path": str(path), "model": model})
    return found


def _list_compounds() -> list[Item]:
    found: list[Item] = []
    for model, folder in models().items():
        path = str(folder / COMPOUNDS_FILE)
        compounds = read_compounds(folder, read_variants(folder), {})
        found += [
            {"name": name, "title": item.title, "path": path, "model": model}
            for name, item in compounds.items.items()
        ]
    return found


def _list_sweeps() -> list[Item]:
    found: list[Item] = []
    for name, path in sweeps().items():
        data = read_yaml(path).data
        scenario = find_scenario(beside(str(path), str(data["scenario"])))
        model = str(read_yaml(scenario).data.get("model", ""))
        title = str(data.get("title", name))
        found.append({"name": name, "title": title, "path": str(path), "model": model})
    return found


def _list_nothing() -> list[Item]:
    return []


KINDS: Mapping[str, Callable[[], list[Item]]] = {
    "models": _list_models,
    "scenarios": _list_scenarios,
    "perturbations": _list_perturbations,
    "compounds": _list_compounds,
    "sweeps": _list_sweeps,
    "populations": _list_nothing,
    "panels": _list_nothing,
}


def is_model(name: str) -> bool:
    """Whether a name or path means a model; a scenario otherwise.

    Raises ScenarioError, with the closest names, where it means neither.
    """
    suffix = Path(name).suffix
    if name in models() or suffix in _MODEL_SUFFIXES or os.path.isdir(name):
        return True
    short = {known.rpartition("/")[2] for known in scenarios()}
    if name in short or name in scenarios() or suffix in _SCENARIO_SUFFIXES or os.path.exists(name):
        return False
    hint = best_matches(name, [*models(), *(scenarios() if "/" in name else short)])
    raise ScenarioError(f"no model, scenario or file is called {name!r}{hint} (try 'myelode list')")


def describe_model(model: Model) -> dict[str, Any]:
    """Everything that a model consists of."""
    claims = read_claims(model.folder) if model.folder else []
    regimens = read_regimens(model.folder) if model.folder else {}
    return {
        "name": model.name,
        "title": model.title,
        "variant": model.variant,
        "variants": list(read_variants(model.folder)) if model.folder else [],
        "path": str(model.path),
        "time_unit": model.time_unit,
        "species": [_species(model, name) for name in model.species()],
        "parameters": _parameters(model, model.parameters.values()),
        "reactions": [
            {"name": name, "equation": model.entities[name].equation} for name in model.reactions()
        ],
        "compounds": [_compound(model, item) for item in model.compounds.items.values()],
        "doses": {name: list(shares) for name, shares in model.compounds.doses.items()},
        "regimens": [_regimen(item) for item in regimens.values()],
        "perturbations": [_changes(item) for item in perturbations(model).values()],
        "cell_lines": [_changes(item) for item in cell_lines(model).values()],
        "claims": [claim.as_data() for claim in claims],
        "trials": [number.as_data() for number in read_trials(model.folder)],
        "regulatory": _regulatory(model),
        "warnings": list(model.warnings),
    }


def _regulatory(model: Model) -> list[dict[str, str | None]]:
    """What is recorded on the compounds that a clinical variant can use; none of another."""
    known = [item.name for item in model.compounds.items.values() if _is_usable(model, item)]
    return statements_on(model, known) if model.clinical else []


def _is_usable(model: Model, compound: Compound) -> bool:
    in_variant = not compound.variants or model.variant in compound.variants
    return in_variant and not compound.refused


def _species(model: Model, name: str) -> dict[str, Any]:
    entity = model.entities[name]
    return {
        "name": name,
        "title": model.label_of(name),
        "compartment": entity.compartment,
        "value": entity.value,
        "unit": entity.unit,
    }


def describe_compound(model: Model, name: str) -> dict[str, Any]:
    """A compound by name or alias, with its numbers; raises ScenarioError where it is refused."""
    return _compound(model, model.compounds.find(name, model.variant))


def _compound(model: Model, compound: Compound) -> dict[str, Any]:
    """A compound, and every number of it that the variant has."""
    rows = model.compounds.rows(compound.name)
    return {
        "name": compound.name, "title": compound.title, "kind": compound.kind,
        "aliases": list(compound.aliases), "like": compound.like, "note": compound.note,
        "usable": _is_usable(model, compound), "refused": compound.refused,
        "variants": list(compound.variants), "default": compound.name == model.compounds.default,
        "parameters": _parameters(model, rows.values()) if rows else [],
    }  # fmt: skip


def _regimen(regimen: NamedRegimen) -> dict[str, Any]:
    """A named regimen, with its steps as they are written."""
    data = {key: value for key, value in asdict(regimen).items() if key != "where"}
    return {**data, "variants": list(regimen.variants), "steps": list(regimen.steps)}


def _parameters(model: Model, rows: Collection[Parameter]) -> list[dict[str, Any]]:
    """Rows of a table; for a model without one, its constants as they stand."""
    if rows:
        return [
            {
                "name": row.name, "value": row.value, "unit": row.unit, "meaning": row.meaning,
                "distribution": row.uncertainty, "between_patients": row.between_patients,
                "between_lines": row.between_lines, "range": [row.low, row.high],
                "evidence": row.evidence, "read": row.read, "source": row.source, "note": row.note,
            }
            for row in rows
        ]  # fmt: skip
    constants = [model.entities[name] for name in model.constants()]
    return [
        {
            "name": item.id, "value": item.value, "unit": item.unit, "meaning": item.label,
            "distribution": None, "evidence": None, "source": None,
        }
        for item in constants
    ]  # fmt: skip


def _changes(perturbation: Perturbation) -> dict[str, Any]:
    return {
        "name": perturbation.name,
        "title": perturbation.title,
        "set": dict(perturbation.set),
        "scale": dict(perturbation.scale),
        "evidence": perturbation.evidence,
        "source": perturbation.source,
    }


def describe_scenario(scenario: Scenario, model: Model) -> dict[str, Any]:
    """What a scenario says, and what the model below it consists of, with its first compound."""
    below = describe_model(model)
    drug = next(iter(read_drugs(scenario, model, Overrides()).values()))
    below["parameters"] = _parameters(model, drug.rows.values())
    said = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    kept = ("species", "parameters", "reactions", "claims", "trials", "regulatory", "warnings")
    return {"name": scenario.id, **said, **{key: below[key] for key in kept}}


def effective_values(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """The values of each perturbation that differ from the model, and who set them, in order.

    Of each ``perturbation, compound`` where the scenario lists compounds, and of each
    ``perturbation, arm`` where every arm has a compound of its own. Where a design varies
    values, they are those of its first point.
    """
    plan = plan_scenario(scenario)
    shown = ("perturbation", "compound", *(("arm",) if plan.arm_drugs else ()))
    first: dict[str, Effective] = {}
    for planned in plan.runs:
        places = zip(plan.axes, planned.place, strict=True)
        names = [a.values[at] for a, at in places if a.name in shown]
        first.setdefault(", ".join(names), planned.effective)
    return {name: _effective(plan.model, effective) for name, effective in first.items()}


def _effective(model: Model, effective: Effective) -> list[dict[str, Any]]:
    return [
        {
            "name": changed,
            "value": value,
            "unit": model.entity(changed).unit,
            "model": model.entity(changed).value,
            "set_by": list(effective.origins.get(changed, ())),
        }
        for changed, value in effective.changes.items()
    ]
