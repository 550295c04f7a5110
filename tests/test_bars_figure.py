"""Endpoints as bars: what stands where, what is written beside it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from myelode.cli.checks import check_file
from myelode.errors import ScenarioError
from myelode.figures import plot_scenario, scenario_figure
from myelode.figures.bar_values import BarPanel, chart_of
from myelode.figures.bars import value_text
from myelode.metrics import quantiles
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import swapped

MODEL = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre
  compartment medium = 2; medium has volume
  species drug in medium; drug = 8; k = 0.5; k has per_hour
  part = 0.2; part has dimensionless; share := part; share has dimensionless
  loss: drug => ; medium * k * drug
end
"""
BARS = "figure: {show: bars, panels: {drug in the medium: [early], the share: [seen]}}"
REGIMEN = "regimen: [{at: 0 h, label: pulse, dose: drug, to: 8 uM}]"
ARMS = (
    "arms: {weak_dose: [{at: 0 h, label: pulse, dose: drug, to: 1 uM}], "
    "strong_dose: [{at: 0 h, label: pulse, dose: drug, to: 8 uM}]}"
)
TEXT = f"""\
id: bars
title: A few numbers of each change
model: decay.ant
perturbations:
  - none
  - slow: {{scale: {{k: 0.01}}, title: a loss that is a hundred times slower than that of the reference}}
  - stopped: {{set: {{k: 0 1/h}}}}
  - faster: {{scale: {{k: 3}}, set: {{part: 0.5}}}}
{REGIMEN}
observe: {{every: 1 h, until: 10 h, outputs: [drug, share]}}
endpoints:
  early: {{of: drug, take: value, at: 1 h, title: what is left after 1 h}}
  late: {{of: drug, take: value, at: 10 h, title: what is left after 10 h}}
  lost: {{expr: 8 - early, unit: umol/L, title: what is lost in 1 h}}
  gone: {{of: drug, take: time_to, below: 1 uM}}
  seen: {{of: share, take: value, at: 10 h, title: the share that is seen}}
  below: {{expr: early - 8, unit: umol/L}}
  unknown: {{expr: log(0 - early)}}
{BARS}
"""
Make = Callable[..., tuple[xr.Dataset, xr.Dataset]]
SHIPPED = ("assay_leu_pna_apn_dominant", "assay_bh3", "inhibitor_signs_potency")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Simulates and evaluates the scenario, with pieces of it replaced."""
    (tmp_path / "decay.ant").write_text(MODEL)

    def results(*swaps: tuple[str, str]) -> tuple[xr.Dataset, xr.Dataset]:
        text = swapped(TEXT, [("decay.ant", str(tmp_path / "decay.ant")), *swaps])
        dataset = simulate(scenario_from_text(text, "bars.yaml"))
        return dataset, evaluate(dataset)

    return results


def _figure_of(make: Make, section: str, *swaps: tuple[str, str]) -> Figure:
    return scenario_figure(*make((BARS, f"figure: {{show: bars, {section}}}"), *swaps))


def _panels(results: tuple[xr.Dataset, xr.Dataset]) -> list[BarPanel]:
    scenario = scenario_from_text(results[0].attrs["scenario"])
    return chart_of(results[1], scenario, {})[1]


def _rows(figure: Figure) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]


def _ends(figure: Figure, panel: int = 0) -> np.ndarray:
    """Where the bars of a panel end, series by series."""
    series = figure.axes[panel].containers
    return np.array([[bar.get_x() + bar.get_width() for bar in bars] for bars in series])


def _written(figure: Figure, panel: int = 0) -> list[str]:
    """The numbers at the ends of bars, which come before what stands above a panel."""
    return [text.get_text() for text in figure.axes[panel].texts]


def _legend(figure: Figure) -> list[str]:
    return [
        text.get_text().replace("\n", " ") for one in figure.legends for text in one.get_texts()
    ]


def _captions(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts).replace("\n", " ")


def test_rows_are_perturbations_by_title_and_panels_endpoints(make: Make) -> None:
    figure = scenario_figure(*make())
    assert _rows(figure) == [
        "none (reference)", "a loss that is a hundred times slower than that of the reference",
        "stopped", "faster",
    ]  # fmt: skip
    assert [axes.get_xlabel() for axes in figure.axes] == ["µmol/L", ""]
    np.testing.assert_allclose(_ends(figure), [8 * np.exp([-0.5, -0.005, 0, -1.5])], rtol=1e-5)
    assert _written(figure) == ["4.85", "7.96", "8", "1.79", "drug in the medium"]
    assert not figure.legends


def test_rows_are_those_that_are_listed_in_their_order_and_words(make: Make) -> None:
    panels = "panels: {drug: [early]}"
    assert _rows(_figure_of(make, f"rows: [faster, none], {panels}")) == [
        "faster",
        "none (reference)",
    ]
    figure = _figure_of(make, f"rows: {{stopped: no loss, none: as it is}}, {panels}")
    assert _rows(figure) == ["no loss", "as it is"]
    assert _written(figure)[:2] == ["8", "4.85"]


def test_parts_of_a_bar_add_up_and_stand_beside_others(make: Make) -> None:
    figure = _figure_of(make, "panels: {drug: {at first: early + lost, at last: late}}")
    ends = _ends(figure)
    np.testing.assert_allclose(ends[1], 8, rtol=1e-6)
    assert (ends[0] < ends[1])[[0, 3]].all()
    assert _written(figure)[:4] == ["8"] * 4
    assert _legend(figure) == [
        "at first: what is left after 1 h", "at first: what is lost in 1 h", "at last",
    ]  # fmt: skip
    assert "several colours is its whole length" in _captions(figure)


def test_bars_without_labels_have_the_titles_of_their_endpoints(make: Make) -> None:
    figure = _figure_of(make, "panels: {a: [early, late], b: [late]}")
    assert _legend(figure) == ["what is left after 1 h", "what is left after 10 h"]


def test_arms_are_bars_within_a_row_with_one_legend(make: Make) -> None:
    section = "panels: {early: [early], late: [late]}"
    figure = _figure_of(make, section, (REGIMEN, ARMS))
    assert _legend(figure) == ["weak dose", "strong dose"]
    ends = _ends(figure)
    np.testing.assert_allclose(8 * ends[0], ends[1], rtol=1e-6)
    named = _figure_of(make, f"series: {{strong_dose: much}}, {section}", (REGIMEN, ARMS))
    np.testing.assert_allclose(_ends(named), ends[1:])


def test_arms_are_rows_where_the_figure_says_so_or_there_is_one_perturbation(make: Make) -> None:
    rows = "rows: [strong_dose, weak_dose], series: [slow, none], panels: {early: [early]}"
    figure = _figure_of(make, rows, (REGIMEN, ARMS))
    assert _rows(figure) == ["strong dose", "weak dose"]
    assert _legend(figure)[1] == "none (reference)"
    listed = TEXT[TEXT.index("perturbations:") : TEXT.index(REGIMEN)]
    figure = scenario_figure(*make((listed, ""), (REGIMEN, ARMS)))
    assert _rows(figure) == ["weak dose", "strong dose"]
    assert not figure.legends


def test_what_is_not_there_is_said(make: Make) -> None:
    figure = _figure_of(make, "panels: {when: [gone], nothing: [unknown]}")
    assert _written(figure)[:4] == ["4.19", "n.r.", "n.r.", "1.57"]
    assert _written(figure, 1)[:4] == ["–"] * 4
    assert "n.r.: not reached; –: no number." in _captions(figure)


def test_marks_are_lines_in_the_unit_of_the_panel(make: Make) -> None:
    section = "panels: {drug: [early], share: [seen]}, marks: {drug: {low: 500 nM, high: 6 umol/L}}"
    figure = _figure_of(make, section)
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert sorted(float(line.get_xdata()[0]) for line in dashed) == pytest.approx([0.5, 6])
    assert {"low", "high"} <= {*_written(figure)}


def test_a_log_axis_shows_small_and_large(make: Make) -> None:
    figure = _figure_of(make, "panels: {drug: [late]}, log: [drug]")
    low, high = figure.axes[0].get_xlim()
    assert figure.axes[0].get_xscale() == "log"
    assert low < _ends(figure).min() < _ends(figure).max() < high


def test_bars_below_zero_grow_to_the_left(make: Make) -> None:
    figure = _figure_of(make, "panels: {change: [below]}")
    assert figure.axes[0].get_xlim()[0] < _ends(figure).min() < 0
    assert _written(figure)[0] == "−3.15"


def test_points_of_a_design_are_a_median_and_a_line(make: Make) -> None:
    cross = ("observe:", "design: {cross: {k: [0.4 1/h, 0.5 1/h, 0.6 1/h]}}\nobserve:")
    alone = (TEXT[TEXT.index("perturbations:") : TEXT.index(REGIMEN)], "")
    figure = _figure_of(make, "panels: {drug: [early + lost, early]}", cross, alone)
    spans = [line.get_xdata() for line in figure.axes[0].lines]
    np.testing.assert_allclose(spans[1], 8 * np.exp([-0.6, -0.4]), rtol=1e-5)
    assert _written(figure)[:2] == ["8", "4.85"]
    assert "medians of 3 points of the design, lines 5 to 95 %" in _captions(figure)


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("panels: {drug: [earli]}", "unknown endpoint 'earli': did you mean 'early'"),
        ("panels: {drug: {first: early + lst}}", "drug.first: unknown endpoint 'lst'"),
        ("rows: [none]", r"bars stand in panels: \{TITLE: \[endpoints\]\}"),
        ("panels: {drug: []}", "drug"),
        ("panels: {drug: [early, seen]}", "one unit, not µmol/L and dimensionless"),
        ("panels: {drug: [lost + below]}", "below zero do not add up"),
        ("panels: {drug: [early + early]}", "parts of a bar need titles that differ"),
        ("panels: {drug: [early + lost]}, log: [drug]", "made of parts have no log axis"),
        ("panels: {drug: [early]}, log: [drog]", "no panel shows 'drog': did you mean 'drug'"),
        ("panels: {drug: [early]}, rows: [slo]", "is called 'slo': did you mean 'slow'"),
        ("panels: {drug: [early]}, series: [weak]", "is called 'weak'"),
        ("panels: {drug: [early]}, rows: [none], series: [slow]", "of two kinds: list arms"),
        ("panels: {drug: [early]}, marks: {drog: {low: 1}}", "no panel is called 'drog'"),
        ("panels: {drug: [early]}, marks: {drug: {low: 1 h}}", "cannot be converted to 'umol/L'"),
        ("panels: {drug: [early]}, columns: [early]", "columns belong to show: signature"),
        ("panels: {drug: [early]}, together: {all: [drug]}", "a chart of bars has no curves"),
    ],
)
def test_faults_are_named_with_their_place(make: Make, section: str, fault: str) -> None:
    with pytest.raises(ScenarioError, match=fault) as caught:
        _figure_of(make, section)
    assert "figure" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_must_be_one_for_each_row(make: Make) -> None:
    ladder = ("observe:", "design: {dose: {of: pulse, values: [1 uM, 8 uM]}}\nobserve:")
    with pytest.raises(ScenarioError, match="'early' depends on dose: read it at one dose"):
        scenario_figure(*make(ladder))
    fixed = ("at: 1 h, title", "at: 1 h, arm: weak_dose, title")
    with pytest.raises(ScenarioError, match="rows are arms here, and 'early' is not read in every"):
        _figure_of(make, "rows: [weak_dose], panels: {a: [early]}", (REGIMEN, ARMS), fixed)


def test_what_belongs_to_bars_stands_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "decay.ant").write_text(MODEL)
    for written in ("panels: {a: [early]}", "rows: [none]", "series: [none]", "marks: {a: {b: 1}}"):
        path = tmp_path / "bars.yaml"
        path.write_text(swapped(TEXT, [(BARS, f"figure: {{{written}}}")]))
        [error] = check_file(str(path)).errors
        assert f"{written.split(':')[0]} belong to show: bars" in error


@given(st.lists(st.floats(0, 1e9) | st.sampled_from([np.inf, np.nan]), min_size=1))
def test_quantiles_are_values_in_order(values: list[float]) -> None:
    low, middle, high = quantiles(np.array([values]))[:, 0]
    known = [value for value in values if not np.isnan(value)]
    assert np.isnan(middle) == (not known)
    assert not known or (low <= middle <= high and {low, middle, high} <= {*known})
    assert len(value_text(middle)) <= 12


@pytest.mark.parametrize(
    "section",
    [
        "panels: {drug: {at first: early + lost, at last: late}, when: [gone], nothing: [unknown]}",
        "panels: {change: [below, late], a share of something with a long name: [seen]}, "
        "marks: {change: {so much less: -3, a little more than nothing: 0.1 umol/L, no change: 0}}",
        "rows: [none], panels: {drug: [late]}, log: [drug], marks: {drug: {far up the axis: 5}}",
    ],
)
def test_all_can_be_read(make: Make, section: str) -> None:
    for swaps in ([], [(REGIMEN, ARMS)]):
        figure = _figure_of(make, section, *swaps)
        assert overlapping(figure) == []
        assert off_the_page(figure) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_bars_can_be_read(name: str) -> None:
    dataset = simulate(load_scenario(f"melflufen/{name}"))
    figure = scenario_figure(dataset, evaluate(dataset))
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


def test_labels_of_rows_survive_in_the_result(make: Make) -> None:
    assert "hundred times slower" in make()[0].attrs["perturbation_titles"]
    assert [panel.unit for panel in _panels(make())] == ["µmol/L", ""]


def test_equal_results_give_equal_files(make: Make, tmp_path: Path) -> None:
    results = make()
    for suffix in ("png", "svg", "pdf"):
        paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
        for path in paths:
            plot_scenario(*results, path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
