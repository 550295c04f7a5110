"""Every operation as machine instructions against its meaning in NumPy."""

from __future__ import annotations

import ctypes
import itertools
import math

import numpy as np
import pytest

from myelode.engines.ensemble.assembly import LANES, POINTER, Function
from myelode.engines.ensemble.instructions import library, write_operation
from myelode.engines.ensemble.machine import load
from myelode.engines.ensemble.operations import OPERATIONS

from .programs import aligned, call

SPECIAL = np.array([
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 2.5, -2.5, math.pi, 170.0, 1e-9, -1e-9,
    math.inf, -math.inf, math.nan, 1e-310, -1e-310, 5e-324, 1e-300, 1e308, -1e308, 709.78, 709.79,
    -745.1, -745.2, -708.5, 2.0**53, 2.0**53 + 2, 3e15 + 1, -(2.0**53 + 2), 0.1, 1.1,
])  # fmt: skip
TWO = "add subtract multiply divide minimum maximum less less_equal equal not_equal both either".split()
ONE = sorted(OPERATIONS.keys() - {*TWO, "power", "select"})
EXACT = {*TWO, "negate", "square_root", "absolute", "sign", "floor", "ceiling", "not", "select"}
FEW = 4.0
"""Units in the last place by which the other operations may differ; NumPy's own are good to about that."""


def run(name: str, *arguments: np.ndarray) -> np.ndarray:
    """An operation in machine code on arrays of one shape (count,)."""
    places = [f"x{place}" for place in range(len(arguments))]
    function = Function("run", dict.fromkeys([*places, "out"], POINTER), exported=True)
    loaded = [function.load(f"%{place}") for place in places]
    function.store(write_operation(function, name, loaded), "%out")
    function.returns()
    engine = load("\n".join([function.text(), *library([function])]))
    kernel = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(places) + 1))(
        engine.get_function_address("run")
    )
    inside, found = aligned(len(places), LANES), aligned(LANES)
    answers = []
    for start in range(0, len(arguments[0]), LANES):
        for place, argument in enumerate(arguments):
            inside[place] = np.resize(argument[start : start + LANES], LANES)
        call(kernel, *inside, found)
        answers.append(found.copy())
    return np.concatenate(answers)[: len(arguments[0])]


def assert_near(name: str, *arguments: np.ndarray, units: float = FEW) -> None:
    """The same as NumPy but for some units in the last place; infinities and NaN where it has them."""
    found = run(name, *arguments)
    with np.errstate(all="ignore"):
        expected = OPERATIONS[name](*arguments)
        near = np.abs(found - expected) <= units * np.spacing(np.abs(expected))
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    wrong = np.flatnonzero(~(same | near))
    cases = [(*(float(a[i]) for a in arguments), found[i], expected[i]) for i in wrong[:5]]
    assert not len(wrong), f"{name}: {len(wrong)} differ, as {cases}"


def pairs() -> tuple[np.ndarray, np.ndarray]:
    """All pairs of the special numbers."""
    one, other = zip(*itertools.product(SPECIAL, SPECIAL), strict=True)
    return np.array(one), np.array(other)


def spread(seed: int, count: int = 4000) -> np.ndarray:
    """Numbers of all sizes that matter, both signs."""
    random = np.random.default_rng(seed)
    sign = random.choice([-1.0, 1.0], count)
    return np.concatenate(
        [sign * np.exp(random.uniform(-30, 30, count)), random.normal(size=count)]
    )


@pytest.mark.parametrize("name", ONE)
def test_operations_of_one_number(name: str) -> None:
    numbers = np.concatenate([SPECIAL, spread(1)])
    if name == "factorial":
        # Beyond these it is infinite, and of negative numbers it is not what models mean.
        numbers = np.array([*range(171), 0.5, 2.5, math.inf, math.nan, 171.5], dtype=float)
        assert_near(name, numbers, units=100)
    else:
        assert_near(name, numbers, units=0 if name in EXACT else FEW)


@pytest.mark.parametrize("name", TWO)
def test_operations_of_two_numbers(name: str) -> None:
    assert_near(name, *pairs(), units=0)
    assert_near(name, spread(1), spread(2), units=0)


def test_select() -> None:
    one, other = pairs()
    assert_near("select", one, other, -one, units=0)


def test_power_of_special_numbers() -> None:
    one, other = pairs()
    assert_near("power", one, other)
    assert_near("power", np.tile(one, 7), np.repeat(np.arange(-3.0, 4.0), len(one)))
    found = run("power", one, other)
    with np.errstate(all="ignore"):
        expected = np.power(one, other)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[known]), np.signbit(expected[known]))


@pytest.mark.parametrize(
    ("lowest", "highest", "largest_exponent"),
    [(1e-10, 1e10, 30.0), (1e-300, 1e300, 1.0), (0.7, 1.42, 1800.0), (0.999, 1.001, 6e5)],
)
def test_power_over_wide_ranges(lowest: float, highest: float, largest_exponent: float) -> None:
    random = np.random.default_rng(3)
    base = np.exp(random.uniform(math.log(lowest), math.log(highest), 8000))
    assert_near("power", base, random.uniform(-largest_exponent, largest_exponent, 8000))


def test_exponential_over_its_whole_range() -> None:
    assert_near("exp", np.linspace(-746, 710, 20001))
    assert_near("exp", np.linspace(-1e-3, 1e-3, 2001))


def test_logarithm_over_its_whole_range() -> None:
    assert_near("log", np.exp(np.linspace(-744, 709, 20001)))
    assert_near("log", 1 + np.linspace(-1e-3, 1e-3, 2001))


@pytest.mark.parametrize("name", ["exp", "log", "power"])
def test_every_lane_computes_the_same(name: str) -> None:
    random = np.random.default_rng(4)
    numbers = np.exp(random.uniform(-20, 20, LANES))
    arguments = [numbers, 1 / numbers][: 2 if name == "power" else 1]
    found = run(name, *arguments)
    turned = run(name, *(np.roll(argument, 3) for argument in arguments))
    np.testing.assert_array_equal(np.roll(found, 3), turned)


def test_powers_do_not_depend_on_their_neighbours() -> None:
    """Powers have short ways, which are taken where all eight pairs of numbers allow them."""
    pairs_of_two = (*pairs(), *(spread(seed) for seed in (1, 2)))
    one, other = (np.concatenate(pairs_of_two[place::2]) for place in range(2))
    for neighbour, exponent in ((1.5, 2.5), (1.5, 2.0), (-1.5, 2.0), (-1.5, 2.5)):
        bases = np.full((len(one), LANES), neighbour)
        exponents = np.full((len(one), LANES), exponent)
        bases[:, 0], exponents[:, 0] = one, other
        found = run("power", bases.ravel(), exponents.ravel()).reshape(-1, LANES)
        assert found[:, 0].tobytes() == run("power", one, other).tobytes()
        assert len(np.unique(found[:, 1:])) == 1
