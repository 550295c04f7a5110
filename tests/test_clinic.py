"""Responses of scenarios: patients from the table, visits, rates and curves, and what is said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.cli import main
from myelode.clinic.criteria import imwg_response
from myelode.errors import MyelodeError, ScenarioError, SimulationError
from myelode.outcomes import check_expectations, evaluate
from myelode.parameters import COLUMNS
from myelode.results import replay
from myelode.scenario import Scenario, scenario_from_text
from myelode.simulation import rehearse, simulate

MakesScenario = Callable[..., Scenario]
# M-protein falls while the drug works, which wears off; `late` is when it then rises again.
TOY = """
model serum_protein()
  unit time_unit = 86400 second; unit substance = 1 gram; unit extent = 1 gram;
  unit volume = 1 litre; unit per_day = 1 / (86400 second); unit gL = 1 gram / litre;
  compartment serum = 3; serum has volume;
  species M_protein in serum; M_protein = base;
  base = 40; base has gL; growth = 0.01; growth has per_day; kill = 0.06; kill has per_day;
  loss = 0.02; loss has per_day; dose = 1; dose has dimensionless;
  tenth = 0.1; tenth has dimensionless; scaled := tenth * dose; scaled has dimensionless;
  J: => M_protein; serum * (growth - dose * kill * exp(-loss * time)) * M_protein;
