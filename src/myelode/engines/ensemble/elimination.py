"""Gaussian elimination of a sparse matrix, planned once: what is computed, in which order.

The matrix of every step of every simulation has the same pattern, so that the order of elimination
is chosen once (by Markowitz's count of what each pivot could fill) and written out as a list of
plain operations. There is no search for large pivots: the matrix of a Rosenbrock step has one over
step size on its diagonal, and a step that goes wrong all the same is refused by its error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

Place = tuple[int, int]
"""Row and column."""


@dataclass(frozen=True)
class Invert:
    """The entry becomes one over itself."""

    entry: Place


@dataclass(frozen=True)
class Scale:
    """The entry is multiplied by another one."""

    entry: Place
    by: Place


@dataclass(frozen=True)
class Reduce:
    """The product of two entries is taken off the entry."""

    entry: Place
    left: Place
    right: Place


@dataclass(frozen=True)
class Elimination:
    """How to factorise a matrix of one pattern, and how to solve with its factors.

    Attributes
    ----------
    order : rows (and columns) in the order in which they are pivots.
    pattern : all places that are ever filled, the diagonal included.
    factorise : operations on the entries, after which those below the diagonal hold the factors
        and the diagonal its inverse.
    """

    order: tuple[int, ...]
    pattern: tuple[Place, ...]
    factorise: tuple[Invert | Scale | Reduce, ...]

    def forward(self) -> Iterator[tuple[int, Place, int]]:
        """``(i, place, k)``: take entry times element k off element i, in this order."""
        filled = set(self.pattern)
        for position, pivot in enumerate(self.order):
            for row in self.order[position + 1 :]:
                if (row, pivot) in filled:
                    yield row, (row, pivot), pivot

    def backward(self) -> Iterator[tuple[int, tuple[tuple[Place, int], ...]]]:
        """``(i, ((place, k), ...))``: take entries times elements k off element i, and scale it."""
        filled = set(self.pattern)
        for position in reversed(range(len(self.order))):
            row = self.order[position]
            later = self.order[position + 1 :]
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
    steps: list[Invert | Scale | Reduce] = []
    while rows:
        # Of equal counts the first row wins, so that the plan does not depend on chance.
        pivot = min(rows, key=lambda i: ((len(rows[i]) - 1) * (len(columns[i]) - 1), i))
        below = sorted(columns.pop(pivot) - {pivot})
        right = sorted(rows.pop(pivot) - {pivot})
        order.append(pivot)
        steps.append(Invert((pivot, pivot)))
        for i in below:
            steps.append(Scale((i, pivot), (pivot, pivot)))
            steps.extend(Reduce((i, k), (i, pivot), (pivot, k)) for k in right)
            rows[i] = (rows[i] | set(right)) - {pivot}
            filled.update((i, k) for k in right)
        for k in right:
            columns[k] = (columns[k] | set(below)) - {pivot}
    return Elimination(tuple(order), tuple(sorted(filled)), tuple(steps))
