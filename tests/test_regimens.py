"""Named regimens and doses in grams: whose compound they are, how long they go on, what is refused.

In the model of the tests a dose reaches the blood at once and leaves it at ``k_out``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.assumptions import STEP, influential_assumptions
from myelode.cli import main
from myelode.descriptions import describe_model, effective_values
from myelode.errors import ModelError, MyelodeError, ScenarioError
from myelode.model import load_model
from myelode.outcomes import evaluate
from myelode.plan import make_plan
from myelode.regimens.named import read_regimens
from myelode.results import read_result, replay, write_result
from myelode.scenario import Scenario, json_schema, load_scenario
from myelode.simulation import simulate

ANTIMONY = """
unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit nM = 1e-9 mole / litre;
unit kg_per_mole = 1000 gram / mole;
compartment blood = 2; blood has volume;
species S in blood, R in blood; S = 0; R = 0;
k_out = 0.5; k_out has per_hour; share_S = 0.75; share_S has dimensionless;
share_R = 0.25; share_R has dimensionless; mass = 0.2; mass has kg_per_mole;
out_S: S -> ; blood * k_out * S;
out_R: R -> ; blood * k_out * R;
drug := S + R; drug has nM;
"""
PARAMETER_HEADER = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange\tevidence\t"
    "read\tsource\tnote\n"
)
COMPOUND_HEADER = (
    "compound\tname\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\trange\tevidence\tread\t"
    "source\tnote\n"
)
PARAMETERS = "blood\t2\tL\tblood\tfixed\t\t\t\tassumed\tno\t\ta choice\n"
COMPOUNDS = """\
default: light
doses:
  pill: {S: share_S, R: share_R, molar_mass: mass}
  drops: {S: share_S, R: share_R}
compounds:
  light: {title: Light}
  light-S: {title: Light S, like: light, aliases: [LS]}
  heavy: {title: Heavy}
"""
ROWS = (
    ("light", "share_S", "0.75", "dimensionless"),
    ("light", "share_R", "0.25", "dimensionless"),
    ("light", "mass", "200", "g/mol"),
    ("light", "k_out", "0.5", "1/h"),
    ("light-S", "share_S", "1", "dimensionless"),
    ("light-S", "share_R", "0", "dimensionless"),
    ("heavy", "mass", "400", "g/mol"),
    ("heavy", "k_out", "0.25", "1/h"),
)
REGIMENS = """\
light_daily:
  title: Light, 2 mg a day for three of four days
  status: approved
  status_date: "2001-02-03"
  compound: light
  cycle: 4 d
  evidence: literature
  source: a label
  steps:
    - {at: 0 h, label: pill, dose: pill, amount: 2 mg, every: 24 h, times: 3}
heavy_once:
  title: Heavy, once
  status: investigational
  status_date: "2001"
  compound: heavy
  evidence: recalled
  steps:
    - {at: 1 h, label: pill, dose: pill, amount: 2 mg}
anything:
  title: What the model has, one dose
  status: historical
  status_date: "2001-02"
  evidence: assumed
  steps:
    - {at: 0 h, dose: drops, amount: 10 umol}
