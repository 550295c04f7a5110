"""Two agents as bars: which groups and heights there are, and that all of it can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from myelode.figures import scenario_figure
from myelode.figures.combined import MOST_GROUPS, bars_of, excess_text
from myelode.scenario import scenario_from_text

from .figure_texts import off_the_page, overlapping
from .toys import evaluated

MODEL = """\
compartment c; species A in c; A = 1; k = 0; J: A -> ; c*k*A;
a = 0; b = 0; fa = 0.3; fb = 0.6; x = 0; left := (1 - fa*a)*(1 - fb*b)*(1 - x*a*b);
"""
TEXT = """\
id: pair
title: two agents
model: {model}
perturbations: [none, {{much_more_than_that: {{set: {{x: 0.5}}}}}}, {{less: {{set: {{x: -0.3}}}}}}]
arms:
  first_agent: [{{at: 0, label: one, set: {{a: 1}}}}]
  second_agent: [{{at: 0, label: other, set: {{b: 1}}}}]
  both: [{{at: 0, set: {{a: 1, b: 1}}}}]
observe: {{until: 1, outputs: [left]}}
endpoints: {{share: {{of: left, take: value, at: 1}}}}
combinations:
  pair: {{of: share, single: [first_agent, second_agent], together: both, title: the pair}}
"""
Make = Callable[..., tuple[xr.Dataset, xr.Dataset]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Simulates and evaluates the scenario, with pieces of it replaced."""

    return lambda *swaps: evaluated(tmp_path / "toy.ant", MODEL, TEXT, swaps)


@pytest.fixture
def figure(make: Make) -> Figure:
    return scenario_figure(*make())


def _bars(figure: Figure) -> list[BarContainer]:
    return [item for item in figure.axes[-1].containers if isinstance(item, BarContainer)]


def test_each_perturbation_has_both_agents_both_together_and_what_was_expected(
    figure: Figure,
) -> None:
    heights = [[bar.get_height() for bar in bars] for bars in _bars(figure)]
    expected = [[0.7] * 3, [0.4] * 3, [0.28, 0.14, 0.364], [0.28] * 3]
    np.testing.assert_allclose(heights, expected, atol=1e-6)
    legend = figure.axes[-1].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["first agent", "second agent", "both", "expected (Bliss)"]
    groups = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert groups == ["none", "much more than that", "less"]


def test_what_is_beyond_bliss_stands_above_each_group(figure: Figure, make: Make) -> None:
    said = [text.get_text() for text in figure.axes[-1].texts]
    assert said == ["0", "+0.14", "−0.08", "the pair, and the effect beyond Bliss independence"]
    dataset, result = make()
    [bars] = bars_of(result, scenario_from_text(dataset.attrs["scenario"]))
    np.testing.assert_allclose(bars.excess, result["bliss_pair"].values, atol=1e-12)


def test_all_can_be_read(figure: Figure) -> None:
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_many_groups_stand_upright_and_too_many_are_left_out(make: Make) -> None:
    def listed(count: int) -> tuple[str, str]:
        more = ", ".join(
            f"{{change_number_{n}: {{set: {{x: 0.0{n + 10}}}}}}}" for n in range(count)
        )
        return "perturbations: [none, ", f"perturbations: [none, {more}, "

    figure = scenario_figure(*make(listed(MOST_GROUPS - 3)))
    assert {label.get_rotation() for label in figure.axes[-1].get_xticklabels()} == {90.0}
    assert overlapping(figure) == []
    assert off_the_page(figure) == []
    assert not _bars(scenario_figure(*make(listed(MOST_GROUPS))))


def test_samples_are_shown_by_their_median(make: Make) -> None:
    figure = scenario_figure(
        *make(("observe:", "design: {cross: {fa: [0.1, 0.3, 0.9]}}\nobserve:"))
    )
    assert [bar.get_height() for bar in _bars(figure)[0]] == pytest.approx([0.7] * 3)


def test_very_different_shares_have_a_log_axis(make: Make) -> None:
    swaps = ("title: two agents", "title: two agents\nset: {fb: 0.9999}")
    assert scenario_figure(*make(swaps)).axes[-1].get_yscale() == "log"


@pytest.mark.parametrize(
    ("excess", "text"), [(0.123, "+0.12"), (-0.04, "−0.04"), (0.001, "0"), (np.nan, "–")]
)
def test_an_excess_has_its_sign(excess: float, text: str) -> None:
    assert excess_text(excess) == text
