"""Refuse what would harm or mislead the SBML libraries, before they see it.

Models come from strangers. A text passes, in this order:

1. `check_sbml` or `check_antimony`: whatever crashes, hangs, reads files or is silently misread
   is refused in milliseconds, with one line that says what, where and what would be right;
2. `check_in_subprocess`, for files from strangers: the libraries load it where they may die;
3. libSBML's own consistency check (not here);
4. `lint_sbml`: what is accepted silently although nobody can have meant it.

An Antimony text becomes SBML on the way, and a model with submodels a flat one: each new text
is checked as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from myelode.errors import ModelError
from myelode.preflight.antimony import check_antimony
from myelode.preflight.dependencies import dependency_faults, submodel_faults
from myelode.preflight.findings import Findings, errors, warnings
from myelode.preflight.formulas import formula_faults
from myelode.preflight.isolation import check_in_subprocess
from myelode.preflight.references import reference_faults
from myelode.preflight.scopes import (
    Fault,
    Scope,
    external_definitions,
    scopes,
    unsupported,
)
from myelode.preflight.tree import Element, parse_sbml

__all__ = [
    "Findings",
    "check_antimony",
    "check_in_subprocess",
    "check_sbml",
    "lint_sbml",
    "refuse_silent_faults",
]


def check_sbml(text: str, where: str, *, may_refer: bool = False) -> None:
    """Pass, or raise for the first thing that libSBML or libRoadRunner could not bear.

    Parameters
    ----------
    text : SBML, level 1 version 2, level 2 or level 3.
    where : what to call the text in messages, usually its path.
    may_refer : whether submodels may stand in other files, which `read_externals` checks.

    Raises
    ------
    UnsupportedModelError : valid SBML that no engine reads.
    ModelError : anything else that must not be loaded.
    """
    _checked(text, where, may_refer)


def lint_sbml(text: str, where: str) -> Findings:
    """What the libraries accept silently, of a text that passes `check_sbml`.

    Submodels may replace anything in one another, so such a model gives no findings until it
    is flat.

    Raises
    ------
    ModelError : the text does not pass.
    """
    model = scopes(_checked(text, where, may_refer=False))[0]
    if model.kind("submodel"):
        return Findings()
    return Findings(
        tuple(fault.message(where) for fault in errors(model)),
        tuple(fault.message(where) for fault in warnings(model)),
    )


def refuse_silent_faults(text: str, where: str) -> None:
    """As `check_sbml`, and raise the first error of `lint_sbml`: what nobody can have meant."""
    for message in lint_sbml(text, where).errors:
        raise ModelError(message)


def _checked(text: str, where: str, may_refer: bool) -> Element:
    root = parse_sbml(text, where)
    for fault in () if may_refer else _external_models(root):
        raise fault.error(where)
    for fault in _faults(root):
        raise fault.error(where)
    return root


def _faults(root: Element) -> Iterator[Fault]:
    """Faults in an order in which each check may rely on those before it."""
    models = scopes(root)
    for scope in models:
        yield from _fast_reactions(scope)
        yield from reference_faults(scope)
        yield from formula_faults(scope)
        yield from dependency_faults(scope)
    yield from submodel_faults(models, [other.id for other in external_definitions(root)])


def _fast_reactions(scope: Scope) -> Iterator[Fault]:
    """Reactions that are to be at equilibrium at all times; the libraries read past the word."""
    for reaction in scope.kind("reaction"):
        if reaction.attributes.get("fast") in ("true", "1"):
            yield unsupported(
                reaction.line,
                f"the reaction {reaction.id!r} is fast, which no engine does; "
                "give it a large rate constant instead",
            )


def _external_models(root: Element) -> Iterator[Fault]:
    for definition in external_definitions(root):
        yield unsupported(
            definition.line,
            f"the model {definition.id!r} stands in another file, which is opened only beside a "
            "model that is a file itself; write it into this one",
        )
