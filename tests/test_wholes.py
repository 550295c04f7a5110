"""Shares of a whole sum to 1, in the table and in every run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ModelError, ScenarioError
from myelode.files import parse_yaml
from myelode.model import load_model
from myelode.parameters import fault_of_whole
from myelode.plan import Plan, make_plan
from myelode.scenario import build_scenario

CELLS = """
unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
unit volume = 1 litre; unit per_hour = 1 / (3600 second);
compartment well = 1; well has volume; species cells in well; cells = 0;
high = 0.5; high has dimensionless; low = 0.3; low has dimensionless;
lost = 0.2; lost has dimensionless; k = 1; k has per_hour;
growth: -> cells; well * k * (high + low + lost) * cells;
"""
FEWER = CELLS.replace("lost = 0.2; lost has dimensionless;", "").replace(" + lost", "")
HEADER = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange\tevidence\t"
    "read\tsource\tnote\n"
)
COLUMNS = {
    "uncertainty": "dirichlet:clones\t\t",
    "between_patients": "fixed\tdirichlet:clones\t",
    "between_lines": "fixed\t\tdirichlet:clones",
}
SCENARIO = """\
id: toy
title: toy
model: {model}
regimen: [{{at: 0 h, dose: cells, to: 1 nM}}]
observe: {{every: 1 h, until: 2 h, outputs: [cells]}}
"""
Plans = Callable[..., Plan]


def _table(spread: str = COLUMNS["between_patients"], **values: tuple[str, str]) -> str:
    rows = {"high": ("0.5", "dimensionless"), "low": ("30", "percent"), "lost": ("0.2", "1")}
    shares = "".join(
        f"{name}\t{value}\t{unit}\tshare\t{spread}\t\tassumed\tno\t\ta guess\n"
        for name, (value, unit) in {**rows, **values}.items()
    )
    others = (("well", "1", "L"), ("k", "1", "1/h"))
    rest = "".join(
        f"{name}\t{value}\t{unit}\tother\tfixed\t\t\t\tassumed\tno\t\ta guess\n"
        for name, value, unit in others
    )
    return HEADER + shares + rest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "toy"
    path.mkdir()
    files = {
        "variants.yaml": "toy: {parts: [cells.ant], default: true}\n",
        "cells.ant": CELLS,
        "parameters.tsv": _table(),
        "perturbations.yaml": "gone: {title: t, set: {high: 0, lost: 0.7}}\nmore: {scale: {lost: 2}}\nless: {scale: {low: 0.5}}\n",
        "cell_lines.yaml": "odd: {title: t, set: {high: 0.9}}\n",
    }
    for name, text in files.items():
        (path / name).write_text(text, "utf-8")
    return path


@pytest.fixture
def plan(folder: Path) -> Plans:
    def make(more: str, *settings: str) -> Plan:
        text = SCENARIO.format(model=folder) + more
        return make_plan(build_scenario(parse_yaml(text, "toy.yaml"), settings))

    return make


@pytest.mark.parametrize("column", COLUMNS)
def test_the_shares_of_the_table_sum_to_one(folder: Path, column: str) -> None:
    (folder / "parameters.tsv").write_text(_table(COLUMNS[column]), "utf-8")
    assert len(load_model(folder).parameters) == 5
    (folder / "cells.ant").write_text(CELLS.replace("lost = 0.2", "lost = 0.4"), "utf-8")
    (folder / "parameters.tsv").write_text(_table(COLUMNS[column], lost=("0.4", "1")), "utf-8")
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert str(caught.value).endswith(
        "parameters.tsv:4: high + low + lost = 1.2: shares of one whole sum to 1"
    )


def test_few_digits_are_enough(folder: Path) -> None:
    (folder / "cells.ant").write_text(CELLS.replace("lost = 0.2", "lost = 0.2000009"), "utf-8")
    (folder / "parameters.tsv").write_text(_table(lost=("0.2000009", "1")), "utf-8")
    assert load_model(folder).entity("lost").value == 0.2000009


def test_a_share_is_a_pure_number(folder: Path) -> None:
    cells = CELLS.replace("lost has dimensionless", "lost has volume")
    (folder / "cells.ant").write_text(cells.replace(" + lost)", ")"), "utf-8")
    (folder / "parameters.tsv").write_text(_table(lost=("0.2", "L")), "utf-8")
    with pytest.raises(ModelError, match="parameters.tsv:4: lost is a share, and so no L"):
        load_model(folder)


def test_every_variant_has_whole_shares(folder: Path) -> None:
    variants = "toy: {parts: [cells.ant], default: true}\nfewer: {parts: [fewer.ant]}\n"
    (folder / "variants.yaml").write_text(variants, "utf-8")
    (folder / "fewer.ant").write_text(FEWER, "utf-8")
    load_model(folder)
    with pytest.raises(ModelError, match=r":3: high \+ low = 0.8: shares of one whole"):
        load_model(folder, "fewer")


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ("set: {high: 0.1, low: 0.2, lost: 0.7}\n", ()),
        ("set: {high: 0.6, lost: 0.1}\n", ()),
        ("perturbations: [none, gone]\n", ()),
        ("cell_line: odd\nset: {low: 0.1, lost: 0}\n", ()),
        ("design: {zip: {high: [1, 0], low: [0, 1], lost: [0, 0]}}\n", ()),
        ("cell_line: odd\nfinal: {high: 0.5}\n", ()),
        ("", ("high=0", "lost=0.7")),
        ("set: {k: 3 1/h}\n", ()),
    ],
)
def test_a_run_may_change_the_shares_of_a_whole(
    plan: Plans, more: str, settings: tuple[str, ...]
) -> None:
    assert plan(more, *settings).runs


@pytest.mark.parametrize(
    ("more", "settings", "message"),
    [
        ("set: {high: 0.7}\n", (), "toy.yaml:6: set.high: high + low + lost = 1.2: "),
        ("", ("high=0.7",), "--set high: high + low + lost = 1.2: "),
        ("", ("final.high=0.7",), "--set final.high: high + low + lost = 1.2: "),
        ("perturbations: [none, more]\n", (), "toy.yaml:6: perturbations.1: high + low + lost = 1.2"),
        ("perturbations: [{p: {set: {high: 0.1}}}]\nreference: p\n", (), "perturbations.0: high + low"),
        ("perturbations: [none, {both: gone + more}]\n", (), "set by one part and changed by"),
        ("perturbations: [none, {two: more + less}]\n", (), "perturbations.1: high + low + lost"),
        ("cell_line: odd\n", (), "toy.yaml:6: cell_line: high + low + lost = 1.4"),
        ("design: {cross: {high: [0.5, 0.6]}}\n", (), "design.cross.high: high + low + lost = 1.1"),
        ("design: {zip: {high: [0.5, 0.6], low: [0.3, 0.3]}}\n", (), "design.zip.high: high + low"),
        ("set: {high: 0.7, low: 0.1}\nperturbations: [more]\nreference: more\n", (), "perturbations.0"),
    ],
)  # fmt: skip
def test_a_run_that_breaks_a_whole_is_refused_with_the_place(
    plan: Plans, more: str, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(more, *settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plain_run_is_checked_too(folder: Path) -> None:
    model = load_model(folder)
    with pytest.raises(ScenarioError, match=r"^high \+ low \+ lost = 1.2: shares"):
        model.simulate([0, 1], changes={"high": [0.5, 0.7]})
    model.simulate([0, 1], changes={"high": [0.5, 0.7], "low": [0.3, 0.1]})


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.floats(1.001, 3))
def test_only_shares_of_a_whole_pass(sizes: list[float], more: float) -> None:
    shares = {f"s{number}": size / sum(sizes) for number, size in enumerate(sizes)}
    assert fault_of_whole(shares) == ""
    assert fault_of_whole({name: share * more for name, share in shares.items()})
