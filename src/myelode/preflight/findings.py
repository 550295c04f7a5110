"""What the libraries accept without a word, although nobody can have meant it.

A reaction without a rate law stands still, a negative volume turns concentrations round, a
rule for a constant is dropped: the run then ends well and is wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from myelode.preflight.scopes import (
    Fault,
    Scope,
    event_assignments,
    local_parameters,
    rule_kind,
    rule_variable,
    rules,
)
from myelode.preflight.tree import Element

RESERVED = frozenset({"time", "t", "avogadro", "delay", "rateOf", "pi", "exponentiale"})
"""Ids that read as something else in Antimony, in exported formulas or to people."""


@dataclass(frozen=True)
class Findings:
    """One line each: errors make a result meaningless, warnings may be meant."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def errors(scope: Scope) -> Iterator[Fault]:
    yield from _empty_models(scope)
    yield from _missing_laws(scope)
    yield from _bad_sizes(scope)
    yield from _bad_starts(scope)
    yield from _rule_conflicts(scope)
    yield from _constant_changes(scope)


def warnings(scope: Scope) -> Iterator[Fault]:
    yield from _nothing_changes(scope)
    yield from _missing_starts(scope)
    yield from _odd_values(scope)
    yield from _misleading_ids(scope)
    yield from _missing_formulas(scope)


def _empty_models(scope: Scope) -> Iterator[Fault]:
    """Often what an editor, or a comment without an end, left over."""
    if not _has_changes(scope) and not _has_values(scope):
        yield Fault(scope.model.line, "the model is empty; it needs species, reactions or rules")


def _nothing_changes(scope: Scope) -> Iterator[Fault]:
    if not _has_changes(scope) and _has_values(scope):
        yield Fault(scope.model.line, "nothing in the model changes: no species, rule or event")


def _has_values(scope: Scope) -> bool:
    return bool(scope.kind("compartment", "parameter"))


def _has_changes(scope: Scope) -> bool:
    return bool(rules(scope) or scope.kind("species", "reaction", "event", "algebraicRule"))


def _missing_laws(scope: Scope) -> Iterator[Fault]:
    if scope.kind("fluxBound", "objective") or "strict" in scope.model.attributes:
        return
    for reaction in scope.kind("reaction"):
        laws = reaction.all("kineticLaw")
        if not any("formula" in law.attributes or law.all("math") for law in laws):
            yield Fault(
                reaction.line,
                f"the reaction {reaction.id!r} has no rate law, so it never happens; give it one",
            )


def _number(element: Element, *names: str) -> float | None:
    for name in names:
        if name in element.attributes:
            return float(element.attributes[name])
    return None


def _set_elsewhere(scope: Scope) -> set[str]:
    """Ids whose written value is replaced before it is used."""
    targets = {item.attributes.get("symbol", "") for item in scope.kind("initialAssignment")}
    assigned = {rule_variable(rule) for rule in rules(scope) if "assign" in rule_kind(rule)}
    return targets | assigned


def _sizes(scope: Scope) -> Iterator[tuple[Element, float]]:
    """Compartments whose written size is used by something."""
    elsewhere = _set_elsewhere(scope)
    filled = {species.attributes.get("compartment", "") for species in scope.kind("species")}
    read = {name for formula in scope.formulas for name in formula.names}
    for compartment in scope.kind("compartment"):
        size = _number(compartment, "size", "volume")
        flat = _number(compartment, "spatialDimensions") == 0
        if size is not None and not flat and compartment.id in (filled | read) - elsewhere:
            yield compartment, size


def _bad_sizes(scope: Scope) -> Iterator[Fault]:
    for compartment, size in _sizes(scope):
        if not (math.isfinite(size) and size > 0):
            yield Fault(
                compartment.line,
                f"the compartment {compartment.id!r} has the size {size:g}, "
                "it needs a positive number",
            )


def _bad_starts(scope: Scope) -> Iterator[Fault]:
    elsewhere = _set_elsewhere(scope)
    for species in scope.kind("species"):
        start = _number(species, "initialAmount", "initialConcentration")
        if start is not None and not math.isfinite(start) and species.id not in elsewhere:
            yield Fault(
                species.line,
                f"the species {species.id!r} starts at {start:g}, it needs a finite number",
            )
    for reference in scope.species_references:
        factor = _number(reference, "stoichiometry")
        if factor is not None and not math.isfinite(factor) and reference.id not in elsewhere:
            yield Fault(reference.line, f"a stoichiometry is {factor:g}, it needs a finite number")


