"""Published numbers on figures of responses: which are chosen, where they stand, what is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from myelode.figures import scenario_figure
from myelode.figures.published import Interval, published_of
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate
from myelode.trials import COLUMNS

from .figure_texts import off_the_page, overlapping
from .toys import SERUM_PROTEIN

HEADER = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange"
    "\tevidence\tread\tsource\tnote\n"
)
PARAMETERS = [
    ("base", "30", "g/L"), ("kill", "0.05", "1/d"), ("loss", "0.015", "1/d"),
    ("growth", "0.01", "1/d"), ("serum", "1", "L"),
]  # fmt: skip
ROWS = [
    "HARE-1|label_dose|ORR|32|%|21.7|43.6|97.5|2022|literature|read|Nobody 2021||",
    "HARE-1|label_dose|ORR|31|%||||2019|literature|read|Nobody 2020||",
    "HARE-1|label_dose|PFS_median|inf|month||||2019|literature|read|Nobody 2020||",
    "HARE-1|label_dose|PFS_median|2.8|month|2|4|95|2022|literature|read|Nobody 2023||",
    "HARE-1|higher_dose|PFS_median|inf|month|4|inf|95|2022|literature|read|Nobody 2023||",
    "HARE-1|higher_dose|PFS_at_6_months|71|%|63|78|95|2022|literature|read|Nobody 2023||",
    "HARE-1|higher_dose|PFS_at_60_months|7|%||||2022|literature|read|Nobody 2023||",
]
TEXT = """
id: ward
title: Patients whose drug wears off, and who differ in how much of it they have
model: {model}
perturbations: [none, {{a_rather_long_name: {{scale: {{growth: 2}}}}}}]
arms: {{early: [{{at: 0 d, set: {{loss: 0.02 1/d}}}}], late: [{{at: 0 d, set: {{loss: 0.01 1/d}}}}]}}
design: {{cross: {{kill: [0.005 1/d, 0.02 1/d, 0.03 1/d, 0.04 1/d, 0.06 1/d, 0.09 1/d]}}}}
observe: {{every: 5 d, until: 300 d, outputs: [M_protein]}}
responses: {{clinic: {{of: M_protein, every: 20 d}}}}
trial: {{early: HARE-1 label_dose, late: HARE-1 higher_dose}}
"""
Results = tuple[xr.Dataset, xr.Dataset]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("models") / "serum_protein"
    folder.mkdir()
    (folder / "serum_protein.ant").write_text(SERUM_PROTEIN)
    parts = "only: {title: one, parts: [serum_protein.ant], model: serum_protein}\n"
    (folder / "variants.yaml").write_text(parts)
    rest = "\tsize\tfixed\t\t\t\tassumed\tno\t\tan example\n"
    (folder / "parameters.tsv").write_text(
        HEADER + "".join("\t".join(row) + rest for row in PARAMETERS)
    )
    rows = ["\t".join(COLUMNS), *(row.replace("|", "\t") for row in ROWS)]
    (folder / "trials.tsv").write_text("\n".join(rows) + "\n")
    dataset = simulate(scenario_from_text(TEXT.format(model=folder), "ward"))
    return dataset, evaluate(dataset)


@pytest.fixture
def figure(results: Results) -> Figure:
    return scenario_figure(*results)


def _diamonds(axes: Any, marker: str) -> list[tuple[float, float]]:
    """Where the symbols of published numbers stand."""
    found = [line for line in axes.lines if line.get_marker() == marker]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in found]


def test_the_first_number_that_was_reached_is_taken(results: Results) -> None:
    point = results[1].sel(perturbation="none", arm="early")
    found = published_of(point)
    assert found is not None
    assert found.rate == Interval(0.32, pytest.approx(0.217), pytest.approx(0.436))
    assert found.median == Interval(2.8, 2, 4)
    assert found.rate_text == "\nHARE-1 label dose: 32 % (22 to 44 %)"
    later = published_of(results[1].sel(perturbation="none", arm="late"))
    assert later is not None
    assert later.median == Interval(math.inf, 4, math.inf)
    assert later.rate_text == ""


def test_changed_patients_imitate_no_trial(results: Results) -> None:
    assert published_of(results[1].sel(perturbation="a_rather_long_name", arm="early")) is None


def test_medians_and_landmarks_are_diamonds_on_the_curve(figure: Figure) -> None:
    early, late = figure.axes[0], figure.axes[3]
    assert _diamonds(early, "D") == [(2.8, 0.5)]
    spans = [np.asarray(line.get_xdata(), dtype=float) for line in early.lines]
    assert any(np.array_equal(span, [2, 4]) for span in spans)
    assert _diamonds(late, "D") == [(6, 0.71)]


def test_a_median_beyond_the_end_points_out_of_the_panel(figure: Figure) -> None:
    late = figure.axes[3]
    assert _diamonds(late, ">") == [(pytest.approx(late.get_xlim()[1]), 0.5)]


def test_the_share_of_responders_is_a_line_in_the_waterfall(figure: Figure) -> None:
    falls = figure.axes[1:3]
    places = [line.get_xdata()[0] for line in falls[0].lines if line.get_linewidth() == 1.6]
    assert places == pytest.approx([6 * (1 - 0.32) - 0.5])
    assert not [line for line in falls[1].lines if line.get_linewidth() == 1.6]


def test_captions_say_what_the_marks_are(figure: Figure) -> None:
    written = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "Diamonds: published progression-free survival" in written


def test_all_can_be_read(figure: Figure) -> None:
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


@pytest.mark.parametrize(
    ("interval", "text"),
    [(Interval(0.5, None, None), "50 %"), (Interval(0.5, 0.25, 0.75), "50 % (25 to 75 %)")],
)
def test_an_interval_is_said_where_it_is_known(interval: Interval, text: str) -> None:
    assert interval.text() == text
