"""Published numbers of trials: the table, its faults, and how a scenario names an arm."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from myelode.cli import main
from myelode.cli.checks import check_file
from myelode.descriptions import describe_model
from myelode.errors import ModelError, ScenarioError
from myelode.model import load_model
from myelode.outcomes import evaluate
from myelode.plan import make_plan
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import simulate
from myelode.trials import COLUMNS, read_trials, trial_arms

from .toys import DECAY, DECAY_TABLE

ROWS = [
    "HARE-1|2.5mg_per_kg|ORR|32|%|21.7|43.6|97.5|2020-01|literature|read|Nobody 2021|31 %|",
    "HARE-1|2.5mg_per_kg|PFS_median|2.8|month||||2022|literature|read|Nobody 2023|2.8 months|n=97",
    "HARE-1|2.5mg_per_kg|ORR|31|%||||2019-06|recalled|no|Nobody 2020||",
    "HARE-1|3.4mg_per_kg|OS_median|inf|month|14|inf|95|2022|literature|read|Nobody 2023|no word|",
    "TORTOISE|HR|HR_PFS|0.5|1|0.4|0.6|95|2024|literature|read-2nd|Somebody 2024||",
]
HEADER = "\t".join(COLUMNS)
SCENARIO = """\
id: imitation
title: two doses
model: {model}
{arms}
observe: {{every: 1 h, until: 4 h, outputs: [drug]}}
endpoints:
  peak: {{of: drug, take: max}}
{more}
"""
ARMS = """\
arms:
  low: [{at: 0 h, dose: drug, to: 1 uM}]
  high: [{at: 0 h, dose: drug, to: 2 uM}]
"""


def _cells(row: str) -> str:
    return row.replace("|", "\t")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with published numbers of two trials."""
    path = tmp_path / "decay"
    path.mkdir()
    (path / "decay.ant").write_text(DECAY)
    (path / "parameters.tsv").write_text(DECAY_TABLE)
    (path / "variants.yaml").write_text("only: {title: decay, parts: [decay.ant], model: decay}\n")
    _write(path, *ROWS)
    return path


def _write(folder: Path, *rows: str) -> None:
    (folder / "trials.tsv").write_text("\n".join([HEADER, *map(_cells, rows)]) + "\n")


def _scenario(folder: Path, more: str, arms: str = ARMS) -> Scenario:
    path = folder.parent / "imitation.yaml"
    path.write_text(SCENARIO.format(model=folder, arms=arms, more=more))
    return load_scenario(path)


def test_a_row_keeps_value_interval_and_cut_off(folder: Path) -> None:
    first, *_, hazard = read_trials(folder)
    assert (first.trial, first.arm, first.measure) == ("HARE-1", "2.5mg_per_kg", "ORR")
    assert (first.value, first.low, first.high, first.level) == (32.0, 21.7, 43.6, 97.5)
    assert (first.unit, first.cut_off, hazard.unit) == ("%", "2020-01", "1")


def test_what_was_not_reached_is_infinite(folder: Path) -> None:
    number = read_trials(folder)[3]
    assert number.value == math.inf
    assert number.as_data()["value"] == "inf"


def test_a_document_differs_by_another_number_or_by_none(folder: Path) -> None:
    assert [number.differs for number in read_trials(folder)] == [True, False, False, True, False]


@pytest.mark.parametrize(("value", "differs"), [("inf", False), ("32.6", True)])
def test_not_reached_is_infinity_in_a_document_too(folder: Path, value: str, differs: bool) -> None:
    _write(
        folder, ROWS[3].replace("no word", "Not Reached").replace("|inf|month", f"|{value}|month")
    )
    [number] = read_trials(folder)
    assert number.differs is differs


def test_a_model_needs_no_trials(tmp_path: Path) -> None:
    assert read_trials(tmp_path) == []
    assert read_trials(None) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("|32|", "|many|", "2: value 'many' is not a number"),
        ("|32|", "||", "2: ORR has no value"),
        ("|32|", "|nan|", "2: value 'nan' is not a number"),
        ("|21.7|", "|33|", r"2: ORR = 32 lies outside 33..43.6"),
        ("|43.6|", "|30|", r"2: ORR = 32 lies outside 21.7..30"),
        ("|97.5|", "|0.975x|", "2: level '0.975x' is not a number"),
        ("|97.5|", "|100|", "2: level 100 is no confidence level in %"),
        ("|21.7|43.6|", "|||", "2: a level of 97.5 % needs low and high"),
        ("|literature|", "|litterature|", "2: evidence 'litterature' is none of .*'literature'"),
        ("|read|", "|red|", "2: read 'red' is none of read, read-2nd, no"),
        ("|Nobody 2021|", "||", "2: ORR needs a source"),
        ("|%|", "||", "2: ORR has no unit: write 1 for a pure number"),
        ("|%|", "|sheep|", "2: unit: 'sheep' is not a known unit"),
        ("HARE-1|", "|", "2: trial '' must be one word"),
        ("HARE-1|", "HARE 1|", "2: trial 'HARE 1' must be one word"),
        ("|2020-01|", "|2019-06|", r"4: ORR of HARE-1 2.5mg_per_kg stands there twice"),
    ],
)
def test_faults_have_a_line(folder: Path, old: str, new: str, message: str) -> None:
    assert old in ROWS[0]
    _write(folder, ROWS[0].replace(old, new, 1), *ROWS[1:])
    with pytest.raises(ModelError, match=rf"trials.tsv:{message}"):
        read_trials(folder)
    [error] = check_file(str(folder)).errors
    assert "trials.tsv:" in error


