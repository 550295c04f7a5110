"""The numbers that were fitted: they are those in the tables, and the fit would find them again."""

from __future__ import annotations

import csv
import math
from functools import lru_cache
from pathlib import Path

import pytest

from myelode.calibration import load_calibration
from myelode.fitting.fits import fit
from myelode.fitting.free_values import read_key
from myelode.fitting.problems import Evaluation, Problem, Request, read_problem
from myelode.fitting.residuals import rms
from myelode.library import find_model
from myelode.model import load_model
from myelode.perturbations import cell_lines
from myelode.units import factor
from myelode.validation import read_observations

FOLDER = find_model("cereblon")
STAGES = ("calibration", "calibration_viability")
DATA = "crbn_degradation.json"
PRINTED = 1e-4
"""Tables hold five digits."""

MRM = ("lenalidomide.alpha_IKZF1", "pomalidomide.alpha_IKZF3", "thalidomide.alpha_ZFP91")


def _table(stage: str) -> list[dict[str, str]]:
    with (FOLDER / f"{stage}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


FITTED = {
    row["name"]: row for stage in STAGES for row in _table(stage) if row["kind"] == "parameter"
}
SERIES = {row["name"]: row for row in _table("calibration") if row["kind"] == "series"}


@lru_cache
def _problem(data: Path) -> Problem:
    return read_problem(Request("cereblon", (data,)))


@lru_cache
def _committed(data: Path) -> Evaluation:
    problem = _problem(data)
    return problem.evaluate([math.log10(float(FITTED[v.key.text]["value"])) for v in problem.free])


@pytest.fixture(scope="module")
def data(external_checks: Path) -> Path:
    return external_checks / "data" / DATA


@pytest.mark.parametrize("name", sorted(FITTED))
def test_tables_hold_what_was_fitted(name: str) -> None:
    key, row = read_key(name), FITTED[name]
    model = load_model("cereblon", "protac")
    unit = model.entities[key.name].unit or ""
    if key.line is not None:
        found = cell_lines(model)[key.line].set[key.name] * factor(unit, row["unit"])
    else:
        rows = (
            model.parameters if key.compound is None else model.compounds.items[key.compound].rows
        )
        found = rows[key.name].value * factor(rows[key.name].unit, row["unit"])
        assert rows[key.name].evidence == "fitted"
    assert found == pytest.approx(float(row["value"]), rel=1e-12)


@pytest.mark.parametrize("stage", STAGES)
def test_free_values_are_those_of_the_table(stage: str) -> None:
    free = load_calibration(FOLDER / f"{stage}.yaml").content.parameters
    assert list(free) == [row["name"] for row in _table(stage) if row["kind"] == "parameter"]


@pytest.mark.parametrize("stage", STAGES)
def test_no_check_enters_a_fit(stage: str) -> None:
    checks = {row.id for row in read_observations(FOLDER) if row.use != "calibrate"}
    used = {row["name"] for row in _table(stage) if row["kind"] == "row"}
    rule = load_calibration(FOLDER / f"{stage}.yaml").content.rows
    assert rule is not None
    assert used == set(rule.only or ())
    assert used
    assert not used & checks


def test_the_negative_control_is_not_fitted() -> None:
    assert not [name for name in FITTED if name.endswith("GSPT1")]
    assert {name for name in SERIES if name.startswith("GSPT1")}


def test_errors_of_all_series_come_out_again(data: Path) -> None:
    found = _committed(data)
    assert list(found.series) == list(SERIES)
    for name, result in found.series.items():
        assert rms(result.residuals) == pytest.approx(float(SERIES[name]["rms"]), rel=1e-3), name


def test_the_objective_comes_out_again(data: Path) -> None:
    last = _table("calibration")[-1]
    assert last["kind"] == "objective"
    assert _committed(data).objective == pytest.approx(float(last["value"]), rel=1e-3)


def test_a_fit_from_the_committed_values_gains_nothing(data: Path) -> None:
    """A few values at a time: slopes over all of them take minutes."""
    found = fit("cereblon/mrm_time_courses", [data], parameters=MRM)
    residuals = sum(_sum(_committed(data), name) for name in found.after.series)
    after = sum(_sum(found.after, name) for name in found.after.series)
    assert after > 0.99 * residuals - 1.0


def _sum(result: Evaluation, name: str) -> float:
    return float((result.series[name].residuals ** 2).sum())


def test_the_negative_control_stays_within_its_scatter(data: Path) -> None:
    for name, result in _committed(data).series.items():
        if name.startswith("GSPT1"):
            assert rms(result.residuals) < 1, name
