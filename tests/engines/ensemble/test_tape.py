"""Formulas on a tape mean what NumPy means, their slopes are slopes, and nothing is lost in folding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from myelode.engines.ensemble.derivatives import BY_TIME, Derivatives
from myelode.engines.ensemble.evaluation import evaluate
from myelode.engines.ensemble.operations import COMMUTATIVE, OPERATIONS, computed
from myelode.engines.ensemble.tape import FIXED, MOVING, PER_SIMULATION, Tape

STEPS = {"floor", "ceiling", "sign", "less", "less_equal", "equal", "not_equal"}
TRUTHS = {"both", "either", "not"}
UNIT = {"arcsin", "arccos", "arctanh"}
ABOVE_ONE = {"arccosh"}
SMOOTH = sorted(set(OPERATIONS) - STEPS - TRUTHS - {"select", "factorial"})
ARITY = {
    **dict.fromkeys(OPERATIONS, 1),
    **dict.fromkeys(COMMUTATIVE, 2),
    **dict.fromkeys(("subtract", "divide", "power", "less", "less_equal"), 2),
    "select": 3,
}


def value_at(
    tape: Tape, value: int, states: Sequence[float], given_: Sequence[float] = ()
) -> float:
    columns = np.array(states)[:, None], np.array(given_).reshape(-1, 1)
    return float(evaluate(tape, [value], *columns, np.zeros(1))[0, 0])


def test_equal_formulas_are_one_value() -> None:
    tape = Tape()
    x, y = tape.state(0), tape.given(0)
    assert tape.apply("add", x, y) == tape.apply("add", y, x)
    assert tape.apply("subtract", x, y) != tape.apply("subtract", y, x)
    assert tape.number(2) == tape.number(2.0)


def test_what_changes_how_often() -> None:
    tape = Tape()
    number, given_, moving = tape.number(2.0), tape.given(0), tape.time()
    assert tape.pace[number] == FIXED
    assert tape.pace[tape.apply("exp", given_)] == PER_SIMULATION
    assert tape.pace[tape.apply("multiply", given_, moving)] == MOVING


def test_what_changes_less_often_is_added_first() -> None:
    tape = Tape()
    moving, one, other = tape.state(0), tape.given(0), tape.given(1)
    total = tape.operations[tape.total([moving, one, other])]
    assert tape.apply("add", one, other) in total.arguments


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@given(numbers=st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_numbers_fold_to_what_numpy_says(name: str, numbers: list[float]) -> None:
    tape = Tape()
    used = numbers[: ARITY[name]]
    folded = tape.value_of(tape.apply(name, *map(tape.number, used)))
    assert folded is not None
    assert folded == computed(name, used) or math.isnan(folded)


CORNERS = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "power", "both", "either"]
)
@given(number=CORNERS, x=st.floats(0.1, 5), number_first=st.booleans())
def test_simplifying_changes_no_value(
    name: str, number: float, x: float, number_first: bool
) -> None:
    assume(not (name == "divide" and number == 0 and not number_first))
    assume(not (name == "power" and number_first and number < 0))
    tape = Tape()
    values = [tape.number(number), tape.state(0)]
    numbers = [number, x]
    if not number_first:
        values, numbers = values[::-1], numbers[::-1]
    found = value_at(tape, tape.apply(name, *values), [x])
    assert found == pytest.approx(computed(name, numbers), rel=1e-14)


def test_a_choice_that_is_known_is_made() -> None:
    tape = Tape()
    x, y = tape.state(0), tape.state(1)
    assert tape.apply("select", tape.number(1.0), x, y) == x
    assert tape.apply("select", tape.number(0.0), x, y) == y
    assert tape.apply("select", tape.time(), x, x) == x


def test_small_whole_powers_are_products() -> None:
    tape = Tape()
    x = tape.state(0)
    fourth, third = tape.apply("power", x, tape.number(4)), tape.apply("power", x, tape.number(-3))
    needed = {tape.operations[value].name for value in tape.needed_for([fourth, third])}
    assert "power" not in needed
    assert value_at(tape, fourth, [-3.0]) == 81.0
    assert value_at(tape, third, [2.0]) == 0.125


def _within(name: str, number: float) -> float:
    """A number inside the domain of an operation, away from its edges."""
    if name in UNIT:
        return 0.9 * math.tanh(number)
    return 1.1 + abs(number) if name in ABOVE_ONE else number


@pytest.mark.parametrize("name", SMOOTH)
@given(numbers=st.lists(st.floats(0.2, 2.5), min_size=2, max_size=2), where=st.integers(0, 1))
def test_slopes_are_those_of_finite_differences(
    name: str, numbers: list[float], where: int
) -> None:
    where = min(where, ARITY[name] - 1)
    numbers = [_within(name, number) for number in numbers]
    assume(name not in ("minimum", "maximum") or abs(numbers[0] - numbers[1]) > 1e-3)
    assume(name != "tan" or abs(math.cos(numbers[0])) > 0.1)
    tape = Tape()
    value = tape.apply(name, *(tape.state(place) for place in range(ARITY[name])))
    slope = value_at(tape, Derivatives(tape).by_state(value, where), numbers)
    assert slope == pytest.approx(_difference(tape, value, numbers, where), rel=1e-5, abs=1e-7)


def _difference(tape: Tape, value: int, numbers: Sequence[float], where: int) -> float:
    size = 1e-5
    above, below = list(numbers), list(numbers)
    above[where] += size
    below[where] -= size
    return (value_at(tape, value, above) - value_at(tape, value, below)) / (2 * size)


@st.composite
def formulas(draw: st.DrawFn) -> Callable[[Tape], int]:
    """A formula of two states and a constant, from operations that are smooth where all is positive."""
    names = ("add", "multiply", "divide", "power", "exp", "log", "square_root", "subtract", "tanh")
    lines = draw(st.lists(st.tuples(st.sampled_from(names), st.integers(0, 99), st.integers(0, 99)),
                          min_size=1, max_size=6))  # fmt: skip

    def write(tape: Tape) -> int:
        values = [tape.state(0), tape.state(1), tape.given(0), tape.number(1.5)]
        for name, one, other in lines:
            arguments = [values[one % len(values)], values[other % len(values)]]
            values.append(tape.apply(name, *arguments[: ARITY[name]]))
        return values[-1]

    return write


@given(write=formulas(), x=st.floats(0.5, 1.5), y=st.floats(0.5, 1.5))
def test_slopes_of_whole_formulas(write: Callable[[Tape], int], x: float, y: float) -> None:
    tape = Tape()
    value = write(tape)
    slope = Derivatives(tape).by_state(value, 0)

    def at(first: float, wanted: int) -> float:
        return value_at(tape, wanted, [first, y], [0.7])

    near = [at(x + 1e-4 * place, value) for place in (-2, -1, 1, 2)]
    assume(all(map(math.isfinite, near)) and max(map(abs, near)) < 1e3)
    wide, narrow = (near[3] - near[0]) / 4e-4, (near[2] - near[1]) / 2e-4
    assume(abs(wide - narrow) < 1e-4 * (1 + abs(narrow)))  # else it is too curved to tell
    assert at(x, slope) == pytest.approx(narrow, rel=1e-3, abs=1e-4)


def test_slopes_know_what_depends_on_what() -> None:
    tape = Tape()
    value = tape.apply("multiply", tape.state(3), tape.apply("sin", tape.time()))
    derivatives = Derivatives(tape)
    assert derivatives.states_of(value) == {3, BY_TIME}
    assert derivatives.by_state(value, 3) == tape.apply("sin", tape.time())
    assert tape.is_number(derivatives.by_state(value, 1), 0.0)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7, 2.0, 4.0])
def test_the_slope_of_a_power_is_finite_where_every_hill_law_starts(exponent: float) -> None:
    tape = Tape()
    value = tape.apply("power", tape.state(0), tape.given(0))
    slope = Derivatives(tape).by_state(value, 0)
    assert value_at(tape, slope, [0.0], [exponent]) == (1.0 if exponent == 1 else 0.0)


def test_many_simulations_at_once() -> None:
    tape = Tape()
    value = tape.apply("add", tape.apply("multiply", tape.state(0), tape.given(0)), tape.time())
    states, constants, time = (
        np.array([[1.0, 2.0]]),
        np.array([[10.0, 20.0]]),
        np.array([0.5, 0.25]),
    )
    found = evaluate(tape, [value, tape.number(7.0)], states, constants, time)
    assert found.tolist() == [[10.5, 40.25], [7.0, 7.0]]
