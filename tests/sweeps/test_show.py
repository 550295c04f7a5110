"""Figures of sweeps show what the store holds, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.figure import Figure

from myelode.cli import main
from myelode.errors import ScenarioError
from myelode.figures.sweeps import maps as sweep_maps
from myelode.figures.sweeps import sweep_figure
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.colours import scale_of
from myelode.figures.sweeps.data import read_shown
from myelode.figures.sweeps.slices import line_of
from myelode.sweeps.stores.store import Store
from tests.sweeps.decay import write_decay
from tests.sweeps.kept import gappy, stored

RANDOM = """\
latin_hypercube:
  points: 24
  over: {k: {from: 0.1 1/h, to: 3 1/h, spacing: log}, regimen.pulse.to: {from: 1 uM, to: 4 uM}}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_decay(tmp_path_factory.mktemp("show"))


@pytest.fixture(scope="module")
def grid(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return gappy(tmp_path_factory.mktemp("grid"), scenario)


@pytest.fixture(scope="module")
def drawn(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return gappy(tmp_path_factory.mktemp("drawn"), scenario, RANDOM)


def texts(figure: Figure) -> str:
    """All that is written in a figure."""
    from matplotlib.text import Text

    found: list[Any] = figure.findobj(Text)
    return "\n".join(item.get_text() for item in found if item.get_visible())


def panels(figure: Figure) -> list[Any]:
    """The axes that have a heading or an axis below them, without the scale of colours."""
    return [axes for axes in figure.axes if axes.get_xlim() != (0.0, 1.0)]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_grid_is_a_map_for_each_perturbation(grid: Store) -> None:
    figure = sweep_figure(grid, "left")
    two = panels(figure)
    assert [axes.get_title(loc="left") for axes in two] == ["none", "fast"]
    assert [axes.get_xscale() for axes in two] == ["log", "log"]
    assert [axes.get_yscale() for axes in two] == ["linear", "linear"]
    said = texts(figure)
    for words in ("loss (1/h)", "size of dose pulse (µmol/L)", "left (µmol/L)", "a toy"):
        assert words in said


def test_cells_have_the_numbers_of_their_points(grid: Store) -> None:
    shown = read_shown(grid, "left")
    x, y = (shown.axes[name] for name in ("k", "regimen.pulse.to"))
    one, other = sweep_maps._maps(shown, x, y)
    values = np.where(grid.status()[one.cells] == 0, one.picked(one.entry.values), np.nan)
    expected = y.levels[:, None] * np.exp(-2 * x.levels)
    known = np.isfinite(values)
    assert known.sum() == (grid.status() == 0).sum() > 8
    np.testing.assert_allclose(values[known], expected[known], rtol=1e-6)
    assert other.heading == "fast"


@pytest.mark.parametrize("kind", ["heat-map", "slices", "scatter"])
def test_failed_and_missing_points_are_marked_and_told(grid: Store, kind: str) -> None:
    figure = sweep_figure(grid, "left", kind=kind)
    status = grid.status()
    assert {"failed", "not computed yet"} <= {*legend(figure)}
    failed, missing = (status > 0).sum(), (status == -1).sum()
    said = f"24 points, {failed} of them failed, {missing} not computed yet."
    assert said in texts(figure)


def test_outcomes_have_borders_and_names(scenario: Path, tmp_path: Path) -> None:
    design = "grid: {k: {from: 0.05 1/h, to: 1 1/h, points: 9, spacing: log}, medium: [1 litre, 2 litre]}"
    figure = sweep_figure(stored(tmp_path, scenario, design, "engine: ensemble\n"))
    assert "border of outcomes" in legend(figure)
    assert {"sensitive", "resistant"} <= {*texts(figure).split("\n")}


def test_a_verdict_is_a_map_of_its_words(grid: Store) -> None:
    assert {"low", "high"} <= {*legend(sweep_figure(grid, "exposure"))}


def test_random_points_are_scattered_over_each_axis_by_outcome(drawn: Store) -> None:
    figure = sweep_figure(drawn)
    assert [axes.get_title(loc="left") for axes in panels(figure)] == ["none"] * 2 + ["fast"] * 2
    assert {"sensitive", "failed", "not computed yet"} <= {*legend(figure)}
    assert "area (µmol/L·h)" in texts(figure).replace("\n", " ")  # the endpoint of the outcome


def test_slices_have_a_line_for_each_value_of_the_second_axis(grid: Store) -> None:
    figure = sweep_figure(grid, "left", ["k", "regimen.pulse.to"], "slices")
    assert legend(figure)[:4] == ["1 µmol/L", "2 µmol/L", "3 µmol/L", "4 µmol/L"]
    one = sweep_figure(grid, "left", ["k"])
    assert "medians over regimen.pulse.to" in texts(one)


def test_perturbations_may_be_chosen_as_panels_or_as_points(
    grid: Store, scenario: Path, tmp_path: Path
) -> None:
    figure = sweep_figure(grid, "left", perturbations=["fast"])
    assert [axes.get_title(loc="left") for axes in panels(figure)] == ["fast"]
    design = "grid: {k: [0.1 1/h, 0.2 1/h], medium: [1 litre, 2 litre], perturbation: [none, fast]}"
    other = stored(tmp_path, scenario, design, "engine: ensemble\n")
    assert len(read_shown(other, "left", ["fast"]).status) == 4
    assert [axes.get_title(loc="left") for axes in panels(sweep_figure(other))] == ["none", "fast"]


@given(some.lists(some.floats(-50, 50), min_size=3, max_size=40))
def test_a_line_runs_through_medians_within_its_shade(values: list[float]) -> None:
    numbers = np.array(values)
    x = Across("x", "x", np.arange(len(values)) % 3.0)
    line = line_of(numbers, x, np.ones(len(values), dtype=bool))
    assert line.x.tolist() == [0.0, 1.0, 2.0]
    for at in range(3):
        assert line.middle[at] == pytest.approx(np.median(numbers[at::3]))
    assert (line.low <= line.middle).all()
    assert (line.middle <= line.high).all()


def test_what_is_never_reached_takes_no_part_in_a_mean() -> None:
    x = Across("x", "x", np.zeros(3))
    line = line_of(np.array([1.0, 2.0, np.inf]), x, np.ones(3, dtype=bool))
    assert (line.low[0], line.middle[0], line.high[0]) == (1.0, 2.0, np.inf)


@pytest.mark.parametrize(
    ("values", "is_log"),
    [
        (np.geomspace(0.1, 1, 5), True), (np.linspace(0.1, 1, 5), False), ([1.0, 2.0, 4.0], True),
        ([0.0, 1.0, 10.0], False), ([1.0, 2.0], False), ([1.0, 100.0], True),
        ([-1.0, 1.0, 10.0], False), (np.array(["a", "b"], dtype=object), False),
    ],
)  # fmt: skip
def test_an_axis_is_logarithmic_where_its_values_are(values: Any, is_log: bool) -> None:
    assert Across("x", "x", np.asarray(values)).is_log is is_log


def test_an_axis_is_logarithmic_where_the_design_says_so(scenario: Path, tmp_path: Path) -> None:
    assert Across("x", "x", np.array([1.0, 2.0, 3.5]), said_log=True).is_log
    over = "k: {from: 1 1/h, to: 3 1/h, spacing: log}, medium: {from: 1 litre, to: 3 litre}"
    design = f"random: {{points: 8, over: {{{over}}}}}"
    store = stored(tmp_path, scenario, design, "engine: ensemble\n")
    scales = [axes.get_xscale() for axes in panels(sweep_figure(store, perturbations=["fast"]))]
    assert scales == ["log", "linear"]


def test_folds_are_white_at_one() -> None:
    scale = scale_of("fold", [np.array([0.5, 8.0, np.inf, np.nan])])
    assert (scale.low, scale.high, scale.is_log) == (0.125, 8.0, True)
    assert scale_of("x", [np.array([2.0, 2.0])]).low < 2.0
    assert scale_of("x", [np.array([np.nan])]).high == 1.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"of": "lef"}, "no endpoint 'lef': did you mean 'left'"),
        ({"of": "drug"}, "no endpoint 'drug'"),
        ({"against": ["kk"]}, "no such axis: did you mean 'k'"),
        ({"kind": "heatmap"}, "must be heat-map, slices, scatter: did you mean 'heat-map'"),
        ({"kind": "heat-map", "against": ["k"]}, "is over two axes, not over 1"),
        ({"kind": "heat-map"}, "the points are no grid over"),
        ({"kind": "slices", "against": ["k", "regimen.pulse.to"]}, "the points are no grid over"),
        ({"kind": "slices", "of": "exposure"}, "'?exposure'? is a verdict"),
        ({"perturbations": ["fats"]}, "no perturbation 'fats': did you mean 'fast'"),
    ],
)
def test_what_cannot_be_shown_is_one_line(drawn: Store, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        sweep_figure(drawn, **asked)
    assert "\n" not in str(caught.value)


def test_an_empty_store_and_a_single_point_have_nothing_to_show(
    scenario: Path, tmp_path: Path
) -> None:
    empty, alike = tmp_path / "empty", tmp_path / "alike"
    empty.mkdir()
    alike.mkdir()
    with pytest.raises(ScenarioError, match="no point is computed yet"):
        sweep_figure(stored(empty, scenario, "grid: {k: [0.1 1/h, 0.2 1/h]}", "", ()))
    with pytest.raises(ScenarioError, match="all points are alike"):
        sweep_figure(stored(alike, scenario, "grid: {k: [0.1 1/h]}", "engine: ensemble\n"))


def test_missing_points_without_a_place_are_still_counted(scenario: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(scenario.read_text("utf-8"), "utf-8")
    store = gappy(tmp_path, own)
    own.unlink()
    figure = sweep_figure(store, "left")
    assert "24 points" in texts(figure)
    assert "4 not computed yet" in texts(figure)


def test_the_command_writes_equal_bytes_twice(
    grid: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.svg", "two.svg"):
        command = ["sweep", "show", str(grid.path), "--of", "left", "--plot", str(tmp_path / name)]
        assert main([*command, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["files"]["plot"].endswith("two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_picture_of_no_known_kind_is_refused_before_anything_is_read(
    grid: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "show", str(grid.path), "--plot", "map.bmp"]) == 2
    assert "a figure ends in" in capsys.readouterr().err
