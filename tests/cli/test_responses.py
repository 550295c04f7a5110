"""`dose-response` and `cross-resistance`: what scripts rely on, what people read, bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main
from myelode.results import read_result

from ..responses.conftest import DISH, LADDER, REST, TEXT

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]


@pytest.fixture
def titration(tmp_path: Path) -> Path:
    """A scenario with a ladder, whose curves are known."""
    (tmp_path / "dish.ant").write_text(DISH)
    path = tmp_path / "titration.yaml"
    path.write_text(TEXT.format(model="dish.ant", design=LADDER, rest=REST))
    return path


@pytest.fixture
def folder(titration: Path) -> Path:
    """A model folder that declares a matrix of one drug."""
    (titration.parent / "cross_resistance.yaml").write_text(
        "scenario: titration.yaml\nperturbations: [pumping, half_lost]\n"
    )
    return titration.parent


def test_curves_have_the_keys_that_scripts_rely_on(answer: Answer, titration: Path) -> None:
    found = answer("dose-response", titration)
    assert found["fold"] == {
        "none": 1.0, "pumping": pytest.approx(3), "mutant": pytest.approx(10), "half_lost": "inf",
    }  # fmt: skip
    curve = found["curves"]["pumping"]
    keys = {"dose", "dose_unit", "response", "ic50", "emax", "hill", "read_at", "definition"}
    assert keys | {"flags", "ec50", "auc", "gr50", "grmax", "gr_aoc"} <= set(curve)
    assert (curve["dose_unit"], curve["read_at"]) == ("nmol/L", "24 h")
    assert len(curve["dose"]) == len(curve["response"]) == 26
    assert curve["ic50"] == pytest.approx(60)
    assert curve["outcome"] == {
        "class": "reduced", "fold": pytest.approx(3), "reason": "3 times the reference",
    }  # fmt: skip
    lost = found["curves"]["half_lost"]
    assert lost["ic50"] == "inf"
    assert lost["flags"] == ["not reached: 0.6 of the control is left, at the lowest, up to 10 uM"]
    assert "no advice" in found["notice"]


def test_a_fit_and_what_is_asked_for_are_there(answer: Answer, titration: Path) -> None:
    found = answer(
        "dose-response", titration, "--of", "share", "--at", "12 h", "--from", "1 nM", "--to",
        "1 umol/L", "--points", 7, "--perturbation", "mutant", "--fit",
    )  # fmt: skip
    assert list(found["curves"]) == ["none", "mutant"]
    assert (found["response_of"], found["read_at"]) == ("share", "12 h")
    fit = found["curves"]["mutant"]["fit"]
    assert fit["ec50"] == pytest.approx(200)
    assert fit["residual"] < 1e-6


def test_people_read_numbers_definition_and_time(
    capsys: pytest.CaptureFixture[str], titration: Path, tmp_path: Path
) -> None:
    files = tmp_path / "curves.nc", tmp_path / "curves.png"
    assert (
        main(["dose-response", str(titration), "-o", str(files[0]), "--plot", str(files[1])]) == 0
    )
    shown = capsys.readouterr().out
    assert "not reached" in shown
    assert "read at 24 h; doses from 100 pM to 10 uM" in shown
    assert "Resistant if fold > 5, reduced if fold > 2." in shown
    assert read_result(files[0])["fold"].values[1] == pytest.approx(3)
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str], titration: Path) -> None:
    assert main(["dose-response", str(titration), "--quiet", "--points", "5"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--of", "shar"], "did you mean 'share'"),
        (["--from", "0 nM"], "has no place on a log axis"),
        (["--from", "9 nM", "--to", "1 nM"], "runs from a positive dose to a higher one"),
        (["--fit", "--points", "3"], "a fit of a Hill curve needs 4 positive doses or more"),
        (["--uncertainty", "0"], "greater than or equal to 1"),
        (["--plot", "curves.txt"], "a figure ends in"),
        (["--dose", "drg"], "no dose is labelled 'drg': did you mean 'drug'"),
    ],
)
def test_bad_input_is_one_line(
    complaint: Complaint, titration: Path, options: list[str], message: str
) -> None:
    assert message in complaint("dose-response", titration, *options).replace("\n", " ")


def test_a_matrix_has_the_keys_that_scripts_rely_on(answer: Answer, folder: Path) -> None:
    found = answer("cross-resistance", folder, "--read", "12 h")
    assert found["compounds"] == ["dish"]
    assert found["perturbations"] == ["pumping", "half_lost"]
    assert found["fold"] == [[pytest.approx(3)], ["inf"]]
    assert found["interval"] is None
    assert found["read_at"] == "12 h"
    assert found["ic50_reference"] == [pytest.approx(20)]


def test_people_read_a_table_of_folds(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    figure = tmp_path / "folds.svg"
    chosen = ["--perturbations", "pumping", "--points", "9", "--plot", str(figure)]
    assert main(["cross-resistance", str(folder), *chosen]) == 0
    shown = capsys.readouterr().out
    assert "pumping" in shown
    assert "half_lost" not in shown
    assert "read at 24 h" in shown
    assert figure.read_text().startswith("<?xml")


def test_across_the_models_what_is_unknown_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--perturbations", "mdr1", "--compounds", "melphalan,bortezomib"]
    assert main(["cross-resistance", "all", *chosen]) == 0
    shown = capsys.readouterr().out
    assert "1 (stated)" in shown
    assert "mdr1, bortezomib: a vendor text says" in shown
    assert "verdict: unsupported" in shown
