"""Measurements from data files: JSON records, or tables with a header.

What a field or column means is said by a calibration file; nothing is known here of any one file.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from myelode.calibration import DataField, Records, Series
from myelode.errors import ScenarioError, best_matches
from myelode.files import read_text
from myelode.regimens.timeline import SAME_TIME
from myelode.units import to_unit

SUFFIXES = {".json": "", ".csv": ",", ".tsv": "\t", ".txt": "\t"}
"""The files that can be read, and what stands between the cells of a table."""

_SUMMARIES: Mapping[str, Callable[[list[float]], Any]] = {"median": np.median, "mean": np.mean}


@dataclass(frozen=True)
class Measurement:
    """One reading, from all replicates at one time and dose, in the units of the data file.

    `sd` is the standard deviation that the calibration takes it to have.
    """

    time: float
    dose: float | None
    value: float
    sd: float


class Measured(Protocol):
    """Whatever holds the readings of series."""

    def measurements(self, series: Series, records: Records) -> list[Measurement]:
        """What a series measured, in the units of its records."""


@dataclass(frozen=True)
class _Item:
    """The fields of one point, with those of its record, and where it stands."""

    where: str
    fields: Mapping[str, Any]


class DataFiles:
    """The data files at hand, by base name; each is read once."""

    def __init__(self, paths: Iterable[Path]):
        self._paths: dict[str, Path] = {}
        self._items: dict[str, list[_Item]] = {}
        for path in map(Path, paths):
            if path.name in self._paths:
                raise ScenarioError(f"{path}: another data file is called {path.name} too")
            if path.suffix not in SUFFIXES:
                raise ScenarioError(f"{path}: a data file ends in {', '.join(SUFFIXES)}")
            read_text(path, ScenarioError)
            self._paths[path.name] = path

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def require_used(self, names: Iterable[str]) -> None:
        """Refuse a file that no series names: most often its name is misspelt."""
        known = set(names)
        for name, path in self._paths.items():
            if name not in known:
                raise ScenarioError(f"{path}: no series reads it{best_matches(name, known)}")

    def measurements(self, series: Series, records: Records) -> list[Measurement]:
        """What a series measured, in order of dose and time; raises ScenarioError."""
        path = self._paths[series.file]
        if series.file not in self._items:
            self._items[series.file] = list(_read(path, records.points))
        items = _chosen(self._items[series.file], series, path)
        points: dict[tuple[float, float | None], list[float]] = {}
        for item in items:
            time = _number(item, records.time)
            dose = None if records.dose is None else _number(item, records.dose)
            if _is_at(series, records, time, dose):
                points.setdefault((time, dose), []).extend(_replicates(item, records.value))
        return _summarised(points, series, path)


def _read(path: Path, points: str | None) -> Iterator[_Item]:
    delimiter = SUFFIXES[path.suffix]
    yield from _table(path, delimiter) if delimiter else _json(path, points)


def _json(path: Path, points: str | None) -> Iterator[_Item]:
    """The points of every record, each with the fields of its record."""
    try:
        records = json.loads(read_text(path, ScenarioError))
    except (json.JSONDecodeError, RecursionError) as problem:
        line = getattr(problem, "lineno", 1)
        raise ScenarioError(f"{path}:{line}: is not JSON") from None
    if not isinstance(records, list):
        raise ScenarioError(f"{path}: must be a list of records")
    for number, record in enumerate(records, start=1):
        where = f"{path}: record {number}"
        if not isinstance(record, dict):
            raise ScenarioError(f"{where}: must map fields to values")
        if points is None:
            yield _Item(where, record)
            continue
        for place, point in enumerate(_points(record, points, where), start=1):
            yield _Item(f"{where}, point {place}", {**record, **point})


def _points(record: Mapping[str, Any], points: str, where: str) -> list[dict[str, Any]]:
    if points not in record:
        raise ScenarioError(f"{where}: has no field {points!r}{best_matches(points, record)}")
    found = record[points]
    if not isinstance(found, list) or not all(isinstance(point, dict) for point in found):
        raise ScenarioError(f"{where}: {points!r} must be a list of points")
    return found


def _table(path: Path, delimiter: str) -> Iterator[_Item]:
    """The rows below a header, by column; lines that begin with # are comments."""
    lines = enumerate(read_text(path, ScenarioError).splitlines(), start=1)
    rows = [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))])
        for number, line in lines
        if line.strip(f" {delimiter}") and not line.startswith("#")
    ]
    if not rows:
        raise ScenarioError(f"{path}: has no header")
    first, header = rows[0]
    if len(set(header)) < len(header):
        raise ScenarioError(f"{path}:{first}: two columns have one name")
    for number, cells in rows[1:]:
        if len(cells) > len(header):
            due = f"{len(header)} are due"
            raise ScenarioError(f"{path}:{number}: has {len(cells)} cells where {due}")
        whole = cells + [""] * (len(header) - len(cells))
        yield _Item(f"{path}:{number}", dict(zip(header, whole, strict=True)))


