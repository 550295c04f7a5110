"""What `run` says of the activities of a scenario: as plain data, and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

from myelode.assays.absorbance import ACTIVITY, OD_ACTIVITY
from myelode.assays.activity_sections import AS_OD, CLASS, Activity
from myelode.assays.sections import NOISELESS
from myelode.cli.tables import Column, number, tables, texts
from myelode.scenario import Scenario
from myelode.sections import FLAG

Entry = Mapping[str, Any]
_AXES = ("perturbation", "compound", "arm")
_ENDINGS: Mapping[str, str] = {
    "value": "", "noiseless": NOISELESS, "od": AS_OD, "class": CLASS, "flag": FLAG,
}  # fmt: skip


def summarise_activities(result: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    """Every activity by perturbation, compound and arm, without the arm of its blank.

    Where a ladder or a design gives many numbers these are lists.
    """
    return {
        name: {
            "title": rule.title or name.replace("_", " "),
            "unit": ACTIVITY,
            "od_unit": OD_ACTIVITY,
            "rows": list(_rows(result, name, rule)),
        }
        for name, rule in scenario.activities.items()
    }


def _rows(result: xr.Dataset, name: str, rule: Activity) -> Iterator[dict[str, Any]]:
    """One entry for each place on the named axes: where it is, and what is said there."""
    endings = {key: name + ending for key, ending in _ENDINGS.items() if name + ending in result}
    axes = [axis for axis in _AXES if axis in result[name].dims]
    for at in np.ndindex(*(result.sizes[axis] for axis in axes)):
        chosen = dict(zip(axes, at, strict=True))
        place = {axis: str(result[axis].values[index]) for axis, index in chosen.items()}
        if place.get("arm") != rule.blank or rule.blank is None:
            point = result[list(endings.values())].isel(chosen)
            yield place | {key: point[own].values.tolist() for key, own in endings.items()}


def activity_tables(summary: Mapping[str, Any], width: int) -> Iterator[Table | Text]:
    """A table for every activity, with a row for each perturbation, compound and arm."""
    for found in summary["activities"].values():
        rows: Sequence[Entry] = found["rows"]
        axes = [axis for axis in _AXES if axis in rows[0]] if rows else list(_AXES[:1])
        columns = [texts(", ".join(axes), (", ".join(row[a] for a in axes) for row in rows))]
        for key, unit in (("od", found["od_unit"]), ("value", found["unit"])):
            cells = tuple(_number(row[key]) for row in rows)
            columns.append(Column(unit, cells, is_number=True))
        for key in ("class", "flag"):
            if any(np.any(np.asarray(row.get(key, "")) != "") for row in rows):
                columns.append(texts(key, (_words(row[key]) for row in rows)))
        yield from tables(found["title"], columns, width)


def _number(value: Any) -> str:
    """A number; the lowest and highest of several."""
    values = np.asarray(value, dtype=float)
    known = values[~np.isnan(values)]
    if not known.size:
        return number(None)
    ends = (number(float(known.min())), number(float(known.max())))
    return " to ".join(dict.fromkeys(ends))


def _words(value: Any) -> str:
    """A word; how often each of several occurs."""
    if isinstance(value, str):
        return value
    found, counts = np.unique(np.asarray(value, dtype=str), return_counts=True)
    pairs = zip(found, counts, strict=True)
    return ", ".join(f"{count} {word}" for word, count in pairs if word)
