"""From a scenario to runs: who sets a value, when there is a sample, and on which axes a run lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myelode.errors import MyelodeError, ScenarioError
from myelode.files import parse_yaml
from myelode.inputs import Inputs
from myelode.plan import Plan, make_plan
from myelode.regimens.timeline import Change, just_before
from myelode.scenario import build_scenario, scenario_from_text

MakesPlan = Callable[..., Plan]
MODEL = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment medium = 2; medium has volume;
  compartment cells = medium * share; cells has volume; share = 0.5; share has dimensionless;
  species A in medium, B in medium, C in cells; A = 0; B = b_0; C = 0;
  b_0 = 6; b_0 has uM;
  k = 0.5; k has per_hour;
  loss: A -> B; medium * k * A;
end
"""
TEXT = """\
id: plan
title: a plan
model: {model}
observe: {{every: 1 h, until: 4 h, outputs: [A]}}
"""
PULSE = "{at: 0 h, label: pulse, dose: A, to: 1 uM}"
WASH = "{at: 2 h, label: wash, wash: medium, dilute: 10}"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "toy.ant"
    path.write_text(MODEL, "utf-8")
    return path


@pytest.fixture
def plan_of(model_file: Path) -> MakesPlan:
    """Makes the plan of the scenario with further lines, or with others in their place."""

    def make(*lines: str, settings: tuple[str, ...] = (), inputs: Inputs | None = None) -> Plan:
        base = TEXT.format(model=model_file).splitlines()
        keys = {line.partition(":")[0] for line in lines}
        text = "\n".join([*(line for line in base if line.partition(":")[0] not in keys), *lines])
        return make_plan(build_scenario(parse_yaml(text, "f"), settings), inputs)

    return make


def _changes(plan: Plan) -> list[dict[str, float]]:
    return [dict(planned.run.changes) for planned in plan.runs]


def test_a_plain_scenario_is_one_run(plan_of: MakesPlan) -> None:
    plan = plan_of()
    [planned] = plan.runs
    assert planned.place == (0,)
    assert planned.run.changes == {}
    assert planned.run.timeline.instants == ()
    assert [axis.name for axis in plan.axes] == ["perturbation"]
    np.testing.assert_array_equal(plan.times, [0, 1, 2, 3, 4])


def test_runs_lie_on_axes_in_a_fixed_order(plan_of: MakesPlan) -> None:
    plan = plan_of(
        "perturbations: [none, {slow: {scale: {k: 0.1}}}]",
        f"arms: {{one: [{PULSE}], two: [{PULSE}, {{at: 1 h, label: more, dose: A, add: 1 uM}}]}}".replace(
            f"one: [{PULSE}]", f"one: [{PULSE}, {{at: 3 h, label: more, dose: A, add: 1 uM}}]"
        ),
        "design: {dose: {of: pulse, values: [1 uM, 2 uM, 3 uM]}, dose2: {of: more, values: [4 uM, 5 uM]},"
        " cross: {k: [1 1/h, 2 1/h]}}",
    )  # fmt: skip
    names = [axis.name for axis in plan.axes]
    assert names == ["perturbation", "arm", "dose", "dose2", "sample"]
    shape = tuple(len(axis.values) for axis in plan.axes)
    assert [planned.place for planned in plan.runs] == list(np.ndindex(*shape))
    last = plan.runs[-1].run
    assert last.changes["k"] == pytest.approx(0.2)
    assert [instant.changes[0] for instant in last.timeline.instants] == [
        Change("A", 0, 3),
        Change("A", 1, 5),
    ]
    assert plan.axes[2].unit == "umol/L"


def test_crossed_values_come_in_every_combination_and_zipped_ones_together(
    plan_of: MakesPlan,
) -> None:
    plan = plan_of(
        "design: {zip: {k: [1 1/h, 2 1/h], share: [0.1, 0.2]}, cross: {b_0: [3 uM, 4000 nM]}}"
    )
    assert _changes(plan) == [
        {"k": k, "share": share, "b_0": b}
        for k, share in ((1, 0.1), (2, 0.2))
        for b in (3, pytest.approx(4))
    ]
    [axis] = [axis for axis in plan.axes if axis.name == "sample"]
    assert axis.labels is not None
    assert axis.labels["k"] == ((1, 1, 2, 2), "1/h")


