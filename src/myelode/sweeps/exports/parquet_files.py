"""A sweep as a parquet file: one row for each point, verdicts as words, units in the schema."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.results import LONGEST_ATTRIBUTE
from myelode.sweeps.blocks import Block
from myelode.sweeps.exports.table_columns import POINT, Column


def require_pyarrow(path: Path) -> None:
    """Raise ScenarioError where pyarrow, which writes parquet, is not installed."""
    try:
        importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ScenarioError(
            f"{path}: pyarrow, which writes parquet, is not installed: install it, or write a .csv"
        ) from None


def write_parquet(
    path: Path, attributes: Mapping[str, Any], columns: Sequence[Column],
    blocks: Iterable[tuple[int, Block]],
) -> None:  # fmt: skip
    """Write the columns of a store, block by block; `blocks` have their first point.

    The unit and the title of a column are metadata of its field.
    """
    arrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    fields = [arrow.field(POINT, arrow.int64()), *(_field(arrow, column) for column in columns)]
    schema = arrow.schema(fields, metadata=_short(attributes))
    with parquet.ParquetWriter(path, schema) as writer:
        for first, block in blocks:
            numbers = np.arange(first, first + len(block["status"]))
            cells = [numbers, *(column.of(block) for column in columns)]
            arrays = [
                _array(arrow, values, field) for values, field in zip(cells, schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _field(arrow: Any, column: Column) -> Any:
    if column.words:
        kind = arrow.dictionary(arrow.int8(), arrow.string())
    elif column.is_text:
        kind = arrow.string()
    else:
        kind = arrow.int64() if column.is_whole else arrow.float64()
    told = {"units": column.unit or "1"} if not (column.words or column.is_text) else {}
    return arrow.field(column.name, kind, metadata={**told, "long_name": column.title})


def _array(arrow: Any, values: np.ndarray, field: Any) -> Any:
    """Cells of a field; those without a number are null."""
    if values.dtype == object:
        return arrow.array(values.tolist(), arrow.string()).cast(field.type)
    return arrow.array(values, field.type, from_pandas=True)


def _short(attributes: Mapping[str, Any]) -> dict[str, str]:
    """What a store says of itself, but for whole models."""
    texts = {str(name): str(value) for name, value in attributes.items()}
    return {name: text for name, text in texts.items() if len(text) <= LONGEST_ATTRIBUTE}
