"""The columns of a table with one row for each point of a sweep.

First stand the number of the point, its axes, its status and the reason of a failure; then every
endpoint. One with further dimensions has a column for each entry, which names its place:
``ic50[perturbation=none, arm=pulse]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.sweeps.blocks import TEXT, Block, Layout, Variable
from myelode.units import DIMENSIONLESS

POINT, TIME = "point", "time"
STATED = ("status", "reason")
"""What of the ledger stands in a table."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    variable, place : where its numbers stand in a block, beside the points.
    unit : empty where there is none.
    words : what the codes of a verdict mean; empty for numbers and texts.
    """

    name: str
    variable: str
    place: tuple[int, ...] = ()
    unit: str = ""
    title: str = ""
    is_text: bool = False
    is_whole: bool = False
    words: Mapping[int, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The name with the unit, as tables of points have it: ``k_FA [1/h]``."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def of(self, block: Block) -> np.ndarray:
        """The cells of some points: numbers, or texts as objects."""
        values = entry_of(block[self.variable], self.place)
        if not self.words:
            return values
        texts = [self.words.get(code, "") for code in values.tolist()]
        return np.array(texts, dtype=object)


def entry_of(values: np.ndarray, place: Sequence[int]) -> np.ndarray:
    """One entry of what points have: of shape (points,)."""
    where: tuple[Any, ...] = (slice(None), *place)
    return np.asarray(values[where])


def table_columns(layout: Layout, endpoints: Sequence[str] | None = None) -> list[Column]:
    """All columns of a table, but for the number of the point; endpoints in the order of the store.

    Raises ScenarioError for an endpoint that the store does not have, or that is a trajectory.
    """
    results = [item for item in results_of(layout, endpoints) if TIME not in item.dims]
    if endpoints is not None and len(results) < len(endpoints):
        kept = {item.name for item in results}
        [first, *_] = [name for name in endpoints if name not in kept]
        raise ScenarioError(f"{first!r} is a trajectory: a table has endpoints only, take .nc")
    stated = [item for item in layout.variables if item.name in STATED]
    return [c for item in (*layout.axes, *stated, *results) for c in _columns(item, layout)]


def results_of(layout: Layout, names: Sequence[str] | None = None) -> list[Variable]:
    """What the points have beside axes and ledger: all of it, or what is named.

    Raises ScenarioError for a name that is none of them.
    """
    found = {item.name: item for item in layout.results}
    for name in names or ():
        if name not in found:
            raise ScenarioError(f"the store has no endpoint {name!r}{best_matches(name, found)}")
    return [item for name, item in found.items() if names is None or name in names]


def words_of(attributes: Mapping[str, Any]) -> dict[int, str]:
    """What codes mean, from ``flag_values`` and ``flag_meanings``; nothing where there are none."""
    if "flag_values" not in attributes:
        return {}
    codes = [int(code) for code in attributes["flag_values"]]
    return dict(zip(codes, str(attributes["flag_meanings"]).split(), strict=True))


def entry_names(layout: Layout, dim: str, size: int) -> list[str]:
    """The names of the entries of a dimension: its texts, or its numbers as short as they differ.

    A dimension without values of its own has numbers from 0.
    """
    dims, values, _ = layout.fixed.get(dim, ((), np.zeros(0), {}))
    if tuple(dims) != (dim,):
        return [str(number) for number in range(size)]
    if values.dtype.kind not in "fiu":
        return [str(value) for value in values]
    short = [f"{value:.6g}" for value in values.tolist()]
    return short if len({*short}) == size else [repr(value) for value in values.tolist()]


def _columns(variable: Variable, layout: Layout) -> Iterator[Column]:
    """The columns of one variable, one for each of its entries."""
    names = [
        entry_names(layout, dim, size)
        for dim, size in zip(variable.dims, variable.shape, strict=True)
    ]
    unit = str(variable.attributes.get("units") or "")
    for place in np.ndindex(*variable.shape):
        entries = zip(variable.dims, names, place, strict=True)
        where = ", ".join(f"{dim}={found[at]}" for dim, found, at in entries)
        yield Column(
            f"{variable.name}[{where}]" if where else variable.name,
            variable.name,
            place,
            "" if unit in DIMENSIONLESS else unit,
            str(variable.attributes.get("long_name") or variable.name),
            is_text=variable.dtype == TEXT,
            is_whole=variable.dtype.startswith("int"),
            words=words_of(variable.attributes),
        )
