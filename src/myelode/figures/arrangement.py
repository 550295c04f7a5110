"""What becomes of the dimensions of a result: which are lines, and which outputs share a panel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures.styles import number_text, unit_text
from myelode.scenario import Scenario

OUTPUT = "output"
"""The dimension of outputs that share a panel."""
FEW_DOSES, FEW_COLUMNS, SEVERAL_TIMES = 3, 6, 8


def is_rather_over_time(dataset: xr.Dataset) -> bool:
    """Whether a few doses, side by side, say more over time than curves through so few points."""
    others = ("compound", "arm") if dataset.sizes["perturbation"] > 1 else ("arm",)
    columns = math.prod(dataset.sizes[name] for name in (*others, "dose") if name in dataset.dims)
    few = dataset.sizes["dose"] <= FEW_DOSES and columns <= FEW_COLUMNS
    return few and dataset.sizes["time"] >= SEVERAL_TIMES and "dose2" not in dataset.dims


def has_compounds_only(dataset: xr.Dataset) -> bool:
    """Whether compounds are compared in one perturbation, so that they can be its lines."""
    return "compound" in dataset.dims and dataset.sizes["perturbation"] == 1


def with_output_names(dataset: xr.Dataset, scenario: Scenario) -> xr.Dataset:
    """The dataset with the long names of all shown outputs as lines; one perturbation is none."""
    names = [_long_name(dataset[name]) for name in dict.fromkeys(scenario.observe.outputs)]
    single = [name for name in ("perturbation",) if dataset.sizes.get(name) == 1]
    return dataset.squeeze(single).assign_coords({OUTPUT: list(dict.fromkeys(names))})


def grouped_outputs(dataset: xr.Dataset, scenario: Scenario) -> list[xr.DataArray]:
    """Outputs that stand together, each group where its first stands, and the others alone."""
    groups = _groups(scenario)
    shown = dict.fromkeys(groups.get(name, name) for name in scenario.observe.outputs)
    together = scenario.figure.together
    return [_stacked(dataset, scenario, title, together.get(title, [title])) for title in shown]


def _groups(scenario: Scenario) -> Mapping[str, str]:
    """The title of its group for every output that stands in one."""
    return {name: title for title, names in scenario.figure.together.items() for name in names}


def _stacked(dataset: xr.Dataset, scenario: Scenario, title: str, names: list[str]) -> xr.DataArray:
    """Outputs along their names; the panel of a single one has its own name."""
    parts = [dataset[name] for name in names]
    units = {unit_text(str(part.attrs.get("units", ""))) or "no unit" for part in parts}
    if len(units) > 1:
        said = f"outputs in one panel have one unit, not {' and '.join(sorted(units))}"
        with scenario.at("figure", "together", title):
            raise ScenarioError(said)
    label = title if title in scenario.figure.together else _long_name(parts[0])
    lines = [part.expand_dims({OUTPUT: [_long_name(part)]}) for part in parts]
    stacked = xr.concat(lines, dim=OUTPUT, combine_attrs="drop").rename(title)
    return stacked.assign_attrs(units=parts[0].attrs.get("units", ""), long_name=label)


def _long_name(data: xr.DataArray) -> str:
    return str(data.attrs.get("long_name") or data.name)


def with_written_doses(data: xr.Dataset) -> xr.Dataset:
    """The doses as text, so that they can head columns."""
    unit = unit_text(str(data["dose"].attrs.get("units") or ""))
    return data.assign_coords(dose=[f"{number_text(x)} {unit}" for x in data["dose"].values])


def column_values(dataset: xr.Dataset, columns: Sequence[str]) -> list[dict[str, str]]:
    """The value of each dimension in every column of panels, in order."""
    values = [[str(value) for value in dataset[name].values] for name in columns]
    return [dict(zip(columns, choice, strict=True)) for choice in itertools.product(*values)]
