"""Is each formula one that the libraries read as it is written?

libSBML drops or misreads some MathML silently (`<cn>1 2</cn>`, a second `otherwise`) and
crashes on other (`rateOf` of nothing, a function without a body), so its shape is checked here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from myelode.errors import best_matches
from myelode.preflight.scopes import (
    MAX_ID,
    Fault,
    Formula,
    Scope,
    bvar_name,
    call_head,
    nodes,
    unsupported,
)
from myelode.preflight.tree import Element

MAX_ARGUMENTS = 1_000
"""libSBML needs 3 s for a sum of 1,000 terms without units, 14 s for 2,000."""

MAX_PIECES = 300
"""libRoadRunner needs 2 s for a piecewise of 300 pieces, 20 s for 1,000."""

MAX_WORK = 5_000_000
"""Squared numbers of arguments, summed over a file: the cost of many long sums."""

LARGEST_FACTORIAL = 170

_ARGUMENTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("plus", "times", "and", "or", "xor"), (0, MAX_ARGUMENTS)),
    **dict.fromkeys(("max", "min"), (1, MAX_ARGUMENTS)),
    **dict.fromkeys(("eq", "gt", "lt", "geq", "leq"), (2, MAX_ARGUMENTS)),
    **dict.fromkeys(("divide", "power", "neq", "quotient", "rem", "implies"), (2, 2)),
    **dict.fromkeys(("abs", "exp", "ln", "log", "root", "floor", "ceiling"), (1, 1)),
    **dict.fromkeys(("factorial", "not"), (1, 1)),
    **{
        prefix + name + suffix: (1, 1)
        for prefix in ("", "arc")
        for name in ("sin", "cos", "tan", "sec", "csc", "cot")
        for suffix in ("", "h")
    },
    "minus": (1, 2),
}
_QUALIFIERS = {"root": "degree", "log": "logbase"}
_CONSTANTS = ("true", "false", "notanumber", "pi", "infinity", "exponentiale")
_SYMBOLS = "http://www.sbml.org/sbml/symbols/"
_SYMBOL_ARGUMENTS = {"delay": (2, 2), "rateOf": (1, 1)}
_SYMBOL_VALUES = ("time", "avogadro")
_INTEGER = re.compile(r"[+-]?\d+")
_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NUMBER_PARTS = {
    "real": (_REAL,),
    "integer": (_INTEGER,),
    "e-notation": (_REAL, _INTEGER),
    "rational": (_INTEGER, _INTEGER),
}


def formula_faults(scope: Scope) -> Iterator[Fault]:
    """Formulas of the wrong shape, and names in them that nothing defines."""
    known = scope.variables | scope.ids("reaction")
    arities = dict(_arities(scope))
    for formula in scope.formulas:
        yield from _shape_faults(formula, scope)
        yield from _name_faults(formula, known)
        yield from _call_faults(formula, arities)
    yield from _missing_bodies(scope, arities)
    yield from _work_faults(scope)


def _arities(scope: Scope) -> Iterator[tuple[str, int]]:
    for formula in scope.formulas:
        if formula.kind == "function":
            for body in formula.math.all("lambda"):
                yield formula.target, len(body.all("bvar"))


def _name_faults(formula: Formula, known: set[str]) -> Iterator[Fault]:
    if formula.kind == "function":
        known = set()
    for name, node in formula.names.items():
        if name not in known:
            hint = best_matches(name, known) or "; define it or correct the name"
            yield Fault(node.line, f"{formula.title} uses the unknown id {name!r}{hint}")


def _call_faults(formula: Formula, arities: dict[str, int]) -> Iterator[Fault]:
    for node in nodes(formula.math):
        head = call_head(node)
        if head is None:
            continue
        given = len(node.children) - 1
        if head.text not in arities:
            hint = best_matches(head.text, arities) or "; define it or correct the name"
            yield Fault(
                node.line, f"{formula.title} calls the unknown function {head.text!r}{hint}"
            )
        elif given != arities[head.text]:
            yield Fault(
                node.line,
                f"{formula.title} calls {head.text!r} with {given} arguments, "
                f"it takes {arities[head.text]}",
            )


def _missing_bodies(scope: Scope, arities: dict[str, int]) -> Iterator[Fault]:
    """A called function without mathematics crashes; an unused one is harmless."""
    for function in scope.kind("functionDefinition"):
        if scope.level < 3 and function.id not in arities:
            yield Fault(function.line, f"the function {function.id!r} has no <lambda>")


def _work_faults(scope: Scope) -> Iterator[Fault]:
    every = (node for formula in scope.formulas for node in nodes(formula.math))
    work = sum(len(node.children) ** 2 for node in every)
    if work > MAX_WORK:
        yield Fault(scope.model.line, "the formulas have too many terms altogether; split the sums")


def _shape_faults(formula: Formula, scope: Scope) -> Iterator[Fault]:
    children = formula.math.children
    may_be_empty = (scope.level, scope.version) >= (3, 2)
    if len(children) > 1 or (not children and not may_be_empty) or formula.math.text:
        yield Fault(
            formula.math.line,
            f"the <math> of {formula.title} holds {len(children)} formulas, 1 is needed",
        )
    for child in children:
        if formula.kind == "function":
            yield from _lambda_faults(child)
        else:
            yield from _node_faults(child)


def _lambda_faults(node: Element) -> Iterator[Fault]:
    if node.name != "lambda":
        yield from _unreadable(node, "a function is written as <lambda>")
        return
    bodies = [child for child in node.children if child.name != "bvar"]
    names = [bvar_name(bvar) for bvar in node.all("bvar")]
    if len(bodies) != 1:
        yield Fault(node.line, f"<lambda> has {len(bodies)} bodies, exactly 1 is needed")
    if len(set(names)) < len(names) or not all(names):
        yield Fault(node.line, "the arguments of a <lambda> need different names")
    for bvar in node.all("bvar"):
        yield from _children_faults(bvar, 1, 1)
    for body in bodies:
        yield from _node_faults(body)
    for symbol in nodes(node):
        if symbol.attributes.get("definitionURL", "").endswith("/rateOf"):
            yield Fault(symbol.line, "rateOf cannot stand in a function, only in other formulas")


def _node_faults(node: Element) -> Iterator[Fault]:
    if node.name == "apply":
        yield from _apply_faults(node)
    elif node.name == "piecewise":
        yield from _piecewise_faults(node)
    elif node.name == "cn":
        yield from _number_faults(node)
    elif node.name == "ci":
        yield from _identifier_faults(node)
    elif node.name == "csymbol":
        yield from _symbol_faults(node, _SYMBOL_VALUES)
    elif node.name not in _CONSTANTS or node.children:
        yield from _unreadable(node, "SBML knows no such value")


def _unreadable(node: Element, reason: str) -> Iterator[Fault]:
    if node.name == "semantics":
        yield unsupported(node.line, "<semantics> in a formula is not read; write its content")
    else:
        yield Fault(node.line, f"<{node.name}> cannot stand here in a formula: {reason}")


def _apply_faults(node: Element) -> Iterator[Fault]:
    if not node.children:
        yield Fault(node.line, "<apply> is empty, it needs an operator and its arguments")
        return
    head, *arguments = node.children
    qualifiers = [child for child in arguments if child.name == _QUALIFIERS.get(head.name)][:1]
    arguments = [child for child in arguments if child not in qualifiers]
    yield from _head_faults(head, arguments)
    if node.text:
        yield Fault(node.line, f"<apply> holds the text {node.text[:20]!r}")
    for qualifier in qualifiers:
        yield from _children_faults(qualifier, 1, 1)
        arguments += qualifier.children
    for argument in arguments:
        yield from _node_faults(argument)


def _head_faults(head: Element, arguments: list[Element]) -> Iterator[Fault]:
    symbol = head.attributes.get("definitionURL", "").removeprefix(_SYMBOLS)
    if head.name == "csymbol":
        yield from _symbol_faults(head, tuple(_SYMBOL_ARGUMENTS))
        least, most = _SYMBOL_ARGUMENTS.get(symbol, (0, MAX_ARGUMENTS))
    elif head.name == "ci":
        yield from _identifier_faults(head)
        least, most = 0, MAX_ARGUMENTS
    elif head.name in _ARGUMENTS:
        least, most = _ARGUMENTS[head.name]
    else:
        yield from _unreadable(head, "SBML knows no such operator")
        return
    if not least <= len(arguments) <= most:
        yield Fault(head.line, _count_text(head, len(arguments), least, most))
    if symbol == "rateOf" and [child.name for child in arguments] != ["ci"]:
        yield Fault(head.line, "rateOf needs one id as its argument")
    if head.name == "factorial":
        yield from _factorial_faults(arguments)


def _count_text(node: Element, given: int, least: int, most: int) -> str:
    if given > MAX_ARGUMENTS:
        right = f"at most {MAX_ARGUMENTS} are read"
    elif most == MAX_ARGUMENTS:
        right = f"at least {least} are right"
    else:
        right = f"{least} to {most} are right" if least < most else f"exactly {least} needed"
    return f"<{node.name}> has {given} arguments, {right}"


def _factorial_faults(arguments: list[Element]) -> Iterator[Fault]:
    """libRoadRunner computes it by recursion and dies above some 100,000."""
    for argument in arguments:
        number = _value(argument)
        if argument.name == "cn" and not 0 <= number <= LARGEST_FACTORIAL:
            yield Fault(argument.line, f"factorial of {argument.text} fits no number, 0 to 170 do")


def _value(number: Element) -> float:
    try:
        return float(number.text.replace(" ", "e"))
    except ValueError:
        return math.nan


def _piecewise_faults(node: Element) -> Iterator[Fault]:
    names = [child.name for child in node.children]
    if len(names) > MAX_PIECES:
        yield Fault(node.line, f"a piecewise of {len(names)} pieces, at most {MAX_PIECES} are read")
    if set(names[:-1]) - {"piece"} or names[-1:] not in ([], ["piece"], ["otherwise"]):
        yield Fault(node.line, "<piecewise> holds <piece> elements, then at most one <otherwise>")
    for child in node.children:
        count = 2 if child.name == "piece" else 1
        yield from _children_faults(child, count, count)
        for part in child.children:
            yield from _node_faults(part)


def _children_faults(node: Element, least: int, most: int) -> Iterator[Fault]:
    if not least <= len(node.children) <= most or node.text:
        yield Fault(node.line, _count_text(node, len(node.children), least, most))


def _number_faults(node: Element) -> Iterator[Fault]:
    parts = node.text.split()
    expected = _NUMBER_PARTS.get(node.attributes.get("type", "real"), ())
    fits = len(parts) == len(expected) and all(
        pattern.fullmatch(part) for pattern, part in zip(expected, parts, strict=False)
    )
    separators = len(node.all("sep"))
    if not fits or separators != len(parts) - 1 or separators != len(node.children):
        yield Fault(node.line, f"<cn> holds {node.text[:40]!r}, which is not one number")
    elif node.attributes.get("base", "10") != "10":
        yield Fault(node.line, f"<cn> {node.text!r} has another base than 10")
    elif not _is_finite(parts, node.attributes.get("type")):
        yield Fault(node.line, f"<cn> {node.text[:40]!r} is larger than any number here")


def _is_finite(parts: list[str], kind: str | None) -> bool:
    if kind == "rational":
        return len(parts[1]) < 300 and len(parts[0]) < 300 and int(parts[1]) != 0
    return math.isfinite(float("e".join(parts)))


def _identifier_faults(node: Element) -> Iterator[Fault]:
    text = node.text
    if node.children or not text or " " in text or len(text) > MAX_ID:
        yield Fault(node.line, f"<ci> holds {text[:40]!r}, which is not one id")


def _symbol_faults(node: Element, right: tuple[str, ...]) -> Iterator[Fault]:
    address = node.attributes.get("definitionURL", "")
    if address.removeprefix(_SYMBOLS) not in right or node.children:
        yield Fault(
            node.line,
            f"the csymbol {address[:80]!r} cannot stand here, " + " and ".join(right) + " can",
        )
