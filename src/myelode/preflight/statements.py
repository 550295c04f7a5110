"""An Antimony text as modules of statements, each a list of tokens with their lines.

Only as much of the language is known as the checks need. What cannot be cut into tokens is
refused: libAntimony drops the rest of a text behind a NUL or in a comment without an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from myelode.errors import ModelError
from myelode.preflight.scopes import MAX_ID
from myelode.preflight.tree import MAX_MARKUP

MAX_PARENTHESES = 100

MAX_STATEMENTS = 10_000
"""Statements of all modules, each counted as often as it is used; libAntimony needs 7 s for
2,000 reactions."""

ARROWS = ("->", "=>", "<->", "<=>")

_TOKEN = re.compile(
    r"""(?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\r\n]|\\.)*")
    |(?P<notes>```.*?```)
    |(?P<open>/\*|"|```)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<space>[ \t]+|\\\r?\n)
    |(?P<end>;|\r?\n|\r)
    |(?P<sign>:=|<?->|<?=>|[!-/:-@\[-`{-~])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n?|\n")
_LONGEST = {"name": MAX_ID, "string": MAX_MARKUP}


class Token(NamedTuple):
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


def antimony_error(where: str, line: int, text: str) -> ModelError:
    return ModelError(f"{where}:{line}: {text}")


def _tokens(text: str, where: str) -> Iterator[Token]:
    """What is left without comments and spaces."""
    odd = _CONTROL.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise antimony_error(where, line, f"the control character {odd.group()!r} is not allowed")
    line = 1
    for match in _TOKEN.finditer(text):
        token = Token(match.lastgroup or "", match.group(), line)
        _check_token(token, where)
        if token.kind not in ("comment", "space"):
            yield token
        if token.kind not in ("name", "number", "sign"):
            line += len(_LINE_END.findall(token.text))


def _check_token(token: Token, where: str) -> None:
    found = token.text
    if token.kind == "other":
        reason = f"the character {found!r} may stand in texts and comments only"
    elif token.kind == "open":
        reason = f"what starts here with {found} has no end"
    elif found == "import":
        reason = "import reads other files; write the modules into this one"
    elif len(found) > _LONGEST.get(token.kind, len(found)):
        reason = f"a {token.kind} of {len(found)} characters is too long"
    else:
        return
    raise antimony_error(where, token.line, reason)


def _checked_parentheses(tokens: Iterable[Token], where: str) -> Iterator[Token]:
    """A formula ends with its line, so parentheses close before the next statement."""
    opened: list[Token] = []
    for token in tokens:
        if token.text == "(":
            opened.append(token)
        elif token.text == ")" and not opened:
            raise antimony_error(where, token.line, "a ) closes nothing")
        elif token.text == ")":
            opened.pop()
        elif token.kind == "end" and opened:
            raise antimony_error(where, opened[-1].line, "a ( is not closed on its line")
        if len(opened) > MAX_PARENTHESES:
            raise antimony_error(where, token.line, f"over {MAX_PARENTHESES} nested parentheses")
        yield token
    if opened:
        raise antimony_error(where, opened[-1].line, "a ( is not closed on its line")


def _statements(tokens: Iterable[Token]) -> Iterator[Statement]:
    """Statements, a reaction together with its rate law, which follows on the same line."""
    current: Statement = []
    awaits_law = False
    for token in tokens:
        awaits_law = awaits_law or token.text in ARROWS
        if token.kind != "end" or (token.text == ";" and awaits_law):
            current.append(token)
            awaits_law = awaits_law and token.text != ";"
        elif current:
            yield current
            current, awaits_law = [], False
    if current:
        yield current


def split(statement: Statement, sign: str) -> Iterator[Statement]:
    part: Statement = []
    for token in statement:
        if token.text == sign:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def read_modules(text: str, where: str) -> dict[str, Module]:
    """The modules of a text by name; what stands outside of them is the model ``""``.

    Raises
    ------
    ModelError : the text is cut off, has odd characters or wants to read another file.
    """
    tokens = _checked_parentheses(_tokens(text, where), where)
    main = current = Module("", 1)
    models = {"": main}
    for count, statement in enumerate(_statements(tokens), 1):
        if count > MAX_STATEMENTS:
            line = statement[0].line
            raise antimony_error(where, line, f"over {MAX_STATEMENTS} statements are not read")
        opened = _header(statement) if current is main else None
        if opened:
            current, statement = opened
            models[_key(current, models)] = current
        elif statement[0].text == "end" and current is not main:
            current, statement = main, statement[1:]
        current.statements.extend([statement] if statement else [])
    if current is not main:
        raise antimony_error(where, current.line, f"{current.kind} {current.name!r} has no end")
    return models


def _key(module: Module, models: Mapping[str, Module]) -> str:
    """The name of a model; for functions and repeated names something that no text can use."""
    is_new_model = module.kind != "function" and module.name not in models
    return module.name if is_new_model else f"{module.kind} {module.name} ({module.line})"


def _header(statement: Statement) -> tuple[Module, Statement] | None:
    """The module that a statement opens, and what follows the header in the statement."""
    match [token.text for token in statement[:4]]:
        case ["model" | "module" | "function" as kind, "*", name, *after]:
            start = 3
        case ["model" | "module" | "function" as kind, name, *after]:
            start = 2
        case _:
            return None
    is_annotation = any(token.kind in ("string", "notes") for token in statement[start : start + 1])
    if is_annotation or after[:1] == ["="] or statement[start - 1].kind != "name" or "." in name:
        return None
    arguments: list[str] = []
    if after[:1] == ["("]:
        close = next(i for i, token in enumerate(statement) if token.text == ")")
        arguments = [token.text for token in statement[start:close] if token.kind == "name"]
        start = close + 1
    return Module(name, statement[0].line, kind, arguments), statement[start:]
