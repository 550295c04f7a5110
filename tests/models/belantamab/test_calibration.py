"""The numbers that were fitted: they are those in the tables, and a fit would find them again."""

from __future__ import annotations

import csv
import math
from functools import lru_cache

import pytest
import xarray as xr

from myelode.calibration import load_calibration
from myelode.engines import Tolerances
from myelode.fitting.problems import Request, read_problem
from myelode.library import find_model
from myelode.model import load_model
from myelode.scenario import load_scenario
from myelode.simulation import evaluate_plan, plan_scenario
from myelode.validation import Observation, is_hit, read_observations, simulated_value

FOLDER = find_model("belantamab")
STAGES = ("calibration_payload", "calibration_turnover", "calibration_potency", "calibration_kill")
QUICK = ("calibration_payload", "calibration_turnover", "calibration_kill")
KINETICS = ("BELA-01", "BELA-02", "BELA-03", "BELA-04", "BELA-05")
"""Rows that the published parameters meet without a fit."""


def _table(stage: str) -> list[dict[str, str]]:
    with (FOLDER / f"{stage}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _rows(stage: str, kind: str) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in _table(stage) if row["kind"] == kind}


FITTED = {name: row for stage in STAGES for name, row in _rows(stage, "parameter").items()}


@lru_cache
def _observations() -> dict[str, Observation]:
    return {row.id: row for row in read_observations(FOLDER)}


@lru_cache
def _evaluated(name: str) -> xr.Dataset:
    return evaluate_plan(plan_scenario(load_scenario(name)), "auto", Tolerances())


def _hit(row: Observation) -> bool | None:
    return is_hit(row, simulated_value(row, _evaluated(row.scenario)))


@pytest.mark.parametrize("name", sorted(FITTED))
def test_tables_hold_what_was_fitted(name: str) -> None:
    row = load_model("belantamab", "patient").parameters[name]
    assert row.evidence == "fitted"
    assert row.unit.replace(" ", "") in (FITTED[name]["unit"], "dimensionless")
    assert row.value == pytest.approx(float(FITTED[name]["value"]), rel=1e-12)


@pytest.mark.parametrize("stage", STAGES)
def test_free_values_are_those_of_the_table(stage: str) -> None:
    free = load_calibration(FOLDER / f"{stage}.yaml").content.parameters
    assert list(free) == list(_rows(stage, "parameter"))


@pytest.mark.parametrize("stage", STAGES)
def test_no_check_enters_a_fit(stage: str) -> None:
    rule = load_calibration(FOLDER / f"{stage}.yaml").content.rows
    assert rule is not None
    used = set(_rows(stage, "row"))
    assert used == set(rule.only or ())
    assert all(_observations()[name].use == "calibrate" for name in used)


def test_no_value_is_fitted_twice() -> None:
    names = [name for stage in STAGES for name in _rows(stage, "parameter")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("stage", QUICK)
def test_the_objective_comes_out_again(stage: str) -> None:
    """The third stage takes a ladder in four lines for two weeks: its rows are validated instead."""
    problem = read_problem(Request("belantamab", (), calibration=FOLDER / f"{stage}.yaml"))
    here = [math.log10(float(FITTED[value.key.text]["value"])) for value in problem.free]
    objective = float(_table(stage)[-1]["value"])
    assert problem.evaluate(here).objective == pytest.approx(objective, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("start", KINETICS)
def test_kinetics_need_no_fit(start: str) -> None:
    for row in _observations().values():
        if row.id.startswith(start):
            assert _hit(row), row.id
            assert not {row.id} & {name for stage in STAGES for name in _rows(stage, "row")}


@pytest.mark.parametrize("identifier", ["BELA-10a", "BELA-10b", "BELA-11", "BELA-12a"])
def test_turnover_of_bcma(identifier: str) -> None:
    assert _hit(_observations()[identifier])


def test_capacity_follows_the_tumour() -> None:
    """150 g/L of paraprotein at the cells per g/L of the typical patient."""
    rows = load_model("belantamab", "patient").parameters
    cells = 150 * rows["N0"].value / rows["M0"].value
    assert rows["K_max"].value == pytest.approx(cells, rel=1e-4)


def test_rows_without_scenario_say_why() -> None:
    assert all(row.note for row in _observations().values() if not row.scenario)
