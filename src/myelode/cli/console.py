"""How commands speak: tables or one JSON object on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic as now
from typing import TYPE_CHECKING, Any

from myelode.errors import ScenarioError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PAGE_WIDTH = 100
QUIET_SECONDS = 2.0


def console() -> Console:
    """A console that prints what it is given: no markup, no emoji, no colours in files."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PAGE_WIDTH
    return Console(width=wide, markup=False, emoji=False, highlight=False)


def print_all(items: Iterable[RenderableType]) -> None:
    """Print tables and lines; lines are wrapped by the terminal, not by us."""
    from rich.table import Table

    screen = console()
    for item in items:
        screen.print(item, soft_wrap=not isinstance(item, Table))


def print_json(data: dict[str, Any]) -> None:
    """The one JSON object of a command."""
    from myelode.cli.summaries import to_json

    sys.stdout.write(to_json(data) + "\n")


def print_error(kind: str, message: str, as_json: bool, **more: Any) -> None:
    """One line on stderr, or with ``--json`` an object on stdout."""
    if as_json:
        print_json({"error": {"type": kind, "message": _one_line(message), **more}})
    else:
        sys.stderr.write(f"error: {_one_line(message)}\n")


def _one_line(text: str) -> str:
    """`text` on one line, without control characters, which could command a terminal."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def require_writable(*paths: Path | None) -> None:
    """Refuse a path that cannot be written before the work is done, not after it."""
    for path in paths:
        if path is None:
            continue
        folder = path.parent
        if os.path.isdir(path):
            raise ScenarioError(f"{path}: cannot be written: is a folder")
        if not os.path.isdir(folder):
            raise ScenarioError(f"{path}: cannot be written: there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise ScenarioError(f"{path}: cannot be written: {folder} is read-only")


@contextmanager
def progress(title: str, wanted: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Calls with (done, total) draw a bar on a terminal once the work has taken two seconds."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=None)
    started = now()

    def show(done: int, total: int) -> None:
        if now() - started > QUIET_SECONDS:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
