"""The planned elimination of a sparse matrix solves what numpy.linalg solves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.engines.ensemble.elimination import (
    Elimination,
    Fill,
    Invert,
    Scale,
    plan_elimination,
)


def sparse(size: int, share: float, seed: int) -> np.ndarray:
    """A matrix with a large diagonal, as that of a Rosenbrock step."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(size, size)) * (random.random((size, size)) < share)
    return np.asarray(matrix + np.diag(size + random.random(size)))


def factors(plan: Elimination, matrix: np.ndarray) -> np.ndarray:
    found = matrix.copy()
    for line in plan.factorise:
        if isinstance(line, Invert):
            found[line.entry] = -1 / found[line.entry]
        elif isinstance(line, Scale):
            found[line.entry] *= found[line.by]
        else:
            assert (found[line.entry] == 0) or not isinstance(line, Fill)
            found[line.entry] += found[line.left] * found[line.right]
    return found


def solved(plan: Elimination, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    entries, found = factors(plan, matrix), right.copy()
    for row, used in plan.forward():
        found[row] += sum(entries[place] * found[other] for place, other in used)
    for row, used in plan.backward():
        found[row] += sum(entries[place] * found[other] for place, other in used)
        found[row] *= entries[row, row]
    return -found


@given(size=st.integers(1, 25), share=st.floats(0, 1), seed=st.integers(0, 10_000))
def test_it_solves_like_numpy(size: int, share: float, seed: int) -> None:
    matrix = sparse(size, share, seed)
    right = np.random.default_rng(seed + 1).normal(size=size)
    plan = plan_elimination(size, [(int(i), int(k)) for i, k in np.argwhere(matrix)])
    wanted = np.linalg.solve(matrix, right)
    assert solved(plan, matrix, right) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@given(size=st.integers(1, 25), seed=st.integers(0, 10_000))
def test_only_planned_places_are_filled(size: int, seed: int) -> None:
    matrix = sparse(size, 0.15, seed)
    plan = plan_elimination(size, [(int(i), int(k)) for i, k in np.argwhere(matrix)])
    filled = {(int(i), int(k)) for i, k in np.argwhere(factors(plan, matrix))}
    assert filled <= set(plan.pattern)
    assert sorted(plan.order) == list(range(size))


def test_an_arrow_is_eliminated_from_its_tips() -> None:
    size = 12
    arrow = [(0, k) for k in range(size)] + [(k, 0) for k in range(size)]
    plan = plan_elimination(size, arrow)
    assert plan.order[:-2] == tuple(range(1, size - 1))  # the last two are equal in what they fill
    assert len(plan.pattern) == 3 * size - 2


def test_pivots_that_fill_nothing_come_first() -> None:
    """In a ring each row has two others, which a pivot joins; in a block more, which know all."""
    ring = [(i, (i + step) % 4) for i in range(4) for step in (1, -1)]
    block = [(i, k) for i in range(4, 8) for k in range(4, 8)]
    plan = plan_elimination(8, [*ring, *block])
    assert set(plan.order[:4]) == {4, 5, 6, 7}
    assert sum(isinstance(line, Fill) for line in plan.factorise) == 2


def test_the_diagonal_is_always_there() -> None:
    assert plan_elimination(2, []).pattern == ((0, 0), (1, 1))
