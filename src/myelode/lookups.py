"""What expressions mean by their names: endpoints, also those of another perturbation or arm.

``peak`` is the endpoint at the point in question, ``none.peak`` that of a perturbation,
``none.early.peak`` that of an arm too; ``reference`` stands for the reference perturbation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError, best_matches
from myelode.expressions import Value, names_in

_DIMENSIONS = ("perturbation", "arm", "dose", "dose2", "sample")


def find(result: xr.Dataset, name: str) -> xr.DataArray:
    """The variable that an expression names; raises ScenarioError with the closest names."""
    *where, endpoint = name.split(".")
    if endpoint not in result.data_vars or len(where) > 2:
        raise _unknown(result, name)
    data = result[endpoint]
    for dimension, value in zip(("perturbation", "arm"), where, strict=False):
        chosen = _reference_of(result, value) if dimension == "perturbation" else value
        if dimension not in result.coords or chosen not in result[dimension].values:
            raise _unknown(result, name)
        if dimension in data.dims:
            data = data.sel({dimension: chosen}, drop=True)
    return data


def pointwise(
    result: xr.Dataset, texts: Sequence[str]
) -> tuple[xr.DataArray, Iterator[tuple[tuple[int, ...], dict[str, Value]]]]:
    """All points at which expressions are to be evaluated, and the values they use at each.

    Gives an empty array of the right shape, and an iterator of places in it with values by name.
    """
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    perturbations = xr.zeros_like(result["perturbation"], dtype=float)
    arrays = xr.broadcast(perturbations, *(find(result, name) for name in names))
    order = [dimension for dimension in _DIMENSIONS if dimension in arrays[0].dims]
    template, *columns = (array.transpose(*order) for array in arrays)
    template = xr.full_like(template, np.nan)
    template.attrs = {}
    values = dict(zip(names, (column.values for column in columns), strict=True))
    return template, (
        (place, {name: _plain(array[place]) for name, array in values.items()})
        for place in np.ndindex(*template.shape)
    )


def scalars(result: xr.Dataset, text: str) -> dict[str, Value]:
    """The values of all names in an expression; raises ScenarioError where one is not one value."""
    values = {}
    for name in names_in(text):
        data = find(result, name)
        if data.size != 1:
            along = " and ".join(str(dim) for dim in data.dims if data.sizes[dim] > 1)
            raise ScenarioError(f"{name!r} has a value for each {along}: say which is meant")
        values[name] = _plain(data.values.reshape(())[()])
    return values


def _reference_of(result: xr.Dataset, name: str) -> str:
    if name == "reference" and name not in result["perturbation"].values:
        return str(result.attrs["reference"])
    return name


def _unknown(result: xr.Dataset, name: str) -> ScenarioError:
    endpoints = [str(endpoint) for endpoint in result.data_vars]
    names = [*map(str, result["perturbation"].values), "reference"]
    known = [*endpoints, *(f"{other}.{endpoint}" for other in names for endpoint in endpoints)]
    if "arm" in result.coords:
        arms = [f"{other}.{arm}" for other in names for arm in result["arm"].values]
        known += [f"{arm}.{endpoint}" for arm in arms for endpoint in endpoints]
    return ScenarioError(f"unknown name {name!r}{best_matches(name, known)}")


def _plain(value: Any) -> Value:
    plain: Value = value.item() if isinstance(value, np.generic) else value
    return plain
