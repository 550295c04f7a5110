"""Steps that depend on the state of a run: what is given, what is held, and what is refused.

In the model of the tests a drug leaves its medium at ``k``; ``held`` is set by regimens only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from myelode.cli import main
from myelode.engines import Run, Tolerances, choose_engine
from myelode.errors import MyelodeError, ScenarioError, SimulationError
from myelode.exports import FORMATS, export
from myelode.model import Model, model_from_sbml
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import make_plan
from myelode.provenance import run_to_json, timeline_from_json
from myelode.regimens.compilation import compile_regimen
from myelode.regimens.conditions import occurrences_in
from myelode.regimens.named import NamedRegimen
from myelode.regimens.steps import Context, Step
from myelode.regimens.timeline import Instant, Timeline
from myelode.results import read_result, replay, write_result
from myelode.sbml import from_antimony
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import rehearse, simulate

ANTIMONY = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second); unit uM = 1e-6 mole/litre;
  compartment medium = 2; medium has volume;
  species drug in medium, other in medium; drug = 0; other = 0;
  k = 0.5; k has per_hour; held = 0; held has dimensionless; limit = 1; limit has uM;
  twice := 2 * drug; twice has uM;
  loss: drug => ; medium*k*drug; loss_of_other: other => ; medium*k*other;
end
"""
SCENARIO = """\
id: trial
title: doses by the state of the run
model: decay.ant
{body}
observe: {{every: 15 min, until: 12 h, outputs: [drug, other, held, amount(drug)]}}
"""
ENGINES = ("roadrunner", "scipy")
AGREEMENT = 1e-6
CLOSED_FORM = 1e-7
Read = Callable[..., Scenario]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    (tmp_path / "decay.ant").write_text(ANTIMONY)

    def scenario(*steps: str, more: str = "") -> Scenario:
        regimen = "\n".join(["regimen:", *(f"  - {{{step}}}" for step in steps)])
        path = tmp_path / "trial.yaml"
        path.write_text(SCENARIO.format(body="\n".join([*([regimen] if steps else []), more])))
        return load_scenario(path)

    return scenario


@pytest.fixture(scope="module")
def model() -> Model:
    return model_from_sbml(from_antimony(ANTIMONY, "decay"), "decay", "decay")


def _course(result: xr.Dataset, name: str = "drug") -> np.ndarray:
    return np.asarray(result[name].values[0])


def _at(result: xr.Dataset, time: float, name: str = "drug") -> float:
    return float(result[name].isel(perturbation=0).sel(time=time))


@pytest.mark.parametrize("engine", ENGINES)
def test_doses_below_a_threshold_follow_the_closed_form(read: Read, engine: str) -> None:
    condition = "if: twice < 2 * limit"
    step = f"at: 0 h, label: pill, dose: drug, add: 0.7 uM, every: 1 h, times: 12, {condition}"
    result = simulate(read(step), engine=engine)
    level, number = 0.0, 0
    for hour in range(12):
        level *= math.exp(-0.5) if hour else 1.0
        if level < 1:
            level, number = level + 0.7, number + 1
        assert _at(result, hour) == pytest.approx(level, rel=CLOSED_FORM)
    assert 0 < number < 12
    assert result["given_pill"].values.tolist() == [number]


