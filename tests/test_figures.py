"""Figures: what is on them, that it can be read, and that equal results give equal files."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures import plot_scenario, scenario_figure
from myelode.figures.panel import half_mark
from myelode.figures.responses import bends
from myelode.figures.styles import (
    clock,
    linear_limits,
    log_limits,
    log_ticks,
    needs_log,
    number_text,
    quantity_text,
    ramp,
    styles,
    unit_text,
)
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario, scenario_from_text
from myelode.simulation import rehearse, simulate

MODEL = """
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole
  unit volume = 1 litre; unit per_hour = 1 / (3600 second)
  unit uM = 1e-6 mole / litre
  compartment medium = 2; medium has volume
  species drug in medium; drug = 0
  species product in medium; product = 0
  k = 0.5; k has per_hour
  one = 1; one has uM; remaining := one / (one + product)
  loss: drug => product; medium * k * drug
end
"""

TRAJECTORIES = """
id: trajectories
title: >
  A pulse and a very late second dose, with a title that is long enough to need a second line of
  text, and then some more words because the page is wide
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}, {{fast: {{scale: {{k: 3}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, add: 1 uM}}
  - {{at: 20 min, label: wash, wash: medium, dilute: 10}}
  - {{at: 9.5 h, label: a_very_late_second_dose, dose: drug, add: 0.4 uM}}
observe: {{every: 10 min, until: 10 h, outputs: [drug, product, amount(drug)]}}
endpoints: {{left: {{of: drug, take: value, at: wash-}}}}
outcome: {{of: left, resistant_if: fold > 1.05}}
"""

ARMS = """
id: arms
title: Two arms
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
arms:
  little:
    - {{at: 0 h, label: pulse, dose: drug, add: 0.001 uM}}
  much:
    - {{at: 1 h, label: pulse, dose: drug, add: 10 uM}}
    - {{at: 2 h, label: wash, wash: medium, dilute: 10}}
observe: {{every: 10 min, until: 10 h, outputs: [drug, product]}}
endpoints: {{peak: {{of: drug, take: max}}}}
"""

REPEATED = """
id: repeated
title: Doses that come again
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.1}}}}}}]
arms:
  regular:
    - {{at: 1 h, label: drug, dose: drug, add: 1 uM}}
    - {{at: 2 h, label: drug_2, dose: drug, add: 1 uM}}
    - {{at: 3 h, label: drug_3, dose: drug, add: 1 uM}}
    - {{at: 1 h, label: feed, dose: product, add: 1 uM, every: 30 min, times: 18}}
  by_need:
    - {{at: 0 h, label: first, dose: drug, add: 1 uM}}
    - {{at: 30 min, label: refill, dose: drug, add: 1 uM, if: drug < 0.7, every: 1 h, times: 9}}
    - {{at: 4 h, label: never, dose: drug, add: 1 uM, if: drug < 0}}
  cycles:
    - {{at: 0 h, label: cycle, dose: drug, add: 1 uM, every: 30 min, times: 3}}
    - {{at: 5 h, label: cycle_2, dose: drug, add: 1 uM, every: 30 min, times: 3}}
    - {{at: 9 h, label: cycle_3, dose: drug, add: 2 uM}}
observe: {{every: 30 min, until: 10 h, outputs: [drug]}}
"""

LADDER = """
id: ladder
title: A ladder of doses
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, to: 1 uM}}
design: {{dose: {{of: pulse, from: 0.01 uM, to: 100 uM, points: 6, zero: true}}}}
observe: {{every: 1 h, until: 10 h, outputs: [drug, product]}}
endpoints:
  exposure: {{of: drug, take: auc}}
  reached: {{of: product, take: time_to, above: 1 uM}}
