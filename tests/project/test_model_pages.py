"""What the model pages say is what the model's files say; the functions that say it are pure."""

from __future__ import annotations

import importlib
import math
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import myelode
from myelode.claims import Claim, Condition, Record, read_claims
from myelode.equations import Equations, derive
from myelode.library import models
from myelode.perturbations import Perturbation, cell_lines, perturbations
from myelode.provenance import statements_on
from myelode.regimens.named import read_regimens
from myelode.scenario import load_scenario
from myelode.trials import TrialNumber
from myelode.validation import Row

EXTENSIONS = Path(__file__).resolve().parents[2] / "docs" / "_ext"
ROW = Row(
    id="A-1", observable="half-life", published=1.1, simulated=1.0, unit="h", low=0.9, high=1.2,
    hit=True, use="check", note="", evidence="measured", scenario="s", endpoint="none.t",
    source="doi:10.1007/BF00262772 (Somebody 1988)",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _extensions() -> None:
    pytest.importorskip("docutils", reason="needs docutils: pip install '.[docs]'")
    sys.path.append(str(EXTENSIONS))


def _extension(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    return _extension("model_pages")


@pytest.fixture(scope="module")
def model() -> myelode.Model:
    return myelode.load_model("melflufen")


@pytest.fixture(scope="module")
def equations(model: myelode.Model) -> Equations:
    return derive(model.sbml)


def _cells(table: str) -> list[list[str]]:
    rows = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_regimens_say_since_when_they_are_what(pages: ModuleType) -> None:
    known = read_regimens(models()["cereblon"])
    header, _, *rows = _cells(pages.regimens(known.values()))
    assert header == ["name", "status", "evidence", "source", "note"]
    assert len(rows) == len(known)
    by_name = {row[0].partition("<br>")[0]: row for row in rows}
    assert by_name["`iberdomide_1.6mg`"][1] == "investigational (2026-02-17)"
    assert "https://doi.org/" in by_name["`pomalidomide_4mg`"][3]


def test_text_from_files_is_no_markup(pages: ModuleType) -> None:
    assert pages.prose("a_b *c* [d](e) <f> $g$ `h` #i") == (
        r"a\_b \*c\* \[d\](e) \<f\> \$g\$ \`h\` \#i"
    )


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("doi:10.1/x.", "doi:10.1/x."),
        ("doi:10.1124/mol.61.4.729 (Uchino)", "10.1124/mol.61.4.729"),
        ("doi:10.1016/j.bbmt.2020.03.008; other", "10.1016/j.bbmt.2020.03.008"),
        ("doi:10.1016/S0140-6736(20)32292-3, more", "10.1016/S0140-6736(20)32292-3"),
    ],
)
def test_a_doi_is_a_link(pages: ModuleType, text: str, linked: str) -> None:
    wanted = f"(https://doi.org/{linked})" if linked.startswith("10.") else linked
    assert wanted in pages.prose(text)


def test_a_cell_cannot_break_its_table(pages: ModuleType) -> None:
    table = pages.markdown_table(("a", "b"), [("one | two", "three\nfour")])
    assert _cells(table)[2] == [r"one \| two", "three four"]


def test_the_parameter_table_has_a_row_for_every_number(
    pages: ModuleType, model: myelode.Model
) -> None:
    rows = _cells(pages.parameters(model.parameters.values()))[2:]
    assert [row[0].strip("`") for row in rows] == list(model.parameters)
    values = [float(row[1].split()[0]) for row in rows]
    assert values == pytest.approx([row.value for row in model.parameters.values()], rel=1e-5)
    assert all(row[4].startswith("*") for row in rows)


def test_definitions_count_for_no_evidence(pages: ModuleType, model: myelode.Model) -> None:
    free = [row for row in model.parameters.values() if row.uncertainty != "fixed"]
    rows = _cells(pages.evidence(model.parameters.values()))[2:]
    assert sum(int(row[1]) for row in rows) == len(free)
    fixed = [replace(row, uncertainty="fixed") for row in free]
    assert f"{len(fixed)} further numbers are definitions" in pages.evidence(fixed)


def test_changes_say_what_they_do_to_which_value(pages: ModuleType) -> None:
    item = Perturbation("low", {"y": 5.0}, {"x": 0.1}, title="x low", note="a guess")
    assert _cells(pages.changes([item]))[2] == [
        "`low`<br>x low", "`y` = 5, `x` × 0.1", "", "*assumed*: a guess",
    ]  # fmt: skip


def test_all_perturbations_and_lines_are_shown(pages: ModuleType, model: myelode.Model) -> None:
    for items in (perturbations(model), cell_lines(model)):
        rows = _cells(pages.changes(items.values()))[2:]
        assert [row[0].split("`")[1] for row in rows] == list(items)


def test_claims_are_counted_and_shown_with_their_verdicts(
    pages: ModuleType, model: myelode.Model
) -> None:
    assert model.folder is not None
    claims = read_claims(model.folder)
    text = pages.claims(claims)
    assert text.startswith(f"{len(claims)} claims: ")
    assert sum(int(n) for n in re.findall(r"(\d+) \w+(?:,|\.\n)", text.splitlines()[0] + "\n")) == (
        len(claims)
    )
    assert [item.id for item in claims] == re.findall(r"^`([^`]+)`", text, re.MULTILINE)


