"""`why` and `fluxes`: what scripts rely on, what people read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main
from myelode.results import read_result

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]
Change = Callable[[str, str], Path]
WHY = ("--from", "none", "--to", "slow", "--endpoint", "before")
FLUXES = ("--of", "drug", "--at", "1 h")


def test_why_gives_the_keys_that_scripts_rely_on(answer: Answer, change: Change) -> None:
    path = change("{slow: {scale: {k: 0.5}}}", "{slow: {scale: {k: 0.5, medium: 2}}}")
    found = answer("why", path, *WHY)
    assert {"gap", "shapley", "interaction"} <= set(found)
    assert set(found["shapley"]) == {"k", "medium"}
    assert found["shapley"]["k"] == pytest.approx(1)
    assert found["shapley"]["medium"] == pytest.approx(0, abs=1e-9)
    assert found["gap"] == pytest.approx(0.6065306597 - 0.3678794412)
    assert found["interaction"] == pytest.approx(0, abs=1e-9)
    assert (found["scale"], found["method"], found["unit"]) == ("linear", "exact", "umol/L")
    assert found["parameters"]["k"]["to"] == "0.25 1/h"
    assert "no advice" in found["notice"]


def test_why_is_read_by_people(
    capsys: pytest.CaptureFixture[str], scenario: Path, tmp_path: Path
) -> None:
    files = "-o", str(tmp_path / "why.nc"), "--plot", str(tmp_path / "why.png")
    assert main(["why", str(scenario), *WHY, *files]) == 0
    shown = capsys.readouterr().out
    assert "100 % of the gap is k (0.5 1/h to 0.25 1/h)." in shown
    assert "Shares of the gap in before" in shown
    assert f"Plot: {tmp_path / 'why.png'}" in shown
    assert (tmp_path / "why.png").stat().st_size > 0
    stored = read_result(tmp_path / "why.nc")
    assert float(stored["shapley"].sel(parameter="k")) == pytest.approx(1)
    assert main(["why", str(scenario), *WHY, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_why_takes_settings_for_both_sides_and_for_one(answer: Answer, scenario: Path) -> None:
    found = answer("why", scenario, *WHY, "--set", "k='1 1/h'")
    assert found["parameters"]["k"]["from"] == "1 1/h"
    sides = ("--from", "k=1 1/h", "--to", "k=2 1/h", "--endpoint", "before", "--scale", "log")
    again = answer("why", scenario, *sides)
    assert again["shapley"] == {"k": pytest.approx(1)}


def test_fluxes_are_said_and_shown(
    capsys: pytest.CaptureFixture[str], answer: Answer, scenario: Path, tmp_path: Path
) -> None:
    found = answer("fluxes", scenario, *FLUXES)
    none = found["perturbations"]["none"]
    assert none["reactions"]["loss"]["share_of_loss"] == pytest.approx(1)
    assert none["reactions"]["loss"]["share_of_production"] is None
    assert (found["species"], found["at"], found["unit"]) == ("drug", 1.0, "umol/h")
    files = "-o", str(tmp_path / "f.nc"), "--plot", str(tmp_path / "f.svg")
    assert main(["fluxes", str(scenario), *FLUXES, "--perturbation", "slow", *files]) == 0
    shown = capsys.readouterr().out
    assert "at 1 h, 100 % of drug loss is loss (in all 0.389 umol/h)." in shown
    assert read_result(tmp_path / "f.nc")["flux"].attrs["units"] == "umol/h"


def test_fluxes_of_a_plain_model(answer: Answer, model: Path) -> None:
    found = answer("fluxes", model, *FLUXES)
    assert found["perturbations"][""]["loss"] == 0
    assert found["text"][0] == "at 1 h, there is no loss of drug."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("why", "--from", "none", "--to", "slo", "--endpoint", "before"), "'slo' is no perturbation"),
        (("why", "--from", "none", "--to", "slow", "--endpoint", "befor"), "unknown endpoint 'befor'"),
        (("why", "--from", "none", "--to", "slow", "--endpoint", "low"), "for slow: no linear gap"),
        (("why", *WHY, "--plot", "why.gif"), "a figure ends in .png, .svg, .pdf"),
        (("why", *WHY, "--arm", "early"), "has no arms"),
        (("why", "--from", "none", "--to", "slow"), "--endpoint"),
        (("fluxes", "--of", "drog", "--at", "1 h"), "unknown species 'drog'"),
        (("fluxes", "--of", "drug", "--at", "11 h"), "after the end"),
        (("fluxes", "--of", "drug", "--at", "rinse"), "unknown label 'rinse'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(
    complaint: Complaint, scenario: Path, arguments: tuple[str, ...], message: str
) -> None:
    command, *rest = arguments
    assert message in complaint(command, scenario, *rest)


def test_a_setting_of_a_model_has_no_place(complaint: Complaint, model: Path) -> None:
    assert "--set goes with a scenario" in complaint("fluxes", model, *FLUXES, "--set", "k=1")
