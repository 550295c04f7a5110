"""What expressions mean by their names: endpoints, also of another perturbation, compound or arm.

``peak`` is the endpoint at the point in question, ``none.peak`` that of a perturbation,
``none.early.peak`` that of an arm or compound too, ``none.S_form.early.peak`` that of both;
``reference`` stands for the reference perturbation. A compound's hyphens are written ``_`` here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError, best_matches
from myelode.expressions import Value, names_in

_NAMED = ("perturbation", "compound", "arm")
_DIMENSIONS = (*_NAMED, "dose", "dose2", "sample")


def find(result: xr.Dataset, name: str) -> xr.DataArray:
    """The variable that an expression names; raises ScenarioError with the closest names."""
    *where, endpoint = name.split(".")
    chosen = _chosen(result, where)
    if endpoint not in result.data_vars or chosen is None:
        raise _unknown(result, name)
    data = result[endpoint]
    return data.sel({dim: chosen[dim] for dim in chosen if dim in data.dims}, drop=True)


def _chosen(result: xr.Dataset, where: Sequence[str]) -> dict[str, str] | None:
    """The place that the parts of a name say, in the order of the axes; None if they say none.

    The perturbation comes first; behind it an arm may stand without a compound.
    """
    chosen: dict[str, str] = {}
    axes = [name for name in _NAMED if name in result.coords]
    for part in where:
        fitting = [axis for axis in axes if part in _names_along(result, axis)]
        if not fitting or not (chosen or fitting[0] == _NAMED[0]):
            return None
        chosen[fitting[0]] = _names_along(result, fitting[0])[part]
        axes = axes[axes.index(fitting[0]) + 1 :]
    return chosen


def _names_along(result: xr.Dataset, axis: str) -> dict[str, str]:
    """The values of an axis, by the words that mean them in an expression."""
    names = {str(value).replace("-", "_"): str(value) for value in result[axis].values}
    if axis == _NAMED[0]:
        names.setdefault("reference", str(result.attrs["reference"]))
    return names


@dataclass(frozen=True)
class Points:
    """All points at which expressions are to be evaluated.

    `values` are what the expressions use, by name: arrays with all of the dimensions, of length one
    along those on which they do not depend.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of all dimensions."""
        return tuple(self.sizes.values())

    def filled(self, found: np.ndarray, **attributes: str) -> xr.Variable:
        """A value for every point, from what broadcasts to them."""
        whole = np.array(np.broadcast_to(found, self.shape))
        return xr.Variable(tuple(self.sizes), whole, attributes)

    def each(self) -> Iterator[tuple[tuple[int, ...], dict[str, Value]]]:
        """All places, each with the values there."""
        whole = {name: np.broadcast_to(each, self.shape) for name, each in self.values.items()}
        for place in np.ndindex(*self.shape):
            yield place, {name: _plain(array[place]) for name, array in whole.items()}


def points_of(result: xr.Dataset, texts: Sequence[str]) -> Points:
    """The points that all names in some expressions have together, at least the perturbations.

    Raises ScenarioError for an unknown name, and for one that is no single number.
    """
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    found = {name: find(result, name).variable for name in names}
    for name, data in found.items():
        if strange := [str(dim) for dim in data.dims if dim not in _DIMENSIONS]:
            raise ScenarioError(
                f"{name!r} has a value for each {strange[0]}: it is no single number"
            )
    used = {_NAMED[0], *(dim for data in found.values() for dim in data.dims)}
    sizes = {dim: result.sizes[dim] for dim in _DIMENSIONS if dim in used}
    return Points(sizes, {name: _aligned(data, sizes) for name, data in found.items()})


def _aligned(data: xr.Variable, sizes: Mapping[str, int]) -> np.ndarray:
    """The values with dimensions in order, of length one where they have none."""
    there = [dim for dim in sizes if dim in data.dims]
    shape = [size if dim in there else 1 for dim, size in sizes.items()]
    values = data.transpose(*there).values.reshape(shape)
    return values.astype(object) if values.dtype.kind == "U" else values


def first_of(cases: Iterable[tuple[np.ndarray, str]], otherwise: str) -> np.ndarray:
    """The text of the first condition that holds, at every point; conditions broadcast."""
    conditions, texts = zip(*cases, strict=True)
    choices = [np.array(text, dtype=object) for text in texts]
    return np.select(list(conditions), choices, np.array(otherwise, dtype=object))


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


def _unknown(result: xr.Dataset, name: str) -> ScenarioError:
    endpoints = [str(endpoint) for endpoint in result.data_vars]
    places = [""]
    known = list(endpoints)
    for axis in _NAMED:
        if axis in result.coords:
            names = _names_along(result, axis)
            places = [f"{place}{value}." for place in places for value in names]
            known += [f"{place}{endpoint}" for place in places for endpoint in endpoints]
    return ScenarioError(f"unknown name {name!r}{best_matches(name, known)}")


def _plain(value: Any) -> Value:
    plain: Value = value.item() if isinstance(value, np.generic) else value
    return plain
