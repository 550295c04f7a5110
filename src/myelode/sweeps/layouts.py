"""The arrays of a sweep, from what is kept of its first points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr

from myelode.model import Model
from myelode.sweeps.axes import Axis
from myelode.sweeps.blocks import TEXT, Layout, Variable, ledger
from myelode.sweeps.readouts import NO_CODE, shared_coordinates
from myelode.sweeps.sections import Sweep

ORIGIN = (
    "model", "variant", "model_sha256", "engine", "engine_because", "relative_tolerance",
    "absolute_tolerance", "versions", "notice", "evidence", "assumed_share", "regulatory",
)  # fmt: skip
"""What is said of where numbers come from, as a single run does."""
_WHOLE = ("sbml", "scenario")
"""What a store holds beside that, so that its numbers can be computed again."""
_FILLS = {"int8": NO_CODE, "float32": np.nan}


def make_layout(
    sweep: Sweep, model: Model, axes: Iterable[Axis], kept: xr.Dataset, points: int, chunk: int
) -> Layout:
    """The arrays for so many points; `kept` is what `read_out` gives of a few."""
    variables = (
        *(_coordinate(axis, model) for axis in axes),
        *ledger(model.time_unit),
        *_results(kept),
    )
    attributes = {name: kept.attrs[name] for name in (*ORIGIN, *_WHOLE) if name in kept.attrs}
    attributes |= {"title": sweep.title, "sweep": sweep.text, "sweep_id": sweep.id}
    return Layout(points, chunk, variables, shared_coordinates(kept), attributes)


def _coordinate(axis: Axis, model: Model) -> Variable:
    """An axis, as a coordinate along the points."""
    if axis.is_place:
        return Variable(axis.name, (), (), TEXT, "", {"long_name": axis.name}, True)
    attributes = {"units": axis.unit or "", "long_name": _label(axis, model)}
    return Variable(axis.name, attributes=attributes, is_coordinate=True)


def _label(axis: Axis, model: Model) -> str:
    if axis.kind == "dose":
        return f"size of dose {axis.target}" + (f" in arm {axis.arm}" if axis.arm else "")
    return model.label_of(axis.target)


def _results(kept: xr.Dataset) -> Iterator[Variable]:
    for name, data in kept.data_vars.items():
        dtype = str(data.dtype) if str(data.dtype) in _FILLS else "float64"
        attributes = {str(key): value for key, value in data.attrs.items() if value is not None}
        dims = tuple(map(str, data.dims[1:]))
        fill = _FILLS.get(dtype, np.nan)
        yield Variable(str(name), dims, data.shape[1:], dtype, fill, attributes)
