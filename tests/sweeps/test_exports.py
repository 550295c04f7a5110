"""What is exported is what the store holds, whatever the format."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.cli import main
from myelode.errors import ScenarioError
from myelode.sweeps import exports
from myelode.sweeps.blocks import MISSING
from myelode.sweeps.exports import export_store
from myelode.sweeps.stores.store import Store
from tests.sweeps.decay import write_decay
from tests.sweeps.kept import gappy


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("exports")
    return gappy(folder, write_decay(folder))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_doses_reach_their_own_points(store: Store) -> None:
    known = store.columns("status") == 0
    assert known.sum() > 8
    k, dose = store.columns("k")[known], store.columns("regimen.pulse.to")[known]
    left = store.columns("left")[known, 0]
    np.testing.assert_allclose(left, dose * np.exp(-2 * k), rtol=1e-6)


def test_netcdf_has_all_that_the_store_has(store: Store, tmp_path: Path) -> None:
    assert export_store(store, tmp_path / "all.nc") == 4
    found = xr.load_dataset(tmp_path / "all.nc", engine="h5netcdf")
    expected = xr.open_zarr(store.path).load()
    assert {*found.variables} == {*expected.variables}
    for name, data in expected.variables.items():
        assert found[name].dims == data.dims
        assert found[name].attrs.keys() == data.attrs.keys()
        if data.dtype.kind in "fiu":
            assert found[name].dtype == data.dtype
            np.testing.assert_array_equal(found[name].values, data.values)
        else:
            assert [*map(str, found[name].values)] == [*map(str, data.values)]
    assert {*found.coords} == {*expected.coords}
    assert found.attrs.keys() == expected.attrs.keys()


def test_a_long_attribute_is_a_variable_of_netcdf(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myelode.sweeps.exports.netcdf_files.LONGEST_ATTRIBUTE", 500)
    export_store(store, tmp_path / "all.nc")
    found = xr.load_dataset(tmp_path / "all.nc", engine="h5netcdf")
    assert "sbml" not in found.attrs
    assert found["attribute_sbml"].item() == store.layout.attributes["sbml"]


def test_csv_has_units_words_and_every_digit(store: Store, tmp_path: Path) -> None:
    export_store(store, tmp_path / "points.csv")
    rows = rows_of(tmp_path / "points.csv")
    assert [row["point"] for row in rows] == [str(number) for number in range(24)]
    whole = store.columns("left")
    given = [float(row["left[perturbation=fast] [umol/L]"] or "nan") for row in rows]
    np.testing.assert_array_equal(given, whole[:, 1])
    words = {row["exposure[perturbation=none]"] for row in rows if row["status"] != "gave_up"}
    assert words == {"low", "high", "missing"}
    assert {row["status"] for row in rows} == {"done", "gave_up", "missing"}
    assert all(row["reason"] for row in rows if row["status"] == "gave_up")
    assert not any("drug" in heading for heading in rows[0])  # a trajectory


def test_parquet_has_the_same_columns_as_csv(store: Store, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export_store(store, tmp_path / "points.csv")
    export_store(store, tmp_path / "points.parquet")
    table, rows = parquet.read_table(tmp_path / "points.parquet"), rows_of(tmp_path / "points.csv")
    units = [(field.metadata or {}).get(b"units", b"1").decode() for field in table.schema]
    headings = [
        name if unit == "1" else f"{name} [{unit}]"
        for name, unit in zip(table.column_names, units, strict=True)
    ]
    assert headings == [*rows[0]]
    for name, heading in zip(table.column_names, headings, strict=True):
        cells = ["" if cell is None else str(cell) for cell in table[name].to_pylist()]
        assert cells == [row[heading] for row in rows]


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".parquet"])
def test_chunks_are_read_a_few_at_a_time(
    store: Store, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    at_once = tmp_path / f"at_once{suffix}"
    export_store(store, at_once)
    monkeypatch.setattr(exports, "ROWS", 8)
    told: list[tuple[int, int]] = []
    export_store(store, tmp_path / f"few{suffix}", show=lambda *so_far: told.append(so_far))
    assert told == [(8, 24), (16, 24), (24, 24)]
    if suffix == ".csv":
        assert at_once.read_bytes() == (tmp_path / "few.csv").read_bytes()
    elif suffix == ".nc":
        one, other = (xr.load_dataset(tmp_path / name) for name in ("at_once.nc", "few.nc"))
        xr.testing.assert_identical(one, other)


@pytest.mark.parametrize("suffix", [".nc", ".csv"])
def test_only_the_endpoints_that_are_named_are_written(
    store: Store, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"some{suffix}"
    export_store(store, path, ["area"])
    if suffix == ".nc":
        names = {*xr.load_dataset(path).variables}
    else:
        names = {heading.split("[")[0].strip() for heading in rows_of(path)[0]}
    assert "area" in names
    assert {"k", "status"} <= names
    assert not {"left", "fold", "drug"} & names


@pytest.mark.parametrize(
    ("file", "names", "said"),
    [
        ("points.xlsx", None, "an export ends in .nc"),
        ("points.csv", ["aera"], "no endpoint 'aera': did you mean 'area'"),
        ("points.csv", ["drug"], "'drug' is a trajectory"),
        ("points.nc", ["aera"], "did you mean 'area'"),
        ("nowhere/points.csv", None, "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    store: Store, tmp_path: Path, file: str, names: list[str] | None, said: str
) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        export_store(store, tmp_path / file, names)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_there_is_no_parquet(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ScenarioError, match="pyarrow, which writes parquet, is not installed"):
        export_store(store, tmp_path / "points.parquet")


def test_a_failure_leaves_the_file_that_was_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "points.csv"
    path.write_text("before", "utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "_cells", full)
    with pytest.raises(ScenarioError, match="No space left on device"):
        export_store(store, path)
    assert [item.name for item in tmp_path.iterdir()] == ["points.csv"]
    assert path.read_text("utf-8") == "before"


def test_the_command_says_how_many_points_are_missing(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "points.nc"
    assert main(["sweep", "export", str(store.path), "-o", str(path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["missing"] == int((store.status() == MISSING).sum()) == 4
    assert summary["files"]["export"] == str(path)
    assert path.exists()


def test_a_store_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone.zarr")
    assert main(["sweep", "export", gone, "-o", str(tmp_path / "points.nc")]) == 2
    assert capsys.readouterr().err == f"error: {gone}: there is no such store\n"
