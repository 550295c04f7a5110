"""The labels of every rule as a table: one row for each virtual line and perturbation.

Such a table keeps what many lines gave, so that it can be counted again without running them. What
a line draws and reads does not depend on how many there are: the table of fewer lines is the
beginning of that of more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.files import TableRow, read_table, write_table
from myelode.scenario import Scenario
from myelode.scores import CLASS, Confusion, count_labels, true_classes, words_of

PERTURBATION = "perturbation"


def label_columns(scenario: Scenario) -> tuple[str, ...]:
    """The header: perturbation, its class, the virtual line or patient, and a column per rule.

    Raises ScenarioError for a scenario without rules.
    """
    if not scenario.rules:
        raise ScenarioError(f"{scenario.id} has no rules, so there are no labels to write")
    return (PERTURBATION, CLASS, *_sample(scenario), *scenario.rules)


def write_labels(result: xr.Dataset, scenario: Scenario, path: Path) -> None:
    """Write the labels of an evaluated scenario as tab-separated text: all of it or nothing.

    Raises ScenarioError for a scenario without rules, or with a rule that has several labels for
    one perturbation and line.
    """
    write_table(path, [label_columns(scenario), *_rows(result, scenario)])


def read_labels(path: Path, scenario: Scenario) -> list[TableRow]:
    """The rows of a table of labels of this scenario; raises ModelError with the line."""
    return read_table(path, label_columns(scenario))


def confusions_in(rows: list[TableRow], scenario: Scenario) -> dict[str, Confusion]:
    """The confusion matrix of every score, counted from the rows of a table."""
    truths = true_classes(scenario, {row[PERTURBATION]: row[CLASS] for row in rows})
    found = {}
    for name, score in scenario.scores.items():
        labels: dict[str, list[str]] = {}
        for row in rows:
            labels.setdefault(row[PERTURBATION], []).append(row[score.rule])
        cases = [case.label for case in scenario.rules[score.rule]]
        found[name] = count_labels(labels, score, truths[name], cases)
    return found


def _sample(scenario: Scenario) -> tuple[str, ...]:
    """What tells the runs of one perturbation apart, in one word; nothing where there is one."""
    design = scenario.design
    if design.subjects is not None:
        return (design.subjects.word,)
    return ("sample",) if design.cross or design.zip else ()


def _rows(result: xr.Dataset, scenario: Scenario) -> Iterator[tuple[str, ...]]:
    """One row after the other, line by line."""
    words = words_of(result)
    samples = result["sample"].values if _sample(scenario) else np.zeros(1, dtype=int)
    tables = [_table(result[name], len(samples), scenario) for name in scenario.rules]
    for at, sample in enumerate(samples):
        which = (str(sample),) if _sample(scenario) else ()
        for number, (perturbation, word) in enumerate(words.items()):
            yield (perturbation, word, *which, *(str(table[number, at]) for table in tables))


def _table(given: xr.DataArray, number: int, scenario: Scenario) -> np.ndarray:
    """Labels by perturbation and line; refused where there are several, or one breaks its row."""
    with scenario.at("rules", str(given.name)):
        if others := [str(dim) for dim in given.dims if dim not in (PERTURBATION, "sample")]:
            raise ScenarioError(
                f"gives a label for each {' and '.join(others)}: a table of labels has one for "
                "each perturbation and line"
            )
        if broken := [str(label) for label in given.values.ravel() if _breaks(str(label))]:
            raise ScenarioError(f"{broken[0]!r} does not fit into a table: no tabs, no line breaks")
    # A rule that asks for nothing that differs between lines has one label for all of them.
    whole = given if "sample" in given.dims else given.expand_dims(sample=number)
    return np.asarray(whole.transpose(PERTURBATION, "sample").values)


def _breaks(label: str) -> bool:
    return label != " ".join(label.split())
