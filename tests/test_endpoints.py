"""Endpoints of a simulated scenario are those of the closed form of its model."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.engines import Tolerances
from myelode.errors import ScenarioError
from myelode.outcomes import evaluate
from myelode.responses.doses import dose_text
from myelode.scenario import scenario_from_text
from myelode.simulation import evaluate_inputs, simulate

MODEL = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 2; c has volume;
  species A in c, response in c; A = 0; response := full / (1 dimensionless + (A / half)^slope);
  k = 0.5; k has per_hour;
  full = 8; full has uM; half = 3; half has uM; slope = 1.5; slope has dimensionless;
  ratio := A / half; ratio has dimensionless;
  loss: A -> ; c * k * A;
end
"""
TEXT = """\
id: decay
title: exponential decay
model: {model}
perturbations: [none, {{fast: {{scale: {{k: 4}}}}}}]
regimen: [{{at: 0 h, label: pulse, dose: A, to: 4 uM}}]
observe: {{every: 0.01 h, until: 10 h, outputs: [A]}}
"""
Evaluates = Callable[..., xr.Dataset]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("endpoints") / "toy.ant"
    path.write_text(MODEL, "utf-8")
    return path


@pytest.fixture
def evaluated(model_file: Path) -> Evaluates:
    """Evaluates the scenario with further lines, or with others in their place."""

    def run(*lines: str) -> xr.Dataset:
        base = TEXT.format(model=model_file).splitlines()
        keys = {line.partition(":")[0] for line in lines}
        kept = [line for line in base if line.partition(":")[0] not in keys]
        return evaluate(simulate(scenario_from_text("\n".join([*kept, *lines]), "f")))

    return run


def _endpoint(evaluated: Evaluates, text: str, *lines: str) -> xr.DataArray:
    return evaluated(f"endpoints: {{x: {text}}}", *lines)["x"]


@pytest.mark.parametrize(
    ("text", "slow", "fast", "unit"),
    [
        ("{of: A, take: max}", 4, 4, "umol/L"),
        ("{of: A, take: min}", 4 * math.exp(-5), 4 * math.exp(-20), "umol/L"),
        ("{of: A, take: argmax}", 0, 0, "h"),
        ("{of: A, take: argmin}", 10, None, "h"),
        ("{of: A, take: value, at: 2 h}", 4 * math.exp(-1), 4 * math.exp(-4), "umol/L"),
        ("{of: A, take: value, at: pulse + 120 min}", 4 * math.exp(-1), 4 * math.exp(-4), "umol/L"),
        ("{of: A, take: auc}", 8 * (1 - math.exp(-5)), 2 * (1 - math.exp(-20)), "umol/L*h"),
        ("{of: A, take: auc, from: 1 h, until: 3 h}", 8 * (math.exp(-0.5) - math.exp(-1.5)), None, "umol/L*h"),
        ("{of: A, take: mean}", 0.8 * (1 - math.exp(-5)), 0.2 * (1 - math.exp(-20)), "umol/L"),
        ("{of: A, take: time_to, below: 1 uM}", 2 * math.log(4), 0.5 * math.log(4), "h"),
        ("{of: A, take: time_to, below: 1000 nM, from: 1 h}", 2 * math.log(4), 1, "h"),
        ("{of: response, take: time_to, above: 6 uM}", 2 * math.log(4 / (3 * (1 / 3) ** (2 / 3))), None, "h"),
        ("{of: A, take: time_above, above: 1 uM}", 2 * math.log(4), 0.5 * math.log(4), "h"),
        ("{of: A, take: time_below, below: 1 uM}", 10 - 2 * math.log(4), 10 - 0.5 * math.log(4), "h"),
        ("{of: A, take: time_to, above: 5 uM}", math.inf, math.inf, "h"),
        ("{of: ratio, take: auc}", 8 / 3 * (1 - math.exp(-5)), None, "h"),
        ("{of: ratio, take: time_to, below: 1}", 2 * math.log(4 / 3), None, "h"),
        ("{of: 'amount(A)', take: max}", 8, 8, "umol"),
        ("{of: loss, take: max}", 4, 16, "umol/h"),
    ],
)  # fmt: skip
def test_an_endpoint_is_that_of_the_closed_form(
    evaluated: Evaluates, text: str, slow: float, fast: float | None, unit: str
) -> None:
    found = _endpoint(evaluated, text)
    assert found.dims == ("perturbation",)
    assert found.attrs["units"] == unit
    assert found.values[0] == pytest.approx(slow, rel=2e-5, abs=1e-9)
    if fast is not None:
        assert found.values[1] == pytest.approx(fast, rel=2e-4, abs=1e-9)


