"""Combinations over a ladder of doses: shifts in closed form, claims, and arms without the dose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode import simulation
from myelode.cli import main
from myelode.cli.checks import check_file
from myelode.design import first_alike
from myelode.engines import bulk, choose_engine
from myelode.errors import ScenarioError
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import make_plan
from myelode.results import read_result, write_result
from myelode.scenario import load_scenario
from myelode.simulation import simulate

from .toys import DECAY_TABLE, swapped, write_files

# A dose D leaves 1/(1 + D*(1 + f*b)): with the partner (b) its dose of half is 1/(1 + f) of its own.
TOY = """\
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit uM = 1e-6 mole / litre; unit per_hour = 1 / (3600 second);
  compartment c = 1; c has volume; species D in c, E in c; D = 0; E = 0;
  k = 0; k has per_hour; K = 1; K has uM; b = 0; b has dimensionless;
  f = 3; f has dimensionless; kill = 0; kill has dimensionless; left has dimensionless;
  left := (1 dimensionless - kill*b)/(1 dimensionless + D/K*(1 dimensionless + f*b));
  J: D => E; c*k*D;
end
"""
ROW = "{}\t{}\t{}\ta number\tfixed\t\t\t\tassumed\tno\t\tan example\n"
ROWS = (
    ("c", 1, "litre"), ("k", 0, "1/h"), ("K", 1, "umol/L"), ("b", 0, "1"), ("f", 3, "1"),
    ("kill", 0, "1"),
)  # fmt: skip
CLAIMS = """\
- id: T-C1
  claim: the partner helps
  document: a booklet
  says: '  Very   High '
  verdict: contested
  because: nobody has measured it
  sources: []
  in_model: a factor
- id: T-C2
  claim: the partner is harmless
  document: a booklet
  verdict: unsupported
  because: no source
  sources: []
  in_model: nothing
"""
TEXT = """\
id: partners
title: a drug and its partners
model: toy
perturbations: [none, {stronger: {set: {f: 9}}}, {weaker: {set: {f: 0}}}]
arms:
  control: []
  drug: [{at: 0 h, label: pulse, dose: D, to: 1 uM}]
  partner: [{at: 0 h, set: {b: 1}}]
  both: [{at: 0 h, label: pulse, dose: D, to: 1 uM}, {at: 0 h, set: {b: 1}}]
design: {dose: {of: pulse, values: [0.01 uM, 0.1 uM, 1 uM, 10 uM, 100 uM], zero: true}}
observe: {until: 1 h, outputs: [left]}
endpoints:
  share: {of: left, take: value, at: 1 h, dose: 1 uM}
  ic50: {of: left, take: ic50, at: 1 h}
  ec50: {of: left, take: ec50, at: 1 h}
combinations:
  pair: {of: share, single: [drug, partner], together: both, shift: ic50, claim: T-C1}
  sham: {of: share, single: [drug, control], together: drug, shift: ec50, claim: T-C2}
  plain: {of: share, single: [drug, partner], together: both}
expect:
  - abs(none.shift_pair - 0.25) < 1e-3
  - none.shift_sham == 1
"""
LADDER = "0.01 uM, 0.1 uM, 1 uM, 10 uM, 100 uM"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes model folder and scenario, with pieces of the scenario replaced."""
    header = DECAY_TABLE.splitlines(keepends=True)[0]
    files = {
        "toy.ant": TOY,
        "parameters.tsv": header + "".join(ROW.format(*row) for row in ROWS),
        "variants.yaml": "only: {title: toy, parts: [toy.ant], model: toy}\n",
        "claims.yaml": CLAIMS,
    }
    folder = write_files(tmp_path / "toy", files)

    def write(*swaps: tuple[str, str]) -> Path:
        text = swapped(TEXT, [("model: toy", f"model: {folder}"), *swaps])
        (tmp_path / "partners.yaml").write_text(text)
        return tmp_path / "partners.yaml"

    return write


def _result(path: Path) -> xr.Dataset:
    return evaluate(simulate(load_scenario(path)))


def test_the_shift_is_the_dose_of_both_over_that_of_the_first(make: Make) -> None:
    result = _result(make())
    np.testing.assert_allclose(result["shift_pair"], [0.25, 0.1, 1], rtol=1e-3)
    assert list(result["shift_pair_flag"].values) == ["", "", ""]
    assert result["shift_pair"].attrs["definition"] == "ic50 of both over that of drug"
    assert result["shift_pair"].attrs["doses"] == "10 nM to 100 uM"


