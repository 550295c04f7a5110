"""Files that are written, and deleted, as a store needs it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PARTIAL = ".partial"
"""How the names of files end that are not in their places yet."""


def write_file(name: str, content: bytes) -> None:
    """A new file; raises OSError, FileExistsError if there is one."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        written = os.write(handle, content)
        while written < len(content):
            written += os.write(handle, content[written:])
    finally:
        os.close(handle)


def unlink(name: str) -> None:
    """Delete a file, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(name)


def entries(folder: Path, start: str) -> list[os.DirEntry[str]]:
    """What is in a folder with names that begin so."""
    with os.scandir(folder) as found:
        return [entry for entry in found if entry.name.startswith(start)]
