"""What an SBML model consists of, as its reading needs it: what is kept, and every formula."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

import libsbml

from myelode.errors import ModelError


@dataclass(frozen=True)
class Formula:
    """A formula of the model.

    Attributes
    ----------
    math : MathML, as libSBML has it.
    where : what it belongs to, for messages.
    local : values of parameters that only this formula sees.
    """

    math: Any
    where: str
    local: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def names(self) -> frozenset[str]:
        """Ids that it uses."""
        return frozenset(_ids_in(self.math)) - self.local.keys()


@dataclass(frozen=True)
class Species:
    """A species.

    Attributes
    ----------
    is_amount : the id means the amount, else the concentration.
    is_quotient : the amount is kept, and the concentration that the id means follows from it; false
        where the id means the amount, or a rule gives it and no event sets the compartment's size.
    factor : id of the parameter by which extents of reactions become amounts, if there is one.
    """

    compartment: str
    is_amount: bool
    is_quotient: bool
    factor: str | None


@dataclass(frozen=True)
class Part:
    """A reaction's share in the change of a species.

    Attributes
    ----------
    sign : minus one for what it uses up.
    count : the stoichiometry, a number or the id of what varies.
    """

    reaction: str
    sign: float
    count: float | str


class Content:
    """One libSBML model in canonical form.

    Attributes
    ----------
    species, compartments, parameters : by id; parameters with the stoichiometries that vary.
    numbers : stoichiometries that have an id and do not vary.
    assignments, rate_rules, rates, initial : formulas by the id to which they give a value.
    """

    def __init__(self, model: Any):
        self.model = model
        self.functions = {
            item.getId(): item.getMath() for item in model.getListOfFunctionDefinitions()
        }
        self.assignments = dict(_rules(model, "isAssignment"))
        self.rate_rules = dict(_rules(model, "isRate"))
        self.initial = dict(_initial_assignments(model))
        self.rates = {item.getId(): _rate(item) for item in model.getListOfReactions()}
        self.species = {item.getId(): self._species(item) for item in model.getListOfSpecies()}
        self.compartments = {item.getId(): item for item in model.getListOfCompartments()}
        varying = dict(self._references(varying=True))
        self.parameters = {item.getId(): item for item in model.getListOfParameters()} | varying
        fixed = self._references(varying=False)
        self.numbers = {name: float(item.getStoichiometry()) for name, item in fixed}

    @cached_property
    def parts(self) -> Mapping[str, Sequence[Part]]:
        """What reactions do to each species that they change; boundary species they leave alone."""
        found: dict[str, list[Part]] = {
            item.getId(): []
            for item in self.model.getListOfSpecies()
            if not (item.getBoundaryCondition() or item.getConstant())
        }
        for reaction, sign, reference in _all_references(self.model):
            if reference.getSpecies() in found:
                part = Part(reaction.getId(), sign, self._count(reference))
                found[reference.getSpecies()].append(part)
        return {name: parts for name, parts in found.items() if parts}

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Ids of what is integrated."""
        return (*self.parts, *self.rate_rules)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Ids of all other values that no formula gives at all times."""
        computed = {*self.states, *self.assignments}
        known = (*self.compartments, *self.species, *self.parameters)
        return tuple(name for name in known if name not in computed)

    def kept_name(self, name: str) -> str:
        """What is kept for an id, in words."""
        return f"amount({name})" if self.is_quotient(name) else name

    def is_quotient(self, name: str) -> bool:
        """Whether an id means a concentration and its amount is kept."""
        return name in self.species and self.species[name].is_quotient

    def _species(self, item: Any) -> Species:
        name, home = item.getId(), item.getCompartment()
        compartment = self.model.getCompartment(home)
        if compartment is None:
            raise ModelError(f"{name}: no compartment {home!r}")
        is_point = compartment.isSetSpatialDimensions() and compartment.getSpatialDimensions() == 0
        is_amount = bool(item.getHasOnlySubstanceUnits() or is_point)
        resized = home in _set_by_events(self.model)
        ruled = name in self.assignments or (name in self.rate_rules and not resized)
        factor = item.getConversionFactor() or self.model.getConversionFactor() or None
        return Species(home, is_amount, not is_amount and not ruled, factor)

    def _references(self, varying: bool) -> Iterator[tuple[str, Any]]:
        """Stoichiometries that have an id."""
        computed = {*self.assignments, *self.rate_rules, *self.initial, *_set_by_events(self.model)}
        for _, _, reference in _all_references(self.model):
            if reference.isSetId() and (reference.getId() in computed) == varying:
                yield reference.getId(), reference

    def _count(self, reference: Any) -> float | str:
        name = reference.getId()
        return name if name in self.parameters else float(reference.getStoichiometry())


class Dependencies:
    """Which ids need which others.

    `homes` are compartments by the ids of species that are divided by their size. Raises ModelError
    for a circle.
    """

    def __init__(self, formulas: Mapping[str, Formula], homes: Mapping[str, str]):
        self._needs = {name: set(formula.names) for name, formula in formulas.items()}
        for name, home in homes.items():
            self._needs[name] = self._needs.get(name, set()) | {home}
        try:
            order = TopologicalSorter(self._needs).static_order()
            self._rank = {name: rank for rank, name in enumerate(order)}
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise ModelError(f"the model computes values in a circle: {circle}") from None

    def ahead_of(self, name: str, known: Container[str]) -> list[str]:
        """What an id needs that is not known yet, in an order in which it can be found."""
        found: set[str] = set()
        waiting = [*self._needs.get(name, ())]
        while waiting:
            one = waiting.pop()
            if one in self._needs and one not in found and one not in known:
                found.add(one)
                waiting.extend(self._needs[one])
        return sorted(found, key=self._rank.__getitem__)


def _ids_in(node: Any) -> Iterator[str]:
    """All ids in MathML."""
    waiting = [node] if node is not None else []
    while waiting:
        one = waiting.pop()
        if one.getType() == libsbml.AST_NAME:
            yield str(one.getName())
        waiting.extend(one.getChild(position) for position in range(one.getNumChildren()))


def _rules(model: Any, kind: str) -> Iterator[tuple[str, Formula]]:
    for rule in model.getListOfRules():
        if getattr(rule, kind)() and rule.isSetMath():
            name = str(rule.getVariable())
            yield name, Formula(rule.getMath(), f"the rule for {name}")


def _initial_assignments(model: Any) -> Iterator[tuple[str, Formula]]:
    for item in model.getListOfInitialAssignments():
        if item.isSetMath():
            name = str(item.getSymbol())
            yield name, Formula(item.getMath(), f"the initial assignment of {name}")


def _rate(reaction: Any) -> Formula:
    law = reaction.getKineticLaw()
    local = {item.getId(): float(item.getValue()) for item in law.getListOfLocalParameters()}
    return Formula(law.getMath(), f"reaction {reaction.getId()}", local)


def _set_by_events(model: Any) -> Iterator[str]:
    for event in model.getListOfEvents():
        for assignment in event.getListOfEventAssignments():
            yield str(assignment.getVariable())


def _all_references(model: Any) -> Iterator[tuple[Any, float, Any]]:
    """Reactions with each of their references, and the sign of what happens to it."""
    for reaction in model.getListOfReactions():
        for sign, references in (
            (-1.0, reaction.getListOfReactants()),
            (1.0, reaction.getListOfProducts()),
        ):
            for reference in references:
                yield reaction, sign, reference
