"""Noise has the mean and the spread that it states, and belongs to what is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.assays.noise import NO_NOISE, Noise, key_of, same_number
from myelode.errors import ScenarioError

KEY = np.array(key_of(("assay", "scenario")))
TIMES = np.arange(20_000.0)


def _reads(noise: Noise, signal: float) -> np.ndarray:
    return noise.read(np.full(TIMES.shape, signal), KEY, TIMES)


@pytest.mark.parametrize("depth", [1, 30, 1000])
@pytest.mark.parametrize("share", [0.004, 0.2, 0.5, 0.97])
def test_counts_are_binomial(share: float, depth: int) -> None:
    read = _reads(Noise(depth=depth), share)
    variance = share * (1 - share) / depth
    assert read.mean() == pytest.approx(share, abs=4 * np.sqrt(variance / read.size))
    kurtosis = 3 + (1 - 6 * share * (1 - share)) / (depth * share * (1 - share))
    error = variance * np.sqrt((kurtosis - 1) / read.size)
    assert read.var() == pytest.approx(variance, rel=1e-3, abs=4 * error)
    np.testing.assert_allclose(read * depth, np.round(read * depth), atol=1e-9)
    assert float(Noise(depth=depth).spread(np.array(share))) == pytest.approx(np.sqrt(variance))


@pytest.mark.parametrize("share", [0.0, 1.0, -1e-12, 1 + 1e-12])
def test_nothing_and_everything_are_counted_without_scatter(share: float) -> None:
    assert (_reads(Noise(depth=50), share) == round(share)).all()


@given(st.floats(0, 1), st.integers(1, 100_000))
def test_a_count_is_a_share_of_the_depth(share: float, depth: int) -> None:
    read = Noise(depth=depth).read(np.full(3, share), KEY, np.arange(3.0))
    assert ((read >= 0) & (read <= 1)).all()
    assert (np.abs(read - share) <= 10 * np.sqrt(share / depth) + 20 / depth).all()


def test_replicates_of_a_count_are_read_one_by_one() -> None:
    read = _reads(Noise(depth=20, replicates=4), 0.3)
    assert read.std() == pytest.approx(np.sqrt(0.3 * 0.7 / 80), rel=0.03)
    np.testing.assert_allclose(read * 80, np.round(read * 80), atol=1e-9)


@pytest.mark.parametrize("share", [1.1, -0.2])
def test_what_is_no_share_cannot_be_counted(share: float) -> None:
    with pytest.raises(ScenarioError, match=f"from 0 to 1, not {share}"):
        _reads(Noise(depth=50), share)


@pytest.mark.parametrize("noise", [Noise(depth=50), Noise(cv=0.1), NO_NOISE])
def test_a_value_that_is_missing_stays_missing(noise: Noise) -> None:
    assert np.isnan(_reads(noise, np.nan)).all()


def test_the_stated_spread_is_that_of_the_readings() -> None:
    noise = Noise(cv=0.2, sd=0.3, replicates=2)
    assert float(noise.spread(np.array(2.0))) == pytest.approx(np.sqrt((0.4**2 + 0.3**2) / 2))
    assert _reads(noise, 2.0).std() == pytest.approx(np.sqrt((0.4**2 + 0.3**2) / 2), rel=0.03)


def test_the_last_digits_of_a_level_make_no_other_sample() -> None:
    assert same_number(0.1 + 0.2) == same_number(0.3)
    assert same_number(0.3) != same_number(0.3001)