def test_an_endpoint_has_a_title_and_may_state_its_unit(evaluated: Evaluates) -> None:
    found = evaluated(
        "endpoints: {at_peak: {of: A, take: max}, half: {expr: at_peak / 2, unit: uM, title: half of it}}"
    )
    assert found["at_peak"].attrs["long_name"] == "at peak"
    assert found["half"].attrs == {"units": "uM", "long_name": "half of it"}
    np.testing.assert_allclose(found["half"], 2)


def test_an_expression_uses_endpoints_of_its_own_and_of_other_perturbations(
    evaluated: Evaluates,
) -> None:
    found = evaluated(
        "endpoints: {late: {of: A, take: value, at: 2 h}, own: {expr: log(late)},"
        " relative: {expr: late / none.late}, same: {expr: late / reference.late}, fixed: {expr: fast.late}}"
    )
    np.testing.assert_allclose(
        found["own"], np.log([4 * math.exp(-1), 4 * math.exp(-4)]), rtol=1e-7
    )
    np.testing.assert_allclose(found["relative"], [1, math.exp(-3)], rtol=1e-7)
    np.testing.assert_array_equal(found["relative"], found["same"])
    np.testing.assert_allclose(found["fixed"], 4 * math.exp(-4), rtol=1e-7)


def test_a_value_at_an_event_is_after_it_and_just_before_is_before(evaluated: Evaluates) -> None:
    found = evaluated(
        "regimen: [{at: 0 h, dose: A, to: 4 uM}, {at: 2 h, label: more, dose: A, add: 3 uM}]",
        "endpoints: {after: {of: A, take: value, at: more}, before: {of: A, take: value, at: more-},"
        " by_time: {of: A, take: value, at: 2 h}}",
    )
    before = 4 * math.exp(-1)
    assert found["before"].values[0] == pytest.approx(before, rel=1e-7)
    assert found["after"].values[0] == pytest.approx(before + 3, rel=1e-7)
    assert found["by_time"].values[0] == found["after"].values[0]


def test_a_jump_at_the_end_of_a_window_does_not_belong_to_it(evaluated: Evaluates) -> None:
    found = evaluated(
        "regimen: [{at: 0 h, dose: A, to: 4 uM}, {at: 2 h, label: more, dose: A, add: 30 uM}]",
        "endpoints: {first: {of: A, take: max, until: more}, second: {of: A, take: max, from: more},"
        " low: {of: A, take: min, from: 1 h, until: more}}",
    )
    assert found["first"].values[0] == 4
    assert found["second"].values[0] == pytest.approx(30 + 4 * math.exp(-1))
    assert found["low"].values[0] == pytest.approx(4 * math.exp(-1))


ARMS = (
    "arms: {early: [{at: 0 h, label: pulse, dose: A, to: 4 uM}], late: [{at: 3 h, label: pulse, dose: A, to: 4 uM}]}",
    "regimen:",
)  # fmt: skip


def test_labels_have_their_own_time_in_every_arm(evaluated: Evaluates) -> None:
    found = evaluated(*ARMS, "endpoints: {x: {of: A, take: value, at: pulse + 2 h}}")["x"]
    assert found.dims == ("perturbation", "arm")
    np.testing.assert_allclose(found, [[4 * math.exp(-1)] * 2, [4 * math.exp(-4)] * 2], rtol=1e-6)


def test_an_endpoint_may_belong_to_one_arm(evaluated: Evaluates) -> None:
    found = evaluated(
        *ARMS, "endpoints: {one: {of: A, take: max, arm: late}, both: {of: A, take: auc}, share: {expr: both / one},"
        " early: {expr: none.early.both}}",
    )  # fmt: skip
    assert found["one"].dims == ("perturbation",)
    assert found["share"].dims == ("perturbation", "arm")
    np.testing.assert_allclose(found["early"], 8 * (1 - math.exp(-5)), rtol=1e-4)


LADDER = "design: {dose: {of: pulse, from: 0.03 uM, to: 300 uM, points: 241, zero: true}}"


