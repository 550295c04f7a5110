"""`sensitivity`: which parameters of a sweep move its endpoints, and how far."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import closing_lines, print_summary, require_files, write_files
from myelode.cli.console import console, progress
from myelode.cli.options import JsonOption, OutputOption, PlotOption, QuietOption

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import RenderableType

MOST_ROWS = 30
_SAID = (
    "sweep", "title", "scenario", "model", "variant", "method", "method_title", "design", "points",
    "failed", "step", "confidence", "engine", "notice",
)  # fmt: skip
_INTERVALS = {"S1": "S1_conf", "ST": "ST_conf", "mu_star": "mu_star_conf"}


def sensitivity_command(
    file: Annotated[
        str, typer.Argument(metavar="FILE|STORE", help="A sweep, or the store of a finished one.")
    ],
    of: Annotated[
        str | None, typer.Option("--of", metavar="ENDPOINT", help="Of this endpoint only.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="elasticities, morris, sobol, pawn or rbd; the first that fits the design.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Compute with N at once.")
    ] = 1,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="STORE", help="Keep the points there, to be resumed."),
    ] = None,
    output: OutputOption = None,
    plot: PlotOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say how far each parameter of a sweep moves its endpoints.

    The design of the sweep decides how: elasticities are local slopes, morris screens many
    parameters, saltelli gives shares of the variance (Sobol's indices), and from any random points
    come PAWN or RBD-FAST.
    """
    from myelode.cli.sweep_reports import warn
    from myelode.figures.tornado import draw_tornado
    from myelode.sensitivities.analysis import sensitivity

    require_files(output, plot)
    with progress(f"running {file}", not quiet) as show:
        told = None if quiet else warn
        found = sensitivity(file, of, method, workers, store, progress=show, warn=told)
    summary = _summary(found) | {"files": write_files(found, output, plot, draw_tornado)}
    print_summary(summary, _report(summary), quiet, as_json)


def _summary(found: xr.Dataset) -> dict[str, Any]:
    """What `sensitivity` found, as plain data; parameters from the largest to the smallest."""
    attrs = found.attrs
    endpoints = {
        str(found["endpoint"].values[at]): _endpoint(found.isel(endpoint=at))
        for at in range(found.sizes["endpoint"])
    }
    first = next(iter(endpoints))
    texts = {key: found[f"parameter_{key}"].values for key in ("title", "unit")}
    return {
        **{key: attrs[key] for key in _SAID if key in attrs},
        "endpoint": first,
        "indices": endpoints[first]["indices"],
        "endpoints": endpoints,
        "parameters": {
            str(name): {key: str(texts[key][at]) for key in texts}
            for at, name in enumerate(found["parameter"].values)
        },
        "definitions": {n: v.attrs["long_name"] for n, v in found.data_vars.items()},
        "notes": [note for note in str(attrs.get("notes", "")).split("\n") if note],
    }


def _endpoint(item: xr.Dataset) -> dict[str, Any]:
    """The indices of one entry of an endpoint."""
    from myelode.sensitivities.methods import METHODS
    from myelode.sensitivities.tables import sorted_by_size

    order = sorted_by_size(item[METHODS[item.attrs["method"]].main])
    here = item.isel(parameter=order)
    single = [str(name) for name, values in here.data_vars.items() if values.dims == ("parameter",)]
    names = [str(name) for name in here["parameter"].values]
    found = {
        "title": str(item["endpoint_title"].item()),
        "unit": str(item["endpoint_unit"].item()),
        "used": int(item["used"]),
        "indices": {
            name: {index: float(here[index].values[at]) for index in single}
            for at, name in enumerate(names)
        },
    }
    return found | ({"pairs": _pairs(here)} if "S2" in here else {})


def _pairs(here: xr.Dataset) -> list[dict[str, Any]]:
    """Indices of second order, the largest first."""
    names = [str(name) for name in here["parameter"].values]
    found = [
        {
            "parameters": [name, other],
            **{key: float(here[key].sel(parameter=name, other=other)) for key in ("S2", "S2_conf")},
        }
        for at, name in enumerate(names)
        for other in names[at + 1 :]
    ]
    return sorted(found, key=lambda pair: -abs(pair["S2"]))


