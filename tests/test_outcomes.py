"""Fold changes, classes, rules and expectations follow from the endpoints, and say why."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.lookups import find, points_of, scalars
from myelode.outcomes import CLASSES, check_expectations, evaluate_scenario
from myelode.plan import make_plan
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, scenario_from_text
from myelode.simulation import rehearse, simulate

MakesScenario = Callable[..., Scenario]
MODEL = (
    "compartment c; species A in c; A = x; x = 1; y = 1; k = 0; J: A -> ; c*k*A; B := x*y; C := y;"
)
TEXT = """\
id: verdict
title: a verdict
model: {model}
perturbations:
  - none
  - {{same: {{}}}}
  - {{double: {{scale: {{x: 2}}}}}}
  - {{tenfold: {{scale: {{x: 10}}, set: {{y: 3}}}}}}
  - {{half: {{scale: {{x: 0.5}}}}}}
observe: {{until: 1, outputs: [A, B, C]}}
endpoints:
  a: {{of: A, take: max}}
  c: {{of: C, take: max}}
outcome: {{of: a, resistant_if: fold > 3, reduced_if: fold > 1.5}}
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outcomes") / "toy.ant"
    path.write_text(MODEL, "utf-8")
    return path


@pytest.fixture
def scenario_of(model_file: Path) -> MakesScenario:
    """The scenario with further lines, or with other sections in their place."""

    def make(*lines: str, without: tuple[str, ...] = ()) -> Scenario:
        base = TEXT.format(model=model_file)
        for section in without:
            start = base.index(f"{section}:")
            base = base[:start] + "".join(base[start:].partition("\n")[2:])
        return scenario_from_text(base + "\n".join(lines), "f")

    return make


def _evaluated(scenario: Scenario) -> xr.Dataset:
    return evaluate_scenario(simulate(scenario), scenario, Context(make_plan(scenario).model))


def test_points_side_by_side_have_the_verdict_of_each_alone(scenario_of: MakesScenario) -> None:
    scenario = scenario_of()
    dataset, context = simulate(scenario), Context(make_plan(scenario).model)
    factors = xr.DataArray([1.0, 0.3, 5.0, math.nan], dims="sample")
    leveled = dataset["A"] * xr.where(dataset["perturbation"] == "none", 1.0, factors)
    leveled = leveled.transpose("perturbation", "sample", "time").assign_attrs(dataset["A"].attrs)
    many = dataset.assign(A=leveled)
    together = evaluate_scenario(many, scenario, context)
    for number in range(4):
        alone = evaluate_scenario(many.isel(sample=[number]), scenario, context)
        xr.testing.assert_identical(together.isel(sample=[number]), alone)


def test_reasons_and_scores_are_left_out_on_request(scenario_of: MakesScenario) -> None:
    scenario = scenario_of()
    dataset, context = simulate(scenario), Context(make_plan(scenario).model)
    whole = evaluate_scenario(dataset, scenario, context)
    xr.testing.assert_identical(
        evaluate_scenario(dataset, scenario, context, briefly=True), whole.drop_vars("reason")
    )


def _with(scenario: Scenario, endpoint: list[float]) -> xr.Dataset:
    """The verdict where the endpoint `a` has these values, perturbation by perturbation."""
    dataset = simulate(scenario)
    values = np.array(endpoint)[:, None] * np.ones(dataset.sizes["time"])
    return evaluate_scenario(
        dataset.assign(A=dataset["A"].copy(data=values)),
        scenario,
        Context(make_plan(scenario).model),
    )


def test_classes_follow_from_the_fold(scenario_of: MakesScenario) -> None:
    found = _evaluated(scenario_of())
    np.testing.assert_allclose(found["fold"], [1, 1, 2, 10, 0.5])
    assert list(found["outcome"].values) == [
        "sensitive",
        "sensitive",
        "reduced",
        "resistant",
        "sensitive",
    ]
    assert found["fold"].attrs["units"] == "dimensionless"


def test_the_reason_says_fold_and_rule(scenario_of: MakesScenario) -> None:
    reasons = _evaluated(scenario_of())["reason"].values
    assert "10" in reasons[3]
    assert "fold > 3" in reasons[3]
    assert "fold > 1.5" in reasons[2]
    assert "not fold > 1.5" in reasons[0]


