"""Expressions are Python's arithmetic, and nothing else of Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.expressions import (
    evaluate_array,
    evaluate_each,
    evaluate_expression,
    holds,
    holds_each,
    is_condition,
    names_in,
)

NAMES = {"a": 2.0, "b": -3.5, "none.peak": 7.25, "x.early.auc": 0.125}
PYTHON_NAMES = {"a": 2.0, "b": -3.5, "none__peak": 7.25, "x__early__auc": 0.125}

numbers = st.one_of(
    st.integers(0, 1000).map(str), st.floats(0, 1e6, allow_subnormal=False).map(repr)
)
leaves = st.one_of(numbers, st.sampled_from(sorted(NAMES)))


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner)
    return st.one_of(
        pairs.map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(inner, st.integers(-2, 3)).map(lambda parts: f"({parts[0]}) ** {parts[1]}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
        ),
        inner.map(lambda text: f"abs({text})"),
    )


arithmetic = st.recursive(leaves, _grown, max_leaves=12).filter(lambda text: len(text) < 400)
comparisons = st.tuples(
    arithmetic, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic
).map(" ".join)


def _in_python(text: str) -> object:
    """What Python makes of an expression that the strategies above have written."""
    for name in NAMES:
        text = text.replace(name, name.replace(".", "__"))
    return eval(text, {"__builtins__": {"min": min, "max": max, "abs": abs}}, PYTHON_NAMES)  # noqa: S307


@given(arithmetic)
def test_arithmetic_is_that_of_python(text: str) -> None:
    try:
        expected = _in_python(text)
    except ArithmeticError:
        return  # Python stops where floating-point arithmetic goes on
    found = evaluate_expression(text, NAMES)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


@given(comparisons, comparisons)
def test_conditions_are_those_of_python(one: str, other: str) -> None:
    text = f"{one} and not {other} or ({other})"
    if len(text) > 500:
        return
    try:
        expected = _in_python(text)
    except ArithmeticError:
        return
    assert holds(text, NAMES) is bool(expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", math.nan),
        ("a / (a - a)", math.inf),
        ("0 ** -1", math.inf),
        ("(-8) ** (1 / 3)", math.nan),
        ("log(0)", -math.inf),
        ("log(-1)", math.nan),
        ("sqrt(-1)", math.nan),
        ("exp(1000)", math.inf),
        ("10.0 ** 400", math.inf),
        ("min(1, 0 / 0)", math.nan),
        ("1 / infinite", 0.0),
        ("infinite - infinite", math.nan),
    ],
)
def test_what_has_no_value_follows_floating_point_arithmetic(text: str, value: float) -> None:
    found = evaluate_expression(text, {"a": 2.0, "infinite": math.inf})
    assert found == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("log(exp(2))", 2.0), ("log2(8)", 3.0), ("log10(1000)", 3.0), ("sqrt(2) ** 2", 2.0),
        ("abs(-3)", 3.0), ("max(1, 2, 3)", 3.0), ("min(4)", 4.0), ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0), ("1 - 2 - 3", -4.0), ("+a", 2.0),
    ],
)  # fmt: skip
def test_functions_and_precedence(text: str, value: float) -> None:
    assert evaluate_expression(text, NAMES) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("label == 'Type 2'", True),
        ("label != 'Type 2' or a > 1", True),
        ("not a > 1", False),
        ("0 / 0 > 1 or 0 / 0 <= 1", False),
    ],
)
def test_conditions_compare_numbers_and_labels(text: str, truth: bool) -> None:
    assert holds(text, {"a": 2.0, "label": "Type 2"}) is truth


def test_results_of_numpy_are_values_too() -> None:
    values = {"a": np.float64(2.0), "ok": np.True_}
    assert evaluate_expression("a * 2", values) == 4.0
    assert holds("ok and a > 1", values)


def test_names_are_found_whole_and_once() -> None:
    text = "none.peak + a * max(x.early.auc, a) < b and not c"
    assert names_in(text) == ("none.peak", "a", "x.early.auc", "b", "c")


def test_amounts_of_species_are_names() -> None:
    text = "amount(X) / concentration(X) < min(amount(Y), 2)"
    assert names_in(text) == ("amount(X)", "concentration(X)", "amount(Y)")
    assert holds(text, {"amount(X)": 4.0, "concentration(X)": 4.0, "amount(Y)": 1.5})
    for wrong in ("amount(2)", "amount(X, Y)", "amount(a.b)", "amount()", "mass(X)"):
        with pytest.raises(ScenarioError):
            names_in(wrong)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("a < 1", True),
        ("not (a < -b + 1 or max(a, b) >= 2 > c)", True),
        ("a", False),
        ("a + 1", False),
        ("a < 1 and b", False),
        ("not a", False),
        ("a == 'x'", False),
        ("(a < 1) == (b < 1)", False),
    ],
)
def test_a_condition_compares_numbers_whatever_their_values(text: str, truth: bool) -> None:
    assert is_condition(text) is truth


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "a.__class__()", "().__class__", "'x'.join", "'{0.a}'.format(a)", "f'{a}'",
        "[1, 2]", "(1, 2)", "{1: 2}", "{1}", "[x for x in a]", "lambda: 1", "a if b else 1", "a[0]",
        "a := 1", "a = 1", "import os", "a; b", "print(a)", "eval('1')", "open('x')", "max(*a)",
        "max(a, key=b)", "abs()", "log(1, 2)", "max()", "yield 1", "await a", "1j", "None", "...", "b'x'",
        "a @ b", "a % b", "a // b", "a | b", "a & b", "a << b", "~a", "a in b", "a is b", "a is not b",
        "a()", "exp", "not", "1 +", "", "   ", "'\\d'", "1if 2else 3", "a\x00b", "\ud800",
    ],
)  # fmt: skip
def test_everything_else_of_python_is_refused(text: str) -> None:
    values = {"a": 1.0, "b": 2.0}
    with pytest.raises(ScenarioError):
        evaluate_expression(text, values)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9 ** 9", "9" * 499, "9" * 5000, "-" * 499 + "1", "(" * 240 + "1" + ")" * 240,
        "not " * 120 + "a", "a" + ".b" * 240, "a" * 1_000_000, "exp(" * 99 + "1" + ")" * 99,
        "'a' * 99999999", "'a' + 'b'",
    ],
)  # fmt: skip
def test_what_is_too_long_or_too_deep_has_a_value_or_an_error_at_once(text: str) -> None:
    try:
        evaluate_expression(text, {"a": 1.0})
    except ScenarioError:
        return
    assert len(text) <= 500


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_scenario_error(text: str) -> None:
    try:
        evaluate_expression(text, NAMES)
    except ScenarioError:
        return


@pytest.mark.parametrize("text", ["a", "1", "'x'", "a + 1", "a and b", "not a", "label"])
def test_a_condition_is_a_comparison_not_a_number(text: str) -> None:
    with pytest.raises(ScenarioError, match="no condition"):
        holds(text, {"a": 1.0, "b": 2.0, "label": "Type 1"})


@pytest.mark.parametrize("text", ["label + 1", "(a < b) * 2", "-label", "max(label, 1)"])
def test_text_and_truth_are_no_numbers(text: str) -> None:
    with pytest.raises(ScenarioError, match="stands where a number is due"):
        evaluate_expression(text, {"a": 1.0, "b": 2.0, "label": "Type 1"})


def test_text_and_numbers_have_no_order() -> None:
    with pytest.raises(ScenarioError, match="cannot be evaluated"):
        evaluate_expression("label < 1", {"label": "Type 1"})


def test_an_unknown_name_is_answered_with_the_closest_ones() -> None:
    with pytest.raises(
        ScenarioError, match=r"unknown name 'none.peek': did you mean 'none.peak'\?"
    ):
        evaluate_expression("none.peek * 2", NAMES)


def test_arithmetic_on_arrays_is_that_on_each_element() -> None:
    x = np.array([0.5, 1.0, 4.0, math.nan])
    text = "-min(x, 2) ** 2 + max(1, x, 3) / exp(x) - sqrt(x) * 1e3"
    found = evaluate_array(text, {"x": x})
    expected = [evaluate_expression(text, {"x": float(value)}) for value in x]
    np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-14)


@pytest.mark.parametrize("text", ["x > 1", "'a'", "x and x", "True", "not x"])
def test_only_arithmetic_is_done_on_arrays(text: str) -> None:
    with pytest.raises(ScenarioError, match="stands where a number is due"):
        evaluate_array(text, {"x": np.ones(2)})


def test_an_unknown_array_is_refused() -> None:
    with pytest.raises(ScenarioError, match="unknown name 'xx': did you mean 'x'"):
        evaluate_array("2 * xx", {"x": np.ones(2)})


COLUMNS = {
    "a": np.array([[2.0, -1.0, 0.0, math.nan]]),
    "b": np.array([[-3.5], [2.0], [math.inf]]),
    "none.peak": np.array([[7.25]]),
    "x.early.auc": np.linspace(-2, 2, 12).reshape(3, 4),
}


def _at_each(text: str) -> np.ndarray:
    """What the expression is at every place, one by one."""
    columns = {name: np.broadcast_to(values, (3, 4)) for name, values in COLUMNS.items()}
    found = np.empty((3, 4), dtype=object)
    for place in np.ndindex(3, 4):
        here = {name: float(values[place]) for name, values in columns.items()}
        found[place] = evaluate_expression(text, here)
    return found


@given(arithmetic)
def test_numbers_of_arrays_are_those_of_each_element(text: str) -> None:
    expected = _at_each(text).astype(float)
    found = np.broadcast_to(evaluate_each(text, COLUMNS), (3, 4))
    np.testing.assert_allclose(found, expected, rtol=1e-15, equal_nan=True)


@given(comparisons, comparisons, comparisons)
def test_conditions_on_arrays_are_those_on_each_element(one: str, two: str, three: str) -> None:
    text = f"{one} and not {two} or ({three})"
    if len(text) <= 500:
        found = np.broadcast_to(holds_each(text, COLUMNS), (3, 4))
        assert found.dtype == bool
        np.testing.assert_array_equal(found, _at_each(text).astype(bool))


def test_texts_in_arrays_are_compared() -> None:
    values = {"label": np.array(["x", "y"], dtype=object), "a": np.array([1.0, 1.0])}
    assert holds_each("label == 'x' and a > 0", values).tolist() == [True, False]
    assert holds_each("label != a", values).all()
    assert evaluate_each("label", values).tolist() == ["x", "y"]
    for text, fault in (
        ("label < a", "cannot be evaluated"),
        ("label + a", "'label' stands where a number is due"),
        ("(a > 0) * 2", "'a > 0' stands where a number is due"),
        ("label or a > 0", "'label' is no condition"),
        ("a", "'a' is no condition"),
    ):
        with pytest.raises(ScenarioError, match=fault):
            holds_each(text, values)


def test_what_decides_nothing_is_left_out() -> None:
    values = {"a": np.array([1.0, 2.0]), "label": np.array(["x", "y"], dtype=object)}
    assert not holds_each("a < 0 and label < 1", values).any()
    assert holds_each("a > 0 or label < 1", values).all()
    with pytest.raises(ScenarioError, match="cannot be evaluated"):
        holds_each("a > 1 or label < 1", values)


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0, 1.7])
def test_a_power_does_not_depend_on_how_many_are_computed(exponent: float) -> None:
    bases = np.exp(np.random.default_rng(1).normal(0, 5, (1, 500)))
    values = {"a": bases, "b": np.array([[exponent]])}
    together = evaluate_each("a ** b", values)
    alone = [evaluate_each("a ** b", {**values, "a": bases[:, [n]]})[0, 0] for n in range(500)]
    np.testing.assert_array_equal(together[0], alone)
