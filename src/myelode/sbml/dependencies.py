"""Which values of a model follow from which others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from myelode.sbml import read_sbml


def initial_dependencies(sbml: str) -> Mapping[str, frozenset[str]]:
    """What each initial assignment uses, by the id that it sets.

    Ids count that it uses directly, or through other assignments, rules and reaction rates.
    """
    model = read_sbml(sbml, "the model").getModel()
    assigned = {item.getSymbol(): item.getMath() for item in model.getListOfInitialAssignments()}
    used = _used_by({**_standing_formulas(model), **assigned})
    return {name: _closure([name], used) for name in assigned}


def idle_species(sbml: str) -> frozenset[str]:
    """Species on which nothing that happens depends: ledgers and end products."""
    model = read_sbml(sbml, "the model").getModel()
    used = _used_by(_standing_formulas(model))
    driving = [reaction.getId() for reaction in model.getListOfReactions()]
    for formula in _driving_formulas(model):
        driving += _ids_in(formula)
    species = {element.getId() for element in model.getListOfSpecies()}
    return frozenset(species - _closure(driving, used) - set(driving))


def _standing_formulas(model: Any) -> dict[str, Any]:
    """The formulas that hold at any time, by what they give: assignment rules and rates."""
    return {
        **{rule.getVariable(): rule.getMath() for rule in _assignment_rules(model)},
        **{reaction.getId(): _rate(reaction) for reaction in model.getListOfReactions()},
    }


def _driving_formulas(model: Any) -> Iterator[Any]:
    """What changes values, other than reactions: rates, constraints between values, events."""
    for rule in model.getListOfRules():
        if not rule.isAssignment():
            yield rule.getMath()
    for event in model.getListOfEvents():
        parts = (event.getTrigger(), event.getDelay(), event.getPriority())
        yield from (part.getMath() for part in parts if part is not None)
        yield from (change.getMath() for change in event.getListOfEventAssignments())


def _used_by(formulas: Mapping[str, Any]) -> dict[str, set[str]]:
    return {name: set(_ids_in(formula)) for name, formula in formulas.items()}


def _assignment_rules(model: Any) -> list[Any]:
    return [rule for rule in model.getListOfRules() if rule.isAssignment()]


def _rate(reaction: Any) -> Any:
    return reaction.getKineticLaw().getMath() if reaction.isSetKineticLaw() else None


def _ids_in(node: Any) -> Iterator[str]:
    if node is None:
        return
    if node.isName():
        yield str(node.getName())
    for position in range(node.getNumChildren()):
        yield from _ids_in(node.getChild(position))


def _closure(names: Iterable[str], used: Mapping[str, set[str]]) -> frozenset[str]:
    """All ids that the formulas of some names use, and those that their formulas use."""
    found: set[str] = set()
    fresh = set(names)
    while fresh:
        fresh = {other for known in fresh for other in used.get(known, ())} - found
        found |= fresh
    return frozenset(found)
