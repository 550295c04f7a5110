"""A fit as a table of text, to be kept beside the model: values, errors per series, rows.

It holds no time and no path, so the same fit gives the same file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from myelode import files
from myelode.calibration import FITTED, Observation
from myelode.fitting.fits import Fit
from myelode.fitting.residuals import rms
from myelode.validation import is_hit

COLUMNS = ("kind", "name", "value", "unit", "low", "high", "before", "n", "rms", "note")
_Cell = str | float | int | None


def write_table(found: Fit, path: Path) -> None:
    """Write the table of a fit, whole or not at all."""
    files.write_table(path, table(found))


def table(found: Fit) -> list[tuple[str, ...]]:
    """The header and all rows, as text with five digits."""
    rows: list[tuple[_Cell, ...]] = [*_parameters(found), *_series(found), *_rows(found)]
    data = [*found.after.series.values()], [*found.after.rows.values()]
    number = sum(len(item.residuals) for item in data[0]) + len(data[1])
    rows.append(
        ("objective", "sum of squares", found.after.objective, "dimensionless", None, None,
         found.before.objective, number, None, "priors included")
    )  # fmt: skip
    return [COLUMNS, *(tuple(map(_text, row)) for row in rows)]


def _text(cell: _Cell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return f"{cell:.5g}" if isinstance(cell, float) else str(cell)


def _parameters(found: Fit) -> Iterator[tuple[_Cell, ...]]:
    for free, estimate in zip(found.problem.free, found.values, strict=True):
        low, high = estimate.interval or (None, None)
        yield (
            "parameter", free.key.text, estimate.value, free.unit, low, high, free.before, None,
            None, estimate.word,
        )  # fmt: skip


def _series(found: Fit) -> Iterator[tuple[_Cell, ...]]:
    """One row per series; `before` is its error with the values before the fit."""
    for name, target in found.problem.targets.items():
        after, before = found.after.series[name], found.before.series[name]
        yield (
            "series", name, None, target.records.value.unit, None, None, rms(before.residuals),
            len(after.residuals), rms(after.residuals),
            instrument(target.series.observation, after.coefficients),
        )  # fmt: skip


def instrument(rule: Observation, coefficients: tuple[float, float]) -> str:
    """The coefficients of an instrument that were free, in words."""
    parts = (("scale", rule.scale, coefficients[0]), ("offset", rule.offset, coefficients[1]))
    return ", ".join(f"{name} {value:.4g}" for name, given, value in parts if given == FITTED)


def _rows(found: Fit) -> Iterator[tuple[_Cell, ...]]:
    for name, row in found.problem.rows.items():
        simulated, residual = found.after.rows[name]
        verdict = {True: "hit", False: "miss", None: ""}[is_hit(row, simulated)]
        yield (
            "row", name, simulated, row.unit, row.low, row.high, found.before.rows[name][0], 1,
            abs(residual), verdict,
        )  # fmt: skip