def test_a_condition_may_use_other_endpoints(scenario_of: MakesScenario) -> None:
    scenario = scenario_of(
        "outcome: {of: a, resistant_if: fold > 1.5 and c > reference.c}", without=("outcome",)
    )
    assert list(_evaluated(scenario)["outcome"].values) == ["sensitive"] * 3 + [
        "resistant",
        "sensitive",
    ]


def test_another_perturbation_may_be_the_reference(scenario_of: MakesScenario) -> None:
    found = _evaluated(scenario_of("reference: double"))
    np.testing.assert_allclose(found["fold"], [0.5, 0.5, 1, 5, 0.25])


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([1, math.inf, math.nan, 2, 0], ["sensitive", "resistant", "undetermined", "reduced", "sensitive"]),
        ([math.inf, math.inf, math.nan, 2, 0], ["undetermined"] * 5),
        ([math.nan, math.inf, math.nan, 2, 0], ["undetermined"] * 5),
        ([0, math.inf, math.nan, 2, 0], ["undetermined"] * 5),
        ([-1, math.inf, math.nan, 2, 0], ["undetermined"] * 5),
    ],
)  # fmt: skip
def test_what_has_no_value_has_no_verdict(
    scenario_of: MakesScenario, values: list[float], classes: list[str]
) -> None:
    found = _with(scenario_of(), values)
    assert list(found["outcome"].values) == classes
    assert set(classes) <= set(CLASSES)


def test_what_is_never_reached_is_resistant_without_a_number(scenario_of: MakesScenario) -> None:
    found = _with(scenario_of(), [1, math.inf, 1, 1, 1])
    assert found["fold"].values[1] == math.inf
    assert "not reached" in found["reason"].values[1]


LADDER = """\
id: ladder
title: a ladder
model: {model}
perturbations: [none, {{less: {{scale: {{slope: 0.05}}}}}}, {{more: {{scale: {{slope: 100}}}}}}, {{dead: {{set: {{full: 0}}}}}}]
reference: {reference}
regimen: [{{at: 0, label: d, dose: A, to: 1}}]
design: {{dose: {{of: d, values: [0, 0.1, 1, 10]}}}}
observe: {{until: 1, outputs: [response]}}
endpoints: {{ic50: {{of: response, take: {take}, at: 0}}}}
outcome: {{of: ic50, resistant_if: fold > 3}}
expect: [none.ic50_flag == '', less.ic50_flag == 'not reached up to 10']
"""
NOT_REACHED = "the reference itself is not reached (insensitive by nature): no fold"
BELOW = "the reference itself is below the lowest dose (0.1): no fold"
NO_CONTROL = "ic50 is not determined in the reference (no response without drug): no fold"


def _of_ladder(tmp_path: Path, reference: str, take: str = "ic50") -> tuple[xr.Dataset, Scenario]:
    model = "A = 0; species A; slope = 1; full = 8; response := full / (1 + slope * A);"
    (tmp_path / "ladder.ant").write_text(model, "utf-8")
    text = LADDER.format(model=tmp_path / "ladder.ant", reference=reference, take=take)
    scenario = scenario_from_text(text)
    return _evaluated(scenario), scenario


def test_a_fold_of_doses_says_what_lies_beyond_the_ladder(tmp_path: Path) -> None:
    found, scenario = _of_ladder(tmp_path, "none")
    np.testing.assert_allclose(found["fold"], [1, math.inf, 0, math.nan])
    assert list(found["outcome"].values) == ["sensitive", "resistant", "sensitive", "undetermined"]
    assert list(found["reason"].values[1:]) == [
        "ic50 is not reached up to 10: fold > 3",
        "ic50 is below the lowest dose (0.1): not fold > 3",
        "ic50 is not determined here (no response without drug)" + ": no fold",
    ]
    assert all(item.passed for item in check_expectations(found, scenario))


@pytest.mark.parametrize(
    ("reference", "reason"), [("less", NOT_REACHED), ("more", BELOW), ("dead", NO_CONTROL)]
)
def test_without_a_dose_in_the_reference_there_is_no_fold(
    tmp_path: Path, reference: str, reason: str
) -> None:
    found, _ = _of_ladder(tmp_path, reference)
    assert np.isnan(found["fold"]).all()
    assert list(found["outcome"].values) == ["undetermined"] * 4
    assert set(found["reason"].values) == {reason}


