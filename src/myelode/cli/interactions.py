"""`synergy`: two agents of a scenario, against what was to be expected of each alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import print_summary, require_files, write_files
from myelode.cli.console import console, progress
from myelode.cli.options import (
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
    import xarray as xr
    from rich.console import RenderableType

LEAD = ("perturbation", "compound", "arm")
_SAID = (
    "scenario", "title", "engine", "engine_because", "of", "read_at", "definition", "bracket",
    "ratio", "draws", "runs", "failed_runs", "evidence", "assumed_share", "notice",
)  # fmt: skip
NO_CALL = (
    "Below 1 less is needed together. Synergy is called only where the whole interval (5 to 95 % "
    "of the draws) lies below 1: draw the uncertain numbers with --uncertainty N."
)
LIMIT = (
    "~: one agent alone never has the effect; its term is taken as 0. That is a limit, no index: "
    "any two agents have one below 1 where one is weak."
)


def synergy_command(
    scenario: ScenarioArgument,
    of: Annotated[
        str | None, typer.Option("--of", metavar="NAME", help="An endpoint, or an output.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it is read: '72 h'.")
    ] = None,
    level: Annotated[
        list[float] | None,
        typer.Option("--level", metavar="EFFECT", help="Judge at this effect; repeat for more."),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option("--ratio", metavar="R", help="The second dose over the first in the mixture."),
    ] = None,
    uncertainty: DrawsOption = None,
    seed: SeedOption = 1,
    bracket: Annotated[
        float,
        typer.Option("--bracket", metavar="F", help="Look this far beyond the ends of a ladder."),
    ] = 100.0,
    settings: SettingsOption = None,
    engine: EngineOption = "auto",
    output: OutputOption = None,
    plot: PlotOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Hold two agents against additivity: combination index, Loewe, Bliss and HSA, side by side.

    The scenario has two ladders, design.dose and design.dose2. Doses of equal effect are found on
    the model itself.
    """
    from myelode.figures.isobolograms import draw_synergy
    from myelode.interactions.checkerboards import LEVELS, synergy
    from myelode.scenario import load_scenario

    require_files(output, plot)
    loaded = load_scenario(scenario, settings or [])
    with progress(f"combining agents in {loaded.id}", not quiet) as show:
        found = synergy(
            loaded, of, at, tuple(level or LEVELS), ratio, uncertainty, seed, bracket, engine,
            progress=show,
        )  # fmt: skip
    summary = summarise_synergy(found) | {"files": write_files(found, output, plot, draw_synergy)}
    print_summary(summary, _report(summary), quiet, as_json)


def summarise_synergy(found: xr.Dataset) -> dict[str, Any]:
    """What `synergy` says, as plain data; every index by perturbation, compound and arm."""
    parts = dict(_treatments(found))
    return {
        **{key: found.attrs[key] for key in _SAID},
        "agents": found["agent"].values,
        "doses": found["dose"].values,
        "dose_unit": found["dose"].attrs["units"],
        "doses2": found["dose2"].values,
        "dose2_unit": found["dose2"].attrs["units"],
        "levels": found["level"].values,
        "effect": {name: part["effect"].values for name, part in parts.items()},
        "combination_index": {name: _index(part) for name, part in parts.items()},
        "loewe": {
            name: {"expected": part["loewe_effect"].values, "excess": part["loewe_excess"].values}
            for name, part in parts.items()
        },
        "bliss_excess": {name: part["bliss_excess"].values for name, part in parts.items()},
        "hsa_excess": {name: part["hsa_excess"].values for name, part in parts.items()},
        "undefined": {name: _undefined(part) for name, part in parts.items()},
        "sham_combination_index": _furthest(found["sham_combination_index"].values.ravel()),
        "shams": {name: _shams(part) for name, part in parts.items()},
    }


def _shams(part: xr.Dataset) -> dict[str, float]:
    """The index of each agent with itself."""
    values = part["sham_combination_index"].values
    return dict(zip(map(str, part["agent"].values), map(float, values), strict=True))


