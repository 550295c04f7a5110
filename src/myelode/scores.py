"""How often the labels of a rule are right: confusion matrices over perturbations and lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError, best_matches
from myelode.perturbations import REFERENCE
from myelode.scenario import Scenario
from myelode.sections import ScoreRule

CLASS = "class"


@dataclass(frozen=True)
class Confusion:
    """How often the perturbations of each class (rows) got each label of a rule (columns)."""

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    matrix: np.ndarray
    correct: int

    @property
    def n(self) -> int:
        """How many labels were given: perturbations times lines."""
        return int(self.matrix.sum())

    @property
    def accuracy(self) -> float:
        """The share of labels that are right."""
        return self.correct / self.n


def confusions(result: xr.Dataset, scenario: Scenario) -> dict[str, Confusion]:
    """The confusion matrix of every score of a scenario, from the labels of its rules.

    Raises ScenarioError for a perturbation whose class is not known.
    """
    truths = true_classes(scenario, words_of(result))
    found = {}
    for name, score in scenario.scores.items():
        with scenario.at("scores", name, "rule"):
            cases = [case.label for case in scenario.rules[score.rule]]
            found[name] = _count(result[score.rule], score, truths[name], cases)
    return found


def true_classes(scenario: Scenario, words: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The class of every perturbation for every score; `words` are those of the model.

    Raises ScenarioError for a perturbation without class, and for a class that none has.
    """
    found: dict[str, Mapping[str, str]] = {}
    for name, score in scenario.scores.items():
        with scenario.at("scores", name):
            found[name] = _truth(words, score)
        with scenario.at("scores", name, "accepts"):
            _require_classes(score, found[name].values())
    return found


def add_scores(result: xr.Dataset, scenario: Scenario) -> None:
    """Add ``confusion_NAME`` over ``mechanism`` and ``label``, and ``accuracy_NAME``, per score.

    All scores share both coordinates: a class or label that one of them does not know counts 0.
    """
    found = confusions(result, scenario)
    classes = list(dict.fromkeys(word for item in found.values() for word in item.classes))
    labels = list(dict.fromkeys(word for item in found.values() for word in item.labels))
    if found:
        result["mechanism"] = ("mechanism", np.array(classes, dtype=object))
        result["label"] = ("label", np.array(labels, dtype=object))
    for name, item in found.items():
        matrix = np.zeros((len(classes), len(labels)), dtype=np.int64)
        rows, columns = map(classes.index, item.classes), map(labels.index, item.labels)
        matrix[np.ix_(list(rows), list(columns))] = item.matrix
        title = scenario.scores[name].title or name.replace("_", " ")
        attributes = {"units": "dimensionless", "rule": scenario.scores[name].rule}
        confusion = {**attributes, "long_name": f"number of labels, {title}"}
        accuracy = {**attributes, "long_name": f"share of right labels, {title}"}
        result[f"confusion_{name}"] = (("mechanism", "label"), matrix, confusion)
        result[f"accuracy_{name}"] = ((), item.accuracy, accuracy)


def words_of(result: xr.Dataset) -> dict[str, str]:
    """The word of every perturbation that its definition gives; only a reference has its own."""
    names = [str(name) for name in result["perturbation"].values]
    if CLASS not in result.coords:
        return {name: name if name == REFERENCE else "" for name in names}
    return dict(zip(names, map(str, result.coords[CLASS].values), strict=True))


def _truth(words: Mapping[str, str], score: ScoreRule) -> dict[str, str]:
    """The class of every perturbation; a map in the score comes before the model's own word."""
    told = score.truth if isinstance(score.truth, dict) else {}
    truth = {name: told.get(name, word) for name, word in words.items()}
    for name, word in truth.items():
        if not word:
            raise ScenarioError(
                f"the perturbation {name!r} has no class: give it one (class: WORD) where it is "
                f"defined, or under truth ({name}: WORD)"
            )
    return truth


def _require_classes(score: ScoreRule, classes: Iterable[str]) -> None:
    known = set(classes)
    for label, accepted in score.accepts.items():
        for word in accepted:
            if word not in known:
                hint = best_matches(word, known)
                raise ScenarioError(f"{label}: no perturbation here has the class {word!r}{hint}")


def _count(
    given: xr.DataArray, score: ScoreRule, truth: Mapping[str, str], cases: Sequence[str]
) -> Confusion:
    """Labels counted by class; `cases` are those of the rule, which come first."""
    if others := [str(dim) for dim in given.dims if dim not in ("perturbation", "sample")]:
        raise ScenarioError(
            f"the rule {score.rule!r} gives a label for each {' and '.join(others)}: "
            "a score needs one for each perturbation and line"
        )
    found = given.transpose("perturbation", ...).values.reshape(given.sizes["perturbation"], -1)
    named = zip(map(str, given["perturbation"].values), found, strict=True)
    return count_labels({name: [*map(str, row)] for name, row in named}, score, truth, cases)


def count_labels(
    given: Mapping[str, Sequence[str]], score: ScoreRule, truth: Mapping[str, str],
    cases: Sequence[str],
) -> Confusion:  # fmt: skip
    """The labels of every perturbation, counted by its class; `cases` come first."""
    labels = tuple(dict.fromkeys([*cases, *(label for row in given.values() for label in row)]))
    classes = tuple(dict.fromkeys(truth.values()))
    matrix = np.zeros((len(classes), len(labels)), dtype=np.int64)
    for name, row in given.items():
        for label in row:
            matrix[classes.index(truth[name]), labels.index(label)] += 1
    correct = sum(
        int(matrix[classes.index(word), at])
        for at, label in enumerate(labels)
        for word in set(score.accepts.get(label, [label]))
        if word in classes
    )
    return Confusion(classes, labels, matrix, correct)
