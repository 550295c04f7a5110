"""Figures of dose-responses and of matrices: nothing overlaps, and everything is said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import myelode
from myelode.figures.dose_responses import dose_response_figure
from myelode.figures.heat_maps import heat_map_figure
from myelode.scenario import Scenario

from ..figure_texts import off_the_page, overlapping

Write = Callable[..., Scenario]
FOLDS = [[1.0, 2.5, 1000.0], [math.inf, math.nan, 0.2]]


def _texts(figure: Figure) -> list[str]:
    found = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    return [text.get_text() for text in (*found, *legends)]


@pytest.fixture
def curves(titration: Write) -> xr.Dataset:
    return myelode.dose_response(titration(), points=9)


def test_the_control_stands_apart_and_half_doses_are_marked(curves: xr.Dataset) -> None:
    figure = dose_response_figure(curves)
    [axes] = figure.axes
    assert axes.get_xscale() == "log"
    marks = [
        line
        for line in axes.lines
        if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]
    halves = sorted(float(line.get_xdata()[0]) for line in marks)
    assert halves == pytest.approx([20, 60, 200], rel=1e-4)
    assert "0" in [tick.get_text() for tick in axes.get_xticklabels()]
    assert axes.get_xlabel() == "dose of drug (nmol/L)"


def test_the_legend_has_folds_and_the_foot_what_they_are(curves: xr.Dataset) -> None:
    texts = " ".join(_texts(dose_response_figure(curves)))
    assert "pumping: 3, reduced" in texts
    assert "half_lost: not reached, resistant" in texts
    assert "read at 24 h" in texts
    assert "no advice for a real person" in texts


def test_draws_are_shades(curves: xr.Dataset) -> None:
    low, high = curves["response"] * 0.9, curves["response"] * 1.1
    drawn = curves.assign(
        response_interval=xr.concat([low, curves["response"], high], "quantile").transpose(
            ..., "quantile"
        )
    ).assign_attrs(draws=7, drawn="draws of numbers")
    figure = dose_response_figure(drawn)
    assert len(figure.axes[0].collections) == 4
    assert any("7 draws" in text for text in _texts(figure))


@pytest.mark.parametrize("columns", [2, 7])
def test_many_compounds_are_told_apart(curves: xr.Dataset, columns: int) -> None:
    names = [f"drug-{number}" for number in range(columns)]
    many = xr.concat([curves] * columns, "compound", combine_attrs="override")
    many = many.assign_coords(compound=names).transpose("perturbation", "compound", ...)
    figure = dose_response_figure(many)
    assert len(figure.axes) == columns
    figure.canvas.draw()
    labels = [*(axes.get_ylabel() for axes in figure.axes), *_texts(figure)]
    assert all(any(name in text.replace("\n", " ") for text in labels) for name in names)
    assert off_the_page(figure) == []


def _table(intervals: bool = False) -> xr.Dataset:
    dims = ("perturbation", "compound")
    words = np.full((2, 3), "computed", dtype=object)
    words[0, 0], words[1, 1] = "stated", "unknown"
    table = xr.Dataset(
        {"fold": (dims, FOLDS), "status": (dims, words)},
        coords={"perturbation": ["lost_gene", "pump"], "compound": ["first", "second", "third"]},
        attrs={
            "title": "A table", "model": "all", "half": "ic50", "definition": "a dose",
            "read_at": "72 h", "draws": 9, "drawn": "draws of numbers", "notice": "no advice",
            "assumed_shares": json.dumps({"toy": 0.5}),
        },
    )  # fmt: skip
    if intervals:
        ends = np.stack([np.array(FOLDS) * share for share in (0.8, 1, 1.25)], axis=-1)
        table["fold_interval"] = ((*dims, "quantile"), ends)
    return table


def test_cells_have_numbers_and_say_what_has_none() -> None:
    figure = heat_map_figure(_table())
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "1*", "2.5", "1000", "∞", "?", "0.2",
    ]  # fmt: skip
    texts = " ".join(_texts(figure))
    assert "never reached on the ladder" in texts
    assert "nobody knows a number" in texts
    assert "stated by a source" in texts
    assert "50% in toy" in texts


def test_intervals_stand_below_their_folds() -> None:
    texts = [text.get_text() for text in heat_map_figure(_table(intervals=True)).axes[0].texts]
    assert texts[1] == "2.5\n2 to 3.1"
    assert texts[3] == "∞\n∞ to ∞"


@pytest.mark.parametrize("intervals", [False, True])
def test_nothing_of_a_heat_map_overlaps(intervals: bool) -> None:
    figure = heat_map_figure(_table(intervals))
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_nothing_of_the_curves_overlaps(curves: xr.Dataset) -> None:
    figure = dose_response_figure(curves)
    assert overlapping(figure) == []
    assert off_the_page(figure) == []