def test_precedence_runs_from_the_model_to_the_final_values(
    plan_of: MakesPlan, tmp_path: Path
) -> None:
    plan = plan_of(
        "perturbations: [none, {slow: {scale: {k: 0.1}, set: {share: 0.3}}}]",
        "set: {k: 2 1/h, share: 0.9}",
        settings=("final.share=0.4", "b_0=7 uM"),
    )
    assert _changes(plan) == [
        {"k": 2, "share": 0.4, "b_0": 7}, {"k": pytest.approx(0.2), "share": 0.4, "b_0": 7},
    ]  # fmt: skip
    assert plan.runs[1].effective.origins["share"] == (
        "base value: = 0.9", "perturbation slow: = 0.3", "final value: = 0.4",
    )  # fmt: skip


def test_perturbations_may_be_combined_by_name(plan_of: MakesPlan) -> None:
    plan = plan_of(
        "perturbations: [none, {a: {scale: {k: 2}}}, {b: {scale: {k: 3}}}, a + b, {both: a + b}]"
    )
    assert [changes.get("k") for changes in _changes(plan)] == [None, 1.0, 1.5, 3.0, 3.0]
    assert list(plan.perturbations) == ["none", "a", "b", "a + b", "both"]


def test_events_are_sampled_on_both_sides(plan_of: MakesPlan) -> None:
    plan = plan_of(f"regimen: [{PULSE}, {WASH}, {{at: 2.5 h, dose: A, add: 1 uM}}]")
    expected = [0, 1, just_before(2), 2, just_before(2.5), 2.5, 3, 4]
    np.testing.assert_array_equal(plan.times, expected)
    assert plan.labels == {"": {"pulse": 0, "wash": 2}}


def test_moments_asked_for_are_sampled(plan_of: MakesPlan) -> None:
    plan = plan_of(
        f"regimen: [{PULSE}, {WASH}]",
        "observe: {until: 4 h, at: [wash + 30 min, wash-, 3.25 h], outputs: [A]}",
        "endpoints: {x: {of: B, take: value, at: 0.3 h}, y: {of: B, take: auc, from: 0.7 h, until: wash + 1 h}}",
    )
    expected = [0, 0.3, 0.7, just_before(2), 2, 2.5, 3, 3.25, 4]
    np.testing.assert_array_equal(plan.times, expected)
    assert plan.outputs == ("A", "B")


def test_a_grid_of_decimal_steps_holds_decimal_times(plan_of: MakesPlan) -> None:
    plan = plan_of("observe: {every: 0.1 h, until: 1 h, outputs: [A]}")
    np.testing.assert_array_equal(plan.times, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])


def test_a_grid_may_start_late_and_need_not_meet_the_end(plan_of: MakesPlan) -> None:
    plan = plan_of("observe: {every: 60 min, from: 90 min, until: 4 h, outputs: [A]}")
    np.testing.assert_array_equal(plan.times, [1.5, 2.5, 3.5, 4])


def test_an_event_and_a_grid_time_that_differ_by_rounding_are_one(plan_of: MakesPlan) -> None:
    plan = plan_of(
        "regimen: [{at: 0 h, dose: A, add: 1 uM, every: 0.1 h, times: 11}]",
        "observe: {every: 0.3 h, until: 1 h, outputs: [A]}",
    )
    assert len(plan.times) == 11 + 10
    assert set(np.round(np.arange(11) * 0.1, 10)) <= set(plan.times)


def test_events_that_depend_on_the_dose_are_all_sampled(plan_of: MakesPlan) -> None:
    plan = plan_of(
        "regimen: [{at: 0 h, label: drip, infuse: A, amount: 1 umol, rate: 1 umol/h}]",
        "design: {dose: {of: drip, values: [1 umol, 2 umol, 3 umol], zero: true}}",
        "observe: {until: 4 h, outputs: [A]}",
    )
    for end in (1, 2, 3):
        assert {end, just_before(end)} <= set(plan.times)
    assert "infusion_A" in plan.sbml
    assert [axis.values for axis in plan.axes] == [("none",), (0, 1, 2, 3)]


def test_a_ladder_is_even_on_a_log_scale(plan_of: MakesPlan) -> None:
    plan = plan_of(
        f"regimen: [{PULSE}]",
        "design: {dose: {of: pulse, from: 10 nM, to: 10 uM, points: 4, zero: true}}",
    )
    np.testing.assert_allclose(plan.axes[1].values, [0, 0.01, 0.1, 1, 10], rtol=1e-12)


