"""What figures of sweeps choose by themselves: kinds, ticks, names of what is shown, line styles."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from myelode.errors import ScenarioError
from myelode.figures.sweeps import sweep_figure
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.data import read_shown
from myelode.figures.sweeps.maps import _cells
from myelode.figures.sweeps.ticks import Place, tick_texts, ticks_of
from myelode.sweeps.stores.store import Store
from tests.sweeps.decay import write_decay
from tests.sweeps.kept import GRID, gappy, stored

RATE = "k: {from: 0.1 1/h, to: 3 1/h, spacing: log}"
ONE_BY_ONE = "elasticities: {step: 0.2, over: [k, medium]}"
MORRIS = f"morris: {{trajectories: 3, seed: 1, over: {{{RATE}, medium: {{from: 1 l, to: 2 l}}}}}}"
CROSSED = f"""\
cross:
  - grid: {{perturbation: [none, fast]}}
  - random: {{points: 9, seed: 1, over: {{{RATE}, medium: [1 litre, 2 litre]}}}}
"""
DIAGONAL = f"random: {{points: 9, seed: 1, over: {{{RATE}, medium: {{from: 1 l, to: 2 l}}}}}}"
VOLUMES = "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 5}, medium: [1 litre, 2 litre]}"

Make = Callable[..., Store]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes stores of designs, each only once."""
    scenario = write_decay(tmp_path_factory.mktemp("looks"))
    known: dict[tuple[str, str], Store] = {}

    def of(design: str, more: str = "") -> Store:
        key = (design, more)
        if key not in known:
            folder = tmp_path_factory.mktemp("store")
            known[key] = stored(folder, scenario, design, f"engine: ensemble\n{more}")
        return known[key]

    return of


def panels(figure: Figure) -> list[Any]:
    """The axes that have a heading or an axis below them, without the scale of colours."""
    return [axes for axes in figure.axes if axes.get_xlim() != (0.0, 1.0)]


def headings(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in panels(figure)]


def names_on(axes: Any) -> set[str]:
    return {text.get_text() for text in axes.texts}


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


# Kinds


@pytest.mark.parametrize("design", [ONE_BY_ONE, MORRIS, CROSSED, DIAGONAL])
@pytest.mark.parametrize("of", ["left", "exposure"])
def test_points_that_are_no_grid_are_scattered(make: Make, design: str, of: str) -> None:
    figure = sweep_figure(make(design), of)
    assert not figure.findobj(QuadMesh)
    assert all(axes.collections for axes in panels(figure))
    if of == "exposure":
        written = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
        assert written == ["low", "high"]


def test_points_stand_at_the_height_of_their_word(make: Make) -> None:
    store = make(DIAGONAL)
    figure = sweep_figure(store, "exposure", ["k"], perturbations=["none"])
    heights = figure.axes[0].collections[0].get_offsets()[:, 1]
    np.testing.assert_array_equal(np.round(heights), store.columns("exposure")[:, 0])
    assert np.ptp(heights - np.round(heights)) > 0


def test_one_axis_with_a_verdict_can_be_shown(make: Make) -> None:
    figure = sweep_figure(make("grid: {k: [0.1 1/h, 0.5 1/h, 3 1/h]}"), "exposure")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["low", "high"]


def test_a_grid_with_points_that_are_missing_is_a_map(tmp_path: Path) -> None:
    figure = sweep_figure(gappy(tmp_path, write_decay(tmp_path), GRID), "left")
    assert figure.findobj(QuadMesh)
    assert "not computed yet" in legend(figure)


def test_cells_of_what_is_positive_do_not_begin_below_zero(make: Make) -> None:
    design = "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 4}, medium: [0.1 litre, 1 litre]}"
    for axes in panels(sweep_figure(make(design), "left")):
        assert axes.get_xlim()[0] >= 0
        assert axes.get_ylim() == pytest.approx((0, 1.45))


def test_cells_are_not_made_before_it_is_known_that_points_fill_them() -> None:
    axis = Across("x", "x", np.arange(300_000.0))
    with pytest.raises(ScenarioError, match="no grid over"):
        _cells(axis, axis, np.arange(300_000))


# Ticks


@given(
    some.floats(-9, 9), some.floats(-6, 5), some.booleans(), some.booleans(), some.floats(1.6, 4)
)
def test_an_axis_has_two_numbers_and_more_that_stand_apart(
    start: float, width: float, is_log: bool, is_upright: bool, length: float
) -> None:
    low = 10**start
    place = Place((low, low * (1 + 10**width)), length, is_log, is_upright)
    ticks = ticks_of(place)
    assert len(ticks) >= 2
    texts = tick_texts(ticks)
    assert len({*texts}) == len(texts)
    assert place.has_room(ticks) or len(ticks) == 2


