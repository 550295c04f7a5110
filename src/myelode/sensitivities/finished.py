"""A finished sweep as an analysis reads it: its points, and each endpoint entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.sensitivities.samples import Parameter, Reading, Sample
from myelode.sweeps.blocks import DONE, MISSING, TEXT, Layout, Variable
from myelode.sweeps.designs.sections import DesignBlock
from myelode.units import split_quantity, to_unit

Columns = Callable[[str], np.ndarray]
"""All points' values of a variable."""

ORDERED = ("elasticities", "morris", "saltelli")
"""Designs whose points are analysed in their order."""
NAMED = ("perturbation", "arm", "compound")
"""Dimensions whose entries are known by their names alone."""


def sample_of(design: DesignBlock, layout: Layout, columns: Columns) -> Sample:
    """The points of a sweep; raises ScenarioError where some have not been computed."""
    kind = kind_of(design)
    status = columns("status")
    missing = int((status == MISSING).sum())
    if missing:
        raise ScenarioError(
            f"{missing} of {len(status)} points are missing: finish it with myelode sweep resume"
        )
    has_failed = status != DONE
    reasons = tuple(str(reason) for reason in columns("reason")[has_failed])
    read = [_numbers(variable, columns(variable.name)) for variable in layout.axes]
    section = getattr(design, kind) if kind in ORDERED else None
    return Sample(
        kind, section.model_dump(exclude={"over"}) if section else {},
        tuple(parameter for parameter, _ in read), np.stack([v for _, v in read], axis=1),
        has_failed, reasons,
    )  # fmt: skip


def kind_of(design: DesignBlock) -> str:
    """Its kind if its points are analysed in their order, else ``random``.

    Raises ScenarioError for designs of an analysis that are crossed or zipped with others.
    """
    _require_alone(design)
    return design.kind if design.kind in ORDERED else "random"


def _require_alone(design: DesignBlock) -> None:
    for part in (*(design.cross or ()), *(design.zip or ())):
        if part.kind in ORDERED:
            raise ScenarioError(
                f"a design {part.kind} is analysed alone, not inside {design.kind}: "
                "set the other axes under 'with', one value at a time"
            )
        _require_alone(part)


def _numbers(variable: Variable, values: np.ndarray) -> tuple[Parameter, np.ndarray]:
    """An axis as numbers: quantities in one of their units, other texts by their place in order."""
    name, title = variable.name, str(variable.attributes.get("long_name", ""))
    if variable.dtype != TEXT:
        unit = str(variable.attributes.get("units", ""))
        return Parameter(name, title, unit), values.astype(float)
    texts, places = np.unique(values.astype(str), return_inverse=True)
    kinds = [str(text) for text in texts]
    try:
        unit, numbers = _quantities(kinds)
    except ScenarioError:
        return Parameter(name, title, words=tuple(kinds)), places.astype(float)
    return Parameter(name, title, unit), numbers[places]


def _quantities(kinds: Sequence[str]) -> tuple[str, np.ndarray]:
    """Quantities in the unit that most of them are written in; raises ScenarioError for others."""
    units = Counter(unit for _, unit in map(split_quantity, kinds))
    [(unit, _)] = units.most_common(1)
    return unit or "", np.array([to_unit(kind, unit, "a value") for kind in kinds])


def readings_of(
    layout: Layout, columns: Columns, of: str | None, listed: Sequence[str] | None = None
) -> list[Reading]:
    """All entries of all endpoints, in the order in which they may be listed, or of one.

    Raises ScenarioError if there is none.
    """
    found = endpoints_of(layout, of)
    if listed is not None:
        found.sort(key=lambda variable: list(listed).index(variable.name))
    return [
        reading
        for variable in found
        for reading in _entries(variable, columns(variable.name), layout)
    ]


def endpoints_of(layout: Layout, of: str | None) -> list[Variable]:
    """The endpoints that are numbers, or one of them; raises ScenarioError if there is none."""
    known = {item.name: item for item in layout.results if _is_endpoint(item)}
    if not known:
        raise ScenarioError("the sweep has no endpoint that is a number")
    if of is not None and of not in known:
        hint = best_matches(of, known) or f": {', '.join(known)}"
        raise ScenarioError(f"the sweep has no endpoint {of!r}{hint}")
    return [known[of]] if of is not None else list(known.values())


def _is_endpoint(variable: Variable) -> bool:
    return variable.dtype.startswith("float") and "time" not in variable.dims


def _entries(variable: Variable, values: np.ndarray, layout: Layout) -> Iterator[Reading]:
    """One reading for each place along the dimensions beside ``sample``."""
    title = str(variable.attributes.get("long_name", ""))
    unit = str(variable.attributes.get("units", ""))
    for number, place in enumerate(product(*map(range, variable.shape))):
        where = _where(variable, place, layout.fixed)
        label = ".".join([*(text for text, is_named in where if is_named), variable.name])
        rest = ", ".join(text for text, is_named in where if not is_named)
        label += f" ({rest})" if rest else ""
        entry = values.reshape(len(values), -1)[:, number].astype(float)
        said = ", ".join(text for text, _ in where)
        yield Reading(
            label, variable.name, entry, ": ".join(filter(None, (title, said))) if title else "",
            unit,
        )  # fmt: skip


def _where(
    variable: Variable, place: Sequence[int], fixed: Mapping[str, tuple[Any, np.ndarray, Any]]
) -> list[tuple[str, bool]]:
    """What an entry is at along each dimension of two and more, and whether a name says it all."""
    found = []
    for dimension, size, at in zip(variable.dims, variable.shape, place, strict=True):
        if size < 2:
            continue
        value = fixed[dimension][1][at] if dimension in fixed else at
        if dimension in NAMED:
            found.append((str(value), True))
        else:
            unit = str(fixed[dimension][2].get("units", "")) if dimension in fixed else ""
            number = f"{value:.4g}" if isinstance(value, int | float | np.number) else str(value)
            found.append((f"{dimension} {number} {unit}".strip(), False))
    return found
