"""What a model may say that the ensemble engine cannot do right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import libsbml

from myelode.errors import UnsupportedModelError


def refuse_unsupported(document: Any, original: str) -> None:
    """Raise UnsupportedModelError for the first construct of a document that is not supported.

    `original` is the text as it was given: the canonical form has no word for fast reactions.
    """
    model = document.getModel()
    of_model = (_of_model(model), _of_reactions(model))
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
