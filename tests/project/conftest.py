"""What the tests of the documentation share: its site, built once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pytest_itemcollected(item: pytest.Item) -> None:
    """All that reads the site runs on one worker, so that no other waits while it is built."""
    if "site" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from nothing, once for all workers; a warning is an error."""
    pytest.importorskip("sphinx", reason="needs sphinx: pip install '.[docs]'")
    temporary = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        temporary = temporary.parent
    folder = temporary / "site"
    with (temporary / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _build(temporary / "site.unfinished").rename(folder)
    return folder / "html"


def _build(folder: Path) -> Path:
    """Build into a new folder: what a failed build left would hide its warnings."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
        "-d", str(folder / "doctrees"), str(DOCS), str(folder / "html"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
