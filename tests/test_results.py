"""A stored result reads back the same, has equal bytes for equal runs, and replays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.errors import MyelodeError, ScenarioError
from myelode.outcomes import evaluate
from myelode.results import LONGEST_ATTRIBUTE, read_result, replay, write_result
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from .toys import DECAY

SCENARIO = """\
id: trial
title: all kinds of steps
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, add: 1 uM}}
  - {{at: 2 h, infuse: drug, amount: 1 umol, over: 1 h, every: 8 h, steady_state: true}}
  - {{at: 5 h, wash: medium, dilute: 10}}
  - {{at: 6 h, set: {{k: 0.1 1/h}}, for: 1 h}}
design: {{dose: {{of: pulse, values: [0 uM, 1 uM, 2 uM]}}}}
equilibrate: {{for: 10 h, hold: [drug]}}
observe: {{every: 30 min, until: 10 h, outputs: [drug, amount(drug)]}}
endpoints: {{peak: {{of: drug, take: max}}}}
outcome: {{of: peak, resistant_if: fold > 1.1}}
"""


@pytest.fixture
def dataset(tmp_path: Path) -> xr.Dataset:
    """Trajectories under every kind of step that a regimen has."""
    (tmp_path / "decay.ant").write_text(DECAY)
    return simulate(scenario_from_text(SCENARIO.format(model=tmp_path / "decay.ant")))


def test_what_is_read_is_what_was_written(dataset: xr.Dataset, tmp_path: Path) -> None:
    write_result(dataset, tmp_path / "result.nc")
    found = read_result(tmp_path / "result.nc")
    xr.testing.assert_identical(found, dataset)


def test_text_variables_are_kept(dataset: xr.Dataset, tmp_path: Path) -> None:
    endpoints = evaluate(dataset)
    write_result(endpoints, tmp_path / "endpoints.nc")
    found = read_result(tmp_path / "endpoints.nc")
    xr.testing.assert_identical(found, endpoints)
    assert found["outcome"].dtype == object


def test_long_attributes_are_kept(dataset: xr.Dataset, tmp_path: Path) -> None:
    dataset.attrs["sbml"] += "<!-- " + "é" * LONGEST_ATTRIBUTE + " -->"
    write_result(dataset, tmp_path / "result.nc")
    xr.testing.assert_identical(read_result(tmp_path / "result.nc"), dataset)
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as stored:
        assert stored["attribute_sbml"].dims == ()


def test_equal_results_are_equal_bytes(dataset: xr.Dataset, tmp_path: Path) -> None:
    write_result(dataset, tmp_path / "one.nc")
    write_result(read_result(tmp_path / "one.nc"), tmp_path / "two.nc")
    again = simulate(scenario_from_text(SCENARIO.format(model=tmp_path / "decay.ant")))
    write_result(again, tmp_path / "three.nc")
    one = (tmp_path / "one.nc").read_bytes()
    assert one == (tmp_path / "two.nc").read_bytes()
    assert one == (tmp_path / "three.nc").read_bytes()


def test_a_result_replays_from_its_file_alone(dataset: xr.Dataset, tmp_path: Path) -> None:
    write_result(dataset, tmp_path / "result.nc")
    (tmp_path / "decay.ant").unlink()
    found = replay(tmp_path / "result.nc")
    assert found.passed
    assert found.max_difference <= 1e-12
    assert replay(dataset) == found


def test_a_difference_is_a_share_of_the_largest_value(dataset: xr.Dataset) -> None:
    largest = float(np.abs(dataset["drug"]).max())
    dataset["drug"].values[1, 2, 4] += 1e-6 * largest
    found = replay(dataset)
    assert found.max_difference == pytest.approx(1e-6)
    assert not found.passed
    assert found.output == "drug"
    assert replay(dataset, tolerance=1e-5).passed


def test_a_value_that_is_missing_differs(dataset: xr.Dataset) -> None:
    dataset["drug"].values[0, 0, 0] = np.nan
    assert replay(dataset).max_difference == np.inf


@pytest.mark.parametrize("name", ["sbml", "runs", "engine", "relative_tolerance"])
def test_what_does_not_hold_its_runs_cannot_be_replayed(dataset: xr.Dataset, name: str) -> None:
    del dataset.attrs[name]
    with pytest.raises(ScenarioError, match=f"holds no runs|damaged.*{name}"):
        replay(dataset)


@pytest.mark.parametrize("runs", ["", "[", "[1]", "[{}]", '{"a": 1}', "null"])
def test_damaged_runs_are_refused(dataset: xr.Dataset, runs: str) -> None:
    dataset.attrs["runs"] = runs
    with pytest.raises(ScenarioError, match="the dataset: its runs are damaged"):
        replay(dataset)


def test_a_missing_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.nc: no such file"):
        read_result(tmp_path / "none.nc")
    with pytest.raises(ScenarioError, match="is a folder"):
        read_result(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_result_is_refused(dataset: xr.Dataset, tmp_path: Path, share: float) -> None:
    path = tmp_path / "result.nc"
    write_result(dataset, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ScenarioError, match=r"result\.nc: is damaged, or no netCDF file"):
        read_result(path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    text, netcdf = tmp_path / "text.nc", tmp_path / "other.nc"
    text.write_text("time,value\n0,1\n")
    with pytest.raises(ScenarioError, match=r"text\.nc: is damaged, or no netCDF file"):
        read_result(text)
    xr.Dataset({"x": ("time", [1.0])}).to_netcdf(netcdf, engine="h5netcdf")
    with pytest.raises(ScenarioError, match=r"other\.nc: is no result of this myelode"):
        read_result(netcdf)


def test_an_unwritable_path_leaves_nothing(dataset: xr.Dataset, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    for path in (tmp_path, tmp_path / "none" / "result.nc", tmp_path / ("x" * 300)):
        with pytest.raises(MyelodeError, match="cannot be written"):
            write_result(dataset, path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_failure_while_writing_keeps_the_old_file(
    dataset: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    path = tmp_path / "result.nc"
    path.write_text("old")
    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(ScenarioError, match=r"result\.nc: cannot be written: No space left"):
        write_result(dataset, path)
    assert path.read_text() == "old"
    assert {item.name for item in tmp_path.iterdir()} == {"result.nc", "decay.ant"}
