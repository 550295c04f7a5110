"""What refers to itself, or grows beyond measure when it is written out.

The libraries insert functions, rules and rate laws where they are used, and follow them
recursively: a circle overflows their stack, and 30 rules `x2 = x1 + x1` double 30 times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from myelode.errors import best_matches
from myelode.preflight.scopes import Fault, Formula, Scope, bvar_name, call_head, nodes
from myelode.preflight.tree import Element

MAX_CHAIN = 200
"""libSBML needs 1 s for 200 values that are each computed from the one before, 60 s for 700."""

MAX_NESTED_FUNCTIONS = 50
"""libSBML needs 1 s for 50 functions that each call the one before, 6 s for 80."""

MAX_WRITTEN_OUT = 100_000
"""Terms of all formulas with functions and rules inserted; libRoadRunner compiles 65,000 in 3 s;
the largest of 5,000 published and test models has 7,200."""

MAX_PARTS = 20_000
"""Elements of all submodels, each counted as often as it is used."""

MAX_NESTED_MODELS = 15

Graph = Mapping[str, Iterable[str]]
Terms = Counter[str]
"""How often each argument occurs in a written-out function; `""` counts everything else."""

_RATE = "rate of "
_INSERTED = ("assignment rule", "rate rule", "initial assignment", "rate law")


def dependency_faults(scope: Scope) -> Iterator[Fault]:
    """Circles among functions and values, and models that explode."""
    functions = {one.target: one for one in scope.formulas if one.kind == "function"}
    calls = {name: _calls(formula.math) for name, formula in functions.items()}
    graph = _values(scope)
    for what, needs, most in (
        ("the function", calls, MAX_NESTED_FUNCTIONS),
        ("the value of", graph, MAX_CHAIN),
    ):
        circle = find_circle(needs)
        if circle:
            yield _circle_fault(scope, what, circle)
            return
        yield from _chain_faults(scope, needs, most)
    yield from _growth_faults(scope, _written_functions(calls, functions), graph)


def find_circle(graph: Graph) -> list[str]:
    """Names that need one another, the first repeated at the end; empty if there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names[::-1]
    return []


