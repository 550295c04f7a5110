"""The activities of a scenario with numbers and outputs in the place of what a user writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from myelode.assays.absorbance import Band, band_faults, band_of, nmol_per_od, positive
from myelode.assays.activity_sections import Activity
from myelode.assays.instruments import Instrument, instruments
from myelode.errors import ScenarioError
from myelode.regimens.steps import Quantity
from myelode.scenario import Scenario
from myelode.units import factor

UnitOf = Callable[[str], str | None]


@dataclass(frozen=True)
class Amount:
    """A number, or the output that it is multiplied with."""

    number: float
    output: str | None = None


@dataclass(frozen=True)
class EnzymeTest:
    """An activity of a scenario with its instrument, protein in mg and volume in L."""

    name: str
    rule: Activity
    instrument: Instrument
    protein: Amount
    volume: Amount
    bands: tuple[Band, ...]


def read_activities(scenario: Scenario, unit_of: UnitOf) -> dict[str, EnzymeTest]:
    """The activities of a scenario; raises ScenarioError with the place of a fault."""
    if not scenario.activities:
        return {}
    known = instruments(scenario, unit_of)
    return {
        name: _read(name, rule, known[rule.of], scenario, unit_of)
        for name, rule in scenario.activities.items()
    }


def outputs_of_activities(
    scenario: Scenario, unit_of: UnitOf
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The outputs that activities need besides readings, and where these say so."""
    for name, test in read_activities(scenario, unit_of).items():
        named = {"protein": test.protein.output, "volume": test.volume.output}
        for key, output in (*named.items(), ("substrate", test.rule.substrate)):
            if output is not None:
                yield ("activities", name, key), output


def _read(
    name: str, rule: Activity, instrument: Instrument, scenario: Scenario, unit_of: UnitOf
) -> EnzymeTest:
    with scenario.at("activities", name, "protein"):
        protein = _amount(rule.protein, "mg", "protein", unit_of)
    with scenario.at("activities", name, "volume"):
        volume = _amount(rule.volume, "L", "volume", unit_of)
    bands = []
    for number, item in enumerate(rule.classes):
        with scenario.at("activities", name, "classes", number):
            bands.append(band_of(item.label, item.above, item.below))
    fixed = volume.output is None
    scale = nmol_per_od(volume.number, instrument.od_per_molar) if fixed else None
    with scenario.at("activities", name, "classes"):
        for fault in band_faults(bands, scale):
            raise ScenarioError(fault)
    return EnzymeTest(name, rule, instrument, protein, volume, tuple(bands))


def _amount(value: Quantity, unit: str, what: str, unit_of: UnitOf) -> Amount:
    """A quantity, or the output of that name, in `unit`."""
    if not isinstance(value, str) or not (value[:1].isalpha() or value[:1] == "_"):
        return Amount(positive(value, unit, what))
    own = unit_of(value)
    if own is None:
        raise ScenarioError(f"{value!r} has no unit: {what} is needed in {unit!r}")
    return Amount(factor(own, unit, value), value)
