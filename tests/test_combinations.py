"""Two agents together against what was to be expected: closed forms, names, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from myelode.cli import main
from myelode.cli.checks import check_file
from myelode.errors import ScenarioError
from myelode.interactions.indices import bliss_excess, hsa_excess
from myelode.outcomes import check_expectations, evaluate
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import simulate

# Agent a leaves 1 - fa, agent b 1 - fb, and both the product, but for x of what they share.
TOY = """\
compartment c; species A in c; A = 1; k = 0; J: A -> ; c*k*A;
a = 0; b = 0; fa = 0.3; fb = 0.6; x = 0; size = 200;
left := (1 - fa*a)*(1 - fb*b)*(1 - x*a*b); count := size*left;
"""
TEXT = """\
id: pair
title: two agents
model: {model}
perturbations: [none, {{more: {{set: {{x: 0.5}}}}}}, {{less: {{set: {{x: -0.3}}}}}}]
arms:
  control: []
  one: [{{at: 0, set: {{a: 1}}}}]
  other: [{{at: 0, set: {{b: 1}}}}]
  both: [{{at: 0, set: {{a: 1, b: 1}}}}]
observe: {{until: 1, outputs: [left, count]}}
endpoints:
  share: {{of: left, take: value, at: 1}}
  cells: {{of: count, take: value, at: 1}}
  first: {{of: left, take: value, at: 1, arm: one}}
  said: {{expr: none.one.share}}
combinations:
  pair: {{of: share, single: [one, other], together: both}}
  counted: {{of: cells, untreated: control, single: [one, other], together: both}}
  sham: {{of: share, single: [control, control], together: control}}
rules:
  verdict:
    - {{label: more, if: bliss_pair > 0.01}}
    - {{label: less, if: bliss_pair < -0.01}}
    - {{label: as expected}}
expect:
  - abs(none.bliss_pair) < 1e-12
  - more.hsa_counted > none.hsa_counted
"""
ROUNDING = 1e-12
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the scenario, with pieces of it replaced."""

    def write(*swaps: tuple[str, str]) -> Path:
        (tmp_path / "toy.ant").write_text(TOY)
        text = TEXT.format(model=tmp_path / "toy.ant")
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "pair.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def scenario(make: Make) -> Scenario:
    return load_scenario(make())


@pytest.fixture
def result(scenario: Scenario) -> xr.Dataset:
    return evaluate(simulate(scenario))


@pytest.mark.parametrize("name", ["pair", "counted"])
def test_independent_agents_have_no_excess_over_bliss(result: xr.Dataset, name: str) -> None:
    assert abs(float(result[f"bliss_{name}"].sel(perturbation="none"))) < ROUNDING


def test_a_sham_has_no_excess_at_all(result: xr.Dataset) -> None:
    for prefix in ("bliss_", "hsa_"):
        np.testing.assert_allclose(result[f"{prefix}sham"], 0.0, atol=ROUNDING)


@pytest.mark.parametrize(("perturbation", "x"), [("none", 0.0), ("more", 0.5), ("less", -0.3)])
def test_an_interaction_has_its_closed_form(
    result: xr.Dataset, perturbation: str, x: float
) -> None:
    here = result.sel(perturbation=perturbation)
    assert float(here["bliss_pair"]) == pytest.approx(0.7 * 0.4 * x, abs=ROUNDING)
    assert float(here["hsa_pair"]) == pytest.approx(0.4 - 0.7 * 0.4 * (1 - x), abs=ROUNDING)
    assert float(here["bliss_counted"]) == pytest.approx(0.7 * 0.4 * x, abs=ROUNDING)


def test_the_result_says_what_it_is(result: xr.Dataset) -> None:
    data = result["bliss_counted"]
    assert data.dims == ("perturbation",)
    assert data.attrs["units"] == "1"
    assert data.attrs["long_name"] == "counted: effect beyond Bliss independence"
    assert data.attrs["definition"] == (
        "one times other, minus both, in shares left (of cells over that of control)"
    )
    assert "note" not in data.attrs


def test_rules_and_expectations_use_it_by_name(result: xr.Dataset, scenario: Scenario) -> None:
    assert list(result["verdict"].values) == ["as expected", "more", "less"]
    assert all(line.passed for line in check_expectations(result, scenario))


