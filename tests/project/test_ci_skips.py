"""In continuous integration nothing may be missing: a test that skips because it needs it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
MISSING = """
import pytest

@pytest.mark.skipif(True, reason="needs a cluster")
def test_marked(): ...

def test_called():
    pytest.skip("needs a browser")

@pytest.fixture
def data():
    pytest.skip("needs the external checks")

def test_fixture(data): ...
"""
MISSING_MODULE = "import pytest\npytest.skip('needs a display', allow_module_level=True)"
ALLOWED = """
import pytest

@pytest.mark.skip(reason="only for models with events")
def test_skipped(): ...

@pytest.mark.xfail(reason="needs a better constant", strict=True)
def test_expected_to_fail():
    assert False
"""


def _outcome(folder: Path, text: str, ci: str) -> str:
    """The last line that pytest prints for a test file under our conftest."""
    (folder / "test_example.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "MYELODE_CI": ci}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [*command, "test_example.py"], cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1]


def test_what_is_missing_skips_on_a_developers_machine(tmp_path: Path) -> None:
    assert "3 skipped" in _outcome(tmp_path, MISSING, ci="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(MISSING, "failed"), (MISSING_MODULE, "1 error")],
    ids=["in a test", "in a module"],
)
def test_what_is_missing_fails_in_ci(tmp_path: Path, text: str, expected: str) -> None:
    summary = _outcome(tmp_path, text, ci="1")
    assert expected in summary
    assert "skipped" not in summary


def test_other_skips_are_allowed_in_ci(tmp_path: Path) -> None:
    assert "1 skipped, 1 xfailed" in _outcome(tmp_path, ALLOWED, ci="1")
