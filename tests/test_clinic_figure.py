"""Survival curves and waterfalls as a figure: what they show, that it can be read, equal files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from myelode.figures import plot_scenario, scenario_figure
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from .toys import SERUM_PROTEIN

TEXT = """
id: ward
title: Patients whose drug wears off, and who differ in how much of it they have
model: {model}
perturbations: [none, {{a_rather_long_name: {{scale: {{growth: 2}}}}}}]
{arms}
design: {{cross: {{kill: [0.005 1/d, 0.02 1/d, 0.03 1/d, 0.04 1/d, 0.06 1/d, 0.09 1/d]}}}}
observe: {{every: 5 d, until: 300 d, outputs: [M_protein]}}
responses:
  clinic: {{of: M_protein, every: 20 d, dropout: {{rate: 0.002 1/d}}, title: serum protein}}
"""
ARMS = "arms: {early: [{at: 0 d, set: {loss: 0.02 1/d}}], late: [{at: 0 d, set: {loss: 0.01 1/d}}]}"

Results = tuple[xr.Dataset, xr.Dataset]


def _results(folder: Path, arms: str, *swaps: tuple[str, str]) -> Results:
    (folder / "serum_protein.ant").write_text(SERUM_PROTEIN)
    text = TEXT.format(model=folder / "serum_protein.ant", arms=arms)
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    dataset = simulate(scenario_from_text(text, "ward"))
    return dataset, evaluate(dataset)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return _results(tmp_path, ARMS)


@pytest.fixture
def figure(results: Results) -> Figure:
    return scenario_figure(*results)


def test_each_arm_has_curves_and_a_waterfall_for_each_perturbation(figure: Figure) -> None:
    assert len(figure.axes) == 2 * (1 + 2)
    curves, *falls = figure.axes[:3]
    assert curves.get_title(loc="left") == "early"
    assert curves.get_xlabel() == "months from baseline"
    for fall in falls:
        heights = [patch.get_height() for patch in fall.patches]  # type: ignore[attr-defined]
        assert heights == sorted(heights, reverse=True)
        assert 0 < len(heights) <= 6


def test_the_steps_are_those_of_the_result(figure: Figure, results: Results) -> None:
    result = results[1].sel(perturbation="none", arm="early")
    steps = figure.axes[0].lines[0]
    shown = np.asarray(steps.get_ydata(), dtype=float)
    np.testing.assert_array_equal(shown[:-1], result["clinic_pfs"].values)
    months = np.asarray(steps.get_xdata(), dtype=float)
    np.testing.assert_allclose(months[:-1] * 30.4375, result["clinic_time"].values)


def test_who_is_censored_has_a_tick_on_the_curve(figure: Figure, results: Results) -> None:
    result = results[1].sel(perturbation="none", arm="early")
    ticks = figure.axes[0].lines[1]
    censored = result["clinic_progression"].values[~result["clinic_progressed"].values]
    np.testing.assert_allclose(
        np.asarray(ticks.get_xdata(), dtype=float) * 30.4375, np.unique(censored)
    )


def test_names_titles_and_rates_can_be_read(figure: Figure) -> None:
    said = [text.get_text() for text in figure.texts]
    assert "serum protein" in said
    assert "at risk" in said
    assert said.count("a rather long name") == 2
    rates = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(rates) == 4
    assert all(text.startswith("PR or better in ") for text in rates)


def test_nothing_leaves_the_page(figure: Figure) -> None:
    figure.draw_without_rendering()
    page = figure.bbox
    artists = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    artists += [label for axes in figure.axes for label in axes.get_yticklabels()]
    for artist in artists:
        box = artist.get_window_extent()
        assert page.x0 <= box.x0, artist
        assert box.x1 <= page.x1, artist
        assert page.y0 <= box.y0, artist
        assert box.y1 <= page.y1, artist


def test_names_do_not_touch_the_axes(figure: Figure) -> None:
    figure.draw_without_rendering()
    names = [text for text in figure.texts if text.get_text() == "a rather long name"]
    labels = [label for axes in figure.axes[:3] for label in axes.get_yticklabels()]
    left = min(label.get_window_extent().x0 for label in labels if label.get_text())
    assert all(name.get_window_extent().x1 < left for name in names)


def test_arms_are_lines_where_there_is_one_perturbation(tmp_path: Path) -> None:
    one = "[none, {a_rather_long_name: {scale: {growth: 2}}}]", "[none]"
    figure = scenario_figure(*_results(tmp_path, ARMS, one))
    assert len(figure.axes) == 1 + 2
    said = [text.get_text() for text in figure.texts]
    assert {"early", "late"} <= set(said)


def test_patients_of_whom_none_is_evaluable_are_drawn_too(tmp_path: Path) -> None:
    figure = scenario_figure(
        *_results(tmp_path, ARMS, ("every: 20 d", "every: 20 d, measurable: 90 g/L"))
    )
    rates = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert set(rates) == {"no patient is evaluable"}


def test_a_single_patient_is_drawn_over_time(tmp_path: Path) -> None:
    text = "design: {cross: {kill: [0.005 1/d, 0.02 1/d, 0.03 1/d, 0.04 1/d, 0.06 1/d, 0.09 1/d]}}"
    figure = scenario_figure(*_results(tmp_path, "", (text, "")))
    assert not any(axes.patches for axes in figure.axes)


def test_equal_results_give_equal_files(results: Results, tmp_path: Path) -> None:
    for suffix in ("png", "svg"):
        paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
        for path in paths:
            plot_scenario(*results, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
