"""Small models that several tests share, and how their files and scenarios are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import xarray as xr

from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

DECAY = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second);
  compartment medium = 2; medium has volume;
  species drug in medium; drug = 0; k = 0.5; k has per_hour;
  loss: drug => ; medium*k*drug;
end
"""
DECAY_TABLE = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange"
    "\tevidence\tread\tsource\tnote\n"
    "k\t0.5\t1/h\tloss\tfixed\t\t\t\tassumed\tno\t\tan example\n"
    "medium\t2\tlitre\tvolume\tfixed\t\t\t\tassumed\tno\t\tan example\n"
)
SERUM_PROTEIN = """
model serum_protein()
  unit time_unit = 86400 second; unit substance = 1 gram; unit extent = 1 gram
  unit volume = 1 litre; unit per_day = 1 / (86400 second); unit gL = 1 gram / litre
  compartment serum = 1; serum has volume
  species M_protein in serum; M_protein = base; base = 30; base has gL
  kill = 0.05; kill has per_day; loss = 0.015; loss has per_day; growth = 0.01; growth has per_day
  J: => M_protein; serum * (growth - kill * exp(-loss * time)) * M_protein
end
"""
# An enzyme of the lysate makes a yellow product from its substrate; the cells die meanwhile.
WELL = """\
model plate_well()
  unit time_unit = 60 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit uM = 1e-6 mole / litre; unit mg = 1e-3 gram;
  unit per_minute = 1 / (60 second); unit per_minute_mg = 1 / (60 second * 1e-3 gram);
  compartment well = 1e-4; well has volume;
  species peptide in well, yellow in well; peptide = 0; yellow = 0;
  lysate_protein = 0; lysate_protein has mg; turnover = 0.05; turnover has per_minute_mg;
  death = 0.1; death has per_minute; live_cells := exp(-death * time);
  live_cells has dimensionless;
  cut: peptide -> yellow; well * turnover * lysate_protein * peptide;
end
"""


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """A new folder with these files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def evaluated(
    path: Path, model: str, text: str, swaps: Iterable[tuple[str, str]]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Trajectories and evaluation of a scenario whose ``{model}`` is put at the path.

    Pieces of the scenario are replaced first.
    """
    path.write_text(model, "utf-8")
    dataset = simulate(scenario_from_text(swapped(text.format(model=path), swaps), "f"))
    return dataset, evaluate(dataset)


def swapped(text: str, swaps: Iterable[tuple[str, str]]) -> str:
    """The text with pieces of it replaced, each of which it must have."""
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return text