def _treatments(found: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Every treatment by its name, with the numbers of the typical draw."""
    typical = found.isel(sample=0) if "sample" in found.dims else found
    axes = [axis for axis in LEAD if axis in found.dims]
    for at in itertools.product(*(range(found.sizes[axis]) for axis in axes)):
        part = typical.isel(dict(zip(axes, at, strict=True)))
        yield ".".join(str(part[axis].item()) for axis in axes), part


def _index(part: xr.Dataset) -> dict[str, Any]:
    """The index of the wells, and of the mixture of fixed ratio at each level."""
    levels = {
        f"{float(here['level']):g}": _level(here)
        for here in (part.isel(level=at, mixture=0) for at in range(part.sizes["level"]))
    }
    return {
        "levels": levels,
        "wells": part["combination_index"].values,
        "limit": part["combination_index_limit"].values,
        "interval": [part["low"].values, part["high"].values],
        "call": part["call"].values,
        "reason": part["reason"].values,
    }


def _level(here: xr.Dataset) -> dict[str, Any]:
    own = {
        "value": "level_index", "limit": "level_limit", "call": "level_call",
        "reason": "level_reason", "undefined": "level_undefined", "dose": "mixed",
        "dose2": "mixed2", "alone": "alone", "alone2": "alone2",
    }  # fmt: skip
    said = {key: here[name].item() for key, name in own.items()}
    return {**said, "interval": [here["level_low"].item(), here["level_high"].item()]}


def _undefined(part: xr.Dataset) -> dict[str, Any]:
    """How many wells with both agents have no index, and why."""
    why = [str(text) for text in part["undefined"].values[1:, 1:].ravel()]
    counts = Counter(text for text in why if text)
    return {"wells": len(why), "undefined": sum(counts.values()), "why": dict(counts)}


def _report(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    from myelode.cli.tables import printable, tables

    width = console().width
    first, second = summary["agents"]
    yield printable(f"{summary['title']}. {summary['definition']}.")
    heading = f"Mixtures of {second} and {first}, {summary['ratio']:.4g} to 1"
    yield from tables(heading, _level_columns(summary), width)
    yield from tables("Over the board", _board_columns(summary), width)
    for name, found in summary["undefined"].items():
        for why, number in found["why"].items():
            yield printable(f"{name}: no index in {number} of {found['wells']} wells: {why}.")
    yield NO_CALL
    limits = (entry["limit"] for _, _, entry in _levels(summary))
    if any(limit == limit for limit in limits):
        yield LIMIT
    if summary["failed_runs"]:
        yield f"{summary['failed_runs']} of {summary['runs']} runs failed and count as unknown."
    yield summary["notice"]
    for kind, path in summary["files"].items():
        yield f"{kind.capitalize()}: {path}"


def _levels(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, found in summary["combination_index"].items():
        for level, entry in found["levels"].items():
            yield name, level, entry


def _level_columns(summary: Mapping[str, Any]) -> list[Any]:
    from myelode.cli.tables import Column, numbers, texts

    rows = list(_levels(summary))
    entries = [entry for _, _, entry in rows]
    units = {"dose": summary["dose_unit"], "dose2": summary["dose2_unit"]}
    columns = [texts("perturbation", (name for name, _, _ in rows))]
    columns += [Column("effect", tuple(f"{float(level):.0%}" for _, level, _ in rows), True)]
    for key, unit in units.items():
        columns.append(numbers(f"{key}\n{unit}", (entry[key] for entry in entries)))
        alone = key.replace("dose", "alone")
        columns.append(numbers(f"{key}\nalone", (entry[alone] for entry in entries)))
    columns += [Column("index", tuple(map(_index_text, entries)), True)]
    if summary["draws"] > 1:
        columns += [Column("interval", tuple(_span(e["interval"], "") for e in entries), True)]
    return [
        *columns,
        texts("verdict", (entry["call"] for entry in entries)),
        texts("reason", (entry["reason"] for entry in entries)),
    ]


def _index_text(entry: Mapping[str, Any]) -> str:
    """The index; its limit, marked as one; nothing where there is neither."""
    from myelode.cli.tables import number

    limit = entry["limit"]
    return number(entry["value"]) if limit != limit else f"~{number(limit)}"


def _span(ends: Sequence[float], sign: str) -> str:
    # Rounded first: a zero has no sign of its own.
    low, high = (round(end, 2) + 0.0 for end in ends)
    return f"{low:{sign}.2f} to {high:{sign}.2f}" if low == low else "-"


def _board_columns(summary: Mapping[str, Any]) -> list[Any]:
    from myelode.cli.tables import Column, texts

    names = list(summary["combination_index"])
    indices = [summary["combination_index"][name] for name in names]
    columns = [texts("perturbation", names)]
    columns += [Column("index", tuple(_span(_ends(item["wells"]), "") for item in indices), True)]
    for call in ("synergy", "antagonism"):
        counts = (str(int((item["call"] == call).sum())) for item in indices)
        columns.append(Column(call, tuple(counts), True))
    lost = (f"{item['undefined']} of {item['wells']}" for item in summary["undefined"].values())
    columns.append(Column("no index", tuple(lost), True))
    loewe = {name: item["excess"] for name, item in summary["loewe"].items()}
    excess = (("Loewe", loewe), ("Bliss", summary["bliss_excess"]), ("HSA", summary["hsa_excess"]))
    for header, found in excess:
        cells = (_span(_ends(found[name][1:, 1:]), "+") for name in names)
        columns.append(Column(f"beyond\n{header}", tuple(cells), True))
    shams = (summary["shams"][name].values() for name in names)
    columns.append(Column("sham", tuple(_sham(values) for values in shams), True))
    return columns


def _ends(values: Any) -> tuple[float, float]:
    """The lowest and the highest number; NaN where there is none."""
    known = [float(value) for value in values.ravel() if value == value]
    return (min(known), max(known)) if known else (float("nan"), float("nan"))


def _sham(values: Iterable[float]) -> str:
    """The index that is furthest from 1."""
    found = _furthest(values)
    return "-" if found is None else f"{found:.6f}"


def _furthest(values: Iterable[float]) -> float | None:
    """The number that is furthest from 1, without what is none."""
    known = [float(value) for value in values if value == value]
    return max(known, key=lambda value: abs(value - 1), default=None)


COMMANDS = (
    (
        "synergy",
        synergy_command,
        "myelode synergy melflufen/checkerboard_bortezomib --plot synergy.png",
    ),
)
