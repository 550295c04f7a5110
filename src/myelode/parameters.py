"""One row per number of a model: value, unit, uncertainty, and how well it is known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from myelode.errors import ModelError, ScenarioError
from myelode.files import TableRow, read_table
from myelode.units import parse_unit

# From the best known to the least.
EVIDENCE = ("measured", "fitted", "derived", "literature", "recalled", "assumed")
READ = ("read", "read-2nd", "no")
COLUMNS = (
    "name", "value", "unit", "meaning", "uncertainty", "between_patients", "between_lines",
    "range", "evidence", "read", "source", "note",
)  # fmt: skip
_CALL = re.compile(r"([a-z]+)\(([^()]*)\)")
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "lognormal": ("cv|gsd",), "normal": ("sd",), "uniform": ("", ""), "beta": ("", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    """How a value spreads around its median.

    `kind` is fixed, lognormal, normal, uniform, beta or dirichlet. `numbers` holds sigma of the
    logarithm, the standard deviation, the two bounds, or the two shape parameters; `group` names
    the rows that share one Dirichlet distribution.
    """

    kind: str
    numbers: tuple[float, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Parameter:
    """A row of a parameter table; `value` and `low`..`high` are in `unit`."""

    name: str
    value: float
    unit: str
    meaning: str
    uncertainty: str
    between_patients: str
    between_lines: str
    low: float
    high: float
    evidence: str
    read: str
    source: str
    note: str
    where: str

    @property
    def distribution(self) -> Distribution:
        """The uncertainty of the value, parsed."""
        return parse_distribution(self.uncertainty, self.where)


def parse_distribution(text: str, where: str) -> Distribution:
    """Read ``lognormal(cv=0.8)``, ``uniform(1, 2)``, ``dirichlet:shares``, ``fixed`` or nothing.

    A log-normal's sigma is ``ln(gsd)`` or ``sqrt(ln(1 + cv^2))``.
    """
    if text in ("", "fixed"):
        return Distribution("fixed")
    if text.startswith("dirichlet:") and text[10:].isidentifier():
        return Distribution("dirichlet", group=text[10:])
    match = _CALL.fullmatch(text)
    if not match or match[1] not in _ARGUMENTS:
        raise ModelError(f"{where}: {text!r} is not a distribution such as lognormal(cv=0.5)")
    return Distribution(match[1], _numbers(match[1], match[2], where))


def _numbers(kind: str, text: str, where: str) -> tuple[float, ...]:
    pieces = [piece.strip() for piece in text.split(",")]
    expected = _ARGUMENTS[kind]
    keys, values = zip(*(_key_and_number(piece, where) for piece in pieces), strict=True)
    if len(pieces) != len(expected) or any(
        key not in allowed.split("|") for key, allowed in zip(keys, expected, strict=True)
    ):
        form = ", ".join(name + "=..." if name else "..." for name in expected)
        raise ModelError(f"{where}: {kind} is written {kind}({form})")
    if kind == "lognormal":
        return (_log_sigma(keys[0], values[0], where),)
    if kind == "uniform" and values[0] > values[1]:
        raise ModelError(f"{where}: uniform({text}) has its bounds in the wrong order")
    return tuple(values)


def _key_and_number(piece: str, where: str) -> tuple[str, float]:
    key, _, number = piece.rpartition("=")
    try:
        return key.strip(), float(number)
    except ValueError:
        raise ModelError(f"{where}: {piece!r} is not a number") from None


def _log_sigma(key: str, value: float, where: str) -> float:
    if value <= (1 if key == "gsd" else 0):
        raise ModelError(f"{where}: {key}={value:g} is no spread: gsd is above 1, cv above 0")
    return math.log(value) if key == "gsd" else math.sqrt(math.log(1 + value**2))


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The table at `path`, by name; raises ModelError with the line of the first fault."""
    found: dict[str, Parameter] = {}
    for row in read_table(path, COLUMNS):
        parameter = _parameter(row)
        if parameter.name in found:
            raise ModelError(f"{row.where}: {parameter.name!r} stands in the table twice")
        found[parameter.name] = parameter
    return found


def _parameter(row: TableRow) -> Parameter:
    value = _number(row, "value")
    low, high = _range(row)
    if not low <= value <= high:
        raise ModelError(
            f"{row.where}: {row['name']} = {value:g} lies outside its range {row['range']}"
        )
    for column, allowed in (("evidence", EVIDENCE), ("read", READ)):
        if row[column] not in allowed:
            raise ModelError(
                f"{row.where}: {column} {row[column]!r} is none of {', '.join(allowed)}"
            )
    for column in ("uncertainty", "between_patients", "between_lines"):
        parse_distribution(row[column], f"{row.where}: {column}")
    _check_reason(row)
    return Parameter(
        name=row["name"], value=value, unit=row["unit"], meaning=row["meaning"],
        uncertainty=row["uncertainty"] or "fixed", between_patients=row["between_patients"],
        between_lines=row["between_lines"], low=low, high=high, evidence=row["evidence"],
        read=row["read"], source=row["source"], note=row["note"], where=row.where,
    )  # fmt: skip


def _check_reason(row: TableRow) -> None:
    if not row["name"].isidentifier():
        raise ModelError(f"{row.where}: {row['name']!r} is not a name")
    try:
        parse_unit(row["unit"])
    except ScenarioError as error:
        raise ModelError(f"{row.where}: {error}") from None
    if row["evidence"] == "assumed" and not row["note"]:
        raise ModelError(f"{row.where}: {row['name']} is assumed: its note must give the reason")
    if row["evidence"] != "assumed" and not row["source"]:
        raise ModelError(f"{row.where}: {row['name']} is {row['evidence']}: name its source")


def _number(row: TableRow, column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        raise ModelError(f"{row.where}: {column} {row[column]!r} is not a number") from None
    if not math.isfinite(value):
        raise ModelError(f"{row.where}: {column} must be finite, not {row[column]}")
    return value


def _range(row: TableRow) -> tuple[float, float]:
    if not row["range"]:
        return -math.inf, math.inf
    low, separator, high = row["range"].partition("..")
    try:
        bounds = float(low), float(high)
    except ValueError:
        separator = ""
        bounds = (0.0, 0.0)
    if not separator or bounds[0] > bounds[1]:
        raise ModelError(f"{row.where}: range {row['range']!r} is not written low..high")
    return bounds


def lowest_evidence(grades: list[str]) -> str:
    """The weakest of several grades; ``measured`` if there are none."""
    return max(grades, key=EVIDENCE.index, default="measured")
