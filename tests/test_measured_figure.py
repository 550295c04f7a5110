"""The user's own readings are points over the lines, each in its panel, and fits have a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myelode.cli import main
from myelode.errors import ScenarioError
from myelode.figures import require_figure_name
from myelode.figures.dose_responses import response_page
from myelode.figures.fits import fit_figure
from myelode.figures.story import page_of
from myelode.fitting import fit
from myelode.fitting.courses import courses_of
from myelode.outcomes import evaluate
from myelode.responses.dose_responses import dose_response
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.subjects import model_of
from myelode.user_data.readings import Readings, read_readings

MODEL = """\
model clearance()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit uM = 1e-6 mole/litre; unit per_hour = 1/(3600 second);
  unit ratio = 1 dimensionless;
  compartment plasma = 3; plasma has volume;
  species drug in plasma; drug = 0;
  k = 0.2; k has per_hour; IC50 = 2; IC50 has uM; one = 1; one has ratio;
  protein := one/(one + drug/IC50); protein has ratio;
  loss: drug => ; plasma*k*drug;
end
"""
COURSE = """\
id: course
title: a bolus
model: ./clearance.ant
perturbations: [none, {slow: {scale: {k: 0.5}}}]
regimen: [{at: 0 h, label: bolus, dose: drug, to: 10 uM}]
observe: {every: 1 h, until: 12 h, outputs: [drug]}
"""
LADDER = """\
design: {dose: {of: bolus, values: [0 uM, 1 uM, 4 uM, 16 uM]}}
endpoints: {half: {of: protein, take: ic50, at: 3 h}}
"""
READINGS = """\
time [h],output,value,unit,sd,perturbation
2,drug,6700,nmol/L,300,none
4,drug,4500,nmol/L,300,none
4,drug,6700,nmol/L,300,slow
6,protein,40,percent,,none
"""
RESPONSES = """\
time [h],dose [nmol/L],output,value,sd
3,0,protein,1.02,0.05
3,2000,protein,0.65,0.05
3,64000,protein,0.08,0.05
6,2000,protein,0.9,0.05
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scenarios of one model, and readings for each."""
    (tmp_path / "clearance.ant").write_text(MODEL)
    (tmp_path / "course.yaml").write_text(COURSE)
    ladder = COURSE.replace("id: course", "id: ladder").replace("[drug]", "[protein]")
    (tmp_path / "ladder.yaml").write_text(ladder + LADDER)
    (tmp_path / "course.csv").write_text(READINGS)
    (tmp_path / "ladder.csv").write_text(RESPONSES)
    return tmp_path


def _readings(folder: Path, name: str) -> Readings:
    scenario = load_scenario(folder / f"{name}.yaml")
    return read_readings(folder / f"{name}.csv", scenario, model_of(scenario))


def test_readings_stand_in_the_panel_and_line_that_they_are_of(folder: Path) -> None:
    scenario = load_scenario(folder / "course.yaml", ["observe.outputs=[drug, protein]"])
    dataset = simulate(scenario)
    page = page_of(dataset, evaluate(dataset), _readings(folder, "course"))
    points = {
        (panel.label, curve.series): curve
        for row in page.rows
        for panel in row
        if panel
        for curve in panel.curves
        if curve.errors is not None
    }
    drug = {name: curve for (label, name), curve in points.items() if "µmol/L" in label}
    assert set(drug) == {"none", "slow"}
    assert drug["none"].x.tolist() == [2, 4]
    assert drug["none"].y == pytest.approx([6.7, 4.5])
    assert drug["none"].errors == pytest.approx([0.3, 0.3])
    assert drug["slow"].y == pytest.approx([6.7])
    [protein] = [curve for (label, _), curve in points.items() if "µmol/L" not in label]
    assert protein.y == pytest.approx([0.4])
    assert protein.errors is not None
    assert np.isnan(protein.errors).all()
    assert (
        "Points: readings of course.csv (4 in all); bars: one standard deviation." in page.captions
    )


def test_readings_over_dose_stand_at_the_time_of_the_panel(folder: Path) -> None:
    dataset = simulate(load_scenario(folder / "ladder.yaml"))
    page = page_of(dataset, evaluate(dataset), _readings(folder, "ladder"))
    [[panel]] = page.rows
    assert panel is not None
    [curve] = [item for item in panel.curves if item.errors is not None]
    assert page.across.control is not None
    assert curve.x == pytest.approx([page.across.control, 2, 64])
    assert page.across.limits[1] > 64, "the axis has room for all readings"


def test_the_command_draws_readings_and_asks_for_a_figure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(folder / "course.csv")]
    call = ["run", str(folder / "course.yaml"), *data]
    assert main(call) == 2
    assert "give --plot FILE" in capsys.readouterr().err
    path = folder / "course.svg"
    assert main([*call, "--plot", str(path), "--quiet"]) == 0
    plain = folder / "plain.svg"
    assert main([*call[:2], "--plot", str(plain), "--quiet"]) == 0
    assert path.stat().st_size > plain.stat().st_size


def test_lines_of_a_fit_go_through_exact_readings(folder: Path) -> None:
    rows = [f"{time},drug,{10 * float(np.exp(-0.3 * time))!r},uM" for time in (1, 2, 4, 8)]
    table = folder / "exact.csv"
    table.write_text("\n".join(["time [h],output,value,unit", *rows]) + "\n")
    found = fit(str(folder / "course.yaml"), [table], ["k"], profile=True)
    [[course]] = courses_of(found).values()
    assert course.over == "time"
    np.testing.assert_allclose(course.after, 10 * np.exp(-0.3 * course.x), rtol=1e-4)
    np.testing.assert_allclose(course.before, 10 * np.exp(-0.2 * course.x), rtol=1e-4)
    figure = fit_figure(found)
    assert len(figure.axes) == 3, "readings, residuals, and one profile"
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "time (h)", "value (1/h)"]


def test_a_fit_over_doses_has_one_panel_for_each_time(folder: Path) -> None:
    found = fit(str(folder / "ladder.yaml"), [folder / "ladder.csv"], ["IC50"])
    courses = courses_of(found)
    assert [*courses] == ["protein, 3 h", "protein, 6 h"]
    [first] = courses["protein, 3 h"]
    assert (first.over, first.at) == ("dose", 3)
    assert first.x[0] == 0
    assert first.x[-1] == 64000
    assert len(fit_figure(found).axes) == 4


def test_the_command_writes_the_figure_of_a_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["fit", str(folder / "ladder.yaml"), "--data", str(folder / "ladder.csv")]
    call += ["--parameters", "IC50", "--plot"]
    assert main([*call, str(folder / "fit.png")]) == 0
    assert (folder / "fit.png").stat().st_size > 10_000
    assert "fewer than 4 doses" in capsys.readouterr().out
    assert main([*call, str(folder / "fit.gif")]) == 2
    with pytest.raises(ScenarioError, match="a figure ends in"):
        require_figure_name("fit.gif")


def test_readings_stand_on_the_curves_of_a_dose_response(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = load_scenario(folder / "ladder.yaml")
    curves = dose_response(scenario)
    page = response_page(curves, _readings(folder, "ladder"))
    [[panel]] = page.rows
    assert panel is not None
    [curve] = [item for item in panel.curves if item.errors is not None]
    assert curve.series == "none"
    assert curve.y == pytest.approx([1.02, 0.65, 0.08])
    assert curve.x == pytest.approx([page.across.control, 2, 64])
    call = ["dose-response", str(folder / "ladder.yaml"), "--data", str(folder / "ladder.csv")]
    assert main(call) == 2
    assert "give --plot FILE" in capsys.readouterr().err
    assert main([*call, "--plot", str(folder / "curves.png"), "--quiet"]) == 0
    minimum = ["--take", "min", "--plot", str(folder / "curves.png")]
    assert main([*call, *minimum]) == 2
    assert "the response is not read at one time" in capsys.readouterr().err


def test_outputs_that_share_a_panel_bear_no_readings(folder: Path) -> None:
    text = (folder / "course.yaml").read_text().replace("[drug]", "[drug, IC50]")
    (folder / "course.yaml").write_text(text + "figure: {together: {both: [drug, IC50]}}\n")
    dataset = simulate(load_scenario(folder / "course.yaml", ["perturbations=[none]"]))
    readings = _readings(folder, "course")
    with pytest.raises(ScenarioError, match="are told apart by output, which no reading has"):
        page_of(dataset, evaluate(dataset), readings)
