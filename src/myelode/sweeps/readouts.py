"""What a sweep keeps of its points: endpoints, verdicts as codes, and trajectories on request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from myelode.datasets import plan_dataset
from myelode.dose_ladders import Axis
from myelode.engines.bulk import Ran
from myelode.errors import ScenarioError, best_matches
from myelode.outcomes import CLASSES, NO_LABEL, evaluate_scenario
from myelode.regimens.steps import Context
from myelode.scenario import Scenario
from myelode.sweeps.blocks import DONE, LEDGER_NAMES, Variable
from myelode.sweeps.sections import Sweep
from myelode.sweeps.structures import Structure

NO_CODE = -1
"""The code of a verdict that nobody has reached yet."""


def read_out(
    sweep: Sweep, structure: Structure, values: np.ndarray, numbers: np.ndarray
) -> xr.Dataset:
    """What is kept of points, from the values of `Simulated`; `sample` is the first dimension.

    `numbers` are those of the points in the sweep, on which the noise of an assay depends. Raises
    ScenarioError for an endpoint that the scenario does not have.
    """
    dataset = _dataset(structure, values, numbers)
    context = Context(structure.planner.model)
    result = evaluate_scenario(dataset, structure.scenario, context, briefly=True)
    kept = xr.Dataset(dict(_endpoints(sweep, structure.scenario, result)))
    kept = kept.assign(_trajectories(sweep, dataset, kept))
    _require_something(sweep, kept)
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


def _endpoints(
    sweep: Sweep, scenario: Scenario, result: xr.Dataset
) -> Iterator[tuple[str, xr.DataArray]]:
    """Numbers as they are, and classes and labels as codes."""
    words = _words(scenario)
    found = {
        str(name): data if data.dtype.kind in "fiu" else _coded(data, words[str(name)])
        for name, data in result.data_vars.items()
        if "sample" in data.dims and (data.dtype.kind in "fiu" or name in words)
    }
    for number, name in enumerate(sweep.endpoints or ()):
        if name not in found:
            with sweep.at("endpoints", number):
                raise ScenarioError(
                    f"{scenario.id} has no endpoint {name!r}{best_matches(name, found)}"
                )
    for name, data in found.items():
        if sweep.endpoints is None or name in sweep.endpoints:
            yield name, data


def _words(scenario: Scenario) -> dict[str, Sequence[str]]:
    """The texts that a verdict may be, by its name."""
    labels = {
        name: tuple(dict.fromkeys([*(case.label for case in cases), NO_LABEL]))
        for name, cases in scenario.rules.items()
    }
    return {**labels, **({"outcome": CLASSES} if scenario.outcome else {})}


def _coded(data: xr.DataArray, words: Sequence[str]) -> xr.DataArray:
    """Texts as the numbers of their words, which `flag_meanings` names."""
    codes = {word: code for code, word in enumerate(words)}
    numbers = np.vectorize(lambda text: codes.get(text, NO_CODE), otypes=[np.int8])(data.values)
    meanings = " ".join(["missing", *(word.replace(" ", "_") for word in words)])
    attributes = {
        "long_name": str(data.attrs.get("long_name", data.name)).replace("_", " "),
        "flag_values": [NO_CODE, *codes.values()],
        "flag_meanings": meanings,
    }
    return data.copy(data=numbers).assign_attrs(attributes)


def without_labels(codes: np.ndarray, variable: Variable, status: np.ndarray) -> np.ndarray:
    """Codes without the label for want of one, of points that are not done."""
    words = str(variable.attributes.get("flag_meanings", "")).split()
    none = NO_LABEL.replace(" ", "_")
    if none not in words:
        return codes
    code = variable.attributes["flag_values"][words.index(none)]
    not_done = (status != DONE).reshape(-1, *(1 for _ in variable.shape))
    return np.where(not_done & (codes == code), NO_CODE, codes).astype(codes.dtype)


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


def _require_something(sweep: Sweep, kept: xr.Dataset) -> None:
    for name in map(str, kept.data_vars):
        if name in LEDGER_NAMES:
            with sweep.at("scenario"):
                raise ScenarioError(f"the endpoint {name!r} has the name of a column of the ledger")
    if not kept.data_vars:
        with sweep.at("scenario"):
            raise ScenarioError(
                "the scenario has no endpoint, and nothing is recorded: write record: [OUTPUT]"
            )


def shared_coordinates(
    kept: xr.Dataset,
) -> Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]]:
    """The coordinates that do not depend on the point, by name."""
    return {
        str(name): (tuple(map(str, data.dims)), data.values, dict(data.attrs))
        for name, data in kept.coords.items()
        if "sample" not in data.dims and data.dims
    }
