"""An independent reading of a model: its differential equations as formulas and as functions.

The path is libSBML, sympy, NumPy; libRoadRunner has no part in it, so that the two can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from myelode.errors import ScenarioError, best_matches

if TYPE_CHECKING:
    import sympy

    from myelode.equations.numeric import Function
    from myelode.equations.system import ReactionSystem

_OF_SPECIES = re.compile(r"(amount|concentration)\((\w+)\)")


def derive(sbml: str) -> Equations:
    """The equations of a model.

    Raises ModelError for what is wrong and UnsupportedModelError for what cannot be done right.
    """
    from myelode.equations.system import read_system

    return Equations(read_system(sbml))


@dataclass(frozen=True)
class Equations:
    """The equations of a model, ``dy/dt = f(t, y, p)``.

    A state y is the amount of a species that reactions change, or the value of what a rate rule
    changes. The constants p are parameters, compartments and the amounts of all other species.
    """

    system: ReactionSystem

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Ids of the states."""
        return (*self.system.stoichiometry, *self.system.rate_rules)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Ids of all other values that nothing computes."""
        computed = {*self.states, *self.system.assignments, *self.system.rates}
        return tuple(name for name in self._ids if name not in computed)

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        system = self.system
        return (*system.compartments, *system.species, *system.parameters)

    @cached_property
    def derivatives(self) -> Mapping[str, sympy.Expr]:
        """The derivative of each state, in terms of states and constants."""
        from myelode.equations.system import net_rate

        rows = {
            name: net_rate(row, self._meanings) for name, row in self.system.stoichiometry.items()
        }
        rules = {name: self._expand(rule) for name, rule in self.system.rate_rules.items()}
        return {**rows, **rules}

    def jacobian(self) -> sympy.SparseMatrix:
        """How each derivative depends on each state: rows derivatives, columns states."""
        import sympy

        places = {name: place for place, name in enumerate(self.states)}
        entries = {
            (places[row], places[column]): slope
            for row, slopes in self._slopes().items()
            for column, slope in slopes.items()
        }
        return sympy.SparseMatrix(len(places), len(places), entries)

    def right_hand_side(self) -> Function:
        """The derivatives as a function f(t, y, p)."""
        return self._compiled(list(self.derivatives.values()), clamp=True)

    def jacobian_function(self) -> Function:
        """The Jacobian as a function f(t, y, p) that gives a dense array."""
        matrix = self.jacobian()
        places = sorted(matrix.todok())
        entries = self._compiled([matrix[place] for place in places], clamp=True)
        rows, columns = np.array(places, dtype=int).reshape(-1, 2).T

        def dense(time: float, state: np.ndarray, constants: np.ndarray) -> np.ndarray:
            values = np.zeros(matrix.shape)
            values[rows, columns] = entries(time, state, constants)
            return values

        return dense

    def quantities(self, outputs: Sequence[str]) -> Function:
        """Values of any ids, ``amount(X)``, ``concentration(X)`` or ``time``, as f(t, y, p)."""
        return self._compiled([self.quantity(output) for output in outputs], clamp=False)

    def quantity(self, output: str) -> sympy.Expr:
        """What an output is, in terms of states and constants."""
        from myelode.equations.mathml import TIME

        match = _OF_SPECIES.fullmatch(output)
        if match is None:
            return TIME if output == "time" else self._meaning(output)
        kind, name = match.groups()
        if name not in self.system.species:
            hint = best_matches(name, self.system.species)
            raise ScenarioError(f"{output}: the model has no species {name!r}{hint}")
        species = self.system.species[name]
        value, size = self._meaning(name), self._meaning(species.compartment)
        if species.is_amount == (kind == "amount"):
            return value
        return value * size if kind == "amount" else value / size

    def start(self, changes: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """States and constants at time zero, with `changes` and all that follows from them."""
        values = self.initial_values(changes)
        for name, species in self.system.species.items():
            if species.is_quotient:
                values[name] *= values[species.compartment]
        state = np.array([values[name] for name in self.states], dtype=float)
        return state, np.array([values[name] for name in self.constants], dtype=float)

    def initial_values(self, changes: Mapping[str, float]) -> dict[str, float]:
        """Every value at time zero by id, in the model's own mathematics, as `start` has it."""
        self.require_changeable(changes)
        values = {"time": 0.0}
        for name, formula in self._starts.items():
            values[name] = float(changes[name]) if name in changes else formula(values)
        return values

    def require_changeable(self, changes: Iterable[str]) -> None:
        """Refuse ids that the model does not have, or computes itself."""
        for name in changes:
            if name in self.system.assignments or name in self.system.rates:
                raise ScenarioError(f"{name} cannot be changed: the model computes it")
            if name not in self._ids:
                hint = best_matches(name, self._ids)
                raise ScenarioError(f"the model has no value {name!r} to change{hint}")

    def is_quotient(self, name: str) -> bool:
        """Whether an id means a concentration that y or p holds as an amount."""
        return self.system.is_quotient(name)

    def conserved_totals(self) -> tuple[str, ...]:
        """Sums of amounts that no reaction changes, such as ``amount(E) + amount(ES)``."""
        from myelode.equations.conservation import conserved_weights, written

        return tuple(
            written({self.system.kept(name): weight for name, weight in weights.items()})
            for weights in conserved_weights(self.system.stoichiometry)
        )

    def latex(self, full: bool = False) -> str:
        """The equations in LaTeX, through reaction rates v or, if `full`, written out."""
        from myelode.equations.typesetting import system_in_latex

        return system_in_latex(self.system, full)

    def text(self) -> str:
        """The equations in plain text: derivatives, then rates, then assigned values."""
        from myelode.equations.typesetting import system_in_text

        return system_in_text(self.system)

    @cached_property
    def _symbols(self) -> Mapping[str, sympy.Symbol]:
        """The symbol of each state and constant."""
        from myelode.equations.mathml import symbol

        return {name: symbol(self.system.kept(name)) for name in (*self.states, *self.constants)}

    @cached_property
    def _meanings(self) -> Mapping[str, sympy.Expr]:
        """Every id in terms of states and constants."""
        from myelode.equations.mathml import symbol

        formulas = {**self.system.assignments, **self.system.rates}
        meanings: dict[str, sympy.Expr] = {}
        replaced: dict[sympy.Symbol, sympy.Expr] = {}
        for name in dict.fromkeys((*self.system.order, *self._ids)):
            if name in formulas:
                meanings[name] = formulas[name].xreplace(replaced)
            elif self.is_quotient(name):
                compartment = self.system.species[name].compartment
                meanings[name] = self._symbols[name] / meanings[compartment]
            else:
                meanings[name] = self._symbols[name]
            replaced[symbol(name)] = meanings[name]
        return meanings

    def _meaning(self, name: str) -> sympy.Expr:
        if name not in self._meanings:
            hint = best_matches(name, self._meanings)
            raise ScenarioError(f"the model has no value {name!r}{hint}")
        return self._meanings[name]

    def _expand(self, formula: sympy.Expr) -> sympy.Expr:
        from myelode.equations.mathml import symbol

        return formula.xreplace({symbol(name): text for name, text in self._meanings.items()})

    def _slopes(self) -> Mapping[str, Mapping[str, sympy.Expr]]:
        """The entries of the Jacobian that are not zero."""
        rates = {name: self._gradient(self._meanings[name]) for name in self.system.rates}
        rows = {name: _combined(row, rates) for name, row in self.system.stoichiometry.items()}
        rules = {name: self._gradient(self.derivatives[name]) for name in self.system.rate_rules}
        return {**rows, **rules}

    def _gradient(self, formula: sympy.Expr) -> dict[str, sympy.Expr]:
        from myelode.equations.numeric import slope

        involved = formula.free_symbols
        return {
            name: slope(formula, self._symbols[name])
            for name in self.states
            if self._symbols[name] in involved
        }

    def _compiled(self, formulas: Sequence[sympy.Expr], clamp: bool) -> Function:
        from myelode.equations.numeric import clamped_power, compiled

        states = [self._symbols[name] for name in self.states]
        constants = [self._symbols[name] for name in self.constants]
        return compiled(formulas, states, constants, clamped_power if clamp else np.power)

    @cached_property
    def _starts(self) -> Mapping[str, Callable[[Mapping[str, float]], float]]:
        from myelode.equations.numeric import compiled_start

        return {name: compiled_start(formula) for name, formula in self.system.initial.items()}


def _combined(
    row: Mapping[str, Fraction], gradients: Mapping[str, Mapping[str, sympy.Expr]]
) -> dict[str, sympy.Expr]:
    """The gradient of such a sum."""
    from myelode.equations.system import net_rate

    involved = dict.fromkeys(state for reaction in row for state in gradients[reaction])
    return {
        state: net_rate(
            {reaction: count for reaction, count in row.items() if state in gradients[reaction]},
            {reaction: gradients[reaction].get(state) for reaction in row},
        )
        for state in involved
    }
