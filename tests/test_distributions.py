"""Draws have the moments of their distribution, stay in their range, and depend on their key alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from myelode.distributions import draw, draw_many, draw_shares, standard_normal
from myelode.errors import ModelError
from myelode.parameters import parse_distribution

COUNT = 20_000
SHARES = {"a": 0.4, "b": 0.25, "c": 0.2, "d": 0.15}


def _drawn(text: str, median: float, low: float = -math.inf, high: float = math.inf) -> np.ndarray:
    distribution = parse_distribution(text, "t:2")
    normals = (standard_normal(7, line, text) for line in range(COUNT))
    return np.array([draw(distribution, median, normal, low, high) for normal in normals])


def test_keys_give_independent_standard_normal_numbers() -> None:
    numbers = np.array(
        [[standard_normal(seed, line, "k") for line in range(5000)] for seed in (1, 2)]
    )
    assert stats.kstest(numbers.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(numbers)[0, 1]) < 0.05
    assert abs(np.corrcoef(numbers[0, 1:], numbers[0, :-1])[0, 1]) < 0.05


def test_a_key_is_its_parts_and_not_their_text() -> None:
    assert standard_normal(1, 12, "k") == standard_normal(1, 12, "k")
    assert len({standard_normal(*key) for key in ((1, 12, "k"), (11, 2, "k"), (1, 1, "2k"))}) == 3


@pytest.mark.parametrize(
    ("text", "median", "law"),
    [
        ("lognormal(gsd=2)", 3.0, stats.lognorm(math.log(2), scale=3)),
        ("lognormal(cv=0.8)", 0.1, stats.lognorm(math.sqrt(math.log(1.64)), scale=0.1)),
        ("normal(sd=4)", -2.0, stats.norm(-2, 4)),
        ("uniform(1, 3)", 2.0, stats.uniform(1, 2)),
        ("beta(18, 2.3)", 0.9, stats.beta(18, 2.3)),
    ],
)
def test_draws_follow_the_law_that_the_table_states(
    text: str, median: float, law: stats.distributions.rv_frozen
) -> None:
    assert stats.kstest(_drawn(text, median), law.cdf).pvalue > 1e-3


def test_the_spread_of_a_log_normal_is_its_coefficient_of_variation() -> None:
    values = _drawn("lognormal(cv=0.5)", 2.0)
    assert np.median(values) == pytest.approx(2, rel=0.02)
    assert values.std() / values.mean() == pytest.approx(0.5, rel=0.03)


def test_a_range_cuts_the_law_off_as_drawing_again_would() -> None:
    law = stats.lognorm(math.log(2), scale=0.04)
    values = _drawn("lognormal(gsd=2)", 0.04, 0.02, 0.1)
    inside = law.cdf([0.02, 0.1])
    found = stats.kstest(values, lambda x: (law.cdf(x) - inside[0]) / (inside[1] - inside[0]))
    assert found.pvalue > 1e-3


@given(
    text=st.sampled_from(["lognormal(cv=1)", "normal(sd=2)", "uniform(-1, 4)", "beta(2, 5)"]),
    normal=st.floats(-8, 8),
    ends=st.tuples(st.floats(0.01, 0.9), st.floats(0.01, 0.9)).filter(lambda e: e[1] - e[0] > 1e-3),
)
def test_no_draw_leaves_its_range(text: str, normal: float, ends: tuple[float, float]) -> None:
    value = draw(parse_distribution(text, "t:2"), 0.5, normal, *ends)
    assert ends[0] <= value <= ends[1]


@given(st.lists(st.floats(-6, 6), min_size=2, max_size=5, unique=True))
def test_a_higher_normal_number_gives_no_lower_value(normals: list[float]) -> None:
    law = parse_distribution("lognormal(gsd=3)", "t:2")
    values = [draw(law, 2.0, normal, 1.0, 10.0) for normal in sorted(normals)]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("text", "median"),
    [
        ("fixed", 3.0),
        ("lognormal(gsd=2)", 3.0),
        ("lognormal(cv=0.8)", 0.1),
        ("normal(sd=4)", 1.0),
        ("uniform(0, 3)", 2.0),
        ("beta(18, 2.3)", 0.9),
    ],
)
@pytest.mark.parametrize("ends", [(-math.inf, math.inf), (0.05, 0.9), (0.8, math.inf), (0, 1.5)])
def test_many_draws_at_once_are_the_same_draws(
    text: str, median: float, ends: tuple[float, float]
) -> None:
    distribution = parse_distribution(text, "t:2")
    normals = np.array([-4.0, -3.2, -1.0, 0.0, 0.3, 2.0, 3.7])
    one_by_one = [draw(distribution, median, normal, *ends) for normal in normals.tolist()]
    together = draw_many(distribution, median, normals, *ends)
    np.testing.assert_allclose(together, one_by_one, rtol=1e-9)
    np.testing.assert_array_equal(
        together[2:3], draw_many(distribution, median, normals[2:3], *ends)
    )


def test_a_share_of_a_whole_is_not_drawn_alone() -> None:
    share = parse_distribution("dirichlet:whole", "t:2")
    with pytest.raises(ModelError, match="drawn together with the others"):
        draw_many(share, 0.5, np.zeros(1))


def test_what_is_fixed_is_its_median() -> None:
    assert draw(parse_distribution("fixed", "t:2"), 0.3, 2.0) == 0.3


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ModelError, match="a log-normal value must be positive, not 0"):
        draw(parse_distribution("lognormal(cv=1)", "t:2"), 0.0, 1.0)
    with pytest.raises(ModelError, match="nothing of the distribution lies between 5 and 6"):
        draw(parse_distribution("uniform(1, 2)", "t:2"), 1.5, 1.0, 5.0, 6.0)


def test_shares_add_up_to_one_and_have_their_means() -> None:
    drawn = [
        draw_shares(SHARES, {name: standard_normal(3, line, name) for name in SHARES})
        for line in range(5000)
    ]
    values = np.array([list(shares.values()) for shares in drawn])
    means = np.array(list(SHARES.values()))
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(values.mean(axis=0), means, atol=0.01)
    np.testing.assert_allclose(values.var(axis=0), means * (1 - means) / 5, rtol=0.1)


def test_a_share_of_nothing_stays_nothing() -> None:
    shares = draw_shares({"a": 0.5, "b": 0.5, "c": 0.0}, {"a": 1.0, "b": -1.0, "c": 3.0})
    assert shares["c"] == 0
    assert sum(shares.values()) == pytest.approx(1)
