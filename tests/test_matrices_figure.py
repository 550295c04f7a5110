"""Confusion matrices as a figure: what is counted, what is right, and equal files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from myelode.figures import plot_scenario, scenario_figure
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

MODEL = """
model decay()
  compartment medium = 1; species drug in medium; drug = 0
  k = 0.5; one = 1; left := one / (one + drug); loss: drug => ; medium * k * drug
end
"""
TEXT = """
id: gates
title: Two rules on the same lines
model: {model}
perturbations:
  - none
  - slow: {{scale: {{k: 0.5}}, class: kinetics}}
  - slower: {{scale: {{k: 0.1}}, class: kinetics}}
  - fast: {{scale: {{k: 3}}, class: loss_of_drug}}
regimen:
  - {{at: 0, label: pulse, dose: drug, to: 1}}
{design}
observe: {{every: 1, until: 4, outputs: [drug, left]}}
endpoints: {{late: {{of: drug, take: value, at: 4{dose}}}}}
rules:
  coarse: [{{label: slow, if: late > 1.5 * reference.late}}, {{label: fine}}]
  fine: [{{label: kinetics, if: late > 2.1 * reference.late}}, {{label: loss_of_drug, if: late < reference.late}}, {{label: none}}]
scores:
  first: {{rule: coarse, accepts: {{slow: [kinetics], fine: [none]}}}}
  second: {{rule: fine, title: the finer rule}}
"""
LADDER = "design: {dose: {of: pulse, values: [0, 1, 10]}}"

Results = tuple[xr.Dataset, xr.Dataset]


def _results(folder: Path, design: str, dose: str) -> Results:
    (folder / "decay.ant").write_text(MODEL)
    text = TEXT.format(model=folder / "decay.ant", design=design, dose=dose)
    dataset = simulate(scenario_from_text(text, "gates"))
    return dataset, evaluate(dataset)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return _results(tmp_path, LADDER, ", dose: 1")


@pytest.fixture
def figure(results: Results) -> Figure:
    return scenario_figure(*results)


def _texts(axes: Axes) -> dict[tuple[float, float], str]:
    """The counts, by row and column."""
    return {(y, x): text.get_text() for text in axes.texts[:-1] for x, y in [text.get_position()]}


def _frames(axes: Axes) -> set[tuple[int, int]]:
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return {(round(frame.get_y()), round(frame.get_x())) for frame in frames}


def test_every_score_is_a_matrix_over_the_same_classes(figure: Figure) -> None:
    first, second = figure.axes
    classes = [label.get_text() for label in first.get_yticklabels()]
    assert classes == ["none", "kinetics", "loss of drug"]
    assert {label.get_text() for label in second.get_yticklabels()} == {""}
    assert [label.get_text() for label in first.get_xticklabels()] == ["slow", "fine"]


def test_cells_hold_the_counts_and_the_right_ones_are_framed(figure: Figure) -> None:
    first, second = figure.axes
    assert _texts(first) == {(0, 1): "1", (1, 0): "2", (2, 1): "1"}
    assert _frames(first) == {(0, 1), (1, 0)}
    assert _frames(second) == {(0, 2), (1, 0), (2, 1)}


def test_headings_say_what_was_right(figure: Figure) -> None:
    headings = [axes.texts[-1].get_text().split("\n") for axes in figure.axes]
    assert headings[0] == ["first", "3 of 4 right (75%)"]
    assert headings[1][-1] == "4 of 4 right (100%)"


def test_shade_is_the_share_of_the_row(figure: Figure) -> None:
    shown = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_array_equal(shown, [[0, 1], [1, 0], [0, 1]])


def test_nothing_leaves_the_page(figure: Figure) -> None:
    figure.draw_without_rendering()
    page = figure.bbox
    artists = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    artists += [label for axes in figure.axes for label in axes.get_xticklabels()]
    artists += figure.axes[0].get_yticklabels()
    for artist in artists:
        box = artist.get_window_extent()
        assert page.x0 <= box.x0, artist
        assert box.x1 <= page.x1, artist
        assert page.y0 <= box.y0, artist
        assert box.y1 <= page.y1, artist


def test_equal_results_give_equal_files(results: Results, tmp_path: Path) -> None:
    for suffix in ("png", "svg", "pdf"):
        paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
        for path in paths:
            plot_scenario(*results, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_few_curves_over_time_stay_curves(tmp_path: Path) -> None:
    figure = scenario_figure(*_results(tmp_path, "", ""))
    assert not any(axes.images for axes in figure.axes)
