"""`cross_resistance`: folds of the half dose, perturbations by drugs, of a model or of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.responses.across import across_models, read_mapping
from myelode.responses.dose_responses import prepare, titrate
from myelode.responses.templates import asked_ladder, matrix_scenario, read_template

ALL = "all"
_NUMBERS = ("fold", "ic50", "ec50", "emax", "outcome", "reason", "flags")
COMPUTED = "computed"


def cross_resistance(
    model: str | Path,
    read: str | None = None,
    perturbations: Sequence[str] | None = None,
    compounds: Sequence[str] | None = None,
    points: int | None = None,
    uncertainty: int = 0,
    seed: int = 1,
    engine: str = "auto",
    progress: Progress | None = None,
) -> xr.Dataset:
    """How far each change in the cell shifts the half dose of each drug.

    Parameters
    ----------
    model : a model, whose ``cross_resistance.yaml`` says with which scenario and on which ladder;
        or ``all``: the changes that stand in several models, over the drugs of all.
    read : the time of reading, by default that of the scenario.
    perturbations, compounds : rows and columns, by default those that the model declares.
    points : the number of doses besides zero.
    uncertainty : how many draws of the uncertain numbers give the intervals.

    Returns
    -------
    xarray.Dataset
        ``fold`` (perturbation, compound): the half dose over that of the same drug in the
        reference; infinity where only the reference is ever reached, NaN where there is none, with
        the ``reason``. ``outcome``, ``flags``, ``status`` (computed, stated or unknown) have the
        same dimensions, intervals a ``quantile`` too. ``ic50_reference`` is that of each drug.

    Raises ScenarioError or ModelError for faults in the input, SimulationError for a failed run.
    """
    if str(model) != ALL:
        one = (perturbations, compounds, points, uncertainty, seed, engine, progress)
        return _of_model(model, read, *one)
    if read is not None:
        raise ScenarioError("each model has its own time of reading: read is for one model")
    mapping = read_mapping(perturbations, compounds)
    tables = {
        name: _of_model(
            name, None, rows, mapping.columns_of(name), points, uncertainty, seed, engine, progress
        )
        for name, rows in mapping.rows_by_model().items()
    }
    return across_models(mapping, tables)


def _of_model(
    model: str | Path,
    read: str | None,
    perturbations: Sequence[str] | None,
    compounds: Sequence[str] | None,
    points: int | None,
    uncertainty: int,
    seed: int,
    engine: str,
    progress: Progress | None,
) -> xr.Dataset:
    template, scenario = read_template(model)
    chosen = matrix_scenario(template, scenario, perturbations, compounds)
    what = (template.of, read, None)
    titration = prepare(chosen, asked_ladder(template, points), what, None, uncertainty, seed)
    return table_of(titrate(titration, engine, progress=progress))


def table_of(curves: xr.Dataset) -> xr.Dataset:
    """The numbers of a dose-response of many compounds as a table without the reference."""
    if "arm" in curves.dims and "compound" not in curves.dims:
        curves = curves.rename({"arm": "compound"})
    if strange := [str(d) for d in curves["fold"].dims if d not in ("perturbation", "compound")]:
        raise ScenarioError(f"a matrix has perturbations and compounds: not {', '.join(strange)}")
    if "compound" not in curves.dims:
        only = json.loads(str(curves.attrs["scenario"])).get("compound") or curves.attrs["model"]
        curves = curves.expand_dims(compound=[only], axis=1)
    reference = str(curves.attrs["reference"])
    rows = [str(name) for name in curves["perturbation"].values if name != reference]
    intervals = [str(name) for name in curves.data_vars if name in ("fold_interval",)]
    table = curves[[*_NUMBERS, *intervals]].sel(perturbation=rows)
    half = str(curves.attrs["half"])
    table[f"{half}_reference"] = curves[half].sel(perturbation=reference, drop=True)
    status = np.full(table["fold"].shape, COMPUTED, dtype=object)
    table["status"] = table["fold"].copy(data=status).drop_attrs()
    return table
