"""A parameter table says of each number what it is, how sure it is, and where it comes from."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from myelode.errors import ModelError
from myelode.parameters import (
    COLUMNS,
    EVIDENCE,
    Distribution,
    lowest_evidence,
    parse_distribution,
    read_parameters,
)

ROW = {
    "name": "k", "value": "0.5", "unit": "1/h", "meaning": "loss", "uncertainty": "lognormal(cv=0.5)",
    "between_patients": "", "between_lines": "", "range": "0.1..1", "evidence": "literature",
    "read": "read", "source": "Author 2020", "note": "",
}  # fmt: skip


def _table(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "parameters.tsv"
    lines = ["\t".join(COLUMNS), *("\t".join({**ROW, **row}.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_row_is_a_parameter(tmp_path: Path) -> None:
    path = _table(tmp_path, {})
    row = read_parameters(path)["k"]
    assert (row.value, row.unit, row.low, row.high) == (0.5, "1/h", 0.1, 1.0)
    assert row.where == f"{path}:2"
    assert row.distribution.kind == "lognormal"


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("", Distribution("fixed")),
        ("fixed", Distribution("fixed")),
        ("lognormal(gsd=2)", Distribution("lognormal", (math.log(2),))),
        ("lognormal(cv=0.8)", Distribution("lognormal", (math.sqrt(math.log(1.64)),))),
        ("normal(sd=0.1)", Distribution("normal", (0.1,))),
        ("uniform(1, 2)", Distribution("uniform", (1.0, 2.0))),
        ("uniform(-1e-3,1e3)", Distribution("uniform", (-1e-3, 1e3))),
        ("beta(2, 5)", Distribution("beta", (2.0, 5.0))),
        ("dirichlet:shares", Distribution("dirichlet", group="shares")),
    ],
)
def test_a_distribution_is_its_kind_and_numbers(text: str, distribution: Distribution) -> None:
    assert parse_distribution(text, "t:2") == distribution


@pytest.mark.parametrize(
    "text",
    [
        "lognormal", "lognormal()", "lognormal(0.5)", "lognormal(sd=1)", "lognormal(cv=0)", "lognormal(gsd=1)",
        "lognormal(cv=-1)", "lognormal(gsd=0.5)", "lognormal(cv=nan)", "lognormal(cv=inf)", "normal(0.1)",
        "normal(sd=-1)", "normal(sd=0)", "normal(sd=x)", "uniform(2, 1)", "uniform(1)", "uniform(1, 2, 3)",
        "uniform(a=1, b=2)", "uniform(1, inf)", "beta(0, 1)", "beta(-1, 2)", "dirichlet:", "dirichlet:a b",
        "gamma(1, 2)", "Lognormal(cv=1)", "lognormal(cv=1) ", "fixed()",
    ],
)  # fmt: skip
def test_a_distribution_without_meaning_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="t:2"):
        parse_distribution(text, "t:2")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"value": "many"}, ":2: value 'many' is not a number"),
        ({"value": ""}, ":2: value '' is not a number"),
        ({"value": "inf"}, ":2: value must be finite"),
        ({"value": "nan"}, ":2: value must be finite"),
        ({"value": "2"}, ":2: k = 2 lies outside its range 0.1..1"),
        ({"value": "0.01"}, ":2: k = 0.01 lies outside its range"),
        ({"range": "0.1-1"}, ":2: range '0.1-1' is not written low..high"),
        ({"range": "1..0.1"}, ":2: range '1..0.1' is not written low..high"),
        ({"range": "nan..nan"}, ":2: range"),
        ({"name": "k f"}, ":2: 'k f' is not a name"),
        ({"name": ""}, ":2: '' is not a name"),
        ({"unit": "parsnips"}, ":2: 'parsnips' is not a known unit"),
        ({"unit": ""}, ":2: k has no unit: write dimensionless"),
        ({"meaning": ""}, ":2: k needs a meaning"),
        ({"evidence": "guessed"}, ":2: evidence 'guessed' is none of measured, fitted"),
        ({"evidence": ""}, ":2: evidence '' is none of"),
        ({"read": "maybe"}, ":2: read 'maybe' is none of read, read-2nd, no"),
        ({"source": ""}, ":2: k is literature: name its source"),
        ({"evidence": "assumed", "note": ""}, ":2: k is assumed: its note must give the reason"),
        ({"uncertainty": "wide"}, ":2: uncertainty: 'wide' is not a distribution"),
        ({"between_patients": "wide"}, ":2: between_patients: 'wide' is not a distribution"),
        ({"between_lines": "wide"}, ":2: between_lines: 'wide' is not a distribution"),
    ],
)
def test_a_fault_in_a_row_has_its_line(tmp_path: Path, row: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_parameters(_table(tmp_path, row))
    assert message in str(caught.value)


def test_a_name_stands_in_the_table_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=":3: 'k' stands in the table twice"):
        read_parameters(_table(tmp_path, {}, {}))


def test_the_ends_of_a_range_belong_to_it(tmp_path: Path) -> None:
    for value in ("0.1", "1"):
        assert read_parameters(_table(tmp_path, {"value": value}))["k"].value == float(value)


def test_the_lowest_grade_is_the_weakest_evidence() -> None:
    assert lowest_evidence(["measured", "recalled", "fitted"]) == "recalled"
    assert lowest_evidence(list(EVIDENCE)) == "assumed"
    assert lowest_evidence([]) == "measured"
