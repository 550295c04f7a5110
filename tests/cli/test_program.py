"""The program as a whole: help, version, exit codes, encodings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]
Change = Callable[[str, str], Path]


@pytest.mark.parametrize(
    "command", ["list", "show", "check", "run", "validate", "replay", "export"]
)
def test_the_help_of_every_command_has_an_example(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--help"]) == 0
    assert f"myelode {command} " in capsys.readouterr().out.partition("Example:")[2]


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_a_shipped_scenario_runs(answer: Answer) -> None:
    found = answer("run", "gamma_h2ax_washout")
    assert "none" in found["perturbations"]
    assert all(line["passed"] for line in found["expect"])


def _program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    start = "import sys; from myelode.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_exit_code_reaches_the_shell(tmp_path: Path) -> None:
    done = _program("run", "nowhere.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nowhere.yaml: no such file\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
def test_an_output_that_cannot_be_written_is_one_line() -> None:
    for arguments in (["list", "models"], ["list", "models", "--json"]):
        command = [sys.executable, "-m", "myelode", *arguments]
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        said = "error: the output cannot be written: No space left on device\n"
        assert (done.returncode, done.stderr) == (1, said)


def test_nobody_needs_to_listen() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m myelode list models --json >&-"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_needs_no_library() -> None:
    look = (
        "import sys; from myelode.cli import main; main(['--version']);"
        "print(*sorted({'numpy', 'rich.table', 'roadrunner', 'xarray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("myelode ")
    assert done.stdout.splitlines()[1:] == [""]


def test_a_narrow_encoding_costs_letters_and_nothing_else(change: Change, scenario: Path) -> None:
    import os

    change("a pulse", "a γ pulse")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = _program("run", str(scenario), env=environment)
    assert done.returncode == 0, done.stderr
    assert "a ? pulse" in done.stdout