"""

HALF = LADDER.replace("id: ladder", "id: half").replace(
    "exposure: {{of: drug, take: auc}}", "half: {{of: remaining, take: ic50, at: 10 h}}"
)

SHARED = LADDER.replace("id: ladder", "id: shared").replace(
    "  exposure: {{of: drug, take: auc}}\n  reached: {{of: product, take: time_to, above: 1 uM}}\n",
    """
  half: {{of: remaining, take: ic50, at: 10 h}}
  half_effect: {{of: remaining, take: ec50, at: 10 h}}
  largest: {{of: remaining, take: emax, at: 10 h}}
  made: {{of: product, take: value, at: 10 h, dose: 100 uM}}
""",
)

FEW = LADDER.replace("id: ladder", "id: few").replace(
    "from: 0.01 uM, to: 100 uM, points: 6, zero: true", "values: [0 uM, 1 uM, 10 uM]"
).replace("every: 1 h", "every: 30 min")  # fmt: skip

TWO_LADDERS = """
id: two_ladders
title: Two ladders of doses
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, to: 1 uM}}
  - {{at: 1 h, label: boost, dose: drug, add: 1 uM}}
design:
  dose: {{of: pulse, values: [0 uM, 0.1 uM, 1 uM, 10 uM]}}
  dose2: {{of: boost, values: [0 uM, 1 uM, 5 uM]}}
observe: {{every: 1 h, until: 10 h, outputs: [product]}}
"""

SAMPLES = """
id: samples
title: Points of a design
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, add: 30000 uM}}
design: {{cross: {{medium: [1 L, 2 L, 3 L]}}}}
observe: {{every: 1 h, until: 10 h, outputs: [amount(drug)]}}
"""

COUNT = range(2, 26)
MANY = """
id: many
title: Twenty-five perturbations
model: {model}
perturbations: [none, PERTURBATIONS]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, add: 1 uM}}
observe: {{every: 1 h, until: 10 h, outputs: [drug, product]}}
endpoints: {{left: {{of: drug, take: value, at: 10 h}}}}
outcome: {{of: left, resistant_if: fold > 1.5}}
""".replace(
    "PERTURBATIONS",
    ", ".join(f"{{{{a_long_name_of_a_change_{n}: {{{{scale: {{{{k: {n}}}}}}}}}}}}}" for n in COUNT),
)  # fmt: skip

SCENARIOS = {
    "trajectories": TRAJECTORIES, "arms": ARMS, "ladder": LADDER, "half": HALF, "shared": SHARED,
    "few": FEW, "repeated": REPEATED,
    "two_ladders": TWO_LADDERS, "samples": SAMPLES, "many": MANY,
}  # fmt: skip

Results = dict[str, tuple[xr.Dataset, xr.Dataset]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Every scenario above, simulated and evaluated."""
    model = tmp_path_factory.mktemp("model") / "decay.ant"
    model.write_text(MODEL)
    datasets = {
        name: simulate(scenario_from_text(text.format(model=model)))
        for name, text in SCENARIOS.items()
    }
    return {name: (dataset, evaluate(dataset)) for name, dataset in datasets.items()}


@pytest.fixture(params=SCENARIOS)
def figure(request: pytest.FixtureRequest, results: Results) -> Any:
    return scenario_figure(*results[request.param])


def _visible_ticks(axes: Any) -> Iterator[Any]:
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if tick.label1.get_visible() and low <= tick.get_loc() <= high:
                yield tick.label1


def _texts(figure: Any) -> list[Any]:
    """Everything written on a figure."""
    [legend] = figure.legends
    written = [*figure.texts, *legend.get_texts(), legend.get_title()]
    for axes in figure.axes:
        written += [axes.xaxis.label, axes.yaxis.label, *axes.texts, *_visible_ticks(axes)]
    return [text for text in written if text.get_visible() and text.get_text()]


def _boxes(figure: Any) -> dict[str, Any]:
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    return {
        f"{number}: {text.get_text()}": text.get_window_extent(renderer).padded(-0.5)
        for number, text in enumerate(_texts(figure))
    }


def test_no_text_overlaps_another(figure: Any) -> None:
    pairs = itertools.combinations(_boxes(figure).items(), 2)
    assert [(a, b) for (a, one), (b, other) in pairs if one.overlaps(other)] == []


