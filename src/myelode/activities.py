"""Specific activities of enzymes from readings of absorbance, in every run of a scenario.

The product comes from the difference of two readings, and per minute and mg of protein it is an
activity: in OD for those who read one plate, in nmol for everybody else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from myelode.assays.absorbance import (
    ACTIVITY,
    OD_ACTIVITY,
    SpecificActivity,
    blank_above,
    is_above,
    label_of,
    nmol_per_od,
)
from myelode.assays.activity_sections import AS_OD, CLASS
from myelode.assays.enzymes import Amount, EnzymeTest, read_activities
from myelode.assays.needs import SPREAD, require_sampled
from myelode.assays.sections import NOISELESS
from myelode.errors import ScenarioError
from myelode.regimens.steps import Context, resolve_time
from myelode.sampling import at_time
from myelode.scenario import Scenario
from myelode.sections import FLAG
from myelode.units import factor

NOT_ABOVE, NO_SUBSTRATE, NO_READING = "not above the blank", "no substrate", "no reading"
_SAID: Mapping[str, tuple[str, dict[str, str]]] = {
    "": ("", {"units": ACTIVITY}),
    NOISELESS: (" without noise", {"units": ACTIVITY}),
    AS_OD: (", at the path length of the assay", {"units": OD_ACTIVITY}),
    FLAG: (": what to know", {}),
    CLASS: (": class", {}),
}


def add_activities(
    result: xr.Dataset, dataset: xr.Dataset, scenario: Scenario, context: Context
) -> None:
    """Add what every activity of the scenario says of the readings.

    ``NAME`` and ``NAME_noiseless`` in nmol/min/mg, ``NAME_od`` in OD/mg/min, the text ``NAME_flag``
    and, with classes, ``NAME_class``. The arm of the blank has none of them.
    Raises ScenarioError for an arm without protein, and for a blank above its sample.
    """
    tests = read_activities(scenario, lambda name: str(dataset[name].attrs.get("units", "")))
    for name, test in tests.items():
        with scenario.at("activities", name):
            for own, data in _Readings(test, dataset, scenario, context).variables().items():
                result[own] = data


@dataclass(frozen=True)
class _Read:
    """What is read of one arm, without time, and what follows from it."""

    sample: xr.DataArray
    blank: xr.DataArray
    sd: xr.DataArray
    noiseless: xr.DataArray
    od_factor: xr.DataArray
    nmol_per_od: xr.DataArray
    used: xr.DataArray
    start: xr.DataArray


class _Readings:
    """The readings of one activity."""

    def __init__(
        self, test: EnzymeTest, dataset: xr.Dataset, scenario: Scenario, context: Context
    ) -> None:
        self.test, self.rule = test, test.rule
        self.dataset, self.scenario, self.context = dataset, scenario, context
        self.labels: dict[str, dict[str, float]] = json.loads(dataset.attrs["labels"])
        self.has_arms = "arm" in dataset.dims
        self.arms = [str(arm) for arm in dataset["arm"].values] if self.has_arms else [""]
        self.spread = any(dim in dataset.dims for dim in SPREAD)

    def variables(self) -> dict[str, xr.DataArray]:
        """All that is added to the result, by name."""
        parts = [
            self._nothing() if arm == self.rule.blank else self._of_arm(arm) for arm in self.arms
        ]
        joined = xr.concat(parts, self.dataset["arm"]) if self.has_arms else parts[0]
        dims = [dim for dim in self.dataset[self.rule.of].dims if dim != "time"]
        title = self.rule.title or self.test.name.replace("_", " ")
        said = {
            self.test.name + ending: joined[ending].transpose(*dims).assign_attrs(
                {"long_name": title + words, **attributes}
            )
            for ending, (words, attributes) in _SAID.items()
        }  # fmt: skip
        return {name: said[name] for name in self.rule.adds(self.test.name)}

    def _nothing(self) -> xr.Dataset:
        """What is said of the blank itself."""
        like = self._in_arm(self.rule.of, self.arms[0]).isel(time=0, drop=True)
        number, text = xr.full_like(like, np.nan), xr.full_like(like, "", dtype=object)
        endings = {"": number, NOISELESS: number, AS_OD: number, FLAG: text, CLASS: text}
        return xr.Dataset({ending: _bare(data) for ending, data in endings.items()})

    def _of_arm(self, arm: str) -> xr.Dataset:
        read = self._read(arm)
        difference = read.sample - read.blank
        beyond = is_above(read.blank, read.sample, read.sd)
        if not self.spread and bool(beyond.any()):
            first = _first(beyond)
            blank, sample = (float(data.sel(first)) for data in (read.blank, read.sample))
            raise ScenarioError(
                f"{blank_above(blank, sample)}{_where(first, arm)}: is it the blank of this plate, "
                "read at the same time?"
            )
        od = difference.clip(min=0).where(~beyond) * read.od_factor
        labels = map(self._label, od.values.flat, read.nmol_per_od.values.flat)
        noiseless = read.noiseless.clip(min=0) * read.od_factor
        endings = {
            "": od * read.nmol_per_od, NOISELESS: noiseless * read.nmol_per_od, AS_OD: od,
            FLAG: _texts(od, self._flags(read, beyond)), CLASS: _texts(od, labels),
        }  # fmt: skip
        return xr.Dataset({ending: _bare(data) for ending, data in endings.items()})

    def _label(self, od: float, scale: float) -> str:
        if math.isnan(od) or not self.test.bands:
            return ""
        return label_of(SpecificActivity(float(od), float(od * scale)), self.test.bands)

    def _flags(self, read: _Read, beyond: xr.DataArray) -> Iterator[str]:
        """What to know of every number."""
        columns = (read.sample, read.blank, read.used, read.start, beyond)
        for place in zip(*(data.values.ravel().tolist() for data in columns), strict=True):
            yield "; ".join(self._said(*place))

    def _said(
        self, sample: float, blank: float, used: float, start: float, beyond: bool
    ) -> Iterator[str]:
        """What to know of one number."""
        instrument = self.test.instrument
        if math.isnan(sample - blank):
            yield NO_READING
        elif beyond:
            yield blank_above(blank, sample)
        elif sample <= blank:
            yield NOT_ABOVE
        if self.rule.substrate is not None and not start > 0:
            yield NO_SUBSTRATE
        elif used > self.rule.most_used:
            yield f"{100 * used:.0f} % of the substrate used: not linear"
        if sample > self.rule.highest:
            yield f"absorbance {sample:.3g} above {self.rule.highest:g}"
        elif sample >= instrument.upper_limit:
            yield f"absorbance {sample:.3g}, the most that the reader shows"

    def _read(self, arm: str) -> _Read:
        start, end = self._window(arm)
        name, noiseless = self.rule.of, self.rule.of + NOISELESS
        other = self.rule.blank or arm
        at = self._window(other)[1] if self.rule.blank else start
        sample, blank = self._reading(arm, end), self._reading(other, at)
        true, true_blank = self._at(noiseless, arm, end), self._at(noiseless, other, at)
        noise = self.test.instrument.noise
        sd = np.hypot(noise.spread(true.values), noise.spread(true_blank.values))
        litres = self._amount(self.test.volume, arm, end, sample, "volume", "L")
        mass = self._amount(self.test.protein, arm, end, sample, "protein", "mg")
        substrate = self.rule.substrate or name
        before, after = self._at(substrate, arm, start), self._at(substrate, arm, end)
        has_substrate = self.rule.substrate is not None
        gone = (1 - after / before.where(before > 0)) if has_substrate else xr.zeros_like(sample)
        return _Read(
            sample=sample, blank=blank, sd=sample.copy(data=sd), noiseless=true - true_blank,
            od_factor=self.test.instrument.dilution / (mass * self._minutes(start, end)),
            nmol_per_od=nmol_per_od(litres, self.test.instrument.od_per_molar),
            used=gone, start=before,
        )  # fmt: skip

    def _reading(self, arm: str, time: float) -> xr.DataArray:
        """What the assay shows; refused where nothing is left to sample."""
        found = self._at(self.rule.of, arm, time)
        fixed = {"arm": arm} if self.has_arms else {}
        require_sampled(found, self.rule.of, self.scenario, self.dataset, lambda _: time, fixed)
        return found

    def _in_arm(self, output: str, arm: str) -> xr.DataArray:
        data = self.dataset[output]
        return data.sel(arm=arm, drop=True) if self.has_arms else data

    def _at(self, output: str, arm: str, time: float) -> xr.DataArray:
        return _bare(at_time(self._in_arm(output, arm), time))

    def _window(self, arm: str) -> tuple[float, float]:
        labels, rule = self.labels[arm], self.rule
        start = 0.0 if rule.from_ is None else resolve_time(rule.from_, labels, self.context)
        return start, resolve_time(rule.until, labels, self.context)

    def _minutes(self, start: float, end: float) -> float:
        unit = str(self.dataset["time"].attrs.get("units", ""))
        if not unit:
            raise ScenarioError("the model has no unit of time, so there are no minutes")
        if not end > start:
            raise ScenarioError(f"from {start:g} until {end:g} no time passes: no activity")
        return (end - start) * factor(unit, "min", "time")

    def _amount(
        self, amount: Amount, arm: str, time: float, like: xr.DataArray, what: str, unit: str
    ) -> xr.DataArray:
        """Protein or volume at the time of reading; refused where there is none."""
        if amount.output is None:
            return xr.full_like(like, amount.number)
        found = self._at(amount.output, arm, time) * amount.number
        if bool((missing := found <= 0).any()):
            place = _first(missing)
            said = f"there is no {what}{_where(place, arm)}: {amount.output} is"
            raise ScenarioError(f"{said} {float(found.sel(place)):g} {unit} at the time of reading")
        return found


def _texts(like: xr.DataArray, texts: Iterable[str]) -> xr.DataArray:
    """Texts in the order of another array's elements."""
    found = np.empty(like.size, dtype=object)
    found[:] = [*texts]
    return like.copy(data=found.reshape(like.shape))


def _bare(data: xr.DataArray) -> xr.DataArray:
    """Without attributes, which are those of the whole."""
    bare = data.copy()
    bare.attrs = {}
    return bare


def _first(condition: xr.DataArray) -> Mapping[str, Any]:
    """The first place at which a condition holds."""
    at = np.argwhere(condition.values)[0]
    named = zip(condition.dims, at, strict=True)
    return {str(dim): condition[dim].values[index] for dim, index in named}


def _where(place: Mapping[str, Any], arm: str) -> str:
    """`` in arm 'x' (none)``, as far as there is anything to tell apart."""
    in_arm = f" in arm {arm!r}" if arm else ""
    return f"{in_arm} ({', '.join(f'{dim} {value}' for dim, value in place.items())})"
