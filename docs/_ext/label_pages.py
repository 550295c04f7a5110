"""What rules said of many virtual lines, as Markdown made from a table of labels.

`myelode run SCENARIO --labels FILE` writes such a table; beside a model it is called after the
scenario, `decision_tree_lines.tsv`.
"""

from __future__ import annotations

from pathlib import Path

from model_pages import markdown_table, prose

from myelode.labels import confusions_in, read_labels
from myelode.scenario import Scenario
from myelode.scores import Confusion
from myelode.sections import ScoreRule


def labels(folder: Path, scenario: Scenario) -> str:
    """The confusion matrix of every score of a scenario, from the table beside the model."""
    rows = read_labels(folder / f"{scenario.id}_lines.tsv", scenario)
    found = confusions_in(rows, scenario)
    return "\n\n".join(_matrix(found[name], score) for name, score in scenario.scores.items())


def _matrix(found: Confusion, score: ScoreRule) -> str:
    """How many are right, and the labels of every class; right ones are bold."""
    right = f"{found.correct} of {found.n} right ({found.accuracy:.0%})"
    title = prose(score.title or score.rule.replace("_", " "))
    cells = (_row(found, score, number, word) for number, word in enumerate(found.classes))
    headers = ("class", *(prose(label) for label in found.labels), "right")
    return f"**{title}**: {right}.\n\n{markdown_table(headers, cells)}"


def _row(found: Confusion, score: ScoreRule, number: int, word: str) -> list[str]:
    counts = found.matrix[number]
    fits = [word in score.accepts.get(label, [label]) for label in found.labels]
    cells = [f"**{count}**" if fit else str(count) for count, fit in zip(counts, fits, strict=True)]
    return [prose(word), *cells, f"{counts[fits].sum() / counts.sum():.0%}"]
