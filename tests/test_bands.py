"""Bands over draws: closed forms, what is counted, and which parameters a band comes from."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode import bands
from myelode.cli import main
from myelode.datasets import plan_dataset
from myelode.engines import Tolerances
from myelode.engines.bulk import Ran
from myelode.errors import ScenarioError
from myelode.figures import scenario_figure
from myelode.outcomes import evaluate
from myelode.parameters import COLUMNS
from myelode.plan import make_plan
from myelode.quantile_bands import by_chance, dominant, failures, rank_correlations
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import write_files

TOY = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species A in c; A = a; a = 2; a has uM; k = 0.5; k has per_hour; idle = 1; idle has dimensionless;
  loss: A => ; c * k * A;
end
"""
ROWS = {"c": "1 L fixed", "a": "2 umol/L lognormal(gsd=3)", "k": "0.5 1/h lognormal(gsd=1.2)",
        "idle": "1 1 lognormal(gsd=2)"}  # fmt: skip
TEXT = """\
id: unsure
title: a band
model: {folder}
perturbations: [none, {{half: {{scale: {{k: 0.5}}}}}}]
regimen: []
observe: {{every: 1 h, until: 4 h, outputs: [A]}}
endpoints: {{start: {{of: A, take: value, at: 0 h}}, left: {{of: A, take: value, at: 4 h}}}}
outcome: {{of: left, resistant_if: fold > 1.1}}
"""
DRAWS = 400


