"""A simulated titration: its response over doses, in which sense it goes, and when it was read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from myelode.endpoints import moment_text
from myelode.regimens.steps import Context, resolve_time
from myelode.responses.curves import DEFINITIONS, RISING_DEFINITIONS, WIGGLE, rises
from myelode.responses.readings import Reading
from myelode.scenario import Scenario

LEADING = ("perturbation", "compound", "arm", "dose2")


@dataclass(frozen=True)
class Titrated:
    """Trajectories (`dataset`) of a titration, the endpoint that was read on them, and which."""

    dataset: xr.Dataset
    result: xr.Dataset
    scenario: Scenario
    reading: Reading
    context: Context

    @property
    def spreads(self) -> bool:
        """Whether the samples are draws around a typical one, which comes first."""
        return self.scenario.design.subjects is not None

    @cached_property
    def response(self) -> xr.DataArray:
        """The response with the dimensions (leading..., sample, dose)."""
        data = self.result[self.reading.name]
        if not self.spreads:
            # Values that a design crosses or zips lead as well: each has a curve of its own.
            data = data.rename({"sample": "point"}) if "sample" in data.dims else data
            data = data.expand_dims(sample=[0])
        leading = [dim for dim in (*LEADING, "point") if dim in data.dims]
        if "perturbation" not in leading:
            names = self.result["perturbation"]
            data = data.expand_dims(perturbation=names.values)
            leading = ["perturbation", *leading]
        return data.transpose(*leading, "sample", "dose")

    @property
    def doses(self) -> np.ndarray:
        """The doses, from zero on."""
        return np.asarray(self.response["dose"].values, dtype=float)

    @property
    def unit(self) -> str:
        """The unit of the doses."""
        return str(self.result["dose"].attrs.get("units", ""))

    @cached_property
    def reference(self) -> int:
        """Where the reference stands among the perturbations."""
        names = [str(name) for name in self.response["perturbation"].values]
        return names.index(self.scenario.reference)

    @cached_property
    def rising(self) -> bool:
        """Whether the response rises with the dose: as in the reference, where it moves at all."""
        typical = self.response.values[..., 0, :]
        own = typical[self.reference]
        moves = np.ptp(own, axis=-1) > WIGGLE * np.abs(own).max(axis=-1)
        return rises(own if moves.any() else typical)

    @property
    def half(self) -> str:
        """The half dose that folds compare."""
        return "ec50" if self.rising else self.reading.half

    @property
    def read_time(self) -> float:
        """The time of the model at which the response is read; NaN where that is not one."""
        times = self._times() if self.reading.endpoint.take == "value" else set()
        return times.pop() if len(times) == 1 else math.nan

    def _times(self) -> set[float]:
        """The times at which a value is read, in all arms."""
        endpoint = self.reading.endpoint
        labels = json.loads(self.dataset.attrs["labels"])
        arms = {k: v for k, v in labels.items() if endpoint.arm in (None, k)}
        return {resolve_time(endpoint.at or 0, own, self.context) for own in arms.values()}

    def read_at(self) -> str:
        """When the response is read, in words."""
        endpoint = self.reading.endpoint
        if endpoint.take == "value":
            times, data = self._times(), self.dataset["time"]
            one = moment_text(times.pop(), endpoint, data.to_dataset(name="t")["t"])
            return one if not times else str(endpoint.at)
        if endpoint.expr is not None:
            return f"computed: {endpoint.expr}"
        end = f"{float(self.dataset['time'].values[-1]):.6g} {self.dataset['time'].units}"
        window = f"from {endpoint.from_ or 0} to {endpoint.until or end}"
        return f"{endpoint.take}, {window}"

    @property
    def definitions(self) -> dict[str, str]:
        """What the numbers of its curves are."""
        return dict(RISING_DEFINITIONS if self.rising else DEFINITIONS)
