"""Tables keep every letter, however narrow the page, and their rows are what differs."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console
from rich.table import Table

from myelode.cli.tables import number, numbers, printable, run_tables, tables, texts

NAMES = [f"endpoint_{position}" for position in range(12)]


def _printed(width: int) -> list[str]:
    columns = [texts("perturbation", ["none", "a_perturbation_of_some_length"])]
    columns += [numbers(name, [math.pi, 1e-7]) for name in NAMES]
    columns.append(texts("reason", ["short", "a long reason with many words in it"]))
    screen = Console(file=io.StringIO(), width=width, markup=False)
    for item in tables("a title that is not broken", columns, width):
        screen.print(item)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 72, 80, 99, 100, 101, 160, 400])
def test_a_table_that_is_too_wide_is_cut_into_several_without_loss(width: int) -> None:
    lines = _printed(width)
    words = " ".join(lines).split()
    assert max(map(len, lines)) <= width
    for word in (*NAMES, "a_perturbation_of_some_length", "3.142", "1e-07", "reason"):
        assert word in words
    assert lines[0].startswith("a title that is not broken")


def test_a_wide_page_has_one_table() -> None:
    assert " ".join(_printed(400)).split().count("perturbation") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234567, "0.1235"), (0, "0"), (math.inf, "not reached"), (math.nan, "-"), (None, "-")],
)
def test_a_number_has_four_digits_or_a_word(value: float | None, text: str) -> None:
    assert number(value) == text


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert "\x1b" not in printable("\x1b[2J red")


def _entry(value: float) -> dict[str, object]:
    endpoints = {"peak": {"value": value, "unit": "1"}}
    return {"endpoints": endpoints, "outcome": None, "rules": {}}


@pytest.mark.parametrize(
    ("arms", "first_column"),
    [((1.0, 2.0), ["early", "late"]), ((1.0, 1.0), ["none"])],
    ids=["arms that differ", "arms that are equal"],
)
def test_arms_of_the_only_perturbation_are_rows(
    arms: tuple[float, float], first_column: list[str]
) -> None:
    named = dict(zip(("early", "late"), map(_entry, arms), strict=True))
    summary = {"title": "arms", "perturbations": {"none": {**_entry(arms[0]), "arms": named}}}
    [table] = [item for item in run_tables(summary, 80) if isinstance(item, Table)]
    assert [str(cell) for cell in table.columns[0].cells] == first_column
