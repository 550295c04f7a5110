"""Outputs that share a panel: their lines, their order, their axis, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures import scenario_figure
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import evaluated

MODEL = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre
  compartment medium = 2; medium has volume; k = 0.5; k has per_hour
  species drug in medium; species product in medium; total := drug + product; total has uM
  loss: drug => product; medium * k * drug
end
"""
TEXT = """\
id: shared
title: Drug and product in one panel
model: {model}
perturbations: [none]
regimen: [{{at: 0 h, label: pulse, dose: drug, to: 8 uM}}]
observe: {{every: 1 h, until: 24 h, outputs: [drug, amount(drug), product, total]}}
figure: {{together: {{all of it: [total, drug, product]}}}}
"""
Make = Callable[..., tuple[xr.Dataset, xr.Dataset]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Simulates and evaluates the scenario, with pieces of it replaced."""

    return lambda *swaps: evaluated(tmp_path / "decay.ant", MODEL, TEXT, swaps)


def test_outputs_of_a_group_are_lines_of_one_panel(make: Make) -> None:
    dataset, result = make()
    figure = scenario_figure(dataset, result)
    group, alone = figure.axes
    assert (group.get_ylabel(), alone.get_ylabel()) == ("all of it (µmol/L)", "amount(drug) (µmol)")
    curves = [np.asarray(line.get_ydata()) for line in group.lines if len(line.get_ydata()) > 2]
    for curve, name in zip(curves, ("total", "drug", "product"), strict=True):
        np.testing.assert_array_equal(curve, dataset[name].values.ravel())
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "drug", "amount(drug)", "product", "total",
    ]  # fmt: skip
    assert len({line.get_color() for line in group.lines if len(line.get_ydata()) > 2}) == 3


def test_a_log_axis_is_had_for_the_asking(make: Make) -> None:
    asked = ("figure: {", "figure: {log: [all of it], ")
    assert [axes.get_yscale() for axes in scenario_figure(*make(asked)).axes] == ["log", "linear"]
    alone = ("figure: {", "figure: {log: [amount(drug)], ")
    assert [axes.get_yscale() for axes in scenario_figure(*make(alone)).axes] == ["linear", "log"]


def test_perturbations_are_columns_beside_each_other(make: Make) -> None:
    figure = scenario_figure(*make(("[none]", "[none, {slow: {scale: {k: 0.1}}}]")))
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"none", "slow"} <= set(words)
    assert len(figure.axes) == 4
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_a_group_has_one_unit(make: Make) -> None:
    mixed = ("[total, drug, product]", "[total, amount(drug)]")
    with pytest.raises(ScenarioError, match=r"all of it: outputs in one panel have one unit, not"):
        scenario_figure(*make(mixed))


def test_a_ladder_of_doses_has_no_shared_panels(make: Make) -> None:
    ladder = ("observe:", "design: {dose: {of: pulse, values: [1 uM, 8 uM]}}\nobserve:")
    with pytest.raises(ScenarioError, match="over time, not over doses"):
        make(ladder)


def test_free_and_decoyed_conjugate_of_the_shipped_scenario_stand_together() -> None:
    dataset = simulate(load_scenario("belantamab/pk_2_5mg"))
    figure = scenario_figure(dataset, evaluate(dataset))
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]
    curves = [line for line in figure.axes[0].lines if len(line.get_ydata()) > 2]
    assert len(curves) == 4
    assert overlapping(figure) == []
    assert off_the_page(figure) == []
