"""The tree of measurements against the rule of the source document, on two hundred virtual lines."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from myelode.files import TableRow
from myelode.labels import confusions_in, read_labels, write_labels
from myelode.library import models
from myelode.outcomes import evaluate
from myelode.scenario import Scenario, load_scenario
from myelode.scores import Confusion
from myelode.sections import ScoreRule
from myelode.simulation import simulate

NAME = "melflufen/decision_tree"
LINES, FEW = 200, 2
TYPE_1 = {"Type 1, peptidases", "Type 1, esterases or entry"}


@pytest.fixture(scope="module")
def table() -> Path:
    return models()["melflufen"] / "decision_tree_lines.tsv"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(NAME)


@pytest.fixture(scope="module")
def rows(table: Path, scenario: Scenario) -> list[TableRow]:
    return read_labels(table, scenario)


@pytest.fixture(scope="module")
def found(rows: list[TableRow], scenario: Scenario) -> dict[str, Confusion]:
    return confusions_in(rows, scenario)


def _share(rows: list[TableRow], rule: str, perturbation: str, *labels: str) -> float:
    counts = Counter(row[rule] for row in rows if row["perturbation"] == perturbation)
    return sum(counts[label] for label in labels) / LINES


def test_a_fresh_run_of_a_few_lines_gives_the_first_rows_again(table: Path, tmp_path: Path) -> None:
    scenario = load_scenario(NAME, [f"design.lines.number={FEW}"])
    result = evaluate(simulate(scenario))
    write_labels(result, scenario, tmp_path / "few.tsv")
    fresh = (tmp_path / "few.tsv").read_text(encoding="utf-8").splitlines()
    shipped = table.read_text(encoding="utf-8").splitlines()
    assert fresh == shipped[: 1 + FEW * result.sizes["perturbation"]]


def test_every_line_has_every_perturbation_once(rows: list[TableRow]) -> None:
    places = Counter((row["perturbation"], row["line"]) for row in rows)
    assert set(places.values()) == {1}
    assert {line for _, line in places} == {str(number) for number in range(LINES)}
    assert len(rows) == 12 * LINES


def test_the_matrices_count_the_rows(rows: list[TableRow], found: dict[str, Confusion]) -> None:
    for rule, matrix in found.items():
        counts = Counter((row["class"], row[rule]) for row in rows)
        for number, word in enumerate(matrix.classes):
            for at, label in enumerate(matrix.labels):
                assert matrix.matrix[number, at] == counts[word, label]


def test_the_tree_is_right_twice_as_often(found: dict[str, Confusion]) -> None:
    assert 0.6 < found["tree"].accuracy < 0.75
    assert found["source_rule"].accuracy < 0.6 * found["tree"].accuracy


def _by_class(found: Confusion, score: ScoreRule) -> list[str]:
    """The share of right labels of each class, in whole percent."""
    shares = []
    for word, row in zip(found.classes, found.matrix, strict=True):
        fits = [word in score.accepts.get(label, [label]) for label in found.labels]
        shares.append(f"{100 * row[fits].sum() / row.sum():.0f}")
    return shares


def test_the_description_says_what_the_table_says(
    scenario: Scenario, found: dict[str, Confusion]
) -> None:
    said = " ".join(str(scenario.description).split())
    tree, source = (_by_class(found[name], scenario.scores[name]) for name in found)
    assert f"the tree is right in {found['tree'].accuracy:.0%}".replace("%", " %") in said
    assert f"the rule in {found['source_rule'].accuracy:.0%}".replace("%", " %") in said
    assert f"the tree has {', '.join(tree[:-1])} and {tree[-1]} %" in said
    assert f"the rule {', '.join(source[:-1])} and {source[-1]} %" in said


def test_what_the_tree_misses_is_hardly_resistant(rows: list[TableRow]) -> None:
    """A change that costs less than twice the drug ends at the first step."""
    for weak, strong in (
        ("peptidase_low", "peptidase_and_esterase_low"),
        ("gsh_high", "gsh_gst_high"),
        ("mcl1_high", "mcl1_and_bcl2_high"),
    ):
        assert _share(rows, "tree", weak, "not resistant") > 0.5
        assert _share(rows, "tree", strong, "not resistant") < 0.2
    assert _share(rows, "tree", "parent_again", "not resistant") > 0.97


def test_most_of_the_strong_changes_are_told_right(rows: list[TableRow]) -> None:
    right = {
        "peptidase_and_esterase_low": TYPE_1, "repair_high": {"repair"},
        "efflux_higher": {"efflux"}, "gsh_gst_high": {"glutathione"},
        "mcl1_and_bcl2_high": {"survival"},
    }  # fmt: skip
    shares = [_share(rows, "tree", name, *labels) for name, labels in right.items()]
    assert sum(shares) / len(shares) == pytest.approx(0.85, abs=0.005)


def test_the_tree_tells_apart_what_it_calls_resistant(rows: list[TableRow]) -> None:
    assert _share(rows, "tree", "peptidase_and_esterase_low", *TYPE_1) > 0.9
    assert _share(rows, "tree", "efflux_high", "efflux") > 0.9
    assert _share(rows, "tree", "gsh_gst_high", "glutathione") > 0.9
    called = 1 - _share(rows, "tree", "repair_high", "not resistant")
    assert _share(rows, "tree", "repair_high", "repair") > 0.7 * called
    called = 1 - _share(rows, "tree", "mcl1_and_bcl2_high", "not resistant")
    assert _share(rows, "tree", "mcl1_and_bcl2_high", "survival") > 0.6 * called


def test_the_source_document_has_a_word_for_peptidases_alone(rows: list[TableRow]) -> None:
    assert _share(rows, "source_rule", "peptidase_low", "Type 1") > 0.97
    for name in ("efflux_high", "gsh_gst_high", "mcl1_and_bcl2_high"):
        assert _share(rows, "source_rule", name, "sensitive") > 0.9
    assert _share(rows, "source_rule", "repair_high", "Type 2") < 0.35
