"""Ids: well-formed, unique and defined; numbers: numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator

from myelode.errors import best_matches
from myelode.preflight.scopes import (
    MAX_ID,
    Fault,
    Scope,
    bvar_name,
    event_assignments,
    local_parameters,
    nodes,
    rule_kind,
    rule_variable,
    rules,
)
from myelode.preflight.tree import Element

MAX_OF_A_KIND = 5_000
"""libRoadRunner compiles 5,000 species in 40 s and 10,000 in minutes; published models have
some hundreds."""

MAX_LOCAL_PARAMETERS = 10_000

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|[+-]?INF|NaN")
_NUMBERS = {
    "compartment": ("size", "volume", "spatialDimensions"),
    "species": ("initialAmount", "initialConcentration"),
    "parameter": ("value",),
    "localParameter": ("value",),
    "speciesReference": ("stoichiometry", "denominator"),
}
_OPTIONAL_ID = ("event", "speciesReference", "modifierSpeciesReference")


def reference_faults(scope: Scope) -> Iterator[Fault]:
    """Counts, ids and numbers, then what refers to something that is not there."""
    yield from _count_faults(scope)
    yield from _identifier_faults(scope)
    yield from _duplicate_faults(scope)
    yield from _number_faults(scope)
    yield from _species_faults(scope)
    yield from _variable_faults(scope)


def _count_faults(scope: Scope) -> Iterator[Fault]:
    for kind, members in scope.lists.items():
        if len(members) > MAX_OF_A_KIND:
            yield _too_many(scope, len(members), kind, MAX_OF_A_KIND)
    local = sum(1 for _ in _local_parameters(scope))
    if local > MAX_LOCAL_PARAMETERS:
        yield _too_many(scope, local, "local parameter", MAX_LOCAL_PARAMETERS)


def _too_many(scope: Scope, count: int, kind: str, most: int) -> Fault:
    return Fault(
        scope.model.line, f"the model has {count} {kind} elements, at most {most} are read"
    )


def _local_parameters(scope: Scope) -> Iterator[Element]:
    for reaction in scope.kind("reaction"):
        for law in reaction.all("kineticLaw"):
            yield from local_parameters(law)


def _identifier_faults(scope: Scope) -> Iterator[Fault]:
    units = scope.kind("unitDefinition")
    for element in [*scope.named, *units, *_local_parameters(scope)]:
        if element.id or element.name not in _OPTIONAL_ID:
            yield from _id_faults(element.id, element)
    for function in scope.kind("functionDefinition"):
        for node in nodes(function):
            if node.name == "bvar":
                yield from _id_faults(bvar_name(node), node)


def _id_faults(name: str, element: Element) -> Iterator[Fault]:
    if not name:
        yield Fault(element.line, f"<{element.name}> has no id")
    elif len(name) > MAX_ID:
        yield Fault(
            element.line, f"an id of {len(name)} characters is too long, {MAX_ID} are allowed"
        )
    elif not _ID.fullmatch(name):
        yield Fault(
            element.line,
            f"the id {name!r} is not allowed; use letters, digits and _, no digit first",
        )


def _duplicate_faults(scope: Scope) -> Iterator[Fault]:
    yield from _repeated(scope.named)
    yield from _repeated(scope.kind("unitDefinition"))
    for reaction in scope.kind("reaction"):
        for law in reaction.all("kineticLaw"):
            yield from _repeated(local_parameters(law), f" in the rate law of {reaction.id!r}")


def _repeated(elements: Iterable[Element], where: str = "") -> Iterator[Fault]:
    first: dict[str, Element] = {}
    for element in elements:
        earlier = first.setdefault(element.id, element)
        if element.id and earlier is not element:
            yield Fault(
                element.line,
                f"the id {element.id!r} is already that of the {earlier.name} "
                f"in line {earlier.line}{where}; ids must differ",
            )


def _number_faults(scope: Scope) -> Iterator[Fault]:
    elements = [*scope.named, *_local_parameters(scope)]
    for element in elements:
        for attribute in _NUMBERS.get(element.name, ()):
            text = element.attributes.get(attribute)
            if text is not None and not _is_number(text.strip()):
                yield Fault(
                    element.line,
                    f"{attribute}={text[:40]!r} of {element.id!r} is not a number "
                    "such as 1, 0.5 or 1e-3",
                )


def _is_number(text: str) -> bool:
    if not _NUMBER.fullmatch(text):
        return False
    return not math.isinf(float(text)) or text.endswith("INF")


def _species_faults(scope: Scope) -> Iterator[Fault]:
    compartments, species, parameters = map(scope.ids, ("compartment", "species", "parameter"))
    for element in scope.kind("species"):
        yield from _unknown(element, "compartment", compartments)
    for element in [scope.model, *scope.kind("species")]:
        if "conversionFactor" in element.attributes:
            yield from _unknown(element, "conversionFactor", parameters)
    for reference in scope.species_references:
        yield from _unknown(reference, "species", species)


def _unknown(element: Element, attribute: str, known: Collection[str]) -> Iterator[Fault]:
    name = element.attributes.get(attribute)
    if name is None:
        yield Fault(element.line, f"<{element.name}> {element.id!r} names no {attribute}")
    elif name not in known:
        hint = best_matches(name, known) or "; define it or correct the name"
        yield Fault(
            element.line,
            f"<{element.name}> {element.id!r} refers to the unknown {attribute} {name!r}{hint}",
        )


def _variable_faults(scope: Scope) -> Iterator[Fault]:
    for element, title, name in _assignments(scope):
        if not name or name not in scope.variables:
            hint = best_matches(name, scope.variables) or "; define it or correct the name"
            yield Fault(element.line, f"the {title} sets {name!r}, which is not known{hint}")


def _assignments(scope: Scope) -> Iterator[tuple[Element, str, str]]:
    for rule in rules(scope):
        yield rule, rule_kind(rule), rule_variable(rule)
    for assignment in scope.kind("initialAssignment"):
        yield assignment, "initial assignment", assignment.attributes.get("symbol", "")
    for event in scope.kind("event"):
        for assignment in event_assignments(event):
            yield assignment, "event assignment", assignment.attributes.get("variable", "")