def longest_chain(graph: Graph) -> int:
    """How many names a name depends on in a row."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depth[name] = 1 + max((depth[other] for other in graph.get(name, ())), default=0)
    return max(depth.values(), default=0)


def _circle_fault(scope: Scope, what: str, circle: list[str]) -> Fault:
    lines = {formula.target: formula.math.line for formula in scope.formulas}
    line = next((lines[name] for name in circle if name in lines), scope.model.line)
    shown = circle if len(circle) <= 10 else [*circle[:8], "...", circle[-1]]
    return Fault(line, f"{what} {circle[0]!r} depends on itself: {' -> '.join(shown)}")


def _calls(math: Element) -> set[str]:
    heads = (call_head(node) for node in nodes(math))
    return {head.text for head in heads if head is not None}


def _values(scope: Scope) -> dict[str, set[str]]:
    """Which values and rates each of them needs at the start; later they need fewer."""
    graph: dict[str, set[str]] = {}
    for species in scope.kind("species"):
        if species.attributes.get("hasOnlySubstanceUnits") not in ("true", "1"):
            graph[species.id] = {species.attributes.get("compartment", "")}
    for formula in scope.formulas:
        if formula.kind in _INSERTED:
            graph.setdefault(_result(formula), set()).update(_reads(formula))
        if formula.kind == "assignment rule":
            graph.setdefault(_RATE + formula.target, set()).add(formula.target)
    for reaction in scope.kind("reaction"):
        for reference in _changes(reaction):
            rate = _RATE + reference.attributes.get("species", "")
            graph.setdefault(rate, set()).update({reaction.id, reference.id} - {""})
    return graph


def _changes(reaction: Element) -> list[Element]:
    groups = reaction.all("listOfReactants", "listOfProducts")
    return [reference for group in groups for reference in group.children]


def _result(formula: Formula) -> str:
    """What a formula gives: the value of its target or the rate at which that changes."""
    return (_RATE if formula.kind == "rate rule" else "") + formula.target


def _reads(formula: Formula) -> set[str]:
    return set(_terms(formula.math, {})) - formula.local - {""}


def is_rate_of(node: Element) -> bool:
    """Whether an element is the rate of change of one name."""
    head, *arguments = node.children or [node]
    return head.attributes.get("definitionURL", "").endswith("/rateOf") and len(arguments) == 1


def _chain_faults(scope: Scope, graph: Graph, most: int) -> Iterator[Fault]:
    chain = longest_chain(graph)
    if chain > most:
        yield Fault(
            scope.model.line,
            f"{chain} functions or values each need the one before, at most {most} are read",
        )


def _growth_faults(
    scope: Scope, written: Mapping[str, list[Terms]], graph: Graph
) -> Iterator[Fault]:
    inserted: dict[str, list[Terms]] = {}
    every: list[Terms] = []
    for formula in scope.formulas:
        if formula.kind != "function":
            every.append(_terms(formula.math, written))
        if formula.kind in _INSERTED:
            inserted.setdefault(_result(formula), []).append(every[-1])
    sizes: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        of_reactions = graph.get(name, ()) if name.startswith(_RATE) else ()
        known = max(1, sum(sizes[other] for other in of_reactions))
        sizes[name] = max((_size(terms, sizes) for terms in inserted.get(name, ())), default=known)
    total = sum(_size(terms, sizes) for terms in every)
    if total > MAX_WRITTEN_OUT:
        yield Fault(
            scope.model.line,
            f"the formulas have {min(total, 10**12):,} terms or more when functions and rules "
            f"are inserted, at most {MAX_WRITTEN_OUT:,} are read",
        )


def _size(terms: Terms, sizes: Mapping[str, int]) -> int:
    return sum(count * sizes.get(name, 1) for name, count in terms.items())


def _written_functions(calls: Graph, functions: Mapping[str, Formula]) -> dict[str, list[Terms]]:
    """Per function the terms that it adds itself, then the copies of each argument."""
    written: dict[str, list[Terms]] = {}
    for name in TopologicalSorter(calls).static_order():
        for body in functions[name].math.all("lambda") if name in functions else ():
            arguments = [bvar_name(bvar) for bvar in body.all("bvar")]
            terms = _sum(_terms(child, written) for child in body.children if child.name != "bvar")
            own = Counter({name: n for name, n in terms.items() if name not in arguments})
            written[name] = [own, *(Counter({"": terms[argument]}) for argument in arguments)]
    return written


def _terms(node: Element, written: Mapping[str, list[Terms]]) -> Terms:
    """Names and rates in a formula, and other terms as `""`, with functions written out."""
    if node.name == "ci":
        return Counter([node.text])
    if is_rate_of(node):
        return Counter([_RATE + node.children[1].text])
    head = call_head(node)
    if head is None or head.text not in written:
        total = _sum(_terms(child, written) for child in node.children if child is not head)
        total[""] += 1
        return total
    own, *copies = written[head.text]
    total = Counter(own)
    for copy, argument in zip(copies, node.children[1:], strict=False):
        for name, count in _terms(argument, written).items():
            total[name] += count * copy[""]
    return total


def _sum(parts: Iterable[Terms]) -> Terms:
    total: Terms = Counter()
    for part in parts:
        total.update(part)
    return total


def submodel_faults(every: list[Scope], elsewhere: Collection[str] = ()) -> Iterator[Fault]:
    """Models of the comp package that contain themselves, or one another too often.

    `elsewhere` are the ids of models that stand in other files.
    """
    inside = {scope.model.id: _submodels(scope) for scope in reversed(every)}
    yield from _unknown_submodels(every, {*inside, *elsewhere})
    own = {scope.model.id: sum(map(len, scope.lists.values())) for scope in reversed(every)}
    line = every[0].model.line
    if len(inside) < len(every):
        yield Fault(line, "two models of the file have the same id; ids must differ")
    yield from nesting_faults(inside, own, line)


def nesting_faults(inside: Graph, own: Mapping[str, int], line: int) -> Iterator[Fault]:
    """Models that contain themselves, or one another too often.

    `inside` are the models of which each consists, as often as it has them, `own` the numbers of
    elements that it has beside these, and `line` is where to report a fault.
    """
    circle = find_circle(inside)
    if circle:
        yield Fault(line, f"a model contains itself: {' -> '.join(circle)}")
        return
    parts: dict[str, int] = {}
    for name in TopologicalSorter(inside).static_order():
        parts[name] = own.get(name, 0) + sum(parts[part] for part in inside.get(name, ()))
    most, levels = max(parts.values(), default=0), longest_chain(inside)
    if most > MAX_PARTS or levels > MAX_NESTED_MODELS:
        yield Fault(
            line,
            f"a model of {min(most, 10**12):,} elements in {levels} levels of submodels, "
            f"at most {MAX_PARTS:,} in {MAX_NESTED_MODELS} are read",
        )


def _unknown_submodels(every: list[Scope], known: Collection[str]) -> Iterator[Fault]:
    for submodel in (submodel for scope in every for submodel in scope.kind("submodel")):
        name = submodel.attributes.get("modelRef", "")
        if name not in known:
            hint = best_matches(name, known) or "; define it or correct the name"
            yield Fault(submodel.line, f"a submodel refers to the unknown model {name!r}{hint}")


def _submodels(scope: Scope) -> list[str]:
    return [submodel.attributes.get("modelRef", "") for submodel in scope.kind("submodel")]
