"""The arithmetic of claims: numbers as stated, units, and what must hold between them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myelode.claims import Claim, read_claims, violations
from myelode.cli import main
from myelode.cli.checks import check_file
from myelode.cli.pages import claim_texts
from myelode.dimensions import base_value, is_number
from myelode.errors import ModelError, ScenarioError
from myelode.library import find_model

from .toys import DECAY, DECAY_TABLE

CLAIM = """\
- id: T-C1
  claim: a pure drug acts at 200 nM, a mixture at 2 uM
  document: a booklet
  verdict: contradicted
  because: half of the mixture is the drug
  sources: [Nobody 1999]
  in_model: one affinity
  records:
    pure: {value: 200, unit: nmol/L, what: IC50 of the pure drug}
    mixture: {value: 2, unit: umol/L, what: IC50 of the mixture}
    ratio: {value: 10, unit: dimensionless, what: affinity of one over the other}
    waiting: {value: 90, unit: minute, what: time of reading}
  must_hold:
    - {if: mixture / pure <= 2, because: half of it is drug}
    - {if: mixture > pure, because: the rest is inert}
"""


def _read(folder: Path, text: str = CLAIM) -> Claim:
    (folder / "claims.yaml").write_text(text)
    [claim] = read_claims(folder)
    return claim


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    """A claim that breaks one of its two conditions."""
    return _read(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with that claim."""
    path = tmp_path / "decay"
    path.mkdir()
    (path / "decay.ant").write_text(DECAY)
    (path / "parameters.tsv").write_text(DECAY_TABLE)
    (path / "variants.yaml").write_text("only: {title: decay, parts: [decay.ant], model: decay}\n")
    (path / "claims.yaml").write_text(CLAIM)
    return path


def test_records_keep_the_numbers_as_they_were_stated(claim: Claim) -> None:
    assert {name: str(record) for name, record in claim.records.items()} == {
        "pure": "200 nmol/L", "mixture": "2 umol/L", "ratio": "10", "waiting": "90 minute",
    }  # fmt: skip
    assert claim.records["pure"].what == "IC50 of the pure drug"