def _chosen(items: Sequence[_Item], series: Series, path: Path) -> list[_Item]:
    """The points with the fields that the series asks for."""
    for field, wanted in series.where.items():
        known = {name for item in items for name in item.fields}
        if field not in known:
            raise ScenarioError(f"{path}: has no field {field!r}{best_matches(field, known)}")
        found = [item for item in items if _equal(item.fields.get(field), wanted)]
        if not found:
            others = sorted({str(item.fields.get(field)) for item in items})
            hint = best_matches(str(wanted), others) or f": there is {', '.join(others[:5])}"
            raise ScenarioError(f"{path}: {field} is nowhere {wanted!r} for this series{hint}")
        items = found
    return list(items)


def _equal(found: Any, wanted: str | float | int) -> bool:
    if isinstance(wanted, str):
        return str(found).strip() == wanted
    try:
        return float(found) == float(wanted)
    except (TypeError, ValueError):
        return False


def _number(item: _Item, field: DataField) -> float:
    """The one number of a field."""
    name = field.names[0]
    if name not in item.fields:
        raise ScenarioError(f"{item.where}: has no field {name!r}{best_matches(name, item.fields)}")
    number = _float(item.fields[name], item, name)
    if math.isnan(number):
        raise ScenarioError(f"{item.where}: {name} is empty")
    if number < 0:
        raise ScenarioError(f"{item.where}: {name} is negative: {number:g}")
    return number


def _replicates(item: _Item, field: DataField) -> Iterator[float]:
    """All numbers of one field or several; what is missing is left out."""
    for name in field.names:
        if name not in item.fields:
            hint = best_matches(name, item.fields)
            raise ScenarioError(f"{item.where}: has no field {name!r}{hint}")
        found = item.fields[name]
        numbers = [_float(part, item, name) for part in (found if _is_list(found) else [found])]
        yield from (number for number in numbers if not math.isnan(number))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _float(value: Any, item: _Item, name: str) -> float:
    """A finite number, or NaN for an empty cell."""
    if value is None or value == "":
        return math.nan
    try:
        number = math.inf if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.inf
    if math.isinf(number):
        raise ScenarioError(f"{item.where}: {name} {str(value)[:40]!r} is not a number")
    return number


def _is_at(series: Series, records: Records, time: float, dose: float | None) -> bool:
    """Whether a point is at the time and the dose that a series is about."""
    wanted = [(series.time, time, records.time)]
    if records.dose is not None and dose is not None:
        wanted.append((series.dose, dose, records.dose))
    return all(
        asked is None or _near(found, to_unit(asked, field.unit, field.names[0]))
        for asked, found, field in wanted
    )


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME_TIME, abs_tol=SAME_TIME)


def _summarised(
    points: Mapping[tuple[float, float | None], list[float]], series: Series, path: Path
) -> list[Measurement]:
    """One reading per time and dose, with its standard deviation."""
    found = []
    for (time, dose), replicates in sorted(points.items(), key=_by_dose_and_time):
        if replicates:
            value = float(_SUMMARIES[series.summary](replicates))
            sd = math.hypot(series.error.relative * value, series.error.absolute)
            if sd == 0:
                raise ScenarioError(
                    f"{path}: a reading of series {series.id!r} is 0, so a relative error is none: "
                    "give an absolute one too"
                )
            found.append(Measurement(time, dose, value, sd))
    if not found:
        raise ScenarioError(f"{path}: holds no reading for series {series.id!r}")
    return found


def _by_dose_and_time(
    point: tuple[tuple[float, float | None], list[float]],
) -> tuple[float, float]:
    time, dose = point[0]
    return (0.0 if dose is None else dose), time
