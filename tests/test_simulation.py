"""Scenarios run, and their results know where they come from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from myelode.engines import ENGINES
from myelode.errors import ModelError, ScenarioError, SimulationError
from myelode.model import load_model
from myelode.regimens.timeline import just_before
from myelode.scenario import Scenario, load_scenario, scenario_from_text
from myelode.simulation import rehearse, simulate

MODEL = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment medium = 2; medium has volume;
  species A in medium, B in medium; A = 0; B = 6 * base; base = 1; base has uM;
  k = 0.5; k has per_hour;
  loss: A -> B; medium * k * A;
  A is "drug";
end
"""
TEXT = """\
id: pulse
title: Pulse and wash
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.1}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: A, to: 4 uM}}
  - {{at: 2 h, label: wash, wash: medium, dilute: 10}}
observe: {{every: 1 h, until: 4 h, outputs: [A, amount(A)]}}
"""
BLOW_UP = """
model toy()
  compartment c; species X in c; X = 1; k = 1; J: -> X; c*k*X^2;
end
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulation")
    (path / "toy.ant").write_text(MODEL, "utf-8")
    (path / "blow_up.ant").write_text(BLOW_UP, "utf-8")
    return path


@pytest.fixture
def scenario(folder: Path) -> Scenario:
    return scenario_from_text(TEXT.format(model=folder / "toy.ant"), "f")


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_a_scenario_gives_the_closed_form(scenario: Scenario, engine: str) -> None:
    found = simulate(scenario, engine)
    times = found["time"].values
    np.testing.assert_array_equal(times, [0, 1, just_before(2), 2, 3, 4])
    washed = np.where(times >= 2, 0.1, 1.0)
    for name, rate in (("none", 0.5), ("slow", 0.05)):
        expected = 4 * washed * np.exp(-rate * times)
        np.testing.assert_allclose(found["A"].sel(perturbation=name), expected, rtol=1e-6)
        np.testing.assert_allclose(
            found["amount(A)"].sel(perturbation=name), 2 * expected, rtol=1e-6
        )


def test_variables_have_units_and_names(scenario: Scenario) -> None:
    found = simulate(scenario)
    assert found["A"].dims == ("perturbation", "time")
    assert found["A"].attrs == {"units": "umol/L", "long_name": "drug"}
    assert found["amount(A)"].attrs["units"] == "umol"
    assert found["time"].attrs["units"] == "h"
    assert (found["status"] == 0).all()
    assert found["status"].dims == ("perturbation",)


def test_a_result_holds_what_it_takes_to_run_it_again(scenario: Scenario, folder: Path) -> None:
    attributes = simulate(scenario, rtol=1e-8, atol=1e-11).attrs
    assert attributes["model_sha256"] == load_model(folder / "toy.ant").digest
    assert (attributes["relative_tolerance"], attributes["absolute_tolerance"]) == (1e-8, 1e-11)
    assert attributes["engine"] == "roadrunner"
    assert json.loads(attributes["labels"]) == {"": {"pulse": 0, "wash": 2}}
    assert json.loads(attributes["runs"])[1]["changes"] == {"k": 0.05}
    assert scenario_from_text(attributes["scenario"]).model_dump() == scenario.model_dump()
    assert "research" in attributes["notice"]
    assert {"myelode", "libroadrunner"} <= json.loads(attributes["versions"]).keys()


def test_equal_inputs_give_equal_results(scenario: Scenario) -> None:
    assert simulate(scenario).identical(simulate(scenario))


def test_progress_is_reported_run_by_run(scenario: Scenario) -> None:
    seen: list[tuple[int, int]] = []
    simulate(scenario, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_a_failed_run_says_which_and_gives_no_result(folder: Path) -> None:
    text = TEXT.format(model=folder / "blow_up.ant").partition("perturbations")[0]
    text += "perturbations: [none, {fast: {scale: {k: 9}}}]\nobserve: {until: 0.5, outputs: [X]}\n"
    with pytest.raises(SimulationError) as caught:
        simulate(scenario_from_text(text))
    assert "scenario pulse, perturbation fast" in str(caught.value)
    assert caught.value.time == pytest.approx(1 / 9, rel=0.01)
    assert caught.value.state["X"] > 100


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"rtol": 0.0}, "rtol must lie"), ({"atol": -1.0}, "atol must be positive"), ({"engine": "cvode"}, "unknown engine 'cvode'")],
)  # fmt: skip
def test_settings_of_a_run_are_checked(
    scenario: Scenario, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        simulate(scenario, **changes)  # type: ignore[arg-type]


def test_an_unknown_scenario_is_answered_with_the_closest_one() -> None:
    with pytest.raises(ScenarioError, match="no scenario or file is called 'gamma_h2ax_washut'"):
        simulate("gamma_h2ax_washut")


def test_a_rehearsal_gives_the_shape_of_a_result_without_a_run(scenario: Scenario) -> None:
    plan, dataset = rehearse(scenario)
    found = simulate(scenario)
    assert np.isnan(dataset["A"]).all()
    assert dataset.sizes == found.sizes
    assert len(plan.runs) == 2


SOURCE = """\
id: source
title: How much it takes
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.1}}}}}}, {{other: {{scale: {{k: 0.2}}}}}}]
regimen: [{{at: 0 h, dose: A, to: 4000 nM}}]
observe: {{every: 0.01 h, until: 4 h, outputs: [A]}}
endpoints:
  late: {{of: A, take: value, at: 2 h}}
  never: {{expr: late / 0, unit: uM}}