@given(st.integers(1, 40), st.floats(0.05, 3))
def test_what_stays_is_dosed_until_it_reaches_the_threshold(number: int, size: float) -> None:
    """Without loss the number of doses is that of steps up to the threshold."""
    model = model_from_sbml(from_antimony(ANTIMONY, "decay"), "decay", "decay")
    limit = size * (number // 2 + 0.5)
    step = {"at": 0, "label": "pill", "dose": "drug", "add": f"{size!r} uM", "every": "1 h"}
    step |= {"times": number, "if": f"drug < {limit!r}"}
    instants = _compiled(model, step, end=100)
    run = Run({"k": 0.0}, Timeline(instants, 100), np.array([100.0]), ("drug",), ("pill",))
    [[found, counted]] = choose_engine("auto").compile(model.sbml).run(run, Tolerances())
    assert counted == min(number, number // 2 + 1)
    assert found == pytest.approx(counted * size)


def _compiled(model: Model, *steps: dict[str, object], end: float = 12.0) -> tuple[Instant, ...]:
    made = [Step.model_validate({**step, "at": f"{step['at']} h"}) for step in steps]
    return compile_regimen(made, Context(model), end, lambda number: nullcontext()).instants


@pytest.mark.parametrize("engine", ENGINES)
def test_an_infusion_that_did_not_start_does_not_end(read: Read, engine: str) -> None:
    """Two of the overlapping infusions of two hours run: those at 1 h and at 3 h."""
    often = "infuse: drug, amount: 4 umol, over: 2 h"
    result = simulate(
        read(f"at: 0 h, label: drip, {often}, every: 1 h, times: 4, if: time == 1 or time == 3"),
        engine=engine,
    )
    rate = 4 / 2 / 2

    def after(time: float, start: float) -> float:
        risen = rate / 0.5 * (1 - math.exp(-0.5 * min(max(time - start, 0), 2)))
        return risen * math.exp(-0.5 * max(time - start - 2, 0))

    for time in (1, 1.5, 2, 2.5, 3, 4, 4.5, 5, 6):
        expected = after(time, 1) + after(time, 3)
        assert _at(result, time) == pytest.approx(expected, rel=CLOSED_FORM, abs=1e-12)
    assert result["given_drip"].values.tolist() == [2]


def test_a_setting_that_did_not_happen_does_not_restore(read: Read) -> None:
    steps = "at: 1 h, set: {held: 2}", "at: 3 h, set: {held: 5}, for: 2 h, every: 4 h, times: 2"
    result = simulate(read(steps[0], f"{steps[1]}, if: time > 5"))
    assert [_at(result, time, "held") for time in (0, 1, 3, 4, 5, 7, 8, 9)] == [
        0, 2, 2, 2, 2, 5, 5, 2,
    ]  # fmt: skip


def test_settings_recur(read: Read) -> None:
    result = simulate(read("at: 1 h, set: {held: 1}, for: 1 h, every: 3 h, times: 3"))
    assert [_at(result, time, "held") for time in range(10)] == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0]


def test_a_dose_is_held_and_then_reduced(read: Read) -> None:
    """The first hold reduces what comes after: the step that sets sees what the doses see."""
    every = "every: 1 h, times: 12"
    result = simulate(
        read(
            f"at: 0 h, label: full, dose: drug, add: 1 uM, {every}, if: drug < limit and held == 0",
            f"at: 0 h, label: low, dose: drug, add: 0.5 uM, {every}, if: drug < limit and held >= 1",
            f"at: 0 h, label: held_at, set: {{held: 1}}, {every}, if: drug >= limit and held == 0",
        )
    )
    level, held, numbers = 0.0, False, [0, 0]
    for hour in range(12):
        level *= math.exp(-0.5) if hour else 1.0
        if level < 1:
            numbers[held] += 1
            level += 0.5 if held else 1.0
        else:
            held = True
        assert _at(result, hour) == pytest.approx(level, rel=CLOSED_FORM)
        assert _at(result, hour, "held") == held
    assert held
    assert [result[f"given_{name}"].item() for name in ("full", "low", "held_at")] == [*numbers, 1]


def test_all_conditions_of_an_instant_see_the_values_before_it(read: Read) -> None:
    result = simulate(
        read(
            "at: 0 h, dose: drug, to: 1 uM, if: other == 0",
            "at: 0 h, dose: other, to: 1 uM, if: drug == 0",
            "at: 2 h, reset: true",
            "at: 2 h, dose: drug, to: 3 uM, if: drug > 0",
        )
    )
    assert (_at(result, 0), _at(result, 0, "other")) == (1, 1)
    assert (_at(result, 2), _at(result, 2, "other")) == (3, 0)


@pytest.mark.parametrize(
    "condition",
    ["amount(drug) < 1.5", "concentration(drug) < 0.75", "drug < 0.75", "twice < 1.5 and k > 0"],
)
def test_conditions_name_whatever_may_be_an_output(read: Read, condition: str) -> None:
    step = f"at: 0 h, label: pill, dose: drug, add: 1 uM, every: 30 min, times: 4, if: {condition}"
    for engine in ENGINES:
        assert simulate(read(step), engine=engine)["given_pill"].item() == 2


STEPS = (
    "at: 0 h, label: a, dose: drug, add: 0.3 uM, every: 1 h, times: 9, lag: 10 min",
    "at: 0 h, label: b, infuse: drug, amount: 0.1 umol, over: 150 min, every: 1 h, times: 9",
    "at: 0 h, label: c, infuse: drug, amount: 0.7 umol, over: 90 min, every: 2 h, times: 4",
    "at: 1 h, label: d, set: {k: 0.3 1/h}, for: 40 min, every: 2 h, times: 3",
    "at: 3 h, label: e, wash: medium, dilute: 3",
    "at: 5 h, label: f, renew: medium, fraction: 0.5",
    "at: 6 h, label: g, set: {limit: 3 uM}",
)


def test_a_condition_that_always_holds_changes_nothing(read: Read) -> None:
    plain = simulate(read(*STEPS))
    for chosen in (STEPS, STEPS[::2]):
        guarded = [f"{step}, if: limit > 0" if step in chosen else step for step in STEPS]
        found = simulate(read(*guarded))
        for name in ("drug", "other", "held", "amount(drug)"):
            assert _course(found, name).tobytes() == _course(plain, name).tobytes()
    assert not [name for name in plain if str(name).startswith("given_")]


def test_a_condition_that_never_holds_leaves_nothing(read: Read) -> None:
    result = simulate(read(*(f"{step}, if: limit < 0" for step in STEPS)))
    assert not np.any(_course(result))
    assert {result[name].item() for name in result if str(name).startswith("given_")} == {0}


def test_the_engines_agree_on_a_regimen_with_many_conditions(read: Read) -> None:
    conditions = ("drug < 0.6", "twice < 1.1", "drug > 0.2", "drug > 0.5", "drug > 0.4")
    steps = [f"{step}, if: {c}" for step, c in zip(STEPS, conditions, strict=False)]
    one, other = (simulate(read(*steps), engine=engine) for engine in ENGINES)
    for name in one.data_vars:
        scale = max(1e-9, float(np.abs(one[name]).max()))
        assert float(np.abs(one[name] - other[name]).max()) <= AGREEMENT * scale
    taken = [one[f"given_{label}"].item() for label in "abcde"]
    assert 0 < taken[0] < 9
    assert 0 < taken[1] < 9


def test_numbers_stand_along_the_axes_and_serve_endpoints(read: Read) -> None:
    dose = "dose: drug, add: 1 uM, every: 1 h, times: 6"
    more = f"""
arms:
  gated:
    - {{at: 0 h, label: pill, {dose}, if: drug < limit}}
    - {{at: 30 min, count: pill, dose: drug, add: 0 uM, if: drug > 0}}
  always: [{{at: 0 h, label: pill, {dose}}}]
perturbations: [none, {{fast: {{scale: {{k: 4}}}}}}]
design: {{dose: {{of: pill, values: [0 uM, 1 uM, 2 uM, 4 uM]}}}}
endpoints: {{held: {{expr: 7 - given_pill}}}}
"""
    result = simulate(read(more=more))
    given_pill = result["given_pill"]
    assert given_pill.dims == ("perturbation", "arm", "dose")
    assert given_pill.attrs["units"] == "1"
    assert given_pill.attrs["long_name"] == "occurrences of step pill that took place"
    assert not given_pill.sel(arm="always").any()
    gated = given_pill.sel(arm="gated")
    assert gated.sel(perturbation="none").values.tolist()[0] == 6
    assert (gated.sel(perturbation="fast") >= gated.sel(perturbation="none")).all()
    assert (evaluate(result)["held"] == 7 - given_pill).all()


def test_numbers_may_be_expected(read: Read) -> None:
    step = "at: 0 h, label: pill, dose: drug, add: 2 uM, every: 1 h, times: 3, if: drug < limit"
    scenario = read(step, more="expect: [given_pill == 2]")
    assert [item.passed for item in check_expectations(evaluate(simulate(scenario)), scenario)] == [
        True
    ]
    _, rehearsed = rehearse(scenario)
    assert rehearsed["given_pill"].dims == ("perturbation",)


def test_a_result_with_conditions_comes_again_from_its_file(read: Read, tmp_path: Path) -> None:
    result = simulate(read(*(f"{step}, if: drug < 0.5" for step in STEPS)))
    write_result(result, tmp_path / "result.nc")
    (tmp_path / "decay.ant").unlink()
    assert replay(tmp_path / "result.nc").max_difference == 0
    xr.testing.assert_identical(read_result(tmp_path / "result.nc"), result)
    result["given_a"].values[0] += 1
    assert not replay(result).passed
    runs = json.loads(result.attrs["runs"])
    runs[0]["instants"][0]["occurrences"][0]["condition"] = "drug > 0.5"
    result.attrs["runs"] = json.dumps(runs)
    assert replay(result).max_difference > 0.01


def test_a_timeline_is_the_same_from_its_plain_data(read: Read) -> None:
    scenario = read(
        *(f"{step}, if: drug < 0.5" for step in STEPS), "at: 1 h, set: {k: 0.2 1/h}, if: drug > 9"
    )
    [planned] = make_plan(scenario).runs
    again = timeline_from_json(json.loads(json.dumps(run_to_json(planned))))
    assert again == planned.run.timeline
    assert hash(again) == hash(planned.run.timeline)


def test_without_conditions_the_plain_data_hold_none(read: Read) -> None:
    [planned] = make_plan(read(*STEPS)).runs
    keys = {key for instant in run_to_json(planned)["instants"] for key in instant}
    assert keys == {"time", "changes", "reset", "steady"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dose: drug, to: 1 uM", "dose: drug, to: 2 uM"),
        ("dose: drug, to: 1 uM", "dose: drug, add: 2 uM"),
        ("set: {held: 1}", "set: {held: 2}"),
        ("dose: drug, to: 1 uM", "renew: medium, fresh: {drug: 1 uM}"),
    ],
)
def test_steps_that_exclude_each_other_must_not_both_take_place(
    read: Read, one: str, other: str
) -> None:
    first, one, other = "at: 0 h, dose: other, add: 1 uM", f"at: 1 h, {one}", f"at: 1 h, {other}"
    simulate(read(first, f"{one}, if: drug < 1", f"{other}, if: drug >= 1"))
    with pytest.raises(SimulationError, match="both took place"):
        simulate(read(first, f"{one}, if: drug < 1", f"{other}, if: drug < 2"))
    with pytest.raises(SimulationError, match="both took place"):
        simulate(read(first, f"{one}, if: drug < 1", other))


