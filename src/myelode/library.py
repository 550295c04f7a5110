"""Where models and scenarios stand: the shipped ones by name, anybody's by path.

A shipped name wins over a file of the same name: write ``./name`` for the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from myelode.errors import ModelError, MyelodeError, ScenarioError, best_matches

_FILE_SUFFIXES = {".ant", ".xml", ".sbml", ".yaml", ".yml"}
_NO_SCENARIOS = {"sweeps"}


def data_root() -> Path:
    """The folder with `models/` and `scenarios/`: in the installed package, else the checkout."""
    packaged = Path(str(resources.files("myelode"))) / "data"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2]


def models() -> dict[str, Path]:
    """The folder of each shipped model, by name."""
    folders = {file.parent for file in data_root().glob("models/*/*.ant")}
    return {folder.name: folder for folder in sorted(folders)}


def scenarios() -> dict[str, Path]:
    """The file of each shipped scenario, by its path below `scenarios/` without suffix."""
    root = data_root() / "scenarios"
    files = sorted([*root.glob("*/*.yaml"), *root.glob("*/assays/*.yaml")])
    return {
        file.relative_to(root).with_suffix("").as_posix(): file
        for file in files
        if file.parent.name not in _NO_SCENARIOS
    }


def sweeps() -> dict[str, Path]:
    """The file of each shipped sweep, by its name without suffix."""
    return {file.stem: file for file in sorted(data_root().glob("scenarios/sweeps/*.yaml"))}


def find_model(name_or_path: str | Path) -> Path:
    """The folder of a shipped model, or the folder or file at a path.

    Raises ModelError, with the closest names, where there is none.
    """
    return _find(name_or_path, "model", models(), ModelError)


def find_scenario(name_or_path: str | Path) -> Path:
    """The file of a shipped scenario, or the file at a path.

    The last part of a shipped name is enough where no other scenario has it. Raises ScenarioError,
    with the closest names, where there is none.
    """
    return _find(name_or_path, "scenario", scenarios(), ScenarioError)


def find_sweep(name_or_path: str | Path) -> Path:
    """The file of a shipped sweep, or the file at a path.

    Raises ScenarioError, with the closest names, where there is none.
    """
    return _find(name_or_path, "sweep", sweeps(), ScenarioError)


def beside(where: str, name_or_path: str) -> str:
    """A path as a file at `where` means it: relative to its own folder. Names stay names.

    What ends as a file does is no name: a file means it beside itself, and nowhere else.
    """
    path = Path(name_or_path)
    if not (path.suffix or len(path.parts) > 1):
        return name_or_path
    found = Path(where).parent / path
    is_there = found.exists() or (path.suffix and Path(where).is_file())
    return str(found) if is_there else name_or_path


def _find(
    wanted: str | Path, kind: str, known: Mapping[str, Path], error: type[MyelodeError]
) -> Path:
    name = str(wanted)
    if isinstance(wanted, str):
        matches = _matching(name, known)
        if len(matches) == 1:
            return known[matches[0]]
        if matches:
            raise error(f"{kind} {name!r} is not one but several: {', '.join(matches)}")
    if name and os.path.exists(name):
        return Path(name)
    if isinstance(wanted, Path) or Path(name).suffix in _FILE_SUFFIXES:
        raise error(f"{name}: no such file")
    hint = best_matches(name, _short_names(known) if "/" not in name else known)
    raise error(f"no {kind} or file is called {name!r}{hint} ('myelode list {kind}s' shows all)")


def _matching(name: str, known: Iterable[str]) -> list[str]:
    """The whole name alone, or else every name with this last part."""
    names = list(known)
    return [name] if name in names else [full for full in names if _last_part(full) == name]


def _short_names(known: Iterable[str]) -> list[str]:
    """Each name by its last part, or whole where two share the last part."""
    names = list(known)
    parts = [_last_part(full) for full in names]
    return [
        part if parts.count(part) == 1 else full for full, part in zip(names, parts, strict=True)
    ]


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]
