"""A table of readings as it is written: one reading per row, units in the header.

``time [h]``, ``output`` and ``value [UNIT]`` are due; a unit for each row may stand in a column
``unit`` instead. ``dose [UNIT]``, ``sd``, ``replicate``, ``perturbation``, ``compound`` and ``arm``
may be there. Lines that begin with ``#`` are comments, and rows without a value are left out.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from myelode.errors import ScenarioError, best_matches
from myelode.files import read_text
from myelode.units import parse_unit

DUE = ("time", "output", "value")
WITH_UNIT = ("time", "dose", "value")
NAMES = ("output", "perturbation", "compound", "arm", "replicate")
COLUMNS = ("time", "dose", "output", "value", "unit", "sd", *NAMES[1:])
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
"""The files that can be read, and what stands between their cells."""

_HEADING = re.compile(r"(\w+)\s*(?:\[(.*)\])?")
_Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Row:
    """One reading in the units of its table; `names` are the words of its row, by column.

    `sd` is its standard deviation, None where none is given.
    """

    line: int
    time: float
    dose: float | None
    value: float
    sd: float | None
    unit: str
    names: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """A table of readings; `headings` are its columns as they are written there."""

    path: Path
    sha256: str
    time_unit: str
    dose_unit: str
    headings: Mapping[str, str]
    rows: tuple[Row, ...]

    def error(self, line: int, column: str, message: object) -> ScenarioError:
        """An error that says at which line and column it arose."""
        said = self.headings.get(column, column)
        return ScenarioError(f"{self.path}:{line}: column {said!r}: {message}")


def read_sheet(path: str | Path) -> Sheet:
    """The readings of a table; raises ScenarioError with file, line and column of a fault."""
    path = Path(path)
    text = read_text(path, ScenarioError)
    lines = list(_lines(path, text))
    if not lines:
        raise ScenarioError(f"{path}: has no header")
    (number, header), *rows = lines
    table = _Header(path, number, header)
    found = tuple(table.row(line, cells) for line, cells in rows if table.is_filled(line, cells))
    if not found:
        raise ScenarioError(
            f"{path}: holds no reading: fill in the column {table.written('value')}"
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    headings = {name: table.written(name) for name in table.places}
    units = table.units.get("time", ""), table.units.get("dose", "")
    return Sheet(path, digest, *units, headings, found)


def _lines(path: Path, text: str) -> Iterator[_Line]:
    """The cells of every line that is neither empty nor a comment."""
    if path.suffix not in SEPARATORS:
        raise ScenarioError(f"{path}: a table of readings ends in {', '.join(SEPARATORS)}")
    separator = SEPARATORS[path.suffix]
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip(f" {separator}") and not line.startswith("#"):
            cells = next(csv.reader([line], delimiter=separator))
            yield number, [cell.strip() for cell in cells]


class _Header:
    """The columns of a table: where each stands, and in which unit."""

    def __init__(self, path: Path, line: int, cells: list[str]):
        self.path, self.line, self.cells = path, line, cells
        self.places: dict[str, int] = {}
        self.units: dict[str, str] = {}
        for place, cell in enumerate(cells):
            self._add(place, cell)
        self._require_whole()

    def _add(self, place: int, cell: str) -> None:
        name, unit = self._parts(cell)
        if name in self.places:
            raise self._fault(f"the column {name!r} is there twice")
        self.places[name] = place
        if name in WITH_UNIT:
            self.units[name] = self._unit(cell, name, unit)
        elif unit is not None:
            said = " (it is in the unit of value)" if name == "sd" else ""
            raise self._fault(f"the column {cell!r} takes no unit: write {name}{said}")

    def _parts(self, cell: str) -> tuple[str, str | None]:
        """The name of a column, and the unit behind it."""
        match = _HEADING.fullmatch(cell)
        name = match[1].lower() if match else cell
        if ";" in cell:
            raise self._fault("cells are separated by ';' here: a .csv has commas, a .tsv tabs")
        if match is None or name not in COLUMNS:
            stem = name.partition("_")[0]
            if stem in WITH_UNIT and stem != name:
                unit = name.partition("_")[2]
                raise self._fault(f"unknown column {cell!r}: write '{stem} [{unit}]'")
            hint = best_matches(name, COLUMNS)
            raise self._fault(f"unknown column {cell!r}{hint}; known are {', '.join(COLUMNS)}")
        return name, match[2]

    def _unit(self, cell: str, name: str, unit: str | None) -> str:
        """The unit of a column; that of values may stand in the column ``unit`` instead."""
        if unit is None and name != "value":
            raise self._fault(f"the column {cell!r} has no unit: write '{name} [UNIT]'")
        try:
            parse_unit(unit or "")
        except ScenarioError as error:
            raise self._fault(f"the column {cell!r}: {error}") from None
        return unit or "dimensionless"

    def _require_whole(self) -> None:
        for name in DUE:
            if name not in self.places:
                raise self._fault(f"has no column {name!r}")
        if "unit" in self.places and "[" in self.written("value"):
            raise self._fault("the unit of value stands in its header and in a column of its own")

    def _fault(self, message: str) -> ScenarioError:
        return ScenarioError(f"{self.path}:{self.line}: {message}")

    def written(self, name: str) -> str:
        """A column as the header writes it."""
        return self.cells[self.places[name]]

    def is_filled(self, line: int, cells: list[str]) -> bool:
        """Whether a row has a value."""
        if len(cells) > len(self.cells):
            due = f"{len(self.cells)} are due"
            raise ScenarioError(f"{self.path}:{line}: has {len(cells)} cells where {due}")
        return bool(self._cell(cells, "value"))

    def row(self, line: int, cells: list[str]) -> Row:
        """A row as numbers and words."""
        time = self._number(line, cells, "time")
        if time is None:
            raise self._at(line, "time", "is empty")
        dose, value = self._number(line, cells, "dose"), self._number(line, cells, "value")
        for name, number in (("time", time), ("dose", dose)):
            if number is not None and number < 0:
                raise self._at(line, name, f"{number:g} is negative")
        sd = self._number(line, cells, "sd")
        if sd is not None and sd <= 0:
            raise self._at(line, "sd", f"{sd:g} is not positive")
        names = {name: text for name in NAMES if (text := self._cell(cells, name))}
        if "output" not in names:
            raise self._at(line, "output", "is empty")
        return Row(line, time, dose, value or 0.0, sd, self._unit_of(line, cells), names)

    def _unit_of(self, line: int, cells: list[str]) -> str:
        unit = self._cell(cells, "unit") or self.units["value"]
        try:
            parse_unit(unit)
        except ScenarioError as error:
            raise self._at(line, "unit", error) from None
        return unit

    def _cell(self, cells: list[str], name: str) -> str:
        """The text of a cell; "" where the column or the cell is not there."""
        place = self.places.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    def _number(self, line: int, cells: list[str], name: str) -> float | None:
        """The finite number of a cell, None where it is empty."""
        text = self._cell(cells, name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            hint = ": write a point for a decimal comma" if re.fullmatch(r"\d+,\d+", text) else ""
            raise self._at(line, name, f"{text[:40]!r} is not a number{hint}")
        return number

    def _at(self, line: int, name: str, message: object) -> ScenarioError:
        return ScenarioError(f"{self.path}:{line}: column {self.written(name)!r}: {message}")