def test_a_setting_that_took_place_is_not_cut_short(read: Read) -> None:
    later = "at: 2 h, set: {held: 2}, if: held == 0"
    result = simulate(read("at: 1 h, set: {held: 1}, for: 4 h, if: drug > 0", later))
    assert _at(result, 2, "held") == 2
    with pytest.raises(SimulationError, match="'held' is already set until 5: both took place"):
        simulate(read("at: 1 h, set: {held: 1}, for: 4 h", later.replace("== 0", "== 1")))


def test_a_reset_cancels_and_a_steady_state_replaces_what_was_still_to_come(model: Model) -> None:
    pill = {"at": 0, "label": "pill", "dose": "drug", "add": "1 uM", "every": "1 h", "times": 9}
    gated = {**pill, "if": "drug < 1"}
    dose = {"at": 4, "dose": "other", "add": "1 uM", "every": "1 h", "steady_state": True}
    for later in ({"at": 4, "reset": True}, dose):
        found = _compiled(model, gated, later)
        assert len(occurrences_in(found)) == 4


def test_occurrences_after_the_end_do_not_count(model: Model) -> None:
    step = {"at": 0, "infuse": "drug", "amount": "1 umol", "over": "2 h", "every": "5 h"}
    found = _compiled(model, {**step, "times": 9, "if": "drug < 1"})
    assert len(occurrences_in(found)) == 3