def test_the_arithmetic_of_a_claim_is_shown_with_its_outcome(pages: ModuleType) -> None:
    broken = Condition("b / a <= 2", "half of b is a", False, {"b / a": 10.0})
    kept = replace(broken, text="a < b", because="b is weaker.", holds=True, sides={})
    records = {"a": Record(200, "nmol/L", "IC50 of a"), "b": Record(2, "umol/L", "IC50 of b")}
    item = Claim("T-C1", "b", "text", "contested", "x", (), "y", records, (broken, kept))
    lines = pages.claims([item]).splitlines()
    assert lines[-4:] == [
        "  Stated: `a` = 200 nmol/L, IC50 of a.",
        "  Stated: `b` = 2 umol/L, IC50 of b.",
        "  Must hold: `b / a <= 2` (`b / a` = 10): [violated]{.verdict-miss}: half of b is a.",
        "  Must hold: `a < b`: [holds]{.verdict-hit}: b is weaker.",
    ]


@pytest.mark.parametrize(
    ("row", "band", "verdict"),
    [
        (ROW, "0.9 to 1.2", "[hit]{.verdict-hit}"),
        (replace(ROW, hit=False, high=None), "at least 0.9", "[miss]{.verdict-miss}"),
        (replace(ROW, hit=None, low=None), "at most 1.2", "–"),
        (replace(ROW, hit=None, low=None, high=None), "–", "–"),
    ],
)
def test_a_published_number_stands_beside_the_simulated_one(
    pages: ModuleType, row: Row, band: str, verdict: str
) -> None:
    cells = _cells(pages.observations([row]))[2]
    assert cells[2:6] == ["1.1 h", band, "1", f"{verdict}<br>check"]


def test_calibration_is_not_counted_as_evidence(pages: ModuleType) -> None:
    rows = [ROW, replace(ROW, use="calibrate"), replace(ROW, hit=False), replace(ROW, hit=None)]
    text = pages.score(rows)
    assert "kept for checking, 1 hit their band and 1 miss" in text
    assert "1 hit and 0 miss: that is no evidence" in text


def test_every_reaction_has_its_scheme_and_rate(
    pages: ModuleType, model: myelode.Model, equations: Equations
) -> None:
    html = pages.reactions_html(model, equations)
    assert re.findall(r"<td><code>(\w+)</code>", html) == list(model.reactions())
    assert html.count("<math") == len(model.reactions())
    assert "melflufen_cell → melphalan_cell + fluorophenylalanine" in html
    assert "∅ → glutathione" in html


def test_every_state_has_its_differential_equation(pages: ModuleType, equations: Equations) -> None:
    assert pages.derivatives_html(equations).count("<tr>") == len(equations.states)
    assert pages.assignments_html(equations).count("<tr>") == len(equations.system.assignments)


def test_a_long_sum_is_broken_between_its_terms(pages: ModuleType) -> None:
    terms = [rf"v_{{\mathrm{{r{number}}}}}" for number in range(6)]
    lines = pages.broken(" - ".join(terms))
    assert lines == [" - ".join(terms[:4]), "- " + " - ".join(terms[4:])]
    assert pages.broken(r"\frac{a}{b} + c") == [r"\frac{a}{b} + c"]


def test_formulas_become_mathml() -> None:
    mathml = _extension("mathml").to_mathml(r"\frac{k_{\mathrm{FA}}}{2}")
    assert mathml.startswith("<math")
    assert "<mfrac>" in mathml


def test_the_scheme_shows_every_species_once(equations: Equations) -> None:
    schemes = _extension("schemes")
    places = schemes.places(equations)
    assert set(places) == set(equations.system.stoichiometry)
    assert len(set(places.values())) == len(places)


def test_the_scheme_tells_reactions_from_influences(equations: Equations) -> None:
    schemes = _extension("schemes")
    flows, influences = schemes.flows(equations), schemes.influences(equations)
    assert ("melflufen_medium", "melflufen_cell") in flows
    assert ("melphalan_cell", "crosslinkable_adducts") in influences
    assert not flows & influences
    assert "pi_positive" in schemes.ends(equations)


def test_equal_models_give_equal_pictures(equations: Equations) -> None:
    scheme = _extension("schemes").scheme_svg
    assert scheme(equations) == scheme(equations)


def test_docstrings_become_lists_of_fields() -> None:
    lines = ["Title.", "", "Parameters", "----------", "x : a number", "    or two", "", "Returns"]
    found = list(_extension("docstrings").to_fields([*lines, "-------", "A thing."]))
    assert found == [
        "Title.", "", "", "**Parameters**", "", ":x: a number", "    or two", "",
        "", "**Returns**", "", "A thing.",
    ]  # fmt: skip


