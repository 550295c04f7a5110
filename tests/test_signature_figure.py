"""The signature of perturbations: what each cell says, how it is coloured, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from myelode.errors import ScenarioError
from myelode.figures import plot_scenario, scenario_figure
from myelode.figures.signature import DIFFERENCE, Column, signature_columns
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import evaluated

MODEL = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre
  compartment medium = 2; medium has volume
  species drug in medium; drug = 8; k = 0.5; k has per_hour
  part = 0.2; part has dimensionless; share := part; share has dimensionless
  nothing = 0; nothing has dimensionless; none_at_all := nothing; none_at_all has dimensionless
  loss: drug => ; medium * k * drug
end
"""
TEXT = """\
id: signature
title: What each change looks like
model: {model}
perturbations:
  - none
  - slow: {{scale: {{k: 0.01}}}}
  - stopped: {{set: {{k: 0 1/h}}}}
  - faster: {{scale: {{k: 3}}, set: {{part: 0.5}}}}
regimen: [{{at: 0 h, label: pulse, dose: drug, to: 8 uM}}]
observe: {{every: 1 h, until: 10 h, outputs: [drug, share]}}
endpoints:
  left: {{of: drug, take: value, at: 10 h, title: what is left after 10 h}}
  gone: {{of: drug, take: time_to, below: 1 uM}}
  seen: {{of: share, take: value, at: 10 h, title: the share that is seen}}
  never: {{of: none_at_all, take: value, at: 10 h}}
outcome: {{of: left, resistant_if: fold > 2}}
figure: {{show: signature}}
"""
Make = Callable[..., tuple[xr.Dataset, xr.Dataset]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Simulates and evaluates the scenario, with pieces of it replaced."""

    return lambda *swaps: evaluated(tmp_path / "decay.ant", MODEL, TEXT, swaps)


@pytest.fixture
def figure(make: Make) -> Figure:
    return scenario_figure(*make())


def _cells(figure: Figure) -> dict[tuple[int, int], str]:
    """What stands in each cell, by row and column; outcomes stand in a column of their own."""
    placed = [(text.get_position(), text.get_text()) for text in figure.axes[0].texts]
    return {(round(y), round(x)): text for (x, y), text in placed}


def test_rows_are_perturbations_and_columns_endpoints(figure: Figure) -> None:
    table = figure.axes[0]
    rows = [label.get_text() for label in table.get_yticklabels()]
    assert rows == ["none (reference)", "slow", "stopped", "faster"]
    columns = [label.get_text().replace("\n", " ") for label in table.get_xticklabels()]
    assert columns == [
        "what is left after 10 h (µmol/L)", "gone (h)", "the share that is seen", "never",
    ]  # fmt: skip
    assert len(_cells(figure)) == 4 * (4 + 1)


def test_cells_say_folds_and_differences_and_the_reference_its_values(figure: Figure) -> None:
    cells = _cells(figure)
    rows = [[cells[row, column] for column in range(5)] for row in range(4)]
    assert rows[0] == ["0.054", "4.2", "0.2", "0", "sensitive"]
    assert rows[1] == ["140", "n.r.", "0", "0", "resistant"]
    assert rows[2] == ["150", "n.r.", "0", "0", "resistant"]
    assert rows[3] == ["4.5×10⁻⁵", "0.37", "+0.30", "0", "sensitive"]


def test_colours_are_clipped_and_white_where_nothing_changes(figure: Figure) -> None:
    shades = np.asarray(figure.axes[0].images[0].get_array())
    assert shades.shape == (4, 4)
    np.testing.assert_allclose(shades[0], 0, atol=1e-12)
    np.testing.assert_allclose(shades[:, 0], [0, 1, 1, -1])
    assert shades[3, 2] == pytest.approx(0.3 / DIFFERENCE)


def test_what_is_a_fold_of_nothing_is_grey_and_said(make: Make) -> None:
    figure = scenario_figure(*make(("figure: {show", "figure: {differences: [], show")))
    shades = np.ma.getmaskarray(figure.axes[0].images[0].get_array())
    assert shades[:, 3].all()
    assert [_cells(figure)[row, 3] for row in range(4)] == ["0", "–", "–", "–"]
    written = "\n".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "n.r.: not reached; – on grey: not defined." in written


def test_columns_are_those_that_are_listed(make: Make) -> None:
    listed = "figure: {show: signature, columns: [seen, left], differences: [left]}"
    dataset, result = make(("figure: {show: signature}", listed))
    scenario = scenario_from_text(dataset.attrs["scenario"])
    columns = signature_columns(result, scenario)
    assert [column.is_difference for column in columns] == [False, True]
    assert columns[0].text(3, False) == "2.5"
    assert columns[1].text(1, False) == "+7.56"


def test_arms_are_columns_of_their_own(make: Make) -> None:
    arms = "arms: {one: [{at: 0 h, dose: drug, to: 8 uM}], many: [{at: 0 h, dose: drug, to: 9 uM}]}"
    figure = scenario_figure(
        *make(("regimen: [{at: 0 h, label: pulse, dose: drug, to: 8 uM}]", arms))
    )
    labels = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_xticklabels()]
    assert labels[:2] == [f"what is left after 10 h (µmol/L), {arm}" for arm in ("one", "many")]


def test_an_endpoint_over_doses_is_left_out_or_refused(make: Make) -> None:
    ladder = "design: {dose: {of: pulse, values: [1 uM, 8 uM]}}\nobserve:", "observe:"
    swaps = [(ladder[1], ladder[0]), ("at: 10 h, title: the", "at: 10 h, dose: 8 uM, title: the")]
    dataset, result = make(*swaps)
    labels = [
        label.get_text() for label in scenario_figure(dataset, result).axes[0].get_xticklabels()
    ]
    assert labels == ["the share that is seen"]
    swaps.append(("show: signature", "show: signature, columns: [left]"))
    with pytest.raises(ScenarioError, match=r"'left' depends on dose: read it at one dose"):
        scenario_figure(*make(*swaps))


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("{show: signature, columns: [lefd]}", r"unknown endpoint 'lefd': did you mean 'left'"),
        ("{columns: [left]}", r"columns belong to show: signature"),
        ("{show: signatur}", r"signature"),
        ("{show: signature, together: {all: [drug]}}", r"a signature has no curves"),
        ("{together: {all: [drog]}}", r"'drog' is not among the outputs: did you mean 'drug'"),
        ("{together: {all: [drug, drug]}}", r"'drug' stands in the figure already"),
        ("{together: {drug: [drug]}}", r"'drug' is an output: name the group else"),
        ("{log: [drog]}", r"no panel shows 'drog': did you mean 'drug'"),
        ("{colour: red}", r"colour"),
    ],
)
def test_faults_of_the_section_are_named(make: Make, written: str, fault: str) -> None:
    with pytest.raises(ScenarioError, match=fault):
        make(("{show: signature}", written))


@given(
    st.lists(st.floats(0, 1e12) | st.sampled_from([np.inf, np.nan]), min_size=1),
    st.floats(0, 1e12) | st.sampled_from([np.inf, np.nan]),
    st.booleans(),
)
def test_every_cell_has_a_text_and_a_shade_or_a_dash(
    values: list[float], reference: float, is_difference: bool
) -> None:
    column = Column("any", np.array(values), reference, is_difference)
    shades = column.shades()
    assert (np.isnan(shades) | (abs(shades) <= 1)).all()
    for row, shade in enumerate(shades):
        text = column.text(row, False)
        assert (text == "–") == bool(np.isnan(shade))
        assert len(text) <= 9


def test_all_can_be_read(figure: Figure) -> None:
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_the_shipped_signature_can_be_read() -> None:
    dataset = simulate(load_scenario("belantamab/signature_matrix"))
    figure = scenario_figure(dataset, evaluate(dataset))
    table = figure.axes[0]
    cells = np.asarray(table.images[0].get_array()).shape
    assert cells[0] == dataset.sizes["perturbation"] == len(table.get_yticklabels())
    assert cells[1] >= 8
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_equal_results_give_equal_files(make: Make, tmp_path: Path) -> None:
    results = make()
    for suffix in ("png", "svg", "pdf"):
        paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
        for path in paths:
            plot_scenario(*results, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
