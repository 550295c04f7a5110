"""`dose_response`: exact factors, what is read, ladders of its own, draws, and bad input."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import myelode
from myelode import simulation
from myelode.engines import bulk
from myelode.engines.bulk import run_all
from myelode.errors import MyelodeError, ScenarioError, SimulationError
from myelode.results import read_result, write_result
from myelode.scenario import Scenario, scenario_from_text

from ..toys import DECAY_TABLE, write_files
from .conftest import DISH, LADDER, TEXT

Write = Callable[..., Scenario]


@pytest.fixture
def curves(titration: Write) -> xr.Dataset:
    """The dose-response of the toy dish."""
    return myelode.dose_response(titration())


def test_parallel_shifts_give_the_exact_factor(curves: xr.Dataset) -> None:
    assert curves["fold"].sel(perturbation="pumping").item() == pytest.approx(3, rel=1e-6)
    assert curves["fold"].sel(perturbation="mutant").item() == pytest.approx(10, rel=1e-6)
    assert curves["ic50"].values[:3] == pytest.approx([20, 60, 200], rel=1e-6)
    assert curves["hill"].values[:3] == pytest.approx(1.5, rel=1e-5)


def test_what_never_falls_to_half_is_infinite_and_keeps_its_relative_dose(
    curves: xr.Dataset,
) -> None:
    lost = curves.sel(perturbation="half_lost")
    assert (lost["ic50"].item(), lost["fold"].item()) == (math.inf, math.inf)
    assert lost["outcome"].item() == "resistant"
    assert lost["ec50"].item() == pytest.approx(20, rel=1e-3)
    assert lost["emax"].item() == pytest.approx(0.4, rel=1e-3)
    assert lost["flags"].item().startswith("not reached: 0.6 of the control is left")


def test_the_outcome_follows_the_rule_of_the_scenario(curves: xr.Dataset) -> None:
    assert curves["outcome"].values.tolist() == ["sensitive", "reduced", "resistant", "resistant"]
    assert curves.attrs["resistant_if"] == "fold > 5"


def test_time_definition_and_unit_are_always_there(curves: xr.Dataset) -> None:
    assert curves.attrs["read_at"] == "24 h"
    assert curves.attrs["definition"].startswith("dose at which the response first falls to half")
    assert curves.attrs["doses"] == "100 pM to 10 uM"
    assert curves["ic50"].attrs["units"] == "nmol/L"
    assert all(curves[name].attrs["definition"] for name in ("ic50", "ec50", "emax", "gr50"))


def test_gr_metrics_are_those_of_the_closed_form(curves: xr.Dataset) -> None:
    doublings = 24 * 0.05 / math.log(2)
    # GR is one half where the share is (1.5 ** doublings) / (2 ** doublings).
    share = (1.5 / 2) ** doublings
    half = 20 * (1 / share - 1) ** (1 / 1.5)
    assert curves["gr50"].values[:2] == pytest.approx([half, 3 * half], rel=0.02)


def test_the_number_is_the_one_that_run_gives(titration: Write, curves: xr.Dataset) -> None:
    result = myelode.evaluate(myelode.simulate(titration()))
    assert curves["ic50"].values == pytest.approx(result["ic50"].values, rel=1e-9)
    assert curves["fold"].values == pytest.approx(result["fold"].values, rel=1e-9)


def test_the_order_of_points_changes_no_bit(titration: Write, curves: xr.Dataset) -> None:
    names = ["half_lost", "mutant", "pumping"]
    other = myelode.dose_response(titration(), perturbations=names)
    assert other["perturbation"].values.tolist() == ["none", *names]
    for name in ("response", "ic50", "hill", "gr50", "fold"):
        ordered = other[name].sel(perturbation=curves["perturbation"].values)
        assert np.array_equal(ordered.values, curves[name].values, equal_nan=True)


def test_the_sizes_of_blocks_change_no_bit(
    titration: Write, curves: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 3)
    again = myelode.dose_response(titration(), engine="roadrunner")
    assert np.array_equal(again["response"].values, curves["response"].values)


def test_a_scenario_without_a_ladder_gets_one_around_its_dose(titration: Write) -> None:
    found = myelode.dose_response(titration(design=""), of="cells", at="24 h")
    doses = found["dose"].values
    assert (doses[0], len(doses)) == (0, 26)
    assert doses[[1, -1]] == pytest.approx([0.01, 10000])
    assert found["ic50"].values[0] == pytest.approx(20, rel=1e-6)


def test_a_ladder_may_be_asked_for_and_may_be_of_a_value(titration: Write) -> None:
    found = myelode.dose_response(titration(), low="1 nM", high="1000 nM", points=4)
    assert found["dose"].values == pytest.approx([0, 1, 10, 100, 1000])
    ladder = {"dose": "efflux", "low": "0.01 1/h", "high": "100 1/h", "points": 9}
    efflux = myelode.dose_response(titration(), of="inside", at="2 h", perturbations=[], **ladder)
    # Half of what is inside is left where efflux is as fast as permeation.
    assert efflux["ic50"].values[0] == pytest.approx(1.0, rel=1e-6)


def test_by_default_the_rule_then_an_endpoint_over_doses_then_any_is_read(titration: Write) -> None:
    some = "endpoints: {{peak: {{of: cells, take: max}}{more}}}\n{rule}"
    over_doses = ", late: {of: share, take: ic50, at: 12 h}"
    rule = "outcome: {of: peak, resistant_if: fold > 9}"
    for rest, read in (
        (some.format(more="", rule=""), "cells"),
        (some.format(more=over_doses, rule=rule), "share"),
    ):
        found = myelode.dose_response(titration(rest=rest))
        assert found.attrs["response_of"] == read
        assert found.attrs["resistant_if"] == "fold > 3"  # no rule is about this half dose
    with pytest.raises(ScenarioError, match="has no endpoint to read: name an output"):
        myelode.dose_response(titration(rest=""))


def test_an_expression_over_doses_is_a_response(titration: Write) -> None:
    rest = "endpoints: {now: {of: cells, take: value, at: 24 h}, lost: {expr: 5 * now}}"
    found = myelode.dose_response(titration(rest=rest), of="lost")
    assert found["ic50"].values[0] == pytest.approx(20, rel=1e-6)
    assert "count of cells" in found["gr_reason"].values[0]


def test_a_time_course_may_be_the_response(titration: Write) -> None:
    found = myelode.dose_response(titration(), of="share", take="mean")
    assert found["ic50"].values[0] == pytest.approx(20, rel=1e-6)
    assert found.attrs["read_at"] == "mean, from 0 to 24 h"


def test_a_response_that_rises_is_compared_by_ec50(titration: Write) -> None:
    found = myelode.dose_response(titration(), of="dying", at="24 h")
    assert found.attrs["half"] == "ec50"
    assert found["fold"].values[1] == pytest.approx(3, rel=1e-2)
    assert np.isnan(found["ic50"].values).all()
    assert "rises with the dose" in found["gr_reason"].values[0]


def test_a_hook_is_found_in_a_simulation(titration: Write) -> None:
    found = myelode.dose_response(titration(), of="wave", at="24 h")
    assert "hook: " in found["flags"].values[0]
    assert math.isfinite(found["ic50"].values[0])


def test_a_fit_stands_beside_the_interpolation(titration: Write) -> None:
    found = myelode.dose_response(titration(), fit=True)
    assert found["fit_ec50"].values == pytest.approx([20, 60, 200, 20], rel=1e-5)
    assert found["fit_hill"].values == pytest.approx(1.5, rel=1e-5)
    assert found["fit_residual"].values == pytest.approx(0, abs=1e-7)


def test_the_dataset_can_be_kept(curves: xr.Dataset, tmp_path: Path) -> None:
    write_result(curves, tmp_path / "curves.nc")
    again = read_result(tmp_path / "curves.nc")
    assert again["flags"].values.tolist() == curves["flags"].values.tolist()
    assert again.attrs["read_at"] == "24 h"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"of": "cels"}, "'cels' is neither an endpoint .* did you mean 'cells'"),
        ({"take": "maximum"}, "unknown take 'maximum'"),
        ({"dose": "drugs"}, "no dose is labelled 'drugs': did you mean 'drug'"),
        ({"low": "1 uM", "high": "1 nM"}, "a ladder runs from a positive dose to a higher one"),
        ({"low": "0 nM"}, "a dose of zero .0 nM. has no place on a log axis"),
        ({"points": 2}, "has 2 doses, and needs 3 or more"),
        ({"points": 3, "fit": True}, "a fit of a Hill curve needs 4 positive doses or more, not 3"),
        ({"at": "30 h"}, "the time 30 lies after the end"),
        ({"of": "share", "take": "max", "at": "2 h"}, "at needs take: value"),
        ({"perturbations": ["mutants"]}, "unknown perturbation 'mutants'"),
        ({"uncertainty": -1}, "a number of draws, not -1"),
        ({"uncertainty": 3}, "nothing to vary"),
    ],
)
def test_bad_input_is_one_line(titration: Write, asked: dict[str, object], message: str) -> None:
    with pytest.raises(MyelodeError, match=message) as caught:
        myelode.dose_response(titration(), **asked)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[1 nM, 3 nM, 2 nM, 9 nM]", "must increase"),
        ("[1 nM, 3 nM]", "needs 3 positive doses or more, not 2"),
    ],
)
def test_a_ladder_of_the_scenario_must_increase(
    titration: Write, values: str, message: str
) -> None:
    scenario = titration(design=f"design: {{dose: {{of: drug, values: {values}}}}}")
    with pytest.raises(ScenarioError, match=message):
        myelode.dose_response(scenario)


def test_of_several_doses_one_must_be_named(titration: Write) -> None:
    scenario = titration(design="")
    more = scenario.regimen[0].model_copy(update={"label": "more", "dose": "other"})  # type: ignore[index]
    both = scenario.model_copy(update={"regimen": [*(scenario.regimen or []), more]})
    with pytest.raises(ScenarioError, match=r"several doses \(drug, more\): say which"):
        myelode.dose_response(both, of="cells")
    assert myelode.dose_response(both, of="cells", dose="drug")["ic50"].values[0] > 0


# ------------------------------------------------------------------ draws

ROWS = {
    "well": "1 L fixed", "K": "20 nmol/L lognormal(gsd=2)", "h": "1.5 1 lognormal(gsd=1.2)",
    "rest": "0 1 fixed", "efflux": "0 1/h fixed", "permeation": "1 1/h lognormal(gsd=2)",
    "growth": "0.05 1/h fixed",
}  # fmt: skip


@pytest.fixture
def unsure(tmp_path: Path) -> Scenario:
    """The toy dish with uncertain affinity, steepness and permeation."""
    head = DECAY_TABLE.splitlines()[0]
    rows = []
    for name, text in ROWS.items():
        value, unit, spread = text.split(maxsplit=2)
        cells = [name, value, unit, "meaning", spread, "", "", "", "assumed", "no", "", "a test"]
        rows.append("\t".join(cells))
    files = {
        "dish.ant": DISH, "variants.yaml": "only: {title: dish, parts: [dish.ant]}\n",
        "parameters.tsv": "\n".join([head, *rows]) + "\n",
    }  # fmt: skip
    folder = write_files(tmp_path / "unsure", files)
    rest = "endpoints: {ic50: {of: cells, take: ic50, at: 24 h}}"
    return scenario_from_text(TEXT.format(model=folder, design=LADDER, rest=rest), "unsure")


def test_draws_are_paired_between_lines(unsure: Scenario) -> None:
    found = myelode.dose_response(unsure, uncertainty=12, points=9)
    assert found["fold_draws"].sizes["sample"] == 12
    mutant = found.sel(perturbation="mutant")
    # Affinity and steepness are drawn once for both lines, so that the factor has no spread.
    assert mutant["fold_draws"].values == pytest.approx(10, rel=1e-4)
    assert np.ptp(mutant["ic50_interval"].values) > 20
    pumping = found.sel(perturbation="pumping")["fold_interval"].values
    assert pumping[0] < 2.9 < 3.1 < pumping[2]  # it depends on permeation, which is drawn


def test_the_number_without_draws_is_the_number_with_them(unsure: Scenario) -> None:
    without = myelode.dose_response(unsure, points=9)
    drawn = myelode.dose_response(unsure, points=9, uncertainty=2)
    assert np.array_equal(without["ic50"].values, drawn["ic50"].values)


def test_more_draws_leave_the_first_ones_as_they_are(unsure: Scenario) -> None:
    few, many = (myelode.dose_response(unsure, points=9, uncertainty=n) for n in (2, 4))
    assert np.array_equal(few["fold_draws"].values, many["fold_draws"].values[:, :2])


def test_infinite_draws_count_as_infinite(unsure: Scenario) -> None:
    found = myelode.dose_response(unsure, points=9, uncertainty=3)
    lost = found.sel(perturbation="half_lost")
    assert np.isposinf(lost["fold_interval"].values).all()
    assert lost["outcome"].item() == "resistant"


def _failing(at: set[int]) -> Callable[..., bulk.Ran]:
    """`run_all`, in which the runs at these places fail."""

    def run(*arguments: object) -> bulk.Ran:
        ran = run_all(*arguments)  # type: ignore[arg-type]
        failure = SimulationError("it broke", 3.5, {})
        results = [failure if n in at else item for n, item in enumerate(ran.results)]
        return bulk.Ran(results, ran.engine, ran.because)

    return run


def test_a_draw_that_fails_is_listed_and_ends_nothing(
    unsure: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        simulation, "run_all", _failing({6})
    )  # the second dose, draw 2 of four samples
    found = myelode.dose_response(unsure, points=9, uncertainty=3)
    [entry] = json.loads(found.attrs["ledger"])
    assert (entry["perturbation"], entry["sample"]) == ("none", 2)
    assert (entry["time"], entry["reason"]) == (3.5, "it broke")
    assert np.isnan(found["fold_draws"].sel(perturbation="mutant").values).tolist() == [
        False, True, False,
    ]  # fmt: skip
    assert found["undefined_draws"].sel(perturbation="mutant").item() == 1
    assert found["fold"].sel(perturbation="mutant").item() == pytest.approx(10, rel=1e-4)


def test_a_typical_run_that_fails_ends_it(
    unsure: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "run_all", _failing({4}))
    with pytest.raises(SimulationError, match="it broke .*perturbation none, dose .*, sample 0"):
        myelode.dose_response(unsure, points=9, uncertainty=3)


def test_arms_without_the_dose_have_no_curve(titration: Write) -> None:
    scenario = titration()
    [dosed] = scenario.regimen or []
    other = dosed.model_copy(update={"label": "other", "dose": "other"})
    arms = {"untreated": [other], "treated": [dosed, other]}
    found = myelode.dose_response(scenario.model_copy(update={"regimen": None, "arms": arms}))
    assert found["arm"].values.tolist() == ["treated"]
    assert found["fold"].sel(perturbation="pumping").item() == pytest.approx(3, rel=1e-6)


def test_a_second_ladder_gives_a_curve_for_each_of_its_doses(titration: Write) -> None:
    design = f"{LADDER[:-1]}, dose2: {{of: permeation, values: [1 1/h, 2 1/h]}}}}"
    scenario = titration(design=design)
    both = myelode.dose_response(scenario, perturbations=["pumping"])
    assert both["ic50"].sel(perturbation="pumping").values == pytest.approx([60, 40], rel=1e-6)
    one = scenario.endpoints["ic50"].model_copy(update={"dose2": "2 1/h"})
    only = scenario.model_copy(update={"endpoints": {"ic50": one}})
    found = myelode.dose_response(only, perturbations=["pumping"])
    assert found["ic50"].sel(perturbation="pumping").item() == pytest.approx(40, rel=1e-6)


def test_each_value_of_a_design_has_its_own_curve(titration: Write) -> None:
    found = myelode.dose_response(titration(design=f"{LADDER[:-1]}, cross: {{K: [5 nM, 50 nM]}}}}"))
    assert found["ic50"].sel(perturbation="none").values == pytest.approx([5, 50], rel=1e-6)
