"""The points of a sweep, read from its design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from myelode.errors import ScenarioError
from myelode.sweeps.designs.orders import (
    Morris,
    Saltelli,
    elasticity_points,
    morris_points,
    saltelli_points,
)
from myelode.sweeps.designs.points import Crossed, Grid, Listed, Points, Sampled, Subjects, Zipped
from myelode.sweeps.designs.scales import AxisReader
from myelode.sweeps.designs.sections import MOST_POINTS, DesignBlock, Drawn, Range
from myelode.sweeps.designs.sequences import Hypercube, Independent, Sobol
from myelode.sweeps.designs.spaces import At, Space, read_list, read_range, read_space
from myelode.sweeps.designs.tables import read_table_points

__all__ = ["AxisReader", "Points", "read_points", "tables_of"]

MOST_STORED = 100_000_000
"""Numbers of a Latin hypercube, which are all in memory."""
Beside = Callable[[str], str]


def read_points(
    block: DesignBlock, reader: AxisReader, at: At, beside: Beside = lambda path: path
) -> Points:
    """The points of a design; `at` says at which place of the sweep file errors arise.

    `beside` finds the paths of tables. Raises ScenarioError.
    """
    return _read(block, reader, partial(at, "design"), beside)


def tables_of(block: DesignBlock) -> Iterator[str]:
    """The paths of all tables of a design, as the file writes them."""
    if block.table is not None:
        yield block.table
    for part in (*(block.cross or ()), *(block.zip or ())):
        yield from tables_of(part)


def _read(block: DesignBlock, reader: AxisReader, at: At, beside: Beside) -> Points:
    kind = block.kind
    said, at = getattr(block, kind), partial(at, kind)
    if kind in _COMBINED:
        parts = [_read(part, reader, partial(at, at_), beside) for at_, part in enumerate(said)]
        points = _COMBINED[kind](parts, at)
    elif kind == "table":
        points = _table(said, reader, at, beside)
    else:
        points = _READERS[kind](said, reader, at)
    with at():
        if points.count > MOST_POINTS:
            raise ScenarioError(f"has {points.count:,} points, more than {MOST_POINTS:,}")
    return points


def _grid(axes: Mapping[str, Any], reader: AxisReader, at: At) -> Grid:
    return Grid(
        {
            name: (read_range if isinstance(axis, Range) else read_list)(name, axis, reader, at)
            for name, axis in axes.items()
        }
    )


def _hypercube(block: Drawn, reader: AxisReader, at: At) -> Sampled:
    space = _space(block, reader, at)
    with at("points"):
        if block.points * len(space.names) > MOST_STORED:
            raise ScenarioError(
                f"{block.points:,} points of {len(space.names)} axes are more than the "
                f"{MOST_STORED:,} numbers that a Latin hypercube may have: take sobol or random"
            )
    return Sampled(space, Hypercube(space.names, block.seed, block.points), block.points)


def _sobol(block: Drawn, reader: AxisReader, at: At) -> Sampled:
    space = _space(block, reader, at)
    return Sampled(space, Sobol(len(space.names), block.seed, block.points), block.points)


def _random(block: Drawn, reader: AxisReader, at: At) -> Sampled | Subjects:
    if isinstance(block.over, str):
        with at("over"):
            names = tuple(reader.drawn(block.over, None, block.seed, 0, 1))
        return Subjects(reader, block.over, block.seed, block.points, names)
    space = _space(block, reader, at)
    return Sampled(space, Independent(space.names, block.seed), block.points)


def _space(block: Drawn, reader: AxisReader, at: At) -> Space:
    return read_space(block.over, reader, partial(at, "over"))


def _table(path: str, reader: AxisReader, at: At, beside: Beside) -> Listed:
    with at():
        values = read_table_points(beside(path), reader)
    return Listed(values, len(next(iter(values.values()))))


def _crossed(parts: Sequence[Points], at: At) -> Crossed:
    _require_once(parts, at)
    return Crossed(tuple(parts))


def _zipped(parts: Sequence[Points], at: At) -> Zipped:
    _require_once(parts, at)
    _require_unrelated(parts, at)
    counts = [part.count for part in parts]
    with at():
        if len(set(counts)) > 1:
            said = " and ".join(f"{count:,}" for count in counts)
            raise ScenarioError(f"what is zipped has the same number of points, not {said}")
    return Zipped(tuple(parts))


def _require_once(parts: Sequence[Points], at: At) -> None:
    seen = Counter(name for part in parts for name in part.names)
    with at():
        for name, number in seen.items():
            if number > 1:
                raise ScenarioError(f"the axis {name!r} stands in {number} of the blocks")


def _require_unrelated(parts: Sequence[Points], at: At) -> None:
    """Points of one order that are taken side by side depend on each other, whatever their seed."""
    seen = Counter(order for part in parts for order in {*_orders(part)})
    with at():
        for order, number in seen.items():
            if number > 1:
                raise ScenarioError(
                    f"{number} of the blocks are {order}: their axes would move together; "
                    "let one block be over all of them"
                )


def _orders(points: Points) -> Iterator[str]:
    """The orders of points that are even only as a whole: those of two blocks are related."""
    if isinstance(points, Crossed | Zipped):
        for part in points.parts:
            yield from _orders(part)
    elif isinstance(points, Saltelli) or _is_sobol(points):
        yield "sobol or saltelli"
    elif isinstance(points, Morris):
        yield "morris"


def _is_sobol(points: Points) -> bool:
    return isinstance(points, Sampled) and isinstance(points.sequence, Sobol)


_COMBINED: Mapping[str, Callable[[Sequence[Points], At], Points]] = {
    "cross": _crossed, "zip": _zipped,
}  # fmt: skip
_READERS: Mapping[str, Callable[[Any, AxisReader, At], Points]] = {
    "grid": _grid, "latin_hypercube": _hypercube, "sobol": _sobol, "random": _random,
    "elasticities": elasticity_points, "morris": morris_points, "saltelli": saltelli_points,
}  # fmt: skip
