"""Dosing records as NONMEM reads them give the concentrations that NONMEM 7.5.1 computed.

Bolus and infusion, additional doses, lag, bioavailability, modelled duration, resets and steady
states of a one-compartment model with absorption, from mrgsolve's own validation. The expected
numbers are printed with five digits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode.engines import ENGINES
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

SCENARIOS = (1, 4, 6, 8, 9, 10, 12, 15, 17, 19, 22, 24, 25, 26, 29)
"""The numbers of the external check's scenarios, which a test below holds to be all of them."""

MODEL = """
model one_compartment()
  unit time_unit = 3600 second; unit substance = 1e-3 gram; unit extent = 1e-3 gram;
  unit volume = 1 litre; unit mg = 1e-3 gram; unit per_hour = 1 / (3600 second);
  unit litre_per_hour = litre / (3600 second); unit ug_per_litre = 1e-6 gram / litre;
  unit ug_per_mg = dimensionless;

  compartment body = 1; body has volume;
  substanceOnly species GUT in body, CENT in body;
  GUT = 0; CENT = 0;
  CL = 1.1; CL has litre_per_hour;
  V = 20; V has volume;
  KA = 1.5; KA has per_hour;

  absorption: GUT -> CENT; KA * GUT;
  elimination: CENT -> ; CL / V * CENT;
  CP := CENT / (V / 1000);
end
"""
RESET, RESET_AND_DOSE = 3, 4
MODELLED_DURATION = -2
COMPARTMENTS = {1: "GUT", 2: "CENT"}


@pytest.fixture(scope="session")
def published(external_checks: Path) -> dict[int, dict[str, Any]]:
    """Dosing records, times and concentrations, by number."""
    data = json.loads((external_checks / "data" / "dosing_nonmem.json").read_text("utf-8"))
    return {item["scenario"]: item for item in data["scenarios"]}


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dosing") / "one_compartment.ant"
    path.write_text(MODEL, "utf-8")
    return path


def _steps(record: dict[str, float]) -> Iterator[dict[str, Any]]:
    """A NONMEM record in the words of a scenario."""
    at = f"{record['time']} h"
    if record["evid"] in (RESET, RESET_AND_DOSE):
        yield {"at": at, "reset": True}
    if record["evid"] != RESET:
        yield {"at": at, **_size(record), **_recurrence(record), **_absorption(record)}


def _size(record: dict[str, float]) -> dict[str, str]:
    """What is given, and how fast; an infusion of no amount has no end."""
    species = COMPARTMENTS[int(record["cmt"])]
    amount = {"amount": f"{record['amt']} mg"}
    if record["rate"] == 0:
        return {"dose": species, **amount}
    if record["rate"] == MODELLED_DURATION:
        return {"infuse": species, **amount, "over": f"{record['DUR2']} h"}
    rate = {"rate": f"{record['rate']} mg/h"}
    return {"infuse": species, **rate, **(amount if record["amt"] else {})}


def _recurrence(record: dict[str, float]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if record["ii"]:
        fields["every"] = f"{record['ii']} h"
        fields["times"] = int(record["addl"]) + 1
    if record["ss"]:
        fields["steady_state"] = True
    return fields


def _absorption(record: dict[str, float]) -> dict[str, Any]:
    """Lag and bioavailability, which the reference model declares for CENT alone."""
    if COMPARTMENTS[int(record["cmt"])] != "CENT":
        return {}
    return {"lag": f"{record['LAGT']} h", "bioavailability": record["BIOAV"]}


def _scenario_text(model: Path, item: dict[str, Any]) -> str:
    steps = [step for record in item["dosing"] for step in _steps(record)]
    observe = {"every": "1 h", "until": f"{item['time'][-1]} h", "outputs": ["CP"]}
    return json.dumps(
        {
            "id": f"nonmem_{item['scenario']}",
            "title": "as in NONMEM",
            "model": str(model),
            "regimen": steps,
            "observe": observe,
        }
    )


def test_every_published_scenario_is_reproduced(published: dict[int, dict[str, Any]]) -> None:
    assert tuple(published) == SCENARIOS


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("number", SCENARIOS)
def test_concentrations_are_those_of_nonmem(
    number: int, engine: str, published: dict[int, dict[str, Any]], model_file: Path
) -> None:
    item = published[number]
    scenario = scenario_from_text(_scenario_text(model_file, item))
    dataset = simulate(scenario, engine)
    simulated = dataset["CP"].sel(time=item["time"], perturbation="none").values
    np.testing.assert_allclose(simulated, item["CP_nonmem"], rtol=1e-4, atol=1e-6)
