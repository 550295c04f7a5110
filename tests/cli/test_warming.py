"""`warm-up` leaves the ensemble engine ready, or says in one line why there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main
from myelode.engines import warming

ABSENT = "myelode.engines.ensemble.engine"


def test_it_says_where_the_driver_is_kept_and_for_which_processor(
    answer: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer("warm-up")
    assert found["engine"] == "ensemble"
    assert found["reason"] is None
    assert list(Path(found["folder"]).glob("*.nbi"))
    assert main(["warm-up"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("The ensemble engine is ready after ")
    assert f"driver for {found['processor']} " in line
    assert line.endswith(found["folder"])


def test_without_its_libraries_it_is_no_error(
    answer: Callable[..., dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, ABSENT, None)
    found = answer("warm-up")
    assert (found["engine"], found["folder"], found["processor"]) == ("roadrunner", None, None)
    assert "numba and llvmlite are missing" in found["reason"]
    assert main(["warm-up"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line == f"libRoadRunner does all runs: {found['reason']}"


def test_a_driver_that_cannot_be_kept_is_said_to_be_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warmth = warming.Warmth("", 9.0, compiled=True, folder=None, processor="znver4")
    monkeypatch.setattr(warming, "warm_up", lambda: warmth)
    assert main(["warm-up"]) == 0
    assert "not kept, because no folder" in capsys.readouterr().out
