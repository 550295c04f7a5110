"""Operations on plain numbers have the bits of those on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.engines.ensemble.operations import OPERATIONS
from myelode.engines.ensemble.scalars import SCALARS
from tests.engines.ensemble.test_tape import ARITY

NUMBERS = st.one_of(
    st.floats(), st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 2.0**53, np.inf, -np.inf])
)


@pytest.mark.parametrize("name", OPERATIONS)
@given(numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_a_number_is_that_of_an_array(name: str, numbers: tuple[float, float, float]) -> None:
    chosen = numbers[: ARITY[name]]
    with np.errstate(all="ignore"):
        expected = np.asarray(OPERATIONS[name](*(np.array([number]) for number in chosen)))
    found = SCALARS[name](*chosen)
    assert isinstance(found, float)
    assert np.isnan(found) == np.isnan(expected[0])
    if not np.isnan(found):
        assert np.float64(found).tobytes() == expected.tobytes()
