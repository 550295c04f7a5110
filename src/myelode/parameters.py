"""One row per number of a model: value, unit, uncertainty, and how well it is known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from myelode.errors import ModelError, ScenarioError
from myelode.files import TableRow, read_table
from myelode.units import factor, is_dimensionless, parse_unit

# From the best known to the least.
EVIDENCE = ("measured", "fitted", "derived", "literature", "recalled", "assumed")
FIXED = "fixed"
POSITIVE = ">0"
READ = ("read", "read-2nd", "no")
SHARES_SUM_TO = 1e-6
"""How far the shares of a whole may be from 1 in sum: values are written with few digits."""
COLUMNS = (
    "name", "value", "unit", "meaning", "uncertainty", "between_patients", "between_lines",
    "range", "evidence", "read", "source", "note",
)  # fmt: skip
_NUMBER = r"\s*([^\s,()=]+)\s*"
_FORMS: Mapping[str, tuple[str, str]] = {
    "lognormal": ("lognormal(cv=0.5) or lognormal(gsd=2)", rf"lognormal\((cv|gsd)={_NUMBER}\)"),
    "normal": ("normal(sd=0.1)", rf"normal\((sd)={_NUMBER}\)"),
    "uniform": ("uniform(1, 2)", rf"uniform\(()({_NUMBER},{_NUMBER})\)"),
    "beta": ("beta(2, 5)", rf"beta\(()({_NUMBER},{_NUMBER})\)"),
}


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
    def is_positive(self) -> bool:
        """Whether the quantity has no meaning at zero or below, as its range says."""
        return self.low > 0

    @property
    def distribution(self) -> Distribution:
        """The uncertainty of the value, parsed."""
        return parse_distribution(self.uncertainty, self.where)


def parse_distribution(text: str, where: str) -> Distribution:
    """Read ``lognormal(cv=0.8)``, ``uniform(1, 2)``, ``dirichlet:shares``, ``fixed`` or nothing.

    A log-normal's sigma is ``ln(gsd)`` or ``sqrt(ln(1 + cv^2))``.
    """
    if text in ("", FIXED):
        return Distribution(FIXED)
    if text.startswith("dirichlet:") and text[10:].isidentifier():
        return Distribution("dirichlet", group=text[10:])
    kind = text.partition("(")[0]
    if kind not in _FORMS:
        raise ModelError(f"{where}: {text!r} is not a distribution such as lognormal(cv=0.5)")
    form, pattern = _FORMS[kind]
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ModelError(f"{where}: {text!r} is not written {form}")
    numbers = _finite(match[2], where)
    if fault := _fault(match[1] or kind, numbers):
        raise ModelError(f"{where}: {text!r}: {fault}")
    return Distribution(kind, _as_stored(match[1], numbers))


def _finite(text: str, where: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise ModelError(f"{where}: {text!r} is no finite number")
    return numbers


def _fault(kind: str, numbers: Sequence[float]) -> str:
    """Why numbers make no distribution, or nothing."""
    if kind == "gsd":
        return "" if numbers[0] > 1 else "a geometric standard deviation is above 1"
    if kind == "uniform":
        return "" if numbers[0] < numbers[1] else "the bounds are in the wrong order"
    return "" if min(numbers) > 0 else "the numbers must be positive"


def _as_stored(key: str, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """The numbers of `Distribution`: a log-normal's sigma stands for its gsd or cv."""
    if key == "gsd":
        return (math.log(numbers[0]),)
    return (math.sqrt(math.log(1 + numbers[0] ** 2)),) if key == "cv" else numbers


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The table at `path`, by name; raises ModelError with the line of the first fault."""
    found: dict[str, Parameter] = {}
    for row in read_table(path, COLUMNS):
        parameter = read_row(row)
        if parameter.name in found:
            raise ModelError(f"{row.where}: {parameter.name!r} stands in the table twice")
        found[parameter.name] = parameter
    return found


def wholes(parameters: Mapping[str, Parameter]) -> list[tuple[str, ...]]:
    """The names of the rows that are shares of one whole, for every whole."""
    found: dict[str, list[str]] = {}
    for row in parameters.values():
        texts = (row.uncertainty, row.between_patients, row.between_lines)
        for group in {parse_distribution(text, row.where).group for text in texts} - {""}:
            found.setdefault(group, []).append(row.name)
    return [tuple(names) for names in found.values()]


def fault_of_whole(shares: Mapping[str, float]) -> str:
    """Why numbers are no shares of one whole; "" where they are."""
    total = math.fsum(shares.values())
    if abs(total - 1) <= SHARES_SUM_TO:
        return ""
    return f"{' + '.join(shares)} = {total:.9g}: shares of one whole sum to 1"


def require_wholes(parameters: Mapping[str, Parameter]) -> None:
    """Refuse shares of one whole that do not sum to 1; raises ModelError with a line."""
    for names in wholes(parameters):
        rows = [parameters[name] for name in names]
        for row in rows:
            if not is_dimensionless(row.unit):
                raise ModelError(f"{row.where}: {row.name} is a share, and so no {row.unit}")
        shares = {row.name: row.value * factor(row.unit, "dimensionless") for row in rows}
        if fault := fault_of_whole(shares):
            raise ModelError(f"{rows[-1].where}: {fault}")


def read_row(row: TableRow) -> Parameter:
    """One row of the table, checked; raises ModelError with its line."""
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
    _require_texts(row)
    return Parameter(
        name=row["name"], value=value, unit=row["unit"], meaning=row["meaning"],
        uncertainty=row["uncertainty"] or FIXED, between_patients=row["between_patients"],
        between_lines=row["between_lines"], low=low, high=high, evidence=row["evidence"],
        read=row["read"], source=row["source"], note=row["note"], where=row.where,
    )  # fmt: skip


def _require_texts(row: TableRow) -> None:
    if not row["name"].isidentifier():
        raise ModelError(f"{row.where}: {row['name']!r} is not a name")
    try:
        parse_unit(row["unit"])
    except ScenarioError as error:
        raise ModelError(f"{row.where}: {error}") from None
    if not row["unit"]:
        raise ModelError(f"{row.where}: {row['name']} has no unit: write dimensionless")
    if not row["meaning"]:
        raise ModelError(f"{row.where}: {row['name']} needs a meaning")
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
    if row["range"] == POSITIVE:
        return math.ulp(0.0), math.inf
    low, separator, high = row["range"].partition("..")
    try:
        bounds = float(low), float(high)
    except ValueError:
        separator = ""
        bounds = (0.0, 0.0)
    if not separator or not bounds[0] <= bounds[1]:
        raise ModelError(
            f"{row.where}: range {row['range']!r} is not written low..high or {POSITIVE}"
        )
    return bounds


def lowest_evidence(grades: list[str]) -> str:
    """The weakest of several grades; ``measured`` if there are none."""
    return max(grades, key=EVIDENCE.index, default="measured")
