"""Virtual instruments: what a reader, a blot or a cell counter would show of an output.

An instrument turns an output into a signal, adds noise, and knows neither what lies below its
detection limit nor what lies above its range. The noise of a reading follows from what is read,
not from the order of reading: the same sample gives the same number in any run, alone or among
others, bit for bit.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from myelode.errors import ScenarioError
from myelode.expressions import evaluate_array, names_in
from myelode.scenario import Scenario
from myelode.sections import NOISELESS, Assay
from myelode.steps import Quantity
from myelode.units import parse_unit, split_quantity, to_unit

if TYPE_CHECKING:
    import xarray as xr

POINTS_BETWEEN_STANDARDS = 33
"""Places between two neighbouring standards at which a calibration is checked to be monotone."""

_WEYL, _FIRST, _SECOND = (
    np.array([number], dtype=np.uint64)
    for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


@dataclass(frozen=True)
class Instrument:
    """An assay with all of its numbers in the unit of its signal, standards in that of `of`."""

    name: str
    title: str
    of: str
    signal: str
    unit: str
    cv: float
    sd: float
    detection_limit: float
    upper_limit: float
    replicates: int
    standards: tuple[float, ...]

    def signal_of(self, x: np.ndarray) -> np.ndarray:
        """The signal without noise or limits."""
        # In one piece of memory, so that every element takes the same path through the library.
        signal = evaluate_array(self.signal, {"x": np.ascontiguousarray(x, dtype=float)})
        return np.array(np.broadcast_to(signal, np.shape(x)))

    def limited(self, signal: np.ndarray) -> np.ndarray:
        """What is shown of a signal: 0 below the detection limit, at most the upper limit."""
        shown = np.minimum(signal, self.upper_limit)
        return np.where(signal < self.detection_limit, 0.0, shown)


def instruments(scenario: Scenario, unit_of: Callable[[str], str | None]) -> dict[str, Instrument]:
    """The assays of a scenario; `unit_of` gives the unit of an output.

    Raises ScenarioError with the place of a fault.
    """
    found = {}
    for name, assay in scenario.assays.items():
        with scenario.at("assays", name, "of"):
            unit = unit_of(assay.of)
        with scenario.at("assays", name):
            found[name] = _instrument(name, assay, unit, scenario)
    return found


def with_readings(dataset: xr.Dataset, scenario: Scenario) -> xr.Dataset:
    """The trajectories, and for each assay its readings, with noise and without.

    The variables are ``NAME`` and ``NAME_noiseless``, over the dimensions of the output.
    """
    known = instruments(
        scenario, lambda output: str(dataset[output].attrs.get("units", "")) or None
    )
    variables = {}
    for name, instrument in known.items():
        data = dataset[instrument.of]
        data = data.transpose(..., "time")
        signal = instrument.signal_of(data.values)
        attributes = {"units": instrument.unit, "long_name": instrument.title}
        read = _noisy(instrument, signal, _keys(data, name, scenario), data["time"].values)
        variables[name] = (data.dims, instrument.limited(read), attributes)
        clean = {**attributes, "long_name": f"{instrument.title} without noise"}
        variables[name + NOISELESS] = (data.dims, instrument.limited(signal), clean)
    return dataset.assign(variables)


def read_back(instrument: Instrument, signal: float) -> float:
    """The value of the output at which the calibration gives this signal.

    Raises ScenarioError where there is no calibration, where it is not monotone, and for a signal
    outside the range of its standards or limits.
    """
    from scipy.optimize import brentq

    grid, signals = _calibration(instrument)
    low, high = sorted((signals[0], signals[-1]))
    low, high = max(low, instrument.detection_limit), min(high, instrument.upper_limit)
    if not low <= signal <= high:
        raise ScenarioError(
            f"assay {instrument.name!r}: the signal {signal:.6g} lies outside the calibrated range "
            f"from {low:.6g} to {high:.6g}"
        )
    rising = signals if signals[-1] > signals[0] else -signals
    goal = signal if signals[-1] > signals[0] else -signal
    after = int(np.clip(np.searchsorted(rising, goal), 1, len(grid) - 1))
    start, end = grid[after - 1], grid[after]
    return float(
        brentq(
            lambda x: float(instrument.signal_of(np.array([x]))[0]) - signal,
            start, end, xtol=1e-300, rtol=1e-14,
        )
    )  # fmt: skip


def reading_in(value: Quantity, unit: str | None, what: str) -> float:
    """A level in the unit of a signal, which may be one that no physical unit is, such as OD."""
    if unit is None or _is_physical(unit):
        return to_unit(value, unit, what)
    number, own = split_quantity(value)
    if own not in (None, unit):
        raise ScenarioError(f"{what} is in {own!r}, the signal in {unit!r}")
    return number


def _is_physical(unit: str) -> bool:
    try:
        parse_unit(unit)
    except ScenarioError:
        return False
    return True


def _instrument(name: str, assay: Assay, unit: str | None, scenario: Scenario) -> Instrument:
    with scenario.at("assays", name, "signal"):
        _require_arithmetic(assay)
    own = assay.unit or (unit if assay.signal == "x" else "dimensionless")

    def number(key: str, missing: float) -> float:
        value = getattr(assay, key)
        with scenario.at("assays", name, key):
            return missing if value is None else reading_in(value, own, key)

    instrument = Instrument(
        name=name, title=assay.title or name.replace("_", " "), of=assay.of, signal=assay.signal,
        unit=own or "", cv=assay.cv, sd=number("sd", 0.0),
        detection_limit=number("detection_limit", -math.inf),
        upper_limit=number("upper_limit", math.inf), replicates=assay.replicates,
        standards=tuple(sorted(to_unit(x, unit, "a standard") for x in assay.standards or ())),
    )  # fmt: skip
    for fault in _faults(instrument):
        raise ScenarioError(fault)
    if instrument.standards:
        _calibration(instrument)
    return instrument


def _require_arithmetic(assay: Assay) -> None:
    for name in names_in(assay.signal):
        if name != "x":
            raise ScenarioError(
                f"unknown name {name!r}: a signal knows only x, which is {assay.of}"
            )
    evaluate_array(assay.signal, {"x": np.ones(1)})


def _faults(instrument: Instrument) -> Iterator[str]:
    low, high = instrument.detection_limit, instrument.upper_limit
    if instrument.sd < 0:
        yield f"sd may not be negative: {instrument.sd:g}"
    if low >= high:
        yield f"the detection limit {low:g} is not below the upper limit {high:g}"
    if -math.inf < low < 0:
        yield f"the detection limit may not be negative: {low:g}"
    if len(set(instrument.standards)) < len(instrument.standards):
        yield "two standards are equal"


def _calibration(instrument: Instrument) -> tuple[np.ndarray, np.ndarray]:
    """Values from the lowest to the highest standard, and their signals, which are monotone."""
    standards = instrument.standards
    if not standards:
        raise ScenarioError(f"assay {instrument.name!r} has no standards to be read back against")
    pieces = [
        np.linspace(low, high, POINTS_BETWEEN_STANDARDS)[:-1]
        for low, high in itertools.pairwise(standards)
    ]
    grid = np.concatenate([*pieces, standards[-1:]])
    signals = instrument.signal_of(grid)
    steps = np.diff(signals)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ScenarioError(
            f"assay {instrument.name!r}: the signal does not always rise, or always fall, between "
            "its standards: nothing can be read back"
        )
    return grid, signals


def _noisy(
    instrument: Instrument, signal: np.ndarray, keys: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """The mean of the replicates: a lognormal factor of mean 1 on each, and a normal term."""
    if not (instrument.cv or instrument.sd):
        return signal
    spread = math.log1p(instrument.cv**2)
    total = np.zeros_like(signal)
    for replicate in range(instrument.replicates):
        factor = np.exp(math.sqrt(spread) * _normals(keys, times, 2 * replicate) - spread / 2)
        total += signal * factor + instrument.sd * _normals(keys, times, 2 * replicate + 1)
    return total / instrument.replicates


def _keys(data: xr.DataArray, assay: str, scenario: Scenario) -> np.ndarray:
    """A number for each trajectory, from what is in it and which assay reads it."""
    dims = [str(dim) for dim in data.dims if dim != "time"]
    labels = [[f"{dim}={_label(value)}" for value in data[dim].values] for dim in dims]
    shape = tuple(map(len, labels))
    # One compound alone reads as it does among others.
    named = scenario.compound if "compound" not in dims else None
    fixed = [f"compound={named}"] if isinstance(named, str) else []
    keys = np.empty(shape, dtype=np.uint64)
    for place in np.ndindex(*shape):
        parts = sorted([*fixed, *(texts[at] for texts, at in zip(labels, place, strict=True))])
        text = "\n".join((assay, scenario.id, *parts))
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        keys[place] = int.from_bytes(digest, "little")
    return keys


def _label(value: object) -> str:
    """Text as it is; numbers without the last digits, in which equal ladders may differ."""
    return value if isinstance(value, str) else f"{float(str(value)):.12g}"


def _normals(keys: np.ndarray, times: np.ndarray, stream: int) -> np.ndarray:
    """Standard normal numbers, one for each trajectory and time."""
    from scipy.special import ndtri

    moments = _mixed(np.ascontiguousarray(times + 0.0, dtype=np.float64).view(np.uint64))
    streams = _mixed(np.array([stream + 1], dtype=np.uint64) * _WEYL)
    mixed = _mixed(_mixed(keys[..., None] ^ moments) + streams)
    # 53 random bits, in the middle of their interval: never 0 or 1.
    uniform = ((mixed >> np.array([11], dtype=np.uint64)).astype(float) + 0.5) * 2.0**-53
    return np.asarray(ndtri(uniform), dtype=float)


def _mixed(bits: np.ndarray) -> np.ndarray:
    """SplitMix64: every bit of the result depends on every bit of the number."""
    bits = bits + _WEYL
    bits = (bits ^ (bits >> np.array([30], dtype=np.uint64))) * _FIRST
    bits = (bits ^ (bits >> np.array([27], dtype=np.uint64))) * _SECOND
    mixed: np.ndarray = bits ^ (bits >> np.array([31], dtype=np.uint64))
    return mixed