"""
SCENARIO = """\
id: toy
title: toy
model: {model}
{body}
observe: {{every: 1 h, until: {until}, outputs: [drug, S]}}
endpoints: {{peak: {{of: drug, take: max}}, end: {{of: drug, take: value, at: 1 h}}}}
"""
UMOL_PER_LITRE = 2e-3 / 200 * 1e9 / 2  # 2 mg of the light compound in 2 L, in nM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "toy"
    path.mkdir(parents=True)
    rest = "\t\tfixed\t\t\tassumed\tno\t\ta guess\n"
    files = {
        "toy.ant": ANTIMONY,
        "variants.yaml": "only: {title: Toy, parts: [toy.ant]}\n",
        "parameters.tsv": PARAMETER_HEADER + PARAMETERS,
        "compounds.tsv": COMPOUND_HEADER + "".join("\t".join(row) + rest for row in ROWS),
        "compounds.yaml": COMPOUNDS,
        "regimens.yaml": REGIMENS,
    }
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


Read = Callable[..., Scenario]


@pytest.fixture
def read(folder: Path) -> Read:
    def scenario(body: str, *settings: str, until: str = "6 h") -> Scenario:
        path = folder.parents[1] / "toy.yaml"
        path.write_text(
            SCENARIO.format(model="models/toy", body=body, until=until), encoding="utf-8"
        )
        return load_scenario(str(path), settings)

    return scenario


def _peaks(result: xr.Dataset) -> dict[str, float]:
    data = evaluate(result)["peak"].squeeze("perturbation")
    return {
        str(key): float(value) for key, value in zip(data["arm"].values, data.values, strict=True)
    }


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# ---------------------------------------------------------------- doses in grams


def test_a_dose_in_grams_is_divided_by_the_molar_mass_of_the_run(read: Read) -> None:
    body = "compounds: [light, light-S, heavy]\nregimen: [{at: 0 h, dose: pill, amount: 2 mg}]"
    peak = evaluate(simulate(read(body)))["peak"].squeeze()
    expected = [UMOL_PER_LITRE, UMOL_PER_LITRE, UMOL_PER_LITRE / 2]
    np.testing.assert_allclose(peak.values, expected, rtol=1e-12)


@pytest.mark.parametrize("amount", ["0.002 g", "2000 ug", "10 umol"])
def test_grams_and_moles_say_the_same(read: Read, amount: str) -> None:
    result = simulate(read(f"regimen: [{{at: 0 h, dose: pill, amount: {amount}}}]"))
    assert float(result["drug"].max()) == pytest.approx(UMOL_PER_LITRE, rel=1e-12)


def test_a_concentration_may_be_in_grams_too(read: Read) -> None:
    result = simulate(read("regimen: [{at: 0 h, dose: pill, to: 1 ug/L}]"))
    assert float(result["drug"].max()) == pytest.approx(5.0, rel=1e-12)


def test_the_molar_mass_that_a_scenario_sets_counts(read: Read) -> None:
    result = simulate(read("regimen: [{at: 0 h, dose: pill, amount: 2 mg}]", "mass=100 g/mol"))
    assert float(result["drug"].max()) == pytest.approx(2 * UMOL_PER_LITRE, rel=1e-12)


@pytest.mark.parametrize("size", ["amount: 2 mg", "rate: 1 mg/h"])
def test_an_infusion_in_grams_reaches_its_closed_form(read: Read, size: str) -> None:
    result = simulate(read(f"regimen: [{{at: 0 h, infuse: pill, {size}, over: 2 h}}]"))
    expected = UMOL_PER_LITRE / 2 / 0.5 * (1 - math.exp(-0.5 * 2))
    assert result["drug"].sel(time=2).item() == pytest.approx(expected, rel=1e-6)


def test_a_ladder_in_grams_has_an_axis_in_grams(read: Read) -> None:
    body = """
