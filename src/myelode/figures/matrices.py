"""Confusion matrices: how often the perturbations of each class got each label, rule beside rule.

Rows share their classes, so that rules can be compared class by class. The shade of a cell is its
share of the row; a frame marks the labels that are right for a class.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from myelode.figures.page import EDGE, GREY, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.styles import look
from myelode.scenario import Scenario
from myelode.scores import Confusion, confusions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL_WIDTH, CELL_HEIGHT = 0.46, 0.25
GAP, LETTER, HEADING_LINE = 0.35, 0.058, 0.16
HEADING_CHARACTERS_PER_INCH = 13
SHADES = "Blues"
DARKEST, LIGHT_TEXT_FROM = 0.75, 0.7


@dataclass(frozen=True)
class _Matrix:
    """One matrix as it is shown: counts, and which cells are right."""

    heading: tuple[str, ...]
    labels: tuple[str, ...]
    counts: np.ndarray
    right: np.ndarray

    @property
    def width(self) -> float:
        """In inches."""
        return max(1, len(self.labels)) * CELL_WIDTH

    @property
    def below(self) -> float:
        """Room for the labels, which stand upright."""
        return LETTER * max(map(len, self.labels)) + EDGE


def is_table_of_rules(dataset: xr.Dataset, scenario: Scenario) -> bool:
    """Whether matrices say more than curves: scores over doses, or in many lines or patients."""
    many = "dose" in dataset.dims or scenario.design.subjects is not None
    return bool(scenario.scores) and many


def draw_matrices(dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario) -> Figure:
    """All confusion matrices of a scenario side by side, as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = confusions(result, scenario)
    classes = tuple(dict.fromkeys(word for item in found.values() for word in item.classes))
    matrices = [_matrix(name, item, classes, scenario) for name, item in found.items()]
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _place(figure, matrices, classes, dataset, scenario)
    return figure


def _matrix(name: str, found: Confusion, classes: Sequence[str], scenario: Scenario) -> _Matrix:
    """The matrix over the classes of all scores, with the labels that were given or are right."""
    score = scenario.scores[name]
    counts = np.zeros((len(classes), len(found.labels)), dtype=np.int64)
    counts[[classes.index(word) for word in found.classes]] = found.matrix
    accepted = [score.accepts.get(label, [label]) for label in found.labels]
    right = np.array([[word in words for words in accepted] for word in classes])
    used = np.flatnonzero(counts.any(axis=0) | right.any(axis=0))
    labels = tuple(found.labels[at] for at in used)
    title = score.title or name.replace("_", " ")
    width = max(14, int(len(labels) * CELL_WIDTH * HEADING_CHARACTERS_PER_INCH))
    share = f"{found.correct} of {found.n} right ({found.accuracy:.0%})"
    heading = (*textwrap.wrap(title, width), share)
    return _Matrix(heading, labels, counts[:, used], right[:, used])


def _place(
    figure: Figure,
    matrices: Sequence[_Matrix],
    classes: Sequence[str],
    dataset: xr.Dataset,
    scenario: Scenario,
) -> None:
    """Everything at its place; lengths are in inches."""
    left = EDGE + LETTER * max(map(len, classes)) + EDGE
    width = left + sum(m.width for m in matrices) + GAP * (len(matrices) - 1) + 2 * EDGE
    characters = int(width * 11)
    title = textwrap.wrap(scenario.title, characters)
    captions = [
        line
        for text in _captions(dataset, scenario)
        for line in textwrap.wrap(text, int(width * 16))
    ]
    head = EDGE + (len(title) + 1.2) * TITLE_LINE
    head += HEADING_LINE * max(len(matrix.heading) for matrix in matrices) + EDGE
    body = CELL_HEIGHT * len(classes)
    height = head + body + max(m.below for m in matrices) + EDGE + SMALL_LINE * len(captions) + EDGE
    figure.set_size_inches(width, height)
    write_around(figure, title, subtitle(dataset, scenario), captions)
    for number, matrix in enumerate(matrices):
        bottom = 1 - (head + body) / height
        axes = figure.add_axes((left / width, bottom, matrix.width / width, body / height))
        _draw(axes, matrix, classes if number == 0 else ())
        left += matrix.width + GAP


def write_around(figure: Figure, title: Sequence[str], below: str, captions: Sequence[str]) -> None:
    """Title, a line below it, and captions at the foot of a figure."""
    width, height = figure.get_size_inches()
    left, top = EDGE / width, 1 - EDGE / height
    small: dict[str, Any] = {"color": GREY, "linespacing": 1.35}
    figure.text(left, top, "\n".join(title), size=10, weight="bold", va="top", linespacing=1.3)
    under = top - len(title) * TITLE_LINE / height
    figure.text(left, under, below, size=7.5, va="top", **small)
    figure.text(left, EDGE / height, "\n".join(captions), size=6.5, va="bottom", **small)


def _draw(axes: Axes, matrix: _Matrix, classes: Sequence[str]) -> None:
    totals = np.maximum(matrix.counts.sum(axis=1, keepdims=True), 1)
    shares = matrix.counts / totals
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1 / DARKEST, aspect="auto")
    axes.set_xticks(range(len(matrix.labels)), matrix.labels, rotation=90)
    names = [word.replace("_", " ") for word in classes] or [""] * len(matrix.counts)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    for row, column in np.ndindex(*matrix.counts.shape):
        at = row, column
        _draw_cell(axes, at, int(matrix.counts[at]), float(shares[at]), bool(matrix.right[at]))
    axes.annotate(
        "\n".join(matrix.heading), (0, 1), (0, 5), xycoords="axes fraction",
        textcoords="offset points", size=7.5, weight="bold", linespacing=1.4, va="bottom",
    )  # fmt: skip


def _draw_cell(axes: Axes, at: tuple[int, int], count: int, share: float, right: bool) -> None:
    from matplotlib.patches import Rectangle

    row, column = at
    if count:
        colour = "white" if share > LIGHT_TEXT_FROM else "black"
        axes.text(column, row, str(count), ha="center", va="center", size=7.5, color=colour)
    if right:
        place = (column - 0.46, row - 0.46)
        axes.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor="black", linewidth=0.9))


def subtitle(dataset: xr.Dataset, scenario: Scenario) -> str:
    """Which scenario, model and cell line a figure shows."""
    line = f", cell line {scenario.cell_line}" if scenario.cell_line else ""
    return f"scenario {scenario.id}, model {dataset.attrs['model']}{line}"


def _captions(dataset: xr.Dataset, scenario: Scenario) -> list[str]:
    subjects = scenario.design.subjects
    of = f" in {subjects.number} {subjects.title}" if subjects else ""
    attrs: Mapping[Any, Any] = dataset.attrs
    return [
        f"Rows: the true class of every perturbation{of}. Columns: what a rule calls it. "
        "Shade: share of the row. Frames: labels that are right.",
        evidence_note(attrs),
        *closing_notes(attrs),
    ]
