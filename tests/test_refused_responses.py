"""A variant may say that it is not read as a clinic would, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from myelode.cli import main
from myelode.errors import ModelError, ScenarioError
from myelode.model import load_model
from myelode.plan import make_plan
from myelode.scenario import load_scenario

from .toys import DECAY, DECAY_TABLE, write_files

REASON = "what a trial published rests on more than the exposure that it has"
VARIANTS = """\
dish: {{title: dish, parts: [decay.ant], model: decay, default: true}}
patient:
  title: patient
  parts: [decay.ant]
  model: decay
  no_responses: {reason}
"""
SCENARIO = """\
id: asked
title: asked for a response
model: decay
variant: {variant}
design: {{patients: {{number: 3}}}}
observe: {{every: 7 d, until: 28 d, outputs: [drug]}}
responses:
  clinic: {{of: drug, every: 7 d}}
"""


def _folder(tmp_path: Path, reason: str = REASON) -> Path:
    files = {"decay.ant": DECAY, "variants.yaml": VARIANTS.format(reason=reason)}
    return write_files(tmp_path / "decay", {**files, "parameters.tsv": DECAY_TABLE})


def _scenario(tmp_path: Path, variant: str) -> Path:
    path = tmp_path / "asked.yaml"
    text = SCENARIO.format(variant=variant)
    path.write_text(text.replace("model: decay", f"model: {tmp_path / 'decay'}"))
    return path


def test_the_reason_is_that_of_the_variant(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert load_model(folder, "patient").no_responses == REASON
    assert load_model(folder, "dish").no_responses == ""


def test_responses_are_refused_with_place_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _folder(tmp_path)
    path = _scenario(tmp_path, "patient")
    path.write_text(path.read_text().replace("design: {patients: {number: 3}}\n", ""))
    assert main(["run", str(path)]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert line == (
        f"error: {path}:6: responses: decay (variant patient) computes no response rate and no "
        f"survival: {REASON}"
    )


def test_another_variant_has_responses(tmp_path: Path) -> None:
    _folder(tmp_path)
    path = _scenario(tmp_path, "dish")
    with pytest.raises(ScenarioError, match="asked.yaml:5: design.patients: no parameter of decay"):
        make_plan(load_scenario(path))


@pytest.mark.parametrize("reason", ["true", '" "', "[a, b]"])
def test_a_reason_is_a_text(tmp_path: Path, reason: str) -> None:
    with pytest.raises(ModelError, match=r"variants.yaml:6: patient.no_responses: is the reason"):
        load_model(_folder(tmp_path, reason), "patient")