regimen: [{at: 0 h, label: pill, dose: pill, amount: 2 mg}]
design: {dose: {of: pill, values: [1 mg, 2000 ug, 4 mg]}}
"""
    result = simulate(read(body))
    assert result["dose"].attrs["units"] == "mg"
    np.testing.assert_allclose(result["dose"], [1, 2, 4], rtol=1e-12)
    expected = np.multiply(UMOL_PER_LITRE, [0.5, 1, 2])
    np.testing.assert_allclose(result["drug"].max("time").squeeze(), expected, rtol=1e-12)


def test_an_input_in_grams_is_converted(read: Read) -> None:
    scenario = read("regimen: [{at: 0 h, dose: pill, amount: found}]")
    run = make_plan(scenario, {"found": {"none": "2 mg"}}).runs[0].run
    sizes = [change.offset for change in run.timeline.instants[0].changes]
    assert math.fsum(sizes) == pytest.approx(UMOL_PER_LITRE)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("dose: drops, amount: 2 mg", "has no molar mass.*or dose pill, which has one"),
        ("dose: S, amount: 2 mg", "'S' is dosed in 'mg' but has no molar mass: write it in"),
        ("dose: pill, amount: 2 L", "cannot be converted"),
        ("dose: pill, amount: -2 mg", "is negative"),
        ("dose: pill, amount: 2 mgg", "not a known unit"),
    ],
)
def test_a_dose_that_cannot_be_converted_says_what_would_be_right(
    read: Read, step: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        make_plan(read(f"regimen: [{{at: 0 h, {step}}}]"))
    assert "\n" not in str(caught.value)


def test_a_molar_mass_of_nothing_is_refused(read: Read) -> None:
    with pytest.raises(ScenarioError, match="needs a mass above 0"):
        make_plan(read("regimen: [{at: 0 h, dose: pill, amount: 2 mg}]", "mass=0 g/mol"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("k_out", "1/h|cannot be converted"),
        ("masss", "in no variant of the model: did you mean 'mass'"),
        ("drug", "no constant"),
    ],
)
def test_a_molar_mass_is_a_constant_in_mass_per_substance(
    folder: Path, name: str, message: str
) -> None:
    _edit(folder / "compounds.yaml", "molar_mass: mass", f"molar_mass: {name}")
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_a_dose_is_more_than_its_molar_mass(folder: Path) -> None:
    _edit(
        folder / "compounds.yaml",
        "{S: share_S, R: share_R, molar_mass: mass}",
        "{molar_mass: mass}",
    )
    with pytest.raises(ModelError, match="maps species to their shares"):
        load_model(folder)


# ---------------------------------------------------------------- regimens with a name


def test_a_named_regimen_is_its_steps_and_its_compound(read: Read) -> None:
    scenario = read("regimen: heavy_once")
    assert (scenario.compound, scenario.regimens[""][0].amount) == ("heavy", "2 mg")
    result = simulate(scenario)
    assert float(result["drug"].max()) == pytest.approx(UMOL_PER_LITRE / 2, rel=1e-12)


@pytest.mark.parametrize(("until", "doses"), [("1 h", 1), ("4 d", 3), ("97 h", 4), ("10 d", 9)])
def test_cycles_follow_each_other_until_the_end(read: Read, until: str, doses: int) -> None:
    [planned] = make_plan(read("regimen: light_daily", until=until)).runs
    times = [instant.time for instant in planned.run.timeline.instants]
    days = (0, 1, 2, 4, 5, 6, 8, 9, 10)
    assert times == [24 * day for day in days][:doses]


def test_later_cycles_have_labels_of_their_own(read: Read) -> None:
    labels = make_plan(read("regimen: light_daily", until="10 d")).labels[""]
    assert labels == {"pill": 0, "pill_2": 96, "pill_3": 192}


def test_every_arm_has_the_compound_of_its_regimen(read: Read) -> None:
    body = "arms: {a: light_daily, b: heavy_once, c: [{at: 0 h, dose: pill, amount: 2 mg}]}"
    scenario = read(body)
    assert scenario.compound == {"a": "light", "b": "heavy", "c": "light"}
    result = simulate(scenario)
    assert _peaks(result) == pytest.approx(
        {"a": UMOL_PER_LITRE, "b": UMOL_PER_LITRE / 2, "c": UMOL_PER_LITRE}, rel=1e-12
    )
    assert result["drug"].sel(arm="b", time=2).item() == pytest.approx(
        UMOL_PER_LITRE / 2 * math.exp(-0.25), rel=1e-6
    )


def test_compounds_of_arms_may_be_written_out(read: Read) -> None:
    steps = "[{at: 0 h, dose: pill, amount: 2 mg}]"
    body = f"compound: {{a: light, b: heavy}}\narms: {{a: {steps}, b: {steps}}}"
    scenario = read(body)
    assert _peaks(simulate(scenario)) == pytest.approx(
        {"a": UMOL_PER_LITRE, "b": UMOL_PER_LITRE / 2}, rel=1e-12
    )
    assert {"none, a", "none, b"} == effective_values(scenario).keys()
    assert [row["name"] for row in effective_values(scenario)["none, b"]] == ["mass", "k_out"]


def test_the_influence_of_numbers_is_asked_of_the_compound_of_an_arm(
    read: Read, folder: Path
) -> None:
    table = folder / "compounds.tsv"
    for rate in ("0.5", "0.25"):
        _edit(table, f"\t{rate}\t1/h\t\tfixed", f"\t{rate}\t1/h\t\tlognormal(gsd=2)")
    arms = "arms: {a: heavy_once, b: light_daily}"
    for arm, hours, rate in (("a", 5, 0.25), ("b", 6, 0.5)):
        late = f"endpoints={{late: {{of: drug, take: value, at: 6 h, arm: {arm}}}}}"
        [found] = influential_assumptions(read(arms, late))
        assert found.parameter == "k_out"
        expected = -rate * hours * STEP / math.log(1 + STEP)
        assert found.elasticity == pytest.approx(expected, rel=1e-6)


def test_a_regimen_serves_its_compound_and_those_like_it(read: Read) -> None:
    scenario = read("compounds: [light, LS]\nregimen: light_daily")
    share = simulate(scenario)["S"] / simulate(scenario)["drug"]
    np.testing.assert_allclose(share.isel(time=1).squeeze(), [0.75, 1.0])


def test_a_regimen_without_a_compound_serves_any(read: Read) -> None:
    assert read("compound: heavy\nregimen: anything").compound == "heavy"
    assert read("regimen: anything").compound is None


def test_settings_name_a_regimen_or_reach_into_its_steps(read: Read) -> None:
    assert read("regimen: light_daily", "regimen=heavy_once").compound == "heavy"
    assert read("regimen: light_daily", "regimen.pill.amount=3 mg").regimens[""][0].amount == "3 mg"
    arms = read("arms: {a: light_daily}", "arms.a=heavy_once", "arms.a.pill.at=2 h").regimens
    assert (arms["a"][0].at, arms["a"][0].amount) == ("2 h", "2 mg")


def test_a_result_keeps_steps_and_compounds_and_comes_again(read: Read, tmp_path: Path) -> None:
    result = simulate(read("arms: {a: light_daily, b: heavy_once}"))
    said = json.loads(result.attrs["scenario"])
    assert said["compound"] == {"a": "light", "b": "heavy"}
    assert said["arms"]["b"][0]["amount"] == "2 mg"
    write_result(result, tmp_path / "result.nc")
    assert replay(tmp_path / "result.nc").passed
    xr.testing.assert_equal(
        evaluate(read_result(tmp_path / "result.nc"))["peak"], evaluate(result)["peak"]
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "regimen: light_dayly",
            r"toy.yaml:4: regimen: unknown regimen .*did you mean 'light_daily'",
        ),
        ("arms: {a: light_dayly}", r"toy.yaml:4: arms.a: unknown regimen"),
        (
            "compound: heavy\nregimen: light_daily",
            "regimen of light, not of heavy: write its steps",
        ),
        ("compounds: [light, heavy]\nregimen: light_daily", "regimen of light, not of heavy"),
        ("compound: heavvy\nregimen: light_daily", "unknown compound 'heavvy'"),
        ("compound: {a: light}\nregimen: anything", "a compound for each arm names every arm"),
        ("compound: {a: light}\narms: {a: anything, b: anything}", "names every arm, and no other"),
        ("compound: {a: heavvy}\narms: {a: anything}", r"compound: unknown compound .*'heavy'"),
        ("regimen: 5", "toy.yaml:4: regimen: Input should be a valid list"),
    ],
)
def test_names_that_do_not_fit_are_refused(read: Read, body: str, message: str) -> None:
    with pytest.raises(MyelodeError, match=message) as caught:
        make_plan(read(body))
    assert "\n" not in str(caught.value)


def test_a_model_without_regimens_says_so(read: Read, folder: Path) -> None:
    (folder / "regimens.yaml").unlink()
    with pytest.raises(ScenarioError, match=r"model toy has no regimens.yaml, so no 'light_daily'"):
        read("regimen: light_daily")


def test_a_regimen_of_another_variant_is_refused(read: Read, folder: Path) -> None:
    (folder / "variants.yaml").write_text(
        "only: {title: Toy, parts: [toy.ant], default: true}\nother: {title: O, parts: [toy.ant]}\n"
    )
    _edit(
        folder / "regimens.yaml", "  compound: heavy\n", "  compound: heavy\n  variants: [other]\n"
    )
    with pytest.raises(ScenarioError, match="'heavy_once' needs variant: other, not only"):
        read("regimen: heavy_once")
    assert read("variant: other\nregimen: heavy_once").compound == "heavy"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  status: approved\n", "", "'status' is missing"),
        ("status: approved", "status: aproved", "none of .*did you mean 'approved'"),
        ('status_date: "2001-02-03"', "status_date: soon", "is a date such as"),
        ("evidence: literature", "evidence: heard", "'heard' is none of"),
        ("  source: a label", "  sauce: a label", "unknown key 'sauce'.*'source'"),
        ("every: 24 h, times: 3", "times: 3", "times needs every"),
        ("every: 24 h, times: 3", "every: 24 h, times: 5", "leaves the cycle of 4 d"),
        ("cycle: 4 d", "cycle: 4 mg", "cannot be converted"),
        ("at: 0 h, label: pill", "at: other + 1 h, label: pill", "is not a quantity"),
    ],
)
def test_faults_of_the_file_have_a_line(folder: Path, old: str, new: str, message: str) -> None:
    _edit(folder / "regimens.yaml", old, new)
    with pytest.raises(ModelError, match=r"regimens\.yaml:\d+: light_daily.*" + message) as caught:
        read_regimens(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dose: pill, amount: 2 mg}", "dose: pil, amount: 2 mg}", "unknown species 'pil'.*'pill'"),
        ("compound: heavy", "compound: heavvy", "unknown compound 'heavvy'.*'heavy'"),
        ("dose: drops, amount: 10 umol", "dose: drops, amount: 10 mg", "no molar mass"),
        ("compound: heavy", "compound: heavy\n  variants: [onyl]", "no variant 'onyl'.*'only'"),
    ],
)
def test_check_compiles_every_regimen(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    assert main(["check", str(folder)]) == 0
    capsys.readouterr()
    _edit(folder / "regimens.yaml", old, new)
    assert main(["check", str(folder), "--json"]) == 2
    [error] = json.loads(capsys.readouterr().out)["files"][0]["errors"]
    assert "regimens.yaml:" in error
    assert re.search(message, error)


def test_show_lists_regimens_with_their_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = describe_model(load_model(folder))["regimens"]
    assert [item["name"] for item in described] == ["light_daily", "heavy_once", "anything"]
    assert json.loads(json.dumps(described))[1]["status"] == "investigational"
    assert main(["show", str(folder)]) == 0
    assert "approved (2001-02-03)" in capsys.readouterr().out


def test_the_schema_takes_names_for_steps() -> None:
    schema = json_schema()["properties"]["regimen"]
    assert {"type": "string"} in schema["anyOf"]
