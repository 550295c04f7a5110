"""A small model, a scenario of it, and sweeps of the scenario, which several tests share."""

from __future__ import annotations

from pathlib import Path

from myelode.sweeps.plans import SweepPlan, plan_sweep
from myelode.sweeps.sections import Sweep, sweep_from_text
from tests.toys import DECAY, DECAY_TABLE, write_files

PERTURBATIONS = """\
fast: {scale: {k: 4}, evidence: assumed}
fixed: {set: {k: 0.25 1/h}, evidence: assumed}
"""
LINES = """\
slow_line: {set: {k: 0.1 1/h}, evidence: assumed, source: an example}
quick_line: {set: {k: 2 1/h}, evidence: assumed, source: an example}
"""
VARIANTS = "dish: {title: a dish, parts: [decay.ant], default: true}\n"
SCENARIO = """\
id: pulse
title: a dose that decays
model: {model}
perturbations: [none, fast]
regimen:
  - {{at: 1 h, label: pulse, dose: drug, to: 2 uM}}
  - {{at: 3 h, label: wash, wash: medium, dilute: 10}}
observe: {{every: 1 h, until: 6 h, at: [wash-], outputs: [drug]}}
endpoints:
  left: {{of: drug, take: value, at: wash-}}
  area: {{of: drug, take: auc}}
  share: {{expr: left / area}}
outcome: {{of: area, resistant_if: fold < 0.5}}
rules:
  exposure: [{{label: low, if: area < 2}}, {{label: high, if: area >= 2}}]
"""


def write_decay(folder: Path) -> Path:
    """A folder with the model and its scenario; gives the path of the scenario."""
    files = {
        "decay.ant": DECAY, "parameters.tsv": DECAY_TABLE, "perturbations.yaml": PERTURBATIONS,
        "cell_lines.yaml": LINES, "variants.yaml": VARIANTS,
    }  # fmt: skip
    model = write_files(folder / "decay", files)
    scenario = folder / "pulse.yaml"
    scenario.write_text(SCENARIO.format(model=model), "utf-8")
    return scenario


def sweep_of(scenario: Path, design: str, more: str = "") -> Sweep:
    """A sweep of a scenario with a design; `more` are further sections."""
    text = f"id: toy\ntitle: a toy\nscenario: {scenario}\ndesign:\n{_indented(design)}\n{more}"
    return sweep_from_text(text, str(scenario.parent / "toy.yaml"))


def plan_of(scenario: Path, design: str, more: str = "") -> SweepPlan:
    """The plan of such a sweep."""
    return plan_sweep(sweep_of(scenario, design, more))


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
