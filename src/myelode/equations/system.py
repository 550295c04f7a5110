"""What an SBML model says, as formulas: states, rates, rules and initial values.

Import this module inside functions only: it imports sympy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import Any

import libsbml
import sympy

from myelode.equations.mathml import TIME, Translator, symbol
from myelode.errors import ModelError, UnsupportedModelError
from myelode.sbml import canonical


@dataclass(frozen=True)
class Species:
    """Where a species is and what its id means.

    Attributes
    ----------
    is_amount : the id means the amount, else the concentration.
    is_quotient : the amount is what changes or stays, and the concentration follows from it; false
        where the id means the amount or a rule gives the value.
    """

    compartment: str
    is_amount: bool
    is_quotient: bool


@dataclass(frozen=True)
class ReactionSystem:
    """A model in its own mathematics: an id stands for its value, ``time`` for the time.

    Attributes
    ----------
    species, compartments, parameters : everything that has a value; parameters that belong to one
        reaction are called ``reaction_parameter``.
    stoichiometry : for each species that reactions change, how much each reaction makes of it.
    rates : rate of each reaction, in extent per time.
    rate_rules : derivatives that the model states itself.
    assignments : values that are computed at all times.
    order : ids with a formula, and those that they use, such that each comes after what it uses.
    initial : value of every id at the start, in such an order.
    """

    species: Mapping[str, Species]
    compartments: tuple[str, ...]
    parameters: tuple[str, ...]
    stoichiometry: Mapping[str, Mapping[str, Fraction]]
    rates: Mapping[str, sympy.Expr]
    rate_rules: Mapping[str, sympy.Expr]
    assignments: Mapping[str, sympy.Expr]
    order: tuple[str, ...]
    initial: Mapping[str, sympy.Expr]

    def is_quotient(self, name: str) -> bool:
        """Whether an id means a concentration that follows from an amount."""
        return name in self.species and self.species[name].is_quotient

    def kept(self, name: str) -> str:
        """What the equations keep for an id, in words: itself, or its amount."""
        return f"amount({name})" if self.is_quotient(name) else name


def net_rate(row: Mapping[str, Fraction], rates: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The sum of reaction rates, each times how much the reaction makes."""
    return sympy.Add(*(sympy.Rational(count) * rates[reaction] for reaction, count in row.items()))


def read_system(sbml: str) -> ReactionSystem:
    """The system that an SBML text describes.

    Raises ModelError for what is wrong and UnsupportedModelError for what cannot be done right.
    """
    document = libsbml.readSBMLFromString(canonical(sbml, "the model"))
    _refuse(_fast_reactions(libsbml.readSBMLFromString(sbml)))
    _refuse(_unsupported(document))
    return _Reader(document.getModel()).read()


def dependency_order(formulas: Mapping[str, sympy.Expr], extra: Mapping[str, str]) -> list[str]:
    """Ids such that each comes after those that its formula uses; `extra` adds one id for an id.

    Raises ModelError for a circle.
    """
    graph = {name: _ids(formula) for name, formula in formulas.items()}
    for name, other in extra.items():
        graph.setdefault(name, set()).add(other)
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ModelError(f"the model computes values in a circle: {circle}") from None


def _ids(formula: sympy.Expr) -> set[str]:
    return {free.name for free in formula.free_symbols if free != TIME}


def _refuse(constructs: Iterable[str]) -> None:
    for construct in constructs:
        raise UnsupportedModelError(f"{construct}: not supported by the equations")


def _fast_reactions(document: Any) -> Iterator[str]:
    """Fast reactions of the text as it was given: Level 3 Version 2 has no word for them."""
    for reaction in document.getModel().getListOfReactions():
        if reaction.isSetFast() and reaction.getFast():
            yield f"fast reaction {reaction.getId()!r}"


def _unsupported(document: Any) -> Iterator[str]:
    model = document.getModel()
    for position in range(document.getNumPlugins()):
        package = document.getPlugin(position).getPackageName()
        if package != "l3v2extendedmath" and document.getPackageRequired(package):
            yield f"SBML package {package!r}"
    for event in model.getListOfEvents():
        yield f"event {event.getId()!r}"
    for rule in model.getListOfRules():
        if rule.isAlgebraic():
            yield "an algebraic rule"
    if model.getElementBySId("time") is not None:
        yield "an id called 'time', which means the time itself"
    if model.isSetConversionFactor():
        yield "the model's conversion factor"
    for species in model.getListOfSpecies():
        if species.isSetConversionFactor():
            yield f"the conversion factor of {species.getId()!r}"
    for reaction in model.getListOfReactions():
        yield from _unsupported_in(reaction, _computed_ids(model))


def _unsupported_in(reaction: Any, computed: set[str]) -> Iterator[str]:
    name = reaction.getId()
    if not reaction.isSetKineticLaw():
        yield f"reaction {name!r} without a rate"
    for reference in _references(reaction):
        if reference.isSetStoichiometryMath() or reference.getId() in computed:
            yield f"a stoichiometry that is computed, in reaction {name!r}"
        elif not reference.isSetStoichiometry():
            yield f"a stoichiometry without a value, in reaction {name!r}"


def _computed_ids(model: Any) -> set[str]:
    rules = {rule.getVariable() for rule in model.getListOfRules()}
    return (rules | {item.getSymbol() for item in model.getListOfInitialAssignments()}) - {""}


def _references(reaction: Any) -> list[Any]:
    return [*reaction.getListOfReactants(), *reaction.getListOfProducts()]


