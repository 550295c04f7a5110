"""`list` and `show`: what there is, and what it consists of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.console import console, print_all, print_json
from myelode.cli.options import JsonOption, NameArgument

if TYPE_CHECKING:
    from rich.console import RenderableType

    from myelode.model import Model
    from myelode.scenario import Scenario


def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="models, scenarios, perturbations, compounds, sweeps, populations or panels.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is shipped; without KIND, everything."""
    from myelode.descriptions import KINDS, list_items

    found = {name: list_items(name) for name in ([kind] if kind else KINDS)}
    if as_json:
        print_json(found)
        return
    from myelode.cli.tables import tables, texts

    for name, items in found.items():
        columns = [texts(key, (item[key] for item in items)) for key in ("name", "title", "model")]
        if items:
            print_all(tables(name, columns, console().width))
        elif kind:
            print_all([f"There are no {name} yet."])


def show_command(
    name: NameArgument,
    variant: Annotated[
        str | None, typer.Option("--variant", metavar="NAME", help="Structural form of a model.")
    ] = None,
    equations: Annotated[
        bool, typer.Option("--equations", help="The differential equations.")
    ] = False,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="Every number, its evidence and its source.")
    ] = False,
    claims: Annotated[
        bool, typer.Option("--claims", help="What the source documents say, and our verdict.")
    ] = False,
    trials: Annotated[
        bool, typer.Option("--trials", help="What clinical trials published, arm by arm.")
    ] = False,
    effective: Annotated[
        bool, typer.Option("--effective", help="The values of each perturbation, and who set them.")
    ] = False,
    compound: Annotated[
        str | None, typer.Option("--compound", metavar="NAME", help="The numbers of a compound.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a model or scenario consists of."""
    from myelode.descriptions import is_model

    wanted = {
        "equations": equations,
        "parameters": parameters,
        "claims": claims,
        "trials": trials,
        "effective": effective,
    }
    model, scenario = (_model(name, variant), None) if is_model(name) else _scenario(name, variant)
    data = _of_compound(model, compound) if compound else _described(model, scenario, wanted)
    if as_json:
        print_json(data)
    elif compound:
        from myelode.cli.pages import parameter_tables

        print_all(parameter_tables(data, console().width, data["title"]))
    else:
        print_all(_pages(data, wanted, scenario is not None, console().width))


def _model(name: str, variant: str | None) -> Model:
    from myelode.model import load_model

    return load_model(name, variant)


def _scenario(name: str, variant: str | None) -> tuple[Model, Scenario]:
    from myelode.errors import ScenarioError
    from myelode.scenario import load_scenario
    from myelode.subjects import model_of

    if variant is not None:
        raise ScenarioError("--variant goes with a model: a scenario names its own")
    scenario = load_scenario(name)
    return model_of(scenario), scenario


def _described(model: Model, scenario: Scenario | None, wanted: dict[str, bool]) -> dict[str, Any]:
    from myelode.descriptions import describe_model, describe_scenario, effective_values
    from myelode.errors import ScenarioError

    data = describe_scenario(scenario, model) if scenario else describe_model(model)
    if wanted["equations"]:
        from myelode.equations import derive

        derived = derive(model.sbml)
        data |= {"equations": derived.text(), "latex": derived.latex()}
    if wanted["effective"]:
        if scenario is None:
            raise ScenarioError("--effective goes with a scenario: a model has no perturbation")
        data["effective"] = effective_values(scenario)
    return data


def _of_compound(model: Model, name: str) -> dict[str, Any]:
    """A compound, by name or alias; one that no scenario may use says why."""
    from myelode.descriptions import describe_compound

    return describe_compound(model, name)


def _pages(
    data: dict[str, Any], wanted: dict[str, bool], is_scenario: bool, width: int
) -> Iterator[RenderableType]:
    """The parts that were asked for, or a summary where none was."""
    from myelode.cli import pages
    from myelode.cli.beside import trial_tables

    yield data["title"]
    if not any(wanted.values()):
        yield from (pages.scenario_summary if is_scenario else pages.model_summary)(data, width)
    if wanted["parameters"]:
        yield from pages.parameter_tables(data, width)
    if wanted["claims"]:
        yield from pages.claim_texts(data)
    if wanted["trials"]:
        yield from trial_tables(data, width)
    if wanted["effective"]:
        yield from pages.effective_tables(data, width)
    if wanted["equations"]:
        yield str(data["equations"])
    yield from (f"warning: {text}" for text in data["warnings"])


COMMANDS = (
    ("list", list_command, "myelode list scenarios"),
    ("show", show_command, "myelode show melflufen --parameters"),
)