def test_an_unknown_column_is_refused(folder: Path) -> None:
    path = folder / "trials.tsv"
    path.write_text(path.read_text().replace("cut_off", "cutoff", 1))
    with pytest.raises(ModelError, match=r"trials.tsv:1: the header must be trial arm measure"):
        read_trials(folder)


def test_a_trial_alone_means_all_of_its_arms(folder: Path) -> None:
    found = trial_arms(read_trials(folder), "HARE-1")
    assert [arm.name for arm in found] == ["HARE-1 2.5mg_per_kg", "HARE-1 3.4mg_per_kg"]
    assert [len(arm.numbers) for arm in found] == [3, 1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("trial: HARE-2", "trial: unknown trial 'HARE-2': did you mean 'HARE-1'?"),
        ("trial: LYNX", "unknown trial 'LYNX': known are HARE-1, TORTOISE"),
        ("trial: {low: HARE-1 2.5mg}", "trial.low: trial HARE-1 has no arm '2.5mg': known are 2.5"),
        ("trial: {low: HARE-1}", "trial.low: 'HARE-1' names no arm: write TRIAL ARM"),
        ("trial: {lo: HARE-1 2.5mg_per_kg}", "trial.lo: unknown arm 'lo': did you mean 'low'?"),
        ("trial: HARE-1 2.5mg_per_kg", "each arm has a trial arm of its own: {low: TRIAL ARM}"),
    ],
)
def test_unknown_trials_and_arms_have_a_line(folder: Path, more: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        make_plan(_scenario(folder, more))
    assert message in str(caught.value)
    assert "imitation.yaml:11: trial" in str(caught.value)


def test_a_model_without_trials_says_so(folder: Path) -> None:
    (folder / "trials.tsv").unlink()
    with pytest.raises(ScenarioError, match=r"model decay has no trials.tsv, and so no trial"):
        make_plan(_scenario(folder, "trial: HARE-1"))


def test_a_result_carries_the_numbers_and_who_imitates_them(folder: Path) -> None:
    more = "trial: {low: HARE-1 2.5mg_per_kg, high: HARE-1 2.5mg_per_kg}"
    dataset = simulate(_scenario(folder, more))
    [arm] = json.loads(dataset.attrs["published"])
    assert arm["imitated_by"] == ["low", "high"]
    assert arm["numbers"][0]["source"] == "Nobody 2021"
    assert evaluate(dataset).attrs["published"] == dataset.attrs["published"]
    assert "published" not in simulate(_scenario(folder, "")).attrs


def test_an_arm_of_the_same_name_imitates_it(folder: Path) -> None:
    _write(folder, *(row.replace("2.5mg_per_kg", "low") for row in ROWS))
    plan = make_plan(_scenario(folder, "trial: HARE-1"))
    assert [(arm.arm, arm.imitated_by) for arm in plan.published] == [
        ("low", ("low",)), ("3.4mg_per_kg", ()),
    ]  # fmt: skip


def test_run_prints_and_returns_the_published_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = "regimen: [{at: 0 h, dose: drug, to: 1 uM}]"
    _scenario(folder, "trial: HARE-1 2.5mg_per_kg", one)
    path = str(folder.parent / "imitation.yaml")
    assert main(["run", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["published"]["HARE-1 2.5mg_per_kg"]
    assert found["numbers"][0]["value"] == 32
    assert found["imitated_by"] == []
    assert main(["run", path]) == 0
    text = capsys.readouterr().out
    for said in ("Published: HARE-1 2.5mg_per_kg", "32 %", "21.7 to 43.6", "97.5 %"):
        assert said in text
    assert "DIFFERS: 31 %" in text


def test_show_lists_every_number(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(describe_model(load_model(folder))["trials"]) == len(ROWS)
    assert main(["show", str(folder), "--trials"]) == 0
    text = capsys.readouterr().out
    assert "HARE-1" in text
    assert "not reached" in text
    assert main(["show", str(folder)]) == 0
    assert "5 published numbers of trials: --trials shows them" in capsys.readouterr().out
