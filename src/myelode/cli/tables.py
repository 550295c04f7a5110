"""Summaries as tables for people.

A table that is too wide for the page is cut into several, each with the first column again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from myelode.inputs import SOURCE

_SUBJECTS = {
    "lines": ("virtual lines", "lines"),
    "patients": ("virtual patients", "patients"),
    "uncertainty": ("draws of the uncertain numbers", "draws"),
}
"""What subjects are in words, and in one word, by their key in a summary."""
PADDING, EDGE = 3, 1
# Words may be broken into lines of this width before a table is cut in two.
NARROWEST_TEXT = 20
_STYLES = {
    "resistant": "red", "reduced": "yellow", "sensitive": "green", "miss": "red", "hit": "green",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A header and the cells below it; numbers stand to the right."""

    header: str
    cells: tuple[str, ...]
    is_number: bool = False

    def width(self, unbroken: bool) -> int:
        """The least width of the column, its distance to the next included."""
        lines = [line for text in (self.header, *self.cells) for line in text.split("\n")]
        longest = max(len(line) for line in lines)
        return PADDING + (longest if unbroken else min(longest, NARROWEST_TEXT))


def printable(text: object) -> str:
    """`text` without control characters, which could command a terminal."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )


def number(value: Any) -> str:
    """A number with four digits; words where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if value == math.inf:
        return "not reached"
    return f"{value:.4g}"


def tables(title: str, columns: Sequence[Column], width: int) -> Iterator[Table | Text]:
    """A title and one table, or as many as it takes to stay within `width`.

    The first column and numbers are not broken into lines, unless the first takes half the page.
    """
    first, *rest = columns
    whole = first.width(unbroken=True) <= width / 2
    yield Text(printable(title), style="bold")
    for block in _blocks(rest, width - EDGE - first.width(whole)):
        table = Table(box=box.SIMPLE_HEAD)
        _add_column(table, first, whole)
        for column in block:
            _add_column(table, column, column.is_number)
        for row in zip(*(column.cells for column in (first, *block)), strict=True):
            table.add_row(*(_styled(cell) for cell in row))
        yield table


def _add_column(table: Table, column: Column, unbroken: bool) -> None:
    justify: Literal["left", "right"] = "right" if column.is_number else "left"
    header = Text(printable(column.header))
    table.add_column(header, justify=justify, no_wrap=unbroken, overflow="fold")


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    block: list[Column] = []
    for column in columns:
        if block and sum(item.width(item.is_number) for item in [*block, column]) > width:
            yield block
            block = []
        block.append(column)
    yield block


def _styled(cell: str) -> Text:
    return Text(printable(cell), style=_STYLES.get(cell, ""))


def texts(header: str, cells: Iterable[object]) -> Column:
    """A column of words."""
    return Column(header, tuple("" if cell is None else str(cell) for cell in cells))


def numbers(header: str, cells: Iterable[Any]) -> Column:
    """A column of numbers."""
    return Column(header, tuple(number(cell) for cell in cells), is_number=True)


def run_tables(summary: Mapping[str, Any], width: int) -> Iterator[Table | Text]:
    """The tables of a run: one, or one per compound and arm.

    The rows are perturbations; where there is one only, they are compounds, or else the arms.
    """
    axis, rows = "perturbation", summary["perturbations"]
    if len(rows) == 1:
        only = next(iter(rows.values()))
        if "compounds" in only:
            axis, rows = "compound", only["compounds"]
        elif len(list(_apart(rows, "arms"))) > 1:
            axis, rows = "arm", only["arms"]
    for compound, of_compound in _apart(rows, "compounds"):
        for arm, of_arm in _apart(of_compound, "arms"):
            place = ", ".join(filter(None, (compound, arm)))
            title = f"{summary['title']}: {place}" if place else summary["title"]
            yield from tables(title, _run_columns(axis, of_arm), width)