def test_cycles_of_a_regimen_are_counted_together(read: Read) -> None:
    step = {"at": "0 h", "label": "pill", "dose": "drug", "add": "1 uM", "if": "drug < limit"}
    plain = {"at": "1 h", "label": "other", "dose": "other", "add": "1 uM"}
    regimen = NamedRegimen(
        "weekly", "Weekly", "approved", "2026", "assumed", (step, plain), cycle="4 h"
    )
    steps = regimen.lasting(12)
    assert [item.get("label") for item in steps[::2]] == ["pill", "pill_2", "pill_3"]
    assert [Step.model_validate(item).counted_as for item in steps[::2]] == ["pill"] * 3
    assert {Step.model_validate(item).counted_as for item in steps[1::2]} == {""}
    written = [", ".join(f"{key}: {value}" for key, value in item.items()) for item in steps]
    assert simulate(read(*written))["given_pill"].item() == 3


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("dose: drug, add: 1 uM, if: drag < 1", "if: unknown name 'drag' in model decay: did you mean 'drug'"),
        ("dose: drug, add: 1 uM, if: amount(k) < 1", "if: amount(k): k is no species"),
        ("dose: drug, add: 1 uM, if: drug <", "'drug <' is not an expression"),
        ("dose: drug, add: 1 uM, if: steps(drug) < 1", "'steps(drug)' is not allowed"),
        ("dose: drug, add: 1 uM, if: 1 < 2", "'1 < 2' compares numbers only"),
        ("dose: drug, add: 1 uM, if: drug", "'drug' is no condition"),
        ("dose: drug, add: 1 uM, if: \"drug == 'a'\"", "is no condition"),
        ("dose: drug, add: 1 uM, if: true", "should be a valid string"),
        ("dose: drug, add: 1 uM, every: 1 h, steady_state: true, if: drug < 1", "takes no if"),
        ("reset: true, if: drug < 1", "a reset takes no if"),
        ("dose: drug, add: 1 uM, count: pills", "count needs if"),
        ("label: pill, dose: drug, add: 1 uM, if: drug < 1", "would be counted as 'given_pill'"),
        ("set: {held: 1}, every: 1 h", "every needs times, the number of settings"),
        ("set: {held: 1}, times: 2", "times needs every"),
        ("set: {held: 1}, every: 1 h, times: 2, until: 9 h", "ends with for, not until"),
        ("set: {held: 1}, every: 1 h, times: 2, for: 2 h", "'held' is already set until 2"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place(read: Read, step: str, message: str) -> None:
    more = "endpoints: {given_pill: {of: drug, take: max}}"
    with pytest.raises(ScenarioError) as caught:
        make_plan(read(f"at: 0 h, {step}", more=more))
    said = str(caught.value)
    assert message in said
    assert "trial.yaml:5: regimen.0" in said
    assert "\n" not in said


@pytest.mark.parametrize("to", FORMATS)
def test_formats_without_conditions_are_refused(read: Read, to: str, tmp_path: Path) -> None:
    read("at: 0 h, label: pill, dose: drug, add: 1 uM, if: drug < limit")
    with pytest.raises(MyelodeError, match="step 'pill' depends on the state of the run"):
        export(str(tmp_path / "trial.yaml"), to, tmp_path / f"out.{to}")
    assert not list(tmp_path.glob("out*"))


def test_show_says_what_depends_on_the_state(
    read: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read("at: 0 h, label: pill, dose: drug, add: 1 uM, if: drug < limit")
    assert main(["show", str(tmp_path / "trial.yaml"), "--effective"]) == 0
    assert "label pill, dose drug, add 1 uM, if drug < limit" in capsys.readouterr().out
