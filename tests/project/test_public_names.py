"""The public names are exactly the intended ones, and no module hides one of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import myelode

PUBLIC = {
    "Model",
    "Scenario",
    "Summary",
    "__version__",
    "bands",
    "convert",
    "cross_resistance",
    "dose_response",
    "errors",
    "evaluate",
    "fluxes",
    "imwg_response",
    "load_model",
    "load_scenario",
    "sensitivity",
    "simulate",
    "specific_activity",
    "sweep",
    "synergy",
    "why",
}


@pytest.fixture(scope="module")
def submodules() -> dict[str, object]:
    """Every module of the package, imported: from then on it is an attribute of the package."""
    found = pkgutil.walk_packages(myelode.__path__, prefix="myelode.")
    return {item.name.rpartition(".")[2]: importlib.import_module(item.name) for item in found}


def test_the_public_names_are_the_intended_ones() -> None:
    assert set(myelode.__all__) == PUBLIC
    assert set(dir(myelode)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"errors", "__version__"}))
def test_a_public_name_is_a_function_or_class_of_its_module(
    name: str, submodules: dict[str, object]
) -> None:
    found = getattr(myelode, name)
    assert inspect.isclass(found) or inspect.isfunction(found)
    assert found.__name__ == name
    assert found.__module__.startswith("myelode.")
    assert inspect.getdoc(found)


def test_a_star_import_gives_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from myelode import *", namespace)  # noqa: S102 - a star import is legal at the top only
    assert set(namespace) - {"__builtins__"} == PUBLIC


def test_no_public_function_shares_its_name_with_a_module(submodules: dict[str, object]) -> None:
    assert PUBLIC & submodules.keys() == {"errors"}


def test_every_error_is_a_myelode_error() -> None:
    classes = inspect.getmembers(myelode.errors, inspect.isclass)
    own = [item for _, item in classes if item.__module__ == "myelode.errors"]
    assert own
    assert all(issubclass(item, myelode.errors.MyelodeError) for item in own)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'myelode' has no attribute 'simulat'"):
        myelode.simulat  # noqa: B018 - the look-up is the test


def test_type_checkers_see_the_same_names_as_the_interpreter() -> None:
    tree = ast.parse(Path(myelode.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: str(node.module).removeprefix("myelode.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    [table] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_MODULE_OF"
    ]
    assert seen == ast.literal_eval(table)
    assert seen.keys() == PUBLIC - {"errors", "__version__"}
