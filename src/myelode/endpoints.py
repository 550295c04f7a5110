"""From trajectories to numbers: the endpoints of a scenario.

A window runs from its first to its last moment; a jump at its very end does not belong to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelode.activities import add_activities
from myelode.assays.instruments import with_readings
from myelode.assays.needs import require_sampled
from myelode.assays.signals import reading_in
from myelode.clinic.results import add_responses
from myelode.errors import ScenarioError
from myelode.expressions import evaluate_each
from myelode.inputs import add_inputs
from myelode.lookups import points_of
from myelode.metrics import measured
from myelode.regimens.counts import counts_in
from myelode.regimens.steps import Context, Quantity, resolve_time
from myelode.regimens.timeline import just_before
from myelode.responses.doses import dose_text, over_doses
from myelode.sampling import at_time
from myelode.scenario import Scenario
from myelode.sections import FLAG, OVER_DOSES, Endpoint
from myelode.units import to_unit

# A dose may be named with four digits, as it is printed.
_SAME_DOSE = 1e-3
_STARTS_WITH_LABEL = re.compile(r"\s*[@A-Za-z_]")
_Found = dict[str, xr.Variable]
"""What an endpoint gives, by what its name is followed by: "" is its number."""


def compute_endpoints(
    dataset: xr.Dataset, scenario: Scenario, context: Context, *, briefly: bool = False
) -> xr.Dataset:
    """One variable per endpoint, with the dataset's dimensions other than time.

    Inputs, and what responses and activities of the scenario say, stand there too: endpoints may
    use them.
    Those over doses have a text variable too, ``NAME_flag``. Samples stand apart where it is done
    `briefly`: responses say nothing of all of them together.

    Raises ScenarioError for an empty window, a time that was not sampled, or an unknown name.
    """
    result = xr.Dataset(coords={name: dataset[name] for name in dataset.coords if name != "time"})
    result.attrs["reference"] = scenario.reference
    result = result.assign({name: dataset[name] for name in counts_in(dataset)})
    add_inputs(result, dataset.attrs)
    dataset = with_readings(dataset, scenario)
    add_responses(result, dataset, scenario, context.model, apart=briefly)
    add_activities(result, dataset, scenario, context)
    new: _Found = {}
    for name, endpoint in scenario.endpoints.items():
        with scenario.at("endpoints", name):
            if endpoint.expr is not None:
                result, new = result.assign(new), {}
                found = {"": _from_others(result, endpoint.expr)}
            else:
                found = _from_trajectory(dataset, endpoint, context)
                if endpoint.take == "value" and scenario.assays:
                    _require_sampled(found[""], dataset, endpoint, scenario, context)
        new |= {name + ending: data for ending, data in _titled(found, name, endpoint)}
    return result.assign(new)


def _titled(found: _Found, name: str, endpoint: Endpoint) -> Iterator[tuple[str, xr.Variable]]:
    """The variables of an endpoint with what they are called."""
    title = endpoint.title or name.replace("_", " ")
    for ending, data in found.items():
        said = {"long_name": f"{title}: what to know"}
        if ending != FLAG:
            said = {"units": endpoint.unit or data.attrs["units"], "long_name": title}
        data.attrs |= said
        yield ending, data


def _from_others(result: xr.Dataset, text: str) -> xr.Variable:
    """An expression over endpoints that are already computed, at every point."""
    points = points_of(result, [text])
    numbers = evaluate_each(text, points.values)
    if numbers.dtype.kind not in "fiub":
        raise ScenarioError(f"{text!r} is a text, not a number")
    return points.filled(numbers.astype(float), units="dimensionless")


def _from_trajectory(dataset: xr.Dataset, endpoint: Endpoint, context: Context) -> _Found:
    """The endpoint in its arm, or in every arm, since labels have times of their own in each."""
    data = _at_dose(dataset[str(endpoint.of)], endpoint)
    if endpoint.compound:
        data = data.sel(compound=endpoint.compound, drop=True)
    labels: dict[str, dict[str, float]] = json.loads(dataset.attrs["labels"])
    if "arm" not in data.dims:
        return _taken(data, endpoint, context, labels[""])
    arms = [endpoint.arm] if endpoint.arm else [str(arm) for arm in data["arm"].values]
    taken = [_taken(data.sel(arm=arm, drop=True), endpoint, context, labels[arm]) for arm in arms]
    if endpoint.arm:
        return taken[0]
    return {ending: _joined([item[ending] for item in taken], endpoint) for ending in taken[0]}


def _joined(of_arms: Sequence[xr.Variable], endpoint: Endpoint) -> xr.Variable:
    """What is taken in all arms, as one variable."""
    first = of_arms[0]
    joined = xr.Variable(("arm", *first.dims), np.stack([item.values for item in of_arms]))
    first_axes = [name for name in ("perturbation", "compound", "arm") if name in joined.dims]
    joined = joined.transpose(*first_axes, ...)
    joined.attrs = _common([item.attrs for item in of_arms], first.attrs, endpoint)
    return joined


def _require_sampled(
    taken: xr.Variable, dataset: xr.Dataset, endpoint: Endpoint, scenario: Scenario,
    context: Context,
) -> None:  # fmt: skip
    """Refuse a value that an assay cannot read, because nothing is left to sample."""
    labels: dict[str, dict[str, float]] = json.loads(dataset.attrs["labels"])
    named = {"arm": endpoint.arm, "compound": endpoint.compound}
    fixed = {axis: name for axis, name in named.items() if name}
    read = xr.DataArray(taken, {dim: dataset[dim] for dim in taken.dims})

    def time_in(arm: str) -> float:
        return resolve_time(endpoint.at or 0, labels[arm], context)

    require_sampled(read, str(endpoint.of), scenario, dataset, time_in, fixed)


def _common(
    of_arms: Sequence[Mapping[str, Any]], first: Mapping[str, Any], endpoint: Endpoint
) -> dict[str, Any]:
    """The attributes of all arms, which may differ in the time that a label means."""
    times = {attributes.get("read_at") for attributes in of_arms}
    return {**first, "read_at": str(endpoint.at)} if len(times) > 1 else dict(first)


def _at_dose(data: xr.DataArray, endpoint: Endpoint) -> xr.DataArray:
    """The trajectories at the doses that the endpoint names, or at all of them."""
    for axis, said in (("dose", endpoint.dose), ("dose2", endpoint.dose2)):
        data = data if said is None else _at_one(data, axis, said)
    return data


def _at_one(data: xr.DataArray, axis: str, said: Quantity) -> xr.DataArray:
    """The trajectories at one dose of a ladder."""
    if axis not in data.dims:
        ladder = "a dose ladder" if axis == "dose" else "a second dose ladder (dose2)"
        raise ScenarioError(f"{axis} needs {ladder} under design")
    doses, unit = data[axis].values, str(data[axis].attrs.get("units", ""))
    wanted = to_unit(said, unit or None, axis)
    nearest = int(np.argmin(np.abs(doses - wanted)))
    if abs(doses[nearest] - wanted) > _SAME_DOSE * abs(wanted):
        around = [*doses[doses < wanted][-1:], *doses[doses > wanted][:1]]
        text = " and ".join(dose_text(dose, unit) for dose in around)
        raise ScenarioError(f"no dose of the ladder is {said!r}: nearest to it: {text}")
    return data.isel({axis: nearest}, drop=True)


def _taken(
    data: xr.DataArray, endpoint: Endpoint, context: Context, labels: Mapping[str, float]
) -> _Found:
    if endpoint.take in ("value", *OVER_DOSES):
        time = resolve_time(endpoint.at or 0, labels, context)
        read = at_time(data, time)
        if endpoint.take == "value":
            return {"": read.variable}
        number, flag = over_doses(read, str(endpoint.take))
        number.attrs["read_at"] = moment_text(time, endpoint, data)
        return {"": number, FLAG: flag}
    window = _window(data, endpoint, labels, context)
    courses = window.variable.transpose(..., "time")
    level, times = _level(data, endpoint), window["time"].values
    numbers = measured(_metric(endpoint), courses.values, times, level)
    attributes = {"units": _unit(str(endpoint.take), data)}
    return {"": xr.Variable(courses.dims[:-1], numbers, attributes)}


def moment_text(time: float, endpoint: Endpoint, data: xr.DataArray) -> str:
    """``72 h``, or ``26 h (wash + 24 h)`` where the scenario counts from a label."""
    said = f"{time:.6g} {data['time'].attrs.get('units', '')}".strip()
    if isinstance(endpoint.at, str) and _STARTS_WITH_LABEL.match(endpoint.at):
        return f"{said} ({endpoint.at})"
    return said


def _metric(endpoint: Endpoint) -> str:
    if endpoint.take == "time_to":
        return "rise" if endpoint.above is not None else "fall"
    return str(endpoint.take)


def _level(data: xr.DataArray, endpoint: Endpoint) -> float:
    level = endpoint.above if endpoint.above is not None else endpoint.below
    # A variable without a unit says so with an empty text.
    unit = str(data.attrs.get("units", "")) or None
    return 0.0 if level is None else reading_in(level, unit, "the level")


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
    first = int(np.searchsorted(times, start))
    last = int(np.searchsorted(times, end, side="left" if jump_at_end else "right"))
    if last - first < 2 or end <= start:
        said = f"the window from {start:g} to {end:g}"
        raise ScenarioError(f"{said} is empty: it needs two samples or more")
    return data.isel(time=slice(first, last))


def _unit(take: str, data: xr.DataArray) -> str:
    own, time = str(data.attrs.get("units", "")), str(data["time"].attrs.get("units", ""))
    if take in ("max", "min", "mean"):
        return own
    if take == "auc":
        return time if own in ("", "dimensionless") else f"{own}*{time}"
    return time
