"""Dose-response curves and cross-resistance matrices as plain data, and as tables for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.cli.tables import number, numbers, printable, tables, texts
from myelode.regulatory import statement_lines, statements_in

if TYPE_CHECKING:
    from rich.console import RenderableType

_NUMBERS = ("ic50", "ec50", "emax", "hill", "auc", "gr50", "grmax", "gr_aoc")
_FIT = ("top", "bottom", "ec50", "hill", "residual")
_SAID = (
    "title", "engine", "engine_because", "response_of", "read_at", "half", "definition", "doses",
    "reference", "resistant_if", "reduced_if", "draws", "evidence", "assumed_share", "notice",
)  # fmt: skip
_GROUNDS = ("evidence", "verdict", "source")
_OF_CELLS = ("outcome", "reason", "flags", "status", "evidence", "verdict", "source")


def summarise_curves(curves: xr.Dataset) -> dict[str, Any]:
    """What `dose-response` says: curves and folds by perturbation, and what they are."""
    names = [str(name) for name in curves["perturbation"].values]
    entries = {name: _entry(curves.sel(perturbation=name), _axes(curves)) for name in names}
    scenario = json.loads(str(curves.attrs["scenario"]))
    return {
        "scenario": scenario["id"],
        **_said(curves),
        "definitions": {
            name: str(curves[name].attrs["definition"]) for name in _NUMBERS if name in curves
        },
        "curves": entries,
        "fold": {name: entry["fold"] for name, entry in entries.items()},
    }


def _said(data: xr.Dataset) -> dict[str, Any]:
    found = {key: data.attrs[key] for key in _SAID if key in data.attrs}
    return {**found, "ledger": json.loads(str(data.attrs["ledger"]))}


def _axes(curves: xr.Dataset) -> list[str]:
    return [str(dim) for dim in curves["fold"].dims if dim != "perturbation"]


def _entry(here: xr.Dataset, axes: list[str]) -> dict[str, Any]:
    """The curve of the first compound and arm, and of every one where there are several."""
    if not axes:
        return _curve(here)
    axis, rest = axes[0], axes[1:]
    found = {
        str(value): _entry(here.isel({axis: at}), rest)
        for at, value in enumerate(here[axis].values.tolist())
    }
    return {**next(iter(found.values())), f"{axis}s": found}


def _curve(here: xr.Dataset) -> dict[str, Any]:
    half = str(here.attrs["half"])
    found = {
        "dose": here["dose"].values,
        "dose_unit": str(here["dose"].attrs.get("units", "")),
        "response": here["response"].values,
        "response_unit": str(here["response"].attrs.get("units", "")),
        **{name: float(here[name]) for name in _NUMBERS},
        "read_at": here.attrs["read_at"],
        "definition": here.attrs["definition"],
        "flags": [text for text in str(here["flags"].item()).split("; ") if text],
        "gr_reason": str(here["gr_reason"].item()),
        "fold": float(here["fold"]),
        "outcome": _outcome(here),
    }
    if "fit_ec50" in here:
        found["fit"] = {name: float(here[f"fit_{name}"]) for name in _FIT}
    if "fold_interval" in here:
        found["interval"] = _ends(here[f"{half}_interval"])
        found["emax_interval"] = _ends(here["emax_interval"])
        found["response_interval"] = here["response_interval"].values.T[[0, -1]]
    return found


def _ends(interval: xr.DataArray) -> list[float]:
    """The ends of an interval, without the median between them."""
    low, _, high = interval.values.tolist()
    return [low, high]


def _outcome(here: xr.Dataset) -> dict[str, Any]:
    said = {"class": here["outcome"].item(), "fold": float(here["fold"])}
    if "fold_interval" in here:
        said["interval"] = _ends(here["fold_interval"])
        said["undefined_draws"] = int(here["undefined_draws"])
    return {**said, "reason": here["reason"].item()}


def summarise_matrix(table: xr.Dataset) -> dict[str, Any]:
    """What `cross-resistance` says: folds with perturbations as rows and compounds as columns."""
    found: dict[str, Any] = {
        "model": str(table.attrs["model"]),
        **_said(table),
        "compounds": [str(name) for name in table["compound"].values],
        "perturbations": [str(name) for name in table["perturbation"].values],
        "fold": table["fold"].values,
        "interval": None,
    }
    if "fold_interval" in table:
        found["interval"] = table["fold_interval"].values[..., [0, -1]]
    for half in (f"{name}_reference" for name in _NUMBERS if f"{name}_reference" in table):
        found |= {half: table[half].values, f"{half}_unit": table[half].attrs["units"]}
    found |= {name: table[name].values for name in _OF_CELLS if name in table}
    return found


def curve_tables(curves: xr.Dataset, width: int) -> Iterator[RenderableType]:
    """A table for each compound and arm, with the perturbations as rows, and what to know."""
    axes = _axes(curves)
    for place in np.ndindex(*(curves.sizes[axis] for axis in axes)):
        here = curves.isel(dict(zip(axes, place, strict=True)))
        where = ", ".join(str(here[axis].item()) for axis in axes)
        title = f"{curves.attrs['title']}: {where}" if where else str(curves.attrs["title"])
        yield from tables(title, list(_columns(here)), width)
    half = str(curves.attrs["half"])
    yield printable(
        f"{half}: {curves.attrs['definition']}; of {curves.attrs['response_of']}, read at "
        f"{curves.attrs['read_at']}; doses from {curves.attrs['doses']}."
    )
    yield printable(_rule(curves.attrs))
    if not np.isfinite(curves["gr50"].values).any():
        yield printable(f"No GR metrics: {next(iter(curves['gr_reason'].values.ravel()))}.")
    yield from notes(curves)


def _columns(here: xr.Dataset) -> Iterator[Any]:
    unit, half = str(here["dose"].attrs.get("units", "")), str(here.attrs["half"])
    other = "ec50" if half == "ic50" else "ic50"
    yield texts("perturbation", here["perturbation"].values)
    for name in (half, other):
        if np.isfinite(here[name].values).any() or name == half:
            yield numbers(f"{name}\n({unit})", here[name].values.tolist())
    yield from (numbers(name, here[name].values.tolist()) for name in ("emax", "hill", "auc"))
    if np.isfinite(here["gr50"].values).any():
        yield numbers(f"gr50\n({unit})", here["gr50"].values.tolist())
        yield numbers("grmax", here["grmax"].values.tolist())
    if "fit_ec50" in here:
        yield numbers(f"fitted ec50\n({unit})", here["fit_ec50"].values.tolist())
        yield numbers("fitted\nhill", here["fit_hill"].values.tolist())
        yield numbers("residual", here["fit_residual"].values.tolist())
    yield numbers("fold", here["fold"].values.tolist())
    if "fold_interval" in here:
        yield texts("interval", map(_interval_text, here["fold_interval"].values))
    yield texts("outcome", here["outcome"].values)
    yield texts(
        "what to know",
        map(_to_know, *(here[name].values for name in ("flags", "outcome", "reason"))),
    )


def _to_know(flags: str, outcome: str, reason: str) -> str:
    """The flags of a curve, and the reason of its outcome where the fold alone does not give it."""
    if outcome != "undetermined" and not reason.startswith("less than"):
        return flags
    return reason if flags in reason else f"{flags}; {reason}"


def _interval_text(interval: np.ndarray) -> str:
    low, _, high = interval.tolist()
    return "-" if math.isnan(low) else f"{number(low)} to {number(high)}"


def _rule(attrs: Mapping[Any, Any]) -> str:
    reduced = f", reduced if {attrs['reduced_if']}" if attrs["reduced_if"] else ""
    return f"Resistant if {attrs['resistant_if']}{reduced}."


def matrix_tables(table: xr.Dataset, width: int) -> Iterator[RenderableType]:
    """One table of folds, and the reasons of the cells that have none."""
    rows = [str(name) for name in table["perturbation"].values]
    names = [str(name) for name in table["compound"].values]
    columns = [texts("perturbation", rows)]
    columns += [
        texts(name, (_cell(table.isel(perturbation=at, compound=to)) for at in range(len(rows))))
        for to, name in enumerate(names)
    ]
    yield from tables(str(table.attrs["title"]), columns, width)
    half, moment = table.attrs["half"], table.attrs["read_at"]
    yield printable(f"fold of {half}: {table.attrs['definition']}; read at {moment}.")
    for row, name in np.ndindex(len(rows), len(names)):
        cell = table.isel(perturbation=row, compound=name)
        if str(cell["status"].item()) != "computed" or math.isnan(float(cell["fold"])):
            yield printable(f"{rows[row]}, {names[name]}: {_grounds(cell)}")
    yield from notes(table)


def _cell(cell: xr.Dataset) -> str:
    """The fold in a cell, with its interval."""
    fold, status = float(cell["fold"]), str(cell["status"].item())
    if math.isnan(fold):
        return "unknown" if status == "unknown" else "none"
    text = number(fold) + (" (stated)" if status == "stated" else "")
    if "fold_interval" in cell and not np.isnan(cell["fold_interval"].values).any():
        text += f"\n{_interval_text(cell['fold_interval'].values)}"
    return text


def _grounds(cell: xr.Dataset) -> str:
    """Why a cell has no computed number, and how good what is said instead is."""
    said = [str(cell["reason"].item())]
    words = {name: str(cell[name].item()) for name in _GROUNDS if name in cell}
    said += [f"{name}: {word}" for name, word in words.items() if word]
    return "; ".join(said) + "."


def notes(data: xr.Dataset) -> Iterator[str]:
    """Draws and those that failed, and what a figure has below it."""
    if draws := int(data.attrs.get("draws", 0)):
        yield f"Intervals: from 5 to 95 % of {draws} {data.attrs['drawn']}."
    for entry in json.loads(str(data.attrs["ledger"])):
        place = ", ".join(f"{k} {v}" for k, v in entry.items() if k not in ("time", "reason"))
        yield printable(f"Failed: {place}, at time {entry['time']}: {entry['reason']}")
    if "assumed_share" in data.attrs and data.attrs["assumed_share"] == data.attrs["assumed_share"]:
        share, grade = float(data.attrs["assumed_share"]), data.attrs["evidence"]
        yield f"Evidence: lowest grade {grade}; {share:.0%} of the numbers are assumed."
    yield from statement_lines(statements_in(data.attrs))
    yield str(data.attrs["notice"])