def _table() -> str:
    rows = ["\t".join(COLUMNS)]
    for name, said in ROWS.items():
        value, unit, spread = said.split(maxsplit=2)
        cells = [name, value, unit, "meaning", spread, "", "", "", "assumed", "no", "", "a test"]
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The scenario, without draws."""
    variants = "only: {title: toy, parts: [toy.ant]}\n"
    files = {"toy.ant": TOY, "variants.yaml": variants, "parameters.tsv": _table()}
    return TEXT.format(folder=write_files(tmp_path_factory.mktemp("bands") / "toy", files))


@pytest.fixture(scope="module")
def drawn(text: str) -> xr.Dataset:
    """Many draws of the scenario."""
    design = f"design: {{uncertainty: {{number: {DRAWS}}}}}\n"
    return simulate(scenario_from_text(text + design, "f"), engine="roadrunner")


def test_bands_of_a_lognormal_number_are_its_quantiles(drawn: xr.Dataset) -> None:
    found = bands(drawn, [0.05, 0.25, 0.5, 0.75, 0.95])
    start = found["A"].sel(perturbation="none").isel(time=0)
    assert found["A"].dims == ("quantile", "perturbation", "time")
    scores = np.array([-1.6448536, -0.6744898, 0, 0.6744898, 1.6448536])
    # One standard error of a quantile is sqrt(p (1 - p) / n) / density; three of them at most.
    density = np.exp(-0.5 * scores**2) / math.sqrt(2 * math.pi)
    level = found["quantile"].values
    error = 3 * np.sqrt(level * (1 - level) / DRAWS) / density
    assert (np.abs(np.log(start.values / 2) / math.log(3) - scores) < error).all()


def test_bands_of_a_decay_keep_their_shape(drawn: xr.Dataset) -> None:
    found = bands(drawn)
    assert list(found["quantile"].values) == [0.05, 0.5, 0.95]
    assert found["A"].attrs["units"] == "umol/L"
    low, median, high = found["A"].sel(perturbation="none").values
    assert (low < median).all()
    assert (median < high).all()
    assert median[-1] == pytest.approx(2 * math.exp(-2), rel=0.15)
    assert "status" not in found
    assert int(found["failed"].sum()) == 0


def test_folds_are_paired_draw_by_draw(drawn: xr.Dataset) -> None:
    low, median, high = bands(evaluate(drawn))["fold"].sel(perturbation="half").values
    assert median == pytest.approx(math.e, rel=0.1)
    # The start, which spreads most, cancels in each draw.
    assert high / low < 2.5
    assert "outcome" not in bands(evaluate(drawn))


def test_a_quantile_may_be_infinite_and_leaves_out_what_is_no_number() -> None:
    values = np.array([1.0, np.inf, 2.0, np.nan, np.inf])
    found = bands(xr.Dataset({"x": ("sample", values), "word": ("sample", list("abcde"))}))
    assert found["x"].values.tolist() == [1.0, 2.0, np.inf]
    assert set(found.data_vars) == {"x"}


def test_the_dominating_parameters_are_those_that_act(drawn: xr.Dataset) -> None:
    result = evaluate(drawn)
    names = [item.parameter for item in dominant(result.sel(perturbation="none"), "left")]
    assert names == ["a", "k"]
    start = dominant(result.sel(perturbation="none"), "start")
    assert [(item.parameter, item.rank_correlation) for item in start] == [("a", pytest.approx(1))]
    assert [item.parameter for item in dominant(result.sel(perturbation="half"), "fold")] == ["k"]
    assert dominant(result.sel(perturbation="none"), "fold") == []
    table = rank_correlations(result)
    assert table["left"].dims == ("parameter", "perturbation")
    assert abs(float(table["left"].sel(parameter="idle", perturbation="none"))) < by_chance(
        DRAWS, 3
    )


def test_few_draws_name_nobody() -> None:
    few = xr.Dataset({"x": ("sample", np.arange(5.0))}, {"k": ("sample", np.arange(5.0))})
    assert dominant(few, "x") == []
    assert by_chance(101, 1) == pytest.approx(0.196, rel=1e-3)
    assert by_chance(101, 100) > 0.34


def test_draws_do_not_depend_on_how_many_there_are(text: str, drawn: xr.Dataset) -> None:
    design = "design: {uncertainty: {number: 5}}\n"
    few = simulate(scenario_from_text(text + design, "f"), engine="roadrunner")
    np.testing.assert_array_equal(few["A"].values, drawn["A"].values[:, :5])


def test_a_draw_that_failed_is_in_the_ledger(text: str) -> None:
    plan = make_plan(scenario_from_text(text + "design: {uncertainty: {number: 9}}\n", "f"))
    shape = (*(len(axis.values) for axis in plan.axes), len(plan.times), len(plan.columns))
    values = np.ones(shape)
    values[1, 3] = np.nan
    dataset = plan_dataset(plan, values, Ran([], "roadrunner", ""), Tolerances())
    assert list(failures(dataset)) == [{"perturbation": "half", "sample": 3}]
    found = bands(dataset)
    assert found["failed"].values.tolist() == [0, 1]
    assert np.isfinite(found["A"].values).all()
    result = evaluate(dataset)
    assert np.isnan(result["fold"].values[1, 3])
    assert result["outcome"].values[1, 3] == "undetermined"


@pytest.mark.parametrize("levels", [[], [0.5, 1.0], [-0.1], [[0.5]], [float("nan")]])
def test_levels_that_are_no_shares_are_refused(drawn: xr.Dataset, levels: list[float]) -> None:
    with pytest.raises(ScenarioError, match="levels are a list of shares between 0 and 1"):
        bands(drawn, levels)


def test_a_result_without_draws_has_no_bands(text: str) -> None:
    with pytest.raises(ScenarioError, match="bands need draws"):
        bands(simulate(scenario_from_text(text, "f")))


def test_the_figure_shows_bands_and_says_so(drawn: xr.Dataset) -> None:
    figure = scenario_figure(drawn, evaluate(drawn))
    assert overlapping(figure) == []
    assert off_the_page(figure) == []
    [axes] = figure.axes
    assert len(axes.collections) == 2
    assert any("Medians and 5 to 95 % of the 400 draws" in text.get_text() for text in figure.texts)


def test_a_ladder_of_doses_has_bands_and_the_median_dose_of_half() -> None:
    settings = ["perturbations=[none]", "design.dose.points=6", "design.uncertainty.number=5"]
    dataset = simulate(load_scenario("ic50_melflufen_pulse", [*settings, "expect=[]"]))
    figure = scenario_figure(dataset, evaluate(dataset))
    assert overlapping(figure) == []
    [axes] = figure.axes
    assert len(axes.collections) == 1
    median = float(np.sort(evaluate(dataset)["ic50"].values.ravel())[2])
    assert any(list(line.get_xdata()) == [median, median] for line in axes.lines)


def test_the_command_line_says_where_bands_come_from(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unsure.yaml"
    path.write_text(text)
    assert main(["run", str(path), "--uncertainty", "40", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["parameter"] for item in found["dominant"]["start"]] == ["a"]
    assert set(found["dominant"]["start"][0]) == {"parameter", "rank_correlation"}
    half = found["perturbations"]["half"]
    assert [item["parameter"] for item in half["outcome"]["dominant"]] == ["k"]
    known = found["uncertainty"]
    assert (known["number"], known["parameters"], known["failed"]) == (40, 3, 0)
    assert main(["run", str(path), "--uncertainty", "40"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Where the bands come from" in shown
    assert "start a +1.00" in shown
    assert "Spearman's rank correlation over 40 draws of 3 numbers; below 0.38" in shown