def test_equal_numbers_shift_nothing_at_all(make: Make) -> None:
    result = _result(make())
    assert list(result["shift_sham"].values) == [1.0, 1.0, 1.0]
    assert float(result["shift_pair"].sel(perturbation="weaker")) == 1.0


def test_what_the_partner_does_alone_is_no_shift(make: Make) -> None:
    result = _result(make(("id: partners", "set: {kill: 0.6}\nid: partners")))
    np.testing.assert_allclose(result["shift_pair"], [0.25, 0.1, 1], rtol=1e-3)


def test_a_shift_is_no_number_where_a_dose_of_half_lies_beyond_the_ladder(make: Make) -> None:
    above = _result(make((LADDER, "0.01 uM, 0.1 uM, 0.8 uM"), ("dose: 1 uM", "dose: 0.8 uM")))
    low = _result(make((LADDER, "0.5 uM, 1 uM, 10 uM")))
    found = {"drug: not reached up to 800 nM": above, "both: below the lowest dose (500 nM)": low}
    for flag, result in found.items():
        here = result.sel(perturbation="none")
        assert np.isnan(here["shift_pair"])
        assert here["shift_pair_flag"].item() == flag
    assert float(low["shift_pair"].sel(perturbation="weaker")) == 1.0


def test_an_arm_without_the_dose_has_no_dose_of_half(make: Make) -> None:
    result = _result(make())
    for arm in ("control", "partner"):
        assert np.isposinf(result["ic50"].sel(arm=arm)).all()
        assert set(result["ic50_flag"].sel(arm=arm).values) == {"not reached up to 100 uM"}
        assert set(result["ec50_flag"].sel(arm=arm).values) == {"no effect"}


def test_an_arm_without_the_dose_is_run_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(load_scenario(make()))
    firsts = {first_alike(plan.scenario, plan.axes, run.place) for run in plan.runs}
    assert len(plan.runs) == 3 * 4 * 6
    assert len(firsts) == 3 * (2 * 6 + 2)
    assert first_alike(plan.scenario, plan.axes, (2, 2, 5)) == (2, 2, 0)
    assert first_alike(plan.scenario, plan.axes, (2, 1, 5)) == (2, 1, 5)
    engine, runs = choose_engine("auto"), []

    class Counting:
        name = engine.name

        def compile(self, sbml: str) -> Counting:
            self.simulator = engine.compile(sbml)
            return self

        def run(self, *given: object) -> np.ndarray:
            runs.append(given)
            return self.simulator.run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk, "choose_engine", lambda name: Counting())
    values, _ = simulation.run_plan(plan, "auto", simulation.Tolerances())
    assert len(runs) == len(firsts)
    assert (values[:, 2] == values[:, 2, :1]).all()


def test_two_ladders_may_stand_in_one_arm_each(make: Make) -> None:
    path = make(
        ("{at: 0 h, set: {b: 1}}", "{at: 0 h, label: press, dose: E, to: 1 uM}"),
        ("zero: true}", "zero: true}, dose2: {of: press, values: [1 uM, 2 uM]}"),
        (", shift: ic50, claim: T-C1", ""), ("  - abs(none.shift_pair", "  - abs(0.25"),
    )  # fmt: skip
    dataset = simulate(load_scenario(path))
    left = dataset["left"].sel(arm="drug", perturbation="none")
    np.testing.assert_array_equal(left.isel(dose2=0), left.isel(dose2=1))


def test_claims_stand_beside_the_numbers_and_stay_with_a_stored_result(
    make: Make, tmp_path: Path
) -> None:
    write_result(simulate(load_scenario(make())), tmp_path / "stored.nc")
    (tmp_path / "toy" / "claims.yaml").unlink()
    result = evaluate(read_result(tmp_path / "stored.nc"))
    for name in ("bliss_pair", "hsa_pair", "shift_pair"):
        attrs = result[name].attrs
        assert [attrs[key] for key in ("claim", "says", "verdict")] == [
            "T-C1", "Very High", "contested",
        ]  # fmt: skip
    assert result["bliss_sham"].attrs["verdict"] == "unsupported"
    assert "says" not in result["bliss_sham"].attrs
    assert "claim" not in result["bliss_plain"].attrs


