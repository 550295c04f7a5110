"""`fluxes`: which reaction carries how much of what a species gains and loses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import closing_lines, print_summary, require_files, write_files
from myelode.cli.console import console
from myelode.cli.options import (
    ArmOption,
    CompoundOption,
    EngineOption,
    JsonOption,
    NameArgument,
    OutputOption,
    PerturbationOption,
    PlotOption,
    QuietOption,
    SettingsOption,
)

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import RenderableType

    from myelode.model import Model
    from myelode.scenario import Scenario


def fluxes_command(
    source: NameArgument,
    of: Annotated[str, typer.Option("--of", metavar="SPECIES", help="What is made and removed.")],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When, such as '3 h' or 'wash + 1 h'.")
    ],
    arm: ArmOption = None,
    compound: CompoundOption = None,
    perturbation: PerturbationOption = None,
    settings: SettingsOption = None,
    engine: EngineOption = "auto",
    output: OutputOption = None,
    plot: PlotOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what fraction of a species' production and loss each reaction carries at one moment."""
    from myelode.figures.flux_bars import draw_fluxes
    from myelode.flux_shares import fluxes

    require_files(output, plot)
    found = fluxes(
        _source(source, settings or []), of, at, perturbation, arm, compound, engine=engine
    )
    summary = _flux_summary(found) | {"files": write_files(found, output, plot, draw_fluxes)}
    print_summary(summary, _flux_report(summary), quiet, as_json)


def _source(name: str, settings: list[str]) -> Scenario | Model:
    """The model or the scenario of that name."""
    from myelode.descriptions import is_model
    from myelode.errors import ScenarioError
    from myelode.model import load_model
    from myelode.scenario import load_scenario

    if not is_model(name):
        return load_scenario(name, settings)
    if settings:
        raise ScenarioError("--set goes with a scenario, and not with a model")
    return load_model(name)


def _flux_summary(found: xr.Dataset) -> dict[str, Any]:
    """What `fluxes` says, as plain data."""
    from myelode.flux_shares import sentences

    attrs = found.attrs
    said = ("scenario", "model", "arm", "compound", "species", "at", "time_unit", "counted",
            "notes", "engine", "evidence", "assumed_share", "notice")  # fmt: skip
    points = found if "perturbation" in found.dims else found.expand_dims(perturbation=[""])
    titles = found["reaction_title"].values
    return {
        **{key: attrs[key] for key in said if key in attrs},
        "unit": found["flux"].attrs["units"],
        "reactions": dict(zip(found["reaction"].values, titles, strict=True)),
        "perturbations": {
            str(points["perturbation"].values[at]): _of_one(points.isel(perturbation=at))
            for at in range(points.sizes["perturbation"])
        },
        "text": list(sentences(found)),
    }


def _of_one(point: xr.Dataset) -> dict[str, Any]:
    names = [str(name) for name in point["reaction"].values]
    shares = ("flux", "share_of_production", "share_of_loss")
    return {
        **{key: float(point[key]) for key in ("production", "loss", "net")},
        "reactions": {
            name: {key: float(point[key].values[at]) for key in shares}
            for at, name in enumerate(names)
        },
    }


def _flux_report(summary: dict[str, Any]) -> Iterator[RenderableType]:
    from myelode.cli.tables import Column, printable, tables, texts

    yield from map(printable, summary["text"])
    for name, entry in summary["perturbations"].items():
        rows = {key: item for key, item in entry["reactions"].items() if item["flux"]}
        shares = [
            Column(
                f"share of {side}\n(%)",
                tuple(f"{100 * item[f'share_of_{side}']:.1f}" for item in rows.values()),
                is_number=True,
            )
            for side in ("production", "loss")
            if entry[side]
        ]
        flux = tuple(f"{item['flux']:.4g}" for item in rows.values())
        columns = [
            texts("reaction", (summary["reactions"][key] for key in rows)),
            Column(f"flux\n({summary['unit']})", flux, is_number=True),
            *shares,
        ]
        yield from tables(
            f"{summary['species']}{': ' * bool(name)}{name}", columns, console().width
        )
    yield f"Positive fluxes make it; {summary['counted']}."
    yield from closing_lines(summary)


COMMANDS = (
    (
        "fluxes",
        fluxes_command,
        "myelode fluxes gamma_h2ax_washout --of melphalan_cell --at '3 h' --perturbation none",
    ),
)
