"""Shipped models and scenarios are found by name, others by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from myelode import library
from myelode.errors import ModelError, ScenarioError
from myelode.library import data_root, find_model, find_scenario, models, scenarios


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two models and four scenarios; the working directory is elsewhere."""
    root = tmp_path / "data"
    for name in (
        "models/melflufen/cell.ant",
        "models/melflufen/plasma.ant",
        "models/cereblon/cereblon.ant",
        "models/notes/readme.md",
        "scenarios/melflufen/washout.yaml",
        "scenarios/melflufen/assays/gamma_h2ax.yaml",
        "scenarios/melflufen/dose.yaml",
        "scenarios/cereblon/dose.yaml",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    monkeypatch.setattr(library, "data_root", lambda: root)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return root


def test_the_checkout_or_the_installed_package_has_models() -> None:
    assert "melflufen" in models()
    assert models()["melflufen"] == data_root() / "models" / "melflufen"


def test_every_shipped_scenario_is_found_by_its_name() -> None:
    assert scenarios()
    for name, path in scenarios().items():
        assert find_scenario(name) == path
        assert path.is_file()


def test_a_model_is_a_folder_with_antimony(shelf: Path) -> None:
    assert models() == {name: shelf / "models" / name for name in ("cereblon", "melflufen")}


def test_a_scenario_is_named_by_its_path_below_scenarios(shelf: Path) -> None:
    assert list(scenarios()) == [
        "cereblon/dose",
        "melflufen/assays/gamma_h2ax",
        "melflufen/dose",
        "melflufen/washout",
    ]


def test_a_shipped_model_is_found_by_name(shelf: Path) -> None:
    assert find_model("melflufen") == shelf / "models" / "melflufen"


@pytest.mark.parametrize("name", ["gamma_h2ax", "melflufen/assays/gamma_h2ax"])
def test_the_last_part_of_a_unique_name_is_enough(shelf: Path, name: str) -> None:
    assert find_scenario(name) == shelf / "scenarios/melflufen/assays/gamma_h2ax.yaml"


def test_a_last_part_that_two_scenarios_share_is_refused_with_both(shelf: Path) -> None:
    with pytest.raises(ScenarioError, match="several: cereblon/dose, melflufen/dose"):
        find_scenario("dose")


@pytest.mark.parametrize("name", ["own.yaml", "folder/own.yaml", "own"])
def test_a_path_that_exists_is_taken_as_it_is(shelf: Path, name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
    assert find_scenario(name) == Path(name)


def test_a_shipped_name_wins_over_a_folder_of_that_name(shelf: Path) -> None:
    Path("melflufen").mkdir()
    assert find_model("melflufen") == shelf / "models" / "melflufen"
    assert find_model("./melflufen") == Path("./melflufen")
    assert find_model(Path("melflufen")) == Path("melflufen")


@pytest.mark.parametrize("wanted", ["mine.ant", "a/mine.xml", "melflufen.sbml", Path("melflufen")])
def test_a_path_that_does_not_exist_is_said_to_be_missing(shelf: Path, wanted: str | Path) -> None:
    with pytest.raises(ModelError, match=r"mel|mine.*: no such file"):
        find_model(wanted)


def test_an_unknown_model_names_the_closest_and_how_to_see_all(shelf: Path) -> None:
    message = (
        "no model or file is called 'melflufan': did you mean 'melflufen'?"
        " ('myelode list models' shows all)"
    )
    with pytest.raises(ModelError) as raised:
        find_model("melflufan")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("wanted", "meant"), [("wash_out", "washout"), ("melflufen/wash_out", "melflufen/washout")]
)
def test_an_unknown_scenario_is_matched_as_it_was_written(
    shelf: Path, wanted: str, meant: str
) -> None:
    with pytest.raises(ScenarioError, match=f"did you mean '{meant}'"):
        find_scenario(wanted)


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(shelf: Path, name: str) -> None:
    with pytest.raises(ModelError, match="no model or file"):
        find_model(name)
