"""`sweep export|show`: the points of a store as a file for other programs, or as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import print_summary
from myelode.cli.options import JsonOption, QuietOption, listed
from myelode.cli.sweeps import SweepArgument, opened

if TYPE_CHECKING:
    from myelode.sweeps.stores.store import Store


def export_command(
    sweep: SweepArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A .nc, .parquet or .csv file.")
    ],
    endpoints: Annotated[
        str | None, typer.Option("--endpoints", metavar="A,B", help="These endpoints only.")
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the points of a store as one file: .nc has everything, .parquet and .csv endpoints."""
    from myelode.cli.console import progress, require_writable
    from myelode.cli.sweep_reports import report_store
    from myelode.sweeps.exports import export_store, require_export_name

    require_export_name(output)
    require_writable(output)
    found, _ = opened(sweep)
    with progress(f"writing {output}", not quiet) as show:
        export_store(found, output, listed(endpoints), show)
    summary = _summary(found, "export", output)
    print_summary(summary, report_store(summary), quiet, as_json)


def show_command(
    sweep: SweepArgument,
    output: Annotated[
        Path, typer.Option("-o", "--plot", metavar="FILE", help="The figure (png, svg, pdf).")
    ],
    of: Annotated[
        str | None,
        typer.Option("--of", metavar="ENDPOINT", help="That of the outcome without, or the first."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="AXIS[,AXIS]", help="Over these axes of the sweep."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="heat-map, slices or scatter."),
    ] = None,
    perturbation: Annotated[
        str | None, typer.Option("--perturbation", metavar="A,B", help="In these only.")
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw one endpoint of a store: a map over two axes, slices along one, or points over all.

    What fits the design is drawn where no kind is named. Failed and missing points are marked.
    """
    from myelode.cli.answers import require_files
    from myelode.cli.sweep_reports import report_store
    from myelode.figures import write_figure
    from myelode.figures.sweeps import sweep_figure

    require_files(None, output)
    found, _ = opened(sweep)
    figure = sweep_figure(found, of, listed(against), kind, listed(perturbation))
    write_figure(figure, output)
    summary = _summary(found, "plot", output)
    print_summary(summary, report_store(summary), quiet, as_json)


def _summary(store: Store, kind: str, file: Path) -> dict[str, Any]:
    """What has become of the points, and which file was written."""
    from myelode.cli.sweep_reports import summarise_store

    summary = summarise_store(store)
    return summary | {"files": {**summary["files"], kind: str(file)}}


COMMANDS = (
    ("export", export_command, "myelode sweep export my_sweep.zarr -o my_sweep.nc"),
    ("show", show_command, "myelode sweep show my_sweep.zarr --of ic50 --plot my_sweep.png"),
)
