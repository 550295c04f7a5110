"""Compounds: whose numbers hold, how a dose is shared, the axis of compounds, and what is refused.

The model of the tests decays each of two forms at its own rate, so that everything has a closed
form: ``S(t) = share_S * dose * exp(-k_S * t)``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.assumptions import influential_assumptions
from myelode.cli import main
from myelode.descriptions import describe_model, describe_scenario, effective_values
from myelode.errors import ModelError, MyelodeError, ScenarioError
from myelode.exports.selection import exported_runs, reference_plan
from myelode.figures.story import page_of
from myelode.files import parse_yaml
from myelode.model import load_model
from myelode.outcomes import check_expectations, evaluate, evaluate_scenario
from myelode.plan import Plan, make_plan
from myelode.regimens.steps import Context
from myelode.results import read_result, replay, write_result
from myelode.scenario import Scenario, build_scenario
from myelode.simulation import simulate

UNITS = """
  unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit nM = 1e-9 mole / litre;
"""
FORM = f"""
module form(medium, k)
{UNITS}
  species A in medium; A = 0;
  loss: A -> ; medium * k * A;
end
"""
DISH = f"""
{UNITS}
compartment medium = 2; medium has volume;
k_S = 0.5; k_S has per_hour; k_R = 0.25; k_R has per_hour; k_X = 1; k_X has per_hour;
share_S = 0.75; share_S has dimensionless; share_R = 0.25; share_R has dimensionless;
S: form(medium, k_S);
R: form(medium, k_R);
X: form(medium, k_X);
"""
BOUND = """
k_hook = 2; k_hook has per_hour;
T: form(medium, k_hook);
"""
PARAMETERS = """\
medium	2	L	volume of the medium	fixed				assumed	no		a choice
k_X	1	1/h	loss of the partner	lognormal(cv=0.5)				assumed	no		a guess
"""
PARAMETER_HEADER = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange\tevidence\t"
    "read\tsource\tnote\n"
)
HEADER = (
    "compound\tname\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\trange\tevidence\tread\t"
    "source\tnote\n"
)
COMPOUNDS = """\
default: basic
doses:
  drug: {S_A: share_S, R_A: share_R}
partner: {k_X: k_S}
compounds:
  basic: {title: Basic, racemate, kind: glue}
  S-basic: {title: S-basic, like: basic}
  fast: {title: Fast, kind: glue, aliases: [FA-1]}
  faster: {title: Faster, like: fast}
  hook: {title: Hook, kind: degrader, variants: [bound], needs: binds a target of its own}
  ester: {title: Ester, refused: it is a reagent and no drug, aliases: [E1]}
""".replace("Basic, racemate", "'Basic, racemate'")
ROWS = """\
basic	k_S	0.5	1/h	loss of S	lognormal(cv=0.5)			assumed	no		a guess
basic	k_R	0.25	1/h	loss of R	lognormal(cv=0.5)			measured	read	somebody 2001
basic	share_S	0.75	dimensionless	share of S	fixed			derived	no	definition
basic	share_R	0.25	dimensionless	share of R	fixed			derived	no	definition
S-basic	share_S	1	dimensionless		fixed			derived	no	definition
S-basic	share_R	0	dimensionless		fixed			derived	no	definition
fast	k_S	60	1/min		lognormal(cv=0.5)			measured	read	somebody 2001
fast	k_R	4	1/h		lognormal(cv=0.5)			measured	read	somebody 2001
faster	k_R	8	1/h		lognormal(cv=0.5)			measured	read	somebody 2001
hook	k_hook	3	1/h	loss of T	lognormal(cv=0.5)			measured	read	somebody 2001
"""
ROWS = ROWS.replace("fast\tk_S\t60\t1/min", "fast\tk_S\t0.05\t1/min")
BOUND_ROW = "k_hook\t2\t1/h\tloss of T\tlognormal(cv=0.5)\t\t\t\tassumed\tno\t\ta guess\n"
FILES = {
    "variants.yaml": (
        "dish: {title: Two forms, parts: [form.ant, dish.ant], default: true}\n"
        "bound: {title: With a target, parts: [form.ant, dish.ant, bound.ant]}\n"
    ),
    "form.ant": FORM,
    "dish.ant": DISH,
    "bound.ant": BOUND,
    "parameters.tsv": PARAMETER_HEADER + PARAMETERS + BOUND_ROW,
    "compounds.tsv": HEADER + ROWS,
    "compounds.yaml": COMPOUNDS,
    "cell_lines.yaml": "line: {title: a line, set: {k_R: 5 1/h}, scale: {k_S: 2}}\n",
    "perturbations.yaml": "half: {title: half the loss, scale: {k_S: 0.5}}\n",
}
SCENARIO = """\
id: toy
title: two forms
model: {model}
regimen: [{{at: 0 h, label: pulse, dose: drug, to: 100 nM}}]
observe: {{every: 1 h, until: 2 h, outputs: [S_A, R_A, X_A]}}
endpoints:
  left: {{of: S_A, take: value, at: 2 h}}
  other: {{of: R_A, take: value, at: 2 h}}
