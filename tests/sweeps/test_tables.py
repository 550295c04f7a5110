"""Tables of points: headers with units, cells as numbers, quantities or names, and bad ones."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode.errors import ScenarioError
from myelode.sweeps.designs import tables
from myelode.sweeps.designs.points import Listed
from tests.sweeps.readers import points_of, rows


def table(tmp_path: Path, text: str | bytes) -> Listed:
    """The points of a CSV file beside a sweep file."""
    (tmp_path / "points.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    points = points_of("{table: points.csv}", str(tmp_path / "own.yaml"))
    assert isinstance(points, Listed)
    return points


@pytest.mark.parametrize(
    "text",
    [
        "k [1/h],cell_line,x\n1,A,3\n2.5,B,-1e-3\n",
        "k [1/day],cell_line,x\n24,A,3\n60,B,-1e-3\n",
        "k,cell_line,x\n1 1/h,A,3\n60 1/day,B,-1e-3\n",
        "\ufeffk [1/h], cell_line,x\r\n1, A,3\r\n\r\n 60 1/day,B ,-1e-3",
        'k [1/h],cell_line,x\n"1","A",3\n2.5 1/h,B,"-0.001"\n',
    ],
)
def test_cells_are_numbers_or_quantities(tmp_path: Path, text: str) -> None:
    points = table(tmp_path, text)
    assert points.names == ("k", "cell_line", "x")
    assert rows(points) == [(1.0, "A", 3.0), (2.5, "B", -0.001)]


def test_places_take_texts_and_the_unit_of_their_header(tmp_path: Path) -> None:
    points = table(tmp_path, "observe.until [h],cell_line\n24,1\n2 day,B\n")
    assert rows(points) == [("24 h", "1"), ("2 day", "B")]


def test_a_long_table_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 7)
    values = np.linspace(0.1, 3, 50)
    lines = "".join(f"{value!r},L{at}\n" for at, value in enumerate(values.tolist()))
    points = table(tmp_path, "k [1/h],cell_line\n" + lines)
    assert points.count == 50
    np.testing.assert_array_equal(points.columns(0, 50)["k"], values)
    assert points.columns(20, 22)["cell_line"].tolist() == ["L20", "L21"]
    with pytest.raises(ScenarioError, match=r"points.csv:52: column 'k': 'oops' is not a quantity"):
        table(tmp_path, "k [1/h],cell_line\n" + lines + "oops,A\n")


BAD = {
    "a number without a unit": ("k,x\n1 1/h,2\n1,3\n", r"points.csv:3: column 'k': k needs a unit"),
    "a word": ("k [1/h],x\n1,2\n3,many\n", r"points.csv:3: column 'x': 'many' is not a quantity such as '2 h'$"),
    "an empty cell": ("k [1/h],x\n1,2\n3,\n", r"points.csv:3: column 'x': is empty$"),
    "an empty name": ("k [1/h],cell_line\n1,A\n3,\n", r"points.csv:3: column 'cell_line': is empty$"),
    "no number": ("k [1/h],x\n1,nan\n", r"points.csv:2: column 'x': 'nan' is not a quantity"),
    "infinite": ("k [1/h],x\n1,2\n1,inf\n", r"points.csv:3: column 'x': 'inf' is not a quantity"),
    "infinite with a unit": ("k [1/h],x\ninf,2\n", r"points.csv:2: column 'k': 'inf 1/h' is not a quantity"),
    "another kind of unit": ("k [1/h],x\n1,2\n3 h,2\n", r"points.csv:3: column 'k': k is in 'h'"),
    "below its range": ("k [1/h],x\n1,2\n0,2\n4,5\n", r"points.csv:3: column 'k': k must be positive"),
    "a header of another kind": ("k [h],x\n1,2\n", r"points.csv: column 'k': k is in 'h'"),
    "a unit for what has none": ("k [1/h],x [h]\n1,2\n", r"points.csv: column 'x': x has no declared unit"),
    "an unknown column": ("k,cel_line\n1,A\n", r"points.csv: column 'cel_line': 'cel_line' is unknown: did you mean 'cell_line'\?$"),
    "a column twice": ("k,k [1/h]\n1,2\n", r"points.csv: the column 'k' stands there twice$"),
    "a column without name": ("k,\n1,2\n", r"points.csv: the header '' is no 'NAME' or 'NAME \[unit\]'$"),
    "a bad header": ("k [1/h,x\n1,2\n", r"points.csv: the header 'k \[1/h' is no 'NAME'"),
    "too few cells": ("k [1/h],x\n1,2\n3\n", r"points.csv:3: has 1 cells where 2 are due$"),
    "too many cells": ("k [1/h],x\n1,2,3\n", r"points.csv:2: has 3 cells where 2 are due$"),
    "no rows": ("k [1/h],x\n\n", r"points.csv: has no points: there is no row below the header$"),
    "nothing": ("\n", r"points.csv: is empty$"),
    "an open quote": ('k [1/h],x\n1,"2\n', r"points.csv:\d: unexpected end of data$"),
    "a NUL byte": ("k [1/h],x\n1,\0\n", r"points.csv:\d: (line contains NUL|column 'x': .*)"),
    "binary": (b"k [1/h],x\n\xff\xfe,2\n", r"points.csv: is not UTF-8 text$"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused_in_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ScenarioError, match=r"own.yaml:4: design.table: .*" + said) as caught:
        table(tmp_path, text)
    assert "\n" not in str(caught.value)


def parquet(tmp_path: Path, columns: dict[str, list[Any]]) -> Listed:
    """The points of a parquet file beside a sweep file."""
    arrow = pytest.importorskip("pyarrow")
    arrow_parquet = pytest.importorskip("pyarrow.parquet")
    arrow_parquet.write_table(arrow.table(columns), tmp_path / "points.parquet")
    points = points_of("{table: points.parquet}", str(tmp_path / "own.yaml"))
    assert isinstance(points, Listed)
    return points


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    points = parquet(tmp_path, {"k [1/day]": [24.0, 60.0], "cell_line": ["A", "B"], "x": [1, 2]})
    assert rows(points) == [(1.0, "A", 1.0), (2.5, "B", 2.0)]
    assert rows(parquet(tmp_path, {"k": ["24 1/day", "2.5 1/h"]})) == [(1.0,), (2.5,)]


def test_parquet_has_the_units_of_its_fields(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet_files = pytest.importorskip("pyarrow.parquet")
    fields = [arrow.field("k", arrow.float64(), metadata={"units": "1/day"})]
    told = arrow.table({"k": [24.0, 60.0]}, schema=arrow.schema(fields))
    parquet_files.write_table(told, tmp_path / "points.parquet")
    points = points_of("{table: points.parquet}", str(tmp_path / "own.yaml"))
    assert rows(points) == [(1.0,), (2.5,)]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([1.0, None], r"row 2: column 'k': is empty"),
        ([1.0, float("nan")], r"row 2: column 'k': 'nan 1/h' is not a quantity"),
        ([1.0, -2.0], r"row 2: column 'k': k must be positive"),
        (["1", "two"], r"row 2: column 'k': 'two' is not a quantity"),
        ([True, False], r"row 1: column 'k': 'True' is not a quantity"),
        ([], "has no points"),
    ],
)
def test_bad_cells_of_parquet_are_named_by_row(
    tmp_path: Path, column: list[Any], said: str
) -> None:
    with pytest.raises(ScenarioError, match=r"points.parquet: " + said):
        parquet(tmp_path, {"k [1/h]": column})


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "points.parquet").write_text("k,x\n1,2\n", "utf-8")
    with pytest.raises(ScenarioError, match=r"points.parquet: is no parquet file: .*") as caught:
        points_of("{table: points.parquet}", str(tmp_path / "own.yaml"))
    assert "\n" not in str(caught.value)


def test_without_pyarrow_parquet_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    (tmp_path / "points.parquet").touch()
    with pytest.raises(ScenarioError, match=r"pyarrow, which reads parquet, is not installed"):
        points_of("{table: points.parquet}", str(tmp_path / "own.yaml"))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "points.csv").mkdir()
    with pytest.raises(ScenarioError, match=r"points.csv: no such file"):
        points_of("{table: points.csv}", str(tmp_path / "own.yaml"))
