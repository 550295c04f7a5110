"""Is an Antimony text one that libAntimony can translate without harm?

libAntimony opens files (`import`), ends a model silently at a comment that is not closed, and
hangs when modules or assignments double again and again. What it refuses with a good message
of its own, unknown names for example, is left to it; the SBML it makes is checked once more.
"""

from __future__ import annotations

import re
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
from myelode.preflight.references import MAX_ID
from myelode.preflight.tree import MAX_CHARACTERS, MAX_MARKUP

MAX_STATEMENTS = 10_000
"""Statements of all modules, each counted as often as it is used; libAntimony needs 7 s for
2,000 reactions."""

MAX_TERMS = 1_000
"""Names and numbers in one formula; libAntimony needs 20 s for a sum of 5,000."""

MAX_PARENTHESES = 100

_TOKEN = re.compile(
    r"""(?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\r\n]|\\.)*"|```.*?```)
    |(?P<open>/\*|"|```)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<space>[ \t]+|\\\r?\n)
    |(?P<end>;|\r?\n|\r)
    |(?P<sign>:=|<?->|<?=>|[!-/:-@\[-`{-~])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_OPEN = {"/*": "a comment", '"': "a text", "```": "a text"}
_ARROWS = ("->", "=>", "<->", "<=>")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    line: int


Statement = list[Token]


@dataclass(frozen=True)
class Module:
    """A `model` or `function`, with the names that it takes as arguments."""

    name: str
    line: int
    kind: str = "model"
    arguments: list[str] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


def check_antimony(text: str, where: str) -> None:
    """Pass, or raise for the first thing that libAntimony could not bear.

    Raises
    ------
    ModelError : the text reads files, is cut off, has odd characters or explodes.
    """
    if len(text) > MAX_CHARACTERS:
        raise ModelError(
            f"{where}: {len(text)} characters are too many, at most {MAX_CHARACTERS} are read"
        )
    tokens = list(_tokens(text, where))
    _check_parentheses(tokens, where)
    statements = list(_statements(tokens))
    _check_terms(statements, where)
    modules = _modules(statements, where)
    _check_size(modules, where)
    _check_growth(modules, where)


def _error(where: str, line: int, text: str) -> ModelError:
    return ModelError(f"{where}, line {line}: {text}")


def _tokens(text: str, where: str) -> Iterator[Token]:
    """What is left without comments and spaces; refuses what cannot be read as tokens."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "", match.group()
        _check_characters(kind, found, line, where)
        if kind not in ("comment", "space"):
            yield Token(kind, found, line)
        line += len(re.findall(r"\r\n?|\n", found))


def _check_characters(kind: str, found: str, line: int, where: str) -> None:
    odd = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", found)
    if odd:
        raise _error(where, line, f"the control character {odd.group()!r} is not allowed")
    if kind == "other":
        raise _error(where, line, f"the character {found!r} stands outside of texts and comments")
    if kind == "open":
        raise _error(where, line, f"{_OPEN[found]} that starts with {found} has no end")
    if found == "import":
        raise _error(where, line, "import reads other files; write the modules into this one")
    if kind == "name" and len(found) > MAX_ID or len(found) > MAX_MARKUP and kind == "string":
        raise _error(where, line, f"a {kind} of {len(found)} characters is too long")


def _check_parentheses(tokens: Iterable[Token], where: str) -> None:
    """A formula ends with its line, so parentheses close before the next statement."""
    opened: list[Token] = []
    for token in tokens:
        if token.text == "(":
            opened.append(token)
        elif token.text == ")" and not opened:
            raise _error(where, token.line, "a ) closes nothing")
        elif token.text == ")":
            opened.pop()
        elif token.kind == "end" and opened:
            raise _error(where, opened[-1].line, "a ( is not closed on its line")
        if len(opened) > MAX_PARENTHESES:
            raise _error(where, token.line, f"more than {MAX_PARENTHESES} nested parentheses")


def _statements(tokens: Iterable[Token]) -> Iterator[Statement]:
    """Statements, a reaction together with its rate law, which follows on the same line."""
    current: Statement = []
    for token in tokens:
        is_reaction = any(before.text in _ARROWS for before in current)
        has_law = any(before.text == ";" for before in current)
        if token.kind != "end":
            current.append(token)
        elif token.text == ";" and is_reaction and not has_law:
            current.append(token)
        elif current:
            yield current
            current = []
    if current:
        yield current


def _check_terms(statements: Iterable[Statement], where: str) -> None:
    for statement in statements:
        for part in _split(statement, ","):
            terms = sum(token.kind in ("name", "number") for token in part)
            if terms > MAX_TERMS:
                line = statement[0].line
                raise _error(where, line, f"a formula of {terms} terms, at most {MAX_TERMS} fit")


def _split(statement: Statement, sign: str) -> Iterator[Statement]:
    part: Statement = []
    for token in statement:
        if token.text == sign:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _modules(statements: Iterable[Statement], where: str) -> dict[str, Module]:
    """The models of a text by name; what stands outside of them is the model ``""``."""
    main = current = Module("", 1)
    models = {"": main}
    for statement in statements:
        opened = _header(statement) if current is main else None
        if opened:
            current, statement = opened
            if current.kind != "function":
                models[current.name] = current
        elif statement[0].text == "end" and current is not main:
            current, statement = main, statement[1:]
        current.statements.extend([statement] if statement else [])
    if current is not main:
        raise _error(where, current.line, f"{current.kind} {current.name!r} has no end")
    return models


def _header(statement: Statement) -> tuple[Module, Statement] | None:
    """The module that a statement opens, and what follows the header in the statement."""
    match [token.text for token in statement[:4]]:
        case ["model" | "module" | "function" as kind, "*", name, *after]:
            start = 3
        case ["model" | "module" | "function" as kind, name, *after]:
            start = 2
        case _:
            return None
    is_annotation = after[:1] == ["="] or statement[start:] and statement[start].kind == "string"
    if is_annotation or statement[start - 1].kind != "name" or "." in name:
        return None
    arguments: list[str] = []
    if after[:1] == ["("]:
        close = next(i for i, token in enumerate(statement) if token.text == ")")
        arguments = [token.text for token in statement[start:close] if token.kind == "name"]
        start = close + 1
    return Module(name, statement[0].line, kind, arguments), statement[start:]


def _instances(
    statement: Statement, models: Mapping[str, Module]
) -> Iterator[tuple[str, Module, list[str]]]:
    """Models that a statement puts in: their label, the model, the names handed over."""
    for index, token in enumerate(statement[:-1]):
        before = statement[index - 1].text if index else ":"
        is_use = before == ":" and statement[index + 1].text == "("
        if is_use and token.kind == "name" and token.text in models:
            label = statement[index - 2].text if index > 1 else f"_{token.line}"
            handed = _split(statement[index + 2 :], ",")
            names = ["".join(part.text for part in given if part.kind == "name") for given in handed]
            yield label, models[token.text], names


def _check_size(models: Mapping[str, Module], where: str) -> None:
    """Refuse models that hold themselves, or others too often or too deep."""
    inside = {
        name: [
            model.name
            for statement in module.statements
            for _, model, _ in _instances(statement, models)
        ]
        for name, module in models.items()
    }
    circle = find_circle(inside)
    if circle:
        line = models[circle[0]].line
        raise _error(where, line, f"a model contains itself: {' -> '.join(circle)}")
    sizes: dict[str, int] = {}
    for name in TopologicalSorter(inside).static_order():
        sizes[name] = len(models[name].statements) + sum(sizes[part] for part in inside[name])
    total = sum(sizes[name] for name in _outermost(inside))
    if total > MAX_STATEMENTS or longest_chain(inside) > MAX_NESTED_MODELS:
        raise ModelError(
            f"{where}: {min(total, 10**12):,} statements with all modules put in, at most "
            f"{MAX_STATEMENTS:,} in {MAX_NESTED_MODELS} levels are read"
        )


def _outermost(inside: Mapping[str, list[str]]) -> set[str]:
    return set(inside) - {name for parts in inside.values() for name in parts}


@dataclass
class _Flat:
    """All assignments with modules put in; names handed to a module are one with its own."""

    models: Mapping[str, Module]
    same: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, list[str]] = field(default_factory=dict)

    def find(self, name: str) -> str:
        while name in self.same:
            name = self.same[name]
        return name

    def join(self, name: str, other: str) -> None:
        name, other = self.find(name), self.find(other)
        if name != other:
            self.same[name] = other

    def put_in(self, module: Module, prefix: str = "") -> None:
        for statement in module.statements:
            for label, model, names in _instances(statement, self.models):
                path = f"{prefix}{label}."
                self.put_in(model, path)
                for own, handed in zip(model.arguments, names, strict=False):
                    if handed:
                        self.join(path + own, prefix + handed)
            if [token.text for token in statement[1:2]] == ["is"] and statement[-1].kind == "name":
                self.join(prefix + statement[0].text, prefix + statement[-1].text)
            for target, terms in _assignments(statement):
                self.assigned[prefix + target] = [prefix + name for name in terms]

    def graph(self) -> dict[str, list[str]]:
        """What each name is computed from; a later assignment replaces an earlier one."""
        return {
            self.find(target): [self.find(name) for name in terms]
            for target, terms in self.assigned.items()
        }


def _assignments(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Names that a statement sets, and the names that it uses for that."""
    texts = [token.text for token in statement]
    if texts[0] in ("at", "unit") or texts[1:3] == [":", "at"]:
        return
    if any(arrow in texts for arrow in _ARROWS):
        law = statement[texts.index(";") + 1 :] if ";" in texts else []
        if texts[1:2] == [":"]:
            yield texts[0], _names(law)
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
    used = {
        model.name
        for module in models.values()
        for statement in module.statements
        for _, model, _ in _instances(statement, models)
    }
    for module in models.values():
        if module.name not in used:
            flat = _Flat(models)
            flat.put_in(module)
            _check_graph(flat.graph(), f"{where}, line {module.line}")


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
            f"{where}: assignments insert one another {min(total, 10**12):,} times in rows of "
            f"{chain}, at most {MAX_WRITTEN_OUT:,} and {MAX_CHAIN} are read"
        )
