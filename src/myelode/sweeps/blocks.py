"""What every point of a sweep has: arrays along `sample`, in blocks of neighbouring points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MISSING, DONE, FAILED, GAVE_UP, CRASHED, REFUSED = -1, 0, 1, 2, 3, 4
STATUS: Mapping[str, int] = {
    "done": DONE, "failed": FAILED, "gave_up": GAVE_UP, "crashed": CRASHED, "refused": REFUSED,
}  # fmt: skip
"""What may become of a point, by its word; -1 is a point that nobody has computed yet."""

TEXT = "text"
"""The type of variables whose values are texts."""

Block = dict[str, np.ndarray]
"""Arrays by variable, of shape (points, *shape of the variable)."""


@dataclass(frozen=True)
class Variable:
    """One array of a sweep.

    Attributes
    ----------
    dims, shape : beside the leading dimension `sample`.
    dtype : ``float64``, ``float32``, ``int64``, ``int8``, or `TEXT`.
    fill : what stands where nothing is known yet.
    """

    name: str
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    fill: float | int | str = np.nan
    attributes: Mapping[str, Any] = field(default_factory=dict)
    is_coordinate: bool = False

    def empty(self, points: int) -> np.ndarray:
        """So many points of which nothing is known."""
        kind = object if self.dtype == TEXT else self.dtype
        return np.full((points, *self.shape), self.fill, dtype=kind)


@dataclass(frozen=True)
class Layout:
    """All arrays of a sweep.

    Attributes
    ----------
    count : number of points.
    chunk : how many of them are computed, and written, together.
    variables : what every point has.
    fixed : coordinates that all points share: dimensions, values and attributes by name.
    attributes : of the whole.
    """

    count: int
    chunk: int
    variables: tuple[Variable, ...]
    fixed: Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]]
    attributes: Mapping[str, Any]

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.count // self.chunk)

    def bounds(self, number: int) -> tuple[int, int]:
        """The first point of a chunk, and the one behind its last."""
        first = number * self.chunk
        return first, min(first + self.chunk, self.count)

    def size(self, number: int) -> int:
        """How many points a chunk has."""
        first, last = self.bounds(number)
        return last - first

    @property
    def axes(self) -> tuple[Variable, ...]:
        """What makes one point differ from another."""
        return tuple(item for item in self.variables if item.is_coordinate)

    @property
    def results(self) -> tuple[Variable, ...]:
        """What the points have beside axes and ledger: endpoints and trajectories."""
        beside = LEDGER_NAMES | {item.name for item in self.axes}
        return tuple(item for item in self.variables if item.name not in beside)

    def coordinate_names(self) -> str:
        """The coordinates that are no dimension, as the attribute `coordinates` lists them (CF)."""
        names = [item.name for item in self.axes]
        names += [name for name, (dims, *_) in self.fixed.items() if dims != (name,)]
        return " ".join(names)

    def empty(self, points: int) -> Block:
        """So many points of which nothing is known."""
        return {variable.name: variable.empty(points) for variable in self.variables}

    @property
    def bytes_per_point(self) -> int:
        """How much memory one point takes."""
        empty = self.empty(1)
        return sum(array.nbytes for array in empty.values())


LEDGER = (
    Variable(
        "status", dtype="int8", fill=MISSING,
        attributes={
            "long_name": "what became of the point",
            "flag_values": [MISSING, *STATUS.values()],
            "flag_meanings": " ".join(["missing", *STATUS]),
        },
    ),
    Variable("reason", dtype=TEXT, fill="", attributes={"long_name": "why it failed"}),
    Variable("time_reached", attributes={"long_name": "time reached"}),
    Variable(
        "steps", dtype="int64", fill=-1,
        attributes={"long_name": "steps of the integration, -1 = not known"},
    ),
    Variable(
        "seconds", attributes={"long_name": "share of its chunk's time, by steps", "units": "s"}
    ),
    Variable("rtol", attributes={"long_name": "relative tolerance", "units": "1"}),
)  # fmt: skip
"""What is said of every point, whatever the sweep. `status` is written after all others."""
LEDGER_NAMES = frozenset(variable.name for variable in LEDGER)


def ledger(time_unit: str | None) -> Iterator[Variable]:
    """The ledger's variables, for a model with this unit of time."""
    for variable in LEDGER:
        unit = {"units": time_unit or ""} if variable.name == "time_reached" else {}
        yield Variable(
            variable.name, dtype=variable.dtype, fill=variable.fill,
            attributes={**variable.attributes, **unit},
        )  # fmt: skip


def joined(blocks: list[Block]) -> Block:
    """Neighbouring blocks as one."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def part(block: Block, first: int, last: int) -> Block:
    """Some points of a block."""
    return {name: values[first:last] for name, values in block.items()}
