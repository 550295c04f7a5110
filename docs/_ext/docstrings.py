"""Docstrings as the code writes them: sections above dashes, and ``name : meaning`` in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_ITEM = re.compile(r"([\w*, ]+) : (.+)")


def to_fields(lines: Iterable[str]) -> Iterator[str]:
    """The lines with section titles in bold, and ``name : meaning`` as a field of a list."""
    lines = list(lines)
    in_section = False
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and set(line) == {"-"}:
            continue
        is_title = bool(below) and set(below) == {"-"}
        in_section = in_section or is_title
        item = _ITEM.fullmatch(line)
        if is_title:
            yield from ("", f"**{line}**", "")
        elif in_section and item:
            yield f":{item[1]}: {item[2]}"
        else:
            yield line


def _process(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_fields(lines)


def setup(app: Any) -> dict[str, bool]:
    """Apply to every docstring that autodoc reads."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