def test_expectations_use_a_shift_by_name(make: Make) -> None:
    path = make()
    assert all(line.passed for line in check_expectations(_result(path), load_scenario(path)))


PAIR = "together: both, shift: ic50, claim: T-C1"
FAULTS = [
    ((PAIR, PAIR.replace("ic50", "ic5")), "pair.shift: unknown endpoint 'ic5': did you mean 'ic50'"),
    ((PAIR, PAIR.replace("ic50", "share")), "'share' is no dose of half: take ic50 or ec50"),
    (("ic50, at: 1 h}", "ic50, at: 1 h, arm: drug}"), "'ic50' is of one arm only: leave its arm out"),
    (("single: [drug, partner], " + PAIR, "single: [partner, drug], " + PAIR),
     "combinations.pair.shift: the arm 'partner' has no step 'pulse', whose doses shift"),
    (("design: {dose", "#design: {dose"), "pair.shift: a shift needs a dose ladder under design"),
    (("claim: T-C1", "claim: T-C3"), "combinations.pair.claim: unknown claim 'T-C3' of model toy: did"),
    (("  share:", "  shift_pair_flag: {expr: '1'}\n  share:"),
     "'shift_pair_flag' is the name of an endpoint or rule already"),
    (("of: pulse", "of: puls"), "no dose of any arm is labelled 'puls': did you mean 'pulse'"),
    (("both: [{at: 0 h, label: pulse,", "both: [{at: 0 h, label: puls,"), "has no step 'pulse'"),
]  # fmt: skip


@pytest.mark.parametrize(("swap", "message"), FAULTS)
def test_a_fault_is_one_line_with_its_place(
    make: Make, swap: tuple[str, str], message: str
) -> None:
    [error] = check_file(str(make(swap))).errors
    assert message in error


def test_an_arm_with_the_same_dose_under_another_label_is_refused(make: Make) -> None:
    path = make(
        ("both: [{at: 0 h, label: pulse,", "both: [{at: 0 h, label: puls,"),
        (", shift: ic50, claim: T-C1", ""),
    )
    with pytest.raises(ScenarioError, match=r"the arm 'both' has D too, but not under the label"):
        make_plan(load_scenario(path))


def test_a_model_without_claims_says_so(make: Make) -> None:
    path = make()
    (path.parent / "toy" / "claims.yaml").unlink()
    with pytest.raises(ScenarioError, match=r"unknown claim 'T-C1' .*which has no claims.yaml"):
        make_plan(load_scenario(path))


def test_run_prints_a_table_for_each_perturbation_with_a_line_for_each_combination(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")  # wide enough for one table
    path = str(make())
    assert main(["run", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Combinations")] == [
        f"Combinations with drug: {name}" for name in ("none", "stronger", "weaker")
    ]  # fmt: skip
    first = [line.split("  ") for line in lines[lines.index("Combinations with drug: none") :]]
    [pair] = [line for line in first if "pair" in line][:1]
    assert [cell.strip() for cell in pair if cell.strip()] == [
        "pair", "partner", "x0.25", "+0.300", "+0.300", "Very High", "contested",
    ]  # fmt: skip
    assert "Documents and verdicts: T-C1, T-C2; show --claims, with the model's name." in lines


def test_one_combination_is_a_table_of_perturbations(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(make(("  sham:", "#"), ("  plain:", "#"), ("  - none.shift_sham == 1\n", "")))
    assert main(["run", path, "--set", "K=500 uM"]) == 3
    text = capsys.readouterr().out
    assert "pair: drug + partner" in text
    assert "Combinations" not in text
    assert "pair (none): no shift, drug: not reached up to 100 uM." in text


def test_json_has_the_shift_the_document_and_the_verdict(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", str(make()), "--json"])
    found = json.loads(capsys.readouterr().out)["combinations"]
    pair = found["pair"]
    said = {key: pair[key] for key in ("shift", "claim", "says", "verdict", "single", "note")}
    assert said == {
        "shift": "ic50", "claim": "T-C1", "says": "Very High", "verdict": "contested",
        "single": ["drug", "partner"], "note": "",
    }  # fmt: skip
    shift = pair["perturbations"]["none"]["shift"]
    assert (shift["value"], shift["flag"]) == (pytest.approx(0.25, rel=1e-3), "")
    assert "shift" not in found["plain"]["perturbations"]["none"]
    assert (found["plain"]["shift"], found["plain"]["says"]) == (None, "")
