"""Absolute tolerances follow the size that a state has had, and rounding is no size."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.engines import Run, Tolerances, choose_engine
from myelode.engines.sizes import NEGLIGIBLE, NaturalSizes
from myelode.model import load_model
from myelode.regimens.timeline import Change, Instant, Timeline
from myelode.sbml import Entity


def _sizes(**compartments: str) -> NaturalSizes:
    return NaturalSizes(
        [
            Entity(name, "species", name, "nmol", None, False, compartment=compartment)
            for name, compartment in compartments.items()
        ]
    )


def test_a_tolerance_is_a_share_of_the_largest_amount_so_far() -> None:
    sizes = _sizes(a="cell", b="cell")
    assert sizes.tolerances(np.array([3.0, -0.5]), 1e-3) == pytest.approx([3e-3, 5e-4])
    assert sizes.tolerances(np.array([1.0, 2.0]), 1e-3) == pytest.approx([3e-3, 2e-3])


def test_a_state_at_zero_is_as_small_as_the_smallest_other() -> None:
    sizes = _sizes(large="cell", small="cell", empty="medium")
    assert sizes.tolerances(np.array([5.0, 0.1, 0.0]), 1.0)[2] == pytest.approx(0.1)


def test_a_state_at_zero_is_no_less_than_a_millionth_of_its_compartment() -> None:
    sizes = _sizes(signal="nucleus", silent="nucleus", trace="medium", empty="medium")
    found = sizes.tolerances(np.array([1.0, 0.0, 1e-9, 0.0]), 1.0)
    assert found == pytest.approx([1.0, 1e-6, 1e-9, 1e-9])


def test_where_nothing_is_known_the_size_is_one() -> None:
    assert _sizes(a="cell").tolerances(np.zeros(1), 1e-6) == pytest.approx([1e-6])


def test_rounding_below_the_tolerance_is_no_size() -> None:
    sizes = _sizes(full="cell", empty="cell")
    sizes.tolerances(np.array([1.0, 0.0]), 1e-12)
    assert sizes.tolerances(np.array([1.0, 1e-17]), 1e-12)[1] == pytest.approx(1e-12)


def test_what_was_given_to_a_state_is_its_size_however_small() -> None:
    sizes = _sizes(full="cell", empty="cell")
    sizes.tolerances(np.array([1.0, 0.0]), 1e-12)
    sizes.believe("empty")
    assert sizes.tolerances(np.array([1.0, 1e-15]), 1e-12)[1] == pytest.approx(1e-27)


def test_no_tolerance_is_negligible_against_the_largest_state() -> None:
    sizes = _sizes(full="cell", trace="medium")
    found = sizes.tolerances(np.array([1.0, 1e-25]), 1.0)
    assert found[1] == pytest.approx(NEGLIGIBLE)


def test_a_new_run_knows_nothing_of_the_one_before() -> None:
    sizes = _sizes(a="cell")
    sizes.tolerances(np.array([1e9]), 1.0)
    sizes.begin()
    assert sizes.tolerances(np.array([2.0]), 1.0) == pytest.approx([2.0])


@pytest.mark.xdist_group("cereblon dish")
@pytest.mark.parametrize("rest", [1.0, 47.0, 192.0])
def test_a_first_dose_after_a_long_rest_is_integrated(rest: float) -> None:
    """Rounding of 1e-32 in the drug and 1e-17 in the damage once counted as sizes."""
    model = load_model("cereblon")
    dose = Instant(rest, (Change("S_outside", 0.0, 0.5), Change("R_outside", 0.0, 0.5)))
    run = Run({}, Timeline((dose,), rest + 72.0), np.array([rest + 72.0]), ("IKZF1_level",))
    early = Run(
        {"S_outside": 0.5, "R_outside": 0.5}, Timeline((), 72.0), np.array([72.0]), run.outputs
    )
    simulator = choose_engine("roadrunner").compile(model.sbml)
    late, now = (simulator.run(item, Tolerances())[0, 0] for item in (run, early))
    assert late == pytest.approx(now, rel=1e-4)