def test_what_the_document_says_in_its_own_words(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CLAIM.replace("  verdict:", "  says: Very   High\n  verdict:")
    claim = _read(tmp_path, text)
    assert (claim.says, claim.as_data()["says"]) == ("Very High", "Very High")
    assert _read(tmp_path).says == ""
    (folder / "claims.yaml").write_text(text)
    main(["show", str(folder), "--claims"])
    assert "  the document says: Very High\n" in capsys.readouterr().out
    with pytest.raises(ModelError, match=r"claims.yaml:4.*must be a text"):
        _read(tmp_path, text.replace("Very   High", "[]"))


def test_conditions_compare_numbers_in_one_unit(claim: Claim) -> None:
    assert [condition.holds for condition in claim.must_hold] == [False, True]
    assert claim.must_hold[0].sides == {"mixture / pure": pytest.approx(10)}
    assert claim.must_hold[1].sides == {}


def test_a_broken_condition_is_one_line_with_claim_numbers_and_reason(claim: Claim) -> None:
    [line] = violations([claim])
    assert line == (
        "T-C1: 'mixture / pure <= 2' does not hold with mixture = 2 umol/L, pure = 200 nmol/L, "
        "mixture / pure = 10: half of it is drug"
    )


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("10 * pure == mixture", True),
        ("mixture <= 2 * ratio / (1 + ratio) * pure", False),
        ("min(pure, mixture) == pure and not mixture < pure", True),
        ("sqrt(pure * mixture) < mixture", True),
        ("(mixture / pure) ** 2 > ratio ** 1.5", True),
        ("pure ** 2 < mixture ** 2", True),
        ("log10(mixture / pure) <= 1", True),
        ("abs(pure - mixture) > pure", True),
        ("0 * waiting < waiting <= 2 * waiting", True),
        ("-mixture < pure or mixture < pure", True),
    ],
)
def test_what_a_condition_may_say(tmp_path: Path, condition: str, truth: bool) -> None:
    text = CLAIM.replace("mixture > pure", f"'{condition}'")
    assert _read(tmp_path, text).must_hold[1].holds is truth


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mixture > pure", "mixture > waiting", r":15: .*'mixture > waiting' mixes .* and \[time\]"),
        ("mixture > pure", "mixture > 2", r":15: .* mixes .* and a pure number"),
        ("mixture > pure", "mixture + 1 > pure", r":15: .*'mixture \+ 1' mixes"),
        ("mixture > pure", "log(mixture) > 1", r":15: .*'log\(mixture\)' mixes"),
        ("mixture > pure", "'max(pure, waiting) > pure'", r":15: .*'max\(pure, waiting\)' mixes"),
        ("mixture > pure", "pure ** ratio > 1", r":15: .* needs a plain exponent"),
        ("mixture > pure", "mixtur > pure", r":15: .*unknown name 'mixtur': did you mean 'mixture'"),
        ("mixture > pure", "mixture / pure", r":15: .* is no condition"),
        ("mixture > pure", "mixture >", r":15: .* is not an expression"),
        ("mixture > pure", "pure == 'low'", r":15: .* has no place among quantities"),
        ("{if: mixture > pure, because", "{because", r":15: .*has no 'if'"),
        ("{if: mixture > pure,", "{iff: mixture > pure,", r":15: .*unknown key 'iff': did you mean"),
        ("because: the rest is inert", "because: ''", r":15: .*must be a text"),
        ("value: 200", "value: many", r":9: .*must be a number"),
        ("value: 200", "value: true", r":9: .*must be a number"),
        ("value: 200", "value: .inf", r":9: .*must be a number"),
        ("unit: nmol/L", "unit: nmoll", r":9: .*'nmoll' is not a known unit"),
        ("unit: minute", "unit: degC", r":12: .* is no multiple of"),
        ("what: time of reading", "why: x", r":12: .*unknown key 'why'"),
        ("    waiting:", "    and:", r":12: .*'and' is not a name that a condition can use"),
        ("    waiting:", "    log:", r":12: .*'log' is not a name"),
        ("    waiting:", "    the wait:", r":12: .*'the wait' is not a name"),
        ("    waiting: {value: 90, unit: minute, what: time of reading}", "    w: 90", "a record has"),
        ("  must_hold:", "  must_hold: 5\n  musthold:", r":14: .*unknown key 'musthold'"),
    ],
)  # fmt: skip
def test_a_fault_in_the_arithmetic_is_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert CLAIM.count(old) == 1
    with pytest.raises(ModelError, match=message) as caught:
        _read(tmp_path, CLAIM.replace(old, new))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "claims.yaml") in str(caught.value)


@pytest.mark.parametrize(("key", "shape"), [("records", "must map"), ("must_hold", "a list")])
def test_both_parts_have_a_shape(tmp_path: Path, key: str, shape: str) -> None:
    plain = CLAIM.partition("  records:")[0]
    with pytest.raises(ModelError, match=rf"claims\.yaml:8: 0\.{key}: must .*{shape.split()[-1]}"):
        _read(tmp_path, f"{plain}  {key}: 5\n")


def test_a_claim_without_arithmetic_has_none(tmp_path: Path) -> None:
    claim = _read(tmp_path, CLAIM.partition("  records:")[0])
    assert (claim.records, claim.must_hold, list(violations([claim]))) == ({}, (), [])


@pytest.mark.parametrize(
    ("value", "unit", "other", "other_unit"),
    [(10, "umol/L", 10_000, "nM"), (1, "day", 24, "hour"), (50, "%", 0.5, "1"), (2, "mg/L", 2, "ug/mL")],
)  # fmt: skip
def test_equal_quantities_are_equal_in_base_units(
    value: float, unit: str, other: float, other_unit: str
) -> None:
    assert base_value(value, unit) == base_value(other, other_unit)


def test_a_ratio_is_a_number_and_a_product_is_not() -> None:
    units = {"dose": "umol/L", "time": "hour", "rate": "1/hour"}
    assert is_number("dose / dose", units)
    assert is_number("rate * time", units)
    assert not is_number("dose * time", units)
    with pytest.raises(ScenarioError, match="mixes"):
        is_number("dose + time", units)


