"""The one place that talks to Antimony and libSBML: text in, canonical SBML and facts out.

Canonical SBML is Level 3 Version 2, without comments or tool names, so that equal models are equal
texts. Neither library ships types; what leaves this module is typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from myelode.errors import ModelError
from myelode.sbml.empty import starting_empty
from myelode.sbml.units import unit_text

Kind = Literal["compartment", "species", "parameter", "reaction", "stoichiometry"]
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_NAMELESS = "__main"
_LAST_MODULE = re.compile(r"^\s*(?:model|module)\s+\*?\s*([A-Za-z_]\w*)", re.MULTILINE)


@dataclass(frozen=True)
class Entity:
    """One thing in a model that has a value.

    `value` is the initial value in the model's own mathematics (None where a rule or an initial
    assignment gives it); `unit` is None where the model declares none.
    """

    id: str
    kind: Kind
    label: str
    unit: str | None
    value: float | None
    constant: bool
    rule: Literal["assignment", "rate"] | None = None
    computed_initially: bool = False
    compartment: str | None = None
    is_amount: bool = False
    boundary: bool = False
    equation: str | None = None


@dataclass(frozen=True)
class Description:
    """What a model consists of, and the units that it declares (None where it does not)."""

    id: str
    entities: Mapping[str, Entity]
    time_unit: str | None
    substance_unit: str | None
    has_events: bool


def from_antimony(text: str, where: str, module: str | None = None, main: str = "") -> str:
    """Canonical SBML of an Antimony text; its last module unless one is named.

    What stands in no module is the model of a text that has such; `main` is what to call it.
    """
    import antimony

    antimony.clearPreviousLoads()
    antimony.freeAll()
    if antimony.loadAntimonyString(text) < 0:
        raise ModelError(f"{where}: {' '.join(antimony.getLastError().split())}")
    name = module or antimony.getMainModuleName()
    sbml = antimony.getSBMLString(name)
    if not sbml:
        known = ", ".join(_LAST_MODULE.findall(text)) or "none"
        raise ModelError(f"{where}: has no module {name!r} (it has {known})")
    if main and name == _NAMELESS:
        sbml = sbml.replace(f'"{_NAMELESS}"', f'"{main}"', 2)  # id and metaid, in the first tag
    return canonical(starting_empty(sbml), where)


def to_antimony(sbml: str) -> str:
    """The model as Antimony text."""
    import antimony

    antimony.clearPreviousLoads()
    antimony.freeAll()
    if antimony.loadSBMLString(sbml) < 0:
        raise ModelError(f"the model has no Antimony form: {antimony.getLastError()}")
    return str(antimony.getAntimonyString(antimony.getMainModuleName())).strip() + "\n"


def canonical(sbml: str, where: str) -> str:
    """The same model as SBML Level 3 Version 2, without comments and what tools add for themselves.

    Raises ModelError for faults.
    """
    document = read_sbml(sbml, where)
    written_in = (document.getLevel(), document.getVersion())
    if written_in != (3, 2) and not document.setLevelAndVersion(3, 2, False):
        level, version = written_in
        raise ModelError(f"{where}: SBML Level {level} Version {version} has no Level 3 form here")
    for element in document.getListOfAllElements():
        _strip_annotation(element)
    for compartment in document.getModel().getListOfCompartments():
        if compartment.isSetUnits() and not _is_volume(compartment):
            compartment.unsetSpatialDimensions()
    return write_sbml(document)


def _strip_annotation(element: Any) -> None:
    """Keep what an annotation says about meaning (MIRIAM terms), drop names, dates and drawings."""
    if element.isSetAnnotation():
        terms = [element.getCVTerm(number).clone() for number in range(element.getNumCVTerms())]
        element.unsetModelHistory()
        element.unsetAnnotation()
        for term in terms:
            element.addCVTerm(term)


def findings(sbml: str) -> tuple[list[str], list[str]]:
    """All errors and warnings that libSBML's consistency checks give, units included."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    document.checkConsistency()
    errors: list[str] = []
    warnings: list[str] = []
    for position in range(document.getNumErrors()):
        finding = document.getError(position)
        message = f"line {finding.getLine()}: {' '.join(finding.getMessage().split())}"
        serious = finding.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
        (errors if serious else warnings).append(message)
    return errors, warnings


def describe(sbml: str) -> Description:
    """The ids, units, values and roles of everything in a canonical model."""
    document = read_sbml(sbml, "the model")
    model = document.getModel()
    entities = {entity.id: entity for entity in _entities(model)}
    return Description(
        id=model.getId(),
        entities=entities,
        time_unit=unit_text(model, model.getTimeUnits()),
        substance_unit=unit_text(model, model.getSubstanceUnits()),
        has_events=model.getNumEvents() > 0,
    )


def with_values(sbml: str, values: Mapping[str, float]) -> str:
    """The model with initial values written into it; they replace initial assignments."""
    import libsbml

    document = read_sbml(sbml, "the model")
    model = document.getModel()
    for name, value in values.items():
        model.removeInitialAssignment(name)
        element = model.getElementBySId(name)
        if element.getTypeCode() == libsbml.SBML_SPECIES:
            amount = element.getHasOnlySubstanceUnits()
            (element.setInitialAmount if amount else element.setInitialConcentration)(value)
        elif element.getTypeCode() == libsbml.SBML_COMPARTMENT:
            element.setSize(value)
        else:
            element.setValue(value)
    return write_sbml(document)


