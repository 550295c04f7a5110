"""A small model and scenario, and two ways to ask the command line something."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main

from ..toys import DECAY

SCENARIO = """\
id: trial
title: a pulse, and its wash
model: {model}
perturbations: [none, {slow: {scale: {k: 0.5}}}]
regimen:
  - {at: 0 h, label: pulse, dose: drug, add: 1 uM}
  - {at: 2 h, label: wash, wash: medium, dilute: 10}
observe: {every: 30 min, until: 10 h, outputs: [drug]}
endpoints:
  peak: {of: drug, take: max}
  low: {of: drug, take: time_to, below: 1 nM, from: wash}
  before: {of: drug, take: value, at: wash-}
outcome: {of: before, resistant_if: fold > 1.1}
rules:
  kind: [{label: gone, if: before < 0.4}, {label: there}]
expect:
  - slow.before > none.before
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A drug that decays with 0.5/h."""
    path = tmp_path / "decay.ant"
    path.write_text(DECAY)
    return path


@pytest.fixture
def scenario(tmp_path: Path, model: Path) -> Path:
    """A scenario with all that the report of a run can show."""
    path = tmp_path / "trial.yaml"
    path.write_text(SCENARIO.replace("{model}", str(model)))
    return path


@pytest.fixture
def change(scenario: Path) -> Callable[[str, str], Path]:
    """Replaces a piece of the scenario."""

    def replace(old: str, new: str) -> Path:
        text = scenario.read_text()
        assert old in text
        scenario.write_text(text.replace(old, new))
        return scenario

    return replace


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The one JSON object that a command prints, with the exit code that it should have."""

    def ask(*arguments: object, code: int = 0) -> dict[str, Any]:
        assert main([*map(str, arguments), "--json"]) == code
        captured = capsys.readouterr()
        assert captured.err == ""
        found: dict[str, Any] = json.loads(captured.out)
        return found

    return ask


@pytest.fixture
def complaint(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line on standard error with which a command ends."""

    def ask(*arguments: object, code: int = 2) -> str:
        assert main(list(map(str, arguments))) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert captured.err.count("\n") == 1
        return captured.err

    return ask
