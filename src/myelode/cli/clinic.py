"""What `run` says of the responses of a scenario: as plain data, and as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

from myelode.cli.tables import Column, number, tables, texts
from myelode.clinic.criteria import LABELS
from myelode.clinic.sections import (
    AT_RISK,
    COUNTS,
    CURVE,
    ESTIMATES,
    HIGH,
    LOW,
    TIME,
    ClinicalResponse,
    landmark_endings,
)
from myelode.scenario import Scenario

Entry = Mapping[str, Any]
_AXES = ("perturbation", "compound", "arm")
_HEADERS: Mapping[str, str] = {
    "response_rate": "PR or better", "vgpr_rate": "VGPR or better", "pfs_median": "median PFS",
    "duration_median": "median duration\nof response",
}  # fmt: skip
INTERVALS = (
    "Rates are shares of the evaluable patients, in brackets 95 % intervals (Clopper and Pearson); "
    "PFS and duration by Kaplan and Meier, intervals on the log-log scale."
)


def summarise_responses(result: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    """Every response: rates and survival of many patients, or the response of a single one.

    By perturbation; where there are compounds and arms, the values are those of the first one, and
    those of every one stand under ``compounds`` and ``arms``.
    """
    return {name: _nested(result, name, rule, _AXES) for name, rule in scenario.responses.items()}


def _nested(
    point: xr.Dataset, name: str, rule: ClinicalResponse, axes: Sequence[str]
) -> dict[str, Any]:
    if not axes:
        over_patients = f"{name}_{COUNTS[0]}" in point
        return _of_group(point, name, rule) if over_patients else _of_patient(point, name)
    axis, *rest = axes
    if axis not in point.dims:
        return _nested(point, name, rule, rest)
    found = {
        str(value): _nested(point.isel({axis: position}), name, rule, rest)
        for position, value in enumerate(point[axis].values)
    }
    return found if axis == _AXES[0] else {**next(iter(found.values())), f"{axis}s": found}


def _of_group(point: xr.Dataset, name: str, rule: ClinicalResponse) -> dict[str, Any]:
    best = point[f"{name}_best"].values
    landmarks = landmark_endings(rule)
    return {
        **{ending: _plain(point[f"{name}_{ending}"]) for ending in COUNTS},
        "best": {label: (best == label).sum(axis=-1).tolist() for label in reversed(LABELS)},
        **{ending: _estimate(point, f"{name}_{ending}") for ending in ESTIMATES},
        "pfs_at": {
            landmark: _estimate(point, f"{name}_{ending}") for landmark, ending in landmarks.items()
        },
        CURVE: {
            "time": point[name + TIME].values,
            **_estimate(point, f"{name}_{CURVE}"),
            AT_RISK: point[f"{name}_{AT_RISK}"].values,
        },
    }


def _of_patient(point: xr.Dataset, name: str) -> dict[str, Any]:
    progression, duration = point[f"{name}_progression"], point[f"{name}_duration"]
    return {
        "best": _plain(point[f"{name}_best"]),
        "best_change": _plain(point[f"{name}_best_change"]),
        "progression": {"value": _plain(progression), "unit": progression.attrs["units"]},
        "progressed": _plain(point[f"{name}_progressed"]),
        "duration": {"value": _plain(duration), "unit": duration.attrs["units"]},
    }


def _estimate(point: xr.Dataset, name: str) -> dict[str, Any]:
    data = point[name]
    low, high = _plain(point[name + LOW]), _plain(point[name + HIGH])
    return {"value": _plain(data), "interval": [low, high], "unit": data.attrs["units"]}


def _plain(data: xr.DataArray) -> Any:
    return data.values.tolist()


def response_tables(summary: Mapping[str, Any], width: int) -> Iterator[Table | Text | str]:
    """A table for every response, with a row for each perturbation, compound and arm."""
    for name, found in summary["responses"].items():
        rows = [row for key, entry in found.items() for row in _rows((key,), entry)]
        entries = [entry for _, entry in rows]
        headers = _axes_of(next(iter(found.values())))
        columns = [texts(", ".join(headers), (", ".join(places) for places, _ in rows))]
        over_patients = "response_rate" in entries[0]
        columns += _group_columns(entries) if over_patients else _patient_columns(entries)
        yield from tables(name.replace("_", " "), columns, width)
    if "evaluable" in _first(summary["responses"]):
        yield INTERVALS


def _first(found: Entry) -> Entry:
    """What is said of the first perturbation by the first response, if there is one."""
    first: Entry = next(iter(next(iter(found.values()), {}).values()), {})
    return first


def _axes_of(entry: Entry) -> list[str]:
    found = [_AXES[0]]
    while inner := next((axis for axis in _AXES if f"{axis}s" in entry), None):
        found.append(inner)
        entry = next(iter(entry[f"{inner}s"].values()))
    return found


def _rows(place: tuple[str, ...], entry: Entry) -> Iterator[tuple[tuple[str, ...], Entry]]:
    inner = next((f"{axis}s" for axis in _AXES if f"{axis}s" in entry), None)
    if inner is None:
        yield place, entry
        return
    for name, item in entry[inner].items():
        yield from _rows((*place, name), item)


def _group_columns(entries: Sequence[Entry]) -> list[Column]:
    columns = [_column("evaluable", entries, lambda entry: _cell(entry["evaluable"]))]
    if any(np.any(entry["failed"]) for entry in entries):
        columns.append(_column("failed", entries, lambda entry: _cell(entry["failed"])))
    for key, header in _HEADERS.items():
        columns.append(_column(_with_unit(header, entries[0][key]), entries, _estimates(key)))
    for landmark in entries[0]["pfs_at"]:
        shown = [_shown(entry["pfs_at"][landmark]) for entry in entries]
        columns.append(Column(f"PFS at\n{landmark} (%)", tuple(shown), is_number=True))
    return columns


def _patient_columns(entries: Sequence[Entry]) -> list[Column]:
    progression = entries[0]["progression"]
    return [
        texts("best response", (_cell(entry["best"]) for entry in entries)),
        _column("best change\n(%)", entries, lambda entry: _percent(entry["best_change"])),
        _column(_with_unit("progression", progression), entries, _time_of_progression),
        _column(
            _with_unit("duration\nof response", progression),
            entries,
            lambda entry: _cell(entry["duration"]["value"]),
        ),
    ]


def _percent(share: Any) -> str:
    return _cell((100 * np.asarray(share)).tolist())


def _column(header: str, entries: Sequence[Entry], cell: Callable[[Entry], str]) -> Column:
    return Column(header, tuple(cell(entry) for entry in entries), is_number=True)


def _estimates(key: str) -> Callable[[Entry], str]:
    return lambda entry: _shown(entry[key])


def _time_of_progression(entry: Entry) -> str:
    shown = _cell(entry["progression"]["value"])
    return shown if entry["progressed"] is True or shown == "-" else f"none by {shown}"


def _with_unit(header: str, item: Entry) -> str:
    return f"{header}\n({'%' if item['unit'] == 'dimensionless' else item['unit']})"


def _shown(item: Entry) -> str:
    """An estimate with its interval, shares in %; without it where there are several."""
    scale = 100 if item["unit"] == "dimensionless" else 1
    scaled = [scale * np.asarray(end) for end in (item["value"], *item["interval"])]
    if scaled[0].ndim:
        return _cell(scaled[0].tolist())
    value, low, high = (_rounded(float(end), scale) for end in scaled)
    return f"{value} ({low} to {high})"


def _rounded(value: float, scale: int) -> str:
    """Whole numbers of per cent; times with four digits."""
    return f"{value:.0f}" if scale == 100 and not math.isnan(value) else number(value)


def _cell(value: Any) -> str:
    """A number or word; the lowest and highest of several, or all words that occur."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else number(value)
    flat = np.asarray(value).ravel()
    if flat.dtype.kind in "OU":
        return ", ".join(sorted(set(map(str, flat))))
    known = flat[~np.isnan(flat)]
    if not known.size:
        return number(None)
    return " to ".join(dict.fromkeys(number(float(end)) for end in (known.min(), known.max())))
