"""Sweep files: what may stand in them, and what is said of what may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myelode import library
from myelode.descriptions import list_items
from myelode.errors import ScenarioError
from myelode.settings import with_settings
from myelode.sweeps.sections import load_sweep, sweep_from_text, sweep_json_schema

WHOLE = """\
id: entry_and_hydrolysis
title: Where does faster hydrolysis outrun entry?
scenario: gamma_h2ax_washout
with:
  perturbations: [none]
  observe.until: 24 h
design:
  cross:
    - grid:
        k_H: {from: 0.1 1/h, to: 10 1/h, points: 40, spacing: log}
        cell_line: [MM.1S, RPMI-8226]
    - sobol: {points: 1024, seed: 3, over: {k_FA: {spread: uncertainty}, k_D: {from: 1, to: 2}}}
    - latin_hypercube: {points: 10, over: uncertainty}
    - zip:
        - random: {points: 10, over: {a: [1, 2]}}
        - table: points.csv
record: [gamma_h2ax]
endpoints: [peak]
engine: ensemble
rtol: 1e-6
atol: 1e-9
reproducible: true
limits: {steps: 100000, seconds: 10}
chunk: 512
"""
SHORT = "id: a\ntitle: b\nscenario: c\n"
"""What every sweep has, in three lines, without its design."""


def test_a_whole_file_is_read_as_it_stands() -> None:
    sweep = sweep_from_text(WHOLE)
    grid, sobol, hypercube, zipped = sweep.design.cross or []
    assert [part.kind for part in sweep.design.cross or []] == [
        "grid",
        "sobol",
        "latin_hypercube",
        "zip",
    ]
    assert (sobol.sobol.points, sobol.sobol.seed) == (1024, 3)
    assert (grid.grid["k_H"].points, grid.grid["k_H"].spacing) == (40, "log")
    assert hypercube.latin_hypercube.over == "uncertainty"
    assert [part.kind for part in zipped.zip] == ["random", "table"]
    assert (sweep.rtol, sweep.limits.steps, sweep.chunk, sweep.record) == (
        1e-6,
        100_000,
        512,
        ["gamma_h2ax"],
    )


def test_what_is_left_out_has_its_usual_value() -> None:
    sweep = sweep_from_text(SHORT + "design: {grid: {k: [1]}}")
    assert (sweep.engine, sweep.rtol, sweep.reproducible, sweep.chunk) == (
        "auto",
        None,
        False,
        None,
    )
    assert (sweep.record, sweep.endpoints, sweep.limits.seconds) == ([], None, None)


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("elasticities", "{over: [a, b]}"),
        ("elasticities", "{step: 0.1, over: uncertainty}"),
        ("morris", "{trajectories: 10, levels: 6, over: {a: {from: 1, to: 2}}}"),
        ("saltelli", "{points: 64, second_order: true, over: {a: {from: 1, to: 2}}}"),
    ],
)
def test_designs_of_sensitivity_are_blocks_too(kind: str, section: str) -> None:
    assert sweep_from_text(f"{SHORT}design: {{{kind}: {section}}}").design.kind == kind


def test_settings_are_what_the_command_line_would_say() -> None:
    sweep = sweep_from_text(WHOLE)
    data = with_settings({"observe": {}}, sweep.settings, ["observe", "perturbations"])
    assert data == {"observe": {"until": "24 h"}, "perturbations": ["none"]}


def test_text_and_place_make_the_sweep_again(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(WHOLE, "utf-8")
    (tmp_path / "points.csv").write_text("a\n1\n", "utf-8")
    sweep = load_sweep(path)
    again = sweep_from_text(sweep.text, sweep.where)
    assert again == sweep
    assert again.beside("points.csv") == str(tmp_path / "points.csv")


def test_errors_inside_say_where_they_arose() -> None:
    sweep = sweep_from_text(WHOLE, "own.yaml")
    with (
        pytest.raises(
            ScenarioError, match=r"^own.yaml:10: design.cross.0.grid.k_H: no such value$"
        ),
        sweep.at("design", "cross", 0, "grid", "k_H"),
    ):
        raise ScenarioError("no such value")


def test_a_name_that_no_sweep_has_is_refused_in_one_line() -> None:
    with pytest.raises(
        ScenarioError, match="no sweep or file is called 'nowhere'.*myelode list sweeps"
    ):
        load_sweep("nowhere")


def test_shipped_sweeps_are_listed_and_are_no_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scenarios" / "sweeps"
    folder.mkdir(parents=True)
    scenario = library.scenarios()["melflufen/gamma_h2ax_washout"]
    monkeypatch.setattr(library, "data_root", lambda: tmp_path)
    (folder / "own.yaml").write_text(
        f"id: own\ntitle: My sweep\nscenario: {scenario}\ndesign: {{grid: {{k: [1]}}}}", "utf-8"
    )
    assert library.scenarios() == {}
    [row] = list_items("sweeps")
    assert row == {
        "name": "own",
        "title": "My sweep",
        "path": str(folder / "own.yaml"),
        "model": "melflufen",
    }
    assert load_sweep("own").id == "own"


def test_the_scenario_of_a_shipped_sweep_may_stand_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scenarios" / "sweeps"
    folder.mkdir(parents=True)
    (tmp_path / "scenarios" / "own.yaml").write_text("model: toy", "utf-8")
    (folder / "own.yaml").write_text("id: own\ntitle: t\nscenario: ../own.yaml", "utf-8")
    monkeypatch.setattr(library, "data_root", lambda: tmp_path)
    assert list_items("sweeps")[0]["model"] == "toy"


def test_every_shipped_sweep_is_read() -> None:
    for name in library.sweeps():
        assert load_sweep(name).id == name


BLOCK = "design:\n  "
BAD = {
    "unknown key": ("desing: {}", r":4: desing: unknown key 'desing': did you mean 'design'\?$"),
    "unknown kind": (BLOCK + "gird: {}", r":5: design.gird: unknown key 'gird': did you mean 'grid'\?$"),
    "unknown part of a range": (
        BLOCK + "grid:\n    k: {form: 1, to: 2, points: 2}",
        r":6: design.grid.k.form: unknown key 'form': did you mean 'from'",
    ),
    "points in a space": (
        BLOCK + "sobol:\n    points: 4\n    over:\n      k: {from: 1, to: 2, points: 2}",
        r":8: design.sobol.over.k.points: unknown key 'points'$",
    ),
    "unknown part of a nested block": (
        BLOCK + "cross:\n    - grid: {k: [1]}\n    - random: {point: 3, points: 3, over: uncertainty}",
        r":7: design.cross.1.random.point: unknown key 'point': did you mean 'points'\?$",
    ),
    "unknown limit": ("limits: {step: 3}", r":4: limits.step: unknown key 'step': did you mean 'steps'\?$"),
    "no design": ("chunk: 3", r":1: design: 'design' is missing$"),
    "two kinds": (
        BLOCK + "grid: {k: [1]}\n  table: a.csv",
        r":4: design: a design has one of grid, .*: not grid and table: cross or zip them$",
    ),
    "no kind": ("design: {}", r":4: design: a design has one of grid, .*: none is given$"),
    "an axis without values": (BLOCK + "grid: {k: []}", r":5: design.grid.k: .*at least 1 item"),
    "no axis": (BLOCK + "grid: {}", r":5: design.grid: .*at least 1 item"),
    "a lone value": (BLOCK + "grid: {k: 3}", r":5: design.grid.k: an axis lists its values, or has from, to and points$"),
    "a lone value of a space": (
        BLOCK + "random: {points: 2, over: {k: 3}}",
        r":5: design.random.over.k: an axis lists its values, or has from and to, or the name of a spread$",
    ),
    "a spread in a grid": (BLOCK + "grid: {k: {spread: uncertainty}}", r":5: design.grid.k: a spread is for random"),
    "one point in a range": (BLOCK + "grid: {k: {from: 1, to: 2, points: 1}}", r":5: design.grid.k.points: .*greater than or equal to 2"),
    "unknown spread": (
        BLOCK + "random: {points: 2, over: {k: {spread: uncertanty}}}",
        r":5: design.random.over.k.spread: 'uncertanty' is none of 'uncertainty', .*did you mean 'uncertainty'",
    ),
    "unknown column": (BLOCK + "random: {points: 2, over: everything}", r":5: design.random.over: 'everything' is none of 'uncertainty'"),
    "elasticities over a text": (BLOCK + "elasticities: {over: k}", r":5: design.elasticities.over: 'k' is none of"),
    "over nothing": (BLOCK + "sobol: {points: 2, over: [k]}", r":5: design.sobol.over: axes by name are due, or one of uncertainty"),
    "elasticities over axes": (BLOCK + "elasticities: {over: {k: [1]}}", r":5: design.elasticities.over: a list of names is due"),
    "zero points": (BLOCK + "random: {points: 0, over: uncertainty}", r":5: design.random.points: .*greater than or equal to 1"),
    "too many points": (BLOCK + "random: {points: 2000000000, over: uncertainty}", r":5: design.random.points: .*less than or equal to 1000000000"),
    "no power of two": (
        BLOCK + "sobol: {points: 1000, over: uncertainty}",
        r":5: design.sobol.points: 1000 points are no power of two, as a Sobol sequence needs: write 512 or 1024$",
    ),
    "no power of two in saltelli": (
        BLOCK + "saltelli: {points: 3, over: uncertainty}", r":5: design.saltelli.points: 3 points .*: write 2 or 4$",
    ),
    "odd levels": (BLOCK + "morris: {levels: 5, over: uncertainty}", r":5: design.morris.levels: .*multiple of 2"),
    "a step of nothing": (BLOCK + "elasticities: {step: 0, over: uncertainty}", r":5: design.elasticities.step: .*greater than 0"),
    "a quantity as a list": (BLOCK + "grid: {k: {from: [1], to: 2, points: 2}}", r":5: design.grid.k.from: .*is not a quantity"),
    "a setting without value": ("with: {k: }", r":4: with.k: there is no value$"),
    "a chunk of nothing": ("chunk: 0", r":4: chunk: .*greater than or equal to 1"),
    "a negative tolerance": ("rtol: -1", r":4: rtol: .*greater than 0"),
    "infinite time": ("limits: {seconds: .inf}", r":4: limits.seconds: .*finite"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_one_line_with_its_place(text: str, said: str) -> None:
    is_about_design = "desi" in text + said
    whole = SHORT + text + ("" if is_about_design else "\ndesign: {grid: {k: [1]}}")
    with pytest.raises(ScenarioError, match="^own.yaml" + said) as caught:
        sweep_from_text(whole, "own.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["- 1", "just a text", "3"])
def test_what_is_no_mapping_is_no_sweep(text: str) -> None:
    with pytest.raises(ScenarioError, match="^own.yaml: a sweep is a mapping"):
        sweep_from_text(text, "own.yaml")


SCHEMA = library.data_root() / "scenarios" / "sweep.schema.json"
RENEW = "renew it: json.dumps(myelode.sweeps.sections.sweep_json_schema(), indent=1, ensure_ascii=False)"


def test_the_shipped_schema_is_current() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == sweep_json_schema(), RENEW


def test_the_schema_knows_every_key_and_allows_no_other() -> None:
    schema = sweep_json_schema()
    assert {"id", "with", "scenario", "design", "limits"} <= schema["properties"].keys()
    parts = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
    assert not any(part.get("additionalProperties", True) for part in parts)
