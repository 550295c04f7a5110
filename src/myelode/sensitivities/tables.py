"""Indices of several endpoints as one dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.sensitivities.elasticities import failed_parameters
from myelode.sensitivities.methods import OWN, Method
from myelode.sensitivities.regions import commonest, failing_points, numberless_points
from myelode.sensitivities.samples import CONFIDENCE, Indices, Reading, Sample, varies

PAIR = ("parameter", "other")
ELASTICITIES = "elasticities"
"""The method, and the design that it takes."""


def indices_of(
    sample: Sample, readings: Sequence[Reading], method: Method, is_asked: bool
) -> tuple[xr.Dataset, list[str]]:
    """The indices of every reading that has them, and what is to be said of the others.

    Raises ScenarioError where none has, or where all were asked for by name.
    """
    found: dict[str, Indices] = {}
    said: list[str] = []
    for reading in readings:
        try:
            found[reading.label] = method.indices(sample, reading)
        except ScenarioError as error:
            # What every point has lost, and what was asked for outright, is the answer itself.
            if is_asked or sample.failed or len(readings) == 1:
                raise
            said.append(f"{reading.label} is left out: {error}")
            continue
        said += _doubts(sample, reading, method, found[reading.label])
    if not found:
        raise ScenarioError(said[0])
    if sample.failed:
        said.append(_failures(sample))
    kept = [reading for reading in readings if reading.label in found]
    return _as_dataset(sample, kept, method, found), said


def _doubts(sample: Sample, reading: Reading, method: Method, found: Indices) -> Iterator[str]:
    """What to know of the indices of one reading."""
    finite = np.isfinite(reading.values)
    if not varies(reading.values[finite]):
        yield f"{reading.label} is the same at every point"
    if method.name != ELASTICITIES and not (finite | sample.has_failed).all():
        yield f"{numberless_points(sample, reading)}: the others are analysed"
    if method.name == ELASTICITIES:
        lacking = np.isnan(found[method.main]) & ~failed_parameters(sample)
        if lacking.any():
            names = "any parameter" if lacking.all() else _names(sample, lacking)
            yield f"{reading.label} has no elasticity for {names}: it is not positive there"


def _failures(sample: Sample) -> str:
    """Which points failed, or in elasticities of which parameters, and why."""
    if sample.kind != ELASTICITIES:
        return f"{failing_points(sample)}: the others are analysed"
    names = _names(sample, failed_parameters(sample))
    return f"{sample.failed} points failed, steps of {names}{commonest(sample.reasons)}"


def _names(sample: Sample, which: np.ndarray) -> str:
    return ", ".join(name for name, is_one in zip(sample.names, which, strict=True) if is_one)


def _as_dataset(
    sample: Sample, readings: Sequence[Reading], method: Method, found: Mapping[str, Indices]
) -> xr.Dataset:
    """Along ``endpoint`` and ``parameter``, sorted by the largest size over all endpoints."""
    variables: dict[str, Any] = {}
    for name, meaning in method.meanings.items():
        if name not in found[readings[0].label]:
            continue
        values = np.stack([found[reading.label][name] for reading in readings])
        dims = ("endpoint", *PAIR[: values.ndim - 1])
        unit = "" if method.unit == OWN else method.unit
        variables[name] = (dims, values, {"long_name": meaning, "units": unit})
    used = [int(method.used(sample, reading).sum()) for reading in readings]
    variables["used"] = ("endpoint", np.array(used), {"long_name": "points behind the indices"})
    result = xr.Dataset(variables, coords=_labels(sample, readings))
    if "S2" in result:
        result = result.assign_coords(other=("other", np.array(sample.names, object)))
    result.attrs |= {"confidence": CONFIDENCE} if _has_intervals(method) else {}
    order = sorted_by_size(result[method.main], method.unit == OWN)
    return result.isel(parameter=order) if "S2" not in result else result.isel(
        parameter=order, other=order
    )  # fmt: skip


def sorted_by_size(values: xr.DataArray, has_units: bool = False) -> list[int]:
    """The places of the parameters, from the largest size over all endpoints on.

    Sizes with units are compared by the largest of their endpoint.
    """
    sizes = np.nan_to_num(np.abs(values.values), nan=-1.0, posinf=np.inf).reshape(
        -1, values.sizes["parameter"]
    )
    if has_units:
        sizes = sizes / np.maximum(sizes.max(axis=1, keepdims=True), np.finfo(float).tiny)
    order: list[int] = np.argsort(-sizes.max(axis=0), kind="stable").tolist()
    return order


def _labels(sample: Sample, readings: Sequence[Reading]) -> dict[str, Any]:
    parameters, endpoints = sample.parameters, readings
    return {
        "parameter": _texts("parameter", [item.name for item in parameters]),
        "parameter_title": _texts("parameter", [item.title for item in parameters]),
        "parameter_unit": _texts("parameter", [item.unit for item in parameters]),
        "endpoint": _texts("endpoint", [item.label for item in endpoints]),
        "endpoint_title": _texts("endpoint", [item.title for item in endpoints]),
        "endpoint_unit": _texts("endpoint", [item.unit for item in endpoints]),
    }


def _texts(dimension: str, items: Sequence[str]) -> tuple[str, np.ndarray]:
    return dimension, np.array(items, dtype=object)


def _has_intervals(method: Method) -> bool:
    return any(name.endswith("_conf") for name in method.meanings)
