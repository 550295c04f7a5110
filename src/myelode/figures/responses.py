"""Which responses over dose a scenario reads, and where on them its IC50 and EC50 lie.

A response is an output at one time over all doses. Endpoints that are read on the same one share
it, and one that is read in a single arm or compound is part of the response of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelode.figures.panel import NO_BREAK
from myelode.model import Model
from myelode.regimens.steps import Context, resolve_time
from myelode.scenario import Scenario
from myelode.sections import HALVED, OVER_DOSES, Endpoint

READ_AT = "read_at"
"""The attribute of a response that holds its time."""

_SAME = 0.02
_Place = tuple[str, float, str | None, str | None]
"""Output, time, and the arm and the compound where the endpoint names one."""


@dataclass(frozen=True)
class Response:
    """A quantity over dose, and the doses of half that are read on it (attribute ``take``)."""

    data: xr.DataArray
    halves: tuple[xr.DataArray, ...] = ()


@dataclass(frozen=True)
class Titration:
    """A simulated (`dataset`) and evaluated (`result`) scenario over doses.

    `labels` are the times of the steps of each arm, `moment` writes a time.
    """

    dataset: xr.Dataset
    result: xr.Dataset
    scenario: Scenario
    labels: Mapping[str, Mapping[str, float]]
    model: Model
    moment: Callable[[float], str]

    def responses(self) -> list[Response]:
        """What endpoints read, then endpoints that depend on dose themselves; else all outputs.

        What no dose changes is left out, unless a dose of half was looked for.
        """
        read = [response for response in self._read() if response.halves or bends(response.data)]
        dosed = [self.result[name] for name in self.dosed()]
        plain = [data for data in dosed if not any(_equal(data, item.data) for item in read)]
        outputs = dict.fromkeys(self.scenario.observe.outputs)
        return [*read, *map(Response, plain)] or [Response(self._last(name)) for name in outputs]

    def dosed(self) -> list[str]:
        """Endpoints that depend on dose."""
        names = [name for name in self.scenario.endpoints if name in self.result]
        return [name for name in names if "dose" in self.result[name].dims]

    def _read(self) -> Iterator[Response]:
        places: dict[_Place, list[str]] = {}
        for name, endpoint in self.scenario.endpoints.items():
            if endpoint.take in OVER_DOSES or (endpoint.take == "value" and endpoint.dose):
                places.setdefault(self._place(endpoint), []).append(name)
        whole = {place[:2] for place in places if place[2:] == (None, None)}
        for place, names in places.items():
            if place[2:] == (None, None) or place[:2] not in whole:
                yield Response(self._reading(*place), tuple(self._halves(names)))

    def _place(self, endpoint: Endpoint) -> _Place:
        arm = endpoint.arm or next(iter(self.labels))
        time = resolve_time(endpoint.at or 0, self.labels[arm], Context(self.model))
        return str(endpoint.of), time, endpoint.arm, endpoint.compound

    def _halves(self, names: list[str]) -> Iterator[xr.DataArray]:
        for name in names:
            endpoint = self.scenario.endpoints[name]
            # One that is read at one dose of the second ladder lies on one of many curves only.
            if endpoint.take in HALVED and endpoint.dose2 is None:
                yield self.result[name].assign_attrs(take=endpoint.take)

    def _reading(
        self, output: str, time: float, arm: str | None, compound: str | None
    ) -> xr.DataArray:
        data = self.dataset[output]
        read = data.sel(time=time, method="nearest", drop=True)
        for axis, value in (("arm", arm), ("compound", compound)):
            read = read.sel({axis: value}) if value and axis in read.dims else read
        return read.assign_attrs(data.attrs, long_name=self._at(data, time), **{READ_AT: time})

    def _last(self, output: str) -> xr.DataArray:
        data = self.dataset[output]
        last = data.isel(time=-1)
        time = float(last["time"])
        said = {"long_name": self._at(data, time), READ_AT: time}
        return last.drop_vars("time").assign_attrs(data.attrs, **said)

    def place_of(self, data: xr.DataArray) -> tuple[str, float] | None:
        """The output and the time that a response is of; None for any other number."""
        if READ_AT in data.attrs:
            return str(data.name), float(data.attrs[READ_AT])
        endpoint = self.scenario.endpoints.get(str(data.name))
        return self._place(endpoint)[:2] if endpoint and endpoint.take == "value" else None

    def _at(self, data: xr.DataArray, time: float) -> str:
        moment = self.moment(time).replace(" ", NO_BREAK)
        return f"{data.attrs['long_name']} at{NO_BREAK}{moment}"


def half_note(scenario: Scenario) -> str:
    """What the dotted lines are, where there are any."""
    takes = {endpoint.take for endpoint in scenario.endpoints.values()}
    names = [take.upper() for take in HALVED if take in takes]
    return f" Dotted lines: the {' and the '.join(names)}." if names else ""


def bends(data: xr.DataArray) -> bool:
    """Whether any response changes between the lowest dose and the others."""
    doses = data.where(data["dose"] > 0, drop=True)
    spread = doses.max("dose") - doses.min("dose")
    return float(spread.max()) > _SAME * float(abs(doses).max())


def _equal(one: xr.DataArray, other: xr.DataArray) -> bool:
    same = set(one.dims) == set(other.dims)
    return same and bool(np.array_equal(one.values, other.transpose(*one.dims).values))