def test_numbers_of_ticks_have_the_digits_that_they_need() -> None:
    assert tick_texts([0.4, 0.5, 0.6000000000000001]) == ["0.4", "0.5", "0.6"]
    assert tick_texts([1e4, 2e4]) == ["10⁴", "2×10⁴"]
    assert tick_texts([10000.0, 10000.5]) == ["10000", "10000.5"]


def test_axes_of_narrow_ranges_have_numbers_beside_each_other(make: Make) -> None:
    over = "k: {from: 0.4 1/h, to: 0.6 1/h, points: 5, spacing: log}"
    narrow = f"grid: {{{over}, medium: {{from: 900 litre, to: 1100 litre, points: 3}}}}"
    for store in (make(ONE_BY_ONE), make(narrow)):
        for kind in ("slices", "scatter"):
            figure = sweep_figure(store, "left", kind=kind)
            figure.canvas.draw()
            for axes in panels(figure):
                found = [text for text in axes.get_xticklabels() if text.get_text()]
                assert len(found) >= 2
                boxes = [text.get_window_extent() for text in found]
                assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


# Names


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[slow_line, quick_line]", ""),
        ("[quick_line]", ", cell line quick_line"),
        (None, ", cell line slow_line"),
    ],
)
def test_the_subtitle_names_the_line_of_all_points(
    make: Make, lines: str | None, said: str
) -> None:
    own = f", cell_line: {lines}" if lines else ""
    design = f"grid: {{medium: [1 litre, 2 litre]{own}}}"
    shown = read_shown(make(design, "with: {cell_line: slow_line}\n"), "left")
    assert shown.subtitle.partition(", cell line")[0] == "sweep of scenario pulse, model decay"
    assert shown.subtitle.endswith(said)
    assert ("cell line" in shown.subtitle) is bool(said)


def test_the_reference_has_no_classes(make: Make) -> None:
    grid = make(
        "grid: {k: {from: 0.05 1/h, to: 1 1/h, points: 9, spacing: log}, medium: [1 l, 2 l]}"
    )
    one, other = panels(sweep_figure(grid))
    assert names_on(one) == set()
    assert names_on(other) == {"sensitive", "resistant"}
    said = legend(sweep_figure(grid, kind="scatter"))
    assert said == ["sensitive", "resistant", "the reference itself"]
    assert legend(sweep_figure(grid, kind="scatter", perturbations=["fast"])) == said[:2]
    assert not sweep_figure(grid, kind="scatter", perturbations=["none"]).legends


def test_outcomes_are_named_also_where_all_are_alike(make: Make) -> None:
    slow = make("grid: {k: [0.01 1/h, 0.02 1/h, 0.03 1/h], medium: [1 litre, 2 litre]}")
    one, other = panels(sweep_figure(slow))
    assert (names_on(one), names_on(other)) == (set(), {"sensitive"})


@pytest.mark.parametrize(("of", "own"), [("fold", True), ("outcome", True), ("left", False)])
def test_what_is_compared_says_where_it_is_against_itself(make: Make, of: str, own: bool) -> None:
    name = "none, against itself" if own else "none"
    assert headings(sweep_figure(make(VOLUMES), of)) == [name, "fast"]
    crossed = make("grid: {k: [0.1 1/h, 1 1/h], medium: [1 l, 2 l], perturbation: [none, fast]}")
    assert headings(sweep_figure(crossed, of)) == [name, "fast"]
    classes = read_shown(crossed, "left").entries[0].classes
    texts = read_shown(crossed, "left").axes["perturbation"].values
    assert classes is not None
    assert {*classes[texts == "none"]} == {-1}
    assert (classes[texts == "fast"] >= 0).all()


# Lines


def lines_of(figure: Figure) -> tuple[list[Line2D], list[Line2D]]:
    """The lines of the first panel, and those of the legend."""
    return list(figure.axes[0].lines), list(figure.legends[0].get_lines())


def test_the_legend_has_the_markers_of_its_lines(make: Make) -> None:
    drawn, shown = lines_of(sweep_figure(make(VOLUMES), "left", ["k", "medium"], "slices"))
    looks = [
        [(line.get_marker(), line.get_markersize(), line.get_color()) for line in lines]
        for lines in (drawn, shown)
    ]
    assert looks[0] == looks[1]
    assert {marker for marker, _, _ in looks[0]} == {"o", "s"}


def test_lines_that_coincide_are_seen_in_the_gaps_of_each_other(make: Make) -> None:
    def dashes(of: str, by: str) -> list[str]:
        drawn, _ = lines_of(sweep_figure(make(design), of, ["k", by], "slices"))
        return [line.get_linestyle() for line in drawn]

    design = VOLUMES
    assert dashes("left", "medium") == ["-", "--"]
    design = "grid: {k: [0.1 1/h, 0.2 1/h], regimen.pulse.to: [1 uM, 2 uM]}"
    assert dashes("left", "regimen.pulse.to") == ["-", "-"]