"""


def _user(folder: Path, of: str, field: str, name: str = "source.yaml", **more: str) -> Scenario:
    """A scenario that takes an endpoint of another one for the size of a dose."""
    (folder / "source.yaml").write_text(SOURCE.format(model=folder / "toy.ant"), "utf-8")
    path = folder / "user.yaml"
    text = TEXT.format(model=folder / "toy.ant").partition("regimen")[0]
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    text += f"inputs: {{own: {{from: {folder / name}, of: {of}{extra}}}}}\n"
    text += f"regimen: [{{at: 0 h, dose: A, {field}: own}}]\n"
    text += "observe: {until: 1 h, at: [0 h], outputs: [A]}\n"
    path.write_text(text, "utf-8")
    return load_scenario(path)


def test_an_input_is_an_endpoint_of_another_scenario(folder: Path) -> None:
    found = simulate(_user(folder, "late", "to"))
    np.testing.assert_allclose(
        found["A"].sel(time=0), [4 * np.exp(-1), 4 * np.exp(-0.1)], rtol=1e-6
    )


def test_an_input_is_converted_to_the_unit_that_is_due(folder: Path) -> None:
    with pytest.raises(
        ScenarioError, match="own is in 'umol/L', which cannot be converted to 'umol'"
    ):
        simulate(_user(folder, "late", "amount"))


def test_an_input_that_is_never_reached_has_no_value_to_dose(folder: Path) -> None:
    with pytest.raises(
        ScenarioError, match="the input 'own' has no finite value for this perturbation"
    ):
        simulate(_user(folder, "never", "to"))


@pytest.mark.parametrize(
    ("of", "more", "message"),
    [
        ("laet", {}, "inputs.own: the scenario has no endpoint 'laet': did you mean 'late'"),
        ("late", {"arm": "one"}, "inputs.own: the scenario has no arm 'one'"),
        ("late", {"name": "missing.yaml"}, "inputs.own: .*missing.yaml: no such file"),
        (
            "late",
            {"name": "user.yaml"},
            "inputs.own: pulse takes inputs itself: inputs do not chain",
        ),
    ],
)
def test_an_input_that_leads_nowhere_is_refused(
    folder: Path, of: str, more: dict[str, str], message: str
) -> None:
    with pytest.raises((ScenarioError, ModelError), match=message):
        simulate(_user(folder, of, "to", **more))


def test_parts_of_a_combination_are_kept_for_the_source(folder: Path) -> None:
    user = _user(folder, "late", "to")
    source = (
        (folder / "source.yaml")
        .read_text()
        .replace("{slow: {scale: {k: 0.1}}}", "{slow: helper + none}")
    )
    source = source.replace("[none, ", "[none, {helper: {scale: {k: 0.1}}}, ")
    (folder / "source.yaml").write_text(source)
    np.testing.assert_allclose(simulate(user)["A"].sel(time=0)[1], 4 * np.exp(-0.1), rtol=1e-6)


STEADY = """\
id: steady
title: Steady state
model: {model}
regimen: [{step}]
observe: {{every: 1 h, until: 20 h, outputs: [A]}}
"""


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{at: 0 h, dose: A, add: 3 uM, every: 4 h, times: 6, steady_state: true}", 3 / (1 - np.exp(-2))),
        ("{at: 0 h, dose: A, add: 3 uM, every: 4 h, steady_state: true, lag: 1 h, times: 6}",
         3 / (1 - np.exp(-2)) * np.exp(-1.5)),
        ("{at: 0 h, infuse: A, rate: 3 umol/h, steady_state: true}", 3 / 2 / 0.5),
    ],
)  # fmt: skip
def test_a_steady_state_is_that_of_the_closed_form(
    folder: Path, step: str, expected: float
) -> None:
    text = STEADY.format(model=folder / "toy.ant", step=step)
    found = simulate(scenario_from_text(text))["A"].sel(perturbation="none")
    assert found.sel(time=0).item() == pytest.approx(expected, rel=1e-6)
    if "every" in step:
        np.testing.assert_allclose(found.sel(time=[4, 8, 12, 16, 20]), expected, rtol=1e-6)
    else:
        np.testing.assert_allclose(found.sel(time=[0, 2]), expected * np.exp([0, -1]), rtol=1e-6)


def test_a_steady_state_takes_the_place_of_all_that_went_before(folder: Path) -> None:
    late = "{at: 10 h, dose: A, add: 3 uM, every: 4 h, times: 3, steady_state: true}"
    before = "{at: 0 h, dose: A, add: 99 uM, every: 3 h, times: 5}, {at: 0 h, infuse: A, rate: 7 umol/h, over: 15 h}"
    alone = simulate(scenario_from_text(STEADY.format(model=folder / "toy.ant", step=late)))
    after = simulate(
        scenario_from_text(STEADY.format(model=folder / "toy.ant", step=f"{before}, {late}"))
    )
    times = [10, 12, 14, 20]
    np.testing.assert_allclose(after["A"].sel(time=times), alone["A"].sel(time=times), rtol=1e-8)
