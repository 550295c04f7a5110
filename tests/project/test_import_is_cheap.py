"""Importing has no effects, and loads what it needs only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import myelode

# The first are loaded with the first public name; the second only by the function that needs them.
WITH_A_PUBLIC_NAME = ("antimony", "libsbml", "numpy", "pint", "pydantic", "roadrunner", "xarray")
ONLY_WHERE_USED = ("dask", "libcombine", "libsedml", "matplotlib", "sympy", "tellurium")

LOOK = """
import json, os, signal, sys, warnings
def state():
    interpreter = [sys.path[:], sys.getrecursionlimit(), str(sys.excepthook)]
    process = [dict(os.environ), os.getcwd(), str(signal.getsignal(signal.SIGINT))]
    return interpreter + process + warnings.filters
before = state()
import myelode
package = sorted(sys.modules)
unchanged = before == state()
for name in myelode.__all__:
    getattr(myelode, name)
import myelode.cli
print(json.dumps({"package": package, "program": sorted(sys.modules), "unchanged": unchanged}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str] | bool]:
    """What a new interpreter has loaded after `import myelode`, and with the whole program."""
    folder = tmp_path_factory.mktemp("import")
    sources = str(Path(myelode.__file__).resolve().parents[1])
    look = f"import sys; sys.path.insert(0, {sources!r})\n" + LOOK
    command = [sys.executable, "-B", "-c", look]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert not list(folder.iterdir())
    found: dict[str, list[str] | bool] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("library", WITH_A_PUBLIC_NAME + ONLY_WHERE_USED)
def test_the_package_loads_no_library(seen: dict[str, list[str]], library: str) -> None:
    assert library not in seen["package"]


@pytest.mark.parametrize("library", ONLY_WHERE_USED)
def test_the_program_loads_no_library_before_it_is_used(
    seen: dict[str, list[str]], library: str
) -> None:
    assert library not in seen["program"]


def test_importing_changes_nothing_in_the_process(seen: dict[str, bool]) -> None:
    assert seen["unchanged"]
