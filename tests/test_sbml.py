"""What leaves the one place that talks to Antimony and libSBML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from myelode.errors import ModelError, SimulationError
from myelode.model import load_model
from myelode.sbml import canonical, describe, findings, from_antimony, to_antimony, with_values
from myelode.sbml.dependencies import idle_species, initial_dependencies
from myelode.sbml.infusions import infusion_rate, with_infusions

UNITS = """
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  unit umol_per_item = 1e-6 mole / item; unit umol = 1e-6 mole; unit cell = item;
"""
TEXT = f"""
model first()
{UNITS}
  compartment medium = 2; medium has volume;
  compartment cells = cell_number * cell_volume; cells has volume;
  compartment genome = 1; genome has umol_per_item;
  compartment culture = 1; culture has umol;
  cell_number = 1000; cell_number has cell;
  unit litre_per_cell = litre / item; cell_volume = 1e-12; cell_volume has litre_per_cell;
  species A in medium, B in cells, lesions in genome, live in culture;
  substanceOnly species ledger in medium;
  species $fixed in medium;
  A = 3; B = 0; lesions = 4; live = 1; ledger = 5; fixed = start; start = 7; start has uM;
  k = 0.1; k has per_hour;
  grown = 1; grown has dimensionless; grown' = k * grown;
  total := A + fixed; total has uM;
  loss: A -> ; medium * k * A;
  A is "substance A";
