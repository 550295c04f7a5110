"""Results as netCDF files: whole or not at all, equal for equal inputs, and rerun on demand.

A file holds its own SBML, runs and tolerances, so `replay` needs neither the scenario nor the
models of the day on which it was written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from myelode.engines import Run, Tolerances
from myelode.engines.bulk import run_all
from myelode.errors import ScenarioError, SimulationError
from myelode.files import write_atomically
from myelode.preflight import check_sbml
from myelode.provenance import timeline_from_json
from myelode.regimens.counts import GIVEN, counts_in

FORMAT = "myelode result 1"
# HDF5 readers limit an attribute to 64 KiB; longer texts stand in variables of their own.
LONGEST_ATTRIBUTE = 60_000
TEXT_VARIABLE = "attribute_"
"""How the variable of such a text begins."""
REPLAY_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Replay:
    """How far a repeated run differs from a stored one.

    Attributes
    ----------
    max_difference : largest difference of any value, as a share of the largest value of its output.
    passed : whether that is within `tolerance`.
    output : the output with the largest difference.
    """

    max_difference: float
    passed: bool
    tolerance: float
    output: str


def write_result(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a dataset as netCDF 4; equal datasets give equal bytes.

    Raises ScenarioError where the path cannot be written; nothing half-written stays.
    """
    stored = _storable(dataset)
    write_atomically(Path(path), lambda file: stored.to_netcdf(file, engine="h5netcdf"))


def read_result(path: str | Path) -> xr.Dataset:
    """The dataset that `write_result` wrote.

    Raises ScenarioError for a missing, damaged or foreign file.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise ScenarioError(f"{path}: {'is a folder' if os.path.isdir(path) else 'no such file'}")
    try:
        stored = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError):
        raise ScenarioError(f"{path}: is damaged, or no netCDF file") from None
    found = stored.attrs.get("format")
    if found != FORMAT:
        said = f"says {found!r}" if isinstance(found, str) else "is netCDF, but says nothing"
        raise ScenarioError(f"{path}: is no result of this myelode: it {said}, not {FORMAT!r}")
    return _restored(stored)


def replay(path_or_dataset: str | Path | xr.Dataset, tolerance: float = REPLAY_TOLERANCE) -> Replay:
    """Run a stored result again, from what the file itself holds, and compare every value.

    Raises ScenarioError where the file does not hold what that takes, SimulationError where a run
    that once succeeded now fails.
    """
    if isinstance(path_or_dataset, xr.Dataset):
        return _compare(path_or_dataset, "the dataset", tolerance)
    return _compare(read_result(path_or_dataset), str(path_or_dataset), tolerance)


def _storable(dataset: xr.Dataset) -> xr.Dataset:
    """Everything in one order, text as text (not as objects), long attributes as variables."""
    attributes = {"format": FORMAT, **dataset.attrs}
    long = [name for name, value in dataset.attrs.items() if _is_long(value)]
    texts = {f"{TEXT_VARIABLE}{name}": ((), str(attributes.pop(name))) for name in sorted(long)}
    return xr.Dataset(
        {**{name: _as_text(dataset[name]) for name in _sorted(dataset.data_vars)}, **texts},
        coords={name: _as_text(dataset[name]) for name in _sorted(dataset.coords)},
        attrs=dict(sorted(attributes.items())),
    )


def _sorted(names: Iterable[Hashable]) -> list[str]:
    return sorted(str(name) for name in names)


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > LONGEST_ATTRIBUTE


def _as_text(data: xr.DataArray) -> tuple[Any, ...]:
    values = data.values.astype(str) if data.dtype == object else data.values
    return data.dims, values, data.attrs


def _restored(stored: xr.Dataset) -> xr.Dataset:
    texts = [str(name) for name in stored.data_vars if str(name).startswith(TEXT_VARIABLE)]
    dataset = stored.drop_vars(texts)
    for name in dataset.variables:
        if dataset[name].dtype.kind in "UST":
            dataset[name] = dataset[name].astype(object)
        dataset[name].encoding = {}
    attributes = {key: _plain(value) for key, value in stored.attrs.items() if key != "format"}
    attributes |= {name.removeprefix(TEXT_VARIABLE): str(stored[name].item()) for name in texts}
    dataset.attrs = attributes
    dataset.encoding = {}
    return dataset


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _compare(dataset: xr.Dataset, where: str, tolerance: float) -> Replay:
    if "runs" not in dataset.attrs or "sbml" not in dataset.attrs:
        raise ScenarioError(f"{where}: holds no runs: replay takes what a scenario gave")
    try:
        again = _rerun(dataset, where)
        names = (*_outputs(dataset), *counts_in(dataset))
        differences = {name: _difference(dataset[name], again[name]) for name in names}
        worst = max(differences, key=differences.__getitem__)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        raise ScenarioError(f"{where}: its runs are damaged: {problem!r}") from None
    largest = differences[worst]
    return Replay(largest, largest <= tolerance, tolerance, worst)


def _outputs(dataset: xr.Dataset) -> tuple[str, ...]:
    return tuple(name for name in _sorted(dataset.data_vars) if "time" in dataset[name].dims)


def _rerun(dataset: xr.Dataset, where: str) -> xr.Dataset:
    """The same dataset with the values of new runs."""
    attributes = dataset.attrs
    tolerances = Tolerances(
        float(attributes["relative_tolerance"]), float(attributes["absolute_tolerance"])
    )
    check_sbml(str(attributes["sbml"]), where)
    outputs, times = _outputs(dataset), dataset["time"].values
    given = counts_in(dataset)
    again = dataset[[*outputs, *given]].copy(deep=True)
    counts = tuple(name.removeprefix(GIVEN) for name in given)
    stored = [item for item in json.loads(attributes["runs"]) if not _has_failed(dataset, item)]
    runs = [
        Run(item["changes"], timeline_from_json(item), times, outputs, counts) for item in stored
    ]
    sbml, engine = str(attributes["sbml"]), str(attributes["engine"])
    ran = run_all(sbml, runs, engine, tolerances, stop=lambda _: True)
    for item, values in zip(stored, ran.results, strict=False):
        if isinstance(values, SimulationError):
            raise values
        place = tuple(item["place"])
        for position, name in enumerate(given, len(outputs)):
            again[name].values[place] = values[-1, position]
        for position, output in enumerate(outputs):
            again[output].values[place] = values[:, position]
    return again


def _has_failed(dataset: xr.Dataset, stored: Mapping[str, Any]) -> bool:
    """Whether a run failed when it was stored, so that there is nothing to compare."""
    return "status" in dataset and bool(dataset["status"].values[tuple(stored["place"])])


def _difference(stored: xr.DataArray, again: xr.DataArray) -> float:
    """The largest difference over the largest stored value; infinity where only one is a number."""
    old, new = stored.values, again.values
    if (np.isnan(old) != np.isnan(new)).any():
        return float("inf")
    known = ~np.isnan(old)
    if not known.any():
        return 0.0
    scale = float(np.abs(old[known]).max()) or 1.0
    return float(np.abs(new[known] - old[known]).max()) / scale
