"""What the trials of belantamab mafodotin published, and every cell that the vendor text printed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from myelode.errors import MyelodeError
from myelode.library import find_model
from myelode.model import load_model
from myelode.regulatory import ATTRIBUTE
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.trials import TrialNumber, read_trials, trial_arms

NUMBERS = read_trials(find_model("belantamab"))
FINAL, FIRST, SECOND = "2022-03-31", "first interim", "second interim"
INTERIM, LATER = "interim analysis", "later than"
LOW, HIGH = "DREAMM-2 2.5mg_per_kg", "DREAMM-2 3.4mg_per_kg"
BVD, BPD = "DREAMM-7 BVd", "DREAMM-8 BPd"

# The tables of the vendor text: arm, measure, cut-off, what it printed, and what was published.
CELLS = [
    (LOW, "ORR", FINAL, "32%", 32),
    (LOW, "PFS_median", FINAL, "2.8 months", 2.8),
    (LOW, "OS_median", FINAL, "15.3 months", 15.3),
    (HIGH, "ORR", FINAL, "35%", 35),
    (HIGH, "PFS_median", FINAL, "3.9 months", 3.9),
    (HIGH, "OS_median", FINAL, "14.0 months", 14.0),
    (BVD, "ORR", FIRST, "Not Reported", 82.7),
    (BVD, "PFS_median", FIRST, "36.6 months", 36.6),
    (BVD, "OS_median", SECOND, "Not Reached", math.inf),
    (BPD, "ORR", INTERIM, "71% (at 12 months)", 77),
    (BPD, "PFS_median", INTERIM, "Not Reached", math.inf),
    (BPD, "PFS_median", LATER, "Not Reached", 32.6),
    (BPD, "OS_median", INTERIM, "Not Reached", math.inf),
    (LOW, "keratopathy_grade_3_4", FINAL, "29%", 29),
    (HIGH, "keratopathy_grade_3_4", FINAL, "25%", 25),
    (LOW, "thrombocytopenia_grade_3_4", FINAL, "22%", 22),
    (HIGH, "thrombocytopenia_grade_3_4", FINAL, "29%", 29),
    (LOW, "anaemia_grade_3_4", FINAL, "21%", 21),
    (HIGH, "anaemia_grade_3_4", FINAL, "28%", 28),
]
WRONG = {("ORR", "Not Reported"), ("ORR", "71% (at 12 months)"), ("PFS_median", LATER)}
SCENARIO = """\
id: one_dose
title: one dose
model: belantamab
{more}
regimen: [{{at: 0 h, dose: {dose}}}]
observe: {{every: 6 h, until: 12 h, outputs: [ADC_total_mass]}}
"""
IN_PATIENT = "drug_iv, amount: 2.5 mg/kg"


def _one(arm: str, measure: str, cut_off: str = "") -> TrialNumber:
    [found] = trial_arms(NUMBERS, arm)
    [number] = [
        row for row in found.numbers if row.measure == measure and row.cut_off.startswith(cut_off)
    ]
    return number


@pytest.mark.parametrize(("arm", "measure", "cut_off", "printed", "value"), CELLS)
def test_every_cell_of_the_two_tables_is_kept_beside_what_was_published(
    arm: str, measure: str, cut_off: str, printed: str, value: float
) -> None:
    number = _one(arm, measure, cut_off)
    assert number.document_value == printed
    assert number.value == value
    assert number.source
    wrong = {(measure, printed), (measure, cut_off)} & WRONG
    assert number.differs is bool(wrong)


def test_nothing_else_is_ascribed_to_the_document() -> None:
    assert sum(bool(number.document_value) for number in NUMBERS) == len(CELLS)


def test_dreamm_8_has_response_and_landmark_survival_in_their_own_columns() -> None:
    response, survival = _one(BPD, "ORR"), _one(BPD, "PFS_at_12_months")
    assert (response.value, response.low, response.high) == (77, 70, 84)
    assert (survival.value, survival.low, survival.high) == (71, 63, 78)
    assert _one("DREAMM-8 PVd", "PFS_median", LATER).value == 12.5


@pytest.mark.parametrize(
    ("arm", "low", "value", "high"),
    [(BVD, 0.31, 0.41, 0.53), (BPD, 0.37, 0.52, 0.73), ("DREAMM-3 2.5mg_per_kg", 0.72, 1.03, 1.47)],
)
def test_hazard_ratios_have_their_intervals(
    arm: str, low: float, value: float, high: float
) -> None:
    ratio = _one(arm, "PFS_hazard_ratio")
    assert (ratio.low, ratio.value, ratio.high, ratio.level) == (low, value, high, 95)


def test_every_number_says_its_cut_off_or_that_none_was_found() -> None:
    assert all(number.cut_off for number in NUMBERS)


def _written(folder: Path, *more: str, dose: str = IN_PATIENT) -> str:
    path = folder / "one_dose.yaml"
    path.write_text(SCENARIO.format(more="\n".join(more), dose=dose))
    return str(path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("trial: DREAMM-9 BVd", "unknown trial 'DREAMM-9': did you mean 'DREAMM-"),
        ("trial: DREAMM-8 BVd", "trial DREAMM-8 has no arm 'BVd': did you mean 'PVd'"),
        ("compound: GSK-2401502", "belantamab mafodotin is GSK2857916"),
    ],
)
def test_unknown_trials_and_the_wrong_code_have_one_line(
    tmp_path: Path, more: str, message: str
) -> None:
    with pytest.raises(MyelodeError) as caught:
        simulate(load_scenario(_written(tmp_path, "variant: patient", more)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_both_accounts_of_clearance_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MyelodeError, match="exclude one another: a clearance that falls over time"):
        simulate(load_scenario(_written(tmp_path, "variant: patient + patient_tmdd")))


@pytest.mark.parametrize("variant", ["patient", "patient_tmdd"])
def test_results_for_patients_carry_the_regulatory_history(tmp_path: Path, variant: str) -> None:
    dataset = simulate(load_scenario(_written(tmp_path, f"variant: {variant}")))
    [said] = json.loads(dataset.attrs[ATTRIBUTE])
    assert said["date"] == "2025-10-23"
    for word in ("withdrawn", "DREAMM-3", "in combination", "boxed warning of ocular toxicity"):
        assert word in said["statement"]


def test_a_dish_has_no_regulatory_line() -> None:
    assert not load_model("belantamab").clinical
