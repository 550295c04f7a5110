"""PAWN where points are few: it has slices for every number of points, and a level of chance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import ks_2samp

from myelode.sensitivities import chance
from myelode.sensitivities.chance import chance_level
from myelode.sensitivities.densities import SLICES, pawn_indices
from myelode.sensitivities.samples import Parameter, Sample
from tests.sensitivities.functions import reading, sample


@pytest.mark.parametrize("first", range(20, 130, 10))
def test_pawn_takes_every_number_of_points(first: int) -> None:
    for many in range(first, first + 10):
        generator = np.random.default_rng(many)
        columns = {"a": generator.random(many), "idle": generator.random(many)}
        found = pawn_indices(sample("random", columns), reading(columns["a"]))
        assert found["median"][0] > found["noise"][0]
        assert np.isfinite(found["maximum"]).all()


@pytest.mark.parametrize("slices", SLICES)
def test_slices_are_those_that_the_analyser_cuts(slices: int) -> None:
    cuts = np.arange(0, 1 + 1 / slices, 1 / slices)
    assert len(cuts) == slices + 1
    for many in (10 * slices, 10 * slices + 7, 331):
        ranks = np.arange(many)
        edges = np.quantile(ranks, cuts)
        sizes = [((ranks >= a) & (ranks < b)).sum() for a, b in pairwise(edges)]
        assert np.diff(chance._cuts(many, slices)).tolist() == sizes


@pytest.mark.parametrize("many", [32, 128])
def test_most_parameters_that_do_nothing_stay_below_the_level(many: int) -> None:
    generator = np.random.default_rng(7)
    idle = 300
    parameters = tuple(Parameter(f"idle_{number}") for number in range(idle))
    points = Sample("random", {}, parameters, generator.random((many, idle)), np.zeros(many, bool))
    found = pawn_indices(points, reading(generator.normal(size=many)))
    above = (found["median"] > found["noise"] + 1e-9).mean()
    assert 0.01 < above < 0.1


def test_distances_are_those_of_kolmogorov_and_smirnov() -> None:
    generator = np.random.default_rng(8)
    values = np.sort(generator.integers(0, 15, 100).astype(float))
    whole = tuple(np.searchsorted(values, values, side) / 100 for side in ("left", "right"))
    places = generator.permuted(np.tile(np.arange(100), (4, 1)), axis=1)[:, :30]
    known = [ks_2samp(values[row], values).statistic for row in places]
    assert chance._distances(places, whole) == pytest.approx(known)


def test_the_level_is_the_same_twice_and_falls_with_the_points() -> None:
    values = np.random.default_rng(9).normal(size=4000)
    assert chance_level(values[:100], 10) == chance_level(values[:100], 10)
    assert chance_level(values[:100], 10) > 2 * chance_level(values, 10)
    assert chance_level(np.ones(100), 10) == 0
