"""Specific activities from absorbance: closed forms, the blank, what is flagged and refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import myelode
from myelode.cli import main
from myelode.errors import MyelodeError, ScenarioError
from myelode.figures import scenario_figure
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import make_plan
from myelode.results import read_result, replay, write_result
from myelode.scenario import Scenario, scenario_from_text
from myelode.simulation import simulate
from tests.toys import WELL, swapped

TEXT = """\
id: plate
title: an enzyme in a well
model: {model}
perturbations: [none, {{slow: {{scale: {{turnover: 0.1}}}}}}]
arms:
  no_lysate: [{{at: 0 min, dose: peptide, to: 1000 uM}}]
  lysate:
    - {{at: 0 min, dose: peptide, to: 1000 uM}}
    - {{at: 0 min, set: {{lysate_protein: 20 ug}}}}
observe: {{until: 40 min, outputs: [yellow]}}
assays:
  reader:
    of: yellow
    absorbance: {{coefficient: 9900 L/(mol*cm), path_length: 0.30 cm, blank: 0.08}}
activities:
  cutting:
    of: reader
    until: 30 min
    protein: lysate_protein
    volume: 100 uL
    blank: no_lysate
    substrate: peptide
    classes: [{{label: high, above: 0.12}}, {{label: low, below: 0.05}}]
endpoints:
  share: {{expr: cutting / none.lysate.cutting}}
rules:
  verdict: [{{label: fast, if: "cutting_class == 'high' and cutting_flag == ''"}}, {{label: other}}]
expect:
  - none.lysate.verdict == 'fast'
  - slow.lysate.cutting_class == 'low'
  - slow.lysate.share < 0.2
