"""What a scenario takes from other scenarios, as numbers that stand beside its own endpoints.

The numbers travel with the trajectories, so that a stored result is evaluated again without the
other scenarios.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import xarray as xr

from myelode.expressions import names_in
from myelode.regimens.steps import Quantity
from myelode.scenario import Scenario, expressions_of
from myelode.units import split_quantity

Inputs = Mapping[str, Mapping[str, Quantity]]
"""Endpoints of other scenarios, by name and perturbation, or ``perturbation.compound``; bare
numbers are in the model's own units."""
ATTRIBUTE = "inputs"
"""The attribute of a result that holds them."""
SOURCE, ENDPOINT = "input_from", "input_of"
"""Attributes of such a number: the scenario that it comes from, and the endpoint there."""


def inputs_as_data(scenario: Scenario, inputs: Inputs) -> dict[str, str]:
    """The attribute of a result that holds all inputs; none where the scenario has none."""
    found: dict[str, Any] = {}
    for name, rule in scenario.inputs.items():
        read = {place: split_quantity(value) for place, value in inputs.get(name, {}).items()}
        found[name] = {
            "from": PurePath(rule.from_).name.removesuffix(".yaml"),
            "of": rule.of,
            "unit": next((unit for _, unit in read.values() if unit), ""),
            "values": {place: number for place, (number, _) in read.items()},
        }
    return {ATTRIBUTE: json.dumps(found)} if found else {}


def add_inputs(result: xr.Dataset, attributes: Mapping[Any, Any]) -> None:
    """Add every input to a result, for each perturbation, and each compound where it has both.

    It is NaN where the other scenario has no finite number.
    """
    for name, stored in json.loads(str(attributes.get(ATTRIBUTE, "{}"))).items():
        values: dict[str, float] = stored["values"]
        dims = ["perturbation"]
        if "compound" in result.coords and any("." in place for place in values):
            dims.append("compound")
        numbers = np.full([result.sizes[dim] for dim in dims], math.nan)
        for place in np.ndindex(*numbers.shape):
            who = [str(result[dim].values[at]) for dim, at in zip(dims, place, strict=True)]
            numbers[place] = values.get(".".join(who), values.get(who[0], math.nan))
        said = {"units": stored["unit"], "long_name": f"{stored['of']} of {stored['from']}"}
        origin = {SOURCE: stored["from"], ENDPOINT: stored["of"]}
        result[name] = (dims, numbers, {**said, **origin})


def shown_inputs(scenario: Scenario) -> list[str]:
    """The inputs that an expression of the scenario uses, which are shown with its endpoints."""
    texts = (text for _, text in expressions_of(scenario))
    used = {name.rpartition(".")[2] for text in texts for name in names_in(text)}
    return [name for name in scenario.inputs if name in used]
