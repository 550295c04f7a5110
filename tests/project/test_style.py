"""The style rules that a machine can hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FUNCTION = 50
LONGEST_MODULE = 300
FOLDERS = ("src", "tests", "docs", "models", "scenarios", ".ci")
TEXT = {".py", ".md", ".toml", ".txt", ".cff", ".yaml", ".tsv", ".ant", ".html", ".js", ".css", ""}
NOTE_TO_SELF = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|farm|Users)/")
REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.|npmjs\.|anaconda\.org|deb\.debian\.)|index[-]url"
)


def _source_files() -> list[Path]:
    return sorted((ROOT / "src").rglob("*.py"))


def _text_files() -> Iterator[Path]:
    """What is written by hand: not caches, not built pages, not other people's code."""
    candidates = [*ROOT.glob("*"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*"))]
    skipped = {"__pycache__", "_build", "vendor"}
    for path in sorted(candidates):
        parts = set(path.relative_to(ROOT).parts) - {".ci"}
        hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and path.suffix in TEXT and not hidden and not skipped & parts:
            yield path


def _places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in _text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "--output-format=concise"), ("ruff", "format", "--check"), ("mypy",)],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_tools_have_nothing_to_say(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path in _source_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_module_is_too_long_to_have_one_purpose() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in _source_files()}
    long = [f"{path.relative_to(ROOT)}: {n}" for path, n in lengths.items() if n > LONGEST_MODULE]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    assert _places(NOTE_TO_SELF) == []


def test_no_machine_and_no_registry_is_named() -> None:
    assert _places(MACHINE) == []
    assert _places(REGISTRY) == []


def test_the_data_folders_hold_no_program() -> None:
    assert [path for name in ("models", "scenarios") for path in (ROOT / name).rglob("*.py")] == []
