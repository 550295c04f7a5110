"""`constraints.txt` fixes one version of everything that is installed, and says nothing else."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
PIN = re.compile(r"[a-z0-9.-]+==[0-9][0-9a-z.]*(; python_version (<|>=) \"3\.\d+\")?")


def _pins(python: str) -> dict[str, str]:
    """The version of each package for one version of Python."""
    pins: dict[str, str] = {}
    for line in _lines():
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate({"python_version": python}):
            assert canonicalize_name(pin.name) not in pins, f"{pin.name} is pinned twice"
            pins[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    return pins


def _lines() -> list[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _declared() -> list[Requirement]:
    """What pyproject.toml asks for, in the core and in every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    texts = [*project["dependencies"], *(text for extra in extras for text in extra)]
    return [item for item in map(Requirement, texts) if item.name != "myelode"]


def _installed_closure(name: str, extras: set[str], seen: set[tuple[str, str]]) -> Iterator[str]:
    """Names of everything that a package asks for here, directly or not."""
    for text in requires(name) or ():
        wanted = Requirement(text)
        applies = [wanted.marker is None or wanted.marker.evaluate({"extra": e}) for e in extras]
        key = (canonicalize_name(wanted.name), ",".join(sorted(wanted.extras)))
        if any(applies) and key not in seen:
            seen.add(key)
            yield key[0]
            yield from _installed_closure(wanted.name, {"", *wanted.extras}, seen)


def test_every_line_is_an_exact_version() -> None:
    assert [line for line in _lines() if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_has_one_version_that_satisfies_it(python: str) -> None:
    pins = _pins(python)
    for wanted in _declared():
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


def test_every_requirement_has_a_lower_bound() -> None:
    assert [str(item) for item in _declared() if ">=" not in str(item.specifier)] == []


def test_the_constraints_cover_everything_that_the_requirements_bring() -> None:
    try:
        closure = set(_installed_closure("myelode", {"", "all", "docs", "test"}, set()))
    except PackageNotFoundError as problem:
        pytest.skip(f"needs the package installed with all extras: {problem.name} is not")
    pinned = _pins(".".join(map(str, sys.version_info[:2]))).keys()
    assert sorted(closure - pinned - {"myelode"}) == []
