"""Labels counted against the truth: by class and label, over perturbations and virtual lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.cli import main
from myelode.cli.summaries import over_lines
from myelode.errors import ModelError, ScenarioError
from myelode.model import load_model
from myelode.outcomes import check_expectations, evaluate
from myelode.perturbations import combine, perturbations, read_changes
from myelode.results import read_result, write_result
from myelode.scenario import Scenario, scenario_from_text
from myelode.scores import Confusion, confusions
from myelode.simulation import simulate

Score = Callable[..., tuple[xr.Dataset, dict[str, Confusion]]]
TOY = "compartment c; species A in c; A = x; x = 1; y = 1; k = 0; J: A -> ; c*k*A; B := y;"
TEXT = """\
id: gate
title: two numbers tell three classes apart
model: {model}
perturbations:
  - none
  - {{low: {{scale: {{x: 0.1}}, class: lost}}}}
  - {{lower: {{scale: {{x: 0.3}}, class: lost}}}}
  - {{shifted: {{set: {{y: 5}}, class: bypass}}}}
design: {{cross: {{x: [1, 2, 5, 20]}}}}
observe: {{until: 1, outputs: [A, B]}}
endpoints:
  a: {{of: A, take: max}}
  b: {{of: B, take: max}}
rules:
  kind: [{{label: lost, if: a < 0.55}}, {{label: bypass, if: b > 2 * reference.b}}, {{label: fine}}]