def test_all_text_is_on_the_page(figure: Any) -> None:
    page = figure.bbox.padded(1)
    outside = [
        name
        for name, box in _boxes(figure).items()
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))
    ]
    assert outside == []


def test_no_text_lies_on_the_curves(figure: Any) -> None:
    boxes = _boxes(figure)
    inside = [
        name
        for axes in figure.axes
        for name, box in boxes.items()
        if box.overlaps(axes.get_window_extent().padded(-1))
    ]
    assert inside == []


def test_the_legend_lies_outside_all_axes(figure: Any) -> None:
    figure.canvas.draw()
    [legend] = figure.legends
    box = legend.get_window_extent(figure.canvas.get_renderer())
    assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_every_axis_says_its_unit(figure: Any) -> None:
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    labels += [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert labels
    assert all(label.endswith(")") and "(" in label for label in labels)


def test_a_figure_says_what_it_rests_on(figure: Any) -> None:
    written = "\n".join(text.get_text() for text in figure.texts)
    assert "evidence" in written
    assert "For research and teaching only; no advice for a real person." in written


def test_each_output_has_a_panel_and_each_perturbation_a_line(results: Results) -> None:
    figure = scenario_figure(*results["trajectories"])
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "drug (µmol/L)",
        "product (µmol/L)",
        "amount(drug) (µmol)",
    ]
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "none (reference)",
        "slow: resistant, 1.09-fold",
        "fast: sensitive, 0.717-fold",
    ]


def test_events_are_marked_and_named_with_their_times(results: Results) -> None:
    figure = scenario_figure(*results["trajectories"])
    names = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert names == ["pulse 0 h", "wash 0.3333 h", "a very late second dose 9.5 h"]
    for axes in figure.axes:
        places = [line.get_xdata()[0] for line in axes.lines if line.get_xdata()[0] in (0, 9.5)]
        assert 9.5 in places


@pytest.mark.parametrize(
    ("name", "dosed"),
    [
        ("melflufen/ic50_melflufen_pulse", "melflufen in the medium"),
        ("cereblon/maintenance_dose", "lenalidomide"),
        ("belantamab/copies_per_cell", "belantamab-mafodotin"),
        ("belantamab/cleavable_linker", None),
    ],
)
def test_a_ladder_says_what_it_doses_unless_compounds_differ(name: str, dosed: str | None) -> None:
    _, dataset = rehearse(load_scenario(name))
    assert dataset["dose"].attrs.get("dosed") == dosed


def _names_above(axes: Any) -> list[str]:
    """The names of events above a panel, without its heading."""
    return [text.get_text() for text in axes.texts if text.get_text()][:-1]


def _ticks_of(axes: Any) -> list[list[float]]:
    """Where each series of ticks has its ticks."""
    return [[path.vertices[0][0] for path in ticks.get_paths()] for ticks in axes.collections]


def test_what_comes_again_has_one_name_and_ticks(results: Results) -> None:
    regular, _, cycles = scenario_figure(*results["repeated"]).axes
    assert _names_above(regular) == ["drug 1 h, ×3 every 1 h", "feed 1 h, ×18 every 0.5 h"]
    drug, feed = _ticks_of(regular)
    np.testing.assert_allclose(drug, [2, 3])
    np.testing.assert_allclose(feed, np.arange(1.5, 10, 0.5))
    # The third cycle is another dose, and no part of the series.
    assert _names_above(cycles) == ["cycle 0 h, ×6, anew every 5 h", "cycle 3 9 h"]
    np.testing.assert_allclose(_ticks_of(cycles), [[0.5, 1, 5, 5.5, 6]])


def test_what_hangs_on_a_condition_is_fainter_and_left_out_where_it_never_held(
    results: Results,
) -> None:
    dataset, result = results["repeated"]
    counts = dataset["given_refill"].sel(arm="by_need").values
    assert 0 < counts.min() < 9
    by_need = scenario_figure(dataset, result).axes[1]
    assert _names_above(by_need) == ["first 0 h", "refill 0.5 h, up to ×9 every 1 h"]
    colours = {line.get_color() for line in by_need.lines if len(line.get_xdata()) == 2}
    assert {"0.55", "0.8"} <= colours