def test_a_time_that_the_reference_never_reaches_is_no_insensitivity(
    scenario_of: MakesScenario,
) -> None:
    found = _with(scenario_of(), [math.inf, 1, 2, 3, 4])
    assert set(found["reason"].values) == {"the reference itself is not reached: no fold"}


RULES = (
    "rules:",
    "  size:",
    "    - {label: large, if: a > 4 * reference.a}",
    "    - {label: medium, if: a > none.a}",
    "    - {label: small}",
    "  high_y:",
    "    - {label: high, if: c > 2}",
    "  both:",
    "    - {label: both, if: size == 'large' and high_y == 'high'}",
    "    - {label: neither}",
)


def test_the_first_case_that_holds_gives_the_label(scenario_of: MakesScenario) -> None:
    found = _evaluated(scenario_of(*RULES))
    assert list(found["size"].values) == ["small", "small", "medium", "large", "small"]
    assert found["high_y"].attrs["long_name"] == "high y"


def test_a_rule_without_a_last_case_may_give_no_label(scenario_of: MakesScenario) -> None:
    found = _evaluated(scenario_of(*RULES))
    assert list(found["high_y"].values) == ["no label"] * 3 + ["high", "no label"]


def test_a_rule_may_use_the_labels_of_rules_before_it(scenario_of: MakesScenario) -> None:
    found = _evaluated(scenario_of(*RULES))
    assert list(found["both"].values) == ["neither"] * 3 + ["both", "neither"]


def test_a_case_whose_numbers_are_missing_does_not_hold(scenario_of: MakesScenario) -> None:
    found = _with(scenario_of(*RULES), [1, math.nan, math.inf, 5, 1])
    assert list(found["size"].values) == ["small", "small", "large", "large", "small"]


def _expected(scenario: Scenario) -> list[bool]:
    return [item.passed for item in check_expectations(_evaluated(scenario), scenario)]


def test_expectations_are_checked_one_by_one(scenario_of: MakesScenario) -> None:
    scenario = scenario_of(
        *RULES, "expect:", "  - tenfold.a > 5 * none.a", "  - half.a > none.a", "  - tenfold.size == 'large'",
        "  - reference.a == none.a", "  - double.outcome == 'reduced'", "  - tenfold.fold > 9",
    )  # fmt: skip
    assert _expected(scenario) == [True, False, True, True, True, True]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["expect: [a > 1]"],
            "expect.0: 'a' has a value for each perturbation: say which is meant",
        ),
        (["expect: [none.aa > 1]"], "expect.0: unknown name 'none.aa': did you mean 'none.a'"),
        (["expect: [none.a]"], "expect.0: 'none.a' is no condition"),
        (["expect: [dobule.a > 1]"], "expect.0: unknown name 'dobule.a': did you mean 'double.a'"),
        (["rules: {r: [{label: x, if: aa > 1}]}"], "rules.r.0.if: unknown name 'aa'"),
        (["rules: {r: [{label: x, if: a}]}"], "rules.r: 'a' is no condition"),
        (["rules: {r: [{label: x, if: r == 'x'}]}"], "rules.r.0.if: unknown name 'r'"),
    ],
)
def test_a_condition_without_meaning_has_its_place(
    scenario_of: MakesScenario, lines: list[str], message: str
) -> None:
    scenario = scenario_of(*lines)
    with pytest.raises(ScenarioError) as caught:
        _expected(scenario)
    assert message in str(caught.value)
    assert str(caught.value).startswith("f:")


def test_an_outcome_without_meaning_has_its_place(scenario_of: MakesScenario) -> None:
    scenario = scenario_of("outcome: {of: a, resistant_if: flod > 3}", without=("outcome",))
    with pytest.raises(
        ScenarioError, match="f:.*outcome.resistant_if: unknown name 'flod': did you mean 'fold'"
    ):
        _evaluated(scenario)


def test_a_rehearsal_finds_unknown_names_without_a_run(scenario_of: MakesScenario) -> None:
    scenario = scenario_of("rules: {r: [{label: x, if: a > 1 and aa > 1}]}")
    plan, dataset = rehearse(scenario)
    assert np.isnan(dataset["A"]).all()
    with pytest.raises(ScenarioError, match="unknown name 'aa'"):
        evaluate_scenario(dataset, scenario, Context(plan.model))