"""
SCORE = "scores: {typed: {rule: kind, accepts: {fine: [none]}}}"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "toy.ant"
    path.write_text(TOY)
    return path


@pytest.fixture
def scored(model_file: Path) -> Score:
    """Evaluates the scenario with further lines, or with pieces of it replaced."""

    def make(*lines: str, **swaps: str) -> tuple[xr.Dataset, dict[str, Confusion]]:
        scenario = _scenario(model_file, *lines, **swaps)
        result = evaluate(simulate(scenario))
        return result, confusions(result, scenario)

    return make


def _scenario(model_file: Path, *lines: str, **swaps: str) -> Scenario:
    text = TEXT.format(model=model_file)
    for old, new in swaps.items():
        assert old in text
        text = text.replace(old, new)
    return scenario_from_text(text + "\n".join(lines), "f")


def test_labels_are_counted_by_class(scored: Score) -> None:
    _, found = scored(SCORE)
    typed = found["typed"]
    assert typed.classes == ("none", "lost", "bypass")
    assert typed.labels == ("lost", "bypass", "fine")
    # x is 1, 2, 5, 20 in the four lines: low has a < 0.55 in three of them, lower in one.
    np.testing.assert_array_equal(typed.matrix, [[0, 0, 4], [4, 0, 4], [0, 4, 0]])
    assert typed.n == 16
    assert typed.correct == 12
    assert typed.accuracy == 0.75


def test_each_row_has_every_perturbation_and_line_of_its_class(scored: Score) -> None:
    _, found = scored(SCORE)
    np.testing.assert_array_equal(found["typed"].matrix.sum(axis=1), [4, 8, 4])


def test_without_lines_each_perturbation_counts_once(scored: Score) -> None:
    _, found = scored(SCORE, **{"design: {cross: {x: [1, 2, 5, 20]}}\n": ""})
    assert found["typed"].n == 4
    assert found["typed"].correct == 4


def test_a_label_is_right_for_a_class_of_its_name_or_those_it_accepts(scored: Score) -> None:
    _, plain = scored("scores: {typed: {rule: kind}}")
    assert plain["typed"].correct == 8
    _, wide = scored("scores: {typed: {rule: kind, accepts: {fine: [none, lost, lost]}}}")
    assert wide["typed"].correct == 16


def test_the_truth_may_be_a_map_that_comes_before_the_class(scored: Score) -> None:
    _, found = scored("scores: {typed: {rule: kind, truth: {none: fine, lower: fine}}}")
    typed = found["typed"]
    assert typed.classes == ("fine", "lost", "bypass")
    np.testing.assert_array_equal(typed.matrix, [[1, 0, 7], [3, 0, 1], [0, 4, 0]])
    assert typed.correct == 14


def test_the_result_holds_matrix_and_accuracy_and_can_be_stored(
    scored: Score, tmp_path: Path
) -> None:
    result, _ = scored("scores: {typed: {rule: kind}, other: {rule: kind, truth: {none: fine}}}")
    confusion = result["confusion_typed"]
    assert confusion.dims == ("mechanism", "label")
    assert list(result["mechanism"].values) == ["none", "lost", "bypass", "fine"]
    assert int(confusion.sel(mechanism="lost", label="fine")) == 4
    assert int(confusion.sel(mechanism="fine").sum()) == 0
    assert int(result["confusion_other"].sel(mechanism="none").sum()) == 0
    assert float(result["accuracy_other"]) == 0.75
    assert list(result["class"].values) == ["none", "lost", "lost", "bypass"]
    write_result(result, tmp_path / "scores.nc")
    assert read_result(tmp_path / "scores.nc").identical(result)


def test_an_expectation_may_use_the_accuracy(model_file: Path) -> None:
    scenario = _scenario(
        model_file, SCORE, "expect: [accuracy_typed == 0.75, accuracy_typed > 0.9]"
    )
    lines = check_expectations(evaluate(simulate(scenario)), scenario)
    assert [line.passed for line in lines] == [True, False]


def test_a_label_without_a_case_is_a_column_of_its_own(scored: Score) -> None:
    _, found = scored("scores: {typed: {rule: kind}}", **{", {label: fine}": ""})
    assert found["typed"].labels == ("lost", "bypass", "no label")
    assert found["typed"].matrix[:, 2].sum() == 8


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("{rule: kinds}", "f:16: scores.typed.rule: unknown rule 'kinds': did you mean 'kind'"),
        ("{rule: kind, accepts: {fin: [none]}}", "gives no label 'fin': did you mean 'fine'"),
        ("{rule: kind, accepts: {fine: [nine]}}", "no perturbation here has the class 'nine': did you mean"),
        ("{rule: kind, truth: {lows: lost}}", "'lows' is not among the perturbations: did you mean 'low"),
        ("{rule: kind, truth: {low: ''}}", "the perturbation 'low' has no class: give it one"),
        ("{rule: kind, truth: word}", "'word' is none of 'class'"),
        ("{rule: kind, except: {}}", "unknown key 'except': did you mean"),
    ],
)  # fmt: skip
def test_a_score_without_meaning_is_one_line(scored: Score, score: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        scored(f"scores: {{typed: {score}}}")
    assert "\n" not in str(caught.value)


def test_a_perturbation_without_class_is_named(scored: Score) -> None:
    with pytest.raises(
        ScenarioError, match="f:16: scores.typed: the perturbation 'lower' has no cl"
    ):
        scored(SCORE, **{"{x: 0.3}, class: lost": "{x: 0.3}"})


def test_a_rule_with_a_label_for_each_arm_has_no_score(scored: Score) -> None:
    arms = "arms: {one: [{at: 0, dose: A, add: 0}], two: [{at: 0, dose: A, add: 1}]}"
    with pytest.raises(ScenarioError, match="'kind' gives a label for each arm: a score needs one"):
        scored(SCORE, arms)


def test_names_that_a_score_gives_are_taken(scored: Score) -> None:
    with pytest.raises(ScenarioError, match="'accuracy_typed' is the name of an endpoint or rule"):
        scored(
            SCORE,
            **{
                "  a: {of: A, take: max}": "  a: {of: A, take: max}\n  accuracy_typed: {of: A, take: max}"
            },
        )
    with pytest.raises(ScenarioError, match="'label' is a name that the result itself uses"):
        scored(**{"  kind:": "  label:"})


def test_a_class_is_a_word_of_the_perturbation(tmp_path: Path, model_file: Path) -> None:
    model = load_model(model_file)
    one = read_changes(model, "one", {"scale": {"x": 2}, "class": "lost"})
    two = read_changes(model, "two", {"scale": {"y": 2}, "class": "bypass"})
    assert one.true_class == "lost"
    assert perturbations(model)["none"].true_class == "none"
    assert combine("one + two", [one, two]).true_class == "lost + bypass"
    assert combine("both", [one, read_changes(model, "x", {"class": "lost"})]).true_class == "lost"
    for wrong in (3, "", None, ["lost"]):
        with pytest.raises(ScenarioError, match="the class of 'one' must be a word"):
            read_changes(model, "one", {"class": wrong})


def test_a_fault_in_a_class_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "perturbations.yaml").write_text("one:\n  class: 3\n")
    (tmp_path / "variants.yaml").write_text("toy: {parts: [toy.ant]}\n")
    (tmp_path / "toy.ant").write_text(TOY)
    model = replace(load_model(tmp_path / "toy.ant"), folder=tmp_path, variant="toy")
    with pytest.raises(ModelError, match=r"perturbations.yaml:1: one: the class of 'one' must be"):
        perturbations(model)


def test_the_median_and_interval_are_those_of_lines() -> None:
    found = over_lines(np.arange(1.0, 101.0)[::-1])
    assert found == {"value": 50, "interval": [5, 95]}
    unsure = over_lines(np.array([np.nan, 1.0, np.inf, 2.0]))
    assert unsure == {"value": 2, "interval": [1, np.inf]}
    assert np.isnan(over_lines(np.array([np.nan]))["value"])


LINES = """\
id: lines
title: melflufen in virtual lines
model: melflufen
perturbations: [none, {repaired: {scale: {k_FA: 3}, class: repaired}}]
regimen:
  - {at: 0 h, label: pulse, dose: melflufen_medium, to: 1 uM}
  - {at: 2 h, label: wash, wash: medium, dilute: 1000}