class _Reader:
    """Reads one libSBML model."""

    def __init__(self, model: Any):
        self.model = model
        self.ruled = {rule.getVariable() for rule in model.getListOfRules()}
        self.species = {item.getId(): self._species(item) for item in model.getListOfSpecies()}
        self.names = dict(self._names())
        self.functions = {
            function.getId(): function.getMath()
            for function in model.getListOfFunctionDefinitions()
        }
        self.local = dict(self._local_parameters())
        self.rates = {item.getId(): self._rate(item) for item in model.getListOfReactions()}
        self.assignments = dict(self._rules("isAssignment"))

    def read(self) -> ReactionSystem:
        """The whole system."""
        parameters = (item.getId() for item in self.model.getListOfParameters())
        return ReactionSystem(
            species=self.species,
            compartments=tuple(item.getId() for item in self.model.getListOfCompartments()),
            parameters=(*parameters, *self.local),
            stoichiometry=self._stoichiometry(),
            rates=self.rates,
            rate_rules=dict(self._rules("isRate")),
            assignments=self.assignments,
            order=tuple(self._order()),
            initial=self._initial(),
        )

    def _species(self, item: Any) -> Species:
        compartment = self.model.getCompartment(item.getCompartment())
        if compartment is None:
            raise ModelError(f"{item.getId()}: no compartment {item.getCompartment()!r}")
        is_point = compartment.isSetSpatialDimensions() and compartment.getSpatialDimensions() == 0
        is_amount = bool(item.getHasOnlySubstanceUnits() or is_point)
        is_quotient = not is_amount and item.getId() not in self.ruled
        return Species(str(item.getCompartment()), is_amount, is_quotient)

    def _names(self) -> Iterator[tuple[str, sympy.Expr]]:
        model = self.model
        for items in (
            model.getListOfCompartments(),
            model.getListOfSpecies(),
            model.getListOfParameters(),
            model.getListOfReactions(),
        ):
            yield from ((item.getId(), symbol(item.getId())) for item in items)
        for reaction in model.getListOfReactions():
            for reference in _references(reaction):
                if reference.isSetId():
                    yield reference.getId(), sympy.Float(reference.getStoichiometry())

    def _local_parameters(self) -> Iterator[tuple[str, float]]:
        for reaction in self.model.getListOfReactions():
            for item in reaction.getKineticLaw().getListOfLocalParameters():
                yield f"{reaction.getId()}_{item.getId()}", float(item.getValue())

    def _rate(self, reaction: Any) -> sympy.Expr:
        law = reaction.getKineticLaw()
        local = {
            item.getId(): symbol(f"{reaction.getId()}_{item.getId()}")
            for item in law.getListOfLocalParameters()
        }
        return self._translate(law, f"reaction {reaction.getId()}", local)

    def _rules(self, kind: str) -> Iterator[tuple[str, sympy.Expr]]:
        for rule in self.model.getListOfRules():
            if getattr(rule, kind)():
                name = rule.getVariable()
                yield name, self._translate(rule, f"the rule for {name}")

    def _translate(
        self, holder: Any, where: str, local: Mapping[str, sympy.Expr] | None = None
    ) -> sympy.Expr:
        names = {**self.names, **(local or {})}
        return Translator(names, self.functions, where).number(holder.getMath())

    def _stoichiometry(self) -> dict[str, dict[str, Fraction]]:
        """What reactions change; boundary species they leave alone."""
        rows: dict[str, dict[str, Fraction]] = {
            item.getId(): {}
            for item in self.model.getListOfSpecies()
            if not (item.getBoundaryCondition() or item.getConstant())
        }
        for reaction in self.model.getListOfReactions():
            for sign, references in (
                (-1, reaction.getListOfReactants()),
                (1, reaction.getListOfProducts()),
            ):
                for reference in references:
                    if reference.getSpecies() in rows:
                        row = rows[reference.getSpecies()]
                        count = sign * Fraction(repr(reference.getStoichiometry()))
                        row[reaction.getId()] = row.get(reaction.getId(), Fraction(0)) + count
        return {name: row for name, row in rows.items() if row}

    def _order(self) -> list[str]:
        homes = {name: item.compartment for name, item in self.species.items() if item.is_quotient}
        return dependency_order({**self.assignments, **self.rates}, homes)

    def _initial(self) -> dict[str, sympy.Expr]:
        formulas = dict(self._default_values())
        for item in self.model.getListOfInitialAssignments():
            name = item.getSymbol()
            formulas[name] = self._translate(item, f"the initial assignment of {name}")
        formulas |= self.assignments
        order = dependency_order({**formulas, **self.rates}, {})
        return {name: formulas.get(name, self.rates.get(name)) for name in order}

    def _default_values(self) -> Iterator[tuple[str, sympy.Expr]]:
        for item in self.model.getListOfCompartments():
            yield item.getId(), sympy.Float(item.getSize() if item.isSetSize() else 1.0)
        for item in self.model.getListOfParameters():
            yield item.getId(), sympy.Float(item.getValue())
        for name, value in self.local.items():
            yield name, sympy.Float(value)
        for item in self.model.getListOfSpecies():
            yield item.getId(), self._initial_species(item)

    def _initial_species(self, item: Any) -> sympy.Expr:
        species = self.species[item.getId()]
        size = symbol(species.compartment)
        if item.isSetInitialConcentration():
            value = sympy.Float(item.getInitialConcentration())
            return value * size if species.is_amount else value
        amount = sympy.Float(item.getInitialAmount() if item.isSetInitialAmount() else "nan")
        return amount if species.is_amount else amount / size