end
"""
ROWS = {
    "serum": "3 L", "base": "40 g/L", "growth": "0.01 1/d", "kill": "0.06 1/d",
    "loss": "0.02 1/d", "dose": "1 1", "tenth": "0.1 1",
}  # fmt: skip
SPREAD = {"base": "lognormal(cv=0.4)", "growth": "lognormal(cv=0.5)", "kill": "lognormal(cv=0.6)"}
TEXT = """\
id: ward
title: patients under a drug that wears off
model: {model}
perturbations: [none, {{fast: {{scale: {{growth: 2}}}}}}]
arms:
  full: [{{at: 0 d, set: {{dose: 1}}}}]
  half: [{{at: 0 d, set: {{dose: 0.5}}}}]
{design}
observe: {{every: 3 d, until: 400 d, outputs: [M_protein]}}
responses: {{clinic: {{of: M_protein, every: 21 d{more}}}}}
"""
PATIENTS = "design: {patients: {number: 40, seed: 2}}"


@pytest.fixture
def ward(tmp_path: Path) -> MakesScenario:
    """Writes the model and gives the scenario, with further keys of the response and lines."""
    folder = tmp_path / "serum_protein"
    folder.mkdir()
    (folder / "serum_protein.ant").write_text(TOY)
    (folder / "variants.yaml").write_text("only: {title: toy, parts: [serum_protein.ant]}\n")
    rows = ["\t".join(COLUMNS)]
    for name, quantity in ROWS.items():
        cells = [name, *quantity.split(), "meaning", "fixed", SPREAD.get(name, ""), "", ""]
        rows.append("\t".join([*cells, "assumed", "no", "", "a test"]))
    (folder / "parameters.tsv").write_text("\n".join(rows) + "\n")

    def make(more: str = "", *lines: str, design: str = PATIENTS, **swaps: str) -> Scenario:
        text = TEXT.format(model=folder, design=design, more=more and f", {more}")
        for old, new in swaps.items():
            assert old in text
            text = text.replace(old, new)
        return scenario_from_text(text + "\n".join(lines) + "\n", "f")

    return make


def _evaluated(scenario: Scenario) -> tuple[xr.Dataset, xr.Dataset]:
    dataset = simulate(scenario)
    return dataset, evaluate(dataset)


def test_every_patient_is_judged_at_the_visits(ward: MakesScenario) -> None:
    dataset, result = _evaluated(ward())
    times = dataset["time"].values
    visits = np.arange(0, 400, 21.0)
    np.testing.assert_allclose(result["clinic_time"], visits)
    for place in [(0, 0, 0), (1, 1, 7), (0, 1, 39)]:
        course = np.interp(visits, times, dataset["M_protein"].values[place])
        alone = imwg_response(visits, course, followed_until=400.0)
        assert result["clinic_best"].values[place] == alone.best[()]
        assert result["clinic_progression"].values[place] == alone.progression
        assert result["clinic_progressed"].values[place] == alone.progressed
        np.testing.assert_equal(result["clinic_duration"].values[place], float(alone.duration))
    assert result["clinic_best"].dims == ("perturbation", "arm", "sample")
    assert result["clinic_progression"].attrs["units"] == "d"
    assert "no urine" in result["clinic_best"].attrs["criteria"]


def test_rates_and_curves_are_those_of_the_patients(ward: MakesScenario) -> None:
    _, result = _evaluated(ward("landmarks: [6 mo, 300 d]"))
    here = result.sel(perturbation="none", arm="full")
    best = here["clinic_best"].values.astype(str)
    evaluable = int((best != "NE").sum())
    assert int(here["clinic_evaluable"]) == evaluable
    responders = np.isin(best, ["PR", "VGPR", "CR"])
    assert float(here["clinic_response_rate"]) == pytest.approx(responders.sum() / evaluable)
    # Nobody is censored before the end, so that the curve is a plain share.
    progression = here["clinic_progression"].values
    ended = here["clinic_progressed"].values
    known = np.isfinite(progression)
    for number, time in enumerate(here["clinic_time"].values):
        free = 1 - (ended[known] & (progression[known] <= time)).mean()
        assert float(here["clinic_pfs"][number]) == pytest.approx(free)
    at = float(here["clinic_pfs_at_300_d"])
    assert at == pytest.approx(1 - (ended[known] & (progression[known] <= 300)).mean())
    assert float(here["clinic_pfs_at_6_mo_low"]) < float(here["clinic_pfs_at_6_mo"])
    assert int(here["clinic_at_risk"][0]) == known.sum()


def test_all_arms_and_perturbations_have_the_same_patients(ward: MakesScenario) -> None:
    dataset, _ = _evaluated(ward())
    start = dataset["M_protein"].isel(time=0)
    assert np.ptp(start.values.reshape(4, -1), axis=0).max() == 0
    assert float(start[0, 0, 0]) == 40
    assert len(set(start.values[0, 0])) == 40
    again, _ = _evaluated(ward())
    assert again.identical(dataset)
    assert dataset.attrs["seed"] == 2
    assert replay(dataset).passed


def test_one_more_patient_changes_no_other(ward: MakesScenario) -> None:
    few, many = (
        simulate(ward(design=f"design: {{patients: {{number: {number}, vary: [kill]}}}}"))
        for number in (3, 5)
    )
    np.testing.assert_array_equal(few["kill"], many["kill"][:3])
    assert "base" not in few.coords


def test_who_drops_out_does_so_in_every_arm_at_the_same_time(ward: MakesScenario) -> None:
    _, result = _evaluated(ward("dropout: {rate: 0.2 1/mo, seed: 4}"))
    progression, ended = result["clinic_progression"].values, result["clinic_progressed"].values
    for patient in range(40):
        left = set(progression[..., patient][~ended[..., patient]]) - {400.0}
        assert len({time for time in left if not math.isnan(time)}) <= 1
    _, other = _evaluated(ward("dropout: {rate: 0.2 1/mo, seed: 5}"))
    assert not np.array_equal(other["clinic_progression"], progression, equal_nan=True)
    _, whole = _evaluated(ward())
    assert int(whole["clinic_at_risk"][0, 0, 8]) > int(result["clinic_at_risk"][0, 0, 8])


def test_dropout_is_exponential_with_its_rate(ward: MakesScenario) -> None:
    from myelode.clinic.visits import read_visits
    from myelode.subjects import model_of

    scenario = ward("dropout: {rate: 0.02 1/d}")
    visits = read_visits(scenario, model_of(scenario))["clinic"]
    left = visits.followed_until(np.arange(4000))
    assert (left[left < 400] < 20).mean() == pytest.approx(1 - math.exp(-0.4), abs=0.03)
    assert (left == 400).mean() == pytest.approx(math.exp(-8), abs=0.002)


def test_a_single_patient_has_a_response_and_no_rates(ward: MakesScenario) -> None:
    _, result = _evaluated(ward("dropout: {rate: 10 1/d}", design=""))
    assert result["clinic_best"].dims == ("perturbation", "arm")
    assert "clinic_response_rate" not in result
    assert str(result["clinic_best"].sel(perturbation="none", arm="full").values) == "PR"


def test_grams_per_decilitre_and_other_units_of_an_output_are_converted(
    ward: MakesScenario,
) -> None:
    scenario = ward(design="")
    dataset, result = _evaluated(scenario)
    other = dataset.copy()
    other["M_protein"] = (dataset["M_protein"] / 10).assign_attrs(units="g/dL")
    again = evaluate(other.assign_attrs(dataset.attrs))
    assert again["clinic_best"].equals(result["clinic_best"])


def test_endpoints_rules_and_expectations_may_use_what_a_response_says(
    ward: MakesScenario,
) -> None:
    scenario = ward(
        "landmarks: [6 mo]",
        "endpoints:",
        "  gone: {expr: 0 - 100 * clinic_best_change, unit: '%'}",
        "  odds: {expr: clinic_response_rate / (1 - clinic_response_rate)}",
        "rules: {depth: [{label: deep, if: clinic_best == 'VGPR'}, {label: other}]}",
        "expect:",
        "  - none.full.clinic_pfs_at_6_mo > fast.full.clinic_pfs_at_6_mo",
        "  - none.full.clinic_response_rate > none.half.clinic_response_rate",
    )
    _, result = _evaluated(scenario)
    assert result["gone"].dims == ("perturbation", "arm", "sample")
    assert result["odds"].dims == ("perturbation", "arm")
    deep = result["depth"].values == "deep"
    np.testing.assert_array_equal(deep, result["clinic_best"].values == "VGPR")
    assert all(line.passed for line in check_expectations(result, scenario))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("endpoints: {x: {expr: clinic_pfs * 2}}",), "'clinic_pfs' has a value for each clinic_time"),
        (("endpoints: {x: {expr: clinic_bst * 2}}",), "unknown name 'clinic_bst'.*clinic_best"),
        (("expect: [none.full.clinic_progression > 1]",), "has a value for each sample"),
    ],
)  # fmt: skip
def test_what_is_no_single_number_cannot_stand_in_its_place(
    ward: MakesScenario, lines: tuple[str, ...], message: str
) -> None:
    scenario = ward("", *lines)
    with pytest.raises(ScenarioError, match=message):
        check_expectations(evaluate(rehearse(scenario)[1]), scenario)


@pytest.mark.parametrize(
    ("more", "swaps", "message"),
    [
        ("", {"of: M_protein": "of: M_protien"}, "f:10: responses.clinic.of: unknown output 'M_protien'.*M_protein"),
        ("", {"of: M_protein": "of: scaled"}, "'scaled' is in '(1|dimensionless)': a response needs mass per volume"),
        ("", {"of: M_protein": "of: growth"}, "'growth' is in '1/d': a response needs mass per volume"),
        ("", {"of: M_protein": "of: serum"}, "'serum' is in 'L': a response needs mass per volume"),
        ("", {"every: 21 d": "every: 0 d"}, "f:10: responses.clinic.every: assessments must follow"),
        ("", {"every: 21 d": "every: -3 d"}, "responses.clinic.every: assessments must follow"),
        ("", {"every: 21 d": "every: 500 d"}, "within 400, the time of follow-up, not every 500"),
        ("", {"every: 21 d": "every: 21"}, "every needs a unit"),
        ("landmarks: [14 mo]", {}, "landmarks.0: the landmark '14 mo' lies outside follow-up, which lasts 400 d"),
        ("landmarks: [0 d]", {}, "landmarks.0: the landmark '0 d' lies outside"),
        ("landmarks: [6 mo, 6-mo]", {}, "a landmark is listed twice"),
        ("until: 500 d", {}, "follow-up from 0 to 500 must lie in the run, from 0 to 400"),
        ("first: 400 d", {}, "follow-up from 400 to 400 must lie"),
        ("measurable: 5 mol/L", {}, "responses.clinic.measurable: measurable is in 'mol/L'"),
        ("undetectable: 0 g/L", {}, "undetectable must be positive"),
        ("dropout: {rate: -1 1/d}", {}, "dropout.rate: the rate of dropout may not be negative"),
        ("dropout: {rate: 1 d}", {}, "rate is in 'd'"),
        ("dropout: {rat: 1 1/d}", {}, "unknown key 'rat'"),
        ("criteria: RECIST", {}, "'RECIST' is none of 'IMWG'"),
        ("confirmed: true", {}, "unknown key 'confirmed': did you mean 'confirm'"),
        ("", {"number: 40, seed: 2": "number: 0"}, "design.patients.number"),
        ("", {"seed: 2": "vary: [loss]"}, "'loss' states no spread between patients; base, growth, kill do"),
        ("", {"patients: {number: 40, seed: 2}": "patients: {number: 2}, lines: {number: 2}"}, "lines or patients, not both"),
        ("", {"patients: {number: 40, seed: 2}": "patients: {number: 2}, cross: {loss: [0.1 1/d]}"}, "a design has patients, or values crossed"),
        ("", {"every: 3 d,": "every: 3 d, from: 9 d,", "at: 0 d": "at: 5 d"}, "the trajectory begins at 5, after baseline at 0"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(
    ward: MakesScenario, more: str, swaps: dict[str, str], message: str
) -> None:
    with pytest.raises(MyelodeError, match=message) as caught:
        evaluate(rehearse(ward(more, **swaps))[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "section",
    [
        "endpoints: {clinic_best: {of: M_protein, take: max}}",
        "rules: {clinic_pfs_median_low: [{label: x}]}",
        "assays: {clinic_evaluable: {of: M_protein}}",
    ],
)
def test_a_name_of_the_response_is_taken(ward: MakesScenario, section: str) -> None:
    with pytest.raises(ScenarioError, match="is what the response 'clinic' gives already"):
        ward("", section)


def test_a_patient_whose_run_fails_is_counted_and_left_out(
    ward: MakesScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    from myelode.engines import roadrunner

    [simulator] = [item for name, item in vars(roadrunner).items() if name.endswith("Simulator")][
        :1
    ]
    run = simulator.run

    def fails_for_some(self: object, asked: object, *more: object) -> np.ndarray:
        if asked.changes["kill"] > limit:  # type: ignore[attr-defined]
            raise SimulationError("it broke", 1.0, {})
        found: np.ndarray = run(self, asked, *more)
        return found

    limit = 0.1
    monkeypatch.setattr(simulator, "run", fails_for_some)
    dataset, result = _evaluated(
        ward("", "endpoints: {low: {of: M_protein, take: time_to, below: 1 g/L}}")
    )
    lost = dataset["kill"].values > limit
    assert 0 < lost.sum() < 40
    np.testing.assert_array_equal(dataset["status"][0, 0], lost)
    assert (result["clinic_failed"] == lost.sum()).all()
    assert (result["clinic_best"].values[..., lost] == "NE").all()
    assert np.isnan(result["low"].values[..., lost]).all()
    assert not np.isnan(result["low"].values[..., ~lost]).any()
    assert replay(dataset).passed
    limit = -1.0
    with pytest.raises(SimulationError, match="it broke"):
        simulate(ward())
    limit = 0.1
    with pytest.raises(SimulationError, match="it broke"):
        simulate(ward(design="design: {cross: {kill: [0.01 1/d, 1 1/d]}}"))


def _run(ward: MakesScenario, tmp_path: Path, *options: str, **how: str) -> list[str]:
    path = tmp_path / "ward.yaml"
    path.write_text(
        TEXT.format(model=tmp_path / "serum_protein", more=", landmarks: [6 mo]", **how)
    )
    return ["run", str(path), *options]


def test_run_prints_rates_and_gives_them_as_json(
    ward: MakesScenario, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_run(ward, tmp_path, "--json", design=PATIENTS)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["patients"] == {"number": 40, "seed": 2}
    entry = found["responses"]["clinic"]["fast"]
    assert entry["arms"].keys() == {"full", "half"}
    half = entry["arms"]["half"]
    assert half["failed"] == 0
    assert sum(half["best"].values()) == 40
    assert half["pfs_at"].keys() == {"6 mo"}
    rate = half["response_rate"]
    assert rate["interval"][0] <= rate["value"] <= rate["interval"][1]
    assert len(half["pfs"]["time"]) == len(half["pfs"]["value"]) == len(half["pfs"]["at_risk"])
    assert main(_run(ward, tmp_path, design=PATIENTS)) == 0
    said = capsys.readouterr().out
    assert "40 virtual patients (seed 2" in said
    assert "PR or better" in said
    assert "fast, half" in said
    assert "Clopper and Pearson" in said


def test_run_prints_the_response_of_a_single_patient(
    ward: MakesScenario, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_run(ward, tmp_path, "--json", design="")) == 0
    full = json.loads(capsys.readouterr().out)["responses"]["clinic"]["none"]["arms"]["full"]
    assert full["best"] == "PR"
    assert full["progression"]["unit"] == "d"
    assert main(_run(ward, tmp_path, design="")) == 0
    assert "best response" in capsys.readouterr().out
