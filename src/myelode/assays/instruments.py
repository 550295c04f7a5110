"""Virtual instruments: what a reader, a blot or a cell counter would show of an output.

An instrument turns an output into a signal, adds noise, and knows neither what lies below its
detection limit nor what lies above its range. Where it has calibrators, it reads them too, and
what it shows of a sample is read back through the curve that is fitted to them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from myelode.assays.calibrators import Curve, fit_curve
from myelode.assays.needs import Need, masked, read_needs
from myelode.assays.noise import NO_NOISE, Noise, key_of, same_number
from myelode.assays.sections import CALIBRATED, NOISELESS, Assay, Calibrators
from myelode.assays.signals import evaluated, reading_in, require_arithmetic, signal_of
from myelode.errors import ScenarioError
from myelode.scenario import Scenario
from myelode.units import factor, split_quantity

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Calibration:
    """The curve through the calibrators as they are read, and the one that noise did not touch."""

    unit: str
    read: Curve
    noiseless: Curve


@dataclass(frozen=True)
class Instrument:
    """An assay with all of its numbers in the unit of its signal."""

    name: str
    title: str
    of: str
    signal: str
    unit: str
    noise: Noise = NO_NOISE
    detection_limit: float = -math.inf
    upper_limit: float = math.inf
    dilution: float = 1.0
    calibration: Calibration | None = None
    od_per_molar: float = math.nan
    needs: tuple[Need, ...] = ()

    def signal_of(self, x: np.ndarray) -> np.ndarray:
        """The signal of an output, without noise or limits."""
        return evaluated(self.signal, np.asarray(x, dtype=float) / self.dilution)

    def can_show(self, signal: np.ndarray) -> np.ndarray:
        """Whether a signal lies between the limits."""
        return np.asarray((signal >= self.detection_limit) & (signal <= self.upper_limit))

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
        needs = read_needs(scenario, name, unit_of)
        found[name] = replace(_instrument(name, assay, unit, scenario), needs=needs)
        if assay.calibrators:
            with scenario.at("assays", name, "calibrators"):
                calibration = _calibration(found[name], assay.calibrators, unit, scenario.id)
            found[name] = replace(found[name], calibration=calibration)
    return found


def with_readings(dataset: xr.Dataset, scenario: Scenario) -> xr.Dataset:
    """The trajectories, and for each assay its readings, with noise and without.

    The variables are ``NAME`` and ``NAME_noiseless``, over the dimensions of the output, and for
    an assay with calibrators ``NAME_calibrated`` and ``NAME_calibrated_noiseless``.
    Raises ScenarioError where an assay counts reads of an output that is no share.
    """
    known = instruments(
        scenario, lambda output: str(dataset[output].attrs.get("units", "")) or None
    )
    variables: dict[str, tuple[object, np.ndarray, dict[str, str]]] = {}
    for name, instrument in known.items():
        data = dataset[instrument.of]
        data = data.transpose(..., "time")
        signal = instrument.signal_of(data.values)
        with scenario.at("assays", name):
            read = signal
            if instrument.noise != NO_NOISE:
                keys = _keys(data, name, scenario)
                read = instrument.noise.read(signal, keys, data["time"].values)
        variables |= {
            own: (data.dims, masked(values, data, instrument.needs, dataset), attributes)
            for own, values, attributes in _shown(instrument, read, signal)
        }
    return dataset.assign(variables)


def read_back(instrument: Instrument, signal: float) -> float:
    """The level in the sample for which the calibration gives this signal.

    Raises ScenarioError where there is no calibration, and for a signal outside the range of its
    calibrators.
    """
    if instrument.calibration is None:
        raise ScenarioError(f"assay {instrument.name!r} has no calibrators to be read back against")
    curve = instrument.calibration.read
    level = curve.back(np.array(signal, dtype=float))
    if not (curve.covers(level) and instrument.can_show(np.array(signal))):
        low, high = sorted(curve.at(np.array([curve.levels[0], curve.levels[-1]])))
        raise ScenarioError(
            f"assay {instrument.name!r}: the signal {signal:.6g} lies outside the calibrated range "
            f"from {low:.6g} to {high:.6g}"
        )
    return float(level) * instrument.dilution


def _shown(
    instrument: Instrument, read: np.ndarray, signal: np.ndarray
) -> Iterator[tuple[str, np.ndarray, dict[str, str]]]:
    """The variables of an assay: their names, values and attributes."""
    name, title, calibration = instrument.name, instrument.title, instrument.calibration
    pairs = ((name, title, read), (name + NOISELESS, f"{title} without noise", signal))
    for own, label, values in pairs:
        yield own, instrument.limited(values), {"units": instrument.unit, "long_name": label}
    if calibration is None:
        return
    curves = (calibration.read, calibration.noiseless)
    endings = ((CALIBRATED, "read back"), (CALIBRATED + NOISELESS, "read back without noise"))
    for (ending, words), curve, (_, _, values) in zip(endings, curves, pairs, strict=True):
        found = curve.quantified(instrument.limited(values)) * instrument.dilution
        attributes = {"units": calibration.unit, "long_name": f"{title} {words}"}
        yield name + ending, found, attributes | {"range": _range(curve, instrument.dilution)}


def _range(curve: Curve, dilution: float) -> str:
    low, high = (dilution * level for level in (curve.levels[0], curve.levels[-1]))
    return f"{low:.6g} to {high:.6g}; below it 0, not quantifiable; above it {high:.6g}"


def _instrument(name: str, assay: Assay, unit: str | None, scenario: Scenario) -> Instrument:
    signal = signal_of(name, assay, unit, scenario)

    def number(key: str, missing: float) -> float:
        value = getattr(assay, key)
        with scenario.at("assays", name, key):
            return missing if value is None else reading_in(value, signal.unit, key)

    instrument = Instrument(
        name=name, title=assay.title or name.replace("_", " "), of=assay.of, signal=signal.text,
        unit=signal.unit or "", od_per_molar=signal.od_per_molar,
        noise=Noise(assay.cv, number("sd", 0.0), assay.replicates, assay.depth),
        detection_limit=number("detection_limit", -math.inf),
        upper_limit=number("upper_limit", math.inf), dilution=assay.dilution,
    )  # fmt: skip
    with scenario.at("assays", name):
        for fault in _faults(instrument):
            raise ScenarioError(fault)
    return instrument


def _faults(instrument: Instrument) -> Iterator[str]:
    low, high = instrument.detection_limit, instrument.upper_limit
    if instrument.noise.sd < 0:
        yield f"sd may not be negative: {instrument.noise.sd:g}"
    if low >= high:
        yield f"the detection limit {low:g} is not below the upper limit {high:g}"
    if -math.inf < low < 0:
        yield f"the detection limit may not be negative: {low:g}"


def _calibration(
    instrument: Instrument, calibrators: Calibrators, unit: str | None, scenario: str
) -> Calibration:
    """The curves of an instrument, from its calibrators on one plate for the whole scenario."""
    levels = _levels(calibrators, calibrators.unit or unit)
    signal = _signal_of_levels(instrument, calibrators, levels, unit)
    steps = np.diff(signal)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ScenarioError(
            f"assay {instrument.name!r}: the signal does not always rise, or always fall, from "
            "calibrator to calibrator: nothing can be read back"
        )
    key = np.array(key_of((instrument.name, scenario, "calibrators")))
    read = instrument.noise.read(signal, key, np.array([same_number(level) for level in levels]))
    spread = instrument.noise.spread(signal)
    # Without noise every calibrator counts by the same share of its signal.
    spread = spread if spread.any() else np.abs(signal)

    def curve(shown: np.ndarray) -> Curve:
        usable = instrument.can_show(shown) & ((shown > 0) | (calibrators.fit != "log_log"))
        return fit_curve(calibrators.fit, levels[usable], shown[usable], spread[usable])

    return Calibration(calibrators.unit or unit or "", curve(read), curve(signal))


def _levels(calibrators: Calibrators, unit: str | None) -> np.ndarray:
    """The levels from the lowest to the highest; bare numbers are in the unit that is named."""
    found = []
    for level in calibrators.levels:
        bare = calibrators.unit is not None and split_quantity(level)[1] is None
        number = split_quantity(level)[0] if bare else reading_in(level, unit, "a level")
        found.append(number)
    levels = np.array(sorted(found))
    if levels[0] < 0:
        raise ScenarioError(f"a level may not be negative: {levels[0]:g}")
    if calibrators.fit == "log_log" and levels[0] == 0:
        raise ScenarioError("log_log needs levels above 0: 0 has no logarithm")
    if len(set(map(same_number, found))) < len(found):
        raise ScenarioError("two levels are equal")
    return levels


def _signal_of_levels(
    instrument: Instrument, calibrators: Calibrators, levels: np.ndarray, unit: str | None
) -> np.ndarray:
    """What the instrument shows of calibrators, which nobody dilutes."""
    if calibrators.signal is not None:
        require_arithmetic(calibrators.signal, "a level")
        return evaluated(calibrators.signal, levels)
    if calibrators.unit is None or unit is None:
        return evaluated(instrument.signal, levels)
    return evaluated(instrument.signal, levels * factor(calibrators.unit, unit, "a level"))


def _keys(data: xr.DataArray, assay: str, scenario: Scenario) -> np.ndarray:
    """A number for each trajectory, from what is in it and which assay reads it."""
    dims = [str(dim) for dim in data.dims if dim != "time"]
    labels = {dim: [f"{dim}={_label(value)}" for value in data[dim].values] for dim in dims}
    shape = tuple(map(len, labels.values()))
    # One compound alone reads as it does among others.
    if "compound" not in dims and isinstance(scenario.compound, str):
        labels["compound"] = [f"compound={scenario.compound}"]
    # The order of dimensions says nothing: their labels are sorted.
    order = sorted(range(len(labels)), key=lambda at: f"{[*labels][at]}=")
    places = itertools.product(*labels.values())
    keys = (key_of((assay, scenario.id, *(texts[at] for at in order))) for texts in places)
    return np.fromiter(keys, dtype=np.uint64, count=math.prod(shape)).reshape(shape)


def _label(value: object) -> str:
    """Text as it is; numbers without the last digits, in which equal ladders may differ."""
    return value if isinstance(value, str) else f"{float(str(value)):.12g}"
