"""The points of a store as one file for other programs: netCDF, parquet, or CSV.

All are written chunk by chunk, so that memory does not grow with the number of points, and whole or
not at all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.files import write_atomically
from myelode.sweeps.blocks import MISSING, Block, joined
from myelode.sweeps.exports.netcdf_files import write_netcdf
from myelode.sweeps.exports.parquet_files import require_pyarrow, write_parquet
from myelode.sweeps.exports.table_columns import POINT, Column, results_of, table_columns
from myelode.sweeps.stores.store import Store

ROWS, BYTES = 16_384, 64_000_000
"""Chunks are read together up to so many points, or so many bytes."""

KINDS = {".nc": "netCDF, everything", ".parquet": "a table", ".csv": "a table as text"}


def export_store(
    store: Store,
    path: str | Path,
    endpoints: Sequence[str] | None = None,
    show: Progress | None = None,
) -> int:
    """Write the points of a store to one file; gives how many of them nobody has computed yet.

    Parameters
    ----------
    path : ends in ``.nc`` for netCDF with everything, in ``.parquet`` or ``.csv`` for a table with
        one row for each point and a column for each endpoint.
    endpoints : which; all without.
    show : is told how many points of how many are written.

    Raises
    ------
    ScenarioError : another suffix, an unknown endpoint, no pyarrow for parquet, or a path that
        cannot be written; what was there before is still there.
    """
    path = Path(path)
    kind = require_export_name(path)
    if kind == ".nc":
        return _export_netcdf(store, path, endpoints, show)
    if kind == ".parquet":
        require_pyarrow(path)
    columns = table_columns(store.layout, endpoints)
    blocks = _Blocks(store, list(dict.fromkeys(c.variable for c in columns)), show)
    write = write_parquet if kind == ".parquet" else _write_csv
    write_atomically(path, lambda file: write(file, store.layout.attributes, columns, blocks))
    return blocks.missing


def _export_netcdf(
    store: Store, path: Path, endpoints: Sequence[str] | None, show: Progress | None
) -> int:
    kept = {item.name for item in results_of(store.layout, endpoints)}
    gone = {item.name for item in results_of(store.layout)} - kept
    names = [item.name for item in store.layout.variables if item.name not in gone]
    blocks = _Blocks(store, names, show)
    write_atomically(path, lambda file: write_netcdf(file, store.layout, names, blocks))
    return blocks.missing


def require_export_name(path: str | Path) -> str:
    """The suffix of a file that can be written; raises ScenarioError for any other."""
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        known = ", ".join(f"{ending} ({what})" for ending, what in KINDS.items())
        raise ScenarioError(f"{path}: an export ends in {known}")
    return suffix


class _Blocks:
    """The points of a store in order, some chunks at a time, as often as they are asked for.

    Attributes
    ----------
    missing : how many of those that were read nobody has computed.
    """

    def __init__(self, store: Store, names: Sequence[str], show: Progress | None):
        self._store, self._names, self._show = store, names, show
        self.missing = 0

    def __iter__(self) -> Iterator[tuple[int, Block]]:
        """The number of the first point of a block, and the block."""
        self.missing, layout = 0, self._store.layout
        for numbers in self._groups():
            block = joined([self._chunk(number) for number in numbers])
            self.missing += int((block["status"] == MISSING).sum())
            yield layout.bounds(numbers[0])[0], block
            if self._show is not None:
                self._show(layout.bounds(numbers[-1])[1], layout.count)

    def _groups(self) -> Iterator[range]:
        layout = self._store.layout
        points = min(ROWS, BYTES // layout.bytes_per_point)
        step = max(1, points // layout.chunk)
        for first in range(0, layout.chunks, step):
            yield range(first, min(first + step, layout.chunks))

    def _chunk(self, number: int) -> Block:
        names = dict.fromkeys(["status", *self._names])
        return {name: self._store.column(name, number) for name in names}


def _write_csv(
    path: Path, attributes: object, columns: Sequence[Column], blocks: Iterable[tuple[int, Block]]
) -> None:
    """A header with units and a row for each point; what has no value is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([POINT, *(column.heading for column in columns)])
        for first, block in blocks:
            cells = [_cells(column.of(block)) for column in columns]
            writer.writerows(zip(range(first, first + len(block["status"])), *cells, strict=True))


def _cells(values: np.ndarray) -> list[object]:
    """Numbers and texts; nothing where there is no number."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    return ["" if value != value else value for value in values.tolist()]
