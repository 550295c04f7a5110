"""Formulas as LaTeX and as plain text.

Import this module inside functions only: it imports sympy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from myelode.equations.mathml import TIME, symbol
from myelode.equations.system import ReactionSystem, net_rate

_SPECIAL = {"_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$"}


def system_in_latex(system: ReactionSystem, full: bool = False) -> str:
    """The differential equations, through reaction rates v or, if `full`, written out."""
    rates = {} if full else {name: rf"v_{{\mathrm{{{_escaped(name)}}}}}" for name in system.rates}
    sides = [
        (_left(system, name), typeset(right, rates))
        for name, right in _right_sides(system, full).items()
    ]
    sides += [(rates[name], typeset(system.rates[name], rates)) for name in rates]
    sides += [(named(name), typeset(formula, rates)) for name, formula in _assigned(system).items()]
    return aligned(sides)


def system_in_text(system: ReactionSystem) -> str:
    """Derivatives, then rates, then assigned values, a line for each."""
    sides = {f"d {system.kept(name)}/dt": right for name, right in _right_sides(system).items()}
    sides |= {**system.rates, **_assigned(system)}
    return "\n".join(f"{left} = {plain(right)}" for left, right in sides.items())


def _right_sides(system: ReactionSystem, full: bool = False) -> dict[str, sympy.Expr]:
    """Right-hand sides in the model's own mathematics, by state."""
    rates = system.rates if full else {name: symbol(name) for name in system.rates}
    rows = {name: net_rate(row, rates) for name, row in system.stoichiometry.items()}
    return {**rows, **system.rate_rules}


def _left(system: ReactionSystem, name: str) -> str:
    """The derivative of an amount, or of size times concentration."""
    if not system.is_quotient(name):
        return derivative(named(name))
    compartment = system.species[name].compartment
    size = named(compartment)
    if compartment in system.assignments or compartment in system.rate_rules:
        return derivative(rf"({size}\,{named(name)})")
    return rf"{size}\,{derivative(named(name))}"


def _assigned(system: ReactionSystem) -> dict[str, sympy.Expr]:
    return {name: system.assignments[name] for name in system.order if name in system.assignments}


def named(name: str) -> str:
    """An id as LaTeX: upright, and what follows the first underscore as an index.

    ``k_FA`` gives ``k_{\\mathrm{FA}}``; one letter alone stays slanted.
    """
    head, _, tail = name.strip("_").partition("_")
    if not head:
        return rf"\mathrm{{{_escaped(name)}}}"
    base = head if len(head) == 1 else rf"\mathrm{{{_escaped(head)}}}"
    index = ",".join(part for part in tail.split("_") if part)
    return base if not index else rf"{base}_{{\mathrm{{{_escaped(index)}}}}}"


def typeset(formula: sympy.Expr, special: Mapping[str, str] | None = None) -> str:
    """A formula as LaTeX; `special` gives LaTeX for some ids."""
    names = {free: named(free.name) for free in formula.free_symbols}
    names |= {symbol(name): text for name, text in (special or {}).items()}
    return str(sympy.latex(formula, symbol_names={**names, TIME: "t"}, mul_symbol=r"\,"))


def derivative(quantity: str) -> str:
    """The time derivative of a quantity, as LaTeX."""
    return rf"\frac{{\mathrm{{d}} {quantity}}}{{\mathrm{{d}} t}}"


def aligned(equations: Iterable[tuple[str, str]]) -> str:
    """A LaTeX ``align*`` environment of equations, each given by its two sides."""
    lines = [f"  {left} &= {right}" for left, right in equations]
    return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"])


def plain(formula: sympy.Expr) -> str:
    """A formula as text, with ``^`` for powers as in Antimony."""
    return str(formula).replace("**", "^")


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
