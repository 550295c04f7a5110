"""The other files of a model in parts.

A submodel may be the model of another file (`externalModelDefinition` of the comp package), under
any path or address. libSBML would open it, and quote what it cannot read; so these files are read
here instead: from the folder of the model or below it, only as many as a model may have, and each
with the checks of `check_sbml`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from myelode.errors import ModelError, best_matches
from myelode.files import read_text
from myelode.preflight import check_sbml
from myelode.preflight.dependencies import nesting_faults
from myelode.preflight.scopes import Fault, external_definitions, scopes
from myelode.preflight.tree import Element, parse_sbml

MAX_FILES = 50
"""Other files of one model; those of the SBML test suite have two."""

_RELATIVE = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")

Roots = Mapping[str, Element]
"""The `sbml` elements of all files by their paths from the folder; the model's own has none."""


def read_externals(text: str, where: str, folder: Path) -> Mapping[str, str]:
    """The files to which a model refers, directly or through one another.

    Parameters
    ----------
    text : SBML that passes `check_sbml`.
    where : what to call the text in messages.
    folder : where the text stands; nothing outside of it is read.

    Returns
    -------
    Texts by their paths from `folder`, with ``/`` between the parts.

    Raises
    ------
    ModelError : a file is missing, lies elsewhere or does not pass `check_sbml`; or the models
        contain one another in a circle or too often.
    """
    roots, texts = {"": parse_sbml(text, where)}, dict[str, str]()
    waiting = [""]
    while waiting:
        path = waiting.pop()
        for definition in external_definitions(roots[path]):
            other = _other(definition, path)
            if other not in roots:
                file = folder / other
                texts[other] = _read(
                    definition, file, folder, str(folder / path) if path else where
                )
                roots[other] = parse_sbml(texts[other], str(file))
                waiting.append(other)
            if len(texts) > MAX_FILES:
                raise ModelError(f"{where}: the model has more than {MAX_FILES} other files")
    for fault in _faults(roots):
        raise fault.error(where)
    return texts


def _other(definition: Element, path: str) -> str:
    """The path from the folder of the file that a definition in the file at `path` names."""
    source = os.path.join(os.path.dirname(path), definition.attributes.get("source", ""))
    return os.path.normpath(source).replace(os.sep, "/")


def _read(definition: Element, file: Path, folder: Path, where: str) -> str:
    """The text of a file that a definition names in the file called `where`."""
    source = definition.attributes.get("source", "")
    is_inside = file.resolve().is_relative_to(folder.resolve())
    if not (_RELATIVE.fullmatch(source) and is_inside):
        said = f"{source[:80]!r}; it must be a path within the folder of the model, like other.xml"
        raise _fault(definition, said).error(where)
    try:
        text = read_text(file)
    except ModelError as error:
        raise _fault(definition, f"another file, {error}").error(where) from None
    check_sbml(text, str(file), may_refer=True)
    return text


def _fault(definition: Element, said: str) -> Fault:
    return Fault(definition.line, f"the model {definition.id!r} stands in {said}")


def _faults(roots: Roots) -> Iterator[Fault]:
    """Models that are in no file, or that contain one another without end."""
    own: dict[str, int] = {}
    inside: dict[str, list[str]] = {}
    for path, root in roots.items():
        for scope in reversed(scopes(root)):
            name = _name(scope.model.id, path)
            own[name] = sum(map(len, scope.lists.values()))
            parts = scope.kind("submodel")
            inside[name] = [_name(part.attributes.get("modelRef", ""), path) for part in parts]
        for definition in external_definitions(root):
            inside[_name(definition.id, path)] = [_meant(definition, path, roots)]
    for name in {part for parts in inside.values() for part in parts} - set(inside):
        hint = best_matches(name, inside) or "; define it or correct the name"
        yield Fault(roots[""].line, f"a submodel is the unknown model {name!r}{hint}")
    yield from nesting_faults(inside, own, roots[""].line)


def _meant(definition: Element, path: str, roots: Roots) -> str:
    """The name of the model that a definition means: the main one of its file if it says none."""
    other = _other(definition, path)
    model = definition.attributes.get("modelRef") or scopes(roots[other])[0].model.id
    return _name(model, other)


def _name(model: str, path: str) -> str:
    """What to call a model of a file; no id has a space."""
    return f"{model} of {path}" if path else model
