"""Indices of several endpoints as one dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.sensitivities.doubts import doubts
from myelode.sensitivities.methods import OWN, Method
from myelode.sensitivities.samples import CONFIDENCE, Indices, Parameter, Reading, Sample

PAIR = ("parameter", "other")


def indices_of(
    sample: Sample, readings: Sequence[Reading], method: Method
) -> tuple[xr.Dataset, list[str]]:
    """The indices of every reading that has them, and what is to be said of them and the others.

    Raises ScenarioError where none has.
    """
    found: dict[str, Indices] = {}
    refused: dict[str, list[str]] = {}
    for reading in readings:
        try:
            found[reading.label] = method.indices(sample, reading)
        except ScenarioError as error:
            refused.setdefault(str(error), []).append(reading.label)
    if not found:
        raise ScenarioError(next(iter(refused)))
    kept = [reading for reading in readings if reading.label in found]
    said = [*_left_out(refused), *doubts(sample, kept, method, found)]
    return _as_dataset(sample, kept, method, found), said


def _left_out(refused: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Which readings have no indices, by the reason."""
    for reason, labels in refused.items():
        verb = "is" if len(labels) == 1 else "are"
        yield f"{' and '.join(labels)} {verb} left out: {reason}"


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
    about = {"long_name": "points behind the indices", "units": "1"}
    variables["used"] = ("endpoint", np.array(used), about)
    result = xr.Dataset(variables, coords=_labels(sample, readings))
    if "S2" in result:
        result = result.assign_coords(other=_texts("other", sample.names, "the other parameter"))
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
    return {
        **_named("parameter", sample.parameters, sample.names, "parameter, by its name"),
        **_named("endpoint", readings, [item.label for item in readings], "entry of an endpoint"),
    }


def _named(
    dimension: str, items: Sequence[Parameter | Reading], labels: Sequence[str], meaning: str
) -> dict[str, Any]:
    """A dimension with what its entries mean, and their units."""
    titles, units = [item.title for item in items], [item.unit for item in items]
    return {
        dimension: _texts(dimension, labels, meaning),
        f"{dimension}_title": _texts(dimension, titles, f"meaning of the {dimension}"),
        f"{dimension}_unit": _texts(dimension, units, f"unit of the {dimension}"),
    }


def _texts(dimension: str, items: Sequence[str], meaning: str) -> tuple[str, np.ndarray, Any]:
    return dimension, np.array(items, dtype=object), {"long_name": meaning}


def _has_intervals(method: Method) -> bool:
    return any(name.endswith("_conf") for name in method.meanings)
