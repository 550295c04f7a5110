"""What libRoadRunner does not do right, or is not relied on for, construct by construct.

`DOUBTS` is the table: what to look for in a model, and what goes wrong. ``auto`` sends a model with
one of them to the ensemble engine even for a single run, and refuses it where that engine cannot
do it either. What is not known to be done right counts as doubtful: the operators that
libRoadRunner is trusted with are listed, not those that it is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from myelode.sbml import read_sbml


@dataclass(frozen=True)
class Doubt:
    """A construct, what libRoadRunner makes of it, and how to tell that a libSBML model has it."""

    construct: str
    why: str
    stands_in: Callable[[Any], bool]


@lru_cache(maxsize=64)
def doubt_about(sbml: str) -> str:
    """Why libRoadRunner is not to be trusted with a model, in a few words; "" where it is."""
    document = read_sbml(sbml, "the model")
    model = document.getModel()
    found = next((doubt for doubt in DOUBTS if doubt.stands_in(model)), None)
    return f"{found.construct}: libRoadRunner {found.why}" if found else ""


def _has_events(model: Any) -> bool:
    return bool(model.getNumEvents())


def _has_changing_compartment(model: Any) -> bool:
    ids = {item.getId() for item in model.getListOfCompartments()}
    return any(rule.getVariable() in ids for rule in model.getListOfRules())


def _has_point(model: Any) -> bool:
    return any(
        item.isSetSpatialDimensions() and item.getSpatialDimensionsAsDouble() == 0
        for item in model.getListOfCompartments()
    )


def _has_named_stoichiometry(model: Any) -> bool:
    return any(
        item.isSetId() or not item.getConstant() or not item.isSetStoichiometry()
        for item in _references(model)
    )


def _references(model: Any) -> Iterator[Any]:
    for reaction in model.getListOfReactions():
        yield from reaction.getListOfReactants()
        yield from reaction.getListOfProducts()


def _has_conversion_factor(model: Any) -> bool:
    species = model.getListOfSpecies()
    return bool(model.isSetConversionFactor() or any(s.isSetConversionFactor() for s in species))


def _has_missing_formula(model: Any) -> bool:
    return any(math_ is None for math_ in _formulas(model))


def _has_missing_value(model: Any) -> bool:
    given = {rule.getVariable() for rule in model.getListOfRules()}
    given |= {item.getSymbol() for item in model.getListOfInitialAssignments()}
    return any(
        not (_is_stated(item) or item.getId() in given)
        for items in (
            model.getListOfParameters(), model.getListOfCompartments(), model.getListOfSpecies()
        )
        for item in items
    )  # fmt: skip


def _is_stated(item: Any) -> bool:
    """Whether an element states a finite number for itself."""
    for kind in ("Value", "Size", "InitialAmount", "InitialConcentration"):
        if hasattr(item, f"isSet{kind}") and getattr(item, f"isSet{kind}")():
            return math.isfinite(getattr(item, f"get{kind}")())
    return False


def _has_clash(model: Any) -> bool:
    return model.getElementBySId("time") is not None


def _has_jump(model: Any) -> bool:
    waiting = [formula for formula in _formulas(model) if formula is not None]
    while waiting:
        node = waiting.pop()
        if not (_is_bend(node) or _is_trusted(node)):
            return True
        waiting += [node.getChild(place) for place in range(node.getNumChildren())][_shown(node)]
    return False


def _shown(node: Any) -> slice:
    """Which parts of a formula are to be looked at: of a bend, its two values."""
    return slice(0, None, 2) if _is_bend(node) else slice(None)


def _is_bend(node: Any) -> bool:
    """Whether a choice takes the smaller or the larger of two values, so that nothing jumps."""
    import libsbml

    if node.getType() != libsbml.AST_FUNCTION_PIECEWISE or node.getNumChildren() != 3:
        return False
    one, condition, other = (node.getChild(place) for place in range(3))
    if not condition.isRelational() or condition.getNumChildren() != 2:
        return False
    compared = {libsbml.formulaToL3String(condition.getChild(place)) for place in range(2)}
    return compared == {libsbml.formulaToL3String(one), libsbml.formulaToL3String(other)}


def _is_trusted(node: Any) -> bool:
    if node.isNumber():
        return math.isfinite(node.getValue())
    return node.getType() in _trusted()


@lru_cache
def _trusted() -> frozenset[int]:
    import libsbml

    names = """
        NAME NAME_TIME NAME_AVOGADRO CONSTANT_E CONSTANT_PI LAMBDA FUNCTION
        PLUS MINUS TIMES DIVIDE POWER FUNCTION_POWER FUNCTION_ROOT FUNCTION_EXP FUNCTION_LN
        FUNCTION_LOG FUNCTION_ABS FUNCTION_MIN FUNCTION_MAX FUNCTION_SIN FUNCTION_COS FUNCTION_TAN
        FUNCTION_SINH FUNCTION_COSH FUNCTION_TANH
    """.split()
    return frozenset(getattr(libsbml, f"AST_{name}") for name in names)


def _formulas(model: Any) -> Iterator[Any]:
    """Every formula of a model, None for one that is missing."""
    for items in (
        model.getListOfFunctionDefinitions(),
        model.getListOfRules(),
        model.getListOfInitialAssignments(),
    ):
        yield from (item.getMath() for item in items)
    for reaction in model.getListOfReactions():
        yield reaction.getKineticLaw().getMath() if reaction.isSetKineticLaw() else None


DOUBTS = (
    Doubt(
        "an event",
        "does not see a trigger that holds for less than one of its steps",
        _has_events,
    ),
    Doubt(
        "a formula that is missing",
        "does not say what it takes for it",
        _has_missing_formula,
    ),
    Doubt(
        "a value that is missing or not finite",
        "does not say what it takes for it",
        _has_missing_value,
    ),
    Doubt(
        "a formula that jumps or is seldom used",
        "can step over what holds for less than one of its steps",
        _has_jump,
    ),
    Doubt(
        "a compartment whose size a rule gives",
        "is not relied on for concentrations in it",
        _has_changing_compartment,
    ),
    Doubt(
        "a compartment without extension",
        "is not relied on for what is in it",
        _has_point,
    ),
    Doubt(
        "a stoichiometry with a name, or one that varies",
        "is not asked for it by its name",
        _has_named_stoichiometry,
    ),
    Doubt(
        "a conversion factor",
        "is not relied on to apply it to doses",
        _has_conversion_factor,
    ),
    Doubt(
        "an id called 'time'",
        "is asked for the time by it",
        _has_clash,
    ),
)
"""Constructs for which the ensemble engine is taken, in the order in which they are named."""