def test_growth_counts_below_zero_and_is_said(make: Make) -> None:
    found = evaluate(simulate(load_scenario(make(("id: pair", "set: {fa: -0.5}\nid: pair")))))
    data = found["bliss_pair"].sel(perturbation="none")
    assert abs(float(data)) < ROUNDING
    assert data.attrs["note"] == "more is left than untreated in one (up to 1.5)"


def test_a_negative_share_is_refused(make: Make) -> None:
    path = make(("id: pair", "set: {fa: 1.5}\nid: pair"))
    with pytest.raises(ScenarioError, match=r"combinations.pair: 'share' is -0.5 in one: a share"):
        evaluate(simulate(load_scenario(path)))


def test_nothing_left_untreated_gives_no_number(make: Make) -> None:
    found = evaluate(simulate(load_scenario(make(("id: pair", "set: {size: 0}\nid: pair")))))
    assert np.isnan(found["bliss_counted"]).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("of: share, single: [one", "of: shore, single: [one",
         "combinations.pair.of: unknown endpoint 'shore': did you mean 'share'?"),
        ("pair: {of: share, single: [one, other]", "pair: {of: share, single: [one, othr]",
         "combinations.pair.single.1: unknown arm 'othr': did you mean 'other'"),
        ("untreated: control", "untreated: contrl",
         "combinations.counted.untreated: unknown arm 'contrl': did you mean 'control'"),
        ("pair: {of: share, single: [one, other], together: both",
         "pair: {of: share, single: [one, other], together: bth",
         "combinations.pair.together: unknown arm 'bth': did you mean 'both'"),
        ("pair: {of: share", "pair: {of: first", "'first' is of one arm only: leave its arm out"),
        ("pair: {of: share", "pair: {of: said", "'said' has one value for all arms"),
        ("{of: share, single: [one, other], together: both}", "{of: share, together: both}",
         "combinations.pair: 'single' is missing"),
        ("  said:", "  bliss_pair: {expr: said}\n  said:", "'bliss_pair' is the name of an endpoin"),
        ("untreated", "untreaded", "unknown key 'untreaded': did you mean 'untreated'"),
    ],
)  # fmt: skip
def test_faults_have_a_line_and_say_what_is_known(
    make: Make, old: str, new: str, message: str
) -> None:
    [error] = check_file(str(make((old, new)))).errors
    assert message in error


def test_run_prints_and_returns_both_excesses(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(make(("id: pair", "set: {fa: -0.5}\nid: pair")))
    main(["run", path, "--json"])
    found = json.loads(capsys.readouterr().out)["combinations"]["pair"]
    assert found["single"] == ["one", "other"]
    assert found["note"] == "more is left than untreated in one (up to 1.5)"
    assert found["perturbations"]["more"]["bliss_excess"]["value"] == pytest.approx(0.3)
    assert found["perturbations"]["more"]["hsa_excess"]["unit"] == "1"
    main(["run", path])
    text = capsys.readouterr().out
    assert "Combinations: more" in text
    assert "one + other" in text
    assert "pair: more is left than untreated in one (up to 1.5)." in text
    assert "One number above zero is no synergy." in text


def test_each_point_of_a_design_has_an_excess_of_its_own(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    swaps = [
        ("id: pair", "design: {cross: {x: [0, 0.25]}}\nid: pair"),
        (", {more: {set: {x: 0.5}}}, {less: {set: {x: -0.3}}}", ""),
        ("expect:\n  - abs", "description: |\n  abs"),
        ("  - more.", "  more."),
    ]
    path = str(make(*swaps))
    assert main(["run", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["combinations"]["pair"]["perturbations"]["none"]
    np.testing.assert_allclose(found["bliss_excess"]["values"], [0, 0.07], atol=ROUNDING)
    assert found["bliss_excess"]["value"] is None


shares = st.floats(0, 1).map(xr.DataArray)


@given(shares, shares, shares)
def test_the_better_agent_is_never_expected_to_do_more_than_both_independently(
    first: xr.DataArray, second: xr.DataArray, both: xr.DataArray
) -> None:
    """Agents that only take away: Bliss expects at least the effect of the better one."""
    assert float(hsa_excess(first, second, both)) >= float(bliss_excess(first, second, both))
    assert float(bliss_excess(first, second, first * second)) == 0
    nothing = xr.ones_like(first)
    assert float(bliss_excess(first, nothing, both)) == float(hsa_excess(first, nothing, both))
