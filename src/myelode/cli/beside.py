"""What stands beside the computed results of a run: combinations, and what trials published."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from myelode.cli.tables import Column, endpoint_cell, number, printable, tables, texts

Data = Mapping[str, Any]
SIGN_IS_NO_SYNERGY = (
    "Positive: more effect than expected (1 = all of it). One number above zero is no synergy."
)


def combination_tables(summary: Data, width: int) -> Iterator[RenderableType]:
    """How far two agents together exceed what was to be expected, a table per combination."""
    for name, found in summary["combinations"].items():
        rows = found["perturbations"]
        columns = [texts("perturbation", rows)]
        for header, key in (("beyond Bliss", "bliss_excess"), ("beyond the better", "hsa_excess")):
            cells = tuple(endpoint_cell(entry[key]) for entry in rows.values())
            columns.append(Column(header, cells, is_number=True))
        yield from tables(f"{name}: {' + '.join(found['single'])}", columns, width)
        if found["note"]:
            yield printable(f"{name}: {found['note']}.")
    if summary["combinations"]:
        yield SIGN_IS_NO_SYNERGY


def published_tables(summary: Data, width: int) -> Iterator[RenderableType]:
    """Published numbers of every trial arm that the scenario imitates, without their sources."""
    for name, arm in summary["published"].items():
        by = f", imitated by {' and '.join(arm['imitated_by'])}" if arm["imitated_by"] else ""
        title = f"Published: {name}{by}"
        yield from tables(title, [*_numbers(arm["numbers"]), *_documents(arm["numbers"])], width)
    if summary["published"]:
        yield "Sources and notes of published numbers: show --trials, with the name of the model."


def trial_tables(data: Data, width: int) -> Iterator[RenderableType]:
    """Every published number of a model's trials, a table per trial."""
    if not data["trials"]:
        yield "This model has no trials."
    for trial in dict.fromkeys(row["trial"] for row in data["trials"]):
        rows = [row for row in data["trials"] if row["trial"] == trial]
        columns = [
            texts("arm", (row["arm"] for row in rows)),
            *_numbers(rows),
            texts("evidence", (f"{row['evidence']} ({row['read']})" for row in rows)),
            texts("source", (row["source"] for row in rows)),
            *_documents(rows),
        ]
        if any(row["note"] for row in rows):
            columns.append(texts("note", (row["note"] for row in rows)))
        yield from tables(trial, columns, width)


def _numbers(rows: Sequence[Data]) -> list[Column]:
    """What was published: measure, value, interval and cut-off."""
    return [
        texts("measure", (row["measure"] for row in rows)),
        Column("published", tuple(map(_with_unit, rows)), is_number=True),
        Column("interval", tuple(map(_interval, rows)), is_number=True),
        Column("CI", tuple(map(_level, rows)), is_number=True),
        texts("cut-off", (row["cut_off"] for row in rows)),
    ]


def _documents(rows: Sequence[Data]) -> list[Column]:
    """What documents say instead, where they say anything."""
    if not any(row["document_value"] for row in rows):
        return []
    return [texts("a document says", map(_of_document, rows))]


def _with_unit(row: Data) -> str:
    """``32 %``, or ``not reached``."""
    value, unit = float(row["value"]), row["unit"]
    return number(value) if math.isinf(value) or unit == "1" else f"{number(value)} {unit}"


def _interval(row: Data) -> str:
    """``21.7 to 43.6``."""
    if row["low"] is None and row["high"] is None:
        return ""
    low, high = (number(None if row[key] is None else float(row[key])) for key in ("low", "high"))
    return f"{low} to {high}"


def _level(row: Data) -> str:
    return "" if row["level"] is None else f"{row['level']:g} %"


def _of_document(row: Data) -> str:
    """What a document printed, marked where it is another number."""
    return f"DIFFERS: {row['document_value']}" if row["differs"] else str(row["document_value"])
