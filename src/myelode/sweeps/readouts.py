"""What a sweep keeps of its points: endpoints, verdicts as codes, and trajectories on request.

Each point stands alone: nothing that is kept of one depends on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from myelode.datasets import plan_dataset
from myelode.dose_ladders import Axis
from myelode.engines.bulk import Ran
from myelode.errors import ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.outcomes import evaluate_scenario
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, expressions_of
from myelode.sweeps.sections import Sweep
from myelode.sweeps.structures import Structure
from myelode.sweeps.verdicts import TRUTHS, coded, words_of


def read_out(
    sweep: Sweep, structure: Structure, values: np.ndarray, numbers: np.ndarray
) -> xr.Dataset:
    """What is kept of points, from the values of `Simulated`; `sample` is the first dimension.

    `numbers` are those of the points in the sweep, on which the noise of an assay depends. Raises
    ScenarioError for an endpoint that the scenario does not have, and for one that takes points
    together.
    """
    _require_apart(structure.scenario)
    dataset = _dataset(structure, values, numbers)
    context = Context(structure.planner.model)
    result = evaluate_scenario(dataset, structure.scenario, context, briefly=True)
    found = dict(_readable(structure.scenario, result, _failed(structure, values)))
    kept = xr.Dataset(dict(_asked_for(sweep, structure.scenario, result, found)))
    kept = kept.assign(_trajectories(sweep, dataset, kept))
    if not kept.data_vars:
        with sweep.at("scenario"):
            raise ScenarioError(
                "the scenario has no endpoint, and nothing is recorded: write record: [OUTPUT]"
            )
    if structure.select:
        kept = kept.sel(perturbation=structure.select, drop=True)
    kept.attrs = dataset.attrs
    return kept.transpose("sample", ...)


def _dataset(structure: Structure, values: np.ndarray, numbers: np.ndarray) -> xr.Dataset:
    """The trajectories of points, as those of a scenario whose design has samples."""
    plan, chosen = structure.plan, structure.chosen
    samples = Axis("sample", tuple(numbers.tolist()))
    many = replace(plan, axes=(*plan.axes, samples), runs=())
    ran = Ran([], chosen.engine, chosen.because)
    return plan_dataset(many, values, ran, structure.tolerances)


def _require_apart(scenario: Scenario) -> None:
    """Refuse an expression over what is said of all patients together."""
    groups = _names_of_groups(scenario)
    for path, text in expressions_of(scenario) if groups else ():
        for name in names_in(text):
            if (own := name.rpartition(".")[2]) in groups:
                with scenario.at(*path):
                    raise ScenarioError(_of_group(own, groups[own]))


def _names_of_groups(scenario: Scenario) -> dict[str, str]:
    """What responses say of all patients together, and which response does."""
    rules = scenario.responses.items()
    return {own: name for name, rule in rules for own in rule.names_of_groups(name)}


def _of_group(name: str, response: str) -> str:
    return (
        f"{name!r} is said of all patients together, and each point of a sweep stands alone: take "
        f"what is said of one, such as {response}_progression, and count the points of the result"
    )


def _failed(structure: Structure, values: np.ndarray) -> xr.DataArray:
    """Which runs have failed: they have no number at any time, the last one included."""
    dims = [*(axis.name for axis in structure.plan.axes), "sample"]
    return xr.DataArray(np.isnan(values[..., -1, :]).all(axis=-1), dims=dims)


def _readable(
    scenario: Scenario, result: xr.Dataset, failed: xr.DataArray
) -> Iterator[tuple[str, xr.DataArray]]:
    """Numbers as they are, and classes, labels and truths as codes; other texts are left out."""
    words = words_of(scenario)
    for name, data in result.data_vars.items():
        if "sample" not in data.dims:
            continue
        if data.dtype.kind in "fiu":
            yield str(name), data
        elif data.dtype.kind == "b" or name in words:
            yield str(name), coded(data, words.get(str(name), TRUTHS), failed)


def _asked_for(
    sweep: Sweep, scenario: Scenario, result: xr.Dataset, found: Mapping[str, xr.DataArray]
) -> Iterator[tuple[str, xr.DataArray]]:
    """Those that the sweep asks for."""
    for number, name in enumerate(sweep.endpoints or ()):
        if name not in found:
            with sweep.at("endpoints", number):
                raise ScenarioError(_why_not(name, scenario, result, found))
    for name, data in found.items():
        if sweep.endpoints is None or name in sweep.endpoints:
            yield name, data


def _why_not(
    name: str, scenario: Scenario, result: xr.Dataset, found: Mapping[str, xr.DataArray]
) -> str:
    """Why there is no such endpoint."""
    groups = _names_of_groups(scenario)
    if name in groups:
        return _of_group(name, groups[name])
    if name in result.data_vars:
        said = "a text" if "sample" in result[name].dims else "the same at all points"
        return f"{name!r} is {said}: a sweep keeps the numbers and verdicts of its points"
    return f"{scenario.id} has no endpoint {name!r}{best_matches(name, found)}"


def _trajectories(sweep: Sweep, dataset: xr.Dataset, kept: xr.Dataset) -> dict[str, Any]:
    """The outputs that are asked for, in single precision."""
    found: dict[str, Any] = {}
    for number, output in enumerate(sweep.record):
        with sweep.at("record", number):
            if output in kept:
                raise ScenarioError(
                    f"{output!r} is the name of an endpoint too: list the endpoints to keep under "
                    "endpoints, without it"
                )
            data = dataset[output]
            found[output] = data.astype(np.float32).assign_attrs(data.attrs)
    return found


def shared_coordinates(
    kept: xr.Dataset,
) -> Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]]:
    """The coordinates that do not depend on the point, by name."""
    return {
        str(name): (tuple(map(str, data.dims)), data.values, dict(data.attrs))
        for name, data in kept.coords.items()
        if "sample" not in data.dims and data.dims
    }
