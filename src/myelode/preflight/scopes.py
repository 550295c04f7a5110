"""What a model says, seen through its elements: names, formulas and faults.

A file with the comp package holds several models; each has its own names and is one Scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from myelode.errors import ModelError, UnsupportedModelError
from myelode.preflight.tree import MAX_MESSAGE, Element

MAX_ID = 1_000
"""libRoadRunner dies of ids of 20,000 characters."""

VARIABLES = ("compartment", "species", "parameter")
"""Kinds whose ids rules, initial assignments and events may set, beside species references."""

_KINDS_WITH_ID = (
    *VARIABLES, "functionDefinition", "compartmentType", "speciesType", "reaction", "event"
)  # fmt: skip
_RULES_OF_LEVEL_1 = {
    "compartmentVolumeRule": "compartment",
    "parameterRule": "name",
    "speciesConcentrationRule": "species",
}
_INFIX = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<function>[A-Za-z_]\w*)\s*\(|(?P<name>[A-Za-z_]\w*)|(?P<other>\S))"
)


@dataclass(frozen=True)
class Fault:
    """Something wrong with a model, and the line where it stands."""

    line: int
    text: str
    kind: type[ModelError] = ModelError

    def message(self, where: str) -> str:
        return f"{where}:{self.line}: {self.text[:MAX_MESSAGE]}"

    def error(self, where: str) -> ModelError:
        return self.kind(self.message(where))


def unsupported(line: int, text: str) -> Fault:
    return Fault(line, text, UnsupportedModelError)


@dataclass(frozen=True)
class Formula:
    """Mathematics of one element; `target` is the id whose value it gives, if any."""

    kind: str
    target: str
    math: Element
    local: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> Mapping[str, Element]:
        """Ids that the formula reads, and where; called functions and bound names left out."""
        found, bound, calls = {}, set(self.local), set()
        for node in nodes(self.math):
            bound |= {bvar_name(bvar) for bvar in node.all("bvar")}
            calls.add(id(call_head(node)))
            if node.name == "ci" and id(node) not in calls:
                found[node.text] = node
        return {name: node for name, node in found.items() if name not in bound}

    @property
    def title(self) -> str:
        return f"the {self.kind} of {self.target!r}" if self.target else f"the {self.kind}"


@dataclass(frozen=True)
class Scope:
    """One model, or one model definition of the comp package."""

    level: int
    version: int
    model: Element

    @cached_property
    def lists(self) -> Mapping[str, list[Element]]:
        """The members of all `listOf...` of the model by their kind."""
        members: dict[str, list[Element]] = {}
        for child in self.model.children:
            if child.name.startswith("listOf"):
                for member in child.children:
                    members.setdefault(member.name, []).append(member)
        return members

    def kind(self, *names: str) -> list[Element]:
        return [member for name in names for member in self.lists.get(name, [])]

    def ids(self, *names: str) -> set[str]:
        return {member.id for member in self.kind(*names)}

    @cached_property
    def species_references(self) -> list[Element]:
        return [
            reference
            for reaction in self.kind("reaction")
            for group in reaction.all("listOfReactants", "listOfProducts", "listOfModifiers")
            for reference in group.children
        ]

    @cached_property
    def named(self) -> list[Element]:
        """All elements that share the one namespace of the model."""
        return self.kind(*_KINDS_WITH_ID) + self.species_references

    @cached_property
    def variables(self) -> set[str]:
        """Ids of what can have a value."""
        references = {reference.id for reference in self.species_references}
        return (self.ids(*VARIABLES) | references) - {""}

    @cached_property
    def formulas(self) -> list[Formula]:
        return [*self._functions(), *self._rules(), *self._reactions(), *self._events()]

    def _functions(self) -> Iterator[Formula]:
        for function in self.kind("functionDefinition"):
            yield from _formulas(function, "function", function.id)
        for assignment in self.kind("initialAssignment"):
            target = assignment.attributes.get("symbol", "")
            yield from _formulas(assignment, "initial assignment", target)

    def _rules(self) -> Iterator[Formula]:
        for rule in self.kind("assignmentRule", "rateRule", *_RULES_OF_LEVEL_1):
            yield from _formulas(rule, rule_kind(rule), rule_variable(rule))
        for rule in self.kind("algebraicRule"):
            yield from _formulas(rule, "algebraic rule")
        for constraint in self.kind("constraint"):
            yield from _formulas(constraint, "constraint")

    def _reactions(self) -> Iterator[Formula]:
        for reaction in self.kind("reaction"):
            for law in reaction.all("kineticLaw"):
                local = frozenset(parameter.id for parameter in local_parameters(law))
                yield from _formulas(law, "rate law", reaction.id, local)
        for reference in self.species_references:
            for stoichiometry in reference.all("stoichiometryMath"):
                yield from _formulas(stoichiometry, "stoichiometry", reference.id)

    def _events(self) -> Iterator[Formula]:
        for event in self.kind("event"):
            for part in event.all("trigger", "delay", "priority"):
                yield from _formulas(part, f"event {part.name}", event.id)
            for assignment in event_assignments(event):
                target = assignment.attributes.get("variable", "")
                yield from _formulas(assignment, "event assignment", target)


def scopes(root: Element) -> list[Scope]:
    """The model of a file, then its model definitions."""
    level, version = int(root.attributes["level"]), int(root.attributes["version"])
    definitions = [
        definition
        for group in root.all("listOfModelDefinitions")
        for definition in group.all("modelDefinition")
    ]
    return [Scope(level, version, model) for model in root.all("model") + definitions]


def external_definitions(root: Element) -> list[Element]:
    """The models of a file that stand in another one."""
    groups = root.all("listOfExternalModelDefinitions")
    return [definition for group in groups for definition in group.children]


def rule_kind(rule: Element) -> str:
    """Level 1 writes one element for both kinds of rule, with a `type`."""
    is_rate = rule.name == "rateRule" or rule.attributes.get("type") == "rate"
    return "rate rule" if is_rate else "assignment rule"


def rule_variable(rule: Element) -> str:
    return rule.attributes.get(_RULES_OF_LEVEL_1.get(rule.name, "variable"), "")


def rules(scope: Scope) -> list[Element]:
    """All rules that set a variable."""
    return scope.kind("assignmentRule", "rateRule", *_RULES_OF_LEVEL_1)


def local_parameters(law: Element) -> list[Element]:
    groups = law.all("listOfParameters", "listOfLocalParameters")
    return [parameter for group in groups for parameter in group.children]


def event_assignments(event: Element) -> list[Element]:
    groups = event.all("listOfEventAssignments")
    return [assignment for group in groups for assignment in group.children]


def _formulas(
    owner: Element, kind: str, target: str = "", local: frozenset[str] = frozenset()
) -> Iterator[Formula]:
    """More than one formula in an element is wrong, but must not escape the checks."""
    for math in owner.all("math"):
        yield Formula(kind, target, math, local)
    if "formula" in owner.attributes:
        yield Formula(kind, target, infix_math(owner.attributes["formula"], owner.line), local)


def infix_math(formula: str, line: int) -> Element:
    """A formula of level 1 as mathematics that uses the same names; structure is not kept."""
    leaves = [Element("plus", {}, line)]
    for token in _INFIX.finditer(formula):
        if token["name"]:
            leaves.append(Element("ci", {}, line, [], [token["name"]]))
        elif token["number"]:
            leaves.append(Element("cn", {}, line, [], [token["number"]]))
    return Element("math", {}, line, [Element("apply", {}, line, leaves)])


def nodes(math: Element) -> Iterator[Element]:
    """An element and all below it, each before its children."""
    waiting = [math]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def call_head(node: Element) -> Element | None:
    """The `ci` that names the called function, if an element is such a call."""
    if node.name == "apply" and node.children and node.children[0].name == "ci":
        return node.children[0]
    return None


def bvar_name(bvar: Element) -> str:
    return " ".join(child.text for child in bvar.all("ci"))