design: {lines: {number: 5, seed: 2, vary: [k_FA, D50]}}
observe: {every: 1 h, until: 26 h, outputs: [gamma_h2ax]}
endpoints:
  peak: {of: gamma_h2ax, take: max}
  late: {of: gamma_h2ax, take: value, at: wash + 24 h}
  retained: {expr: late / peak}
outcome: {of: retained, resistant_if: fold < 0.8}
rules: {kind: [{label: repaired, if: retained < 0.5}, {label: none}]}
scores: {typed: {rule: kind}}
"""


def test_run_prints_medians_and_intervals_of_lines_and_the_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines.yaml").write_text(LINES)
    assert main(["run", str(tmp_path / "lines.yaml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lines"] == {"number": 5, "seed": 2}
    score = found["scores"]["typed"]
    assert score["classes"] == ["none", "repaired"]
    assert score["labels"] == ["repaired", "none"]
    assert sum(map(sum, score["matrix"])) == score["n"] == 10
    assert score["correct"] == 10 * score["accuracy"]
    repaired = found["perturbations"]["repaired"]
    retained = repaired["endpoints"]["retained"]
    low, high = retained["interval"]
    assert low <= retained["value"] <= high
    assert sorted(retained["values"])[2] == retained["value"]
    assert repaired["outcome"]["interval"][0] <= repaired["outcome"]["fold"]
    assert len(repaired["outcome"]["classes"]) == 5
    assert main(["run", str(tmp_path / "lines.yaml"), "--plot", str(tmp_path / "lines.svg")]) == 0
    shown = capsys.readouterr().out
    assert "5 virtual lines (seed 2, the first is typical)" in shown
    assert f"({low:.4g} to {high:.4g})" in shown
    assert f"typed: {score['correct']} of 10 right" in shown
    assert "virtual" in (tmp_path / "lines.svg").read_text()  # the caption may break after it
