"""Gaussian elimination of a sparse matrix, planned once: what is computed, in which order.

The matrix of every step of every simulation has the same pattern, so that the order of elimination
is chosen once (by what each pivot would fill, then by Markowitz's count) and written out as a list
of plain operations. There is no search for large pivots: the matrix of a Rosenbrock step has one
over step size on its diagonal, and a step that goes wrong all the same is refused by its error.

Inverses of pivots are kept with the opposite sign, so that all that follows is products and sums.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

Place = tuple[int, int]
"""Row and column."""


@dataclass(frozen=True)
class Invert:
    """The entry becomes minus one over itself."""

    entry: Place


@dataclass(frozen=True)
class Scale:
    """The entry is multiplied by another one."""

    entry: Place
    by: Place


@dataclass(frozen=True)
class Add:
    """The product of two entries is added to the entry."""

    entry: Place
    left: Place
    right: Place


@dataclass(frozen=True)
class Fill:
    """The entry, of which there was none, becomes the product of two entries."""

    entry: Place
    left: Place
    right: Place


Step = Invert | Scale | Add | Fill
"""One operation of an elimination."""

Row = tuple[int, tuple[tuple[Place, int], ...]]
"""A number of a row, and what is added there: entries times elements of the solution."""


@dataclass(frozen=True)
class Elimination:
    """How to factorise a matrix of one pattern, and how to solve with its factors.

    Attributes
    ----------
    order : rows (and columns) in the order in which they are pivots.
    pattern : all places that are ever filled, the diagonal included.
    factorise : operations on the entries, after which those below the diagonal hold the factors
        with the opposite sign, and the diagonal its inverse with the opposite sign.
    """

    order: tuple[int, ...]
    pattern: tuple[Place, ...]
    factorise: tuple[Step, ...]

    def forward(self) -> Iterator[Row]:
        """``(i, ((place, k), ...))``: add entries times elements k to element i, row by row."""
        filled = set(self.pattern)
        for position, row in enumerate(self.order):
            yield row, tuple(((row, k), k) for k in self.order[:position] if (row, k) in filled)

    def backward(self) -> Iterator[Row]:
        """The same from the last row on; times the entry (i, i) it is less the solution.

        What was found last is added last: a processor has done the rest by the time it is there.
        """
        filled = set(self.pattern)
        for position, row in reversed([*enumerate(self.order)]):
            later = reversed(self.order[position + 1 :])
            yield row, tuple(((row, k), k) for k in later if (row, k) in filled)


def plan_elimination(size: int, pattern: Collection[Place]) -> Elimination:
    """An elimination for matrices of a size, filled in `pattern` and on the diagonal."""
    rows = {i: {i} for i in range(size)}
    columns = {i: {i} for i in range(size)}
    for i, k in pattern:
        rows[i].add(k)
        columns[k].add(i)
    filled = {(i, k) for i, row in rows.items() for k in row}
    order: list[int] = []
    steps: list[Step] = []
    while rows:
        # Of equal pivots the first wins, so that the plan does not depend on chance.
        pivot = min(rows, key=lambda i: (*_cost(rows, columns, i), i))
        below = sorted(columns.pop(pivot) - {pivot})
        right = sorted(rows.pop(pivot) - {pivot})
        order.append(pivot)
        steps.append(Invert((pivot, pivot)))
        for i in below:
            steps.append(Scale((i, pivot), (pivot, pivot)))
            for k in right:
                kind = Add if (i, k) in filled else Fill
                steps.append(kind((i, k), (i, pivot), (pivot, k)))
            rows[i] = (rows[i] | set(right)) - {pivot}
            filled.update((i, k) for k in right)
        for k in right:
            columns[k] = (columns[k] | set(below)) - {pivot}
    return Elimination(tuple(order), tuple(sorted(filled)), tuple(steps))


def _cost(
    rows: Mapping[int, set[int]], columns: Mapping[int, set[int]], pivot: int
) -> tuple[int, int]:
    """How many places a pivot would fill, and how many products it takes."""
    right = rows[pivot]
    below = columns[pivot] - {pivot}
    return sum(len(right - rows[i]) for i in below), (len(right) - 1) * len(below)
