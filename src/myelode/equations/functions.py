"""Functions that sympy lacks, or has in a form that fails for real numbers.

Import this module inside functions only: it imports sympy.
"""

from __future__ import annotations

from typing import Any

import sympy


class power(sympy.Function):  # type: ignore[misc]  # noqa: N801 - sympy prints the name
    """``base**exponent`` for any exponent that is not a whole number.

    sympy differentiates ``x**n`` as ``n*x**n/x``, which is 0/0 where every Hill law starts; this
    one gives ``n*x**(n - 1)``.
    """

    nargs = 2
    is_extended_real = True

    @classmethod
    def eval(cls, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr | None:
        """Whole exponents and pure numbers are left to sympy."""
        if exponent.is_Integer or (base.is_Number and exponent.is_Number and base > 0):
            return sympy.Pow(base, exponent)
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Derivative by base (1) or exponent (2)."""
        base, exponent = self.args
        if argindex == 1:
            return exponent * power(base, exponent - 1)
        return self * sympy.log(sympy.Max(base, sympy.Float("1e-300")))

    def _latex(self, printer: Any, **_: Any) -> str:
        return str(printer.doprint(self._readable()))

    def _sympystr(self, printer: Any, **_: Any) -> str:
        return str(printer.doprint(self._readable()))

    def _readable(self) -> sympy.Expr:
        return sympy.Pow(*self.args, evaluate=False)


class magnitude(sympy.Function):  # type: ignore[misc]  # noqa: N801 - sympy prints the name
    """Absolute value of a real number; sympy's own has a complex derivative."""

    nargs = 1
    is_extended_real = True

    @classmethod
    def eval(cls, argument: sympy.Expr) -> sympy.Expr | None:
        """Numbers are left to sympy."""
        return abs(argument) if argument.is_Number else None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The sign."""
        return sympy.sign(self.args[0])

    def _latex(self, printer: Any, **_: Any) -> str:
        return rf"\left|{printer.doprint(self.args[0])}\right|"

    def _sympystr(self, printer: Any, **_: Any) -> str:
        return f"abs({printer.doprint(self.args[0])})"


class parity(sympy.Function):  # type: ignore[misc]  # noqa: N801 - sympy prints the name
    """1 if an odd number of conditions holds, else 0; of one condition, its truth as a number.

    sympy's Xor has no NumPy code, and its Piecewise tries, and often fails, to simplify.
    """

    @classmethod
    def eval(cls, *conditions: Any) -> sympy.Expr | None:
        """Known truths are counted."""
        if all(condition in (sympy.true, sympy.false) for condition in conditions):
            return sympy.Integer(conditions.count(sympy.true) % 2)
        return None

    def _eval_derivative(self, _: sympy.Symbol) -> sympy.Expr:
        return sympy.Integer(0)
