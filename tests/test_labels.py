"""Tables of labels: what many lines gave, written once and counted again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from myelode.cli import main
from myelode.errors import ModelError, ScenarioError
from myelode.labels import confusions_in, label_columns, read_labels, write_labels
from myelode.outcomes import evaluate
from myelode.scenario import Scenario, load_scenario
from myelode.scores import confusions
from myelode.simulation import simulate

from .toys import DECAY, DECAY_TABLE, swapped, write_files

TEXT = """\
id: gate
title: one number tells three classes apart, in lines that differ
model: {model}
perturbations:
  - none
  - slow: {{scale: {{k: 0.2}}, class: slowed}}
  - fast: {{scale: {{k: 3}}, class: hastened}}
{design}
regimen:
  - {{at: 0 h, dose: drug, to: 1 uM}}
observe: {{until: 2 h, outputs: [drug]}}
assays:
  reader: {{of: drug, cv: 0.3}}
endpoints:
  left: {{of: reader, take: value, at: 2 h}}
rules:
  kind:
    - {{label: slowed, if: left > 1.5 * reference.left}}
    - {{label: too fast, if: left < 0.7 * reference.left}}
    - {{label: as ever}}
  guess: [{{label: slowed}}]
scores:
  typed: {{rule: kind, accepts: {{as ever: [none], too fast: [hastened]}}}}
"""
LINES = "design: {lines: {number: 3, seed: 2}}"

Gate = Callable[..., Path]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Writes a scenario of virtual lines, or of another design, and its model."""
    table = DECAY_TABLE.replace("loss\tfixed\t\t\t", "loss\tfixed\t\tlognormal(cv=0.5)\t")
    files = {
        "decay.ant": DECAY,
        "parameters.tsv": table,
        "variants.yaml": "only: {title: toy, parts: [decay.ant], default: true}\n",
    }
    folder = write_files(tmp_path / "toy", files)

    def make(*swaps: tuple[str, str], design: str = LINES) -> Path:
        path = tmp_path / "gate.yaml"
        path.write_text(swapped(TEXT.format(model=folder, design=design), swaps))
        return path

    return make


def _evaluated(path: Path) -> tuple[xr.Dataset, Scenario]:
    scenario = load_scenario(path)
    return evaluate(simulate(scenario)), scenario


def _table(result: xr.Dataset, scenario: Scenario, path: Path) -> list[list[str]]:
    write_labels(result, scenario, path)
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_table_has_a_row_for_every_line_and_perturbation(gate: Gate, tmp_path: Path) -> None:
    result, scenario = _evaluated(gate())
    header, *rows = _table(result, scenario, tmp_path / "labels.tsv")
    assert header == ["perturbation", "class", "line", "kind", "guess"]
    assert [row[:3] for row in rows] == [
        [name, word, str(line)]
        for line in range(3)
        for name, word in (("none", "none"), ("slow", "slowed"), ("fast", "hastened"))
    ]
    for name, _, line, *labels in rows:
        at = result.sel(perturbation=name).isel(sample=int(line))
        assert labels == [at["kind"].item(), at["guess"].item()]


def test_fewer_lines_are_the_beginning_of_more(gate: Gate, tmp_path: Path) -> None:
    few = _table(*_evaluated(gate()), tmp_path / "few.tsv")
    more = _table(*_evaluated(gate(design=LINES.replace("3", "9"))), tmp_path / "more.tsv")
    assert few == more[: len(few)]
    assert {row[3] for row in more} >= {"slowed", "as ever", "too fast"}


def test_the_matrix_counted_from_a_table_is_that_of_the_run(gate: Gate, tmp_path: Path) -> None:
    result, scenario = _evaluated(gate())
    path = tmp_path / "labels.tsv"
    write_labels(result, scenario, path)
    counted, computed = (
        confusions_in(read_labels(path, scenario), scenario),
        confusions(result, scenario),
    )
    assert list(counted) == ["typed"]
    assert (counted["typed"].matrix == computed["typed"].matrix).all()
    assert counted["typed"].labels == computed["typed"].labels
    assert counted["typed"].correct == computed["typed"].correct


@pytest.mark.parametrize(
    ("design", "third"),
    [("design: {cross: {k: [1 1/h, 2 1/h]}}", ["sample"]), ("", [])],
)
def test_the_third_column_says_what_tells_runs_apart(
    gate: Gate, tmp_path: Path, design: str, third: list[str]
) -> None:
    result, scenario = _evaluated(gate(design=design))
    header, *rows = _table(result, scenario, tmp_path / "labels.tsv")
    assert header == ["perturbation", "class", *third, "kind", "guess"]
    assert len(rows) == 3 * (2 if third else 1)


def test_without_rules_there_are_no_labels(gate: Gate) -> None:
    path = gate()
    path.write_text(path.read_text().partition("rules:")[0])
    with pytest.raises(ScenarioError, match="gate has no rules, so there are no labels"):
        label_columns(load_scenario(path))


def test_a_rule_with_a_label_for_each_arm_is_refused(gate: Gate, tmp_path: Path) -> None:
    twice = "arms: {one: [], two: []}\n"
    path = gate(("regimen:\n  - {at: 0 h, dose: drug, to: 1 uM}\n", twice))
    path.write_text(path.read_text().partition("scores:")[0])
    result, scenario = _evaluated(path)
    with pytest.raises(ScenarioError, match=r"rules\.kind: gives a label for each arm"):
        write_labels(result, scenario, tmp_path / "labels.tsv")
    assert not (tmp_path / "labels.tsv").exists()


def test_a_label_that_breaks_its_row_is_refused(gate: Gate, tmp_path: Path) -> None:
    path = gate(("label: as ever", r'label: "as\tever"'), ("{as ever: [none], too", "{too"))
    result, scenario = _evaluated(path)
    with pytest.raises(ScenarioError, match=r"rules\.kind: 'as\\tever' does not fit into a table"):
        write_labels(result, scenario, tmp_path / "labels.tsv")


def test_a_table_of_another_scenario_is_refused(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("perturbation\tclass\tline\tother\n")
    with pytest.raises(ModelError, match="perturbation class line kind guess"):
        read_labels(tmp_path / "labels.tsv", load_scenario(gate()))


def test_the_command_writes_the_table(
    gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, wanted = gate(), tmp_path / "labels.tsv"
    assert main(["run", str(path), "--labels", str(wanted)]) == 0
    assert f"Labels: {wanted}" in " ".join(capsys.readouterr().out.split("\n"))
    assert len(wanted.read_text().splitlines()) == 10


def test_labels_are_asked_for_before_anything_runs(
    gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = gate()
    path.write_text(path.read_text().partition("rules:")[0])
    assert main(["run", str(path), "--labels", str(tmp_path / "labels.tsv")]) == 2
    assert "no rules" in capsys.readouterr().err
    missing = tmp_path / "nowhere" / "labels.tsv"
    assert main(["run", str(gate()), "--labels", str(missing)]) == 2
    assert "there is no folder" in capsys.readouterr().err