ARMS = """\
id: arms
title: arms
model: {model}
perturbations: [none, {{double: {{scale: {{x: 2}}}}}}]
arms: {{one: [], two: [{{at: 0, dose: A, add: 3}}]}}
observe: {{until: 1, outputs: [A]}}
endpoints: {{a: {{of: A, take: max}}, b: {{of: A, take: min, arm: one}}}}
outcome: {{of: a, resistant_if: fold > 1.9}}
rules: {{r: [{{label: more, if: a > none.one.a}}, {{label: same}}]}}
expect: [double.two.a == 5, none.one.r == 'same', none.b == 1, reference.two.a == 4]
"""


def test_every_arm_has_a_verdict_of_its_own(model_file: Path) -> None:
    scenario = scenario_from_text(ARMS.format(model=model_file))
    found = _evaluated(scenario)
    np.testing.assert_allclose(found["fold"], [[1, 1], [2, 1.25]])
    assert found["outcome"].values.tolist() == [
        ["sensitive", "sensitive"],
        ["resistant", "sensitive"],
    ]
    assert found["r"].values.tolist() == [["same", "more"], ["more", "more"]]
    assert all(item.passed for item in check_expectations(found, scenario))


def test_every_dose_has_a_verdict_of_its_own(model_file: Path) -> None:
    text = ARMS.format(model=model_file).replace(
        "arms: {one: [], two: [{at: 0, dose: A, add: 3}]}",
        "regimen: [{at: 0, label: d, dose: A, add: 3}]\ndesign: {dose: {of: d, values: [0, 1, 8]}}",
    )
    text = text.replace(", arm: one", "").replace("none.one.a", "none.a").partition("expect")[0]
    found = _evaluated(scenario_from_text(text))
    assert found["outcome"].dims == ("perturbation", "dose")
    np.testing.assert_allclose(found["fold"][1], [2, 1.5, 10 / 9])


def _result() -> xr.Dataset:
    coordinates = {"perturbation": ["none", "x"], "arm": ["one", "two"], "dose": [0.0, 1.0, 2.0]}
    return xr.Dataset(
        {
            "a": (("perturbation", "arm"), [[1.0, 2.0], [3.0, 4.0]]),
            "b": (("perturbation", "dose"), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
            "c": (("perturbation",), [10.0, 20.0]),
        },
        coords=coordinates,
        attrs={"reference": "x"},
    )


def test_names_lead_to_values_of_perturbations_and_arms() -> None:
    result = _result()
    assert find(result, "c").dims == ("perturbation",)
    assert find(result, "x.c").item() == 20
    assert find(result, "reference.c").item() == 20
    assert find(result, "x.two.a").item() == 4
    assert find(result, "x.a").dims == ("arm",)
    assert find(result, "x.two.c").item() == 20  # an endpoint that belongs to no arm is that of all


def test_points_are_those_of_all_names_together() -> None:
    points = points_of(_result(), ["a > b", "none.one.a"])
    assert tuple(points.sizes) == ("perturbation", "arm", "dose")
    assert points.values["none.one.a"].shape == (1, 1, 1)
    found = dict(points.each())
    assert len(found) == 12
    assert found[1, 0, 2] == {"a": 3.0, "b": 6.0, "none.one.a": 1.0}


def test_points_without_names_are_those_of_the_perturbations() -> None:
    points = points_of(_result(), ["1 > 0"])
    assert tuple(points.sizes) == ("perturbation",)
    assert [values for _, values in points.each()] == [{}, {}]


@pytest.mark.parametrize(
    "name", ["d", "none.d", "y.a", "none.three.a", "none.one.two.a", "one.a", "none"]
)
def test_a_name_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(ScenarioError, match="unknown name"):
        find(_result(), name)


def test_scalars_are_single_values() -> None:
    assert scalars(_result(), "none.c < x.two.a") == {"none.c": 10.0, "x.two.a": 4.0}
    with pytest.raises(ScenarioError, match="'none.b' has a value for each dose"):
        scalars(_result(), "none.b > 1")
    alone = _result().isel(perturbation=[0], arm=[1])
    assert scalars(alone, "a > 1") == {"a": 2.0}
