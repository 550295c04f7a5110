"""Names that an Antimony text defines twice.

libAntimony lets the second definition win, of a reaction too, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from myelode.errors import ModelError
from myelode.preflight.statements import ARROWS, Statement, Token, read_modules, split

_DEFINES = ("=", ":=")


def refuse_repeats(text: str, where: str) -> None:
    """Pass, or raise ModelError for the first name that has two values, rules or reactions."""
    for module in read_modules(text, where).values():
        first: dict[tuple[str, str], Token] = {}
        if module.kind == "function":
            continue
        for statement in module.statements:
            for role, name in _definitions(statement):
                known = first.setdefault((role, name.text), name)
                if known is not name:
                    raise ModelError(
                        f"{where}:{name.line}: {name.text!r} has a {role} already, "
                        f"on line {known.line}"
                    )


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