def test_the_ic50_is_that_of_the_response(evaluated: Evaluates) -> None:
    found = evaluated(
        LADDER, "observe: {until: 2 h, outputs: [response]}",
        "endpoints: {ic50: {of: response, take: ic50, at: 2 h}, low: {of: response, take: value, at: 2 h}}",
    )  # fmt: skip
    assert found["ic50"].dims == ("perturbation",)
    assert found["ic50"].attrs["units"] == "umol/L"
    assert "half" in found["ic50"].attrs["definition"]
    np.testing.assert_allclose(found["ic50"], [3 * math.e, 3 * math.exp(4)], rtol=1e-6)
    assert found["low"].dims == ("perturbation", "dose")
    assert found["low"].values[0, 0] == pytest.approx(8)


def test_an_ic50_beyond_the_ladder_is_not_reached(evaluated: Evaluates) -> None:
    found = evaluated(
        "design: {dose: {of: pulse, values: [0 uM, 1 uM, 2 uM, 20 uM]}}",
        "observe: {until: 2 h, outputs: [response]}", "endpoints: {x: {of: response, take: ic50, at: 2 h}}",
    )  # fmt: skip
    assert found["x"].values[1] == math.inf
    assert 2 < found["x"].values[0] < 20


READ = "observe: {until: 2 h, outputs: [response]}"
LOW_AND_HIGH = "design: {dose: {of: pulse, values: [0 uM, 20 uM, 40 uM, 80 uM]}}"


def _over_doses(evaluated: Evaluates, take: str, *lines: str) -> xr.Dataset:
    return evaluated(READ, f"endpoints: {{x: {{of: response, take: {take}, at: 2 h}}}}", *lines)


def test_a_dose_off_the_ladder_has_a_flag(evaluated: Evaluates) -> None:
    found = _over_doses(evaluated, "ic50", LOW_AND_HIGH)
    np.testing.assert_array_equal(found["x"], [0, math.inf])
    assert found["x_flag"].dims == ("perturbation",)
    assert list(found["x_flag"].values) == [
        "below the lowest dose (20 uM)",
        "not reached up to 80 uM",
    ]


def test_a_dose_on_the_ladder_has_an_empty_flag_definition_and_time(evaluated: Evaluates) -> None:
    found = _over_doses(evaluated, "ic50", LADDER)
    assert list(found["x_flag"].values) == ["", ""]
    assert found["x"].attrs == {
        "units": "umol/L", "long_name": "x", "read_at": "2 h", "doses": "30 nM to 300 uM",
        "definition": "dose at which the response first falls to half of that without drug",
    }  # fmt: skip


def test_the_time_of_reading_is_told_with_the_label_it_counts_from(evaluated: Evaluates) -> None:
    lines = (LADDER, READ, "endpoints: {x: {of: response, take: ec50, at: pulse + 90 min}}")
    assert evaluated(*lines)["x"].attrs["read_at"] == "1.5 h (pulse + 90 min)"
    arms = "arms: {early: [{at: 0 h, label: pulse, dose: A, to: 4 uM}], late: [{at: 30 min, label: pulse, dose: A, to: 4 uM}]}"
    found = evaluated(*lines, arms, "regimen:")
    assert found["x"].attrs["read_at"] == "pulse + 90 min"
    assert found["x_flag"].dims == found["x"].dims == ("perturbation", "arm")
    np.testing.assert_allclose(found["x"][:, 0], found["x"][:, 1], rtol=1e-6)


def test_the_ec50_is_that_of_the_effect_reached(evaluated: Evaluates) -> None:
    low = "design: {dose: {of: pulse, from: 0.03 uM, to: 3 uM, points: 241, zero: true}}"
    found = _over_doses(evaluated, "ec50", low)["x"]
    assert found.attrs["units"] == "umol/L"
    assert found.attrs["definition"].startswith("dose at which half of the effect")
    for value, ic50 in zip(found.values, (3 * math.e, 3 * math.exp(4)), strict=True):
        effects = [1 - 1 / (1 + (dose / ic50) ** 1.5) for dose in (value, 3)]
        assert effects[0] == pytest.approx(effects[1] / 2, rel=1e-4)


def test_the_ec50_of_a_rising_response(evaluated: Evaluates) -> None:
    found = evaluated(LADDER, READ, "endpoints: {x: {of: ratio, take: ec50, at: 2 h}}")
    np.testing.assert_allclose(found["x"], 150, rtol=1e-3)


