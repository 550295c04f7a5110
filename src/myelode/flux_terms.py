"""What changes a species: the reactions that make or use it, or the terms of its rate rule.

A term of a rate rule is given to the engine as a value that the model computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from myelode.errors import ScenarioError, UnsupportedModelError
from myelode.model import Model
from myelode.sbml import read_sbml, write_sbml

_TERM = "rate_term"


@dataclass(frozen=True)
class Term:
    """One contribution to the rate of a species: `count` times the value `output`."""

    id: str
    title: str
    equation: str
    output: str
    count: float


@dataclass(frozen=True)
class Terms:
    """All contributions, the model that computes them, and events of the model that set it.

    `unit` is that of the rate, "" where the model declares none.
    """

    terms: tuple[Term, ...]
    sbml: str
    unit: str
    events: tuple[str, ...]


def terms_of(sbml: str, model: Model, species: str) -> Terms:
    """What changes a species of `sbml`, which is the model with the infusions of a regimen.

    Raises ScenarioError for what nothing changes, UnsupportedModelError for a stoichiometry that is
    computed.
    """
    entity = model.entity(species, "species")
    if entity.rule == "assignment" or entity.kind not in ("species", "parameter", "compartment"):
        raise ScenarioError(f"{species!r} is computed by the model at all times: it has no fluxes")
    document = read_sbml(sbml, "the model")
    content = document.getModel()
    time = model.time_unit or ""
    if entity.rule == "rate":
        found, own = tuple(_of_rule(content, species)), entity.unit or ""
        sbml = write_sbml(document)
    else:
        if entity.kind != "species" or entity.boundary or entity.constant:
            raise ScenarioError(f"{species!r} is held constant: no reaction changes it")
        found, own = tuple(_of_reactions(content, species)), model.description.substance_unit or ""
    if not found:
        raise ScenarioError(f"no reaction makes or uses {species!r}")
    unit = f"{own}/{time}" if own and time else ""
    return Terms(found, sbml, unit, tuple(_events(content, species)))


def _of_reactions(content: Any, species: str) -> Iterator[Term]:
    """The reactions that change a species, each with how much of it one turn makes."""
    if content.isSetConversionFactor() or content.getSpecies(species).isSetConversionFactor():
        raise UnsupportedModelError(f"{species}: fluxes with a conversion factor")
    ruled = {rule.getVariable() for rule in content.getListOfRules()}
    ruled |= {item.getSymbol() for item in content.getListOfInitialAssignments()}
    for reaction in content.getListOfReactions():
        count = 0.0
        for sign, references in (
            (-1, reaction.getListOfReactants()),
            (1, reaction.getListOfProducts()),
        ):
            for reference in references:
                if reference.getSpecies() == species:
                    if reference.getId() in ruled - {""}:
                        where = f"{species}: the stoichiometry in reaction {reaction.getId()!r}"
                        raise UnsupportedModelError(f"{where} is computed")
                    count += sign * float(reference.getStoichiometry())
        if count:
            yield _term_of(reaction, count)


def _term_of(reaction: Any, count: float) -> Term:
    import libsbml

    name = str(reaction.getId())
    infused = name.removeprefix("infuse_")
    title = str(reaction.getName() or (name if infused == name else f"infusion of {infused}"))
    law = reaction.getKineticLaw()
    equation = str(libsbml.formulaToL3String(law.getMath())) if law and law.getMath() else ""
    return Term(name, title.replace("_", " "), equation, name, count)


def _of_rule(content: Any, species: str) -> Iterator[Term]:
    """The terms of the rate rule of a species; each becomes a parameter of the model."""
    import libsbml

    rule = content.getRateRule(species)
    for number, (sign, node) in enumerate(_addends(rule.getMath(), 1.0), start=1):
        name = f"{_TERM}_{number}"
        if content.getElementBySId(name) is not None:
            raise UnsupportedModelError(f"{species}: the model has a {name!r} of its own")
        parameter = content.createParameter()
        parameter.setId(name)
        parameter.setConstant(False)
        assignment = content.createAssignmentRule()
        assignment.setVariable(name)
        assignment.setMath(node.deepCopy())
        formula = str(libsbml.formulaToL3String(node))
        said = f"-{formula}" if sign < 0 else formula
        yield Term(name, f"rate rule: {said}", said, name, sign)


def _addends(node: Any, sign: float) -> Iterator[tuple[float, Any]]:
    """The parts of a sum, each with its sign."""
    import libsbml

    children = [node.getChild(at) for at in range(node.getNumChildren())]
    if node.getType() == libsbml.AST_PLUS and children:
        for child in children:
            yield from _addends(child, sign)
    elif node.getType() == libsbml.AST_MINUS and len(children) == 1:
        yield from _addends(children[0], -sign)
    elif node.getType() == libsbml.AST_MINUS:
        yield from _addends(children[0], sign)
        yield from _addends(children[1], -sign)
    else:
        yield sign, node


def _events(content: Any, species: str) -> Iterator[str]:
    """Events of the model that set the species."""
    for event in content.getListOfEvents():
        if any(item.getVariable() == species for item in event.getListOfEventAssignments()):
            yield str(event.getName() or event.getId())