end
"""


@pytest.fixture(scope="module")
def sbml() -> str:
    return from_antimony(TEXT, "first.ant")


def _l2(body: str, units: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4">'
        f'<model id="old">{units}'
        '<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>'
        f"{body}</model></sbml>"
    )


SPECIES = (
    '<listOfSpecies><species id="S" compartment="c" initialAmount="6"/>'
    '<species id="T" compartment="c" initialConcentration="6" hasOnlySubstanceUnits="true"/>'
    "</listOfSpecies>"
)


def test_canonical_text_names_no_tool_and_no_date(sbml: str) -> None:
    assert "<!--" not in sbml
    assert "antimony" not in sbml.lower()
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", sbml)
    assert 'level="3" version="2"' in sbml


def test_canonical_text_is_a_fixed_point(sbml: str) -> None:
    assert canonical(sbml, "again") == sbml


def test_equal_models_are_equal_texts(sbml: str) -> None:
    again = from_antimony("// a comment\n" + TEXT.replace("\n", "\n\n"), "other.ant")
    assert again == sbml


def test_tools_leave_no_annotation_but_meaning() -> None:
    annotation = (
        '<annotation><tool xmlns="http://tool.example" date="2020-01-01">drawn</tool>'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:bqbiol="http://biomodels.net/biology-qualifiers/">'
        '<rdf:Description rdf:about="#m1"><bqbiol:is><rdf:Bag>'
        '<rdf:li rdf:resource="https://identifiers.org/CHEBI:28876"/>'
        "</rdf:Bag></bqbiol:is></rdf:Description></rdf:RDF></annotation>"
    )
    body = SPECIES.replace(
        'initialAmount="6"/>', f'initialAmount="6" metaid="m1">{annotation}</species>'
    )
    found = canonical(_l2(body), "old.xml")
    assert "drawn" not in found
    assert "CHEBI:28876" in found
    assert canonical(found, "again") == found


def test_a_file_of_level_2_keeps_its_values_and_default_units() -> None:
    text = canonical(_l2(SPECIES), "old.xml")
    entities = describe(text).entities
    assert entities["c"].value == 2
    assert entities["S"].value == 3  # a concentration, since the mathematics uses one
    assert entities["T"].value == 12  # an amount
    assert (entities["S"].unit, entities["T"].unit, entities["c"].unit) == ("mol/L", "mol", "L")
    assert describe(text).time_unit == "s"


def test_units_are_text_that_the_registry_reads(sbml: str) -> None:
    found = describe(sbml)
    units = {name: entity.unit for name, entity in found.entities.items()}
    assert (found.time_unit, found.substance_unit) == ("h", "umol")
    assert units["A"] == "umol/L"
    assert units["ledger"] == "umol"
    assert units["lesions"] == "item"
    assert units["live"] == "dimensionless"
    assert units["k"] == "1/h"
    assert units["cell_volume"] == "L/item"
    assert units["loss"] == "umol/h"


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("60 second", "min"), ("86400 second", "d"), ("1e-3 second", "ms"), ("604800 second", "week"),
        ("1e-9 mole / litre", "nmol/L"), ("1e-3 litre", "mL"), ("1e-15 litre", "fL"), ("metre", "m"),
        ("1e-2 metre", "cm"), ("kilogram", "kg"), ("1e-6 kilogram", "mg"), ("1e-12 gram", "pg"),
        ("1 / (1e-9 mole / litre * 60 second)", "L/nmol/min"), ("joule / kelvin", "J/kelvin"),
        ("(1e-6 mole)^2", "umol^2"), ("dimensionless", "dimensionless"), ("1 / item", "1/item"),
        ("2 second", None), ("17 mole", None), ("candela", None), ("3 dimensionless", None),
    ],
)  # fmt: skip
def test_a_unit_has_a_name_or_none(declared: str, text: str | None) -> None:
    sbml = from_antimony(f"model m\n unit u = {declared}; k = 1; k has u;\nend", "m.ant")
    assert describe(sbml).entities["k"].unit == text


def test_nothing_declared_is_no_unit() -> None:
    found = describe(
        from_antimony("compartment c; species S in c; S = 1; k = 1; J: S -> ; k*S;", "m")
    )
    assert {entity.unit for entity in found.entities.values()} == {None}
    assert found.time_unit is None


def test_roles_and_values_are_those_of_the_text(sbml: str) -> None:
    entities = describe(sbml).entities
    assert entities["A"].kind == "species"
    assert (entities["A"].label, entities["A"].compartment) == ("substance A", "medium")
    assert entities["fixed"].boundary
    assert entities["fixed"].computed_initially
    assert entities["fixed"].value is None
    assert entities["ledger"].is_amount
    assert entities["ledger"].value == 5
    assert (entities["total"].rule, entities["total"].value) == ("assignment", None)
    assert (entities["grown"].rule, entities["grown"].value) == ("rate", 1)
    assert entities["cells"].computed_initially
    assert entities["B"].value == 0
    assert entities["loss"].equation == "A -> nothing;  medium * k * A"


def test_an_amount_in_a_computed_volume_is_not_known_before_the_run() -> None:
    sbml = from_antimony(
        "v = 2; compartment c := v; substanceOnly species S in c; S = 3 / c; species T in c; T = 4;",
        "m",
    )
    entities = describe(sbml).entities
    assert entities["S"].value is None
    assert entities["T"].value == 4


def test_values_replace_what_computed_them(sbml: str) -> None:
    changed = describe(with_values(sbml, {"A": 9, "ledger": 8, "cells": 2, "k": 3, "fixed": 1}))
    entities = changed.entities
    assert [entities[name].value for name in ("A", "ledger", "cells", "k", "fixed")] == [
        9,
        8,
        2,
        3,
        1,
    ]
    assert not entities["cells"].computed_initially


def test_an_infusion_is_a_reaction_with_a_rate_of_its_own(sbml: str) -> None:
    infused = with_infusions(sbml, ("A", "ledger"))
    entities = describe(infused).entities
    rate = entities[infusion_rate("A")]
    assert (rate.value, rate.unit, rate.constant) == (0, "umol/h", False)
    assert findings(infused) == ([], [])
    assert with_infusions(sbml, ()) == sbml


def test_an_infusion_does_not_take_the_name_of_something_else() -> None:
    sbml = from_antimony("compartment c; species S in c; S = 1; infusion_S = 2;", "m")
    with pytest.raises(ModelError, match="has a 'infusion_S' of its own"):
        with_infusions(sbml, ("S",))


def test_initial_values_depend_on_each_other_through_formulas_rules_and_rates() -> None:
    sbml = from_antimony(
        """
        compartment c = v * n; v = 2; n = 3; w = 4;
        species S in c, T in c, U in c; S = p + 1; p := q * w; q = 5; T = S + J; k = 6; U = 1;
        J: U -> ; k * U;
        """,
        "m",
    )
    found = initial_dependencies(sbml)
    assert found["c"] == {"v", "n"}
    assert found["S"] == {"p", "q", "w"}
    assert found["T"] >= {"S", "p", "q", "w", "J", "k", "U"}


def test_a_species_is_idle_where_nothing_that_happens_depends_on_it() -> None:
    sbml = from_antimony(
        """
        compartment c; species A in c, B in c, C in c, D in c, E in c, sink in c, ledger in c;
        A = 1; B = 1; C = 1; D = 1; E = 1; sink = 0; ledger = 0; k = 1; grown = 1;
        J1: A -> sink; k * A; J2: -> ledger; helper; helper := 2 * B; J3: C -> ; k; grown' = D;
        total := sink + ledger; at E > 2: k = 3;
        """,
        "m",
    )
    assert idle_species(sbml) == {"C", "sink", "ledger"}


def test_the_last_module_counts_unless_one_is_named() -> None:
    text = "model one()\n a = 1\nend\nmodel two()\n b = 2\nend\n"
    assert set(describe(from_antimony(text, "m")).entities) == {"b"}
    assert set(describe(from_antimony(text, "m", "one")).entities) == {"a"}
    with pytest.raises(ModelError, match=r"m: has no module 'three' \(it has one, two\)"):
        from_antimony(text, "m", "three")


def test_one_text_does_not_colour_the_next() -> None:
    from_antimony("model one()\n a = 1\nend\n", "m")
    with pytest.raises(ModelError, match="has no module 'one'"):
        from_antimony("model two()\n b = 2\nend\n", "m", "one")


@pytest.mark.parametrize(
    "text", ["model m()\n A -> ; k * (\nend", "model m(", "S1 = = 2", "compartment c c"]
)
def test_a_fault_in_antimony_is_one_line(text: str) -> None:
    with pytest.raises(ModelError, match=r"m\.ant: ") as caught:
        from_antimony(text, "m.ant")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "no xml", "<sbml/>", "<a>", '<?xml version="1.0"?><html></html>', _l2("<listOfWrong/>")],
)
def test_what_is_no_sbml_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="m.xml"):
        canonical(text, "m.xml")


def test_a_model_goes_to_antimony_and_back(sbml: str) -> None:
    again = describe(from_antimony(to_antimony(sbml), "again")).entities
    first = describe(sbml).entities
    assert again.keys() == first.keys()
    assert {e.id: e.value for e in again.values()} == {e.id: e.value for e in first.values()}


def test_a_species_of_an_antimony_text_starts_empty_unless_something_gives_it_a_value() -> None:
    text = "model m; species A, B, C, D; A = 1; C := 2*A; D = 3*A; A -> B; k*A; k = 1; end"
    found = describe(from_antimony(text, "a test")).entities
    assert [found[name].value for name in ("A", "B")] == [1.0, 0.0]
    assert found["C"].rule == "assignment"
    assert found["D"].computed_initially


def test_a_species_of_sbml_without_a_value_is_named(tmp_path: Path) -> None:
    text = from_antimony("model m; species A, B; A = 1; A -> B; k*A; k = 1; end", "a test")
    path = tmp_path / "m.xml"
    path.write_text(text.replace(' initialAmount="0"', ""))
    with pytest.raises(SimulationError, match="B has no value"):
        load_model(path).simulate([0, 1])
    assert load_model(path).simulate([0, 1], changes={"B": 0.5})["B"][-1] > 1
