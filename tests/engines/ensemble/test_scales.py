"""Natural sizes of many simulations are those of one, for each of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.engines.ensemble.scales import Scales
from myelode.engines.sizes import NaturalSizes
from myelode.sbml import Entity

COMPARTMENTS = ("plasma", "cells", "cells", "plasma", "cells")
amounts = st.one_of(st.just(0.0), st.floats(1e-20, 1e6), st.floats(-1e-9, 1e-9))
columns = st.lists(amounts, min_size=5, max_size=5)
stretches = st.lists(
    st.tuples(st.lists(columns, min_size=3, max_size=3), st.integers(0, 7)), max_size=4
)


def species(place: int, compartment: str) -> Entity:
    return Entity(f"s{place}", "species", "", None, 0.0, False, compartment=compartment)


@settings(max_examples=100, deadline=None)
@given(stretches)
def test_every_simulation_has_the_sizes_that_it_would_have_alone(
    history: list[tuple[list[list[float]], int]],
) -> None:
    entities = [species(place, name) for place, name in enumerate(COMPARTMENTS)]
    together, which = Scales(COMPARTMENTS, 3), np.arange(3)
    alone = [NaturalSizes(entities) for _ in which]
    for simulations, believed in history:
        states = np.array(simulations).T
        found = together.tolerances(which, states, 1e-3)
        for number, sizes in enumerate(alone):
            expected = sizes.tolerances(states[:, number], 1e-3)
            np.testing.assert_array_equal(found[:, number], expected)
            if believed < len(entities):
                sizes.believe(f"s{believed}")
        grown = np.arange(5)[:, None] == np.full(3, believed)
        together.believe(which, grown)
