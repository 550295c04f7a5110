"""A small model folder for fits: a protein that a drug makes go faster, with two compounds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from myelode.compounds import COLUMNS as COMPOUND_COLUMNS
from myelode.parameters import COLUMNS as PARAMETER_COLUMNS
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.validation import COLUMNS as OBSERVATION_COLUMNS

REACTIONS = """\
model turnover()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second); unit uM = 1e-6 mole/litre;
  unit uM_per_hour = 1e-6 mole/litre/(3600 second); unit ratio = 1 dimensionless;
  compartment medium; medium = 2; medium has volume;
  k_loss = 0.5; k_loss has per_hour;
  k_made = 1; k_made has uM_per_hour;
  k_lost = 0.2; k_lost has per_hour;
  K_half = 1; K_half has uM;
  one = 1; one has ratio;
  protein_0 := k_made/k_lost; protein_0 has uM;
  species drug in medium; drug = 0;
  species protein in medium; protein = k_made/k_lost;
  relative := protein/protein_0; relative has ratio;
  loss: drug => ; medium*k_loss*drug;
  made: => protein; medium*k_made;
  lost: protein => ; medium*k_lost*protein*(one + drug/K_half);
end
"""
COURSE = """\
id: course
title: a protein after one dose
model: {model}
regimen: [{{at: 0 h, label: dose, dose: drug, to: 2 uM}}]
observe: {{every: 1 h, until: 24 h, outputs: [relative]}}
endpoints:
  least: {{of: relative, take: min}}
  half: {{of: drug, take: time_to, below: 1 uM}}
expect: [none.least < 1]
"""
LADDER = """\
id: ladder
title: the protein at four hours, by dose
model: {model}
compounds: [strong, weak]
regimen: [{{at: 1 h, label: dose, dose: drug, to: 2 uM}}]
design: {{dose: {{of: dose, values: [0 uM, 1 uM]}}}}
observe: {{until: 24 h, outputs: [relative]}}
"""
PARAMETERS = (
    ("medium", "2", "L", "fixed", ""),
    ("k_loss", "0.5", "1/h", "lognormal(gsd=2)", ""),
    ("k_made", "1", "umol/L/h", "lognormal(gsd=2)", ""),
    ("k_lost", "0.2", "1/h", "lognormal(gsd=2)", "0.001..10"),
    ("one", "1", "1", "fixed", ""),
)
POTENCIES = (("strong", "1"), ("weak", "10"))
VARIANTS = "only: {title: turnover, parts: [turnover.ant]}\n"
COMPOUNDS = "default: strong\ncompounds: {strong: {title: strong}, weak: {title: weak}}\n"
CELL_LINES = "fast: {title: fast, set: {k_lost: 0.4 1/h}, evidence: assumed, note: a test}\n"
RECORDS = """\
{data.json: {points: points, time: {field: time_min, unit: min},
             dose: {field: dose_nM, unit: nmol/L}, value: {field: replicates}}}"""


class Home:
    """A model folder, the scenarios `course` and `ladder` beside it, and what is fitted to them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "turnover"
        self.path.mkdir()
        (self.path / "turnover.ant").write_text(REACTIONS)
        (self.path / "variants.yaml").write_text(VARIANTS)
        (self.path / "compounds.yaml").write_text(COMPOUNDS)
        (self.path / "cell_lines.yaml").write_text(CELL_LINES)
        _table(self.path / "parameters.tsv", PARAMETER_COLUMNS, map(_parameter, PARAMETERS))
        _table(self.path / "compounds.tsv", COMPOUND_COLUMNS, map(_potency, POTENCIES))
        self.observe()
        for name, text in (("course", COURSE), ("ladder", LADDER)):
            (folder / f"{name}.yaml").write_text(text.format(model=self.path))

    def __str__(self) -> str:
        return str(self.path)

    def observe(self, *rows: Mapping[str, str]) -> None:
        """Rows of published numbers of `course`; a cell that is not given is for calibration."""
        course = str(self.folder / "course.yaml")
        default = {
            "observable": "x", "unit": "1", "use": "calibrate", "evidence": "assumed", "read": "no",
            "source": "x", "scenario": course,
        }  # fmt: skip
        first = {"id": "A", "value": "1", "endpoint": "none.least", "use": "context"}
        found = [{**default, **row} for row in (first, *rows)]
        _table(self.path / "observations.tsv", OBSERVATION_COLUMNS, found)

    def calibrate(self, text: str) -> None:
        """Write what is fitted to what, with ``DATA`` for how ``data.json`` is written."""
        (self.path / "calibration.yaml").write_text(text.replace("DATA", RECORDS))

    def course_data(self, values: Mapping[str, float], scale: float = 1, offset: float = 0) -> Path:
        """The course as a data file, with the values that a fit should find."""
        dataset = simulate(load_scenario(self.folder / "course.yaml"), overrides=values)
        found = dataset["relative"].sel(perturbation="none")
        points = [
            _point(60 * hour, 2000, offset + scale * float(found.sel(time=hour)))
            for hour in range(1, 25, 2)
        ]
        return self.data([{"what": "relative", "points": points}])

    def ladder_data(self, values: Mapping[str, float]) -> Path:
        """The ladders of both compounds at five hours, at doses of their own."""
        text = (self.folder / "ladder.yaml").read_text()
        text = text.replace("[0 uM, 1 uM]", "[0 uM, 0.1 uM, 0.7 uM, 3 uM, 9 uM]")
        file = self.folder / "ladder_of_data.yaml"
        file.write_text(text.replace("until: 24 h", "until: 24 h, at: [5 h]"))
        dataset = simulate(load_scenario(file), overrides=values)
        found = dataset["relative"].sel(perturbation="none", time=5)
        return self.data([
            {
                "drug": name,
                "points": [
                    _point(300, 1000 * float(dose), float(found.sel(compound=name, dose=dose)))
                    for dose in found["dose"]
                ],
            }
            for name in ("strong", "weak")
        ])  # fmt: skip

    def data(self, records: Any) -> Path:
        """The records as ``data.json``."""
        path = self.folder / "data.json"
        path.write_text(json.dumps(records))
        return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A model folder of which everything is known."""
    return Home(tmp_path)


def _parameter(cells: tuple[str, ...]) -> dict[str, str]:
    name, value, unit, spread, bounds = cells
    return {
        "name": name, "value": value, "unit": unit, "meaning": name, "uncertainty": spread,
        "range": bounds, "evidence": "assumed", "read": "no", "note": "a test",
    }  # fmt: skip


def _potency(cells: tuple[str, str]) -> dict[str, str]:
    compound, value = cells
    return {
        "compound": compound, "name": "K_half", "value": value, "unit": "umol/L",
        "meaning": "potency", "uncertainty": "lognormal(gsd=3)", "evidence": "assumed",
        "read": "no", "note": "a test",
    }  # fmt: skip


def _point(time: float, dose: float, value: float) -> dict[str, Any]:
    return {"time_min": time, "dose_nM": dose, "replicates": [value, 1.1 * value, 0.9 * value]}


def _table(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> None:
    lines = [columns, *(tuple(row.get(column, "") for column in columns) for row in rows)]
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