def test_arms_are_columns_that_share_their_axes(results: Results) -> None:
    figure = scenario_figure(*results["arms"])
    headings = [text.get_text() for axes in figure.axes[:2] for text in axes.texts]
    assert headings == ["pulse 0 h", "little", "pulse 1 h", "wash 2 h", "much"]
    left, right = figure.axes[:2]
    assert left.get_ylim() == right.get_ylim()
    assert left.get_yscale() == "log"


def test_a_ladder_shows_endpoints_over_dose_with_the_control(results: Results) -> None:
    dataset, result = results["ladder"]
    figure = scenario_figure(dataset, result)
    exposure, reached = figure.axes
    assert exposure.get_xlabel() == "dose of drug (µmol/L)"
    assert exposure.get_ylabel() == "exposure (µmol/L·h)"
    assert exposure.get_xscale() == "log"
    lines = {len(line.get_xdata()): line for line in exposure.lines}
    np.testing.assert_allclose(lines[6].get_xdata(), dataset["dose"].values[1:])
    labels = [text.get_text() for text in reached.get_xticklabels()]
    assert labels[:2] == ["0", "0.01"]


def test_what_is_not_reached_is_marked_at_the_upper_edge(results: Results) -> None:
    dataset, result = results["ladder"]
    never = int(np.isinf(result["reached"].sel(perturbation="none").values[1:]).sum())
    assert never > 0
    reached = scenario_figure(dataset, result).axes[1]
    marked = [
        line
        for line in reached.lines
        if len(line.get_ydata()) == never and set(line.get_ydata()) == {1.0}
    ]
    assert marked


def test_an_ic50_is_marked_on_the_curve_on_which_it_is_read(results: Results) -> None:
    dataset, result = results["half"]
    axes = scenario_figure(dataset, result).axes[0]
    assert axes.get_ylabel().replace("\n", " ") == "remaining at 10 h (unit not stated)"
    marks = [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 0.5]]
    np.testing.assert_allclose(marks, result["half"].values)


def test_a_response_is_shown_once_whatever_is_read_on_it(results: Results) -> None:
    dataset, result = results["shared"]
    figure = scenario_figure(dataset, result)
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes]
    assert labels == [
        "remaining at 10 h (unit not stated)",
        "product at 10 h (µmol/L)",
    ]
    marks = [line for line in figure.axes[0].lines if line.get_ydata()[0] == 0]
    found = sorted(float(line.get_xdata()[0]) for line in marks)
    halves = [*result["half"].values, *result["half_effect"].values]
    assert set(np.round(halves, 9)) <= set(np.round(found, 9))


@pytest.mark.parametrize(
    ("values", "changes"), [([0, 1, 1], False), ([0, 1, 2], True), ([1, 1, 1.01], False)]
)
def test_what_no_dose_changes_is_found(values: list[float], changes: bool) -> None:
    response = xr.DataArray(values, dims="dose", coords={"dose": [0.0, 1.0, 10.0]})
    assert bends(response) is changes


def test_a_few_doses_are_columns_of_time_courses(results: Results) -> None:
    figure = scenario_figure(*results["few"])
    assert figure.axes[-1].get_xlabel() == "time (h)"
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"0 µmol/L", "1 µmol/L", "10 µmol/L"} <= words


def test_an_ec50_is_marked_at_half_of_the_effect() -> None:
    responses = np.array([1.0, 0.9, 0.6, 0.4])
    found = xr.DataArray(1.5, attrs={"take": "ec50"})
    assert half_mark(found, responses) == (1.5, pytest.approx(0.7))
    assert half_mark(found.assign_attrs(take="ic50"), responses) == (1.5, 0.5)
    for beyond in (0.0, np.inf, np.nan):
        assert half_mark(found.copy(data=beyond), responses) is None


