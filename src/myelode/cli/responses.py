"""`dose-response` and `cross-resistance`: curves of a scenario, and folds of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import require_files, write_files
from myelode.cli.console import console, print_all, print_json, progress
from myelode.cli.options import (
    DataOption,
    DrawsOption,
    EngineOption,
    JsonOption,
    OutputOption,
    PlotOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SettingsOption,
)

if TYPE_CHECKING:
    from myelode.scenario import Scenario
    from myelode.user_data.readings import Readings

OfOption = Annotated[
    str | None,
    typer.Option("--of", metavar="NAME", help="The endpoint or output that is the response."),
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="When the response is read.")
]
TakeOption = Annotated[
    str | None,
    typer.Option("--take", metavar="TAKE", help="value, max, min, auc or mean of the output."),
]
DoseOption = Annotated[
    str | None,
    typer.Option("--dose", metavar="LABEL", help="The labelled dose or value to titrate."),
]
LowOption = Annotated[
    str | None, typer.Option("--from", metavar="DOSE", help="The lowest dose besides zero.")
]
HighOption = Annotated[str | None, typer.Option("--to", metavar="DOSE", help="The highest dose.")]
PointsOption = Annotated[
    int | None, typer.Option("--points", metavar="N", help="How many doses besides zero.")
]
PerturbationOption = Annotated[
    list[str] | None,
    typer.Option("--perturbation", metavar="NAME", help="One beside the reference; repeat."),
]
FitOption = Annotated[bool, typer.Option("--fit", help="Fit a Hill curve to each as well.")]


def dose_response_command(
    scenario: ScenarioArgument,
    of: OfOption = None,
    at: AtOption = None,
    take: TakeOption = None,
    dose: DoseOption = None,
    low: LowOption = None,
    high: HighOption = None,
    points: PointsOption = None,
    perturbations: PerturbationOption = None,
    settings: SettingsOption = None,
    uncertainty: DrawsOption = None,
    seed: SeedOption = 1,
    fit: FitOption = False,
    engine: EngineOption = "auto",
    output: OutputOption = None,
    plot: PlotOption = None,
    data: DataOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Titrate a scenario: curves, half doses, steepness, GR metrics, and folds to the reference.

    Without a ladder in the scenario 25 doses go from a thousandth to a thousand times its own dose.
    """
    from myelode.responses.dose_responses import dose_response
    from myelode.scenario import load_scenario

    require_files(output, plot)
    chosen = load_scenario(scenario, settings or [])
    asked = (dose, low, high, points), (of, at, take), perturbations or None
    readings = _readings(chosen, data, plot, asked) if data is not None else None
    with progress(f"titrating {chosen.id}", not quiet) as show:
        curves = dose_response(
            chosen, of, at, take, dose, low, high, points, perturbations or None,
            uncertainty or 0,
            seed, fit, engine, progress=show,
        )  # fmt: skip
    from myelode.cli.curves import curve_tables, summarise_curves
    from myelode.figures.dose_responses import dose_response_figure

    write_files(curves, output, plot, lambda found: dose_response_figure(found, readings))
    if as_json:
        print_json(summarise_curves(curves))
    elif not quiet:
        print_all(curve_tables(curves, console().width))


def cross_resistance_command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped model or a folder, or all.")
    ],
    read: Annotated[
        str | None, typer.Option("--read", metavar="TIME", help="When the response is read.")
    ] = None,
    perturbations: Annotated[
        str | None, typer.Option("--perturbations", metavar="A,B", help="The rows.")
    ] = None,
    compounds: Annotated[
        str | None, typer.Option("--compounds", metavar="A,B", help="The columns.")
    ] = None,
    points: PointsOption = None,
    uncertainty: DrawsOption = None,
    seed: SeedOption = 1,
    engine: EngineOption = "auto",
    output: OutputOption = None,
    plot: PlotOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """How far each change in the cell shifts the half dose of each drug of a model, or of all.

    The model's cross_resistance.yaml says which scenario, changes, drugs and doses.
    """
    from myelode.responses.matrices import cross_resistance

    require_files(output, plot)
    with progress(f"titrating the drugs of {model}", not quiet) as show:
        table = cross_resistance(
            model, read, _listed(perturbations), _listed(compounds), points, uncertainty or 0, seed,
            engine, show,
        )  # fmt: skip
    from myelode.cli.curves import matrix_tables, summarise_matrix
    from myelode.figures.heat_maps import heat_map_figure

    write_files(table, output, plot, heat_map_figure)
    if as_json:
        print_json(summarise_matrix(table))
    elif not quiet:
        print_all(matrix_tables(table, console().width))


def _readings(scenario: Scenario, data: Path, plot: Path | None, asked: Any) -> Readings:
    """The readings of a titration; `asked` are its ladder, what it reads, and perturbations."""
    from myelode.errors import ScenarioError
    from myelode.responses.dose_responses import prepare
    from myelode.responses.ladders import Asked
    from myelode.user_data.readings import read_readings

    if plot is None:
        raise ScenarioError("--data shows readings in a figure: give --plot FILE")
    ladder, what, perturbations = asked
    titration, model, _ = prepare(scenario, Asked(*ladder), what, perturbations)
    return read_readings(data, titration, model)


def _listed(text: str | None) -> list[str] | None:
    """Names between commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


COMMANDS = (
    (
        "dose-response",
        dose_response_command,
        "myelode dose-response viability_72h --perturbation mdr1 --plot curves.png",
    ),
    (
        "cross-resistance",
        cross_resistance_command,
        "myelode cross-resistance melflufen --plot folds.png",
    ),
)