def test_inputs_stand_where_a_dose_stands(plan_of: MakesPlan) -> None:
    lines = (
        "perturbations: [none, {slow: {scale: {k: 0.1}}}]",
        "inputs: {own: {from: other, of: ic50}}",
        "regimen: [{at: 0 h, dose: A, to: own}]",
    )
    plan = plan_of(*lines, inputs={"own": {"none": "1500 nmol/L", "slow": 4.0}})
    assert [planned.run.timeline.instants[0].changes[0].offset for planned in plan.runs] == [
        pytest.approx(1.5),
        4,
    ]
    with pytest.raises(ScenarioError, match="the input 'own' has no finite value"):
        plan_of(*lines, inputs={"own": {"none": "1500 nmol/L"}})


def test_a_dose_of_an_amount_asks_the_model_for_a_computed_volume(plan_of: MakesPlan) -> None:
    plan = plan_of(
        "perturbations: [none, {large: {set: {share: 2}}}]",
        "regimen: [{at: 0 h, dose: C, amount: 8 umol}]",
    )
    doses = [planned.run.timeline.instants[0].changes[0].offset for planned in plan.runs]
    assert doses == pytest.approx([8, 2])


def test_an_equilibration_goes_before_the_run(plan_of: MakesPlan) -> None:
    plan = plan_of("equilibrate: {for: 2 d, hold: [A]}")
    rest = plan.runs[0].run.timeline.equilibration
    assert rest is not None
    assert (rest.duration, rest.hold) == (48, ("A",))


CASES = {
    "model: nowhere.ant": "model: nowhere.ant: no such file",
    "variant: dish": "a single file has no variants",
    "cell_line: U266": "cell_line: unknown cell line 'U266'",
    "perturbations: [slow]": "perturbations.0: unknown perturbation 'slow'",
    "perturbations: [none, {x: a + b}]": "perturbations.1: unknown perturbation 'a'",
    "perturbations: [none, {x: {scale: {kk: 2}}}]": "perturbations.1: unknown name 'kk' in model toy",
    "perturbations: [none, {x: 1, y: 2}]": "perturbations.1: an inline perturbation is written",
    "perturbations: [none, {x: 3}]": "perturbations.1: 'x' must have set: or scale:",
    "set: {kk: 1}": "unknown name 'kk'",
    "set: {k: 1}": "k needs a unit: write '1 1/h'",
    "final: {loss: 1}": "'loss' is computed by the model",
    "observe: {until: 0 h, outputs: [A]}": "observe.until: until must be a positive time",
    "observe: {until: -1 h, outputs: [A]}": "until must be a positive time",
    "observe: {until: 4, outputs: [A]}": "until needs a unit: write '4 h'",
    "observe: {until: 4 h, every: 0 h, outputs: [A]}": "gives no sensible number of samples",
    "observe: {until: 4 h, every: 1e-9 h, outputs: [A]}": "gives no sensible number of samples",
    "observe: {until: 4 h, from: 5 h, outputs: [A]}": "from must lie between 0 and until",
    "observe: {until: 4 h, at: [5 h], outputs: [A]}": "observe.at.0: the time 5 lies after the end of the run",
    "observe: {until: 4 h, at: [wash], outputs: [A]}": "observe.at.0: unknown label 'wash'",
    "observe: {until: 4 h, outputs: [A, AA]}": "observe.outputs.1: unknown output 'AA' in model toy: did you mean 'A'?",
    "observe: {until: 4 h, outputs: [time]}": "observe.outputs.0: 'time' is a coordinate of the result already",
    "observe: {until: 4 h, outputs: ['amount(k)']}": "amount(k): k is no species",
    "endpoints: {x: {of: AA, take: max}}": "endpoints.x.of: unknown output 'AA'",
    "endpoints: {x: {of: A, take: value, at: 5 h}}": "endpoints.x: the time 5 lies after the end",
    "endpoints: {x: {of: A, take: value, at: wash + 1 h}}": "endpoints.x: unknown label 'wash'",
    "equilibrate: {for: 0 h}": "equilibrate: for must be a positive time",
    "equilibrate: {for: 1 h, hold: [AA]}": "equilibrate: unknown name 'AA'",
    "regimen: [{at: 0 h, dose: AA, to: 1 uM}]": "regimen.0: unknown species 'AA'",
    "regimen: [{at: 0 h, dose: A, to: 1}]": "regimen.0: A needs a unit",
    "regimen: [{at: 0 h, dose: A, to: own}]": "regimen.0: 'own' is not a quantity",
    "regimen: [{at: x + 1 h, dose: A, to: 1 uM}]": "regimen.0: unknown label 'x'",
    "regimen: [{at: 1 h, label: a, reset: true}, {at: 1 h, label: a, reset: true}]": "regimen.1: the label 'a' is used twice",
    "arms: {a: [], b: [{at: 9 h, reset: true}]}": "arms.b.0: the reset at '9 h' comes after the end",
    "design: {dose: {of: pulse, values: [1 uM]}}": "design.dose: no dose is labelled 'pulse'",
    "design: {cross: {kk: [1]}}": "design.cross.kk: unknown name 'kk'",
    "design: {cross: {k: [1]}}": "design.cross.k: k needs a unit",
    "design: {cross: {A: [1 uM]}}": "'A' is a coordinate of the result already",
}  # fmt: skip


