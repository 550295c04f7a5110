"""Is an Antimony text one that libAntimony can translate without harm?

libAntimony opens files (`import`), ends a model silently at a comment that is not closed, and
hangs when modules or assignments double again and again. What it refuses with a good message
of its own, unknown names for example, is left to it; the SBML it makes is checked once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from myelode.errors import ModelError
from myelode.preflight.dependencies import (
    MAX_CHAIN,
    MAX_NESTED_MODELS,
    MAX_WRITTEN_OUT,
    find_circle,
    longest_chain,
)
from myelode.preflight.statements import (
    ARROWS,
    MAX_STATEMENTS,
    Module,
    Statement,
    Token,
    antimony_error,
    read_modules,
    split,
)
from myelode.preflight.tree import check_text

MAX_ANTIMONY = 1_000_000
"""Characters; a reaction takes about 50."""

MAX_TERMS = 1_000
"""Names and numbers in one formula; libAntimony and libSBML need a minute for 5,000."""


def check_antimony(text: str, where: str) -> None:
    """Pass, or raise for the first thing that libAntimony could not bear.

    Raises
    ------
    ModelError : the text reads files, is cut off, has odd characters or explodes.
    """
    check_text(text, where, MAX_ANTIMONY)
    models = read_modules(text, where)
    _check_terms(models, where)
    _check_size(models, where)
    _check_growth(models, where)


def _check_terms(models: Mapping[str, Module], where: str) -> None:
    for statement in (one for module in models.values() for one in module.statements):
        for part in split(statement, ","):
            terms = sum(token.kind in ("name", "number") for token in part)
            if terms > MAX_TERMS:
                raise antimony_error(
                    where, part[0].line, f"a formula of {terms} terms, at most {MAX_TERMS} are read"
                )


def _instances(
    statement: Statement, models: Mapping[str, Module]
) -> Iterator[tuple[str, Module, list[str]]]:
    """Models that a statement puts in: their label, the model, the names handed over."""
    for index, token in enumerate(statement[:-1]):
        before = statement[index - 1].text if index else ":"
        is_use = before == ":" and statement[index + 1].text == "("
        if is_use and token.kind == "name" and token.text in models:
            label = statement[index - 2].text if index > 1 else f"_{index}_{token.line}"
            handed = split(statement[index + 2 :], ",")
            yield label, models[token.text], ["".join(_names(given)[:1]) for given in handed]


def _parts(models: Mapping[str, Module]) -> dict[str, list[str]]:
    """The models that each model puts in, as often as it does."""
    return {
        name: [
            model.name
            for statement in module.statements
            for _, model, _ in _instances(statement, models)
        ]
        for name, module in models.items()
    }


def _check_size(models: Mapping[str, Module], where: str) -> None:
    """Refuse models that hold themselves, or others too often or too deep."""
    inside = _parts(models)
    circle = find_circle(inside)
    if circle:
        line = models[circle[0]].line
        raise antimony_error(where, line, f"a model contains itself: {' -> '.join(circle)}")
    sizes: dict[str, int] = {}
    for name in TopologicalSorter(inside).static_order():
        sizes[name] = len(models[name].statements) + sum(sizes[part] for part in inside[name])
    total = sum(sizes[name] for name in _outermost(inside))
    levels = longest_chain(inside)
    if total > MAX_STATEMENTS or levels > MAX_NESTED_MODELS:
        raise ModelError(
            f"{where}: {min(total, 10**12):,} statements in {levels} levels with all modules "
            f"put in, at most {MAX_STATEMENTS:,} in {MAX_NESTED_MODELS} are read"
        )


def _outermost(inside: Mapping[str, list[str]]) -> set[str]:
    return set(inside) - {name for parts in inside.values() for name in parts}


@dataclass
class _Flat:
    """All assignments with modules put in; names handed to a module are one with its own.

    libAntimony calls the reactions without a name `_J0`, `_J1` ...
    """

    models: Mapping[str, Module]
    same: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, list[str]] = field(default_factory=dict)

    def find(self, name: str) -> str:
        while name in self.same:
            other = self.same[name]
            self.same[name] = self.same.get(other, other)
            name = other
        return name

    def join(self, name: str, other: str) -> None:
        name, other = self.find(name), self.find(other)
        if name != other:
            self.same[name] = other

    def put_in(self, module: Module, prefix: str = "") -> None:
        unnamed = 0
        for statement in module.statements:
            for label, model, names in _instances(statement, self.models):
                self.put_in(model, f"{prefix}{label}.")
                for own, handed in zip(model.arguments, names, strict=False):
                    if handed:
                        self.join(f"{prefix}{label}.{own}", prefix + handed)
            if [token.text for token in statement[1:2]] == ["is"] and statement[-1].kind == "name":
                self.join(prefix + statement[0].text, prefix + statement[-1].text)
            for target, terms in _assignments(statement):
                known = target or f"_J{unnamed}"
                unnamed += not target
                self.assigned[prefix + known] = [prefix + name for name in terms]

    def graph(self) -> dict[str, list[str]]:
        """What each name is computed from; a later assignment replaces an earlier one."""
        return {
            self.find(target): [self.find(name) for name in terms]
            for target, terms in self.assigned.items()
        }


def _assignments(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Names that a statement sets, "" for a reaction without one, and the names that it uses."""
    texts = [token.text for token in statement]
    if texts[0] in ("at", "unit") or texts[1:3] == [":", "at"]:
        return
    if any(arrow in texts for arrow in ARROWS):
        law = statement[texts.index(";") + 1 :] if ";" in texts else []
        yield texts[0] if texts[1:2] == [":"] else "", _names(law)
        return
    for part in _split_outside(statement):
        sign = next((i for i, token in enumerate(part) if token.text in ("=", ":=")), 0)
        if sign and part[sign - 1].kind == "name":
            yield part[sign - 1].text, _names(part[sign + 1 :])


def _split_outside(statement: Statement) -> Iterator[Statement]:
    """Parts between commas that stand in no parentheses."""
    part: Statement = []
    depth = 0
    for token in statement:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _names(tokens: Iterable[Token]) -> list[str]:
    return [token.text for token in tokens if token.kind == "name"]


def _check_growth(models: Mapping[str, Module], where: str) -> None:
    """Refuse assignments that need one another in a circle, in a long row or too often."""
    for name in _outermost(_parts(models)):
        flat = _Flat(models)
        flat.put_in(models[name])
        _check_graph(flat.graph(), f"{where}, model {name!r}" if name else where)


def _check_graph(graph: Mapping[str, list[str]], where: str) -> None:
    circle = find_circle(graph)
    if circle:
        raise ModelError(f"{where}: {circle[0]!r} is computed from itself: {' -> '.join(circle)}")
    sizes: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        sizes[name] = max(1, sum(sizes[other] for other in graph.get(name, ())))
    total, chain = sum(sizes.values()), longest_chain(graph)
    if total > MAX_WRITTEN_OUT or chain > MAX_CHAIN:
        raise ModelError(
            f"{where}: assignments that need one another have {min(total, 10**12):,} terms in "
            f"rows of {chain}, at most {MAX_WRITTEN_OUT:,} in rows of {MAX_CHAIN} are read"
        )