"""
MakesFolder = Callable[..., Path]
Makes = Callable[..., Scenario]


@pytest.fixture
def folder(tmp_path: Path) -> MakesFolder:
    """Writes the folder of the model, with other files in place of its own."""

    def make(**files: str) -> Path:
        path = tmp_path / "toy"
        path.mkdir(exist_ok=True)
        for name, text in FILES.items():
            (path / name).write_text(files.get(name.replace(".", "_"), text), "utf-8")
        return path

    return make


@pytest.fixture
def scenario(folder: MakesFolder) -> Makes:
    """Makes the scenario with further lines, or with others in their place."""
    model = folder()

    def make(*lines: str, settings: tuple[str, ...] = ()) -> Scenario:
        base = parse_yaml(SCENARIO.format(model=model), "f").data
        for line in lines:
            base |= parse_yaml(line, "f").data
        return build_scenario(parse_yaml(json.dumps(base), "f"), settings)

    return make


def _plan(scenario: Scenario, **overrides: float) -> Plan:
    return make_plan(
        scenario, overrides={key.replace("__", "."): v for key, v in overrides.items()}
    )


def _changes(scenario: Scenario, **overrides: float) -> dict[str, float]:
    """What the first run differs in from the model."""
    return dict(_plan(scenario, **overrides).runs[0].run.changes)


def _left(k: float, dose: float, hours: float = 2.0) -> float:
    return dose * math.exp(-k * hours)


# Composition


def test_what_stands_in_no_module_is_the_model_and_has_a_clean_name(folder: MakesFolder) -> None:
    assert load_model(str(folder())).description.id == "toy_dish"
    assert load_model(str(folder()), "bound").description.id == "toy_bound"
    assert "__main" not in load_model(str(folder())).sbml


def test_a_value_in_two_parts_is_an_error(folder: MakesFolder) -> None:
    path = folder(bound_ant=BOUND + "k_S = 3\n")
    with pytest.raises(ModelError, match=r"bound.ant:4: 'k_S' has a value already, on line \d+ of"):
        load_model(str(path), "bound")


# The tables


def test_the_rows_of_the_default_compound_are_rows_of_the_model(folder: MakesFolder) -> None:
    model = load_model(str(folder()))
    assert model.parameters["k_S"].meaning == "loss of S"
    assert model.compounds.items["fast"].rows["k_R"].meaning == "loss of R"
    assert set(model.compounds.rows("faster")) == {"k_S", "k_R"}
    assert model.compounds.rows("faster")["k_R"].value == 8


def test_a_row_of_another_variant_is_left_out(folder: MakesFolder) -> None:
    assert load_model(str(folder())).compounds.items["hook"].rows == {}
    bound = load_model(str(folder()), "bound")
    assert bound.compounds.items["hook"].rows["k_hook"].value == 3
    assert bound.parameters["k_hook"].value == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("basic\tk_S\t0.5", "basic\tk_S\t0.6", r"tsv:2: k_S = 0.6 1/h, but 0.5"),
        ("fast\tk_R", "fast\tk_RR", r"tsv:9: 'k_RR' is in no variant of the model: did you mean"),
        ("faster\tk_R", "fasster\tk_R", r"tsv:10: compounds.yaml has no compound 'fasster': did"),
        ("faster\tk_R", "fast\tk_R", r"tsv:10: fast has two rows for 'k_R'"),
        ("fast\tk_R\t4\t1/h", "fast\tk_R\t4\tnM", r"tsv:9: k_R is in 'nM', which cannot be"),
        ("fast\tk_R\t4", "fast\tS_A\t4", r"tsv:9: 'S_A' is no constant of the model"),
        ("S-basic\tshare_S\t1\t", "S-basic\tshare_S\t0.9\t", r"of S-basic sum to 0.9, not 1"),
        ("basic\tk_R\t0.25", "fast\tk_R\t0.25", r"two rows"),
    ],
)
def test_a_fault_in_the_table_has_its_line(
    folder: MakesFolder, old: str, new: str, message: str
) -> None:
    path = folder(compounds_tsv=HEADER + ROWS.replace(old, new, 1))
    with pytest.raises(ModelError, match=message):
        load_model(str(path))


def test_a_constant_that_only_other_compounds_fill_needs_a_row(folder: MakesFolder) -> None:
    kept = [row for row in ROWS.splitlines(keepends=True) if not row.startswith("basic\tk_R")]
    with pytest.raises(ModelError, match="no row for 'k_R'"):
        load_model(str(folder(compounds_tsv=HEADER + "".join(kept))))


def test_a_number_stands_in_one_table_only(folder: MakesFolder) -> None:
    row = "k_S\t0.5\t1/h\tloss\tfixed\t\t\t\tassumed\tno\t\ta guess\n"
    path = folder(parameters_tsv=FILES["parameters.tsv"] + row)
    with pytest.raises(ModelError, match=r"compounds.tsv:2: 'k_S' has a row in parameters.tsv"):
        load_model(str(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("default: basic", "default: hook", "names a compound that every variant can use"),
        ("default: basic", "default: basis", "names a compound that every variant can use"),
        ("like: fast", "like: fasst", "like: unknown compound 'fasst': did you mean 'fast'"),
        ("like: fast", "like: faster", "faster is like faster"),
        ("variants: [bound]", "variants: [bond]", "no variant 'bond': did you mean 'bound'"),
        ("aliases: [FA-1]", "aliases: [hook]", "'hook' is a name already"),
        ("aliases: [FA-1]", "alias: [FA-1]", "unknown key 'alias': did you mean 'aliases'"),
        ("drug: {S_A", "drug: {S_B", "doses.drug: 'S_B' is in no variant"),
        ("drug: {S_A", "k_X: {S_A", "doses.k_X: the model has a 'k_X' of its own"),
        ("drug: {S_A", "drug: {k_S", "doses.drug: 'k_S' is no species"),
        ("partner: {k_X: k_S}", "partner: {k_X: medium}", "'medium' is no constant"),
        ("partner: {k_X: k_S}", "partner: {k_X: share_S}", "partner.k_X: k_X is in"),
        ("hook: {title: Hook,", "hook: {", "a compound has a title"),
        ("  hook:", "  a+b:", "'a[+]b' is no name for a compound"),
        ("doses:", "dosis:", "unknown key 'dosis': did you mean 'doses'"),
    ],
)
def test_a_fault_in_the_names_has_its_place(
    folder: MakesFolder, old: str, new: str, message: str
) -> None:
    path = folder(compounds_yaml=COMPOUNDS.replace(old, new, 1))
    with pytest.raises(ModelError, match=message):
        load_model(str(path), "bound")


def test_a_table_without_names_is_an_error(folder: MakesFolder) -> None:
    path = folder()
    (path / "compounds.yaml").unlink()
    with pytest.raises(
        ModelError, match="compounds.tsv: its compounds are named in compounds.yaml"
    ):
        load_model(str(path))


# Which values hold


def test_without_a_compound_the_values_of_the_model_stand(scenario: Makes) -> None:
    assert _changes(scenario()) == {}
    assert _changes(scenario("compound: basic")) == {}


def test_a_compound_sets_its_own_rows_in_the_units_of_the_model(scenario: Makes) -> None:
    assert _changes(scenario("compound: fast")) == pytest.approx({"k_S": 3, "k_R": 4})
    assert _changes(scenario("compound: FA-1")) == pytest.approx({"k_S": 3, "k_R": 4})


def test_a_compound_is_like_another_but_for_its_own_rows(scenario: Makes) -> None:
    assert _changes(scenario("compound: faster")) == pytest.approx({"k_S": 3, "k_R": 8})
    assert _changes(scenario("compound: S-basic")) == {"share_S": 1, "share_R": 0}


def test_a_setting_names_a_compound_like_any_key(scenario: Makes) -> None:
    assert _changes(scenario(settings=("compound=faster",)))["k_R"] == 8


def test_a_partner_fills_the_names_of_the_second_compound(scenario: Makes) -> None:
    assert _changes(scenario("partner: fast")) == pytest.approx({"k_X": 3})
    assert _changes(scenario("partner: basic")) == pytest.approx({"k_X": 0.5})
    both = _changes(scenario("partner: basic", "compound: fast"))
    assert both == pytest.approx({"k_S": 3, "k_R": 4, "k_X": 0.5})


def test_every_layer_stands_above_the_compound(scenario: Makes) -> None:
    compound = "compound: fast"
    assert _changes(scenario(compound, "cell_line: line"))["k_S"] == pytest.approx(6)
    assert _changes(scenario(compound, "cell_line: line"))["k_R"] == 5
    assert _changes(scenario(compound, "set: {k_R: 7 1/h}", "cell_line: line"))["k_R"] == 7
    halved = scenario(compound, "perturbations: [half]")
    assert _changes(halved)["k_S"] == pytest.approx(1.5)
    assert _changes(scenario(compound, "final: {k_S: 9 1/h}", "perturbations: [half]"))["k_S"] == 9


def test_the_effective_values_name_the_compound(scenario: Makes) -> None:
    plain = effective_values(scenario("compound: fast", "partner: basic"))
    assert {row["name"]: row["set_by"] for row in plain["none"]} == {
        "k_S": ["compound fast: = 3"], "k_R": ["compound fast: = 4"],
        "k_X": ["partner basic: = 0.5"],
    }  # fmt: skip
    listed = effective_values(scenario("compounds: [basic, fast]", "perturbations: [none, half]"))
    assert list(listed) == ["none, basic", "none, fast", "half, basic", "half, fast"]
    [row, _] = listed["half, fast"]
    assert row["set_by"] == ["compound fast: = 3", "perturbation half: x 0.5"]


# Overrides


def test_an_override_replaces_a_value_in_its_own_layer(scenario: Makes) -> None:
    assert _changes(scenario(), k_S=2) == {"k_S": 2}
    assert _changes(scenario("perturbations: [half]"), k_S=2) == {"k_S": 1}
    assert _changes(scenario("compound: fast"), k_S=2)["k_S"] == pytest.approx(3)
    assert _changes(scenario("compound: fast"), k_X=2)["k_X"] == 2
    assert _changes(scenario("cell_line: line"), k_S=2, k_R=2) == {"k_S": 4, "k_R": 5}


def test_an_override_of_a_compound_reaches_those_like_it(scenario: Makes) -> None:
    assert _changes(scenario(), basic__k_S=2) == {"k_S": 2}
    assert _changes(scenario("compound: S-basic"), basic__k_S=2)["k_S"] == 2
    assert _changes(scenario("compound: faster"), fast__k_S=2)["k_S"] == 2
    assert _changes(scenario("compound: faster"), fast__k_R=2)["k_R"] == 8
    assert _changes(scenario("compound: fast"), basic__k_S=2)["k_S"] == pytest.approx(3)
    assert _changes(scenario("partner: fast"), fast__k_S=2) == {"k_X": 2}
    assert _changes(scenario("compound: fast"), fast__k_X=2)["k_X"] == 2


def test_an_override_of_a_line_replaces_what_the_line_sets(scenario: Makes) -> None:
    found = make_plan(scenario("cell_line: line"), overrides={"line:k_R": 1, "line:k_S": 9})
    assert dict(found.runs[0].run.changes) == {"k_R": 1, "k_S": 9}
    assert dict(make_plan(scenario(), overrides={"line:k_R": 1}).runs[0].run.changes) == {}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("k_SS", "unknown name 'k_SS'"),
        ("fasst.k_S", "unknown compound 'fasst': did you mean 'fast'"),
        ("lina:k_S", "unknown cell line 'lina': did you mean 'line'"),
        ("fast.S_loss", "'S_loss' is computed"),
    ],
)
def test_an_override_of_nothing_is_an_error(scenario: Makes, key: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        make_plan(scenario(), overrides={key: 1.0})


def test_an_override_of_another_variant_is_left_out(scenario: Makes) -> None:
    assert _changes(scenario(), k_hook=5, hook__k_hook=5) == {}


# Doses by share


@pytest.mark.parametrize(
    ("step", "s", "r"),
    [
        ("{at: 0 h, dose: drug, to: 100 nM}", 75, 25),
        ("{at: 0 h, dose: drug, add: 0.1 uM}", 75, 25),
        ("{at: 0 h, dose: drug, amount: 200 nmol}", 75, 25),
        ("{at: 0 h, dose: drug, amount: 400 nmol, bioavailability: 0.5}", 75, 25),
    ],
)
def test_a_dose_is_shared(scenario: Makes, step: str, s: float, r: float) -> None:
    found = simulate(scenario(f"regimen: [{step}]"))
    at_start = found.isel(perturbation=0, time=0)
    assert float(at_start["S_A"]) == pytest.approx(s)
    assert float(at_start["R_A"]) == pytest.approx(r)


def test_a_shared_dose_follows_the_closed_form(scenario: Makes) -> None:
    found = evaluate(simulate(scenario())).isel(perturbation=0)
    assert float(found["left"]) == pytest.approx(_left(0.5, 75), rel=1e-6)
    assert float(found["other"]) == pytest.approx(_left(0.25, 25), rel=1e-6)


def test_a_share_of_nothing_brings_its_species_to_zero(scenario: Makes) -> None:
    found = simulate(scenario("compound: S-basic", "set: {R_A: 9 nM}"))
    first = found.isel(perturbation=0).sel(time=0)
    assert (float(first["S_A"]), float(first["R_A"])) == (100, 0)


def test_an_infusion_is_shared(scenario: Makes) -> None:
    regimen = "regimen: [{at: 0 h, infuse: drug, rate: 40 nmol/h, over: 2 h}]"
    found = evaluate(simulate(scenario(regimen))).isel(perturbation=0)
    for name, k, rate in (("left", 0.5, 15), ("other", 0.25, 5)):
        assert float(found[name]) == pytest.approx(rate / k * (1 - math.exp(-2 * k)), rel=1e-6)


def test_a_constant_infusion_of_both_reaches_its_steady_state(scenario: Makes) -> None:
    regimen = "regimen: [{at: 0 h, infuse: drug, rate: 40 nmol/h, steady_state: true}]"
    found = simulate(scenario(regimen)).isel(perturbation=0, time=0)
    assert float(found["S_A"]) == pytest.approx(30, rel=1e-6)
    assert float(found["R_A"]) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize(
    "verb",
    ["dose: drug, add: 100 nM", "infuse: drug, amount: 200 nmol, over: 1e-4 h"],
)
def test_doses_since_ever_reach_their_steady_state(scenario: Makes, verb: str) -> None:
    regimen = f"regimen: [{{at: 1 h, {verb}, every: 4 h, steady_state: true}}]"
    found = evaluate(simulate(scenario(regimen))).isel(perturbation=0)
    for name, k, dose in (("left", 0.5, 75), ("other", 0.25, 25)):
        due = dose * math.exp(-k) / (1 - math.exp(-4 * k))
        assert float(found[name]) == pytest.approx(due, rel=1e-3)


def test_a_ladder_runs_over_shared_doses(scenario: Makes) -> None:
    made = scenario("design: {dose: {of: pulse, values: [10 nM, 1 uM], zero: true}}")
    found = evaluate(simulate(made)).isel(perturbation=0)
    assert found["dose"].values == pytest.approx([0, 10, 1000])
    assert found["dose"].attrs["units"] == "nmol/L"
    assert found["left"].values == pytest.approx([0, _left(0.5, 7.5), _left(0.5, 750)], rel=1e-6)


def test_shares_that_do_not_sum_to_one_are_an_error(scenario: Makes) -> None:
    with pytest.raises(ScenarioError, match="shares of a dose sum to 1, not share_S = 0.5, share"):
        make_plan(scenario("set: {share_S: 0.5}"))


def test_a_species_may_still_be_dosed_alone(scenario: Makes) -> None:
    found = simulate(scenario("regimen: [{at: 0 h, dose: R_A, to: 8 nM}]")).isel(perturbation=0)
    assert float(found["R_A"].sel(time=0)) == 8
    assert float(found["S_A"].sel(time=0)) == 0


# The axis of compounds

AXIS = "compounds: [basic, S-basic, fast]"
TWO = "perturbations: [none, half]"
ARMS = (
    "arms: {one: [{at: 0 h, label: pulse, dose: drug, to: 100 nM}],"
    " two: [{at: 0 h, label: pulse, dose: drug, to: 200 nM}]}"
)


def test_compounds_are_an_axis_behind_the_perturbations(scenario: Makes) -> None:
    found = simulate(scenario(AXIS, TWO, ARMS, "regimen: null"))
    assert found["S_A"].dims == ("perturbation", "compound", "arm", "time")
    assert list(found["compound"].values) == ["basic", "S-basic", "fast"]


def test_every_run_of_the_axis_follows_the_closed_form(scenario: Makes) -> None:
    found = evaluate(simulate(scenario(AXIS, TWO, ARMS, "regimen: null")))
    for perturbation, scale in (("none", 1.0), ("half", 0.5)):
        for compound, k, share in (("basic", 0.5, 0.75), ("S-basic", 0.5, 1.0), ("fast", 3, 0.75)):
            for arm, dose in (("one", 100), ("two", 200)):
                place = {"perturbation": perturbation, "compound": compound, "arm": arm}
                due = _left(k * scale, share * dose)
                assert float(found["left"].sel(place)) == pytest.approx(due, rel=1e-5)


def test_one_compound_in_a_list_gives_the_values_of_that_compound_alone(scenario: Makes) -> None:
    alone = simulate(scenario("compound: fast"))
    listed = simulate(scenario("compounds: [fast]")).isel(compound=0)
    assert np.array_equal(alone["S_A"].values, listed["S_A"].values)


def test_expressions_name_perturbation_compound_and_arm(scenario: Makes) -> None:
    lines = [
        "expect: [none.S_basic.one.left > none.basic.one.left, none.fast.two.left < 1,"
        " reference.basic.two.left == none.basic.two.left, half.fast.one.early == 75]",
        "endpoints: {left: {of: S_A, take: value, at: 2 h},"
        " early: {of: S_A, take: value, at: 0 h}, of_fast: {of: S_A, take: value, at: 2 h,"
        " compound: fast}, ratio: {expr: left / none.basic.left},"
        " of_arm: {expr: left / none.one.left}}",
    ]
    made = scenario(AXIS, TWO, ARMS, "regimen: null", *lines)
    result = evaluate(simulate(made))
    assert all(line.passed for line in check_expectations(result, made))
    assert result["of_fast"].dims == ("perturbation", "arm")
    assert result["left"].dims == ("perturbation", "compound", "arm")
    here = result.sel(perturbation="none", compound="fast", arm="two")
    basic = result["left"].sel(perturbation="none", compound="basic", arm="two")
    assert float(here["ratio"]) == pytest.approx(float(here["left"]) / float(basic))
    assert float(here["of_arm"]) == pytest.approx(2)


def test_the_fold_compares_within_one_compound(scenario: Makes) -> None:
    made = scenario(AXIS, TWO, "outcome: {of: left, resistant_if: fold > 2}")
    result = evaluate(simulate(made))
    assert result["fold"].dims == ("perturbation", "compound")
    folds = result["fold"].sel(perturbation="half").values
    assert folds == pytest.approx([math.exp(0.5), math.exp(0.5), math.exp(3)], rel=1e-4)
    assert list(result["outcome"].sel(perturbation="half").values) == [
        "sensitive", "sensitive", "resistant",
    ]  # fmt: skip


def test_an_input_goes_from_compound_to_compound(scenario: Makes, tmp_path: Path) -> None:
    source = SCENARIO.format(model=tmp_path / "toy") + "compounds: [basic, fast]\n"
    (tmp_path / "source.yaml").write_text(source)
    path = tmp_path / "source.yaml"
    lines = ["regimen: [{at: 0 h, dose: X_A, to: level}]", "compounds: [fast, basic]"]
    own = scenario(*lines, f"inputs: {{level: {{from: {path}, of: left}}}}")
    found = simulate(own).isel(perturbation=0).sel(time=0)["X_A"].values
    assert found == pytest.approx([_left(3, 75), _left(0.5, 75)], rel=1e-5)
    one = scenario(*lines, f"inputs: {{level: {{from: {path}, of: left, compound: basic}}}}")
    found = simulate(one).isel(perturbation=0).sel(time=0)["X_A"].values
    assert found == pytest.approx([_left(0.5, 75)] * 2, rel=1e-5)


# What is refused


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["compound: ester"], "compound: ester is not simulated: it is a reagent and no drug"),
        (["compound: E1"], "compound: ester is not simulated"),
        (["partner: ester"], "partner: ester is not simulated"),
        (["compounds: [basic, ester]"], "compounds.1: ester is not simulated"),
        (["regimen: [{at: 0 h, dose: ester, to: 1 nM}]"], "ester is not simulated"),
        (["regimen: [{at: 0 h, dose: E1, to: 1 nM}]"], "ester is not simulated"),
        (["regimen: [{at: 0 h, dose: fast, to: 1 nM}]"], "write compound: fast, and dose drug"),
        (["regimen: [{at: 0 h, dose: drugg, to: 1 nM}]"], "unknown species .* did you mean 'drug'"),
        (["compound: fasst"], "unknown compound 'fasst': did you mean 'fast'"),
        (["compound: hook"], "hook binds a target of its own: use variant bound"),
        (["compounds: [fast, FA-1]"], "compounds.1: 'fast' is listed twice"),
        (["compound: fast", "compounds: [fast]"], "one compound, or a list of compounds, not both"),
        (
            ["endpoints: {left: {of: S_A, take: max, compound: fast}}"],
            "'fast' is not among the compounds",
        ),
        (["endpoints: {compound: {of: S_A, take: max}}"], "a name that the result itself uses"),
    ],
)
def test_a_compound_that_cannot_be_used_is_an_error(
    scenario: Makes, lines: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        make_plan(scenario(*lines))


def test_a_compound_can_be_used_in_its_variant(scenario: Makes) -> None:
    found = _changes(scenario("compound: hook", "variant: bound"))
    assert found == {"k_hook": 3}


def test_a_model_without_compounds_has_none_to_name(tmp_path: Path) -> None:
    (tmp_path / "plain.ant").write_text("S = 1; S' = -S\n")
    text = f"id: a\ntitle: t\nmodel: {tmp_path / 'plain.ant'}\ncompound: x\n"
    made = build_scenario(parse_yaml(text + "observe: {until: 1, outputs: [S]}\n", "f"))
    with pytest.raises(ScenarioError, match="the model has no compounds, and so no 'x'"):
        make_plan(made)


# Evidence, replay, exports, figures, command line


def test_the_evidence_is_that_of_the_rows_that_are_used(scenario: Makes) -> None:
    basic, fast = simulate(scenario()), simulate(scenario("compound: fast"))
    # k_S assumed, k_R measured and k_X assumed; then both measured and k_X assumed.
    assert basic.attrs["assumed_share"] == pytest.approx(2 / 3)
    assert fast.attrs["assumed_share"] == pytest.approx(1 / 3)
    partnered = simulate(scenario("compound: fast", "partner: fast"))
    assert partnered.attrs["evidence"] == "measured"
    listed = simulate(scenario("compounds: [basic, fast]"))
    assert listed.attrs["assumed_share"] == pytest.approx(2 / 5)


def test_the_influence_of_assumptions_is_that_of_one_compound(scenario: Makes) -> None:
    [found] = influential_assumptions(scenario("compounds: [basic, fast]"))
    assert (found.parameter, found.endpoint) == ("k_S", "left")
    assert influential_assumptions(scenario("compound: fast")) == []


def test_a_result_with_compounds_comes_again(scenario: Makes, tmp_path: Path) -> None:
    dataset = simulate(scenario(AXIS, TWO))
    write_result(dataset, tmp_path / "r.nc")
    again = read_result(tmp_path / "r.nc")
    xr.testing.assert_identical(evaluate(dataset), evaluate(again))
    assert replay(tmp_path / "r.nc").max_difference == 0


def test_exported_runs_say_their_compound(scenario: Makes) -> None:
    plan = make_plan(scenario(AXIS))
    assert [run.label for run in exported_runs(plan)] == ["basic", "S-basic", "fast"]
    assert reference_plan(scenario(AXIS, TWO)).runs[0].place == (0, 0)


def _page(made: Scenario) -> object:
    dataset = simulate(made)
    result = evaluate_scenario(dataset, made, Context(make_plan(made).model))
    return page_of(dataset, result)


def test_compounds_are_the_lines_of_a_figure_of_one_perturbation(scenario: Makes) -> None:
    page = _page(scenario(AXIS))
    assert list(page.legend) == ["basic", "S-basic", "fast"]  # type: ignore[attr-defined]
    [first, *_] = [panel for row in page.rows for panel in row]  # type: ignore[attr-defined]
    assert [curve.series for curve in first.curves] == ["basic", "S-basic", "fast"]


def test_compounds_are_the_columns_of_a_figure_of_several(scenario: Makes) -> None:
    page = _page(scenario(AXIS, TWO))
    assert list(page.legend) == ["none", "half"]  # type: ignore[attr-defined]
    headings = [panel.heading for panel in page.rows[0]]  # type: ignore[attr-defined]
    assert headings == ["basic", "S-basic", "fast"]


def test_an_endpoint_of_one_compound_stands_where_that_compound_does(scenario: Makes) -> None:
    ladder = "design: {dose: {of: pulse, values: [10 nM, 1 uM], zero: true}}"
    only = "endpoints: {left: {of: S_A, take: value, at: 2 h, compound: fast}}"
    page = _page(scenario(AXIS, TWO, ladder, only))
    panels = [panel for row in page.rows for panel in row if panel]  # type: ignore[attr-defined]
    assert [panel.heading for panel in panels] == ["fast"]
    page = _page(scenario(AXIS, ladder, only))
    [panel] = [panel for row in page.rows for panel in row]  # type: ignore[attr-defined]
    assert [curve.series for curve in panel.curves] == ["fast"]


@pytest.mark.parametrize("lines", [[AXIS], [AXIS, TWO]])
def test_a_figure_with_compounds_is_drawn(
    scenario: Makes, tmp_path: Path, lines: list[str]
) -> None:
    from myelode.figures import plot_scenario

    dataset = simulate(scenario(*lines))
    plot_scenario(dataset, evaluate(dataset), tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000


def test_a_model_describes_its_compounds(folder: MakesFolder) -> None:
    found = {item["name"]: item for item in describe_model(load_model(str(folder())))["compounds"]}
    assert found["basic"]["default"]
    assert found["ester"]["refused"] == "it is a reagent and no drug"
    assert not found["hook"]["usable"]
    assert [row["name"] for row in found["faster"]["parameters"]] == ["k_S", "k_R"]


def test_a_scenario_describes_the_numbers_of_its_compound(
    scenario: Makes, folder: MakesFolder
) -> None:
    data = describe_scenario(scenario("compound: fast"), load_model(str(folder())))
    [row] = [row for row in data["parameters"] if row["name"] == "k_R"]
    assert row["value"] == 4


@pytest.fixture
def scenario_file(folder: MakesFolder, tmp_path: Path) -> Path:
    folder()
    path = tmp_path / "toy.yaml"
    path.write_text(SCENARIO.format(model=tmp_path / "toy") + "compounds: [basic, S-basic]\n")
    return path


def test_check_covers_both_files(
    folder: MakesFolder, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder()
    assert main(["check", str(path), str(scenario_file)]) == 0
    folder(compounds_yaml=COMPOUNDS.replace("S_A", "S_B"))
    assert main(["check", str(path)]) == 2
    assert "compounds.yaml: doses.drug: 'S_B' is in no variant" in capsys.readouterr().out


def test_run_says_the_values_of_every_compound(
    scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(scenario_file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["perturbations"]["none"]
    assert list(found["compounds"]) == ["basic", "S-basic"]
    assert found["endpoints"]["left"]["value"] == pytest.approx(_left(0.5, 75), rel=1e-6)
    assert found["compounds"]["S-basic"]["endpoints"]["left"]["value"] == pytest.approx(
        _left(0.5, 100), rel=1e-6
    )
    assert main(["run", str(scenario_file), "--quiet"]) == 0
    assert main(["run", str(scenario_file)]) == 0
    assert "S-basic" in capsys.readouterr().out


def test_show_and_list_know_the_compounds(
    folder: MakesFolder, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(folder())]) == 0
    said = capsys.readouterr().out
    for text in ("Compounds", "like basic", "variant bound only"):
        assert text in said
    assert main(["show", str(folder()), "--compound", "FA-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "fast"
    assert main(["show", str(folder()), "--compound", "ester"]) == 2
    assert main(["show", str(scenario_file), "--effective"]) == 0
    assert "compound S-basic: = 1" in capsys.readouterr().out
    assert main(["list", "compounds", "--json"]) == 0
    shipped = json.loads(capsys.readouterr().out)["compounds"]
    assert all(set(item) == {"name", "title", "path", "model"} for item in shipped)


def test_every_error_is_one_line(scenario: Makes) -> None:
    with pytest.raises(MyelodeError) as caught:
        make_plan(scenario("compound: ester"))
    assert "\n" not in str(caught.value)
