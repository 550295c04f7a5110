"""A table of readings is fitted without a calibration, and complains with line and column."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode.cli import main
from myelode.errors import MyelodeError, ScenarioError
from myelode.fitting import Fit, fit
from myelode.model import load_model
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.subjects import model_of
from myelode.user_data.columns import COLUMNS, read_sheet
from myelode.user_data.readings import read_readings, readings_at
from myelode.user_data.templates import template_text

TRUE = {"k_lost": 0.31, "strong.K_half": 2.2}
HEADER = "time [min],dose [nmol/L],output,value,sd,compound\n"


def _filled(text: str, values: Mapping[str, float], name: Path, noise: float = 0.0) -> str:
    """A template with the values of a simulation, and their errors where there is noise."""
    help_lines = [line for line in text.splitlines() if line.startswith("#")]
    rows = list(csv.DictReader(text.splitlines()[len(help_lines) :]))
    scenario = load_scenario(name, [f"observe.at={[row['time [h]'] + ' h' for row in rows]}"])
    found = simulate(scenario, overrides=values).sel(perturbation="none")
    draws = np.random.default_rng(5).normal(size=len(rows))
    for row, draw in zip(rows, draws.tolist(), strict=True):
        where: dict[str, Any] = {"time": float(row["time [h]"])}
        if "dose [umol/L]" in row:
            where["dose"] = float(row["dose [umol/L]"])
            found_here = found.sel(compound=row["compound"])
        else:
            found_here = found
        exact = float(found_here[row["output"]].sel(where, method="nearest"))
        row["value"] = f"{exact * (1 + noise * draw)!r}"
        row["sd"] = repr(noise * exact) if noise else ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "\n".join([*help_lines, out.getvalue()])


def _template(home: Any, name: str, settings: tuple[str, ...] = ()) -> str:
    scenario = load_scenario(home.folder / f"{name}.yaml", settings)
    return template_text(scenario, model_of(scenario))


def _table(home: Any, text: str, name: str = "readings.csv") -> Path:
    path: Path = home.folder / name
    path.write_text(text)
    return path


def _course(home: Any, values: Mapping[str, float], noise: float = 0.0) -> Path:
    scenario = home.folder / "course.yaml"
    return _table(home, _filled(_template(home, "course"), values, scenario, noise))


def _fit(home: Any, data: Path, names: str, scenario: str = "course", **more: Any) -> Fit:
    return fit(str(home.folder / f"{scenario}.yaml"), [data], names.split(","), **more)


def test_a_filled_template_gives_back_the_values_that_filled_it(home: Any) -> None:
    data = _course(home, {"k_lost": 0.31})
    found = _fit(home, data, "k_lost", prior=False)
    assert found.converged
    assert found.overrides["k_lost"] == pytest.approx(0.31, rel=1e-4)
    # The table of the model states a spread, which pulls towards its value.
    assert 0.2 < _fit(home, data, "k_lost").overrides["k_lost"] < 0.3
    assert [free.low for free in found.problem.free] == [0.001]
    assert [free.high for free in found.problem.free] == [10]
    assert "have no sd" in found.problem.notes[0]


def test_a_filled_ladder_gives_back_the_potency_of_each_compound(home: Any) -> None:
    (home.folder / "ladder.yaml").write_text(
        (home.folder / "ladder.yaml").read_text().replace(
            "[0 uM, 1 uM]", "[0 uM, 0.1 uM, 0.5 uM, 2 uM, 8 uM]"
        ).replace("until: 24 h", "until: 5 h")
    )  # fmt: skip
    text = _template(home, "ladder")
    assert text.count("\n5,") == 10
    true = {"strong.K_half": 2.2, "weak.K_half": 6.0}
    filled = _filled(text, true, home.folder / "ladder.yaml", 0.01)
    found = _fit(home, _table(home, filled), ",".join(true), "ladder")
    assert [*found.problem.targets] == ["relative, strong, 5 h", "relative, weak, 5 h"]
    for (name, value), estimate in zip(true.items(), found.values, strict=True):
        assert estimate.interval is not None, name
        assert estimate.interval[0] < value < estimate.interval[1], name
    assert found.problem.notes == ()


def test_noisy_readings_are_recovered_within_the_intervals_of_profiles(home: Any) -> None:
    data = _course(home, TRUE, noise=0.02)
    found = _fit(home, data, "k_lost,strong.K_half", profile=True)
    for name, value in TRUE.items():
        low, high = found.profiles[name].interval
        assert low is not None
        assert high is not None
        assert low < value < high, name
    assert {item.word for item in found.values} == {"identified"}


def test_units_of_the_table_are_its_own(home: Any) -> None:
    rows = "60,2000,relative,0.9,0.01,strong\n300,2000,relative,0.5,0.01,strong\n"
    scenario = load_scenario(home.folder / "ladder.yaml")
    model = model_of(scenario)
    found = read_readings(_table(home, HEADER + rows), scenario, model)
    assert [item.time for item in found.items] == pytest.approx([1, 5])
    assert {item.dose for item in found.items} == {2.0}
    assert len(readings_at(found.items, "relative", time=5.0, compound="strong")) == 1
    assert readings_at(found.items, "relative", compound="weak") == ()
    percent = "time [h],output,value [percent],sd\n3,relative,50,5\n"
    course = load_scenario(home.folder / "course.yaml")
    [item] = read_readings(_table(home, percent, "percent.csv"), course, model).items
    assert (item.value, item.sd) == pytest.approx((0.5, 0.05))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("output,value\nrelative,1\n", ":1: has no column 'time'"),
        ("time [h];output;value\n1;relative;1\n", "cells are separated by ';'"),
        ("time [h],output,valve\n", "unknown column 'valve': did you mean 'value'?"),
        ("time_h,output,value\n", "unknown column 'time_h': write 'time [h]'"),
        ("time,output,value\n", "the column 'time' has no unit: write 'time [UNIT]'"),
        ("time [hrz],output,value\n", "the column 'time [hrz]': 'hrz' is not a known unit"),
        ("time [h],output,value,value\n", "the column 'value' is there twice"),
        ("time [h],output,value [1/h],unit\n", "in its header and in a column of its own"),
        ("time [h],output,value,sd [h]\n", "it is in the unit of value"),
        ("time [h],output,value\n1,relative,\n", "holds no reading: fill in the column value"),
        ("time [h],output,value\n\n1,relative,much\n", ":3: column 'value': 'much' is not a number"),
        ("time [h],output,value\n1,relative,\"0,5\"\n", "write a point for a decimal comma"),
        ("time [h],output,value\n1,relative,nan\n", ":2: column 'value': 'nan' is not a number"),
        ("time [h],output,value\n-1,relative,1\n", ":2: column 'time [h]': -1 is negative"),
        ("time [h],output,value\n,relative,1\n", ":2: column 'time [h]': is empty"),
        ("time [h],output,value\n1,,1\n", ":2: column 'output': is empty"),
        ("time [h],output,value,sd\n1,relative,1,0\n", ":2: column 'sd': 0 is not positive"),
        ("time [h],output,value\n1,relative,1,2\n", ":2: has 4 cells where 3 are due"),
        ("time [h],output,value\n1,relativ,1\n", "column 'output': unknown output 'relativ'"),
        ("time [h],output,value [h]\n1,relative,1\n", ":2: column 'value [h]': relative is in 'h'"),
        ("time [h],output,value,unit\n1,relative,1,foo\n", ":2: column 'unit': 'foo' is not a"),
        ("time [L],output,value\n1,relative,1\n", ":2: column 'time [L]': the time is in 'L'"),
        ("time [h],output,value\n99,relative,1\n", "99 h is after the end of 'course', 24 h"),
        ("time [h],output,value,perturbation\n1,relative,1,nine\n", "no perturbation 'nine'"),
        ("time [h],output,value,arm\n1,relative,1,a\n", "column 'arm': 'course' has no arms"),
        ("time [h],output,value,compound\n1,relative,1,weak\n", "has one compound, strong"),
        ("time [h],output,value,compound\n1,relative,1,x\n", "column 'compound': unknown"),
        ("time [h],dose [uM],output,value\n1,1,relative,1\n1,2,relative,1\n", "no ladder of doses"),
    ],
)  # fmt: skip
def test_each_fault_of_a_table_is_one_line(home: Any, text: str, said: str) -> None:
    scenario = load_scenario(home.folder / "course.yaml")
    with pytest.raises(MyelodeError) as found:
        read_readings(_table(home, text), scenario, model_of(scenario))
    assert said in str(found.value)
    assert "readings.csv" in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time [h],output,value,compound\n1,relative,1,weak\n", "needs a dose"),
        ("time [h],dose [h],output,value,compound\n1,1,relative,1,weak\n", "column 'dose [h]'"),
        ("time [h],dose [uM],output,value\n1,1,relative,1\n", "several: say which compound"),
        ("time [h],dose [uM],output,value,compound\n1,1,relative,1,wek\n", "did you mean 'weak'"),
    ],
)
def test_each_fault_of_a_dose_response_is_one_line(home: Any, text: str, said: str) -> None:
    scenario = load_scenario(home.folder / "ladder.yaml")
    with pytest.raises(ScenarioError) as found:
        read_readings(_table(home, text), scenario, model_of(scenario))
    assert said in str(found.value)


def test_a_table_has_a_suffix_that_says_how_it_is_written(home: Any) -> None:
    with pytest.raises(ScenarioError, match="ends in .csv, .tsv, .txt"):
        read_sheet(_table(home, HEADER, "readings.dat"))
    assert set(COLUMNS) >= {"time", "dose", "output", "value", "sd", "unit", "replicate"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("k_los", "--parameters: unknown name 'k_los'"),
        ("weak.K_half", "'weak.K_half' is set by the"),
        ("relative", "is computed by the model"),
        ("fast:k_lost", "'fast:k_lost' is set by the"),
    ],
)
def test_what_is_free_must_be_heard(home: Any, names: str, said: str) -> None:
    with pytest.raises(MyelodeError) as found:
        _fit(home, _course(home, {}), names)
    assert said in str(found.value)


def test_a_value_that_the_cell_line_sets_is_freed_there(home: Any) -> None:
    data = _course(home, {"k_lost": 0.5})
    with pytest.raises(ScenarioError, match="set by the cell line fast: free fast:k_lost"):
        _fit(home, data, "k_lost", settings=["cell_line=fast"])
    found = _fit(home, data, "fast:k_lost", settings=["cell_line=fast"])
    assert found.overrides["fast:k_lost"] == pytest.approx(0.5, rel=1e-3)


def test_a_short_ladder_is_warned_of(home: Any) -> None:
    rows = "300,0,relative,1,0.1,strong\n300,2000,relative,0.5,0.1,strong\n"
    found = _fit(home, _table(home, HEADER + rows), "strong.K_half", "ladder")
    assert "fewer than 4 doses determines little; this one has 1" in found.problem.notes[0]


def test_replicates_are_readings_of_their_own(home: Any) -> None:
    text = "time [h],output,value,replicate\n4,relative,0.5,1\n4,relative,0.6,2\n"
    found = _fit(home, _table(home, text), "k_lost")
    assert [len(target.measured) for target in found.problem.targets.values()] == [2]


def test_two_units_of_one_output_are_refused(home: Any) -> None:
    text = "time [h],output,value,unit\n4,relative,0.5,1\n5,relative,60,percent\n"
    with pytest.raises(ScenarioError, match=":3: column 'unit': is in 'percent' here"):
        _fit(home, _table(home, text), "k_lost")


def test_a_saved_line_gives_the_numbers_of_the_fit(home: Any, capsys: Any) -> None:
    data = _course(home, {"k_lost": 0.5}, noise=0.02)
    scenario, line = str(home.folder / "course.yaml"), home.folder / "mine.yaml"
    call = ["fit", scenario, "--data", str(data), "--parameters", "fast:k_lost", "--set"]
    call += ["cell_line=fast", "--save-line", str(line), "--json"]
    assert main(call) == 0
    value = json.loads(capsys.readouterr().out)["parameters"]["fast:k_lost"]["value"]
    own = simulate(load_scenario(scenario, [f"cell_line={line}"]))
    asked = simulate(load_scenario(scenario, ["cell_line=fast"]), overrides={"fast:k_lost": value})
    np.testing.assert_array_equal(own["relative"].values, asked["relative"].values)
    text = line.read_text()
    assert "evidence: fitted" in text
    assert "readings.csv (sha256 " in text
    assert "95 % interval (local)" in text
    assert "all else as in fast" in text
    assert main(call) == 2
    assert "is there already" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert line.read_text() == text


def test_a_saved_line_can_be_fitted_again(home: Any) -> None:
    data = _course(home, {"k_lost": 0.5})
    line = home.folder / "mine.yaml"
    line.write_text("mine: {set: {k_lost: 0.3 1/h}, evidence: fitted}\n")
    found = _fit(home, data, "mine:k_lost", settings=[f"cell_line={line}"])
    assert found.overrides["mine:k_lost"] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one: {set: {k_lost: 1 1/h}}\ntwo: {set: {k_lost: 1 1/h}}\n", "has one entry"),
        ("mine: {sett: {}}\n", "mine.yaml:1: mine: unknown key 'sett'"),
        ("mine: {set: {k_lst: 1 1/h}}\n", "did you mean 'k_lost'"),
    ],
)
def test_a_faulty_line_file_is_one_line(home: Any, text: str, said: str) -> None:
    line = home.folder / "mine.yaml"
    line.write_text(text)
    scenario = load_scenario(home.folder / "course.yaml", [f"cell_line={line}"])
    with pytest.raises(MyelodeError) as found:
        simulate(scenario)
    assert said in str(found.value)


def test_the_value_of_a_compound_is_no_cell_line(home: Any, capsys: Any) -> None:
    data, line = _course(home, {}), home.folder / "mine.yaml"
    call = ["fit", str(home.folder / "course.yaml"), "--data", str(data), "--parameters"]
    assert main([*call, "strong.K_half", "--save-line", str(line)]) == 2
    assert "belongs to the compound strong" in capsys.readouterr().err
    assert not line.exists()


def test_the_template_names_what_there_is(home: Any, capsys: Any) -> None:
    path = home.folder / "template.csv"
    call = ["new", "data", "--from", str(home.folder / "ladder.yaml"), "-o", str(path)]
    assert main(call) == 0
    assert f"Template: {path}" in capsys.readouterr().out
    assert "time [h],dose [umol/L],output,value,unit,sd,replicate,compound" in path.read_text()
    assert main(call) == 2
    assert "replaces no file" in capsys.readouterr().err
    assert main(["new", "date", *call[2:]]) == 2
    assert "did you mean 'data'?" in capsys.readouterr().err


def test_a_model_is_no_scenario(home: Any) -> None:
    with pytest.raises(MyelodeError, match=r"calibration\.yaml: is not there"):
        fit(str(home), [_course(home, {})], ["k_lost"])
    assert load_model(str(home)).name


def test_settings_are_for_readings_only(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31})
    home.calibrate(
        "parameters: {k_lost: {from: 0.01 1/h, to: 1 1/h}}\nrecords: DATA\nseries:\n"
        "  - {id: a, file: data.json, scenario: ../course.yaml, output: relative,\n"
        "     error: {relative: 0.1}}\n"
    )
    with pytest.raises(ScenarioError, match="--set k_loss=1: a calibration names its scenarios"):
        fit(str(home), [data], ["k_lost"], settings=["k_loss=1"])


def test_a_scenario_names_a_line_file_beside_itself(
    home: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (home.folder / "mine.yaml").write_text("mine: {set: {k_lost: 0.3 1/h}, evidence: fitted}\n")
    course = home.folder / "course.yaml"
    own = home.folder / "own.yaml"
    own.write_text(course.read_text() + "cell_line: ./mine.yaml\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = simulate(load_scenario(own))
    asked = simulate(load_scenario(course), overrides={"k_lost": 0.3})
    np.testing.assert_array_equal(found["relative"].values, asked["relative"].values)


def test_a_line_file_that_is_not_there_is_named(home: Any) -> None:
    scenario = load_scenario(home.folder / "course.yaml", ["cell_line=./nowhere.yaml"])
    with pytest.raises(MyelodeError, match=r"nowhere\.yaml: cannot be read"):
        simulate(scenario)


def test_readings_are_fitted_alike_by_several_processes(home: Any) -> None:
    data = _course(home, TRUE, noise=0.02)
    one, two = (_fit(home, data, ",".join(TRUE), workers=number) for number in (1, 2))
    assert one.values == two.values
