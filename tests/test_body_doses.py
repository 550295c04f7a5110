"""Doses by body size and in grams: what is written comes to the same number of moles.

The model of the tests clears a drug from plasma at a rate of its own, in nmol and litres; the
molar mass is 150 kg/mol, so that 1 mg is 20/3 nmol.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ModelError, MyelodeError, ScenarioError
from myelode.files import parse_yaml
from myelode.model import load_model
from myelode.plan import make_plan
from myelode.regimens.named import check_regimens
from myelode.scenario import build_scenario
from myelode.simulation import simulate
from myelode.units import factor, is_per, to_unit

from .toys import write_files

UNITS = """
unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit nM = 1e-9 mole / litre;
unit kg_per_mole = 1e3 gram / mole; unit kg = 1e3 gram; unit m2 = 1 metre^2;
"""
BODY = f"""
{UNITS}
compartment plasma = 3; plasma has volume;
species drug in plasma; drug = 0;
k = 0.1; k has per_hour; MW = 150; MW has kg_per_mole; spike = 0; spike has nM;
loss: drug -> ; plasma * k * drug;
"""
WEIGHT = "WT = 75; WT has kg; BSA = 2; BSA has m2; WT_copy := WT; WT_copy has kg;\n"
ROWS = """\
plasma	3	L
k	0.1	1/h
MW	150	kg/mol
spike	0	nM
WT	75	kg
BSA	2	m^2
"""
HEADER = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange\tevidence\t"
    "read\tsource\tnote\n"
)
COMPOUNDS = """\
default: one
doses:
  drug_iv: {drug: 1, molar_mass: MW, body_weight: WT, body_surface: BSA}
  drug_flat: {drug: 1, molar_mass: MW}
molar_masses: {drug: MW, spike: MW}
compounds: {one: {title: One}}
"""
REGIMEN = """\
three: {{title: t, status: approved, status_date: '2026-01-01', evidence: assumed,
  variants: [patient], steps: [{{at: 0 h, label: first, infuse: drug_iv, amount: {amount}, over: 30 min,
  every: 21 d, times: 3}}]}}
