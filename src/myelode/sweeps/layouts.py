"""The arrays of a sweep, from what is kept of its first points."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.sweeps.axes import Axis
from myelode.sweeps.blocks import LEDGER_NAMES, TEXT, Layout, Variable, ledger
from myelode.sweeps.readouts import shared_coordinates
from myelode.sweeps.sections import Sweep
from myelode.sweeps.verdicts import NO_CODE

ORIGIN = (
    "model", "variant", "model_sha256", "engine", "engine_because", "relative_tolerance",
    "absolute_tolerance", "versions", "notice", "evidence", "assumed_share", "regulatory",
)  # fmt: skip
"""What is said of where numbers come from, as a single run does."""
_WHOLE = ("sbml", "scenario")
"""What a store holds beside that, so that its numbers can be computed again."""
_PLAN = "plan"
"""What a store calls the place of its plan."""
_FILLS = {"int8": NO_CODE, "float32": np.nan}


def make_layout(
    sweep: Sweep, model: Model, axes: Collection[Axis], kept: xr.Dataset, points: int, chunk: int
) -> Layout:
    """The arrays for so many points; `kept` is what `read_out` gives of a few.

    Raises ScenarioError where two of them would have one name.
    """
    _require_own_names(sweep, {axis.name: axis for axis in axes}, kept)
    variables = (
        *(_coordinate(axis, model) for axis in axes),
        *ledger(model.time_unit),
        *_results(kept),
    )
    attributes = {name: kept.attrs[name] for name in (*ORIGIN, *_WHOLE) if name in kept.attrs}
    attributes |= {"title": sweep.title, "sweep": sweep.text, "sweep_id": sweep.id}
    return Layout(points, chunk, variables, shared_coordinates(kept), attributes)


def _require_own_names(sweep: Sweep, axes: Mapping[str, Axis], kept: xr.Dataset) -> None:
    """Refuse axes and results of one name, and those with one that stands for something else."""
    taken = dict.fromkeys(LEDGER_NAMES, "a column of the ledger")
    taken |= {str(name): "a dimension of the results" for name in (*kept.dims, *kept.coords)}
    taken[_PLAN] = "the place where a store keeps the plan"
    for name in axes:
        if name in taken:
            with sweep.at("design"):
                raise ScenarioError(
                    f"the axis {name!r} has the name of {taken[name]}{_renamed(axes[name])}"
                )
    taken |= dict.fromkeys(axes, "an axis")
    for name in map(str, kept.data_vars):
        if name in taken:
            _refuse(sweep, name, taken[name], axes.get(name))


def _renamed(axis: Axis | None) -> str:
    """What an axis may be called instead."""
    if axis is None or axis.kind != "value":
        return ""
    return f": write the axis as final.{axis.name}, which stands above perturbations"


def _refuse(sweep: Sweep, name: str, what: str, axis: Axis | None) -> None:
    """Refuse the name of a result, which something else has."""
    if name in sweep.record:
        with sweep.at("record", sweep.record.index(name)):
            said = f"the output {name!r} has the name of {what}"
            raise ScenarioError(f"{said}{_renamed(axis) or ': it cannot be recorded'}")
    with sweep.at("scenario"):
        raise ScenarioError(
            f"the endpoint {name!r} has the name of {what}: call it otherwise, or list the "
            "endpoints to keep under endpoints, without it"
        )


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


def fitting(data: xr.DataArray, variable: Variable) -> np.ndarray:
    """Values of a variable at some place of the scenario.

    Raises ScenarioError where they have another shape than at the first, or their codes mean
    something else.
    """
    if data.shape[1:] != variable.shape:
        raise ScenarioError(
            f"{variable.name!r} has {data.shape[1:]} values a point at some places and "
            f"{variable.shape} at others: they cannot stand in one store"
        )
    if data.attrs.get("flag_meanings") != variable.attributes.get("flag_meanings"):
        raise ScenarioError(
            f"{variable.name!r} has other verdicts at some places than at the first: "
            "they cannot stand in one store"
        )
    return np.asarray(data.values)
