"""What stands beside the computed results of a run: combinations, and what trials published."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType

from myelode.cli.tables import Column, endpoint_cell, number, printable, tables, texts

Data = Mapping[str, Any]
SIGN_IS_NO_SYNERGY = (
    "Positive: more effect than expected (1 = all of it). One number above zero is no synergy."
)

SHIFT_IS_A_RATIO = (
    "Dose shift: dose of half with both over that with the first agent; below x1 less is needed."
)
LEAST_SHIFT, LEAST_EXCESS, NOTHING = 0.01, 0.0005, "-"


def combination_tables(summary: Data, width: int) -> Iterator[RenderableType]:
    """How far two agents together exceed what was to be expected, and what a document says.

    One combination has a row for each perturbation; of several each perturbation has a table, with
    a row for each combination.
    """
    found = summary["combinations"]
    if len(found) == 1:
        [(name, item)] = found.items()
        rows = item["perturbations"]
        columns = [texts("perturbation", rows), *_effects([item] * len(rows), list(rows.values()))]
        yield from tables(f"{name}: {_agents(item)}", columns, width)
    elif found:
        yield from _tables_of_pairs(found, width)
    for name, item in found.items():
        if item["note"]:
            yield printable(f"{name}: {item['note']}.")
        yield from map(printable, _why_no_shift(name, item))
    if any(item["shift"] is not None for item in found.values()):
        yield SHIFT_IS_A_RATIO
    if found:
        yield SIGN_IS_NO_SYNERGY
    if claims := list(dict.fromkeys(item["claim"] for item in found.values() if item["claim"])):
        yield f"Documents and verdicts: {', '.join(claims)}; show --claims, with the model's name."


def _tables_of_pairs(found: Data, width: int) -> Iterator[RenderableType]:
    """A table for each perturbation, with a row for each combination.

    An agent that comes first in all of them stands in the title.
    """
    items = list(found.values())
    first, *others = dict.fromkeys(item["single"][0] for item in items)
    agents = map(_agents, items) if others else (item["single"][1] for item in items)
    named = [texts("combination", found), texts("agents" if others else "partner", agents)]
    title = "Combinations" if others else f"Combinations with {first}"
    for perturbation in items[0]["perturbations"]:
        entries = [item["perturbations"][perturbation] for item in items]
        yield from tables(f"{title}: {perturbation}", [*named, *_effects(items, entries)], width)


def _agents(item: Data) -> str:
    return " + ".join(item["single"])


def _effects(items: Sequence[Data], entries: Sequence[Data]) -> Iterator[Column]:
    """What a combination does, row by row, and what a document says where any row has a claim."""
    if any("shift" in entry for entry in entries):
        yield Column("dose\nshift", tuple(map(_shift, entries)), is_number=True)
    for header, key in (("beyond\nBliss", "bliss_excess"), ("beyond\nthe better", "hsa_excess")):
        cells = tuple(_excess(entry[key]) for entry in entries)
        yield Column(header, cells, is_number=True)
    if any(item["claim"] for item in items):
        yield texts("document\nsays", (item["says"] for item in items))
        yield texts("verdict", (item["verdict"] for item in items))


def _excess(found: Data) -> str:
    """``+0.090``: a difference of shares with its sign."""
    if "values" in found or math.isnan(found["value"]):
        return endpoint_cell(found)
    return f"{found['value']:+.3f}" if abs(found["value"]) >= LEAST_EXCESS else "0"


def _shift(entry: Data) -> str:
    """``x0.61``; nothing where there is none."""
    if "shift" not in entry:
        return ""
    value = entry["shift"]["value"]
    if "values" not in entry["shift"] and LEAST_SHIFT <= value < 1 / LEAST_SHIFT:
        return f"x{value:.2f}"
    cell = endpoint_cell({**entry["shift"], "flag": ""})
    return cell if cell == NOTHING else f"x{cell}"


def _why_no_shift(name: str, item: Data) -> Iterator[str]:
    """What lies beyond the ladder, perturbation by perturbation."""
    for perturbation, entry in item["perturbations"].items():
        found = entry.get("shift", {})
        flags = [found["flag"]] if "flag" in found else np.ravel(found.get("flags", ()))
        if said := sorted({str(flag) for flag in flags} - {""}):
            yield f"{name} ({perturbation}): no shift, {'; '.join(said)}."


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