"""
TABLE = HEADER + "".join(
    f"{row}\ta meaning\tfixed\t\t\t\tassumed\tno\t\ta guess\n" for row in ROWS.splitlines()
)
FILES = {
    "variants.yaml": (
        "patient: {parts: [body.ant, weight.ant], default: true}\nwell: {parts: [body.ant]}\n"
    ),
    "body.ant": BODY,
    "weight.ant": WEIGHT,
    "parameters.tsv": TABLE,
    "compounds.yaml": COMPOUNDS,
    "perturbations.yaml": "obese: {title: t, set: {WT: 150 kg}}\nspiked: {set: {spike: 15 ug/mL}}\n",
    "cell_lines.yaml": "small: {title: t, set: {WT: 50 kg}}\n",
    "regimens.yaml": REGIMEN.format(amount="2.5 mg/kg"),
}
SCENARIO = """\
id: toy
title: toy
model: {model}
regimen: {steps}
observe: {{every: 1 h, until: 2 h, outputs: [drug]}}
"""
Peaks = Callable[..., np.ndarray]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "toy", FILES)


@pytest.fixture
def amounts(folder: Path) -> Peaks:
    """The nmol that the first bolus of each run gives."""

    def dosed(step: str, more: str = "", *settings: str) -> np.ndarray:
        text = SCENARIO.format(model=folder, steps=f"[{{at: 0 h, label: pulse, {step}}}]") + more
        plan = make_plan(build_scenario(parse_yaml(text, "toy.yaml"), settings))
        changes = [planned.run.timeline.instants[0].changes[0] for planned in plan.runs]
        return np.array([change.offset * 3 for change in changes])

    return dosed


@pytest.mark.parametrize(
    ("size", "nmol"),
    [
        ("amount: 2 mg/kg", 1000.0),
        ("amount: 2 mg*kg^-1", 1000.0),
        ("amount: 2000 ug/kg", 1000.0),
        ("amount: 2 g/kg", 1e6),
        ("amount: 20 nmol/kg", 1500.0),
        ("amount: 75 mg/m^2", 1000.0),
        ("amount: 75 mg/m**2", 1000.0),
        ("amount: 10 nmol/m^2", 20.0),
        ("to: 15 ug/mL", 300.0),
        ("add: 1500 ng/mL", 30.0),
        ("to: 100 nM", 300.0),
    ],
)
def test_a_size_is_the_same_dose_however_it_is_written(
    amounts: Peaks, size: str, nmol: float
) -> None:
    assert amounts(f"dose: drug_iv, {size}") == pytest.approx([nmol], rel=1e-12)


@given(st.floats(0.01, 100), st.floats(10, 200))
def test_mass_per_mass_keeps_its_meaning(number: float, weight: float) -> None:
    assert to_unit(f"{number!r} mg/kg", "ug/g") == pytest.approx(number, rel=1e-12)
    for unit in ("dimensionless", "percent", ""):
        with pytest.raises(ScenarioError, match="cannot be converted"):
            to_unit(f"{weight!r} mg/kg", unit)


def test_a_share_is_no_dose_per_weight() -> None:
    for value in (2, "2", "2 %"):
        with pytest.raises(ScenarioError):
            to_unit(value, "mg/kg")
    assert is_per("mg/kg/h", "kg")
    assert not is_per("mg", "kg")
    assert not is_per("g/mol", "kg")
    assert not is_per("percent", "kg")
    assert factor("mg/kg", "mg/kg") == 1


@pytest.mark.parametrize(
    ("more", "settings", "weights"),
    [
        ("", (), [75]),
        ("set: {WT: 60 kg}\n", (), [60]),
        ("", ("WT=90 kg",), [90]),
        ("cell_line: small\n", (), [50]),
        ("cell_line: small\nperturbations: [none, obese]\n", (), [50, 150]),
        ("design: {cross: {WT: [40 kg, 80 kg]}}\n", (), [40, 80]),
        ("perturbations: [none, obese]\n", ("final.WT=100 kg",), [100, 100]),
    ],
)
def test_the_body_is_that_of_the_run(
    amounts: Peaks, more: str, settings: tuple[str, ...], weights: list[float]
) -> None:
    found = amounts("dose: drug_iv, amount: 3 mg/kg", more, *settings)
    assert found == pytest.approx([weight * 20 for weight in weights], rel=1e-12)


def test_a_ladder_may_run_over_a_dose_by_weight(amounts: Peaks, folder: Path) -> None:
    more = "design: {dose: {of: pulse, values: [1 mg/kg, 2.5 mg/kg], zero: true}}\n"
    assert amounts("dose: drug_iv, amount: 1 mg/kg", more) == pytest.approx([0, 500, 1250])
    step = "{at: 0 h, label: pulse, infuse: drug_iv, amount: 1 mg/kg, over: 1 h}"
    text = SCENARIO.format(model=folder, steps=f"[{step}]") + more
    result = simulate(build_scenario(parse_yaml(text, "toy.yaml")))
    assert result["dose"].attrs["units"] == "mg/kg"
    assert list(result["dose"].values) == [0, 1, 2.5]
    reached = result["drug"].sel(time=1).squeeze()
    assert reached.values == pytest.approx(
        np.array([0, 500, 1250]) / 3 * (1 - np.exp(-0.1)) / 0.1, rel=1e-5
    )


def test_a_ladder_may_run_over_a_concentration_in_grams(amounts: Peaks) -> None:
    more = "design: {dose: {of: pulse, from: 1 ug/mL, to: 100 ug/mL, points: 3}}\n"
    assert amounts("dose: drug_flat, to: 1 ug/mL", more) == pytest.approx([20, 200, 2000])
    assert amounts("dose: drug, to: 1 ug/mL", more) == pytest.approx([20, 200, 2000])


@pytest.mark.parametrize("values", ["[1, 2]", "[1 %, 2 %]", "[1 mg, 2 mg]"])
def test_a_ladder_by_weight_has_doses_by_weight(amounts: Peaks, values: str) -> None:
    more = f"design: {{dose: {{of: pulse, values: {values}}}}}\n"
    with pytest.raises(ScenarioError, match=r"toy.yaml:6: design.dose: a dose "):
        amounts("dose: drug_iv, amount: 1 mg/kg", more)


def test_an_infusion_by_weight_has_a_rate_by_weight_too(folder: Path) -> None:
    steps = "[{{at: 0 h, label: pulse, infuse: drug_iv, {}}}]"
    for size in ("amount: 2 mg/kg, over: 30 min", "rate: 4 mg/kg/h, over: 30 min",
                 "amount: 2 mg/kg, rate: 4 mg/kg/h", "rate: 40 nmol/kg/h, over: 20 min"):  # fmt: skip
        text = SCENARIO.format(model=folder, steps=steps.format(size))
        plan = make_plan(build_scenario(parse_yaml(text, "toy.yaml")))
        start = plan.runs[0].run.timeline.instants[0]
        rate = 3000.0 if "nmol" in size else 2000.0
        assert start.changes[0].offset == pytest.approx(rate, rel=1e-12)


def test_a_steady_state_by_weight_is_that_of_the_same_moles(folder: Path) -> None:
    found = []
    for size in ("2 mg/kg", "1000 nmol"):
        steps = f"[{{at: 0 h, dose: drug_iv, amount: {size}, every: 12 h, steady_state: true}}]"
        text = SCENARIO.format(model=folder, steps=steps) + "set: {WT: 75 kg}\n"
        found.append(simulate(build_scenario(parse_yaml(text, "toy.yaml")))["drug"].values)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("size", ["150 mg", "1000 nmol", "1 umol"])
def test_a_total_dose_is_for_a_body_that_the_scenario_states(amounts: Peaks, size: str) -> None:
    with pytest.raises(
        ScenarioError,
        match=r"toy.yaml:4: regimen.0: step 'pulse': a total dose needs the body weight it is "
        r"for: set WT, or write the dose in mg/kg",
    ):
        amounts(f"dose: drug_iv, amount: {size}")
    stated = "set: {WT: 75 kg}\n"
    assert amounts(f"dose: drug_iv, amount: {size}", stated) == pytest.approx([1000], rel=1e-12)
    assert amounts(f"dose: drug_flat, amount: {size}") == pytest.approx([1000], rel=1e-12)


def test_nothing_is_nothing_for_every_body(amounts: Peaks) -> None:
    assert amounts("dose: drug_iv, amount: 0 mg") == pytest.approx([0])


@pytest.mark.parametrize(
    ("step", "more", "message"),
    [
        (
            "dose: drug_flat, amount: 2 mg/kg",
            "",
            "step 'pulse': '2 mg/kg' is per body weight, but 'drug_flat' of model toy (variant "
            "patient) has no body weight: give an amount, or dose drug_iv, which has one",
        ),
        (
            "dose: drug_iv, amount: 2 mg/kg",
            "variant: well\n",
            "step 'pulse': '2 mg/kg' is per body weight, but 'drug_iv' of model toy (variant "
            "well) has no body weight: give an amount",
        ),
        ("infuse: drug, amount: 2 mg/m^2, over: 1 h", "", "is per body surface, but 'drug' of"),
        ("dose: drug_iv, amount: 2 mg/kg", "set: {WT: 0 kg}\n", "needs a WT above 0"),
        ("dose: drug_iv, amount: 2 mg/kg", "set: {MW: 0 kg/mol}\n", "needs a MW above 0"),
        ("dose: drug_iv, amount: -2 mg/kg", "", "the dose '-2 mg/kg' is negative"),
        ("dose: drug_iv, amount: 2 %", "", "cannot be converted to 'nmol'"),
        ("dose: drug_iv, amount: 2", "", "needs a unit"),
        ("dose: drug_iv, to: 2 mg/kg", "", "cannot be converted to 'nmol/L'"),
        ("dose: drug_iv, amount: 2 kg/kg", "", "cannot be converted to 'nmol'"),
    ],
)  # fmt: skip
def test_what_is_no_dose_is_one_line(amounts: Peaks, step: str, more: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        amounts(step, more)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fresh_medium_and_settings_may_be_in_grams(folder: Path) -> None:
    steps = (
        "[{at: 0 h, dose: drug, to: 1 nM}, {at: 1 h, renew: plasma, fresh: {drug: 15 ug/mL}}, "
        "{at: 1 h, set: {spike: 3 ug/mL}}]"
    )
    text = SCENARIO.format(model=folder, steps=steps)
    plan = make_plan(build_scenario(parse_yaml(text, "toy.yaml")))
    changes = {c.target: c.offset for c in plan.runs[0].run.timeline.instants[1].changes}
    assert changes == pytest.approx({"drug": 100, "spike": 20})


@pytest.mark.parametrize(
    "more",
    [
        "set: {spike: 15 ug/mL}\n",
        "final: {spike: 15000 ng/mL}\n",
        "perturbations: [spiked]\nreference: spiked\n",
        "design: {zip: {spike: [15 mg/L]}}\n",
    ],
)
def test_a_value_with_a_molar_mass_may_be_set_in_grams(folder: Path, more: str) -> None:
    text = SCENARIO.format(model=folder, steps="[]") + more
    plan = make_plan(build_scenario(parse_yaml(text, "toy.yaml")))
    assert plan.runs[-1].effective.changes["spike"] == pytest.approx(100, rel=1e-12)


def test_grams_of_what_has_no_molar_mass_are_an_error(folder: Path) -> None:
    (folder / "compounds.yaml").write_text(COMPOUNDS.replace("spike: MW", ""), "utf-8")
    (folder / "perturbations.yaml").unlink()
    text = SCENARIO.format(model=folder, steps="[]") + "set: {spike: 15 ug/mL}\n"
    with pytest.raises(ScenarioError, match=r"set.spike: 'spike' is in 'ug/mL' but has no molar"):
        make_plan(build_scenario(parse_yaml(text, "toy.yaml")))


def test_a_molar_mass_that_differs_between_compounds_serves_doses_only(
    folder: Path, amounts: Peaks
) -> None:
    compounds = COMPOUNDS.replace("{one: {title: One}}", "{one: {title: One}, two: {title: Two}}")
    (folder / "compounds.yaml").write_text(compounds, "utf-8")
    header = "compound\t" + HEADER.replace("between_lines\t", "")
    row = "\tMW\t{}\tkg/mol\ta mass\tfixed\t\t\tassumed\tno\t\ta guess\n"
    rows = "one" + row.format(150) + "two" + row.format(75)
    (folder / "compounds.tsv").write_text(header + rows, "utf-8")
    table = "".join(line for line in TABLE.splitlines(True) if not line.startswith("MW"))
    (folder / "parameters.tsv").write_text(table, "utf-8")
    (folder / "perturbations.yaml").unlink()
    both = "compounds: [one, two]\n"
    assert amounts("dose: drug_iv, amount: 2 mg/kg", both) == pytest.approx([1000, 2000])
    with pytest.raises(ScenarioError, match="MW differs between compounds: write moles"):
        amounts("dose: drug_iv, amount: 2 mg/kg", "set: {spike: 1 ug/mL}\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("body_weight: WT", "body_weight: TW", "doses.drug_iv.body_weight: 'TW' is in no variant"),
        ("body_weight: WT", "body_weight: MW", "doses.drug_iv.body_weight: MW is in 'kg'"),
        ("body_surface: BSA", "body_surface: WT", "doses.drug_iv.body_surface: WT is in 'm^2'"),
        ("body_weight: WT", "body_weight: WT_copy", "'WT_copy' is no constant of the model"),
        ("body_weight: WT", "body_weight: 75", ":3: doses.drug_iv.body_weight: must be a text"),
        ("{drug: 1, molar_mass: MW}", "{drug: 2, molar_mass: MW}", "a share lies between 0 and 1"),
        ("{drug: 1, molar_mass: MW}", "{drug: 0.5, molar_mass: MW}", "sum to 0.5, not 1"),
        ("{drug: 1, molar_mass: MW}", "{drug: true, molar_mass: MW}", "must be a text"),
        ("{drug: 1, molar_mass: MW}", "{molar_mass: MW}", "maps species to their shares"),
        ("spike: MW", "spyke: MW", "molar_masses.spyke: 'spyke' is in no variant of the model"),
        ("spike: MW", "spike: k", "molar_masses.spike: k is in 'g/mol'"),
        ("molar_masses:", "molar_mass:", "unknown key 'molar_mass': did you mean 'molar_masses'"),
    ],
)  # fmt: skip
def test_a_fault_in_the_names_has_its_place(folder: Path, old: str, new: str, message: str) -> None:
    assert old in COMPOUNDS
    (folder / "compounds.yaml").write_text(COMPOUNDS.replace(old, new, 1), "utf-8")
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("amount", ["2.5 mg/kg", "150 mg"])
def test_a_regimen_with_a_name_may_be_by_weight(folder: Path, amount: str) -> None:
    (folder / "regimens.yaml").write_text(REGIMEN.format(amount=amount), "utf-8")
    check_regimens(load_model(folder))
    text = SCENARIO.format(model=folder, steps="three") + "set: {WT: 60 kg}\n"
    plan = make_plan(build_scenario(parse_yaml(text, "toy.yaml")))
    [change] = plan.runs[0].run.timeline.instants[0].changes
    assert change.offset == pytest.approx(2000)


def test_a_regimen_by_weight_needs_a_weight(folder: Path) -> None:
    text = REGIMEN.format(amount="2 mg/kg").replace("[patient]", "[well]")
    (folder / "regimens.yaml").write_text(text, "utf-8")
    with pytest.raises(MyelodeError, match="no body weight"):
        check_regimens(load_model(folder, "well"))


def test_a_dose_by_surface_alone_asks_for_the_surface(folder: Path, amounts: Peaks) -> None:
    compounds = COMPOUNDS.replace("body_weight: WT, ", "")
    (folder / "compounds.yaml").write_text(compounds, "utf-8")
    with pytest.raises(ScenarioError, match=r"body surface it is for: set BSA, .* in mg/m\^2"):
        amounts("dose: drug_iv, amount: 150 mg")
    assert amounts("dose: drug_iv, amount: 150 mg", "set: {BSA: 2 m^2}\n") == pytest.approx([1000])
