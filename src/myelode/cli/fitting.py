"""`fit`: free values of a model, from measurements and published numbers."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from myelode.cli.answers import print_summary
from myelode.cli.console import console, progress, require_writable
from myelode.cli.options import JsonOption, NameArgument, QuietOption, SettingsOption, listed

if TYPE_CHECKING:
    from myelode.fitting.fits import Fit

ParametersOption = Annotated[
    str | None,
    typer.Option(
        "--parameters",
        metavar="A,B",
        help="Free only these: of the calibration, or for a table of readings.",
    ),
]
ErrorOption = Annotated[
    float,
    typer.Option(
        "--error", metavar="SHARE", help="The error of a reading without sd, as a share of it."
    ),
]
PriorOption = Annotated[
    bool,
    typer.Option("--no-prior", help="Let a table of readings count alone, without priors."),
]
ProfileOption = Annotated[
    bool, typer.Option("--profile", help="Intervals from profiles of the objective; slow.")
]
LineOption = Annotated[
    Path | None,
    typer.Option("--save-line", metavar="FILE", help="Write a cell line of that name (yaml)."),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="FILE", help="Instead of calibration.yaml."),
]
StartsOption = Annotated[
    int | None,
    typer.Option("--starts", metavar="N", help="Begin from N places; the best end counts."),
]


def fit_command(
    target: NameArgument,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="FILE", help="Data (json, csv, tsv); repeat for more."),
    ] = None,
    parameters: ParametersOption = None,
    calibration: CalibrationOption = None,
    starts: StartsOption = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Processes that work at the same time.")
    ] = 1,
    settings: SettingsOption = None,
    error: ErrorOption = 0.1,
    no_prior: PriorOption = False,
    profile: ProfileOption = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write values and errors (tsv)."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw data and model (png, svg, pdf)."),
    ] = None,
    line: LineOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit what calibration.yaml frees to the data that it names.

    A table of readings (see `myelode new data`) needs no calibration: name a scenario, and what is
    free with --parameters.
    """
    from myelode.cli.fits import fit_report, summarise_fit
    from myelode.fitting import fit

    _require_files(output, plot, line)
    began = perf_counter()
    with progress(f"fitting {target}", not quiet) as show:
        found = fit(
            target, data or (), listed(parameters), calibration, starts, workers, show,
            settings or (), error, profile, not no_prior,
        )  # fmt: skip
    summary = summarise_fit(found, perf_counter() - began)
    summary["files"] = _write(found, output, plot, line)
    print_summary(summary, fit_report(summary, console().width), quiet, as_json)


def _require_files(output: Path | None, plot: Path | None, line: Path | None) -> None:
    """Refuse what cannot be written before the work is done."""
    require_writable(output, plot, line)
    if plot is not None:
        from myelode.figures import require_figure_name

        require_figure_name(plot)
    if line is not None:
        from myelode.fitting.saved_lines import require_line_file

        require_line_file(line)


def _write(found: Fit, output: Path | None, plot: Path | None, line: Path | None) -> dict[str, str]:
    """Write each file that was asked for, and name it."""
    from myelode.fitting import write_line, write_table

    if output is not None:
        write_table(found, output)
    if line is not None:
        write_line(found, line)
    if plot is not None:
        from myelode.figures import write_figure
        from myelode.figures.fits import fit_figure

        write_figure(fit_figure(found), plot)
    named = {"table": output, "plot": plot, "line": line}
    return {kind: str(path) for kind, path in named.items() if path is not None}


COMMANDS = (
    ("fit", fit_command, "myelode fit my_model/ --data readings.csv -o my_model/calibration.tsv"),
)