def read_sbml(sbml: str, where: str) -> Any:
    """libSBML's document of a text; raises ModelError with the line of the first fault."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    for position in range(document.getNumErrors()):
        fault = document.getError(position)
        if fault.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            message = " ".join(fault.getMessage().split())
            raise ModelError(f"{where}:{fault.getLine()}: is not valid SBML: {message}")
    if document.getModel() is None:
        raise ModelError(f"{where}: holds no model")
    return document


def write_sbml(document: Any) -> str:
    """The text of a document, without comments, which may name tools and dates."""
    import libsbml

    return _COMMENT.sub("", str(libsbml.writeSBMLToString(document)))


def _is_volume(compartment: Any) -> bool:
    definition = compartment.getModel().getUnitDefinition(compartment.getUnits())
    if definition is None:
        return str(compartment.getUnits()) in ("litre", "volume", "dimensionless")
    return bool(definition.isVariantOfVolume() or definition.isVariantOfDimensionless())


def _entities(model: Any) -> Iterator[Entity]:
    rules = {rule.getVariable(): rule for rule in model.getListOfRules() if rule.getVariable()}
    assigned = {item.getSymbol() for item in model.getListOfInitialAssignments()}
    for kind, elements in (
        ("compartment", model.getListOfCompartments()),
        ("species", model.getListOfSpecies()),
        ("parameter", model.getListOfParameters()),
    ):
        for element in elements:
            yield _entity(model, kind, element, rules.get(element.getId()), assigned)
    for reaction in model.getListOfReactions():
        yield _reaction_entity(model, reaction)
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            if reference.isSetId():
                yield _entity(
                    model, "stoichiometry", reference, rules.get(reference.getId()), assigned
                )


def _entity(model: Any, kind: Any, element: Any, rule: Any, assigned: set[str]) -> Entity:
    name = str(element.getId())
    is_species = kind == "species"
    computed = name in assigned
    role = None if rule is None else "assignment" if rule.isAssignment() else "rate"
    return Entity(
        id=name,
        kind=kind,
        label=str(element.getName() or name),
        unit=unit_text(model, element),
        value=None if computed or role == "assignment" else _initial_value(model, kind, element),
        constant=bool(element.getConstant()),
        rule=role,  # type: ignore[arg-type]
        computed_initially=computed,
        compartment=str(element.getCompartment()) if is_species else None,
        is_amount=is_species and bool(element.getHasOnlySubstanceUnits()),
        boundary=is_species and bool(element.getBoundaryCondition()),
    )


def _reaction_entity(model: Any, reaction: Any) -> Entity:
    name = str(reaction.getId())
    extent = unit_text(model, model.getExtentUnits())
    time = unit_text(model, model.getTimeUnits())
    unit = f"{extent}/{time}" if extent and time else None
    return Entity(
        name,
        "reaction",
        str(reaction.getName() or name),
        unit,
        None,
        False,
        equation=_scheme(reaction),
    )


def _scheme(reaction: Any) -> str:
    """``A + 2 B -> C`` with its rate."""
    import libsbml

    def side(references: Any) -> str:
        parts = []
        for reference in references:
            count = reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0
            parts.append(("" if count == 1 else f"{count:g} ") + reference.getSpecies())
        return " + ".join(parts) or "nothing"

    law = reaction.getKineticLaw()
    rate = libsbml.formulaToL3String(law.getMath()) if law and law.getMath() else "?"
    left, right = side(reaction.getListOfReactants()), side(reaction.getListOfProducts())
    return f"{left} -> {right};  {rate}"


def _initial_value(model: Any, kind: str, element: Any) -> float | None:
    """The value that the element itself states, in the model's own mathematics."""
    if kind == "compartment":
        return float(element.getSize()) if element.isSetSize() else None
    if kind == "parameter":
        return float(element.getValue()) if element.isSetValue() else None
    if kind == "stoichiometry":
        return float(element.getStoichiometry()) if element.isSetStoichiometry() else None
    as_amount = bool(element.getHasOnlySubstanceUnits())
    if element.isSetInitialConcentration():
        value = float(element.getInitialConcentration())
        return _times(value, _size(model, element)) if as_amount else value
    if element.isSetInitialAmount():
        value, size = float(element.getInitialAmount()), _size(model, element)
        return value if as_amount else _times(value, None if size is None else 1 / size)
    return None


def _times(value: float, size: float | None) -> float | None:
    """The product, which for zero does not depend on the size."""
    if value == 0:
        return 0.0
    return None if size is None else value * size


def _size(model: Any, species: Any) -> float | None:
    """The size of the species' compartment, None where a formula gives it."""
    name = species.getCompartment()
    compartment = model.getCompartment(name)
    computed = model.getInitialAssignment(name) or model.getAssignmentRule(name)
    if computed is not None or not compartment.isSetSize():
        return None
    return float(compartment.getSize())