def _apart(rows: Mapping[str, Any], axis: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of each arm or compound, by name; all rows as they are where none differs."""
    parts = [entry.get(axis, {}) for entry in rows.values()]
    # NaN is equal to NaN only as a text.
    if all(len({repr(part) for part in named.values()}) < 2 for named in parts):
        yield "", rows
        return
    for name in parts[0]:
        yield name, {row: entry[axis][name] for row, entry in rows.items()}


def endpoint_notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """What the endpoints over doses mean: definition, time of reading, and range of the ladder."""
    first = next(iter(summary["perturbations"].values()))
    for name, endpoint in first["endpoints"].items():
        if "definition" in endpoint:
            yield printable(
                f"{name}: {endpoint['definition']}; read at {endpoint['read_at']}; "
                f"doses from {endpoint['doses']}."
            )


def score_tables(summary: Mapping[str, Any], width: int) -> Iterator[Table | Text]:
    """How often each class got each label, a table for every score."""
    for name, found in summary["scores"].items():
        right = f"{found['correct']} of {found['n']} right ({found['accuracy']:.0%})"
        columns = [
            texts("class", found["classes"]),
            *(numbers(label, found["matrix"][:, at]) for at, label in enumerate(found["labels"])),
        ]
        yield from tables(f"{name}: {right}", columns, width)


def subject_notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """What the numbers of a table over virtual lines or patients, or over draws, are."""
    for key, (title, word) in _SUBJECTS.items():
        if found := summary.get(key):
            yield (
                f"{found['number']} {title} (seed {found['seed']}, the first is typical): "
                f"medians, and in brackets 5 to 95 % of the {word}."
            )


def expectation_line(text: str, passed: bool) -> Text:
    """An expectation, and whether it is met."""
    return Text(printable(f"{'met' if passed else 'UNMET'}: {text}"), style="" if passed else "red")


def _run_columns(axis: str, rows: Mapping[str, Any]) -> list[Column]:
    entries = list(rows.values())
    columns = [texts(axis, rows)]
    for name, endpoint in entries[0]["endpoints"].items():
        unit, source = _unit(endpoint["unit"]), endpoint.get(SOURCE)
        title = f"{name} (of {source})" if source else name
        header = f"{title}\n({unit})" if unit else title
        cells = [endpoint_cell(entry["endpoints"][name]) for entry in entries]
        columns.append(Column(header, tuple(cells), is_number=True))
    columns += [
        texts(rule, (_label_cell(e["rules"][rule]) for e in entries))
        for rule in entries[0]["rules"]
    ]
    if entries[0]["outcome"] is not None:
        outcomes = [entry["outcome"] for entry in entries]
        columns.append(
            texts("outcome", (_label_cell(o.get("classes", o["class"])) for o in outcomes))
        )
        columns.append(Column("fold", tuple(_fold_cell(outcome) for outcome in outcomes), True))
        columns.append(texts("reason", (outcome["reason"] for outcome in outcomes)))
    return columns


def endpoint_cell(endpoint: Mapping[str, Any]) -> str:
    """The value of an endpoint, its interval or range, or a short word in its place."""
    if "interval" in endpoint:
        return _with_interval(endpoint["value"], endpoint["interval"])
    if "values" in endpoint:
        return _range(endpoint["values"])
    flag, value = endpoint.get("flag"), endpoint["value"]
    if flag and value == 0:
        # "below the lowest dose (10 nM)" is short in a column of numbers.
        return f"below {flag[flag.index('(') + 1 : -1]}"
    return number(value) if value == math.inf or not flag else str(flag)


def _with_interval(value: float, interval: Sequence[float]) -> str:
    low, high = map(number, interval)
    return number(value) if low == high else f"{number(value)} ({low} to {high})"


def _fold_cell(outcome: Mapping[str, Any]) -> str:
    if "interval" in outcome:
        return _with_interval(outcome["fold"], outcome["interval"])
    return _range(outcome["folds"]) if "folds" in outcome else number(outcome["fold"])


def _range(values: np.ndarray) -> str:
    """The lowest and highest of many values, those that are no number left out."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return number(None)
    low, high = number(float(known.min())), number(float(known.max()))
    return low if low == high else f"{low} to {high}"


def _label_cell(labels: Any) -> str:
    """A label, or how often each of several occurs."""
    if isinstance(labels, str):
        return labels
    found, counts = np.unique(np.asarray(labels, dtype=str), return_counts=True)
    return ", ".join(f"{count} {label}" for label, count in zip(found, counts, strict=True))


def validation_tables(summary: Mapping[str, Any], width: int) -> Iterator[Table | Text]:
    """Published beside simulated numbers, by use: checks, calibration, context."""
    titles = {
        "check": "Checks",
        "calibrate": "Calibration: the model was fitted to these, so they prove nothing",
        "context": "Context: shown, not judged",
    }
    for use, title in titles.items():
        rows = [row for row in summary["rows"] if row["use"] == use]
        if rows:
            yield from tables(f"{summary['model']}. {title}", _validation_columns(rows), width)


def _validation_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    return [
        texts("id", (row["id"] for row in rows)),
        texts("verdict", (_verdict(row) for row in rows)),
        texts("observable", (row["observable"] for row in rows)),
        numbers("published", (row["published"] for row in rows)),
        Column("accepted", tuple(_band(row["low"], row["high"]) for row in rows), is_number=True),
        numbers("simulated", (row["simulated"] for row in rows)),
        texts("unit", (_unit(row["unit"]) for row in rows)),
    ]


def _unit(unit: str) -> str:
    return "" if unit == "dimensionless" else unit


def _band(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "-"
    if low is None or high is None:
        return f"up to {number(high)}" if low is None else f"from {number(low)}"
    return f"{number(low)} to {number(high)}"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["simulated"] is None:
        return "not computed"
    return {True: "hit", False: "miss", None: "not judged"}[row["hit"]]