def _rule_conflicts(scope: Scope) -> Iterator[Fault]:
    counts = Counter(rule_variable(rule) for rule in rules(scope))
    for rule in rules(scope):
        variable = rule_variable(rule)
        if counts.pop(variable, 0) > 1:
            yield Fault(rule.line, f"several rules set {variable!r}, only one can hold")
    yield from _rules_against_reactions(scope)


def _rules_against_reactions(scope: Scope) -> Iterator[Fault]:
    """A species that is not on the boundary cannot follow a rule and reactions at once."""
    ruled = {rule_variable(rule): rule for rule in rules(scope)}
    free = {
        species.id
        for species in scope.kind("species")
        if species.attributes.get("boundaryCondition") not in ("true", "1")
    }
    changed = {
        reference.attributes.get("species", "")
        for reference in scope.species_references
        if reference.name == "speciesReference"
    }
    for name in sorted(free & changed & set(ruled)):
        yield Fault(
            ruled[name].line,
            f"{name!r} is set by a rule and changed by reactions; "
            "make it a boundary species or drop one of them",
        )


def _constant_changes(scope: Scope) -> Iterator[Fault]:
    constants = {element.id: element for element in scope.named if _is_constant(element, scope)}
    for element, title, name in _changes(scope):
        if name in constants:
            yield Fault(
                element.line,
                f"the {title} changes {name!r}, which is declared constant; declare it variable",
            )


def _is_constant(element: Element, scope: Scope) -> bool:
    """Level 2 takes compartments and parameters as constant unless they say otherwise."""
    by_default = scope.level == 2 and element.name in ("compartment", "parameter")
    return element.attributes.get("constant", "true" if by_default else "") in ("true", "1")


def _changes(scope: Scope) -> Iterator[tuple[Element, str, str]]:
    for rule in rules(scope):
        yield rule, rule_kind(rule), rule_variable(rule)
    for event in scope.kind("event"):
        for assignment in event_assignments(event):
            yield assignment, "event", assignment.attributes.get("variable", "")


def _missing_starts(scope: Scope) -> Iterator[Fault]:
    elsewhere = _set_elsewhere(scope)
    values = {
        "species": ("initialAmount", "initialConcentration"),
        "parameter": ("value",),
        "compartment": ("size", "volume"),
    }
    for kind, attributes in values.items():
        for element in scope.kind(kind):
            given = any(attribute in element.attributes for attribute in attributes)
            flat = _number(element, "spatialDimensions") == 0
            by_default = kind == "compartment" and scope.level == 1
            if not (given or flat or by_default) and element.id not in elsewhere:
                yield Fault(element.line, f"the {kind} {element.id!r} has no initial value")


def _odd_values(scope: Scope) -> Iterator[Fault]:
    elsewhere = _set_elsewhere(scope)
    for parameter in scope.kind("parameter"):
        value = _number(parameter, "value")
        if value is not None and not math.isfinite(value) and parameter.id not in elsewhere:
            yield Fault(parameter.line, f"the parameter {parameter.id!r} is {value:g}")
    for species in scope.kind("species"):
        start = _number(species, "initialAmount", "initialConcentration")
        if start is not None and start < 0 and math.isfinite(start):
            yield Fault(species.line, f"the species {species.id!r} starts at {start:g}, below 0")


def _misleading_ids(scope: Scope) -> Iterator[Fault]:
    everywhere = {element.id: element for element in scope.named}
    for name in sorted(RESERVED & set(everywhere)):
        line = everywhere[name].line
        yield Fault(line, f"the id {name!r} usually means something else; choose another")
    for reaction in scope.kind("reaction"):
        for law in reaction.all("kineticLaw"):
            for parameter in local_parameters(law):
                if parameter.id in everywhere:
                    yield Fault(
                        parameter.line,
                        f"in the reaction {reaction.id!r} a local parameter hides "
                        f"the {everywhere[parameter.id].name} {parameter.id!r}",
                    )


def _missing_formulas(scope: Scope) -> Iterator[Fault]:
    """SBML level 3 version 2 allows them; they do nothing."""
    parts = [
        part
        for event in scope.kind("event")
        for part in [*event.all("trigger", "delay", "priority"), *event_assignments(event)]
    ]
    for element in [*scope.kind("initialAssignment", "functionDefinition"), *rules(scope), *parts]:
        has_formula = any(formula.children for formula in element.all("math"))
        if not has_formula and "formula" not in element.attributes:
            yield Fault(element.line, f"<{element.name}> has no formula, so it does nothing")