def test_without_an_effect_there_is_no_ec50(evaluated: Evaluates) -> None:
    found = _over_doses(evaluated, "ec50", LADDER, "set: {half: 1e9 uM}")
    assert np.isnan(found["x"]).all()
    assert set(found["x_flag"].values) == {"no effect"}


def test_emax_is_the_share_lost_at_the_best_dose(evaluated: Evaluates) -> None:
    found = _over_doses(evaluated, "emax", LOW_AND_HIGH)
    exact = [1 - 1 / (1 + (80 / ic50) ** 1.5) for ic50 in (3 * math.e, 3 * math.exp(4))]
    np.testing.assert_allclose(found["x"], exact, rtol=1e-6)
    assert found["x"].attrs["units"] == "dimensionless"
    assert list(found["x_flag"].values) == ["", ""]


def test_without_a_response_there_is_no_emax_and_no_ic50(evaluated: Evaluates) -> None:
    for take in ("ic50", "emax"):
        found = _over_doses(evaluated, take, LOW_AND_HIGH, "set: {full: 0 uM}")
        assert np.isnan(found["x"]).all()
        assert set(found["x_flag"].values) == {"no response without drug"}


def test_an_endpoint_may_belong_to_one_dose(evaluated: Evaluates) -> None:
    found = evaluated(
        LOW_AND_HIGH, READ, "endpoints: {one: {of: A, take: max, dose: 40000 nM}, all: {of: A, take: max},"
        " share: {expr: all / one}, none: {of: A, take: value, at: 0 h, dose: 0 uM}}",
    )  # fmt: skip
    assert found["one"].dims == ("perturbation",)
    np.testing.assert_allclose(found["one"], 40)
    np.testing.assert_allclose(found["share"][0], [0, 0.5, 1, 2])
    np.testing.assert_allclose(found["none"], 0)


