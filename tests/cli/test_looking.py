"""`list`, `show`, `check`, `replay` and `export`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]
Change = Callable[[str, str], Path]


@pytest.mark.parametrize("kind", ["models", "scenarios", "perturbations", "sweeps"])
def test_a_list_names_what_is_shipped(answer: Answer, kind: str) -> None:
    found = answer("list", kind)
    assert list(found) == [kind]
    for item in found[kind]:
        assert set(item) == {"name", "title", "path", "model"}
        assert Path(item["path"]).exists()
        assert all(item.values())


@pytest.mark.parametrize("kind", ["populations", "panels"])
def test_what_there_is_not_yet_is_an_empty_list(answer: Answer, kind: str) -> None:
    assert answer("list", kind) == {kind: []}
    assert main(["list", kind]) == 0


def test_a_model_is_shown_with_its_parts(answer: Answer, model: Path) -> None:
    found = answer("show", model)
    assert found["name"] == "decay"
    assert [item["name"] for item in found["species"]] == ["drug"]
    assert [item["name"] for item in found["reactions"]] == ["loss"]
    rate = next(item for item in found["parameters"] if item["name"] == "k")
    assert (rate["value"], rate["unit"], rate["evidence"]) == (0.5, "1/h", None)
    assert found["claims"] == []


def test_the_shipped_model_shows_numbers_with_their_sources(answer: Answer) -> None:
    found = answer("show", "melflufen")
    assert {"name", "species", "parameters", "reactions", "claims"} <= set(found)
    keys = {"name", "value", "unit", "distribution", "evidence", "source"}
    assert all(keys <= set(row) for row in found["parameters"])
    assert found["claims"]


def test_effective_values_say_who_set_them(
    capsys: pytest.CaptureFixture[str], answer: Answer, scenario: Path
) -> None:
    found = answer("show", scenario, "--effective")["effective"]
    assert found["none"] == []
    [rate] = found["slow"]
    assert (rate["name"], rate["model"], rate["value"]) == ("k", 0.5, 0.25)
    assert rate["set_by"] == ["perturbation slow: x 0.5"]
    assert main(["show", str(scenario), "--effective"]) == 0
    assert "perturbation slow: x 0.5" in capsys.readouterr().out


def test_equations_are_shown(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    assert main(["show", str(model), "--equations"]) == 0
    assert "d amount(drug)/dt" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["", "--parameters", "--claims"])
@pytest.mark.parametrize("name", ["melflufen", "gamma_h2ax_washout"])
def test_every_part_of_what_is_shipped_can_be_shown(
    capsys: pytest.CaptureFixture[str], name: str, part: str
) -> None:
    assert main(["show", name, *([part] if part else [])]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 10


def test_check_finds_errors_and_warnings_of_each_file(
    answer: Answer, scenario: Path, model: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(scenario.read_text().replace("fold > 1.1", "fald > 1.1"))
    found = answer("check", scenario, model, bad, code=2)["files"]
    assert [item["path"] for item in found] == [str(scenario), str(model), str(bad)]
    assert found[0]["errors"] == found[1]["errors"] == []
    assert "no parameter table" in found[1]["warnings"][0]
    [error] = found[2]["errors"]
    assert "bad.yaml:13: outcome" in error
    assert "'fold'?" in error


def test_check_finds_what_a_run_would_without_running(
    answer: Answer, change: Change, scenario: Path
) -> None:
    change("take: max}", "take: max, from: 3 h, until: 3 h}")
    [item] = answer("check", scenario, code=2)["files"]
    assert "the window from 3 to 3 is empty" in item["errors"][0]


@pytest.mark.parametrize("name", ["melflufen", "melflufen/gamma_h2ax_washout"])
def test_check_has_nothing_to_say_about_what_is_shipped(answer: Answer, name: str) -> None:
    assert answer("check", name)["files"] == [{"path": name, "errors": [], "warnings": []}]


def test_a_result_replays(answer: Answer, scenario: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.nc"
    assert main(["run", str(scenario), "-o", str(result), "--quiet"]) == 0
    scenario.unlink()
    found = answer("replay", result)
    assert found["passed"] is True
    assert found["max_difference"] <= 1e-9


def test_a_result_that_does_not_come_again_gives_3(
    capsys: pytest.CaptureFixture[str], answer: Answer, scenario: Path, tmp_path: Path
) -> None:
    from myelode.results import read_result, write_result

    result = tmp_path / "result.nc"
    assert main(["run", str(scenario), "-o", str(result), "--quiet"]) == 0
    dataset = read_result(result)
    dataset["drug"].values[0, 3] += 1e-3
    write_result(dataset, result)
    found = answer("replay", result, code=3)
    assert found["passed"] is False
    assert found["max_difference"] == pytest.approx(1e-3, rel=0.01)
    assert main(["replay", str(result)]) == 3
    assert "NOT the same" in capsys.readouterr().out


def test_an_export_is_written(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "decay.xml"
    assert main(["export", str(model), "--to", "sbml", "-o", str(target)]) == 0
    assert str(target) in capsys.readouterr().out
    assert target.read_text().startswith("<?xml")


def test_check_reports_a_file_that_would_harm_the_program(
    answer: Answer, model: Path, scenario: Path
) -> None:
    model.write_text("model m()\n  loss: drug =>=> ;\nend\n")
    for item in answer("check", model, scenario, code=2)["files"]:
        assert len(item["errors"]) == 1
        assert re.search(r"decay\.ant.*\b2\b", item["errors"][0])


def test_many_warnings_are_counted_rather_than_listed(
    capsys: pytest.CaptureFixture[str], model: Path
) -> None:
    lines = [line for line in model.read_text().splitlines() if "unit" not in line]
    reactions = [f"  loss{number}: drug => ; k*drug;" for number in range(20)]
    model.write_text("\n".join([*lines[:-1], *reactions, "end", ""]))
    assert main(["check", str(model)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("  warning: ") == 10
    assert "more warnings, which --json shows" in shown
