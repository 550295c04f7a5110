"""Progress is for people who wait, on a terminal."""

from __future__ import annotations

import sys

import pytest

from myelode.cli import console


def test_no_progress_is_shown_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("running", wanted=True) as show:
        assert show is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, False), (3.0, True)])
def test_progress_appears_after_two_seconds(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    shown: bool,
) -> None:
    clock = [100.0]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(console, "now", lambda: clock[0])
    with console.progress("running", wanted=True) as show:
        assert show is not None
        clock[0] += seconds
        show(1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("running" in captured.err) is shown


def test_progress_is_not_shown_if_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with console.progress("running", wanted=False) as show:
        assert show is None
