"""Models load with all that they say, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from myelode.errors import ModelError, ScenarioError, SimulationError, UnsupportedModelError
from myelode.library import models
from myelode.model import Model, load_model, model_from_sbml
from myelode.model_folder import default_variant, read_variants
from myelode.parameters import COLUMNS
from myelode.sbml import from_antimony

UNITS = """
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
"""
DISH = f"""
model dish()
{UNITS}
  compartment medium = 2; medium has volume;
  species drug in medium, product in medium;
  drug = drug_0; drug_0 = 3; drug_0 has uM;
  product = 0;
  k = 0.5; k has per_hour;
  loss: drug -> product; medium * k * drug;
end
"""
PATIENT = DISH.replace("model dish()", "model patient()").replace("k", "k_patient")
VARIANTS = """
dish: {title: In a dish, parts: [dish.ant], model: dish, default: true}
patient: {title: In a patient, parts: [patient.ant]}
"""
ROWS = {
    "medium": ("2", "L"), "drug_0": ("3000", "nmol/L"), "k": ("0.5", "1/h"), "k_patient": ("0.5", "1/h"),
}  # fmt: skip


def _row(name: str, value: str, unit: str) -> str:
    cells = {"name": name, "value": value, "unit": unit, "meaning": "m", "evidence": "measured"}
    cells |= {"read": "read", "source": "Author 2020"}
    return "\t".join(cells.get(column, "") for column in COLUMNS)


def _folder(tmp_path: Path, rows: dict[str, tuple[str, str]] = ROWS, **texts: str) -> Path:
    """A model folder; `texts` replace its files, by name without suffix."""
    folder = tmp_path / "toy"
    folder.mkdir()
    table = "\n".join(["\t".join(COLUMNS), *(_row(name, *cells) for name, cells in rows.items())])
    files = {
        "dish.ant": DISH,
        "patient.ant": PATIENT,
        "variants.yaml": VARIANTS,
        "parameters.tsv": table,
    }
    for name, text in files.items():
        (folder / name).write_text(texts.get(name.partition(".")[0], text) + "\n", "utf-8")
    return folder


def _file(tmp_path: Path, text: str, name: str = "toy.ant") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(_folder(tmp_path))


def test_a_folder_is_read_with_its_default_variant_and_table(model: Model) -> None:
    assert (model.name, model.variant, model.title) == ("toy", "dish", "In a dish")
    assert set(model.parameters) == {"medium", "drug_0", "k"}
    assert model.species() == ("drug", "product")
    assert model.reactions() == ("loss",)
    assert set(model.constants()) == {"medium", "drug_0", "k"}
    assert model.warnings == ()


def test_another_variant_is_read_by_name(tmp_path: Path) -> None:
    model = load_model(_folder(tmp_path), "patient")
    assert model.title == "In a patient"
    assert set(model.parameters) == {"medium", "drug_0", "k_patient"}


def test_a_variant_may_be_composed_of_parts(tmp_path: Path) -> None:
    rows = {f"A_{name}": cells for name, cells in ROWS.items() if name != "k_patient"}
    variants = "whole: {parts: [dish.ant, whole.ant], model: whole}"
    folder = _folder(tmp_path, {**rows, "grown": ("1", "1")}, variants=variants)
    whole = "model whole()\n  A: dish();\n  grown = 1; grown has dimensionless;\nend\n"
    (folder / "whole.ant").write_text(whole)
    assert set(load_model(folder).parameters) == {*rows, "grown"}


def test_the_digest_is_that_of_the_canonical_text_and_of_nothing_else(tmp_path: Path) -> None:
    model = load_model(_folder(tmp_path))
    assert model.digest == hashlib.sha256(model.sbml.encode()).hexdigest()
    (tmp_path / "copy").mkdir()
    again = load_model(_folder(tmp_path / "copy", dish="// a comment\n" + DISH))
    assert again.digest == model.digest
    (tmp_path / "other").mkdir()
    rows = {**ROWS, "k": ("0.25", "1/h")}
    other = load_model(_folder(tmp_path / "other", rows, dish=DISH.replace("0.5", "0.25")))
    assert other.digest != model.digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dish": DISH.replace("k * drug", "k * drog")}, "nothing gives 'drog' a value"),
        ({"dish": DISH.replace("k has per_hour;", "")}, "'k' declares no unit"),
        ({"dish": DISH.replace("medium has volume;", "medium has parsnips;")}, "'medium' declares no unit"),
        ({"dish": DISH.replace("unit time_unit = 3600 second;", "")}, "declares no unit of time"),
        ({"dish": DISH.replace("drug = drug_0", "drug = 3")}, "'drug' starts with a bare 3"),
        ({"dish": DISH.replace("k = 0.5;", "k = 0.5; k = 0.6;")}, "'k' has a value already"),
        ({"dish": DISH.replace("k * drug", "kk * drug")}, "nothing gives 'kk' a value: did you mean 'k'"),
        ({"variants": "- dish"}, "must map variant names to their parts"),
        ({"variants": "# nothing"}, "must map variant names to their parts"),
        ({"variants": "dish: {part: [dish.ant]}"}, "a variant has title, parts, model, default"),
        ({"variants": "dish: {parts: [dish.ant], modell: x}"}, "'modell': did you mean 'model'?"),
        ({"variants": "dish: {parts: dish.ant}"}, "parts is a list of Antimony files"),
        ({"variants": "dish: {parts: [../toy/dish.ant]}"}, "parts is a list of Antimony files"),
        ({"variants": "dish: {parts: [fish.ant]}"}, "fish.ant: cannot be read"),
        ({"variants": "dish: {parts: [dish.ant], model: fish}"}, "has no module 'fish' (it has dish)"),
        (
            {"variants": "a: {parts: [dish.ant], default: true}\nb: {parts: [dish.ant], default: true}"},
            "only one variant can be the default",
        ),
    ],
)  # fmt: skip
def test_a_fault_in_the_texts_of_a_folder_is_an_error(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(_folder(tmp_path, **changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"k": None}, "parameters.tsv has no row for 'k'"),
        ({"medium": None}, "parameters.tsv has no row for 'medium'"),
        ({"k": ("0.6", "1/h")}, ":4: k = 0.6 1/h, but 0.5 1/h in the model"),
        ({"k": ("0.5", "1/min")}, ":4: k = 0.5 1/min, but 0.5 1/h in the model"),
        ({"k": ("0.5", "umol/L")}, ":4: k is in 'umol/L', in the model in '1/h'"),
        ({"kk": ("1", "1/h")}, ":6: 'kk' is in no variant of the model: did you mean 'k'?"),
        ({"drug": ("3", "umol/L")}, ":6: 'drug' is computed by the model and needs no row"),
        ({"loss": ("3", "umol/h")}, ":6: 'loss' is computed by the model and needs no row"),
    ],
)
def test_the_table_agrees_with_the_reactions(
    tmp_path: Path, rows: dict[str, tuple[str, str] | None], message: str
) -> None:
    table = {name: cells for name, cells in {**ROWS, **rows}.items() if cells is not None}
    with pytest.raises(ModelError) as caught:
        load_model(_folder(tmp_path, table))
    assert message in str(caught.value)


def test_another_unit_of_the_same_value_agrees(tmp_path: Path) -> None:
    model = load_model(_folder(tmp_path, {**ROWS, "k": ("12", "1/d")}))
    assert model.parameters["k"].value == 12


def test_an_unknown_variant_is_answered_with_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="toy has no variant 'patent': did you mean 'patient'?"):
        load_model(_folder(tmp_path), "patent")


def test_the_first_variant_counts_where_none_is_the_default(tmp_path: Path) -> None:
    folder = _folder(tmp_path, variants="b: {parts: [dish.ant]}\na: {parts: [patient.ant]}")
    assert default_variant(read_variants(folder)) == "b"
    assert load_model(folder).variant == "b"


def test_a_single_file_needs_no_table_and_no_units(tmp_path: Path) -> None:
    model = load_model(
        _file(tmp_path, "compartment c = 1; species S in c; S = 3; k = 1; J: S -> ; k*S;")
    )
    assert (model.name, model.variant, model.title) == ("toy", "", "toy")
    assert model.parameters == {}
    assert model.time_unit is None
    assert "no parameter table" in model.warnings[0]
    assert "no unit declared for 3 of its quantities (c, S, k)" in model.warnings[1]


def test_a_single_file_with_units_has_one_warning_less(tmp_path: Path) -> None:
    model = load_model(_file(tmp_path, DISH))
    assert len(model.warnings) == 1
    assert model.time_unit == "h"


@pytest.mark.parametrize("suffix", ["xml", "sbml"])
def test_sbml_and_antimony_are_the_same_model(tmp_path: Path, suffix: str) -> None:
    one = load_model(_file(tmp_path, DISH))
    other = load_model(_file(tmp_path, from_antimony(DISH, "toy"), f"toy.{suffix}"))
    assert other.digest == one.digest


@pytest.mark.parametrize("level", [(2, 1), (2, 4), (2, 5), (3, 1)])
def test_older_levels_of_sbml_are_the_same_mathematics(
    tmp_path: Path, level: tuple[int, int]
) -> None:
    import libsbml

    document = libsbml.readSBMLFromString(from_antimony(DISH, "toy"))
    assert document.setLevelAndVersion(*level, False)
    old = load_model(_file(tmp_path, libsbml.writeSBMLToString(document), "old.xml"))
    new = load_model(_file(tmp_path, DISH))
    assert old.entities["drug"].unit == "umol/L"
    times = [0, 1, 2]
    np.testing.assert_array_equal(old.simulate(times)["product"], new.simulate(times)["product"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("toy.ant", "model m()\n A -> ", "toy.ant"),
        ("toy.ant", "", "is empty"),
        ("toy.xml", "<sbml>", "toy.xml"),
        ("toy.xml", DISH, "toy.xml"),
        (
            "toy.ant",
            "compartment c; species S in c; J: S -> ; kk*S; k = 1",
            "nothing gives 'kk' a value",
        ),
        ("toy.cps", "x", "a model ends in .ant, .xml or .sbml"),
    ],
)
def test_a_fault_in_a_file_is_one_error(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(_file(tmp_path, text, name))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_has_no_variants(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a single file has no variants"):
        load_model(_file(tmp_path, DISH), "dish")


def test_a_folder_without_variants_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"variants.yaml: cannot be read"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("output", "unit"),
    [
        ("drug", "umol/L"), ("amount(drug)", "umol"), ("concentration(drug)", "umol/L"), ("k", "1/h"),
        ("loss", "umol/h"), ("medium", "L"),
    ],
)  # fmt: skip
def test_every_output_has_a_unit(model: Model, output: str, unit: str) -> None:
    assert model.unit_of(output) == unit


def test_an_unknown_output_is_answered_with_the_closest_ones(model: Model) -> None:
    with pytest.raises(
        ScenarioError, match="unknown output 'drugg' in model toy: did you mean 'drug'"
    ):
        model.unit_of("drugg")
    with pytest.raises(ScenarioError, match="unknown species 'drugg'"):
        model.unit_of("amount(drugg)")
    with pytest.raises(ScenarioError, match="k is no species"):
        model.unit_of("amount(k)")


def test_a_plain_simulation_is_the_closed_form(model: Model) -> None:
    times = np.linspace(0, 6, 25)
    found = model.simulate(times, ["drug", "amount(drug)", "loss", "k", "medium"])
    np.testing.assert_allclose(found["drug"], 3 * np.exp(-0.5 * times), rtol=1e-7)
    np.testing.assert_allclose(found["amount(drug)"], 6 * np.exp(-0.5 * times), rtol=1e-7)
    np.testing.assert_allclose(found["loss"], 3 * np.exp(-0.5 * times), rtol=1e-7)
    assert found["drug"].attrs["units"] == "umol/L"
    assert found["time"].attrs["units"] == "h"
    assert found["drug"].dims == ("time",)
    assert found.attrs["model_sha256"] == model.digest


def test_all_species_are_given_where_no_output_is_named(model: Model) -> None:
    assert set(model.simulate([0, 1]).data_vars) == {"drug", "product"}


def test_arrays_of_changes_are_samples(model: Model) -> None:
    rates = [0.1, 0.5, 2.0]
    found = model.simulate([0, 1, 2], ["drug"], {"k": rates, "drug_0": 1.0})
    assert found["drug"].dims == ("sample", "time")
    expected = np.exp(-np.outer(rates, [0, 1, 2]))
    np.testing.assert_allclose(found["drug"], expected, rtol=1e-7)
    np.testing.assert_array_equal(found["changed_k"], rates)


@pytest.mark.parametrize(
    ("times", "outputs", "changes", "message"),
    [
        ([], None, None, "times must be"),
        ([1, 0], None, None, "times must increase"),
        ([0, 0], None, None, "times must increase"),
        ([-1, 0], None, None, "none may be negative"),
        ([0, float("nan")], None, None, "finite"),
        ([[0, 1]], None, None, "times must be"),
        ([0, 1], ["drog"], None, "unknown output 'drog'"),
        ([0, 1], [], None, "outputs must name something"),
        ([0, 1], ["time"], None, "outputs must name something other than time"),
        ([0, 1], None, {"kk": 1}, "unknown name 'kk'"),
        ([0, 1], None, {"loss": 1}, "'loss' is computed by the model"),
        ([0, 1], None, {"k": float("inf")}, "must be a finite number"),
        ([0, 1], None, {"k": [[1, 2]]}, "must be a finite number"),
        ([0, 1], None, {"k": [1, 2], "drug_0": [1, 2, 3]}, "lengths"),
        ([0, 1], None, {"k": []}, "lengths"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused(
    model: Model, times: list[float], outputs: list[str] | None, changes: dict[str, object] | None, message: str
) -> None:  # fmt: skip
    with pytest.raises(ScenarioError, match=message):
        model.simulate(times, outputs, changes)


@pytest.mark.parametrize(
    ("rtol", "atol"), [(0, None), (-1, None), (1, None), (None, 0), (None, float("nan"))]
)
def test_tolerances_are_positive(model: Model, rtol: float | None, atol: float | None) -> None:
    with pytest.raises(ScenarioError, match="rtol must lie between 0 and 1"):
        model.simulate([0, 1], rtol=rtol, atol=atol)


def test_a_model_can_be_made_of_sbml_text(model: Model) -> None:
    again = model_from_sbml(model.sbml, "again", "result.nc")
    assert again.digest == model.digest
    assert again.name == "again"


@pytest.mark.parametrize("name", sorted(models()))
def test_every_variant_of_every_shipped_model_loads_and_has_a_title(name: str) -> None:
    for variant in read_variants(models()[name]):
        model = load_model(name, variant)
        assert model.title
        assert set(model.constants()) <= set(model.parameters)


def test_what_the_libraries_accept_silently_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.ant"
    path.write_text("compartment c = 1; species A in c, B in c; A = 1; B = 0; J: A -> B;\n")
    with pytest.raises(ModelError, match="silent"):
        load_model(path)


PLAIN_SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfCompartments><compartment id="C" size="2" constant="true"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="C" initialConcentration="4" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/><parameter id="unset" constant="true"/>
<parameter id="endless" value="INF" constant="true"/></listOfParameters>
<listOfReactions><reaction id="J" reversible="false"><listOfReactants>
<speciesReference id="used" species="A" stoichiometry="3" constant="true"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>RATE</ci><ci>A</ci></apply></math>
</kineticLaw></reaction></listOfReactions></model></sbml>
"""


def _plain(folder: Path, rate: str) -> Model:
    path = folder / "plain.xml"
    path.write_text(PLAIN_SBML.replace("RATE", rate), "utf-8")
    return load_model(path)


def test_a_plain_simulation_gives_what_the_model_states_even_if_it_is_no_number(
    tmp_path: Path,
) -> None:
    names = ["used", "unset", "endless", "amount(C)", "A"]
    found = _plain(tmp_path, "k").simulate([0, 1], names)
    values = [float(found[name][-1]) for name in names]
    np.testing.assert_allclose(values, [3, np.nan, np.inf, 2, 4 * np.exp(-0.75)], rtol=1e-7)


@pytest.mark.parametrize("rate", ["unset", "endless"])
def test_a_state_must_be_a_number(rate: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="finite"):
        _plain(tmp_path, rate).simulate([0, 1], ["A"])


def test_a_fast_reaction_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fast.xml"
    text = PLAIN_SBML.replace("RATE", "k").replace("version2/core", "version1/core")
    path.write_text(
        text.replace('version="2"', 'version="1"').replace(
            'reversible="false"', 'reversible="false" fast="true"'
        )
    )
    with pytest.raises(UnsupportedModelError, match="'J' is fast"):
        load_model(path)
