"""What tests of stores and of their workers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from .fakes import FOLDER


@pytest.fixture
def workers_find_the_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes can import the fake plan."""
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "sweep.zarr"
