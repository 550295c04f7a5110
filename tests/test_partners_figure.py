"""Many combinations as a chart: what its rows hold, and that all of it can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from myelode.cli.checks import check_file
from myelode.figures import scenario_figure
from myelode.figures.partners import partner_rows
from myelode.outcomes import evaluate
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import swapped

MODEL = """\
compartment c; species D in c; D = 0; k = 0; J: D -> ; c*k*D;
b = 0; f = 3; left := 1/(1 + D*(1 + f*b));
"""
PAIR = "{of: share, single: [drug, partner], together: both, shift: ic50"
TEXT = f"""\
id: partners
title: a drug and its partners
model: toy.ant
perturbations: [none, {{a_line_that_cannot_repair: {{set: {{f: 9}}}}}}]
arms:
  drug: [{{at: 0, label: pulse, dose: D, to: 1}}]
  partner: [{{at: 0, set: {{b: 1}}}}]
  both: [{{at: 0, label: pulse, dose: D, to: 1}}, {{at: 0, set: {{b: 1}}}}]
design: {{dose: {{of: pulse, values: [0.01, 0.1, 1, 10, 100], zero: true}}}}
observe: {{until: 1, outputs: [left]}}
endpoints:
  share: {{of: left, take: value, at: 1, dose: 1}}
  ic50: {{of: left, take: ic50, at: 1}}
combinations:
  one_partner: {PAIR}}}
  other: {PAIR}, title: an inhibitor of something that repairs what the drug has broken}}
"""
Make = Callable[..., tuple[xr.Dataset, xr.Dataset]]
LONG = "partner {} of those that some document lists, given for 24 h after the pulse"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Simulates and evaluates the scenario, with pieces of it replaced."""
    (tmp_path / "toy.ant").write_text(MODEL)

    def results(*swaps: tuple[str, str]) -> tuple[xr.Dataset, xr.Dataset]:
        text = swapped(TEXT, [("toy.ant", str(tmp_path / "toy.ant")), *swaps])
        dataset = simulate(scenario_from_text(text, "partners.yaml"))
        return dataset, evaluate(dataset)

    return results


def _with_claims(results: tuple[xr.Dataset, xr.Dataset]) -> tuple[xr.Dataset, xr.Dataset]:
    """As if a model with claims had been run: the longest words that a verdict has."""
    words = {"claim": "LONG-C99", "says": "High (Standard)", "verdict": "contradicted"}
    for number, data in enumerate(results[1].values()):
        if str(data.name).startswith("bliss_") and number % 3:
            data.attrs |= words
    return results


def _places(figure: Figure, axes: int) -> np.ndarray:
    """Where the markers of a panel stand, row by row and series by series."""
    lines = figure.axes[axes].lines
    return np.array(
        [line.get_xdata()[0] for line in lines if line.get_marker() not in ("", "None")]
    )


def test_each_row_has_shift_and_excess_of_every_perturbation(make: Make) -> None:
    dataset, result = make()
    figure = scenario_figure(dataset, result)
    shifts = [result[f"shift_{name}"].values for name in ("one_partner", "other")]
    np.testing.assert_allclose(_places(figure, 0), np.ravel(shifts))
    excess = [result[f"bliss_{name}"].values for name in ("one_partner", "other")]
    np.testing.assert_allclose(_places(figure, 1), np.ravel(excess))
    assert figure.axes[0].get_xscale() == "log"
    first, second = (label.get_text() for label in figure.axes[0].get_yticklabels())
    assert first == "one partner"
    assert second.startswith("an inhibitor of something\nthat")
    [legend] = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["none (reference)", "a line that cannot repair"]


def test_nothing_is_shifted_at_the_line(make: Make) -> None:
    figure = scenario_figure(*make(("f: 9", "f: 0")))
    at = [line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_ydata()) == 2]
    assert at[0] == 1
    assert 1.0 in _places(figure, 0)


def test_what_a_document_says_stands_at_the_right(make: Make) -> None:
    figure = scenario_figure(*_with_claims(make()))
    said = [text.get_text() for text in figure.axes[1].texts]
    assert "document: High (Standard) / contradicted" in said


def test_a_claim_without_a_grade_has_its_id(make: Make) -> None:
    dataset, result = make()
    result["bliss_other"].attrs |= {"claim": "T-C1", "verdict": "contested"}
    rows = partner_rows(result, scenario_from_text(dataset.attrs["scenario"]))
    assert [row.claim for row in rows] == ["", "claim T-C1 / contested"]


@pytest.mark.parametrize("rows", [1, 8])
def test_all_can_be_read(make: Make, rows: int) -> None:
    items = "".join(f"  n{n}: {PAIR}, title: '{LONG.format(n)}'}}\n" for n in range(rows))
    figure = scenario_figure(*_with_claims(make((f"  one_partner: {PAIR}}}\n", items))))
    assert overlapping(figure) == []
    assert off_the_page(figure) == []


@pytest.mark.parametrize("values", ["0.01, 0.1, 0.6", "0.5, 1, 10", "0.001, 0.1, 1000"])
def test_a_shift_that_is_not_known_is_said(make: Make, values: str) -> None:
    figure = scenario_figure(
        *make(("0.01, 0.1, 1, 10, 100", values), (", dose: 1}", f", dose: {values.split()[-1]}}}"))
    )
    known = np.isfinite(_places(figure, 0))
    written = [text.get_text() for text in figure.axes[0].texts].count("–")
    assert written == (~known).sum()
    assert any("beyond the ladder" in text.get_text() for text in figure.texts) == bool(written)
    assert overlapping(figure) == []


def test_points_of_a_design_are_a_median_and_a_line(make: Make) -> None:
    figure = scenario_figure(
        *make(
            ("design: {", "design: {cross: {f: [1, 3, 9]}, "),
            (", {a_line_that_cannot_repair: {set: {f: 9}}}", ""),
        )
    )
    np.testing.assert_allclose(_places(figure, 0), [0.25, 0.25], rtol=1e-3)
    spans = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "None"]
    assert any(low < 0.25 < high for low, high in spans)
    assert not figure.legends
    assert any("medians over all points" in text.get_text() for text in figure.texts)


def test_without_shifts_there_is_one_panel_for_who_asks(make: Make) -> None:
    plain = (f"{PAIR}}}", f"{PAIR.removesuffix(', shift: ic50')}}}")
    other = (f"{PAIR}, title", f"{PAIR.removesuffix(', shift: ic50')}, title")
    wanted = ("id: partners", "figure: {show: combinations}\nid: partners")
    assert len(scenario_figure(*make(plain, other, wanted)).axes) == 1
    assert len(scenario_figure(*make(plain, wanted)).axes) == 2
    bars = scenario_figure(*make(plain))
    assert any(axes.containers for axes in bars.axes)


def test_a_chart_needs_combinations_and_has_no_curves(tmp_path: Path) -> None:
    (tmp_path / "toy.ant").write_text(MODEL)
    nothing = TEXT[: TEXT.index("combinations:")] + "figure: {show: combinations}\n"
    curves = TEXT + "figure: {show: combinations, together: {all: [left]}}\n"
    for text, fault in (
        (nothing, "figure.show: the scenario has no combinations"),
        (curves, "a chart of combinations has no curves to stand together"),
        (TEXT + "figure: {show: combinations, columns: [share]}\n", "belong to show: signature"),
    ):
        (tmp_path / "partners.yaml").write_text(text)
        [error] = check_file(str(tmp_path / "partners.yaml")).errors
        assert fault in error
