"""Algebraic rules that say one value outright become assignment rules.

An algebraic rule states that a formula is zero at all times. Where just one of its names is free,
that is not given by anything else, and the formula is a sum in which that name stands once or more
with factors that do not contain it, the rule gives the value of the name. Others stay as they are,
and engines refuse them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from myelode.sbml import read_sbml, write_sbml

Line = tuple[Any, Any]
"""Slope and rest of a formula ``slope * x + rest``, as MathML; None for zero."""


def solve_algebraic(sbml: str, where: str) -> str:
    """The same canonical model with assignment rules for the algebraic rules that can be solved."""
    if "<algebraicRule" not in sbml:
        return sbml
    document = read_sbml(sbml, where)
    _write_out_functions(document)
    model = document.getModel()
    while _solve_one(model):
        pass
    return write_sbml(document)


def _write_out_functions(document: Any) -> None:
    """Insert functions where they are called, for what stands in them may be what is free."""
    import libsbml

    properties = libsbml.ConversionProperties()
    properties.addOption("expandFunctionDefinitions", True)
    document.convert(properties)


def _solve_one(model: Any) -> bool:
    """Replace one algebraic rule by an assignment rule; whether there was one to replace.

    One without a formula states nothing.
    """
    free = _free(model)
    for place, rule in enumerate(model.getListOfRules()):
        if rule.isAlgebraic() and not rule.isSetMath():
            model.removeRule(place)
            return True
        wanted = free & set(_names(rule.getMath())) if rule.isAlgebraic() else set()
        if len(wanted) != 1:
            continue
        [name] = wanted
        solution = _solution(rule.getMath(), name)
        if solution is not None:
            model.removeRule(place)
            model.removeInitialAssignment(name)
            found = model.createAssignmentRule()
            found.setVariable(name)
            found.setMath(solution)
            return True
    return False


def _free(model: Any) -> set[str]:
    """Ids of what may change and is given by no rule, no reaction and no event."""
    references = [
        reference
        for reaction in model.getListOfReactions()
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts())
    ]
    reacting = {reference.getSpecies() for reference in references}
    given = {rule.getVariable() for rule in model.getListOfRules()}
    for event in model.getListOfEvents():
        given |= {item.getVariable() for item in event.getListOfEventAssignments()}
    given |= {
        item.getId()
        for item in model.getListOfSpecies()
        if item.getId() in reacting and not item.getBoundaryCondition()
    }
    quantities = (
        *model.getListOfParameters(), *model.getListOfCompartments(), *model.getListOfSpecies(),
        *references,
    )  # fmt: skip
    return {item.getId() for item in quantities if not item.getConstant()} - given - {""}


def _solution(formula: Any, name: str) -> Any:
    """What a name is where a formula is zero; None where that cannot be said."""
    line = _line(formula, name)
    if line is None or line[0] is None:
        return None
    slope, rest = line
    return _number(0.0) if rest is None else _negative(_quotient(rest, slope))


def _line(node: Any, name: str) -> Line | None:
    """A formula as a line in a name; None where it is none."""
    import libsbml

    if name not in _names(node):
        return None, node
    if node.getType() == libsbml.AST_NAME:
        return _number(1.0), None
    if node.getType() == libsbml.AST_PLUS:
        return _total([_line(part, name) for part in _children(node)])
    if node.getType() == libsbml.AST_MINUS:
        first, *others = (_line(part, name) for part in _children(node))
        return _total([first, *map(_opposite, others)]) if others else _opposite(first)
    if node.getType() == libsbml.AST_TIMES:
        return _line_of_product(_children(node), name)
    if node.getType() == libsbml.AST_DIVIDE and name not in _names(node.getChild(1)):
        return _scaled(_line(node.getChild(0), name), lambda it: _quotient(it, node.getChild(1)))
    return None


def _line_of_product(factors: list[Any], name: str) -> Line | None:
    """A product is a line if the name stands in one of the factors alone."""
    with_name = [place for place, factor in enumerate(factors) if name in _names(factor)]
    if len(with_name) > 1:
        return None
    others = [factor for place, factor in enumerate(factors) if place != with_name[0]]
    return _scaled(_line(factors[with_name[0]], name), lambda it: _product([it, *others]))


def _scaled(line: Line | None, scale: Any) -> Line | None:
    if line is None:
        return None
    slope, rest = line
    return (None if slope is None else scale(slope)), (None if rest is None else scale(rest))


def _opposite(line: Line | None) -> Line | None:
    return _scaled(line, _negative)


def _total(lines: list[Line | None]) -> Line | None:
    found = [line for line in lines if line is not None]
    if len(found) < len(lines):
        return None
    slopes, rests = zip(*found, strict=True)
    return _sum(slopes), _sum(rests)


def _sum(parts: Any) -> Any:
    import libsbml

    known = [part for part in parts if part is not None]
    return _applied(libsbml.AST_PLUS, known) if len(known) > 1 else (known or [None])[0]


def _product(parts: list[Any]) -> Any:
    import libsbml

    return _applied(libsbml.AST_TIMES, parts)


def _quotient(above: Any, below: Any) -> Any:
    import libsbml

    return _applied(libsbml.AST_DIVIDE, [above, below])


def _negative(part: Any) -> Any:
    import libsbml

    return _applied(libsbml.AST_MINUS, [part])


def _number(value: float) -> Any:
    import libsbml

    node = libsbml.ASTNode(libsbml.AST_REAL)
    node.setValue(value)
    return node


def _applied(kind: int, parts: list[Any]) -> Any:
    """An operation on copies of formulas."""
    import libsbml

    node = libsbml.ASTNode(kind)
    for part in parts:
        node.addChild(part.deepCopy())
    return node


def _children(node: Any) -> list[Any]:
    return [node.getChild(place) for place in range(node.getNumChildren())]


def _names(node: Any) -> Iterator[str]:
    import libsbml

    if node is not None and node.getType() == libsbml.AST_NAME:
        yield str(node.getName())
    for child in _children(node) if node is not None else ():
        yield from _names(child)
