"""Scenarios and the table of cell lines say the same of a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from myelode.errors import ScenarioError
from myelode.files import read_yaml
from myelode.library import find_model
from myelode.model import Model
from myelode.scenario import load_scenario
from myelode.units import to_unit


def _by_line(perturbations: list[Any]) -> dict[str, Mapping[str, Any]]:
    """The settings of each perturbation, under the name of its line in letters and digits."""
    written = [item for item in perturbations if isinstance(item, dict)]
    return {_bare(name): entry["set"] for item in written for name, entry in item.items()}


def _bare(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


def test_copies_per_cell_has_the_copies_and_doubling_times_of_the_lines(dish: Model) -> None:
    file = read_yaml(find_model("belantamab") / "cell_lines.yaml", ScenarioError)
    lines = {_bare(name): entry["set"] for name, entry in file.data.items()}
    told = _by_line(load_scenario("belantamab/copies_per_cell").perturbations)
    assert told.keys() <= lines.keys()
    # U266 and L-363 have the same numbers and one curve.
    assert lines.keys() - told.keys() == {"L363"}
    assert lines["L363"] == lines["U266"]
    for name, settings in told.items():
        assert settings.keys() == lines[name].keys(), name
        for key, value in settings.items():
            unit = dish.entities[key].unit
            assert to_unit(value, unit) == pytest.approx(to_unit(lines[name][key], unit)), name
