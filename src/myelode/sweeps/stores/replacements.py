"""New files of a chunk on their way to their places, of which nobody ever sees some and not others.

All are written beside their places first, then renamed, the last one last: without it the chunk
counts as missing. Where they take the place of others, a note is written in between, which names
them and has a digest of each. Whoever is killed before leaves what was there; whoever is killed
after leaves a note, from which the next writer finishes what was begun.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from myelode.sweeps.stores.files import PARTIAL, unlink, write_file

WITHDRAWN = 2
"""So many files, the last ones, are deleted before any is renamed: what tells that others hold."""


class Replacement:
    """The files of one chunk.

    Parameters
    ----------
    root : what names of files are relative to.
    note : the file in which they are noted.
    is_noted : whether there is something to be replaced that must not get lost.
    """

    def __init__(self, root: Path, note: str, is_noted: bool):
        self._root, self._note, self._is_noted = root, note, is_noted
        self._ending = f".{uuid.uuid4().hex}{PARTIAL}"
        self._digests: dict[str, str] = {}
        self._is_decided = False

    def add(self, name: str, content: bytes) -> None:
        """Write a file beside its place; raises OSError."""
        self._digests[name] = _digest(content) if self._is_noted else ""
        write_file(os.path.join(self._root, name) + self._ending, content)

    def take_place(self) -> None:
        """Put all files in their places, in the order in which they were added; raises OSError."""
        unlink(self._note)
        if self._is_noted:
            about = {"ending": self._ending, "files": self._digests}
            write_file(self._note, json.dumps(about).encode())
            self._is_decided = True
        names = [*self._digests]
        _rename(self._root, self._ending, names, names[-WITHDRAWN:])
        if self._is_noted:
            unlink(self._note)

    def drop(self) -> None:
        """After an error: delete all, unless they can still be put in their places later."""
        if self._is_decided:
            return
        for name in (self._note, *(str(self._root / n) + self._ending for n in self._digests)):
            with suppress(OSError):
                os.unlink(name)


def finish(root: Path, note: str) -> None:
    """Put files in their places as a note says, if there is one and nothing of them is lost.

    Raises OSError.
    """
    try:
        about = json.loads(Path(note).read_bytes())
    except FileNotFoundError:
        return
    except ValueError:  # was not finished: nothing had been renamed then
        unlink(note)
        return
    ending, digests = about["ending"], about["files"]
    last = [*digests][-WITHDRAWN:]
    if all(_digest_of(root / name, ending) == digest for name, digest in digests.items()):
        waiting = [name for name in digests if os.path.exists(str(root / name) + ending)]
        _rename(root, ending, waiting, [name for name in last if name in waiting])
    else:
        _rename(root, ending, [], last)
    unlink(note)


def _rename(root: Path, ending: str, names: list[str], withdrawn: list[str]) -> None:
    """Put files in their places; what says that those which were there hold goes first."""
    for name in reversed(withdrawn):
        unlink(str(root / name))
    for name in names:
        os.replace(str(root / name) + ending, root / name)


def _digest_of(file: Path, ending: str) -> str:
    """Of the file beside the place, or of that in it; empty where there is neither."""
    for path in (f"{file}{ending}", file):
        with suppress(FileNotFoundError):
            return _digest(Path(path).read_bytes())
    return ""


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
