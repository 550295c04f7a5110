"""Parts of the YAML files of a model folder, each of the right kind or refused with its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from myelode.errors import ModelError, best_matches
from myelode.files import YamlFile


def require_known(
    file: YamlFile, path: tuple[str, ...], entry: Mapping[Any, Any], keys: Collection[str]
) -> None:
    """Refuse a key that is none of `keys`, with the closest of them."""
    for key in entry:
        if key not in keys:
            hint = best_matches(str(key), keys)
            raise ModelError(f"{file.place((*path, str(key)))}: unknown key {key!r}{hint}")


def text_at(file: YamlFile, path: tuple[str, ...], value: Any) -> str:
    """A text on one line, and not an empty one."""
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{file.place(path)}: must be a text")
    return " ".join(value.split())


def list_at(file: YamlFile, path: tuple[str, ...], value: Any) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelError(f"{file.place(path)}: must be a list of names")
    return tuple(value)


def names_at(file: YamlFile, path: tuple[str, ...], value: Any) -> dict[str, str]:
    """A mapping of names to texts; nothing there is an empty one."""
    found = mapping_at(file, path, value)
    return {name: text_at(file, (*path, name), item) for name, item in found.items()}


def mapping_at(file: YamlFile, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A mapping of names to anything; nothing there is an empty one."""
    if value is not None and not isinstance(value, dict):
        raise ModelError(f"{file.place(path)}: must map names to names")
    return {str(name): item for name, item in (value or {}).items()}
