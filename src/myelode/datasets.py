"""Trajectories as `xarray.Dataset`s that know their units and their origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from myelode.dose_ladders import Axis
from myelode.engines import Tolerances
from myelode.engines.bulk import Ran
from myelode.inputs import inputs_as_data
from myelode.model import Model
from myelode.perturbations import REFERENCE
from myelode.plan import Plan
from myelode.provenance import clinical_context, evidence_of, run_to_json
from myelode.quotations import claims_of, quoted
from myelode.regimens.counts import GIVEN

NOTICE = "For research and teaching only; no advice for a real person."


def plan_dataset(plan: Plan, values: np.ndarray, ran: Ran, tolerances: Tolerances) -> xr.Dataset:
    """What the runs of a plan gave, from values of shape (axes..., times, columns of the plan)."""
    dims = tuple(axis.name for axis in plan.axes)
    dataset = _trajectories(plan.model, dims, plan.times, plan.outputs, values)
    for axis in plan.axes:
        dataset = dataset.assign_coords(_coordinates(axis))
    dataset = dataset.assign_coords(_classes(plan))
    failed = np.isnan(values).all(axis=(-2, -1)) & plan.scenario.design.goes_on
    status = failed.astype(np.int8)
    for at, name in enumerate(plan.counts, len(plan.outputs)):
        dataset[GIVEN + name] = (dims, values[..., -1, at], _counted(name))
    dataset["status"] = (dims, status, {"long_name": "0 = reached its end, 1 = failed"})
    scenario = plan.scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    dataset.attrs = {
        **_origin(plan.model, ran, tolerances),
        **evidence_of(plan),
        **clinical_context(plan),
        **quoted(claims_of(plan.scenario, plan.model)),
        **_seed(plan),
        **inputs_as_data(plan.scenario, plan.inputs),
        "title": plan.scenario.title,
        "scenario": json.dumps(scenario),
        "perturbation_titles": json.dumps(_titles(plan)),
        "labels": json.dumps(plan.labels),
        "sbml": plan.sbml,
        "runs": json.dumps([run_to_json(planned) for planned in plan.runs]),
    }
    return dataset


def model_dataset(
    model: Model,
    times: np.ndarray,
    outputs: tuple[str, ...],
    values: np.ndarray,
    samples: Mapping[str, np.ndarray],
) -> xr.Dataset:
    """What runs of a plain model gave, from values of shape ([samples,] times, outputs).

    `samples` are the changes that differ from sample to sample.
    """
    dims = ("sample",) if values.ndim == 3 else ()
    dataset = _trajectories(model, dims, times, outputs, values)
    return dataset.assign_coords(
        {
            f"changed_{name}": ("sample", numbers, _attributes(model.entities[name].unit, name))
            for name, numbers in samples.items()
        }
    )


def model_origin(model: Model, ran: Ran, tolerances: Tolerances) -> dict[str, Any]:
    """Where the numbers of a plain simulation come from."""
    return {**_origin(model, ran, tolerances), "sbml": model.sbml}


def _trajectories(
    model: Model,
    dims: tuple[str, ...],
    times: np.ndarray,
    outputs: tuple[str, ...],
    values: np.ndarray,
) -> xr.Dataset:
    clock = _clock(outputs)
    variables = {
        output: (
            (*dims, clock),
            values[..., at],
            _attributes(model.unit_of(output), model.label_of(output)),
        )
        for at, output in enumerate(outputs)
    }
    return xr.Dataset(
        variables, coords={clock: (clock, times, _attributes(model.time_unit, "time"))}
    )


def _clock(outputs: tuple[str, ...]) -> str:
    """What the dimension of time is called: another name where an output has this one."""
    return "moment" if "time" in outputs else "time"


def _counted(name: str) -> dict[str, str]:
    return {"units": "1", "long_name": f"occurrences of step {name} that took place"}


def _coordinates(axis: Axis) -> dict[str, Any]:
    values = np.array(axis.values, dtype=object if isinstance(axis.values[0], str) else None)
    attributes = _attributes(axis.unit, axis.name)
    attributes |= {"dosed": axis.dosed} if axis.dosed else {}
    found: dict[str, Any] = {axis.name: (axis.name, values, attributes)}
    for name, (numbers, unit) in (axis.labels or {}).items():
        found[name] = (axis.name, np.array(numbers), _attributes(unit, name))
    return found


def _seed(plan: Plan) -> dict[str, int]:
    """The seed of the virtual lines, patients or draws, where there are any."""
    subjects = plan.scenario.design.subjects
    return {"seed": subjects.seed} if subjects else {}


def _classes(plan: Plan) -> dict[str, Any]:
    """The class of each perturbation, where one has a class beside the reference's own."""
    words = [item.true_class for item in plan.perturbations.values()]
    if not {*words} - {"", REFERENCE}:
        return {}
    attributes = {"long_name": "class of the perturbation"}
    return {"class": ("perturbation", np.array(words, dtype=object), attributes)}


def _titles(plan: Plan) -> dict[str, str]:
    """What the perturbations are called in words, where somebody says it."""
    named = plan.perturbations.items()
    return {name: item.title for name, item in named if item.title and name != REFERENCE}


def _attributes(unit: str | None, label: str) -> dict[str, str]:
    return {"units": unit or "", "long_name": label}


def _origin(model: Model, ran: Ran, tolerances: Tolerances) -> dict[str, Any]:
    return {
        "model": model.name,
        "variant": model.variant,
        "model_sha256": model.digest,
        "engine": ran.engine,
        "engine_because": ran.because,
        "relative_tolerance": tolerances.relative,
        "absolute_tolerance": tolerances.absolute,
        "versions": _versions(),
        "notice": NOTICE,
    }


@lru_cache(maxsize=1)
def _versions() -> str:
    packages = ("myelode", "libroadrunner", "numpy", "scipy")
    return json.dumps({name: version(name) for name in packages})
