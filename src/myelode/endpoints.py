"""From trajectories to numbers: the endpoints of a scenario.

A window runs from its first to its last moment; a jump at its very end does not belong to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.expressions import Value, evaluate_expression
from myelode.lookups import pointwise
from myelode.metrics import METRICS, half_maximal_dose
from myelode.scenario import Scenario
from myelode.sections import Endpoint
from myelode.steps import Context, resolve_time
from myelode.timeline import SAME_TIME, just_before
from myelode.units import to_unit


def compute_endpoints(dataset: xr.Dataset, scenario: Scenario, context: Context) -> xr.Dataset:
    """One variable per endpoint, with the dataset's dimensions other than time.

    Raises ScenarioError for an empty window, a time that was not sampled, or an unknown name.
    """
    result = xr.Dataset(coords={name: dataset[name] for name in dataset.coords if name != "time"})
    result.attrs["reference"] = scenario.reference
    for name, endpoint in scenario.endpoints.items():
        with scenario.at("endpoints", name):
            if endpoint.expr is not None:
                data = _from_others(result, endpoint.expr)
                data.attrs["units"] = endpoint.unit or "dimensionless"
            else:
                data = _from_trajectory(dataset, endpoint, context)
                data.attrs["units"] = endpoint.unit or data.attrs["units"]
        data.attrs["long_name"] = endpoint.title or name.replace("_", " ")
        result[name] = data
    return result


def _from_others(result: xr.Dataset, text: str) -> xr.DataArray:
    """An expression over endpoints that are already computed, point by point."""
    numbers, points = pointwise(result, [text])
    for place, values in points:
        numbers[place] = _number(text, values)
    return numbers


def _number(text: str, values: Mapping[str, Value]) -> float:
    value = evaluate_expression(text, values)
    if isinstance(value, str):
        raise ScenarioError(f"{text!r} is a text, not a number")
    return float(value)


def _from_trajectory(dataset: xr.Dataset, endpoint: Endpoint, context: Context) -> xr.DataArray:
    """The endpoint in its arm, or in every arm, since labels have times of their own in each."""
    data = dataset[str(endpoint.of)]
    labels: dict[str, dict[str, float]] = json.loads(dataset.attrs["labels"])
    if "arm" not in data.dims:
        return _taken(data, endpoint, context, labels[""])
    arms = [endpoint.arm] if endpoint.arm else [str(arm) for arm in data["arm"].values]
    taken = [_taken(data.sel(arm=arm, drop=True), endpoint, context, labels[arm]) for arm in arms]
    if endpoint.arm:
        return taken[0]
    joined = xr.concat(taken, data["arm"]).transpose("perturbation", "arm", ...)
    return joined.assign_attrs(taken[0].attrs)


def _taken(
    data: xr.DataArray, endpoint: Endpoint, context: Context, labels: Mapping[str, float]
) -> xr.DataArray:
    if endpoint.take in ("value", "ic50"):
        time = resolve_time(endpoint.at or 0, labels, context)
        read = _at(data, time)
        return read if endpoint.take == "value" else _ic50(read)
    window = _window(data, endpoint, labels, context)
    metric, level = METRICS[_metric(endpoint)], _level(data, endpoint)
    numbers = xr.apply_ufunc(
        lambda values: np.apply_along_axis(metric, -1, values, window["time"].values, level),
        window,
        input_core_dims=[["time"]],
    )
    numbers.attrs = {"units": _unit(str(endpoint.take), data)}
    return xr.DataArray(numbers)


def _metric(endpoint: Endpoint) -> str:
    if endpoint.take == "time_to":
        return "rise" if endpoint.above is not None else "fall"
    return str(endpoint.take)


def _level(data: xr.DataArray, endpoint: Endpoint) -> float:
    level = endpoint.above if endpoint.above is not None else endpoint.below
    # A variable without a unit says so with an empty text.
    unit = str(data.attrs.get("units", "")) or None
    return 0.0 if level is None else to_unit(level, unit, "the level")


def _at(data: xr.DataArray, time: float) -> xr.DataArray:
    """The values at a time; at the time of an event those after it."""
    times = data["time"].values
    exact = np.flatnonzero(times == time)
    position = int(exact[0] if exact.size else np.argmin(np.abs(times - time)))
    if abs(times[position] - time) > SAME_TIME * max(1.0, abs(time)):
        raise ScenarioError(f"time {time:g} was not sampled: list it under observe.at")
    return data.isel(time=position, drop=True).copy()


def _window(
    data: xr.DataArray, endpoint: Endpoint, labels: Mapping[str, float], context: Context
) -> xr.DataArray:
    times = data["time"].values
    start, end = float(times[0]), float(times[-1])
    if endpoint.from_ is not None:
        start = resolve_time(endpoint.from_, labels, context)
    if endpoint.until is not None:
        end = resolve_time(endpoint.until, labels, context)
    jump_at_end = just_before(end) in times
    inside = (times >= start) & ((times < end) if jump_at_end else (times <= end))
    if inside.sum() < 2 or end <= start:
        said = f"the window from {start:g} to {end:g}"
        raise ScenarioError(f"{said} is empty: it needs two samples or more")
    return data.isel(time=inside)


def _unit(take: str, data: xr.DataArray) -> str:
    own, time = str(data.attrs.get("units", "")), str(data["time"].attrs.get("units", ""))
    if take in ("max", "min", "mean"):
        return own
    if take == "auc":
        return time if own in ("", "dimensionless") else f"{own}*{time}"
    return time


def _ic50(read: xr.DataArray) -> xr.DataArray:
    if "dose" not in read.dims:
        raise ScenarioError("take: ic50 needs a dose ladder under design")
    doses = read["dose"].values
    if doses[0] != 0 or len(doses) < 4:
        raise ScenarioError("take: ic50 needs a ladder with dose zero and three doses or more")
    found = xr.apply_ufunc(
        lambda values: np.apply_along_axis(half_maximal_dose, -1, values, doses),
        read,
        input_core_dims=[["dose"]],
    )
    found.attrs = {
        "units": str(read["dose"].attrs.get("units", "")),
        "definition": "dose at which the response falls to half of that without drug",
    }
    return xr.DataArray(found)
