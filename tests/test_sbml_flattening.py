"""Submodels: one model is made of them that means the same, or it is refused.

What a submodel is worth without conversion is known: simulated alone it gives the same numbers, at
times and in units that follow from the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import myelode
from myelode.cli.checks import check_file
from myelode.errors import ModelError, UnsupportedModelError
from myelode.model import Model, model_from_sbml
from myelode.preflight.externals import MAX_FILES
from myelode.sbml import from_antimony

CORE = "http://www.sbml.org/sbml/level3/version2/core"
COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
RATE_OF = (
    '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf">r</csymbol>'
)
TIMES = np.linspace(0, 6, 13)
PART = """
model part()
  compartment c = 2; species A in c, B in c; A = 3; B = 0;
  k = 0.3; lag = 0.4; seen = 0; grown = 1; start = 2 * A + conversion;
  conversion: A -> B; c * k * A;
  grown' = 0.1 * grown * A;
  twice := 2 * conversion + time;
  at lag after (time > 2.2): seen = seen + A;
  at (A < 1.5): A = A + 1;
end
"""
OUTPUTS = ("A", "B", "seen", "grown", "twice", "start")


def document(main: str, definitions: Mapping[str, str] | None = None, externals: str = "") -> str:
    """A file of a main model, model definitions by id, and references to models elsewhere."""
    defined = "".join(
        f'<comp:modelDefinition id="{name}">{content}</comp:modelDefinition>'
        for name, content in (definitions or {}).items()
    )
    lists = f"<comp:listOfModelDefinitions>{defined}</comp:listOfModelDefinitions>" * bool(defined)
    lists += (
        f"<comp:listOfExternalModelDefinitions>{externals}</comp:listOfExternalModelDefinitions>"
        * bool(externals)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="{CORE}" xmlns:comp="{COMP}" level="3" '
        f'version="2" comp:required="true"><model id="main">{main}</model>{lists}</sbml>'
    )


def submodel(reference: str, name: str = "sub", inside: str = "", **factors: str) -> str:
    """One submodel, with deletions `inside`."""
    attributes = "".join(f' comp:{key}="{value}"' for key, value in factors.items())
    return (
        f'<comp:listOfSubmodels><comp:submodel comp:id="{name}" comp:modelRef="{reference}"'
        f"{attributes}>{inside}</comp:submodel></comp:listOfSubmodels>"
    )


def external(name: str, source: str, attributes: str = "") -> str:
    return f'<comp:externalModelDefinition comp:id="{name}" comp:source="{source}" {attributes}/>'


def parameters(replaced: str = "", **values: float) -> str:
    """Constants; those of `replaced` elements stand in the last one."""
    texts = [
        f'<parameter id="{name}" value="{value!r}" constant="true">'
        for name, value in values.items()
    ]
    return (
        f"<listOfParameters>{'</parameter>'.join(texts)}{replaced}</parameter></listOfParameters>"
    )


def replaced(*references: str) -> str:
    elements = "".join(f"<comp:replacedElement {reference}/>" for reference in references)
    return f"<comp:listOfReplacedElements>{elements}</comp:listOfReplacedElements>"


def content(sbml: str) -> str:
    """What stands inside the model of a text."""
    inside = sbml[sbml.index("<model") : sbml.index("</model>")]
    return inside[inside.index(">") + 1 :]


def load(text: str) -> Model:
    return model_from_sbml(text, "whole", "whole.xml")


@pytest.fixture(scope="module")
def part() -> str:
    return from_antimony(PART, "part")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write_file


def assert_alike(whole: Model, part: str, hours: float = 1.0, prefix: str = "sub__") -> None:
    """The submodel gives what the part gives alone, `hours` of the whole being one of the part."""
    alone = load(part).simulate(TIMES, outputs=OUTPUTS)
    names = [prefix + name for name in OUTPUTS]
    found = whole.simulate(hours * TIMES, outputs=names)
    for name in OUTPUTS:
        np.testing.assert_allclose(found[prefix + name], alone[name], rtol=1e-6, atol=1e-9)


@settings(max_examples=5)
@given(factor=st.floats(0.01, 100))
def test_a_submodel_in_its_own_time_unit_runs_as_it_does_alone(part: str, factor: float) -> None:
    main = parameters(hours=factor) + submodel("part", timeConversionFactor="hours")
    assert_alike(load(document(main, {"part": content(part)})), part, factor)


def test_factors_of_nested_submodels_multiply(part: str) -> None:
    inner = submodel("part", timeConversionFactor="minutes")
    middle = parameters(minutes=5.0) + inner
    main = parameters(hours=60.0) + submodel("middle", timeConversionFactor="hours")
    whole = load(document(main, {"part": content(part), "middle": middle}))
    assert_alike(whole, part, 300.0, "sub__sub__")


def test_what_is_replaced_is_converted_to_the_units_of_what_replaces_it(part: str) -> None:
    converted = 'comp:submodelRef="sub" comp:conversionFactor="grams" comp:idRef='
    outer = "".join(
        f'<species id="{name}_outer" compartment="vessel" initialConcentration="{start}" '
        'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false">'
        f"{replaced(f'{converted}{name!r}')}</species>"
        for name, start in (("A", 30), ("B", 0))
    )
    main = (
        '<listOfCompartments><compartment id="vessel" size="2" constant="true">'
        + replaced('comp:submodelRef="sub" comp:idRef="c"')
        + f"</compartment></listOfCompartments><listOfSpecies>{outer}</listOfSpecies>"
        + parameters(grams=10.0, hours=60.0)
        + submodel("part", timeConversionFactor="hours", extentConversionFactor="grams")
    )
    whole = load(document(main, {"part": content(part)}))
    found = whole.simulate(60 * TIMES, outputs=["A_outer", "B_outer", "sub__twice", "sub__grown"])
    alone = load(part).simulate(TIMES, outputs=["A", "B", "twice", "grown"])
    for name, factor in {"A_outer": 10, "B_outer": 10, "sub__twice": 1, "sub__grown": 1}.items():
        inner = name.removeprefix("sub__").removesuffix("_outer")
        np.testing.assert_allclose(found[name], factor * alone[inner], rtol=1e-6, atol=1e-9)


def test_what_is_deleted_is_gone_and_a_port_stands_for_an_element() -> None:
    sbml = from_antimony("A = 3; B = 1; species A, B; J: A -> B; 0.3 * A; K: B -> ; B;", "part")
    port = '<comp:listOfPorts><comp:port comp:id="way" comp:idRef="J"/></comp:listOfPorts>'
    gone = '<comp:listOfDeletions><comp:deletion comp:portRef="way"/></comp:listOfDeletions>'
    whole = load(document(submodel("part", inside=gone), {"part": content(sbml) + port}))
    assert whole.reactions() == ("sub__K",)
    found = whole.simulate([0.0, 1.0, 2.0], outputs=["sub__A", "sub__B"])
    np.testing.assert_allclose(found["sub__A"], 3)
    np.testing.assert_allclose(found["sub__B"], np.exp([0.0, -1.0, -2.0]), rtol=1e-6)


def test_the_model_is_core_sbml_and_its_own_canonical_form(part: str) -> None:
    whole = load(document(submodel("part"), {"part": content(part)}))
    assert "comp:" not in whole.sbml
    assert load(whole.sbml).sbml == whole.sbml


def test_a_text_that_names_the_package_but_uses_no_submodel_is_read(part: str) -> None:
    assert load(document(content(part))).species() == ("A", "B")


def test_every_engine_runs_the_model(part: str) -> None:
    whole = load(document(submodel("part"), {"part": content(part)}))
    one, other = (
        whole.simulate(TIMES, outputs=["sub__A", "sub__seen"], engine=engine)
        for engine in ("roadrunner", "ensemble")
    )
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


def test_a_submodel_may_stand_in_a_file_beside_or_below(
    part: str, write: Callable[[str, str], Path]
) -> None:
    write("parts/part.xml", part)
    sibling = external("elsewhere", "part.xml")
    write("parts/group.xml", document("", {"group": submodel("elsewhere")}, sibling))
    given_model = 'comp:modelRef="group"'
    main = document(submodel("there"), None, external("there", "parts/group.xml", given_model))
    assert_alike(myelode.load_model(write("main.xml", main)), part, prefix="sub__sub__")


def test_check_reads_the_other_files_too(part: str, write: Callable[[str, str], Path]) -> None:
    write("part.xml", part)
    main = write("main.xml", document(submodel("there"), None, external("there", "part.xml")))
    assert check_file(str(main)).errors == []
    write("part.xml", part.replace("<model", "<module"))
    assert "part.xml" in check_file(str(main)).errors[0]


BAD_SOURCES = {
    "missing": ("other.xml", "cannot be read"),
    "a_folder": ("parts", "is a folder"),
    "above": ("../secret.xml", "within the folder of the model"),
    "below_and_out": ("parts/../../secret.xml", "within the folder of the model"),
    "linked": ("link.xml", "within the folder of the model"),
    "absolute": ("/etc/passwd", "within the folder of the model"),
    "web": ("http://example.org/part.xml", "within the folder of the model"),
    "address": ("file:notes.xml", "within the folder of the model"),
    "drive": ("C:notes.xml", "within the folder of the model"),
    "backslash": ("parts\\notes.xml", "within the folder of the model"),
    "escapes": ("%2e%2e/secret.xml", "within the folder of the model"),
    "empty": ("", "within the folder of the model"),
    "no_model": ("notes.xml", "no well-formed XML"),
    "itself": ("main.xml", "contains itself"),
}


@pytest.mark.parametrize(("source", "said"), BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_another_file_is_refused_with_the_reason(
    tmp_path: Path, write: Callable[[str, str], Path], source: str, said: str
) -> None:
    write("secret.xml", "<secret>42</secret>")
    write("model/notes.xml", "the secret is 42")
    write("model/parts/notes.xml", "the secret is 42")
    (tmp_path / "model" / "link.xml").symlink_to(tmp_path / "secret.xml")
    main = write("model/main.xml", document(submodel("there"), None, external("there", source)))
    with pytest.raises(ModelError, match=said) as caught:
        myelode.load_model(main)
    assert str(caught.value).startswith(str(tmp_path / "model"))
    assert "42" not in str(caught.value).replace(str(tmp_path), "")


def test_files_that_contain_one_another_are_refused(write: Callable[[str, str], Path]) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        text = document(submodel("there"), None, external("there", f"{other}.xml"))
        path = write(f"{name}.xml", text)
    with pytest.raises(ModelError, match="contains itself"):
        myelode.load_model(path)


def test_files_that_double_are_refused(part: str, write: Callable[[str, str], Path]) -> None:
    twice = submodel("there", "one") + submodel("there", "two")
    both = twice.replace("</comp:listOfSubmodels><comp:listOfSubmodels>", "")
    write("0.xml", part)
    for level in range(1, 14):
        text = document(both, None, external("there", f"{level - 1}.xml"))
        path = write(f"{level}.xml", text)
    with pytest.raises(ModelError, match="levels of submodels"):
        myelode.load_model(path)


def test_too_many_files_are_refused(part: str, write: Callable[[str, str], Path]) -> None:
    names = [f"part{number}.xml" for number in range(MAX_FILES + 1)]
    for name in names:
        write(name, part)
    externals = "".join(external(f"m{at}", name) for at, name in enumerate(names))
    with pytest.raises(ModelError, match="other files"):
        myelode.load_model(write("main.xml", document(submodel("m0"), None, externals)))


def test_an_unknown_model_of_another_file_is_refused(
    part: str, write: Callable[[str, str], Path]
) -> None:
    write("part.xml", part)
    there = external("there", "part.xml", 'comp:modelRef="prat"')
    with pytest.raises(ModelError, match=r"unknown model 'prat of part.xml'.*'part of part.xml'"):
        myelode.load_model(write("main.xml", document(submodel("there"), None, there)))


def test_a_text_that_is_no_file_has_no_other_files() -> None:
    with pytest.raises(UnsupportedModelError, match="another file"):
        load(document(submodel("there"), None, external("there", "part.xml")))


@pytest.mark.parametrize(
    "reference",
    ['comp:submodelRef="sub" comp:idRef="nil"', 'comp:submodelRef="sub" comp:portRef="nil"',
     'comp:submodelRef="nil" comp:idRef="k"'],
)  # fmt: skip
def test_a_reference_to_nothing_is_refused(part: str, reference: str) -> None:
    main = parameters(replaced(reference), outer=1.0) + submodel("part")
    with pytest.raises(ModelError, match="do not fit together.*nil"):
        load(document(main, {"part": content(part)}))


def test_rates_of_change_are_refused_where_units_are_converted(part: str) -> None:
    asked = content(part).replace("<ci> conversion </ci>", f"<apply>{RATE_OF}<ci>A</ci></apply>")
    assert asked != content(part)
    load(document(parameters(hours=60.0) + submodel("part"), {"part": asked}))
    main = parameters(hours=60.0) + submodel("part", timeConversionFactor="hours")
    with pytest.raises(UnsupportedModelError, match="rateOf, which is not converted"):
        load(document(main, {"part": asked}))
