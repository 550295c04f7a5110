"""Formulas as NumPy functions.

Import this module inside functions only: it imports sympy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from myelode.equations.mathml import TIME

Function = Callable[[float, np.ndarray, np.ndarray], np.ndarray]
"""f(t, y, p): values from a time, the states and the constants."""

Power = Callable[[float, float], float]

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "magnitude": abs,
    "parity": lambda *conditions: float(sum(map(bool, conditions)) % 2),
}


def compiled(
    formulas: Sequence[sympy.Expr],
    states: Sequence[sympy.Symbol],
    constants: Sequence[sympy.Symbol],
    power: Power,
) -> Function:
    """One function f(t, y, p) for the values of all formulas.

    Overflow and division by zero give inf or NaN without a warning.
    """
    code = sympy.lambdify(
        [TIME, list(states), list(constants)],
        list(formulas),
        modules=[{**_FUNCTIONS, "power": power}, "scipy", "numpy"],
        cse=True,
        dummify=True,  # or an id such as gamma or select would hide the function of that name
    )

    def function(time: float, state: np.ndarray, constants: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array(code(np.float64(time), state, constants), dtype=float)

    return function


def compiled_start(formula: sympy.Expr) -> Callable[[Mapping[str, float]], float]:
    """A formula as a function of values by id."""
    if formula.is_Number:
        number = float(formula)
        return lambda values: number
    free = sorted(formula.free_symbols, key=str)
    modules = [{**_FUNCTIONS, "power": np.power}, "scipy", "numpy"]
    code = sympy.lambdify(free, formula, modules=modules, dummify=True)

    def function(values: Mapping[str, float]) -> float:
        with np.errstate(all="ignore"):
            return float(code(*(np.float64(values[symbol.name]) for symbol in free)))

    return function


def clamped_power(base: float, exponent: float) -> float:
    """``base**exponent``, where a base that an integrator left just below zero counts as zero."""
    if base < 0 and exponent != np.floor(exponent):
        base = 0.0
    return float(np.power(base, exponent))


def slope(formula: sympy.Expr, state: sympy.Symbol) -> sympy.Expr:
    """The derivative of a formula by a state; that of a staircase is zero."""
    stairs = formula.atoms(sympy.floor, sympy.ceiling)
    levels: dict[Any, Any] = {stair: sympy.Dummy(real=True) for stair in stairs}
    back = {level: stair for stair, level in levels.items()}
    return formula.xreplace(levels).diff(state).xreplace(back)