@pytest.mark.parametrize("line", CASES)
def test_a_fault_has_its_place(plan_of: MakesPlan, line: str) -> None:
    with pytest.raises(MyelodeError) as caught:
        plan_of(line)
    assert CASES[line] in str(caught.value)
    assert str(caught.value).startswith("f:")


def test_a_model_error_names_the_scenario_too(model_file: Path) -> None:
    text = TEXT.format(model=model_file.with_name("missing.ant"))
    with pytest.raises(Exception, match=r"f:3: model: .*missing.ant: no such file"):
        make_plan(scenario_from_text(text, "f"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["regimen: [{at: 1 h, set: {k: 1 1/h}}]", "set: {k: 2 1/h}"], "set.k: 'k' is set, but the regimen changes it too"),
        (["regimen: [{at: 1 h, set: {k: 1 1/h}}]", "final: {k: 2 1/h}"], "'k' is set, but the regimen changes it too"),
        (["regimen: [{at: 1 h, set: {k: 1 1/h}}]", "design: {cross: {k: [2 1/h]}}"], "'k' is set, but the regimen changes it"),
        (["arms: {a: [], b: [{at: 1 h, set: {k: 1 1/h}}]}", "set: {k: 2 1/h}"], "'k' is set, but the regimen changes it too"),
        (["set: {k: 2 1/h}", "design: {cross: {k: [2 1/h]}}"], "set.k: 'k' is set, but the design varies it"),
        (["final: {k: 2 1/h}", "design: {zip: {k: [2 1/h]}}"], "'k' is set, but the design varies it"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: puls, values: [1 uM]}}"], "labelled 'puls': did you mean 'pulse'"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: pulse, values: [2 uM, 1 uM]}}"], "must increase and may not be negative"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: pulse, values: [-1 uM]}}"], "must increase and may not be negative"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: pulse, from: 0 uM, to: 1 uM, points: 3}}"], "runs from a positive dose"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: pulse, from: 2 uM, to: 1 uM, points: 3}}"], "runs from a positive dose"),
        ([f"regimen: [{PULSE}]", "design: {dose: {of: pulse, values: [1]}}"], "design.dose: a dose needs a unit"),
        ([f"regimen: [{WASH}]", "design: {dose: {of: wash, values: [1 uM]}}"], "no dose is labelled 'wash'"),
        ([f"arms: {{a: [{PULSE}], b: []}}", "design: {dose: {of: puls, values: [1 uM]}}"], "no dose of any arm is labelled 'puls': did you mean 'pulse'"),
        (
            [f"arms: {{a: [{PULSE}], b: [{{at: 0 h, label: pulse, dose: A, amount: 1 umol}}]}}",
             "design: {dose: {of: pulse, values: [1 uM]}}"],
            "are in umol and umol/L: one ladder needs one unit",
        ),
    ],
)  # fmt: skip
def test_sections_that_do_not_go_together_are_refused(
    plan_of: MakesPlan, lines: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan_of(*lines)
    assert message in str(caught.value)


@pytest.mark.timeout(20)
def test_a_design_beyond_all_bounds_is_refused_before_it_is_made(plan_of: MakesPlan) -> None:
    values = ", ".join(f"{n}" for n in range(1, 400))
    with pytest.raises(ScenarioError, match="the design has more than 100000 points"):
        plan_of(
            f"design: {{cross: {{share: [{values}], k: [{values.replace(',', ' 1/h,')} 1/h]}}}}"
        )
    many = ", ".join(f"{{p{n}: {{scale: {{k: {n}}}}}}}" for n in range(1, 300))
    with pytest.raises(ScenarioError, match="has more than 100000 runs"):
        plan_of(f"perturbations: [none, {many}]", f"design: {{cross: {{share: [{values}]}}}}")