def _report(summary: dict[str, Any]) -> Iterator[RenderableType]:
    from myelode.cli.tables import printable

    lost = f", {summary['failed']} of them failed" if summary["failed"] else ""
    yield printable(f"{summary['title']} ({summary['points']} points{lost})")
    if summary["method"] == "elasticities":
        yield from _tornado(summary)
    else:
        for label, entry in summary["endpoints"].items():
            yield from _table(summary, label, entry)
    yield from _meanings(summary)
    yield from (printable(f"{note}.") for note in summary["notes"])
    yield from closing_lines(summary)


def _tornado(summary: dict[str, Any]) -> Iterator[RenderableType]:
    """All endpoints beside each other."""
    from myelode.cli.tables import Column, tables, texts

    names = list(summary["parameters"])[:MOST_ROWS]
    columns = [texts("parameter", names)]
    for label, entry in summary["endpoints"].items():
        cells = (entry["indices"][name]["elasticity"] for name in names)
        columns.append(Column(label, tuple(map(_signed, cells)), is_number=True))
    yield from tables("Elasticities", columns, console().width)
    yield from _rest(len(summary["parameters"]))


def _table(summary: dict[str, Any], label: str, entry: dict[str, Any]) -> Iterator[RenderableType]:
    """One endpoint: its indices beside each other."""
    from myelode.cli.tables import Column, tables, texts

    rows = dict(list(entry["indices"].items())[:MOST_ROWS])
    shown = [key for key in next(iter(rows.values())) if key not in _INTERVALS.values()]
    columns = [texts("parameter", rows)]
    for key in shown:
        cells = tuple(_cell(row, key) for row in rows.values())
        columns.append(Column(key, cells, is_number=True))
    has_unit = summary["method"] == "morris" and entry["unit"] not in ("", "dimensionless")
    unit = f" ({entry['unit']})" if has_unit else ""
    used = "" if entry["used"] == summary["points"] else f", from {entry['used']} points"
    title = f"{summary['method_title']} of {label}{unit}{used}"
    yield from tables(title, columns, console().width)
    yield from _rest(len(entry["indices"]))
    if largest := entry.get("pairs", [])[:MOST_ROWS]:
        pairs = [" x ".join(pair["parameters"]) for pair in largest]
        cells = tuple(_between(pair["S2"], pair["S2_conf"]) for pair in largest)
        columns = [texts("pair", pairs), Column("S2", cells, is_number=True)]
        yield from tables(f"Pairs of {label}", columns, console().width)


def _rest(many: int) -> Iterator[str]:
    if many > MOST_ROWS:
        yield f"The other {many - MOST_ROWS} parameters weigh less; --json and -o have all."


def _cell(row: dict[str, float], key: str) -> str:
    if key in _INTERVALS and _INTERVALS[key] in row:
        return _between(row[key], row[_INTERVALS[key]])
    return _short(row[key])


def _between(value: float, half: float) -> str:
    """A number and the half width of its interval."""
    return _short(value) + ("" if math.isnan(value) else f" +- {_short(half)}")


def _short(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{round(value, 2) + 0.0:.2f}"


def _meanings(summary: dict[str, Any]) -> Iterator[str]:
    """What the columns are."""
    entry = next(iter(summary["endpoints"].values()))
    shown = [key for key in next(iter(entry["indices"].values())) if not key.endswith("_conf")]
    told = [key for key in shown if key != "bend"]
    for key in [*told, *(["S2"] if "pairs" in entry else [])]:
        yield f"{key}: {summary['definitions'][key]}."
    if "confidence" in summary:
        yield f"+-: half width of the {summary['confidence']:.0%} interval, from resamples."


Command = tuple[str, Callable[..., None], str]
COMMANDS: tuple[Command, ...] = (
    (
        "sensitivity",
        sensitivity_command,
        "myelode sensitivity melflufen_elasticities --plot tornado.png",
    ),
)
