"""What a model was fitted to and how well, as Markdown made from its `calibration*.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from model_pages import markdown_table, prose

from myelode.files import TableRow, read_table
from myelode.fitting.table import COLUMNS


def calibrations(folder: Path) -> str:
    """Every table of a fit that stands beside the model, in the order of their names."""
    parts = [_calibration(file) for file in sorted(folder.glob("calibration*.tsv"))]
    return "\n\n".join(parts) or "No number of this model was fitted."


def _calibration(file: Path) -> str:
    rows = list(read_table(file, COLUMNS))
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("parameter", "series")}
    published = [row for row in rows if row["kind"] == "row"]
    parts = [f"`{file.name}`: {_objective(rows)}", _values(kinds["parameter"])]
    parts += [_series(kinds["series"])] if kinds["series"] else []
    parts += [_published(published)] if published else []
    return "\n\n".join(parts)


def _objective(rows: Sequence[TableRow]) -> str:
    """What the sum of squares was and is."""
    [row] = [row for row in rows if row["kind"] == "objective"]
    return f"sum of squares {row['before']} before and {row['value']} after, {row['note']}."


def _values(rows: Iterable[TableRow]) -> str:
    cells = (
        (
            f"`{row['name']}`",
            row["before"],
            f"{row['value']} {_unit(row)}".strip(),
            f"{row['low']} to {row['high']}" if row["low"] else "–",
            row["note"],
        )
        for row in rows
    )
    return markdown_table(("value", "before", "fitted", "95 % interval", "how known"), cells)


def _series(rows: Iterable[TableRow]) -> str:
    cells = (
        (f"`{row['name']}`", row["n"], row["before"], row["rms"], prose(row["note"]))
        for row in rows
    )
    headers = ("series", "readings", "error before", "error after", "instrument")
    return markdown_table(headers, cells)


def _published(rows: Iterable[TableRow]) -> str:
    cells = (
        (
            f"`{row['name']}`",
            f"{row['low']} to {row['high']} {_unit(row)}".strip(),
            row["value"],
            f"[{row['note']}]{{.verdict-{row['note']}}}" if row["note"] else "–",
        )
        for row in rows
    )
    return markdown_table(("published number", "band", "here", "verdict"), cells)


def _unit(row: TableRow) -> str:
    return "" if row["unit"] == "dimensionless" else row["unit"]
