"""Designs of sweeps: which points there are, in which order, and what is refused."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, qmc

from myelode.errors import ScenarioError
from myelode.sweeps.designs.points import Crossed, Grid
from myelode.sweeps.designs.reading import tables_of
from myelode.sweeps.designs.sequences import Hypercube, Independent, Sobol, uniform
from myelode.sweeps.sections import sweep_from_text
from tests.sweeps.readers import PLACES, SPREADS, points_of, rows

SPACE = "{k: {from: 0.1 1/h, to: 10 1/h, spacing: log}, k2: {spread: uncertainty}, cell_line: [A, B, C], x: {from: -1, to: 1}}"
EVERY_KIND = {
    "grid": "{grid: {k: {from: 1 1/h, to: 5 1/h, points: 5}, cell_line: [A, B], x: [3, 1, 2]}}",
    "latin_hypercube": f"{{latin_hypercube: {{points: 30, seed: 2, over: {SPACE}}}}}",
    "sobol": f"{{sobol: {{points: 32, seed: 2, over: {SPACE}}}}}",
    "random": f"{{random: {{points: 30, seed: 2, over: {SPACE}}}}}",
    "subjects": "{random: {points: 30, over: uncertainty}}",
    "a column's axes": "{sobol: {points: 32, over: uncertainty}}",
    "cross": "{cross: [{random: {points: 7, over: {k: {from: 1 1/h, to: 2 1/h}}}}, {grid: {cell_line: [A, B, C]}}, {sobol: {points: 2, over: {x: {from: 0, to: 1}}}}]}",
    "zip": "{zip: [{sobol: {points: 8, over: {k: {from: 1 1/h, to: 2 1/h}}}}, {cross: [{grid: {x: [1, 2, 3, 4]}}, {grid: {cell_line: [A, B]}}]}]}",
    "cross of zips": "{cross: [{zip: [{grid: {x: [1, 2, 3]}}, {grid: {n: [4, 5, 6]}}]}, {latin_hypercube: {points: 5, over: {k: {from: 1 1/h, to: 2 1/h}}}}]}",
    "elasticities": "{elasticities: {over: [k, x]}}",
    "morris": f"{{morris: {{trajectories: 5, over: {SPACE}}}}}",
    "saltelli": f"{{saltelli: {{points: 8, over: {SPACE}}}}}",
}  # fmt: skip


@pytest.mark.parametrize("design", EVERY_KIND.values(), ids=EVERY_KIND)
def test_a_row_is_the_same_in_every_slice_and_every_time(design: str) -> None:
    points, whole = points_of(design), rows(points_of(design))
    assert len(whole) == points.count

    @settings(max_examples=40, deadline=None)
    @given(st.tuples(*[st.integers(0, points.count)] * 2).map(sorted))
    def every_slice(ends: list[int]) -> None:
        columns = points.columns(*ends)
        assert tuple(columns) == points.names
        part = list(zip(*(column.tolist() for column in columns.values()), strict=True))
        assert part == whole[slice(*ends)]

    every_slice()


@pytest.mark.parametrize("design", EVERY_KIND.values(), ids=EVERY_KIND)
def test_numbers_are_floats_and_places_are_texts(design: str) -> None:
    points = points_of(design)
    for name, values in points.columns(0, points.count).items():
        assert values.dtype == (object if name in PLACES else np.float64)
        assert name not in PLACES or all(type(value) is str for value in values)


def test_a_grid_runs_through_its_last_axis_first() -> None:
    points = points_of(
        "{grid: {k: [1 1/h, 60 1/day], cell_line: [A, B], x: {from: 0, to: 4, points: 3}}}"
    )
    assert rows(points) == list(itertools.product([1.0, 2.5], ["A", "B"], [0.0, 2.0, 4.0]))


def test_logarithmic_spacing_has_exact_ends_and_one_ratio() -> None:
    points = points_of("{grid: {k: {from: 0.1 1/h, to: 70 1/h, points: 41, spacing: log}}}")
    values = points.columns(0, 41)["k"]
    assert values[[0, -1]].tolist() == [0.1, 70.0]
    np.testing.assert_allclose(values[1:] / values[:-1], 700 ** (1 / 40))


def test_axes_may_run_downwards_and_through_zero() -> None:
    assert rows(points_of("{grid: {x: {from: 1, to: -1, points: 3}}}")) == [(1.0,), (0.0,), (-1.0,)]


def test_a_place_takes_quantities_as_texts_in_the_unit_of_the_first() -> None:
    points = points_of("{grid: {observe.until: {from: 1 h, to: 0.5 day, points: 3}}}")
    assert rows(points) == [("1.0 h",), ("6.5 h",), ("12.0 h",)]
    assert rows(points_of("{grid: {observe.until: [1 h, 2 day]}}")) == [("1 h",), ("2 day",)]


def test_a_grid_holds_nothing_but_its_axes() -> None:
    grid = points_of(
        "{grid: {k: {from: 1 1/h, to: 2 1/h, points: 30000}, x: {from: 0, to: 1, points: 30000}}}"
    )
    assert grid.count == 900_000_000
    last = grid.columns(899_999_999, 900_000_000)
    assert (last["k"].item(), last["x"].item()) == (2.0, 1.0)


def test_each_part_of_an_axis_has_one_point_of_a_latin_hypercube() -> None:
    count = 64
    points = points_of(
        f"{{latin_hypercube: {{points: {count}, over: {{x: {{from: 0, to: 1}}, k: {{spread: uncertainty}}}}}}}}"
    )
    columns = points.columns(0, count)
    places = (
        columns["x"],
        [NormalDist().cdf(np.log(value) / SPREADS["k"]) for value in columns["k"]],
    )
    for place in places:
        assert sorted(np.floor(np.array(place) * count)) == list(range(count))
    assert abs(np.corrcoef(*places)[0, 1]) < 0.5


@pytest.mark.parametrize("seed", [0, 1, 2**40])
@pytest.mark.parametrize("axes", [1, 3, 40])
@pytest.mark.parametrize("count", [1, 2, 8, 256])
def test_sobol_is_the_sequence_of_scipy(axes: int, seed: int, count: int) -> None:
    expected = qmc.Sobol(axes, scramble=True, rng=seed).random(count)
    np.testing.assert_array_equal(Sobol(axes, seed, count).rows(0, count), expected)
    np.testing.assert_array_equal(Sobol(axes, seed, 1024).rows(0, count), expected)


def test_independent_points_are_even_and_unrelated() -> None:
    unit = Independent(("a", "b"), 7).rows(0, 20_000)
    assert unit.shape == (20_000, 2)
    assert 0 < unit.min() <= unit.max() < 1
    for column in unit.T:
        assert kstest(column, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(unit.T)[0, 1]) < 0.03
    assert abs(np.corrcoef(unit[1:, 0], unit[:-1, 0])[0, 1]) < 0.03


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**9), st.integers(0, 50))
def test_a_number_depends_on_seed_name_and_place_alone(seed: int, first: int, count: int) -> None:
    alone = [uniform(seed, "a", place, place + 1).item() for place in range(first, first + count)]
    assert uniform(seed, "a", first, first + count).tolist() == alone


def test_another_seed_or_axis_gives_other_points_and_more_axes_change_none() -> None:
    for kind in (lambda names, seed: Hypercube(names, seed, 50), Independent):
        one = kind(("a", "b"), 1).rows(0, 50)
        assert not (one == kind(("a", "b"), 2).rows(0, 50)).any()
        assert not (one[:, 0] == one[:, 1]).any()
        np.testing.assert_array_equal(one, kind(("c", "a", "b"), 1).rows(0, 50)[:, 1:])


def test_listed_values_of_a_space_have_equal_shares() -> None:
    points = points_of("{sobol: {points: 1024, over: {cell_line: [A, B, C, D], x: [5, 6]}}}")
    columns = points.columns(0, 1024)
    assert [int((columns["cell_line"] == name).sum()) for name in "ABCD"] == [256] * 4
    assert int((columns["x"] == 5).sum()) == 512


def test_a_space_reaches_its_exact_ends() -> None:
    points = points_of(f"{{random: {{points: 3, over: {SPACE}}}}}")
    ends = points.space.from_unit(np.array([[0.0] * 4, [1.0] * 4]))
    assert (ends["k"].tolist(), ends["x"].tolist()) == ([0.1, 10.0], [-1.0, 1.0])
    assert ends["cell_line"].tolist() == ["A", "C"]
    assert np.isfinite(ends["k2"]).all()
    assert points.space.spreads == {"k2"}


def test_draws_of_a_column_are_the_subjects_behind_the_typical_one() -> None:
    points = points_of("{random: {points: 3, seed: 2, over: uncertainty}}")
    assert rows(points) == [(2001.0, 2001.0), (2002.0, 2002.0), (2003.0, 2003.0)]


def test_other_designs_over_a_column_read_its_quantiles() -> None:
    points = points_of("{sobol: {points: 256, over: uncertainty}}")
    assert points.names == ("k", "k2")
    columns = points.columns(0, 256)
    assert np.std(np.log(columns["k2"])) == pytest.approx(1.0, rel=0.05)
    assert np.median(columns["k"]) == pytest.approx(1.0, rel=0.05)


def test_a_cross_runs_through_its_last_part_first() -> None:
    points = points_of("{cross: [{grid: {x: [1, 2]}}, {grid: {cell_line: [A, B], n: [5, 6]}}]}")
    assert points.names == ("x", "cell_line", "n")
    assert rows(points) == list(itertools.product([1.0, 2.0], ["A", "B"], [5.0, 6.0]))


def test_a_zip_takes_point_by_point() -> None:
    points = points_of("{zip: [{grid: {x: [1, 2], n: [3, 4]}}, {grid: {cell_line: [A, B, C, D]}}]}")
    assert rows(points) == [(1.0, 3.0, "A"), (1.0, 4.0, "B"), (2.0, 3.0, "C"), (2.0, 4.0, "D")]


@pytest.mark.parametrize("one", ["random", "latin_hypercube", "sobol"])
@pytest.mark.parametrize("other", ["random", "latin_hypercube"])
def test_zipped_blocks_of_the_same_seed_are_unrelated(one: str, other: str) -> None:
    blocks = [
        f"{{{kind}: {{points: 1024, over: {{{name}: {{from: 0, to: 1}}}}}}}}"
        for kind, name in ((one, "x"), (other, "n"))
    ]
    columns = points_of(f"{{zip: [{', '.join(blocks)}]}}").columns(0, 1024)
    assert abs(np.corrcoef(columns["x"], columns["n"])[0, 1]) < 0.1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_a_cross_of_grids_is_the_grid_of_all_axes(lengths: list[int], data: st.DataObject) -> None:
    axes = {f"a{at}": np.arange(float(length)) for at, length in enumerate(lengths)}
    crossed = Crossed([Grid({name: values}) for name, values in axes.items()])
    assert crossed.count == Grid(axes).count
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, crossed.count)] * 2)))
    expected = Grid(axes).columns(first, last)
    for name, values in crossed.columns(first, last).items():
        np.testing.assert_array_equal(values, expected[name])


def test_tables_of_a_design_are_found_wherever_they_stand() -> None:
    design = "{cross: [{table: a.csv}, {zip: [{table: b.csv}, {grid: {x: [1]}}]}]}"
    sweep = sweep_from_text(f"id: a\ntitle: b\nscenario: c\ndesign: {design}")
    assert list(tables_of(sweep.design)) == ["a.csv", "b.csv"]


BAD = {
    "a value of another kind": ("{grid: {k: [1 1/h, 2 h]}}", r"design.grid.k.1: k is in 'h', which cannot"),
    "a value without unit": ("{grid: {k: [1]}}", r"design.grid.k.0: k needs a unit: write '1 1/h'"),
    "an end of another kind": ("{grid: {k: {from: 1 h, to: 2 h, points: 2}}}", r"design.grid.k: k is in 'h'"),
    "an axis that nobody knows": ("{grid: {kk: [1]}}", r"design.grid.kk: 'kk' is unknown: did you mean 'k"),
    "an unknown axis in a space": ("{sobol: {points: 2, over: {kk: {from: 1, to: 2}}}}", r"design.sobol.over.kk: 'kk' is unknown"),
    "logarithms of zero": ("{grid: {x: {from: 0, to: 1, points: 3, spacing: log}}}", r"design.grid.x: values spaced evenly on a log.* are positive, not from 0 to 1$"),
    "a range of one value": ("{grid: {x: {from: 1, to: 1, points: 3}}}", r"design.grid.x: an axis runs from one value to another, not twice 1$"),
    "a range without end": ("{grid: {x: {from: -1e308, to: 1e308, points: 3}}}", r"design.grid.x: -1e\+308 and 1e\+308 are too far apart$"),
    "a range of names": ("{grid: {cell_line: {from: A, to: B, points: 2}}}", r"design.grid.cell_line: 'A' is not a quantity"),
    "a place with a unit once": ("{grid: {observe.until: {from: 1 h, to: 2, points: 2}}}", r"design.grid.observe.until: one of '1 h' and 2 has no unit$"),
    "a row without spread": ("{random: {points: 2, over: {n: {spread: uncertainty}}}}", r"design.random.over.n: 'n' states no uncertainty$"),
    "a place without spread": ("{random: {points: 2, over: {cell_line: {spread: uncertainty}}}}", r"design.random.over.cell_line: 'cell_line' is no value of the model"),
    "a column that nothing states": ("{random: {points: 2, over: between_lines}}", r"design.random.over: nothing has between_lines$"),
    "a column of a space": ("{sobol: {points: 2, over: between_lines}}", r"design.sobol.over: nothing has between_lines$"),
    "an axis that stands twice": ("{cross: [{grid: {x: [1]}}, {grid: {n: [1]}}, {grid: {x: [2]}}]}", r"design.cross: the axis 'x' stands in 2 of the blocks$"),
    "an axis zipped with itself": ("{zip: [{grid: {x: [1]}}, {grid: {x: [2]}}]}", r"design.zip: the axis 'x' stands in 2"),
    "zipped lengths": ("{zip: [{grid: {x: [1, 2]}}, {grid: {n: [1, 2, 3]}}]}", r"design.zip: what is zipped has the same number of points, not 2 and 3$"),
    "two zipped blocks of one sequence": ("{zip: [{sobol: {points: 8, seed: 1, over: {x: [1, 2]}}}, {cross: [{sobol: {points: 4, seed: 2, over: {n: [1]}}}, {grid: {k: [1 1/h, 2 1/h]}}]}]}", r"design.zip: 2 of the blocks are sobol or saltelli: their axes would move together; let one block be over all of them$"),
    "samples zipped with points of their sequence": ("{zip: [{sobol: {points: 8, over: {x: {from: 0, to: 1}}}}, {saltelli: {points: 2, over: {n: {from: 1, to: 2}, k: {from: 1 1/h, to: 2 1/h}}}}]}", r"design.zip: 2 of the blocks are sobol or saltelli"),
    "zipped trajectories": ("{zip: [{morris: {trajectories: 4, over: {x: {from: 0, to: 1}}}}, {morris: {trajectories: 4, over: {n: {from: 0, to: 1}}}}]}", r"design.zip: 2 of the blocks are morris: their axes would move together"),
    "a fault deep inside": ("{cross: [{grid: {x: [1]}}, {zip: [{grid: {k: [1]}}]}]}", r"design.cross.1.zip.0.grid.k.0: k needs a unit"),
    "more points than fit": ("{grid: {x: {from: 0, to: 1, points: 100000}, n: {from: 0, to: 1, points: 100000}}}", r"design.grid: has 10,000,000,000 points, more than 1,000,000,000$"),
    "more points than fit in a cross": ("{cross: [{random: {points: 100000, over: {x: [1]}}}, {random: {points: 100000, over: {n: [1]}}}]}", r"design.cross: has 10,000,000,000 points"),
    "a hypercube too large": ("{latin_hypercube: {points: 1000000000, over: {x: [1]}}}", r"design.latin_hypercube.points: 1,000,000,000 points of 1 axes .*: take sobol or random$"),
    "no table": ("{table: nowhere.csv}", r"design.table: nowhere.csv: no such file$"),
    "a table of another kind": ("{table: points.xlsx}", r"design.table: points.xlsx: a table of points is a .csv or .parquet file$"),
}  # fmt: skip


@pytest.mark.parametrize(("design", "said"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_one_line_with_its_place(design: str, said: str) -> None:
    with pytest.raises(ScenarioError, match="^own.yaml:4: " + said) as caught:
        points_of(design)
    assert "\n" not in str(caught.value)
