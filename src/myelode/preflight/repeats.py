"""Names that an Antimony text defines twice.

libAntimony lets the second definition win, of a reaction too, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from myelode.errors import ModelError
from myelode.preflight.statements import ARROWS, Module, Statement, Token, read_modules, split

_DEFINES = ("=", ":=")


def refuse_repeats(text: str, where: str) -> None:
    """Pass, or raise ModelError for the first name that has two values, rules or reactions."""
    refuse_repeats_in({where: text})


def refuse_repeats_in(parts: Mapping[str, str]) -> None:
    """As `refuse_repeats`, for texts that make one model together.

    `parts` are the texts that make one model, by what to call each in messages. What stands in
    none of their modules makes one module together.
    """
    first: dict[tuple[str, str, str], tuple[str, Token]] = {}
    for where, text in parts.items():
        for module in read_modules(text, where).values():
            for role, name in _defined(module):
                known = first.setdefault((module.name, role, name.text), (where, name))
                if known[1] is not name:
                    place = "" if known[0] == where else f" of {known[0]}"
                    raise ModelError(
                        f"{where}:{name.line}: {name.text!r} has a {role} already, "
                        f"on line {known[1].line}{place}"
                    )


def _defined(module: Module) -> Iterator[tuple[str, Token]]:
    """Everything that a module defines; a function defines nothing."""
    for statement in module.statements if module.kind != "function" else ():
        yield from _definitions(statement)


def _definitions(statement: Statement) -> Iterator[tuple[str, Token]]:
    """What a statement defines: the role of the definition, and the name."""
    texts = [token.text for token in statement]
    if texts[1:2] == [":"]:
        yield "reaction, event or part", statement[0]
    elif texts[1:2] == ["has"]:
        yield "unit", statement[0]
    elif not any(arrow in texts for arrow in ARROWS) and texts[0] != "at":
        for part in split(statement, ","):
            yield from _assigned(part, is_unit=texts[0] == "unit")


def _assigned(part: Statement, is_unit: bool) -> Iterator[tuple[str, Token]]:
    """The name on the left of ``=``, ``:=`` or ``'=``."""
    position = next((at for at, token in enumerate(part) if token.text in _DEFINES), 0)
    if position == 0:
        return
    name = part[position - 1]
    if name.text == "'" and position > 1:
        yield "rate", part[position - 2]
    elif name.kind == "name":
        yield "definition" if is_unit else "value", name
