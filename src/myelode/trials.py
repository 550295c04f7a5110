"""Clinical trials as data: one row per published number of an arm, with its data cut-off.

Nothing is fitted to this table by itself. It stands beside computed results, so that a reader sees
what patients did; a number that another document prints for the same cell is kept too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import TableRow, read_table
from myelode.parameters import EVIDENCE, READ
from myelode.units import parse_unit

FILE = "trials.tsv"
COLUMNS = (
    "trial", "arm", "measure", "value", "unit", "low", "high", "level", "cut_off", "evidence",
    "read", "source", "document_value", "note",
)  # fmt: skip
_WORDS = ("trial", "arm", "measure")
_TEXTS = ("cut_off", "evidence", "read", "source", "document_value", "note")
_LEADING_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class TrialNumber:
    """A published number: infinity where a median was not reached.

    `level` is the confidence level of `low`..`high` in %, `document_value` what a source document
    printed for the same cell.
    """

    trial: str
    arm: str
    measure: str
    value: float
    unit: str
    low: float | None
    high: float | None
    level: float | None
    cut_off: str
    evidence: str
    read: str
    source: str
    document_value: str
    note: str

    @property
    def differs(self) -> bool:
        """Whether a source document printed another number, or no number."""
        return bool(self.document_value) and _printed(self.document_value) != self.value

    def as_data(self) -> dict[str, Any]:
        """The row as plain data, by column; what was not reached is the text ``inf``."""
        data = {**asdict(self), "differs": self.differs}
        return {key: "inf" if item == math.inf else item for key, item in data.items()}


@dataclass(frozen=True)
class TrialArm:
    """The published numbers of an arm, and the arms of a scenario that imitate it."""

    trial: str
    arm: str
    imitated_by: tuple[str, ...]
    numbers: tuple[TrialNumber, ...]

    @property
    def name(self) -> str:
        """Trial and arm, as a scenario writes them."""
        return f"{self.trial} {self.arm}"

    def as_data(self) -> dict[str, Any]:
        """The arm as plain data."""
        return {
            "trial": self.trial,
            "arm": self.arm,
            "imitated_by": list(self.imitated_by),
            "numbers": [number.as_data() for number in self.numbers],
        }


def read_trials(folder: Path | None) -> list[TrialNumber]:
    """The published numbers of a model folder; none where it has no `trials.tsv`.

    Raises ModelError with the line of the first fault.
    """
    if folder is None or not (folder / FILE).exists():
        return []
    seen: dict[tuple[str, ...], str] = {}
    found = []
    for row in read_table(folder / FILE, COLUMNS):
        number = _trial_number(row)
        key = (number.trial, number.arm, number.measure, number.cut_off)
        if key in seen:
            said = f"{number.measure} of {number.trial} {number.arm} stands there twice"
            raise ModelError(f"{row.where}: {said}, with one cut-off (first: {seen[key]})")
        seen[key] = row.where
        found.append(number)
    return found


def _trial_number(row: TableRow) -> TrialNumber:
    for column in _WORDS:
        if len(row[column].split()) != 1:
            raise ModelError(f"{row.where}: {column} {row[column]!r} must be one word")
    for column, allowed in (("evidence", EVIDENCE), ("read", READ)):
        if row[column] not in allowed:
            said = f"{column} {row[column]!r} is none of {', '.join(allowed)}"
            raise ModelError(f"{row.where}: {said}{best_matches(row[column], allowed)}")
    if not row["source"]:
        raise ModelError(f"{row.where}: {row['measure']} needs a source")
    texts: dict[str, Any] = {column: row[column] for column in (*_WORDS, *_TEXTS)}
    return TrialNumber(**texts, unit=_unit(row), **_numbers(row))


def _printed(text: str) -> float | None:
    """The number that a document printed; infinity for what was not reached, None for no number."""
    if text.lower().startswith("not reached"):
        return math.inf
    found = _LEADING_NUMBER.match(text)
    return float(found[0]) if found else None


def _unit(row: TableRow) -> str:
    if not row["unit"]:
        raise ModelError(f"{row.where}: {row['measure']} has no unit: write 1 for a pure number")
    try:
        parse_unit(row["unit"])
    except ScenarioError as error:
        raise ModelError(f"{row.where}: unit: {error}") from None
    return row["unit"]


def _numbers(row: TableRow) -> dict[str, Any]:
    """Value, interval and level; the value lies inside of its interval."""
    value, low, high, level = (_number(row, key) for key in ("value", "low", "high", "level"))
    if value is None:
        raise ModelError(f"{row.where}: {row['measure']} has no value")
    within = (-math.inf if low is None else low), (math.inf if high is None else high)
    if not within[0] <= value <= within[1]:
        said = f"{row['measure']} = {row['value']}"
        raise ModelError(f"{row.where}: {said} lies outside {row['low']}..{row['high']}")
    if level is not None and not 0 < level < 100:
        raise ModelError(f"{row.where}: level {row['level']} is no confidence level in %")
    if level is not None and low is None and high is None:
        raise ModelError(f"{row.where}: a level of {row['level']} % needs low and high")
    return {"value": value, "low": low, "high": high, "level": level}


def _number(row: TableRow, column: str) -> float | None:
    """The number of a cell, ``inf`` for what was not reached; None for an empty cell."""
    if not row[column]:
        return None
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if math.isnan(number):
        said = f"{column} {row[column]!r} is not a number (inf: not reached)"
        raise ModelError(f"{row.where}: {said}")
    return number


def trial_arms(
    numbers: Iterable[TrialNumber], wanted: str, imitated_by: tuple[str, ...] = ()
) -> list[TrialArm]:
    """The arm that ``TRIAL ARM`` names, or all arms of a ``TRIAL``.

    Raises ScenarioError, with the closest names, for one that does not exist.
    """
    by_trial: dict[str, dict[str, list[TrialNumber]]] = {}
    for number in numbers:
        by_trial.setdefault(number.trial, {}).setdefault(number.arm, []).append(number)
    trial, _, arm = wanted.strip().partition(" ")
    if trial not in by_trial:
        raise ScenarioError(f"unknown trial {trial!r}{_known(trial, by_trial)}")
    arms = by_trial[trial]
    arm = arm.strip()
    if arm and arm not in arms:
        raise ScenarioError(f"trial {trial} has no arm {arm!r}{_known(arm, arms)}")
    kept = {arm: arms[arm]} if arm else arms
    return [TrialArm(trial, name, imitated_by, tuple(rows)) for name, rows in kept.items()]


def _known(name: str, names: Mapping[str, Any]) -> str:
    """The closest names, or all of them where none is close."""
    return best_matches(name, names) or f": known are {', '.join(names)}"
