"""`why`: which of the values that differ explains a gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import closing_lines, print_summary, require_files, write_files
from myelode.cli.console import console, progress
from myelode.cli.options import (
    ArmOption,
    CompoundOption,
    EngineOption,
    JsonOption,
    OutputOption,
    PerturbationOption,
    PlotOption,
    QuietOption,
    ScenarioArgument,
    SettingsOption,
)

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import RenderableType

_SIDE = "A perturbation (a + b too), arm, compound, cell line, or setting such as k=0.1."


def why_command(
    scenario: ScenarioArgument,
    from_: Annotated[str, typer.Option("--from", metavar="A", help=_SIDE)],
    to: Annotated[str, typer.Option("--to", metavar="B", help="What it is compared with.")],
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="NAME", help="The endpoint that differs.")
    ],
    arm: ArmOption = None,
    compound: CompoundOption = None,
    perturbation: PerturbationOption = None,
    scale: Annotated[
        str,
        typer.Option(
            "--scale",
            metavar="NAME",
            help="auto (log for ic50 and ec50), linear, log, "
            "or inverse, where never reached counts as 0.",
        ),
    ] = "auto",
    orders: Annotated[
        int,
        typer.Option("--orders", metavar="N", help="Orders sampled for more than 10 parameters."),
    ] = 64,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Random seed of these.")] = 1,
    settings: SettingsOption = None,
    engine: EngineOption = "auto",
    output: OutputOption = None,
    plot: PlotOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say which of the values that differ between A and B explains the gap in an endpoint.

    Every combination of the values of both sides is run; a parameter's share is its Shapley value:
    what it adds on average over all orders in which the values can be exchanged.
    """
    from myelode.attribution.explanation import why
    from myelode.figures.waterfall import draw_waterfall
    from myelode.scenario import load_scenario

    require_files(output, plot)
    loaded = load_scenario(scenario, settings or [])
    with progress(f"exchanging values in {loaded.id}", not quiet) as show:
        found = why(
            loaded, from_, to, endpoint, arm, compound, perturbation, scale, orders, seed, engine,
            progress=show,
        )  # fmt: skip
    summary = _why_summary(found) | {"files": write_files(found, output, plot, draw_waterfall)}
    print_summary(summary, _why_report(summary), quiet, as_json)


def _why_summary(found: xr.Dataset) -> dict[str, Any]:
    """What `why` says, as plain data."""
    from myelode.attribution.words import sentences

    attrs = found.attrs
    said = ("scenario", "from", "to", "endpoint", "scale", "scale_definition", "method", "runs",
            "orders", "seed", "engine", "evidence", "assumed_share", "notice")  # fmt: skip
    names = [str(name) for name in found["parameter"].values]
    by_name = {
        key: dict(zip(names, found[key].values.tolist(), strict=True))
        for key in ("shapley", "standard_error", "alone", "last", "title", "from", "to")
    }
    return {
        **{key: attrs[key] for key in said if key in attrs},
        "unit": found["value_from"].attrs["units"],
        **{key: float(found[key]) for key in ("value_from", "value_to", "gap")},
        "shapley": by_name["shapley"],
        "standard_error": by_name["standard_error"],
        "interaction": float(found["interaction"]),
        "interaction_back": float(found["interaction_back"]),
        "parameters": {
            name: {key: by_name[key][name] for key in ("title", "from", "to", "alone", "last")}
            for name in names
        },
        "definitions": {key: found[key].attrs["long_name"] for key in ("shapley", "alone", "last",
                        "interaction", "interaction_back")},
        "text": list(sentences(found)),
    }  # fmt: skip


def _why_report(summary: dict[str, Any]) -> Iterator[RenderableType]:
    from myelode.cli.tables import Column, printable, tables, texts

    def column(header: str, shares: Iterator[float]) -> Column:
        return Column(
            header, tuple(f"{round(100 * share, 1) + 0.0:.1f}" for share in shares), is_number=True
        )

    items = summary["parameters"]
    columns = [
        texts("parameter", items),
        column("share\n(%)", iter(summary["shapley"].values())),
        column("alone\n(%)", (item["alone"] for item in items.values())),
        column("last\n(%)", (item["last"] for item in items.values())),
        texts(summary["from"], (item["from"] for item in items.values())),
        texts(summary["to"], (item["to"] for item in items.values())),
    ]
    yield from map(printable, summary["text"])
    yield from tables(f"Shares of the gap in {summary['endpoint']}", columns, console().width)
    yield "alone: changed alone from the first side; last: changed back alone from the second."
    yield f"{summary['runs']} runs ({summary['engine']})."
    yield from closing_lines(summary)


COMMANDS = (
    (
        "why",
        why_command,
        "myelode why ic50_melflufen_pulse --from none --to lr5_like --endpoint ic50 --plot why.png",
    ),
)
