"""Which scenario a cross-resistance matrix is computed with: `cross_resistance.yaml` of a model.

The file names the scenario that titrates the drugs of the model, the perturbations that are the
rows, the compounds that are the columns, and the ladder. Drugs are the compounds of the scenario,
or its arms where it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.faults import first_fault
from myelode.files import YamlFile, read_yaml
from myelode.library import beside, data_root, find_model
from myelode.regimens.steps import STRICT, Quantity
from myelode.responses.ladders import Asked, with_perturbations
from myelode.scenario import Scenario, load_scenario

FILE = "cross_resistance.yaml"


class Range(BaseModel):
    """The ends of a ladder, and how many doses it has."""

    model_config = STRICT

    from_: Annotated[Quantity, Field(alias="from")]
    to: Quantity
    points: Annotated[int, Field(ge=3)]


class Template(BaseModel):
    """What a model declares of its cross-resistance matrix."""

    model_config = STRICT

    scenario: str
    of: str | None = None
    perturbations: Annotated[list[str], Field(min_length=1)]
    compounds: Annotated[list[str] | None, Field(min_length=1)] = None
    ladder: Range | None = None


def read_template(name_or_path: str | Path) -> tuple[Template, Scenario]:
    """What the model of that name or path declares, and the scenario that it names.

    Raises ModelError where the model declares nothing, or what it declares has a fault.
    """
    folder = find_model(name_or_path)
    path = folder / FILE
    if not path.is_file():
        raise ModelError(
            f"model {folder.name} has no {FILE}: it says which scenario titrates drugs"
        )
    file = read_yaml(path, ModelError)
    template = validated(file, Template)
    return template, load_scenario(beside(file.where, template.scenario))


def validated(file: YamlFile, kind: type[Any]) -> Any:
    """The content of a file as a model of its parts, or a ModelError with line and key."""
    try:
        return kind.model_validate(file.data)
    except ValidationError as error:
        raise ModelError(first_fault(file, error, lambda _: kind)) from None


def matrix_scenario(
    template: Template,
    scenario: Scenario,
    perturbations: Sequence[str] | None,
    compounds: Sequence[str] | None,
) -> Scenario:
    """The scenario with the rows and columns of a matrix.

    Raises ScenarioError for a compound that the scenario does not titrate.
    """
    chosen = compounds if compounds is not None else template.compounds
    rows = with_perturbations(scenario, perturbations or template.perturbations)
    if chosen is None:
        return rows
    known = list(scenario.compounds or scenario.arms or [])
    for name in chosen:
        if name not in known:
            said = f"{scenario.id} titrates no compound {name!r}{best_matches(name, known)}"
            raise ScenarioError(f"{said}; it has {', '.join(known) or 'one only'}")
    if scenario.compounds is not None:
        return rows.model_copy(update={"compounds": list(chosen)})
    arms = scenario.arms or {}
    return rows.model_copy(update={"arms": {name: arms[name] for name in chosen}})


def asked_ladder(template: Template, points: int | None) -> Asked:
    """The ladder of a matrix, with another number of doses where one is asked for."""
    if template.ladder is None:
        return Asked(points=points)
    found = template.ladder
    return Asked(None, found.from_, found.to, points or found.points)


def shared_file() -> Path:
    """The file that maps changes across the shipped models."""
    return data_root() / "models" / FILE
