"""What an assay needs to sample: where too little of it is left, there is no reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from myelode.assays.sections import CALIBRATED, NOISELESS
from myelode.errors import ScenarioError
from myelode.sampling import at_time
from myelode.scenario import Scenario
from myelode.units import to_unit

if TYPE_CHECKING:
    import xarray as xr

SPREAD = ("sample", "dose")
"""Dimensions along which some runs may have nothing left, and the others still count."""


@dataclass(frozen=True)
class Need:
    """An output, and the least of it that can be sampled, in its own unit."""

    output: str
    level: float
    unit: str


def read_needs(
    scenario: Scenario, assay: str, unit_of: Callable[[str], str | None]
) -> tuple[Need, ...]:
    """What an assay needs; raises ScenarioError with the place of an unknown output or unit."""
    found = []
    for output, level in scenario.assays[assay].needs.items():
        with scenario.at("assays", assay, "needs", output):
            unit = unit_of(output)
            found.append(Need(output, to_unit(level, unit, output), unit or ""))
    return tuple(found)


def needed_outputs(scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The outputs that assays need besides the one they look at, and where these say so."""
    for name, assay in scenario.assays.items():
        yield from ((("assays", name, "needs", output), output) for output in assay.needs)


def masked(
    values: np.ndarray, data: xr.DataArray, needs: Iterable[Need], dataset: xr.Dataset
) -> np.ndarray:
    """The readings of an output, NaN where and when too little is there."""
    for need in needs:
        there = dataset[need.output].transpose(*data.dims).values
        values = np.where(there < need.level, np.nan, values)
    return values


def require_sampled(
    read: xr.DataArray,
    name: str,
    scenario: Scenario,
    dataset: xr.Dataset,
    time_in: Callable[[str], float],
    fixed: Mapping[str, str],
) -> None:
    """Refuse a reading where there is nothing to sample; `fixed` is the place that all share.

    `time_in` gives the time of reading in an arm. Among many samples or doses such a reading stays
    NaN: it says nothing on the others.
    """
    assay = _assay_of(name, scenario)
    if not assay or any(dim in dataset.dims for dim in SPREAD):
        return
    for at in np.argwhere(read.isnull().values):
        own = zip(read.dims, at, strict=True)
        place = {**fixed, **{str(dim): str(read[dim].values[index]) for dim, index in own}}
        time = time_in(place.get("arm", ""))
        for need in read_needs(scenario, assay, lambda output: _unit(dataset, output)):
            there = float(at_time(dataset[need.output].sel(place), time))
            if there < need.level:
                raise ScenarioError(_nothing_left(assay, need, there, time, place, dataset))


def _assay_of(name: str, scenario: Scenario) -> str:
    """The assay with needs whose reading it is, with noise or without; "" if there is none."""
    stem = name.removesuffix(NOISELESS).removesuffix(CALIBRATED)
    assay = name if name in scenario.assays else stem
    return assay if assay in scenario.assays and scenario.assays[assay].needs else ""


def _unit(dataset: xr.Dataset, output: str) -> str | None:
    return str(dataset[output].attrs.get("units", "")) or None


def _nothing_left(
    assay: str, need: Need, there: float, time: float, place: Mapping[str, str],
    dataset: xr.Dataset,
) -> str:  # fmt: skip
    unit = "" if need.unit in ("", "dimensionless") else f" {need.unit}"
    # As expressions name a place: perturbation, compound, arm.
    many = [
        place[str(dim)] for dim in dataset.sizes if str(dim) in place and dataset.sizes[dim] > 1
    ]
    moment = f"{time:g} {dataset['time'].attrs.get('units', '')}".strip()
    where = f" in {'.'.join(many)}" if many else ""
    return (
        f"assay {assay!r} reads at {moment}{where}, but {need.output} is {there:.3g}{unit} there "
        f"and it needs {need.level:g}{unit}: nothing is left to sample; read earlier"
    )