def test_a_dose_may_be_named_as_it_is_printed(evaluated: Evaluates) -> None:
    spaced = "design: {dose: {of: pulse, from: 1 uM, to: 10 uM, points: 3}}"
    found = _endpoint(evaluated, "{of: A, take: max, dose: 3.162 uM}", spaced)
    np.testing.assert_allclose(found, math.sqrt(10))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [LOW_AND_HIGH, "endpoints: {x: {of: A, take: max, dose: 30.5 uM}}"],
            "endpoints.x: no dose of the ladder is '30.5 uM': nearest to it: 20 uM and 40 uM",
        ),
        (["endpoints: {x: {of: A, take: max, dose: 1 uM}}"], "endpoints.x: dose needs a dose ladder under design"),
        ([LOW_AND_HIGH, "endpoints: {x: {of: A, take: max, dose: 1 h}}"], "dose is in 'h', which cannot be converted"),
        ([LOW_AND_HIGH, "endpoints: {x: {of: A, take: max, dose: 20}}"], "dose needs a unit: write '20 umol/L'"),
        (
            [LOW_AND_HIGH, "endpoints: {x: {of: A, take: ec50, at: 2 h, dose: 20 uM}}"],
            "take: ec50 does not take 'dose'",
        ),
        (["endpoints: {x: {of: A, take: emax, at: 2 h}}"], "take: emax needs a dose ladder under design"),
        (["endpoints: {x: {of: A, take: emax}}"], "take: emax needs at, the time of reading"),
        (
            [LOW_AND_HIGH, "endpoints: {x: {of: A, take: ec50, at: 2 h}, x_flag: {of: A, take: max}}"],
            "endpoints.x_flag: 'x_flag' is the name of the flag of 'x'",
        ),
    ],
)  # fmt: skip
def test_a_dose_without_meaning_is_refused(
    evaluated: Evaluates, lines: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        evaluated(*lines)
    assert message in str(caught.value)


def test_what_lies_below_the_ladder_is_no_input(model_file: Path, tmp_path: Path) -> None:
    source = TEXT.format(model=model_file) + "\n".join([
        LOW_AND_HIGH, "endpoints: {x: {of: response, take: ic50, at: 2 h}}",
    ])  # fmt: skip
    path = tmp_path / "source.yaml"
    path.write_text(source.replace("id: decay", "id: source"), "utf-8")
    user = scenario_from_text(
        TEXT.format(model=model_file) + f"inputs: {{own: {{from: {path}, of: x}}}}"
    )
    assert evaluate_inputs(user, "auto", Tolerances()) == {"own": {}}


@pytest.mark.parametrize(
    ("dose", "unit", "text"),
    [
        (0.01, "umol/L", "10 nM"), (1, "umol/L", "1 uM"), (999.99999, "umol/L", "1000 uM"), (1000, "nM", "1 uM"),
        (2500, "umol/L", "2.5 mM"), (2, "mol/L", "2 M"), (5e-9, "umol/L", "0.005 pM"), (40, "umol", "40 umol"),
        (0, "umol/L", "0 umol/L"),
        (3, "", "3"),
    ],
)  # fmt: skip
def test_a_dose_is_told_as_one_would_write_it(dose: float, unit: str, text: str) -> None:
    assert dose_text(dose, unit) == text


def test_a_second_ladder_is_another_dimension(evaluated: Evaluates) -> None:
    found = evaluated(
        "regimen: [{at: 0 h, label: pulse, dose: A, to: 4 uM}, {at: 1 h, label: more, dose: A, add: 1 uM}]",
        "design: {dose: {of: pulse, from: 0.1 uM, to: 100 uM, points: 61, zero: true},"
        " dose2: {of: more, values: [0 uM, 1 uM]}}",
        "observe: {until: 2 h, outputs: [response]}", "endpoints: {x: {of: response, take: ic50, at: 2 h}}",
    )["x"]  # fmt: skip
    assert found.dims == ("perturbation", "dose2")
    assert found.values[0, 0] == pytest.approx(3 * math.e, rel=1e-4)


def test_crossed_values_are_samples_with_coordinates(evaluated: Evaluates) -> None:
    found = evaluated(
        "design: {cross: {k: [0.25 1/h, 0.5 1/h], half: [3 uM, 6 uM]}}",
        "endpoints: {x: {of: A, take: value, at: 4 h}}",
    )["x"]
    assert found.dims == ("perturbation", "sample")
    np.testing.assert_allclose(found[0], 4 * np.exp([-1, -1, -2, -2]), rtol=1e-6)
    np.testing.assert_array_equal(found["k"], [0.25, 0.25, 0.5, 0.5])
    assert found["half"].attrs["units"] == "umol/L"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["endpoints: {x: {of: A, take: max, from: 3 h, until: 3 h}}"], "endpoints.x: the window from 3 to 3 is empty"),
        (["endpoints: {x: {of: A, take: max, from: 3 h, until: 2 h}}"], "endpoints.x: the window from 3 to 2 is empty"),
        (["endpoints: {x: {of: A, take: max, from: 10 h}}"], "the window from 10 to 10 is empty"),
        (["endpoints: {x: {of: A, take: time_to, above: 1}}"], "endpoints.x: the level needs a unit"),
        (["endpoints: {x: {of: A, take: time_to, above: 1 h}}"], "cannot be converted to 'umol/L'"),
        (["endpoints: {x: {of: A, take: ic50, at: 2 h}}"], "take: ic50 needs a dose ladder under design"),
        (
            ["design: {dose: {of: pulse, values: [1 uM, 2 uM, 3 uM, 4 uM]}}", "endpoints: {x: {of: A, take: ic50, at: 2 h}}"],
            "needs a ladder with dose zero and three doses or more",
        ),
        (["endpoints: {x: {expr: y / 2}, y: {of: A, take: max}}"], "endpoints.x: unknown name 'y'"),
        (["endpoints: {peak: {of: A, take: max}, x: {expr: paek / 2}}"], "endpoints.x: unknown name 'paek': did you mean 'peak'"),
        (["endpoints: {peak: {of: A, take: max}, x: {expr: fats.peak / 2}}"], "unknown name 'fats.peak': did you mean 'fast.peak'"),
        (["endpoints: {peak: {of: A, take: max}, x: {expr: none.early.peak}}"], "unknown name 'none.early.peak'"),
    ],
)  # fmt: skip
def test_an_endpoint_without_meaning_is_refused(
    evaluated: Evaluates, lines: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        evaluated(*lines)
    assert message in str(caught.value)


def test_a_dataset_of_something_else_is_refused() -> None:
    with pytest.raises(ScenarioError, match="the dataset holds no scenario"):
        evaluate(xr.Dataset())