def test_every_command_is_in_the_reference() -> None:
    pytest.importorskip("sphinx", reason="needs sphinx: pip install '.[docs]'")
    text = _extension("command_line").command_line_markdown()
    found = re.findall(r"## `myelode ([\w-]+)`", text)
    assert {"list", "show", "check", "run", "validate", "replay", "export"} <= set(found)
    assert found == sorted(found)
    assert "`-o, --output FILE`" in text
    assert "## `myelode sweep run`" in text


def test_a_compound_has_a_column_of_its_own_numbers(pages: ModuleType) -> None:
    found = myelode.load_model("cereblon").compounds
    names, numbers = pages.compounds(found).split("\n\n")
    assert [row[0].split("`")[1] for row in _cells(names)[2:]] == list(found.items)
    header, _, *rows = _cells(numbers)
    own = [item for item in found.items.values() if item.rows]
    assert header == ["number", "unit", *(item.name for item in own)]
    for row in rows:
        for item, cell in zip(own, row[2:], strict=True):
            assert (row[0].strip("`") in item.rows) == bool(cell)


def test_a_fit_is_shown_with_the_error_of_every_series(tmp_path: Path) -> None:
    page = _extension("calibration_pages")
    assert page.calibrations(tmp_path) == "No number of this model was fitted."
    header = "kind name value unit low high before n rms note".split()
    rows = [
        ["parameter", "k", "0.2", "1/h", "0.1", "0.4", "0.3", "", "", "identified"],
        ["parameter", "c", "2", "dimensionless", "", "", "2", "", "", "not identified"],
        ["series", "plasma", "", "nmol/L", "", "", "3", "9", "0.8", "scale 2"],
        ["row", "A-1", "5", "h", "4", "6", "7", "1", "0.1", "hit"],
        ["objective", "sum of squares", "1.5", "dimensionless", "", "", "9", "10", "", "all"],
    ]
    text = "\n".join("\t".join(row) for row in [header, *rows])
    (tmp_path / "calibration.tsv").write_text(text, encoding="utf-8")
    shown = page.calibrations(tmp_path)
    assert "sum of squares 9 before and 1.5 after" in shown
    assert "| `k` | 0.3 | 0.2 1/h | 0.1 to 0.4 | identified |" in shown
    assert "| `c` | 2 | 2 | – | not identified |" in shown
    assert "| `plasma` | 9 | 3 | 0.8 | scale 2 |" in shown
    assert "| `A-1` | 4 to 6 h | 5 | [hit]{.verdict-hit} |" in shown


def test_labels_of_many_lines_are_counted_from_their_table() -> None:
    page = _extension("label_pages")
    scenario = load_scenario("melflufen/decision_tree")
    folder = models()["melflufen"]
    parts = page.labels(folder, scenario).split("**: ")
    [file] = folder.glob("decision_tree_lines.tsv")
    header, *rows = (line.split("\t") for line in file.read_text("utf-8").splitlines())
    for (rule, score), part in zip(scenario.scores.items(), parts[1:], strict=True):
        given = Counter((row[1], row[header.index(rule)]) for row in rows)
        head, _, *shown = _cells(part)
        right = 0
        for word, *cells, share in shown:
            for label, cell in zip(head[1:-1], cells, strict=True):
                assert int(cell.strip("*")) == given[word, label]
                fits = word in score.accepts.get(label, [label])
                assert cell.startswith("**") == fits
                right += fits * given[word, label]
            assert share.endswith("%")
        assert part.startswith(f"{right} of {len(rows)} right ({right / len(rows):.0%}).")


def test_published_numbers_of_trials_say_where_a_document_differs() -> None:
    pages = _extension("clinical_pages")
    number = TrialNumber(
        trial="HARE-1", arm="low", measure="PFS_median", value=math.inf, unit="month", low=2.8,
        high=math.inf, level=95.0, cut_off="2022-03-31", evidence="literature", read="read",
        source="doi:10.1007/BF00262772", document_value="14 months", note="",
    )  # fmt: skip
    other = replace(number, trial="TORTOISE", value=32.0, unit="%", low=None, document_value="32")
    text = pages.trials([number, replace(other, high=None)])
    assert text.index("**HARE-1**") < text.index("**TORTOISE**")
    rows = [row for row in _cells(text) if row[0] == "low"]
    hyphen = "\N{NON-BREAKING HYPHEN}"
    assert rows[0][1:6] == [
        "PFS median", "not reached", "2.8 to not reached (95 %)", f"2022{hyphen}03{hyphen}31",
        "[differs]{.verdict-miss}: 14 months",
    ]  # fmt: skip
    assert rows[0][6].startswith("*literature*: [doi:10.1007/BF00262772]")
    assert rows[1][2:6] == ["32 %", "–", f"2022{hyphen}03{hyphen}31", "32"]


def test_regulatory_statements_have_their_dates() -> None:
    pages = _extension("clinical_pages")
    model = myelode.load_model("cereblon", "patient")
    found = statements_on(model, ["pomalidomide", "S-lenalidomide"])
    rows = _cells(pages.statements(found))[2:]
    assert rows[0][:2] == ["`pomalidomide`", "2013-02"]
    assert rows[1][1:] == ["–", "no regulatory statement is recorded for S-lenalidomide"]
