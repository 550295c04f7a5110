"""What is kept of a point is said of that point alone, and verdicts are codes with their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as some

from myelode.errors import ScenarioError
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.sweeps.blocks import DONE, Block, Variable
from myelode.sweeps.layouts import fitting
from myelode.sweeps.plans import SweepPlan, plan_sweep
from myelode.sweeps.sections import sweep_from_text
from tests.sweeps.decay import plan_of, write_decay

CLINIC = """\
id: ward
title: a protein that falls, and rises again
model: {model}
perturbations: [none, fast]
regimen:
  - {{at: 1 h, label: pulse, dose: drug, to: 2 uM}}
  - {{at: 6 h, label: relapse, dose: drug, to: 3 uM}}
observe: {{every: 1 h, until: 12 h, outputs: [drug]}}
assays: {{protein: {{of: drug, signal: 20 * x, unit: g/L}}}}
responses:
  clinic: {{of: protein, first: 1 h, every: 1 h, dropout: {{rate: 0.05 1/h}}, landmarks: [4 h]}}
endpoints:
  left: {{of: drug, take: value, at: 4 h}}
rules:
  both: [{{label: gone, if: left < 0.1}}, {{label: there}}]
"""
RATES = "k: {from: 0.02 1/h, to: 2 1/h, points: 9, spacing: log}"
GROUP = "is said of all patients together, and each point of a sweep stands alone"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = write_decay(tmp_path_factory.mktemp("ward"))
    scenario.write_text(CLINIC.format(model=scenario.parent / "decay"), "utf-8")
    return scenario


@pytest.fixture(scope="module")
def judged(ward: Path) -> SweepPlan:
    return plan_of(ward, f"grid: {{{RATES}}}", "engine: ensemble\n")


@pytest.fixture(scope="module")
def everything(judged: SweepPlan) -> Block:
    return judged.compute_points(np.arange(judged.points))


def variable(plan: SweepPlan, name: str) -> Variable:
    [found] = [item for item in plan.layout.results if item.name == name]
    return found


def words(plan: SweepPlan, name: str, codes: np.ndarray) -> np.ndarray:
    """What codes mean."""
    attributes = variable(plan, name).attributes
    meanings = dict(
        zip(attributes["flag_values"], attributes["flag_meanings"].split(), strict=True)
    )
    return np.vectorize(meanings.__getitem__)(codes)


def same(one: Block, other: Block) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[n], other[n], equal_nan=one[n].dtype.kind == "f")
        for n in one.keys() - {"seconds"}
    )


def test_what_a_response_says_of_a_run_is_kept(
    ward: Path, judged: SweepPlan, everything: Block
) -> None:
    seen = set()
    for number, rate in enumerate(everything["k"]):
        run = load_scenario(ward, [f"k={float(rate)!r} 1/h"])
        alone = evaluate(simulate(run, engine="ensemble"))
        for name in ("clinic_progression", "clinic_duration", "clinic_best_change"):
            np.testing.assert_array_equal(everything[name][number], alone[name].values)
        best = words(judged, "clinic_best", everything["clinic_best"][number])
        assert best.tolist() == alone["clinic_best"].values.tolist()
        progressed = everything["clinic_progressed"][number]
        assert progressed.tolist() == alone["clinic_progressed"].values.tolist()
        seen |= set(best)
    assert {"SD", "PR", "VGPR"} <= seen


def test_truths_are_codes(judged: SweepPlan, everything: Block) -> None:
    codes = everything["clinic_progressed"]
    assert codes.dtype == np.int8
    assert set(words(judged, "clinic_progressed", codes).ravel()) == {"no", "yes"}
    assert variable(judged, "clinic_duration_censored").attributes["flag_meanings"] == (
        "missing no yes"
    )
    responded = ~np.isnan(everything["clinic_duration"])
    np.testing.assert_array_equal(
        everything["clinic_duration_censored"] == 1, responded & (codes == 0)
    )


@settings(deadline=None, max_examples=20)
@given(some.lists(some.integers(0, 8), min_size=1, max_size=9, unique=True).map(sorted))
def test_responses_are_the_same_in_whatever_company(
    judged: SweepPlan, everything: Block, numbers: list[int]
) -> None:
    some_points = judged.compute_points(numbers)
    assert same(some_points, {name: array[numbers] for name, array in everything.items()})


def test_numbers_of_all_patients_are_left_out(judged: SweepPlan) -> None:
    names = {item.name for item in judged.layout.results} | judged.layout.fixed.keys()
    kept = {name for name in names if name.startswith("clinic")}
    endings = "best progression progressed duration duration_censored best_change".split()
    assert kept == {f"clinic_{ending}" for ending in endings}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("endpoints:\n", "endpoints:\n  rate: {{expr: left - {}}}\n", "endpoints.rate.expr"),
        ("endpoints:\n", "endpoints:\n  rate: {{expr: none.{} + 1}}\n", "endpoints.rate.expr"),
        ("if: left < 0.1", "if: left < {}", "rules.both.0.if"),
    ],
)
@pytest.mark.parametrize("name", ["clinic_response_rate", "clinic_pfs_median_low", "clinic_failed"])
def test_an_expression_over_all_patients_is_refused(
    ward: Path, tmp_path: Path, old: str, new: str, place: str, name: str
) -> None:
    scenario = tmp_path / "of_all.yaml"
    text = ward.read_text("utf-8").replace(old, new.format(name))
    scenario.write_text(text, "utf-8")
    line = next(n for n, said in enumerate(text.splitlines(), 1) if name in said)
    with pytest.raises(ScenarioError) as caught:
        plan_of(scenario, f"grid: {{{RATES}}}").layout  # noqa: B018
    assert str(caught.value).startswith(f"{scenario}:{line}: {place}: {name!r} {GROUP}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("clinic_response_rate", f"'clinic_response_rate' {GROUP}"),
        ("clinic_bst", "ward has no endpoint 'clinic_bst': did you mean 'clinic_best'"),
    ],
)
def test_an_endpoint_that_no_point_has_is_refused(ward: Path, name: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan_of(ward, f"grid: {{{RATES}}}", f"endpoints: [{name}]\n").layout  # noqa: B018
    assert f"toy.yaml:6: endpoints.0: {said}" in str(caught.value)


def test_a_run_that_failed_has_no_verdict(ward: Path) -> None:
    more = "engine: ensemble\nrtol: 1e-12\nlimits: {steps: 300}\n"
    design = "grid: {k: [0.02 1/h, 400 1/h]}"
    plan = plan_of(ward, design, more)
    block = plan.compute_points([0, 1])
    assert block["status"][0] == DONE
    assert block["status"][1] != DONE
    for name in ("clinic_best", "clinic_progressed", "clinic_duration_censored", "both"):
        assert (block[name][0] >= 0).all(), name
        lost = np.isnan(block["left"][1])
        assert lost.any()
        np.testing.assert_array_equal(block[name][1] < 0, lost, name)


SHIPPED = {
    "assay_leu_pna": "perturbations: [none, apn_lost]",
    "assay_tubulin_sequencing": "",
    "mtt_72h": "compounds: [lenalidomide], design.dose.points: 5",
    "combination_partners": "",
    "dreamm_2": "design: {}",
    "belantamab/decision_tree": "design: {}",
}
"""Scenarios of all models: classes of activities, reads that are counted, calibrators and a ladder
of doses, combinations, responses and steps with a condition, rules."""


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_give_the_same_bits_point_by_point(name: str) -> None:
    text = (
        f"id: alone\ntitle: alone\nscenario: {name}\nengine: ensemble\n"
        f"with: {{{SHIPPED[name]}}}\n"
        "design: {random: {points: 3, seed: 5, over: uncertainty}}\n"
    )
    plan = plan_sweep(sweep_from_text(text, "alone.yaml"))
    together = plan.compute_points(np.arange(3))
    assert (together["status"] == DONE).all()
    for number in range(3):
        alone = plan.compute_points([number])
        assert same(alone, {item: values[[number]] for item, values in together.items()})


def test_the_class_of_an_activity_is_a_code() -> None:
    text = (
        "id: classes\ntitle: classes\nscenario: assay_leu_pna\nengine: ensemble\n"
        "with: {perturbations: [none, apn_lost, apn_overexpressed, peptidase_low]}\n"
        "design: {grid: {final.k_FA: [0.05 1/h]}}\n"
    )
    plan = plan_sweep(sweep_from_text(text, "classes.yaml"))
    block = plan.compute_points([0])
    run = load_scenario(
        "assay_leu_pna", ["perturbations=[none, apn_lost, apn_overexpressed, peptidase_low]"]
    )
    alone = evaluate(simulate(run, engine="ensemble"))
    name = next(str(item) for item in alone.data_vars if str(item).endswith("_class"))
    found = words(plan, name, block[name][0])
    expected = np.where(alone[name] == "", "missing", alone[name].values)
    assert found.tolist() == [[text.replace(" ", "_") for text in row] for row in expected]
    assert len(set(found.ravel())) > 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (xr.DataArray(np.zeros((2, 3)), dims=("sample", "arm")), r"has \(3,\) values a point"),
        (xr.DataArray(np.zeros(2), dims="sample", attrs={"flag_meanings": "low high"}), "verdicts"),
    ],
)
def test_what_differs_between_places_is_refused(data: xr.DataArray, said: str) -> None:
    kept = Variable("exposure", attributes={"flag_meanings": "high low"})
    with pytest.raises(ScenarioError, match=said):
        fitting(data, kept)
    same = xr.DataArray(np.ones(2), dims="sample", attrs={"flag_meanings": "high low"})
    np.testing.assert_array_equal(fitting(same, kept), [1, 1])
