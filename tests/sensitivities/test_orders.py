"""The points of sensitivity designs: any rows of them at any time, in the order of the analyses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from SALib.sample import sobol as salib_sobol

from myelode.errors import ModelError, ScenarioError
from myelode.sweeps.designs import sections as design_sections
from myelode.sweeps.designs.orders import (
    Elasticities,
    Morris,
    Saltelli,
    elasticity_points,
    morris_points,
    saltelli_points,
)
from tests.sensitivities.functions import Cube

CUBE = Cube(("a", "b", "c"), 1.0, 3.0)
DESIGNS = (
    Elasticities({"a": 1.0, "b": -2.0, "c": 5.0}, 0.1),
    Morris(CUBE, 7, 4, 1),
    Saltelli(CUBE, 16, 3),
    Saltelli(CUBE, 16, 3, second_order=True),
)


@given(st.sampled_from(DESIGNS), st.data())
def test_a_row_is_the_same_whatever_is_asked_for_with_it(design: Any, data: Any) -> None:
    first = data.draw(st.integers(0, design.count - 1))
    last = data.draw(st.integers(first + 1, design.count))
    whole, part = design.columns(0, design.count), design.columns(first, last)
    for name in design.names:
        assert np.array_equal(whole[name][first:last], part[name])


@pytest.mark.parametrize("second_order", [False, True])
def test_the_order_of_saltelli_is_that_of_salib(second_order: bool) -> None:
    design = Saltelli(CUBE, 32, 5, second_order)
    problem = {"num_vars": 3, "names": list(CUBE.names), "bounds": [[1.0, 3.0]] * 3}
    generator = np.random.default_rng(5)
    theirs = salib_sobol.sample(problem, 32, calc_second_order=second_order, seed=generator)
    ours = np.stack(list(design.columns(0, design.count).values()), axis=1)
    assert design.count == len(theirs)
    assert ours == pytest.approx(theirs, abs=1e-8)


@given(st.integers(2, 6), st.integers(1, 4).map(lambda half: 2 * half), st.integers(0, 2**40))
def test_a_trajectory_moves_each_parameter_once_by_half_the_grid(
    trajectories: int, levels: int, seed: int
) -> None:
    design = Morris(CUBE, trajectories, levels, seed)
    unit = design.unit(0, design.count).reshape(trajectories, 4, 3)
    steps = np.diff(unit, axis=1)
    size = levels / 2 / (levels - 1)
    assert np.allclose(np.sort(np.abs(steps), axis=1)[:, -1, :], size)
    assert (np.count_nonzero(steps, axis=1) == 1).all()
    assert (np.count_nonzero(steps, axis=2) == 1).all()
    assert np.allclose(unit * (levels - 1), np.round(unit * (levels - 1)))
    assert unit.min() >= 0
    assert unit.max() <= 1


def test_trajectories_differ_and_go_both_ways() -> None:
    unit = Morris(CUBE, 40, 4, 1).unit(0, 160).reshape(40, 4, 3)
    steps = np.diff(unit, axis=1)
    assert (steps > 0).any()
    assert (steps < 0).any()
    assert len(np.unique(unit.reshape(40, -1), axis=0)) > 30
    assert not np.array_equal(unit[0], Morris(CUBE, 40, 4, 2).unit(0, 4))


def test_the_range_of_a_distribution_is_its_inner_part() -> None:
    cube = Cube(("a", "b"), spreads=frozenset({"b"}))
    columns = Morris(cube, 50, 4, 1).columns(0, 150)
    assert (columns["a"].min(), columns["a"].max()) == (0, 1)
    assert (columns["b"].min(), columns["b"].max()) == pytest.approx((0.025, 0.975))


def test_elasticities_go_up_and_down_by_the_same_factor() -> None:
    columns = Elasticities({"a": 1.0, "b": -2.0}, 0.25).columns(0, 5)
    assert columns["a"].tolist() == [1, 1.25, 0.8, 1, 1]
    assert columns["b"].tolist() == [-2, -2, -2, -2.5, -1.6]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Elasticities({"a": 0.0}, 0.1), "a is 0, which has no elasticity"),
        (lambda: Elasticities({}, 0.1), "a parameter or more"),
        (lambda: Elasticities({"a": 1.0}, 0.0), "above zero"),
        (lambda: Morris(CUBE, 1, 4, 1), "2 trajectories"),
        (lambda: Morris(CUBE, 2, 3, 1), "even number of levels"),
        (lambda: Saltelli(CUBE, 100, 1), "power of two"),
    ],
)
def test_designs_that_cannot_be_analysed_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        make()


class Reader:
    """Two values and two shares of a whole, all uncertain; a place of the scenario."""

    values = {"k": 2.0, "off": 0.0, "share": 0.4, "rest": 0.6}  # noqa: RUF012

    def is_place(self, name: str) -> bool:
        return name == "cell_line"

    def number(self, name: str, quantity: str | float | int) -> float:
        return float(quantity)

    def unit(self, name: str) -> str | None:
        return None

    def value(self, name: str) -> float:
        return self.values[name]

    def quantile(self, name: str, column: str, normal: np.ndarray) -> np.ndarray:
        if name in ("share", "rest"):
            raise ModelError(f"{name}: a share of a whole is not drawn alone")
        return np.asarray(self.values[name] * np.exp(normal))

    def drawn(
        self, column: str, names: Sequence[str] | None, seed: int, first: int, last: int
    ) -> dict[str, np.ndarray]:
        return {name: np.full(last - first, value) for name, value in self.values.items()}


def _at(*path: str | int) -> AbstractContextManager[None]:
    return nullcontext()


def test_a_column_stands_for_what_can_be_moved_alone() -> None:
    column: Any = {"over": "uncertainty"}
    local = elasticity_points(design_sections.Elasticities(**column), Reader(), _at)
    assert local.base == {"k": 2.0}
    screen = morris_points(design_sections.Morris(trajectories=3, **column), Reader(), _at)
    assert screen.names == ("k", "off")
    shares = saltelli_points(design_sections.Saltelli(points=4, **column), Reader(), _at)
    assert shares.names == ("k", "off")
    assert (shares.columns(0, shares.count)["k"] > 0).all()


def test_what_is_no_number_has_no_elasticity() -> None:
    section = design_sections.Elasticities(over=["k", "cell_line"])
    with pytest.raises(ScenarioError, match="'cell_line' is no number"):
        elasticity_points(section, Reader(), _at)
