"""`dose-response` and `cross-resistance`: curves of a scenario, and folds of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.console import (
    JsonOption,
    SettingsOption,
    console,
    print_all,
    print_json,
    progress,
    require_writable,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from myelode.scenario import Scenario
    from myelode.user_data.readings import Readings

OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write all numbers (netCDF)."),
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw the figure (png, svg, pdf).")
]
DrawsOption = Annotated[
    int | None,
    typer.Option(
        "--uncertainty", metavar="N", min=1,
        help="Draw the uncertain numbers N times; folds get intervals.",
    ),
]  # fmt: skip
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of the draws.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Show these readings (csv) in the figure."),
]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="auto, roadrunner, ensemble or scipy.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
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
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A shipped name or a file.")],
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

    _require_files(output, plot)
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

    if plot is not None:
        _draw(dose_response_figure(curves, readings), plot)
    _keep(curves, output)
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

    _require_files(output, plot)
    with progress(f"titrating the drugs of {model}", not quiet) as show:
        table = cross_resistance(
            model, read, _listed(perturbations), _listed(compounds), points, uncertainty or 0, seed,
            engine, show,
        )  # fmt: skip
    from myelode.cli.curves import matrix_tables, summarise_matrix
    from myelode.figures.heat_maps import heat_map_figure

    if plot is not None:
        _draw(heat_map_figure(table), plot)
    _keep(table, output)
    if as_json:
        print_json(summarise_matrix(table))
    elif not quiet:
        print_all(matrix_tables(table, console().width))


def _require_files(output: Path | None, plot: Path | None) -> None:
    """Refuse what cannot be written before the work is done."""
    require_writable(output, plot)
    if plot is not None:
        from myelode.figures import require_figure_name

        require_figure_name(plot)


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


def _draw(figure: Figure, path: Path) -> None:
    from myelode.figures import write_figure

    write_figure(figure, path)


def _keep(data: xr.Dataset, path: Path | None) -> None:
    if path is not None:
        from myelode.results import write_result

        write_result(data, path)


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