"""
LAW = "{coefficient: 9900 L/(mol*cm), path_length: 0.30 cm, blank: 0.08}"
PRODUCT = 1000 * (1 - math.exp(-0.05 * 0.02 * 30))  # umol/L after 30 min
OF_READINGS = ("cutting", "cutting_noiseless", "cutting_od", "cutting_flag", "cutting_class")
Swaps = tuple[str, str]
Make = Callable[..., Scenario]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("activities") / "well.ant"
    path.write_text(WELL, "utf-8")
    return path


@pytest.fixture(scope="module")
def plate(model_file: Path) -> Make:
    """The scenario with pieces of it replaced."""

    def make(*swaps: Swaps) -> Scenario:
        return scenario_from_text(swapped(TEXT.format(model=model_file), swaps), "f")

    return make


def _evaluated(scenario: Scenario) -> xr.Dataset:
    return evaluate(simulate(scenario))


def _one(result: xr.Dataset, name: str, **place: str) -> float | str:
    found: float | str = result[name].sel({"perturbation": "none", "arm": "lysate", **place}).item()
    return found


def test_an_activity_is_product_per_minute_and_protein(plate: Make) -> None:
    result = _evaluated(plate())
    nmol = PRODUCT * 100e-6 * 1e3  # umol/L in 100 uL
    assert _one(result, "cutting") == pytest.approx(nmol / 30 / 0.02, rel=1e-6)
    optical = 9900 * 0.30 * PRODUCT * 1e-6
    assert _one(result, "cutting_od") == pytest.approx(optical / 30 / 0.02, rel=1e-6)
    assert _one(result, "cutting_noiseless") == _one(result, "cutting")
    assert result["cutting"].dims == ("perturbation", "arm")
    assert result["cutting"].attrs == {"long_name": "cutting", "units": "nmol/min/mg"}
    assert result["cutting_od"].attrs["units"] == "OD/mg/min"


def test_endpoints_rules_and_expectations_use_activities(plate: Make) -> None:
    scenario = plate()
    result = _evaluated(scenario)
    assert all(item.passed for item in check_expectations(result, scenario))
    assert scenario_figure(simulate(scenario), result).axes


def test_the_arm_of_the_blank_has_no_activity(plate: Make) -> None:
    result = _evaluated(plate()).sel(arm="no_lysate")
    assert np.isnan(result["cutting"]).all()
    assert np.isnan(result["cutting_noiseless"]).all()
    assert (result["cutting_class"] == "").all()
    assert (result["cutting_flag"] == "").all()


def test_without_a_blank_an_arm_is_its_own(plate: Make) -> None:
    own = ("    blank: no_lysate\n", "    from: 10 min\n"), ("  no_lysate: ", "  spare: ")
    lysate = "[{at: 0 min, dose: peptide, to: 1000 uM}]"
    with_protein = lysate.replace("}]", "}, {at: 0 min, set: {lysate_protein: 0.02 mg}}]")
    result = _evaluated(plate(*own, (f"spare: {lysate}", f"spare: {with_protein}")))
    made = PRODUCT - 1000 * (1 - math.exp(-0.05 * 0.02 * 10))
    assert _one(result, "cutting") == pytest.approx(made * 0.1 / 20 / 0.02, rel=1e-6)
    assert _one(result, "cutting") == _one(result, "cutting", arm="spare")


def test_a_scenario_without_arms_has_activities_too(plate: Make) -> None:
    scenario = plate(
        (
            "arms:\n  no_lysate: [{at: 0 min, dose: peptide, to: 1000 uM}]\n  lysate:\n",
            "regimen:\n",
        ),
        ("    blank: no_lysate\n", ""),
        ("none.lysate.cutting", "none.cutting"),
        ("none.lysate.verdict", "none.verdict"),
        ("slow.lysate.cutting_class", "slow.cutting_class"),
        ("slow.lysate.share", "slow.share"),
    )
    result = _evaluated(scenario)
    assert result["cutting"].dims == ("perturbation",)
    assert all(item.passed for item in check_expectations(result, scenario))


def test_a_diluted_sample_has_the_same_activity(plate: Make) -> None:
    diluted = _evaluated(plate(("of: yellow\n", "of: yellow\n    dilution: 4\n")))
    plain = _evaluated(plate())
    for name in ("cutting", "cutting_od"):
        assert _one(diluted, name) == pytest.approx(_one(plain, name), rel=1e-9)


def test_protein_and_volume_may_be_quantities_or_outputs(plate: Make) -> None:
    plain = _one(_evaluated(plate()), "cutting")
    stated = plate(("protein: lysate_protein", "protein: 0.02 mg"), ("100 uL", "well"))
    assert _one(_evaluated(stated), "cutting") == pytest.approx(plain, rel=1e-9)


def test_classes_may_be_in_another_unit_and_leave_a_gap(plate: Make) -> None:
    mixed = (
        "{label: high, above: 0.12}, {label: low, below: 0.05}",
        "{label: strong, above: 0.006 umol/min/mg}, "
        "{label: fair, above: 4 nmol/min/mg, below: 0.17 OD/mg/min}",
    )
    result = _evaluated(plate(mixed))
    assert _one(result, "cutting_class") == "fair"
    assert _one(result, "cutting_class", perturbation="slow") == "indeterminate"


@pytest.mark.parametrize(
    ("swap", "flag"),
    [
        (("20 ug", "460 ug"), "50 % of the substrate used: not linear"),
        (("protein: lysate_protein", "protein: 1 mg\n    most_used: 0.02\n    highest: 0.1"),
         "3 % of the substrate used: not linear; absorbance 0.168 above 0.1"),
        (("20 ug", "80 ug"), "11 % of the substrate used: not linear"),
        (("blank: 0.08", "blank: 1.95"), "absorbance 2.04 above 2"),
        (("to: 1000 uM}\n    -", "to: 0 uM}\n    -"), "not above the blank; no substrate"),
        (("    of: yellow", "    upper_limit: 0.12\n    of: yellow"),
         "absorbance 0.12, the most that the reader shows"),
        (("substrate: peptide", "substrate: peptide\n    most_used: 0.01"), "3 % of the substrate"),
    ],
)  # fmt: skip
def test_what_makes_a_number_doubtful_is_said(plate: Make, swap: Swaps, flag: str) -> None:
    result = _evaluated(plate(swap))
    assert str(_one(result, "cutting_flag")).startswith(flag)
    assert _one(_evaluated(plate()), "cutting_flag") == ""


NOISE = ("    of: yellow", "    sd: 0.004\n    cv: 0.02\n    replicates: 3\n    of: yellow")


def test_noise_stays_beside_the_truth(plate: Make) -> None:
    result, clean = _evaluated(plate(NOISE)), _evaluated(plate())
    assert _one(result, "cutting_noiseless") == _one(clean, "cutting")
    assert _one(result, "cutting") != _one(clean, "cutting")
    assert _one(result, "cutting") == pytest.approx(_one(clean, "cutting"), rel=0.3)
    np.testing.assert_array_equal(result["cutting"], _evaluated(plate(NOISE))["cutting"])


STILL = ("turnover: 0.1", "turnover: 0")
BLANK_DOSE = "no_lysate: [{at: 0 min, dose: peptide, to: 1000 uM}]"


def _coloured(product: str) -> Swaps:
    """A blank that has product already."""
    return BLANK_DOSE, f"no_lysate: [{{at: 0 min, dose: yellow, to: {product}}}]"


def test_a_blank_within_the_noise_gives_zero(plate: Make) -> None:
    found = _evaluated(plate(NOISE, STILL, _coloured("2 uM"))).sel(arm="lysate")
    slow = found.sel(perturbation="slow")
    assert slow["cutting"] == slow["cutting_od"] == slow["cutting_noiseless"] == 0
    assert slow["cutting_flag"] == "not above the blank"
    assert slow["cutting_class"] == "low"
    assert found["cutting"].sel(perturbation="none") > 0


def test_a_blank_above_the_sample_is_refused_in_one_line(plate: Make) -> None:
    with pytest.raises(ScenarioError) as caught:
        _evaluated(plate(_coloured("111 uM"), NOISE))
    said = str(caught.value)
    assert "activities.cutting: the blank reads 0.4" in said
    assert "in arm 'lysate' (perturbation none): is it the blank of this plate" in said
    assert "\n" not in said


def test_among_many_samples_one_bad_blank_ends_only_its_own(plate: Make) -> None:
    rates = "[0.005 1/(min*mg), 0.05 1/(min*mg)]"
    many = ("observe:", f"design: {{cross: {{turnover: {rates}}}}}\nobserve:")
    result = _evaluated(plate(_coloured("20 uM"), many, ("none.lysate.cutting}", "cutting}")))
    found = result.sel(perturbation="none", arm="lysate")
    assert list(np.isnan(found["cutting"].values)) == [True, False]
    assert found["cutting_flag"].values[0] == "the blank reads 0.139, above the sample 0.0889"
    assert found["cutting_class"].values[0] == ""


def test_readings_are_no_part_of_a_stored_run(plate: Make, tmp_path: Path) -> None:
    dataset = simulate(plate())
    write_result(dataset, tmp_path / "run.nc")
    stored = read_result(tmp_path / "run.nc")
    assert replay(stored).passed
    np.testing.assert_array_equal(evaluate(stored)["cutting"], evaluate(dataset)["cutting"])


def test_run_shows_a_table_and_has_activities_in_its_json(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plate.yaml"
    path.write_text(TEXT.format(model=model_file), "utf-8")
    assert main(["run", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["activities"]["cutting"]
    assert [row["arm"] for row in found["rows"]] == ["lysate", "lysate"]
    assert [row["class"] for row in found["rows"]] == ["high", "low"]
    assert found["unit"] == "nmol/min/mg"
    assert main(["run", str(path)]) == 0
    shown = capsys.readouterr().out
    for text in ("OD/mg/min", "nmol/min/mg", "none, lysate", "high"):
        assert text in shown


@pytest.mark.parametrize(
    ("swap", "message"),
    [
        ((", path_length: 0.30 cm", ""),
         "assays.reader.absorbance: absorbance needs path_length: a 1 cm cuvette and 100 uL in a "
         "well of a 96-well plate, about 0.30 cm, differ 3.3-fold"),
        (("path_length: 0.30 cm", "path_length: 0 cm"), "path_length must be above 0, not 0 cm"),
        (("path_length: 0.30 cm", "path_length: 0.3"), "path_length needs a unit: write '0.3 cm'"),
        (("9900 L/(mol*cm)", "9900 L/mol"), "absorbance.coefficient: coefficient is in 'L/mol'"),
        (("9900 L/(mol*cm)", "-1 L/(mol*cm)"), "coefficient must be above 0"),
        (("of: yellow", "of: live_cells"),
         "'live_cells' is in 'dimensionless': absorbance needs a molar concentration"),
        (("of: yellow", "unit: OD\n    of: yellow"), "absorbance gives the signal and its unit: leave unit out"),
        (("of: yellow", "signal: 2 * x\n    of: yellow"), "leave signal out"),
        (("blank: 0.08", "blnk: 0.08"), "unknown key 'blnk': did you mean 'blank'"),
        ((f"absorbance: {LAW}", "unit: uM"), "the assay 'reader' reads no absorbance: give it absorbance"),
        (("of: reader", "of: readr"), "activities.cutting.of: no assay is called 'readr': did you mean 'reader'"),
        (("blank: no_lysate", "blank: no_lysat"), "activities.cutting.blank: unknown arm 'no_lysat': did you mean 'no_lysate'"),
        (("protein: lysate_protein", "protein: lysate_protien"), "activities.cutting.protein: unknown output 'lysate_protien'"),
        (("protein: lysate_protein", "protein: yellow"), "yellow is in 'umol/L', which cannot be converted to 'mg'"),
        (("protein: lysate_protein", "protein: 0 ug"), "protein must be above 0, not 0 ug"),
        (("volume: 100 uL", "volume: 100"), "activities.cutting.volume: volume needs a unit"),
        (("substrate: peptide", "substrate: peptid"), "activities.cutting.substrate: unknown output 'peptid'"),
        (("until: 30 min", "until: 50 min"), "the time 50 lies after the end of the run at 40"),
        (("    protein:", "    proteine: 1 mg\n    protein:"), "unknown key 'proteine': did you mean 'protein'"),
        (("below: 0.05", "below: 0.2"), "activities.cutting.classes: the classes 'high' and 'low' overlap"),
        (("below: 0.05", "below: 5 nmol/min/mg"), "the classes 'high' and 'low' overlap"),
        (("below: 0.05", "below: 5 nmol"), "activities.cutting.classes.1: below is in 'nmol'"),
        (("label: low, below: 0.05", "label: low"), "the class 'low' needs above, below or both"),
        (("below: 0.05", "below: 0.05, above: 0.06"), "the class 'low' is empty"),
        (("  share: {", "  cutting: {expr: 1 + 1}\n  share: {"), "'cutting' is the name of an endpoint, rule or input already"),
        (("  verdict: [{", "  cutting_class: [{"), "'cutting_class' is the name of an endpoint, rule or input already"),
        (("  cutting:\n", "  reader:\n"), "'reader' is what the assay 'reader' gives already"),
    ],
)  # fmt: skip
def test_an_activity_without_meaning_is_refused(plate: Make, swap: Swaps, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        make_plan(plate(swap))
    assert message in str(caught.value)
    assert str(caught.value).startswith("f:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("swap", "message"),
    [
        (("    - {at: 0 min, set: {lysate_protein: 20 ug}}\n", ""),
         "there is no protein in arm 'lysate' (perturbation none): lysate_protein is 0 mg"),
        (("until: 30 min", "until: 30 min\n    from: 30 min"), "from 30 until 30 no time passes"),
    ],
)  # fmt: skip
def test_an_arm_that_cannot_be_read_is_refused(plate: Make, swap: Swaps, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        _evaluated(plate(swap))
    assert f"activities.cutting: {message}" in str(caught.value)


CUVETTE, WELL_100 = "1 cm", "0.30 cm"
NITROANILINE = "9900 L/(mol*cm)"
THRESHOLDS = [{"label": "high", "above": 0.5}, {"label": "low", "below": 0.1}]


@pytest.mark.parametrize(
    ("od", "path_length", "nmol"),
    [(0.5, CUVETTE, 5.05), (0.5, WELL_100, 16.8), (0.1, CUVETTE, 1.0), (0.1, WELL_100, 3.4)],
)
def test_the_same_absorbance_is_more_product_on_a_shorter_path(
    od: float, path_length: str, nmol: float
) -> None:
    found = myelode.specific_activity(od, 0, 1, "1 mg", path_length, coefficient=NITROANILINE)
    assert found.od_per_mg_min == od
    assert found.nmol_per_min_per_mg == pytest.approx(nmol, rel=0.012)


@pytest.mark.parametrize(
    ("od", "label"),
    [
        (0.51, "high"), (0.5 + 1e-15, "indeterminate"), (0.5, "indeterminate"),
        (0.3, "indeterminate"), (0.1, "indeterminate"), (0.09, "low"),
    ],
)  # fmt: skip
def test_what_lies_between_the_thresholds_is_indeterminate(od: float, label: str) -> None:
    found = myelode.specific_activity(od, 0, 1, "1 mg", CUVETTE, coefficient=NITROANILINE)
    assert found.classify(THRESHOLDS) == label
    assert found.classify([{"label": "all", "above": "0 nmol/min/mg"}]) == "all"
    with pytest.raises(MyelodeError, match="the classes overlap"):
        found.classify([{"label": "a", "above": 0}, {"label": "b", "above": 0.01}])


@given(st.floats(0, 3), st.floats(0.01, 1), st.floats(1, 500), st.floats(0.001, 10))
def test_an_activity_scales_with_its_readings(
    od: float, blank: float, minutes: float, milligrams: float
) -> None:
    found = myelode.specific_activity(
        od + blank, blank, f"{minutes:.6f} min", f"{milligrams:.6f} mg", "2.7 mm", "0.2 mL",
        coefficient=NITROANILINE,
    )  # fmt: skip
    scale = round(minutes, 6) * round(milligrams, 6)
    assert found.od_per_mg_min * scale == pytest.approx(od, abs=1e-12)
    product = od / (9900 * 0.27) * 0.2e-3 * 1e9
    assert found.nmol_per_min_per_mg * scale == pytest.approx(product, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path_length": None}, "absorbance needs path_length: a 1 cm cuvette"),
        ({"path_length": 1}, "path_length needs a unit: write '1 cm', not 1"),
        ({"protein": "0 ug"}, "protein must be above 0, not 0 ug"),
        ({"protein": "-1 ug"}, "protein must be above 0"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"blank": 0.41}, "the blank reads 0.41, above the sample 0.2"),
        ({"volume": "1 mol"}, "volume is in 'mol'"),
        ({"coefficient": "1 mol"}, "coefficient is in 'mol'"),
    ],
)
def test_readings_that_give_no_activity_are_refused(
    change: dict[str, object], message: str
) -> None:
    given_ = {
        "absorbance": 0.2, "blank": 0.1, "minutes": 30, "protein": "20 ug", "path_length": CUVETTE,
        "coefficient": NITROANILINE,
    }  # fmt: skip
    with pytest.raises(MyelodeError) as caught:
        myelode.specific_activity(**{**given_, **change})  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_blank_may_lie_above_the_sample_as_far_as_noise_can_put_it() -> None:
    readings = {"minutes": 30, "protein": "20 ug", "path_length": CUVETTE}
    found = myelode.specific_activity(
        0.10, 0.11, **readings, coefficient=NITROANILINE, sd=0.004  # type: ignore[arg-type]
    )  # fmt: skip
    assert found.nmol_per_min_per_mg == 0
    with pytest.raises(MyelodeError):
        myelode.specific_activity(
            0.10, 0.113, **readings, coefficient=NITROANILINE, sd=0.004  # type: ignore[arg-type]
        )  # fmt: skip
