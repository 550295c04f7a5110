"""What authorities said of a compound and when: the line that stands beside clinical results.

A statement belongs to the compound (`regulatory` in `compounds.yaml`). Results of a variant that is
`clinical` carry those of every compound they use, or say that none is recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from myelode.errors import ModelError, best_matches
from myelode.files import YamlFile

ATTRIBUTE = "regulatory"
"""The key of a compound's entry, and of the attributes of a result."""
DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
_KEYS = ("date", "statement")


@dataclass(frozen=True)
class Statement:
    """A regulatory status in words, and the date on which it held."""

    date: str
    statement: str


def read_statement(file: YamlFile, path: tuple[str, ...], entry: Any) -> Statement:
    """The statement at a place of a file; raises ModelError with the line of a fault."""
    if not isinstance(entry, dict):
        raise ModelError(f"{file.place(path)}: has {' and '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            hint = best_matches(str(key), _KEYS)
            raise ModelError(f"{file.place((*path, str(key)))}: unknown key {key!r}{hint}")
    for key in _KEYS:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ModelError(f"{file.place((*path, key))}: {key!r} is a text, and is needed")
    if not DATE.fullmatch(entry["date"]):
        raise ModelError(f"{file.place((*path, 'date'))}: is a date such as '2026-02-17'")
    return Statement(entry["date"], " ".join(entry["statement"].split()))


def as_data(compound: str, found: Statement | None) -> dict[str, str | None]:
    """The statement on a compound as plain data; without a date where none is recorded."""
    if found is None:
        nothing = f"no regulatory statement is recorded for {compound}"
        return {"compound": compound, "date": None, "statement": nothing}
    return {"compound": compound, "date": found.date, "statement": found.statement}


def statements_in(attributes: Mapping[Any, Any]) -> list[dict[str, str | None]]:
    """Compound, date and statement of each compound of a result; none where it is not clinical."""
    found: list[dict[str, str | None]] = json.loads(str(attributes.get(ATTRIBUTE, "[]")))
    return found


def statement_lines(statements: list[dict[str, str | None]]) -> Iterator[str]:
    """``Regulatory, melflufen (2024-02-23): ...`` for each compound."""
    for item in statements:
        of = f", {item['compound']} ({item['date']})" if item["date"] else ""
        yield f"Regulatory{of}: {item['statement']}."
