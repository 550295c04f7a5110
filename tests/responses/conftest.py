"""A toy dish whose dose-response is known in closed form, and scenarios that titrate it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from myelode.scenario import Scenario, scenario_from_text

# What is inside is the dose over one plus efflux over permeability; cells are a Hill curve of it.
DISH = """\
model dish()
  unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
  unit volume = 1 litre; unit nM = 1e-9 mole / litre; unit per_hour = 1 / (3600 second);
  compartment well = 1; well has volume;
  species drug in well, other in well; drug = 0; other = 0;
  K = 20; K has nM; h = 1.5; h has dimensionless; rest = 0; rest has dimensionless;
  efflux = 0; permeation = 1; efflux has per_hour; permeation has per_hour;
  growth = 0.05; growth has per_hour;
  inside := drug / (1 + efflux / permeation); inside has nM;
  share := rest + (1 - rest) / (1 + (inside / K)^h); share has dimensionless;
  cells := share * exp(growth * time); cells has dimensionless;
  dying := 0.01 + 0.8 * (1 - 1 / (1 + (inside / K)^h)); dying has dimensionless;
  wave := 1 - 0.9 * inside / (inside + K) * 5000 / (5000 + inside); wave has dimensionless;
  steady: drug -> drug; 0 * well * permeation * drug;
end
"""
TEXT = """\
id: titration
title: a closed form
model: {model}
perturbations:
  - none
  - pumping: {{set: {{efflux: 2 1/h}}}}
  - mutant: {{scale: {{K: 10}}}}
  - half_lost: {{set: {{rest: 0.6}}}}
regimen: [{{at: 0 h, label: drug, dose: drug, to: 10 nM}}]
{design}
observe: {{every: 1 h, until: 24 h, outputs: [cells]}}
{rest}
"""
LADDER = "design: {dose: {of: drug, from: 0.1 nM, to: 10 umol/L, points: 25, zero: true}}"
REST = """\
endpoints: {ic50: {of: cells, take: ic50, at: 24 h}}
outcome: {of: ic50, resistant_if: fold > 5, reduced_if: fold > 2}
"""
Write = Callable[..., Scenario]


@pytest.fixture
def dish(tmp_path: Path) -> Path:
    """The file of the toy dish."""
    path = tmp_path / "dish.ant"
    path.write_text(DISH)
    return path


@pytest.fixture
def titration(dish: Path) -> Write:
    """A scenario of the toy dish; its design, endpoints and more can be said otherwise."""

    def write(design: str = LADDER, rest: str = REST) -> Scenario:
        return scenario_from_text(TEXT.format(model=dish, design=design, rest=rest), "titration")

    return write