@pytest.mark.parametrize(
    "text", ["-" * 490 + "dose", "dose ** 1e308", "dose ** 1e400", "dose ** -1"]
)
def test_no_expression_breaks_the_look_at_its_kind(text: str) -> None:
    assert not is_number(text, {"dose": "umol/L"})


def test_plain_data_has_the_keys_of_the_file(claim: Claim) -> None:
    data = json.loads(json.dumps(claim.as_data()))
    assert set(data["records"]["pure"]) == {"value", "unit", "what"}
    assert [(item["if"], item["holds"]) for item in data["must_hold"]] == [
        ("mixture / pure <= 2", False), ("mixture > pure", True),
    ]  # fmt: skip
    assert data["sources"] == ["Nobody 1999"]


def test_check_warns_of_a_broken_condition_and_shows_no_other(folder: Path) -> None:
    found = check_file(str(folder))
    assert found.errors == []
    assert [text for text in found.warnings if "T-C1" in text] == list(
        violations(read_claims(folder))
    )


def test_check_reports_claims_that_cannot_be_read_as_an_error(folder: Path) -> None:
    (folder / "claims.yaml").write_text(CLAIM.replace("mixture > pure", "mixture > waiting"))
    [error] = check_file(str(folder)).errors
    assert "claims.yaml:15" in error


def test_claims_are_shown_with_their_arithmetic(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(folder), "--claims"]) == 0
    shown = capsys.readouterr().out
    assert "record: pure = 200 nmol/L: IC50 of the pure drug" in shown
    assert "must hold: mixture / pure <= 2: VIOLATED (mixture / pure = 10): half of it" in shown
    assert "must hold: mixture > pure: holds: the rest is inert" in shown
    assert main(["show", str(folder), "--claims", "--json"]) == 0
    [claim] = json.loads(capsys.readouterr().out)["claims"]
    assert claim["must_hold"][0]["holds"] is False
    assert claim["records"]["mixture"]["value"] == 2


def test_a_claim_without_arithmetic_shows_no_line_of_it(tmp_path: Path) -> None:
    claim = _read(tmp_path, CLAIM.partition("  records:")[0])
    assert len(list(claim_texts({"claims": [claim.as_data()]}))) == 4


@pytest.fixture(scope="module")
def cereblon() -> list[Claim]:
    """The claims of two vendor texts about lenalidomide, read without loading the model."""
    return read_claims(find_model("melflufen").parent / "cereblon")


def test_the_claims_about_cereblon_are_numbered_and_both_texts_are_there(
    cereblon: list[Claim],
) -> None:
    assert [item.id for item in cereblon] == [f"CRBN-C{n:02d}" for n in range(1, len(cereblon) + 1)]
    counts = [
        sum(name in item.document for item in cereblon) for name in ("NHS", "troubleshooting")
    ]
    assert sum(counts) == len(cereblon)
    assert min(counts) > 40
    assert len({item.claim for item in cereblon}) == len(cereblon)


def test_a_racemate_that_needs_ten_times_the_dose_of_its_half_is_flagged(
    cereblon: list[Claim],
) -> None:
    [pair] = [item for item in cereblon if "racemate_low" in item.records]
    assert pair.verdict == "contradicted"
    assert [condition.holds for condition in pair.must_hold] == [False] * 3
    assert pair.must_hold[1].sides == {
        "racemate_low / S": pytest.approx(10),
        "2 * rho / (1 + rho)": pytest.approx(20 / 11),
    }


def test_what_the_texts_on_cereblon_break_is_known(cereblon: list[Claim]) -> None:
    """Weaker binding called higher affinity, ladders that end too early, sources on other drugs."""
    broken = {
        condition.text
        for item in cereblon
        for condition in item.must_hold
        if not condition.holds and "racemate" not in condition.text
    }
    assert broken == {
        "pomalidomide < S_lenalidomide", "lowest < iberdomide_low", "highest > resistant_above",
        "about_carfilzomib >= 1", "about_pomalidomide >= 1", "about_daratumumab >= 1",
        "about_distinct_contacts >= 1", "without_document == 0", "listed >= used",
    }  # fmt: skip
