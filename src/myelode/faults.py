"""What is wrong with a validated file, in one line: where it stands, and what would be right."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ValidationError

from myelode.errors import best_matches
from myelode.files import YamlFile

Location = tuple[str | int, ...]


def first_fault(
    file: YamlFile, error: ValidationError, section_at: Callable[[Location], type[BaseModel]]
) -> str:
    """The fault that says most: a misspelt key explains a missing one.

    `section_at` gives what may stand at a place of the file, for hints at its keys.
    """
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda item: item["type"] != "extra_forbidden")
    path, context = fault["loc"], fault.get("ctx", {})
    key = str(path[-1]) if path else ""
    place = file.place(context.get("path") or _known_path(file, path))
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key {key!r}{best_matches(key, keys(section_at(path[:-1])))}"
    if fault["type"] == "missing":
        return f"{place}: {key!r} is missing"
    if fault["type"] == "literal_error":
        said, expected = str(fault["input"]), str(context["expected"])
        hint = best_matches(said, expected.replace("'", "").split(", "))
        return f"{place}: {fault['input']!r} is none of {expected}{hint}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def keys(section: type[BaseModel]) -> list[str]:
    """The keys of a section as a file writes them."""
    return [field.alias or name for name, field in section.model_fields.items()]


def _known_path(file: YamlFile, path: Location) -> Location:
    """The part of pydantic's path that names keys of the file, without its own type tags."""
    known: Location = ()
    for part in path:
        if (*known, part) in file.lines:
            known = (*known, part)
    return known or path[:1]