def test_two_ladders_make_lines_of_the_second(results: Results) -> None:
    figure = scenario_figure(*results["two_ladders"])
    [legend] = figure.legends
    assert legend.get_title().get_text() == "dose of drug at boost (µmol/L)"
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "5"]
    assert figure.axes[0].get_ylabel().replace("\n", " ") == "product at 10 h (µmol/L)"
    assert len(figure.axes) == 2


def test_the_points_of_a_design_are_thin_lines(results: Results) -> None:
    figure = scenario_figure(*results["samples"])
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    assert len(curves) == 6
    assert {line.get_linewidth() for line in curves} == {0.7, 1.2}


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_results_give_equal_files(suffix: str, results: Results, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        plot_scenario(*results["trajectories"], file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes()) > 5000


def test_a_file_is_written_whole_or_not_at_all(results: Results, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be written"):
        plot_scenario(*results["samples"], tmp_path / "nowhere" / "figure.png")
    plot_scenario(*results["samples"], tmp_path / "figure.PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.PNG"]


@pytest.mark.parametrize("name", ["figure.gif", "figure"])
def test_another_suffix_is_refused(name: str, results: Results, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"a figure ends in \.png, \.svg, \.pdf"):
        plot_scenario(*results["samples"], tmp_path / name)


def test_a_figure_leaves_the_settings_of_matplotlib_alone(results: Results) -> None:
    import matplotlib

    before = matplotlib.rcParams.copy()
    with matplotlib.rc_context({"font.size": 23, "axes.grid": True}):
        figure = scenario_figure(*results["samples"])
        assert matplotlib.rcParams["font.size"] == 23
    assert matplotlib.rcParams == before
    assert figure.axes[0].xaxis.label.get_size() == 8


def test_making_a_figure_does_not_import_pyplot(tmp_path: Path) -> None:
    script = """
import sys
import numpy as np
import myelode.figures
from myelode.figures.page import Page, draw
from myelode.figures.panel import Across, Curve, Panel
from myelode.figures.styles import styles

assert "matplotlib" not in sys.modules
panel = Panel("y (1)", (Curve("a", np.arange(3.0), np.arange(3.0)),))
look = styles(["a"], None)
page = Page("", "", ((panel,),), Across("x (1)", (0, 3)), look, {"a": "a"}, "", (), False)
draw(page).savefig(sys.argv[1])
assert "matplotlib.figure" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "figure.svg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _grey(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _look_alike(one: Any, other: Any, markers: bool) -> bool:
    near = abs(_grey(one.colour) - _grey(other.colour)) < 0.1
    same_marker = not markers or one.marker == other.marker
    return near and one.dashes == other.dashes and same_marker


@pytest.mark.parametrize(("count", "markers"), [(7, False), (15, True)])
def test_series_can_be_told_apart_in_grey(count: int, markers: bool) -> None:
    found = styles([f"s{number}" for number in range(count)], "s0").values()
    pairs = itertools.combinations(found, 2)
    assert not [(a, b) for a, b in pairs if _look_alike(a, b, markers)]


def test_the_reference_is_black_and_broad_only_if_it_has_company() -> None:
    assert styles(["none", "other"], "none")["none"].colour == "#000000"
    assert styles(["none", "other"], "none")["none"].width > styles(["none"], "none")["none"].width


def test_a_ramp_gets_lighter() -> None:
    shades = [_grey(style.colour) for style in ramp(["0", "1", "2", "3"]).values()]
    assert shades == sorted(shades)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("umol/L", "µmol/L"), ("umol/L*h", "µmol/L·h"), ("1/h", "1/h"), ("1", "dimensionless"),
        ("item", "items"), ("ug/mL", "µg/mL"), ("L^2", "L²"), ("s**-1", "s⁻¹"), ("cup", "cup"),
    ],
)  # fmt: skip
def test_units_are_printed_as_people_write_them(unit: str, text: str) -> None:
    assert unit_text(unit) == text


def test_a_quantity_without_a_unit_says_so() -> None:
    assert quantity_text({"units": ""}, "x") == "x (unit not stated)"
    assert quantity_text({"units": "uM", "long_name": "drug"}, "x") == "drug (µM)"


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (1000, "1000"), (2e-5, "2×10⁻⁵"), (1e12, "10¹²"), (0, "0")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("end", "unit", "name", "last"),
    [
        (90, "s", "s", 90), (0.5, "h", "min", 30), (72, "h", "h", 72), (10, "d", "days", 10),
        (168, "h", "days", 7), (4380, "h", "weeks", 26), (20, "year", "years", 20),
        (7200, "s", "min", 120),
    ],
)  # fmt: skip
def test_time_is_shown_in_the_unit_in_which_it_is_read(
    end: float, unit: str, name: str, last: float
) -> None:
    found = clock(end, unit)
    assert found.unit == name
    assert end / found.length == pytest.approx(last, rel=0.01)
    assert 3 <= len(found.ticks) <= 8
    assert found.ticks[-1] <= last * 1.01


@pytest.mark.parametrize("unit", ["", "dimensionless", "fathom"])
def test_time_in_no_unit_of_time_stays_as_it_is(unit: str) -> None:
    assert clock(10, unit).length == 1


@pytest.mark.parametrize(
    ("curves", "over_dose", "log"),
    [
        ([[1, 0.5], [0.01, 0.005]], False, True),
        ([[1, 1e-9], [0.9, 1e-9]], False, False),
        ([[0, 0], [0, 0]], False, False),
        ([[1, -1], [0.001, 0]], False, False),
        ([[1, -1e-12], [0.001, 0]], False, True),
        ([[1, 1, 0.9, 0.4, 0]], True, False),
        ([[1e-4, 1e-3, 1e-2, 1e-1, 1]], True, True),
        ([[np.nan, np.inf]], True, False),
        ([[0.04, 0.01], [1e-17, 1e-16]], False, False),
    ],
)
def test_a_log_axis_is_chosen_where_a_linear_one_hides_something(
    curves: list[list[float]], over_dose: bool, log: bool
) -> None:
    assert needs_log([np.array(curve) for curve in curves], over_dose) is log


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([0, 1], 0, 1.06), ([0.8, 1], 0.788, 1.012), ([0.4, 1], 0, 1.06), ([-1e-12, 1], 0, 1.06),
     ([-1, 1], -1.12, 1.12), ([3, 3], 0, 3.18), ([0.99, 1], 0, 1.06), ([], 0, 1.06), ([0, 0], 0, 0.5)],
)  # fmt: skip
def test_a_linear_axis_starts_at_zero_unless_that_hides_the_differences(
    values: list[float], low: float, high: float
) -> None:
    assert linear_limits([np.array(values, dtype=float)]) == pytest.approx((low, high))


def test_a_log_axis_over_time_ends_below_the_lowest_peak() -> None:
    low, high = log_limits([np.array([0, 1, 1e-9]), np.array([0, 1e-3, 1e-9])])
    assert 5e-6 < low < 1e-5
    assert high == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.01, 100, [0.01, 0.1, 1, 10, 100]),
        (0.9, 9, [1, 2, 5]),
        (0.9, 4.4, [1, 2, 3, 4]),
        (0.39, 0.61, [0.4, 0.5, 0.6]),
        (8333, 12120, [9000, 10000, 11000, 12000]),
        (1, 1, [1]),
        (1e-9, 1e9, [10.0**power for power in range(-9, 10, 3)]),
    ],
)
def test_log_ticks_are_few_and_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_a_long_caption_is_broken_into_lines(results: Results) -> None:
    dataset, result = results["samples"]
    noticed = dataset.assign_attrs(notice="word " * 60)
    figure = scenario_figure(noticed, result)
    assert _on_page(figure, lambda text: "word" in text.get_text())


def _on_page(figure: Any, chosen: Callable[[Any], bool]) -> bool:
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts if chosen(text)]
    return bool(boxes) and all(box.x1 <= figure.bbox.x1 for box in boxes)
