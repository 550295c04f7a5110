"""Points from a table: one column for each axis, one row for each point."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.designs.scales import AxisReader, Columns, as_texts

SUFFIXES = (".csv", ".parquet")
ROWS_AT_ONCE = 10_000
_HEADER = re.compile(r"\s*([^\[\]]*?)\s*(?:\[([^\[\]]*)\])?\s*")


@dataclass(frozen=True)
class _Column:
    """An axis, and the unit that the header gives to numbers without one."""

    name: str
    unit: str | None
    is_place: bool


@dataclass(frozen=True)
class _Cells:
    """Some rows of a table: `columns` are texts, or numbers; `lines` say where the rows stand."""

    columns: list[Any]
    lines: Sequence[str]


def read_table_points(path: str, reader: AxisReader) -> Columns:
    """All points of a CSV or parquet file, by axis; raises ScenarioError with row and column."""
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise ScenarioError(f"{path}: a table of points is a {' or '.join(SUFFIXES)} file")
    if not file.is_file():
        raise ScenarioError(f"{path}: no such file")
    header, parts = (_csv if file.suffix == ".csv" else _parquet)(file)
    columns = _columns(path, header, reader)
    found: dict[str, list[np.ndarray]] = {column.name: [] for column in columns}
    for part in parts:
        for column, cells in zip(columns, part.columns, strict=True):
            found[column.name].append(_values(column, cells, part.lines, reader))
    if not any(found.values()):
        raise ScenarioError(f"{path}: has no points: there is no row below the header")
    # Column by column, so that no more than one of them stands in memory twice.
    return {column.name: np.concatenate(found.pop(column.name)) for column in columns}


def _columns(path: str, header: Sequence[str], reader: AxisReader) -> list[_Column]:
    """The axes that a header names."""
    columns: list[_Column] = []
    for text in header:
        match = _HEADER.fullmatch(text)
        if match is None or not match[1]:
            raise ScenarioError(f"{path}: the header {text!r} is no 'NAME' or 'NAME [unit]'")
        if match[1] in [column.name for column in columns]:
            raise ScenarioError(f"{path}: the column {match[1]!r} stands there twice")
        columns.append(_column(path, match[1], match[2], reader))
    return columns


def _column(path: str, name: str, unit: str | None, reader: AxisReader) -> _Column:
    try:
        if reader.is_place(name):
            return _Column(name, unit, is_place=True)
        if unit is not None:
            reader.number(name, f"1 {unit}".strip())
    except ScenarioError as error:
        raise ScenarioError(f"{path}: column {name!r}: {error}") from None
    return _Column(name, unit, is_place=False)


def _values(column: _Column, cells: Any, lines: Sequence[str], reader: AxisReader) -> np.ndarray:
    """The values of one column: of cells that are all plain numbers at once, or one by one."""
    if column.is_place:
        return _places(column, cells, lines)
    numbers = _plain(cells)
    if numbers is not None:
        return _scaled(column, numbers, lines, reader)
    pairs = zip(cells, lines, strict=True)
    return np.array([_number(column, cell, line, reader) for cell, line in pairs])


def _plain(cells: Sequence[Any]) -> np.ndarray | None:
    """Cells that are all finite numbers without a unit; None where one is anything else."""
    if bool in set(map(type, cells)):
        return None
    try:
        numbers = np.fromiter(map(float, cells), dtype=float, count=len(cells))
    except (ValueError, TypeError):
        return None
    return numbers if np.isfinite(numbers).all() else None


def _scaled(
    column: _Column, numbers: np.ndarray, lines: Sequence[str], reader: AxisReader
) -> np.ndarray:
    """Numbers in the unit of their column as ones in the unit of the model.

    If the smallest and the largest are no fault, none is.
    """
    for position in {int(np.argmin(numbers)), int(np.argmax(numbers))}:
        _number(column, float(numbers[position]), lines[position], reader)
    if column.unit in (None, reader.unit(column.name)):
        return numbers
    return numbers * reader.number(column.name, f"1 {column.unit}".strip())


def _number(column: _Column, cell: Any, line: str, reader: AxisReader) -> float:
    """One cell: a number in the unit of its column, or a quantity."""
    try:
        text = str(cell).strip() if isinstance(cell, str) else repr(cell)
        if not text or cell is None:
            raise ScenarioError("is empty")
        if _is_number(text) and column.unit is not None:
            text = f"{text} {column.unit}".strip()
        return reader.number(column.name, text)
    except ScenarioError as error:
        raise ScenarioError(f"{line}: column {column.name!r}: {error}") from None


def _places(column: _Column, cells: Sequence[Any], lines: Sequence[str]) -> np.ndarray:
    """Texts, of which equal ones are one object; a unit of the header goes to plain numbers."""
    known: dict[Any, str] = {}
    for cell, line in zip(cells, lines, strict=True):
        if cell in known:
            continue
        text = "" if cell is None else str(cell).strip()
        if not text:
            raise ScenarioError(f"{line}: column {column.name!r}: is empty")
        known[cell] = f"{text} {column.unit}" if column.unit and _is_number(text) else text
    return as_texts([known[cell] for cell in cells])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv(path: Path) -> tuple[list[str], Iterator[_Cells]]:
    """The header of a CSV file, and its rows in parts."""
    rows = _csv_rows(path)
    header = next(rows, None)
    if header is None:
        raise ScenarioError(f"{path}: is empty")
    return header[1], _csv_parts(path, len(header[1]), rows)


def _csv_parts(path: Path, width: int, rows: Iterator[tuple[int, list[str]]]) -> Iterator[_Cells]:
    while part := list(islice(rows, ROWS_AT_ONCE)):
        for line, cells in part:
            if len(cells) != width:
                raise ScenarioError(f"{path}:{line}: has {len(cells)} cells where {width} are due")
        columns = [list(column) for column in zip(*(cells for _, cells in part), strict=True)]
        yield _Cells(columns, [f"{path}:{line}" for line, _ in part])


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line on which each ends."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, cells
    except OSError as problem:
        raise ScenarioError(f"{path}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not UTF-8 text") from None
    except csv.Error as problem:
        raise ScenarioError(f"{path}:{reader.line_num}: {problem}") from None


def _parquet(path: Path) -> tuple[list[str], Iterator[_Cells]]:
    """The columns of a parquet file, and its rows in parts."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ScenarioError(
            f"{path}: pyarrow, which reads parquet, is not installed: install it, or write a .csv"
        ) from None
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as problem:
        raise ScenarioError(f"{path}: is no parquet file: {str(problem).splitlines()[0]}") from None
    return [_heading(field) for field in file.schema_arrow], _parquet_parts(path, file)


def _heading(field: Any) -> str:
    """The name of a column, with the unit that its metadata says, as exports write it."""
    unit = (field.metadata or {}).get(b"units", b"").decode()
    return f"{field.name} [{unit}]" if unit and "[" not in field.name else str(field.name)


def _parquet_parts(path: Path, file: Any) -> Iterator[_Cells]:
    first = 1
    for batch in file.iter_batches(ROWS_AT_ONCE):
        lines = [f"{path}: row {row}" for row in range(first, first + batch.num_rows)]
        first += batch.num_rows
        yield _Cells([column.to_pylist() for column in batch.columns], lines)
