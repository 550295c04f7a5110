"""Where an axis stands, what stands on it where nothing moves it, and names that it may not have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myelode.errors import ScenarioError
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.sweeps.plans import SweepPlan, plan_sweep
from myelode.sweeps.sections import sweep_from_text
from tests.sweeps.decay import plan_of, write_decay

STANDING = "competing_substrate"
"""A shipped scenario of four compounds with numbers of their own."""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write_decay(tmp_path)


def edited(scenario: Path, *swaps: tuple[str, str]) -> Path:
    text = scenario.read_text("utf-8")
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    scenario.write_text(text, "utf-8")
    return scenario


def two_arms(scenario: Path, late: str = "3 uM") -> Path:
    """The scenario with two arms, whose pulses may differ."""
    text = scenario.read_text("utf-8")
    start, end = text.index("regimen:"), text.index("observe:")
    steps = text[start:end].removeprefix("regimen:\n")
    indented = "".join(f"  {line}\n" for line in steps.splitlines())
    arms = f"arms:\n  early:\n{indented}  late:\n{indented.replace('2 uM', late)}"
    scenario.write_text(text[:start] + arms + text[end:], "utf-8")
    return scenario


def base(scenario: Path, over: str, more: str = "engine: ensemble\n") -> SweepPlan:
    return plan_of(scenario, f"elasticities: {{over: [{over}]}}", more)


def refusal(scenario: Path, design: str, more: str = "engine: ensemble\n") -> str:
    with pytest.raises(ScenarioError) as caught:
        plan_of(scenario, design, more).layout  # noqa: B018
    assert "\n" not in str(caught.value)
    return str(caught.value)


def value_of(plan: SweepPlan, name: str) -> float:
    """Where the base point stands on an axis."""
    return float(plan.columns(np.arange(1))[name][0])


@pytest.mark.parametrize("settings", [[], ["cell_line=slow_line"], ["k=0.3 1/h"]])
def test_the_base_point_is_the_scenario_itself(scenario: Path, settings: list[str]) -> None:
    given = ", ".join(setting.replace("=", ": ") for setting in settings)
    plan = base(scenario, "k", f"engine: ensemble\nwith: {{{given}}}\n")
    block = plan.compute_points([0])
    alone = evaluate(simulate(load_scenario(scenario, settings), engine="ensemble"))
    for name in ("left", "area", "share"):
        np.testing.assert_array_equal(block[name][0], alone[name].values)


def test_a_base_value_is_the_one_that_perturbations_act_on(scenario: Path) -> None:
    plan = base(edited(scenario, ("[none, fast]", "[none, fast, fixed]")), "k")
    assert value_of(plan, "k") == 0.5
    area = plan.compute_points([0])["area"][0]
    assert area[0] > area[1]
    up = plan.compute_points([1])["area"][0]
    assert up[0] < area[0]
    assert up[1] < area[1]
    assert up[2] == area[2]


def test_a_final_value_that_perturbations_change_has_no_base_point(scenario: Path) -> None:
    said = refusal(scenario, "elasticities: {over: [final.k]}")
    assert said.endswith(
        "toy.yaml:5: design.elasticities.over.0: final.k is 0.5 1/h for perturbation none and "
        "2 1/h for perturbation fast, and a base point has one value: name one, as in 'with: "
        "{perturbations: [none]}', or take k, on which perturbations act"
    )


@pytest.mark.parametrize(
    ("swap", "expected"),
    [
        (("perturbations: [none, fast]", "perturbations: [fast]\nreference: fast"), 2.0),
        (("endpoints:", "final: {k: 0.7 1/h}\nendpoints:"), 0.7),
    ],
)
def test_a_final_value_that_all_share_stands(
    scenario: Path, swap: tuple[str, str], expected: float
) -> None:
    plan = base(edited(scenario, swap), "final.k")
    assert value_of(plan, "final.k") == expected
    alone = evaluate(simulate(load_scenario(scenario), engine="ensemble"))
    np.testing.assert_array_equal(plan.compute_points([0])["area"][0], alone["area"].values)


def test_a_dose_of_two_sizes_has_no_base_point(scenario: Path) -> None:
    said = refusal(two_arms(scenario), "elasticities: {over: [regimen.pulse.to]}")
    assert said.endswith(
        "regimen.pulse.to is 2 umol/L for arm early and 3 umol/L for arm late, and a base point "
        "has one value: name the arm, as in arms.early.pulse.to, or leave it out"
    ), said
    plan = base(scenario, "arms.late.pulse.to")
    assert value_of(plan, "arms.late.pulse.to") == 3


def test_a_dose_of_one_size_has_a_base_point(scenario: Path) -> None:
    assert (
        value_of(base(two_arms(scenario, "2000 nM"), "regimen.pulse.to"), "regimen.pulse.to") == 2
    )


def of_compounds(over: str, settings: str = "") -> SweepPlan:
    text = (
        f"id: toy\ntitle: a toy\nscenario: {STANDING}\nendpoints: [ec50_96]\nengine: ensemble\n"
        f"with: {{perturbations: [none]{settings}}}\n"
        f"design: {{elasticities: {{over: [{over}]}}}}\n"
    )
    return plan_sweep(sweep_from_text(text, "toy.yaml"))


def test_a_value_that_compounds_have_of_their_own_has_no_base_point() -> None:
    with pytest.raises(ScenarioError) as caught:
        of_compounds("CRBN_copies, alpha_IKZF3")
    said = str(caught.value)
    assert said.startswith("toy.yaml:7: design.elasticities.over.1: alpha_IKZF3 is 112.65 for ")
    assert "for compound lenalidomide and 242.88 for compound pomalidomide" in said
    assert said.endswith("as in 'with: {compounds: [lenalidomide]}', or leave it out")


def test_one_compound_has_a_base_point() -> None:
    everyone = of_compounds("CRBN_copies").compute_points([0])["ec50_96"][0, 0]
    plan = of_compounds("alpha_IKZF3", ", compounds: [pomalidomide]")
    assert plan.compute_points([0])["ec50_96"][0, 0] == [everyone[1]]
    assert value_of(plan, "alpha_IKZF3") == 242.88
    set_for_all = of_compounds("alpha_IKZF3", ", set.alpha_IKZF3: 100")
    assert value_of(set_for_all, "alpha_IKZF3") == 100


NAMES = "{name}: {{of: drug, take: auc}}\n  area:"
RATES = "grid: {k: [0.5 1/h, 1 1/h]}"


@pytest.mark.parametrize(
    ("name", "design", "what"),
    [
        ("k", RATES, "an axis"),
        ("k", "grid: {perturbation: [fast], k: [0.5 1/h, 1 1/h]}", "an axis"),
        ("cell_line", "grid: {cell_line: [slow_line]}", "an axis"),
        ("plan", RATES, "the place where a store keeps the plan"),
        ("steps", RATES, "a column of the ledger"),
        ("rtol", RATES, "a column of the ledger"),
    ],
)
def test_an_endpoint_has_a_name_of_its_own(
    scenario: Path, name: str, design: str, what: str
) -> None:
    edited(scenario, ("area:", NAMES.format(name=name)))
    said = refusal(scenario, design)
    assert f"toy.yaml:3: scenario: the endpoint {name!r} has the name of {what}: call it" in said
    assert plan_of(scenario, design, "engine: ensemble\nendpoints: [area]\n").layout.results


def test_an_axis_is_not_recorded_under_one_name(scenario: Path) -> None:
    design, more = "grid: {drug: [1 uM, 3 uM]}", "engine: ensemble\nrecord: [drug]\n"
    said = refusal(scenario, design, more)
    assert said.endswith(
        "toy.yaml:7: record.0: the output 'drug' has the name of an axis: write the axis as "
        "final.drug, which stands above perturbations"
    )
    plan = plan_of(scenario, design.replace("drug", "final.drug"), more)
    block = plan.compute_points([0, 1])
    np.testing.assert_array_equal(block["drug"][:, 0, 0], block["final.drug"])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("steps", "a column of the ledger"),
        ("plan", "the place where a store keeps the plan"),
        ("sample", "a dimension of the results"),
        ("perturbation", "a dimension of the results"),
    ],
)
def test_a_value_of_the_model_may_have_another_name_as_an_axis(
    scenario: Path, name: str, what: str
) -> None:
    for file in ("decay.ant", "parameters.tsv", "perturbations.yaml", "cell_lines.yaml"):
        path = scenario.parent / "decay" / file
        text = path.read_text("utf-8").replace("k = 0.5; k has", f"{name} = 0.5; {name} has")
        text = text.replace("medium*k*drug", f"medium*{name}*drug").replace("{k:", f"{{{name}:")
        path.write_text(text.replace("\nk\t", f"\n{name}\t"), "utf-8")
    said = refusal(scenario, f"grid: {{{name}: [1 1/h]}}")
    assert f"design: the axis {name!r} has the name of {what}: write the axis as final." in said


def test_the_compounds_of_arms_may_differ_too() -> None:
    def of_arms(settings: str) -> SweepPlan:
        text = (
            "id: toy\ntitle: a toy\nscenario: belantamab/decision_tree\n"
            f"with: {{design: {{}}{settings}}}\ndesign: {{elasticities: {{over: [MW_dosed]}}}}\n"
        )
        return plan_sweep(sweep_from_text(text, "toy.yaml"))

    with pytest.raises(ScenarioError, match=r"for arm untreated and .* for arm free, and a base"):
        of_arms("")
    assert value_of(of_arms(", compound: belantamab-mafodotin"), "MW_dosed") > 0
