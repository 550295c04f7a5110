"""Which published numbers a calibration is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from myelode.calibration import CalibrationFile
from myelode.errors import best_matches
from myelode.fitting.predictions import Rows, model_of
from myelode.library import find_scenario
from myelode.scenario import load_scenario
from myelode.validation import Observation, read_observations


def rows_of(
    found: CalibrationFile, folder: Path, scenario: Path | None
) -> tuple[list[Rows], list[str]]:
    """The rows of a model's observations that calibrate, by scenario, and those left out with why.

    Rows for checks never enter. Only those of one scenario where its path is given.
    """
    groups: dict[Path, list[Observation]] = {}
    left_out = []
    rows = [row for row in read_observations(folder) if row.use == "calibrate"]
    chosen = _chosen(found, rows)
    for row in rows:
        path = find_scenario(row.scenario).resolve() if row.scenario else None
        if scenario is not None and path != scenario:
            continue
        if row.id not in chosen:
            left_out.append(f"{row.id}: the calibration leaves it out")
        elif path is None or not _has_number(row):
            left_out.append(f"{row.id}: {'no number' if path else 'no scenario computes it'}")
        else:
            groups.setdefault(path, []).append(row)
    return [_rows(path, rows) for path, rows in groups.items()], left_out


def _chosen(found: CalibrationFile, rows: Sequence[Observation]) -> list[str]:
    """The rows that take part: all that calibrate, or those of them that the calibration names."""
    known = [row.id for row in rows]
    rule = found.content.rows
    if rule is None or rule.only is None:
        return known
    for number, name in enumerate(rule.only):
        if name not in known:
            hint = best_matches(name, known)
            raise found.error(f"no row that calibrates is {name!r}{hint}", "rows", "only", number)
    return rule.only


def _has_number(row: Observation) -> bool:
    numbers = (row.value, row.low, row.high)
    return any(number is not None and np.isfinite(number) for number in numbers)


def _rows(path: Path, rows: Sequence[Observation]) -> Rows:
    scenario = load_scenario(path)
    return Rows(scenario, model_of(scenario), tuple(rows))
