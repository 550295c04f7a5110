"""A sweep as one netCDF file: the variables, dimensions and attributes of its store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from myelode.results import LONGEST_ATTRIBUTE, TEXT_VARIABLE
from myelode.sweeps.blocks import TEXT, Block, Layout, Variable

POINTS = "sample"
PIECE = 2_000_000
"""Bytes of what is packed together."""
MOST_ROWS = 16_384
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write_netcdf(
    path: Path, layout: Layout, names: Sequence[str], blocks: Iterable[tuple[int, Block]]
) -> None:
    """Write the named variables of a store, block by block; `blocks` have their first point.

    Attributes that are longer than readers of HDF5 allow stand in variables of their own, as in
    the files of single runs.
    """
    import h5netcdf

    with h5netcdf.File(path, "w") as file:
        variables = [item for item in layout.variables if item.name in names]
        _declare_dims(file, layout, variables)
        _write_attributes(file, layout)
        for name, (dims, values, attributes) in layout.fixed.items():
            _write_fixed(file, name, dims, values, attributes)
        arrays = {item.name: _create(file, item, layout.count) for item in variables}
        for first, block in blocks:
            for name, array in arrays.items():
                array[first : first + len(block[name])] = block[name]


def _declare_dims(file: Any, layout: Layout, variables: Sequence[Variable]) -> None:
    sizes = {POINTS: layout.count}
    for item in variables:
        sizes |= dict(zip(item.dims, item.shape, strict=True))
    for dims, values, _ in layout.fixed.values():
        sizes |= dict(zip(dims, values.shape, strict=True))
    file.dimensions = sizes


def _write_attributes(file: Any, layout: Layout) -> None:
    """The attributes of the whole, and which of the variables are coordinates."""
    names = layout.coordinate_names()
    given = {**layout.attributes, **({"coordinates": names} if names else {})}
    for name, value in given.items():
        if isinstance(value, str) and len(value.encode()) > LONGEST_ATTRIBUTE:
            _write_fixed(file, TEXT_VARIABLE + name, (), np.array(value, dtype=object), {})
        else:
            file.attrs[name] = _attribute(value)


def _write_fixed(
    file: Any, name: str, dims: tuple[str, ...], values: np.ndarray, attributes: Mapping[str, Any]
) -> None:
    """An array that all points share."""
    values = np.asarray(values)
    is_text = values.dtype.kind not in "biuf"
    array = file.create_variable(name, dims, _kind(TEXT if is_text else values.dtype.name))
    array[...] = values.astype(object) if is_text else values
    _describe(array, attributes)


def _create(file: Any, variable: Variable, count: int) -> Any:
    """An array along the points, of which nothing is written yet."""
    is_text = variable.dtype == TEXT
    size = 16 if is_text else np.dtype(variable.dtype).itemsize
    rows = max(1, min(count, MOST_ROWS, PIECE // (size * int(np.prod(variable.shape, dtype=int)))))
    array = file.create_variable(
        variable.name,
        (POINTS, *variable.dims),
        _kind(variable.dtype),
        chunks=(rows, *variable.shape),
        **({} if is_text else _PACKED),
    )
    _describe(array, variable.attributes)
    return array


def _kind(dtype: str) -> Any:
    import h5py

    return h5py.string_dtype() if dtype == TEXT else np.dtype(dtype)


def _describe(array: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if value is not None:
            codes = name == "flag_values"
            array.attrs[name] = np.array(value, array.dtype) if codes else _attribute(value)


def _attribute(value: Any) -> Any:
    """A value as netCDF has it: it knows no truth values."""
    return int(value) if isinstance(value, bool) else value
