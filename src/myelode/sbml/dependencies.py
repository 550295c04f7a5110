"""Which initial values of a model follow from which other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from myelode.sbml import read_sbml


def initial_dependencies(sbml: str) -> Mapping[str, frozenset[str]]:
    """What each initial assignment uses, by the id that it sets.

    Ids count that it uses directly, or through other assignments, rules and reaction rates.
    """
    model = read_sbml(sbml, "the model").getModel()
    assigned = {item.getSymbol(): item.getMath() for item in model.getListOfInitialAssignments()}
    formulas = {
        **{rule.getVariable(): rule.getMath() for rule in _assignment_rules(model)},
        **{reaction.getId(): _rate(reaction) for reaction in model.getListOfReactions()},
        **assigned,
    }
    used = {name: set(_ids_in(formula)) for name, formula in formulas.items()}
    return {name: _closure(name, used) for name in assigned}


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


def _closure(name: str, used: Mapping[str, set[str]]) -> frozenset[str]:
    """All ids that a formula uses, and those that their formulas use."""
    found: set[str] = set()
    fresh = {name}
    while fresh:
        fresh = {other for known in fresh for other in used.get(known, ())} - found
        found |= fresh
    return frozenset(found)
