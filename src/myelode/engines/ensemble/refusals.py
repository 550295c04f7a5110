"""What a model may say that the ensemble engine cannot do right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import libsbml

from myelode.errors import UnsupportedModelError


def refuse_unsupported(document: Any, original: str) -> None:
    """Raise UnsupportedModelError for the first construct of a document that is not supported.

    `original` is the text as it was given: the canonical form has no word for fast reactions.
    """
    model = document.getModel()
    of_model = (_of_model(model), _of_reactions(model), _of_chance(model))
    for construct in chain(_packages(document), _fast(original), *of_model):
        raise UnsupportedModelError(f"{construct}: not supported by the ensemble engine")


def _packages(document: Any) -> Iterator[str]:
    for position in range(document.getNumPlugins()):
        package = document.getPlugin(position).getPackageName()
        if package != "l3v2extendedmath" and document.getPackageRequired(package):
            yield f"SBML package {package!r}"
        if package == "fbc":
            yield "flux balance (SBML package 'fbc')"


def _fast(original: str) -> Iterator[str]:
    if "fast=" not in original:
        return  # which spares a second reading
    document = libsbml.readSBMLFromString(original)  # its parts do not outlive it
    for reaction in document.getModel().getListOfReactions():
        if reaction.isSetFast() and reaction.getFast():
            yield f"fast reaction {reaction.getId()!r}"


def _of_model(model: Any) -> Iterator[str]:
    if any(rule.isAlgebraic() for rule in model.getListOfRules()):
        yield "an algebraic rule"
    if model.getElementBySId("time") is not None:
        yield "an id called 'time', which means the time itself"


def _of_reactions(model: Any) -> Iterator[str]:
    computed = {rule.getVariable() for rule in model.getListOfRules()}
    computed |= {item.getSymbol() for item in model.getListOfInitialAssignments()}
    for reaction in model.getListOfReactions():
        name = reaction.getId()
        if not reaction.isSetKineticLaw():
            yield f"reaction {name!r} without a rate"
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            known = reference.isSetStoichiometry() or reference.getId() in computed - {""}
            if not known:
                yield f"a stoichiometry without a value, in reaction {name!r}"


def _of_chance(model: Any) -> Iterator[str]:
    """Events with one trigger of which chance says the one that takes place.

    They are triggered together, the first undoes the trigger, and what is not persistent then does
    not take place: SBML has the first drawn by lot where no priority orders them.
    """
    for one, other in combinations(filter(_can_be_undone, model.getListOfEvents()), 2):
        if _trigger(one) == _trigger(other) and not _ordered(one, other):
            yield f"events {one.getId()!r} and {other.getId()!r}, between which chance decides"


def _can_be_undone(event: Any) -> bool:
    """Whether an event is not persistent and sets something that its own trigger depends on."""
    trigger = event.getTrigger()
    if trigger is None or not trigger.isSetMath() or trigger.getPersistent():
        return False
    names = set(re.findall(r"\w+", _trigger(event)))
    return any(item.getVariable() in names for item in event.getListOfEventAssignments())


def _trigger(event: Any) -> str:
    return str(libsbml.formulaToL3String(event.getTrigger().getMath()))


def _ordered(one: Any, other: Any) -> bool:
    """Whether both have priorities that are different numbers."""
    numbers = [_priority(event) for event in (one, other)]
    return None not in numbers and numbers[0] != numbers[1]


def _priority(event: Any) -> float | None:
    """The priority, if it is a plain number."""
    math = event.getPriority().getMath() if event.isSetPriority() else None
    return float(math.getValue()) if math is not None and math.isNumber() else None
