"""The store of a sweep: one zarr group that is right at every moment, whatever is killed.

Each chunk of points is written as a whole by one writer: all files beside their places first, then
all of them are renamed, `status` after the data, and last the chunk's key, which says what it was
computed from. A chunk without a key has not been computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import Block, Layout, Variable
from myelode.sweeps.stores.comparing import ID as ID
from myelode.sweeps.stores.comparing import require_alike
from myelode.sweeps.stores.files import PARTIAL, entries, unlink, write_file
from myelode.sweeps.stores.libraries import load_zarr
from myelode.sweeps.stores.locks import Locks, write_error
from myelode.sweeps.stores.packing import DamageError, Packing, pack_text, read_text
from myelode.sweeps.stores.replacements import Replacement, finish
from myelode.sweeps.stores.skeletons import (
    DOCUMENT,
    chunk_name,
    number_of,
    read_layout,
    rename_new,
    skeleton,
    take_apart,
)

STATUS_NAME = "status"
_NOTE, _MARK = "new.", "adopting"


def create(path: Path, layout: Layout, document: str) -> Store:
    """A new store with nothing but fill values; if somebody else is quicker, theirs."""
    path = Path(path)
    try:
        with skeleton(path, layout, document) as folder, suppress(FileExistsError):
            rename_new(folder, path)
    except OSError as problem:
        raise write_error(path, problem) from None
    return open_store(path)


def open_store(path: Path) -> Store:
    """The store at a path; raises `ScenarioError` if there is none, or none of ours."""
    path, zarr = Path(path), load_zarr()
    if not path.exists():
        raise ScenarioError(f"{path}: there is no such store")
    try:
        group: Any = zarr.open_group(str(path), mode="r", zarr_format=3)
        document = str(np.asarray(group["plan"][DOCUMENT][...]))
        return Store(path, read_layout(group), document)
    except (OSError, LookupError, TypeError, ValueError):
        raise ScenarioError(f"{path}: is not the store of a sweep") from None


class Store:
    """A store that exists.

    Attributes
    ----------
    layout, document : what is in it, and the text from which it can be planned again.
    locks : who may write.
    """

    def __init__(self, path: Path, layout: Layout, document: str):
        self.path = Path(path)
        self.layout = layout
        self.document = document
        self.locks = Locks(self.path)

    @cached_property
    def _packings(self) -> dict[str, Packing]:
        """How each variable is packed, `status` last."""
        ordered = sorted(self.layout.variables, key=lambda variable: variable.name == STATUS_NAME)
        return {item.name: Packing(item, self.layout.chunk) for item in ordered}

    def _name(self, variable: str, number: int) -> str:
        """The file of a chunk of a variable, beside others of the store."""
        return f"{variable}/{chunk_name(number, len(self._packings[variable].shape))}"

    def _file(self, variable: str, number: int) -> str:
        return os.path.join(self.path, self._name(variable, number))

    def _key_file(self, number: int) -> str:
        return os.path.join(self.path, _key_name(number))

    def _note(self, number: int) -> str:
        """Where it is noted that a chunk is being replaced."""
        return os.path.join(self.path, "plan", "locks", f"{_NOTE}{number}")

    def write(self, number: int, block: Block, key: str) -> None:
        """Write a chunk and its key, or nothing; who writes must hold the chunk.

        Raises
        ------
        ScenarioError : the disk is full or read-only; what was there before is still there, or
            what is new can be finished with `mend`, or the chunk counts as missing.
        """
        self._check(number, block)
        files = Replacement(self.path, self._note(number), is_noted=bool(self.key(number)))
        try:
            for name, packing in self._packings.items():
                files.add(self._name(name, number), packing.pack(block[name]))
            files.add(_key_name(number), pack_text(key))
            files.take_place()
        except OSError as problem:
            files.drop()
            raise write_error(self.path, problem) from None

    def _check(self, number: int, block: Block) -> None:
        """Refuse a block that is no chunk of this store: the fault would be ours."""
        points = self.layout.size(number)
        for variable in self.layout.variables:
            shape = block[variable.name].shape
            if shape != (points, *variable.shape):
                raise ValueError(f"{variable.name} of chunk {number} has shape {shape}")

    def mend(self, number: int) -> None:
        """Finish what somebody has begun who was killed while he replaced a chunk.

        The chunk must be held. Raises `ScenarioError` where it cannot be written.
        """
        try:
            finish(self.path, self._note(number))
        except OSError as problem:
            raise write_error(self.path, problem) from None

    def forget(self, number: int) -> None:
        """Let a chunk count as missing: its numbers are no longer right."""
        try:
            unlink(self._note(number))
            unlink(self._key_file(number))
            unlink(self._file(STATUS_NAME, number))
        except OSError as problem:
            raise write_error(self.path, problem) from None

    def read(self, number: int) -> Block:
        """A chunk; fill values where nothing has been written."""
        return {variable.name: self._read(variable, number) for variable in self.layout.variables}

    def _read(self, variable: Variable, number: int) -> np.ndarray:
        """A variable of a chunk; what is damaged counts as not written."""
        points = self.layout.size(number)
        try:
            with open(self._file(variable.name, number), "rb", buffering=0) as file:
                return self._packings[variable.name].unpack(file.read(), points)
        except (FileNotFoundError, DamageError):
            return variable.empty(points)
        except OSError as problem:
            raise ScenarioError(f"{self.path}: cannot be read: {problem.strerror}") from None

    def key(self, number: int) -> str:
        """What a chunk was computed from; empty if it has not been."""
        return read_text(self._key_file(number))

    def keys(self) -> list[str]:
        """The keys of all chunks."""
        return [self.key(number) for number in range(self.layout.chunks)]

    def is_whole(self, number: int) -> bool:
        """Whether no file of a chunk is missing or cut off, as after a loss of power."""
        return all(
            packing.is_whole(self._file(name, number)) for name, packing in self._packings.items()
        )

    def finished_at(self, number: int) -> float:
        """When a chunk was finished, in seconds since 1970; NaN if it was not."""
        try:
            return os.stat(self._key_file(number)).st_mtime
        except OSError:
            return np.nan

    def column(self, name: str, number: int) -> np.ndarray:
        """A variable of one chunk; fill values where the chunk has no key."""
        [variable] = [item for item in self.layout.variables if item.name == name]
        if not self.key(number):
            return variable.empty(self.layout.size(number))
        return self._read(variable, number)

    def columns(self, name: str) -> np.ndarray:
        """A variable of all points."""
        parts = [self.column(name, number) for number in range(self.layout.chunks)]
        return np.concatenate(parts)

    def status(self) -> np.ndarray:
        """What became of each point, int8."""
        return self.columns(STATUS_NAME)

    def is_of(self, layout: Layout, document: str) -> bool:
        """Whether this is the store of a plan, as far as has been read of it."""
        is_same = document == self.document and layout.count == self.layout.count
        return is_same and not os.path.exists(self._mark)

    @property
    def _mark(self) -> str:
        """The file that is there while a plan is taken over; killed, it stays."""
        return os.path.join(self.path, "plan", "locks", _MARK)

    def adopt(self, layout: Layout, document: str, key: Callable[[int], str]) -> list[int]:
        """Take over a plan of the same variables: changed numbers in the model, more points.

        Nobody else may write. Chunks with another key than the plan's are forgotten, in the whole
        store and before anything says that this is the store of the plan; gives which they were.

        Parameters
        ----------
        key : of a chunk, by its number; is asked only for chunks that are there.

        Raises
        ------
        ScenarioError : the store is that of another sweep, or has more points.
        """
        require_same_sweep(self, layout)
        if self.is_of(layout, document):
            return []
        stale = {n: found for n in self._begun() if not (found := self.key(n)) or found != key(n)}
        try:
            with skeleton(self.path, layout, document) as folder, self._marked():
                for number in stale:
                    self.forget(number)
                take_apart(folder, self.path)
        except OSError as problem:
            raise write_error(self.path, problem) from None
        self.refresh()
        return [number for number, found in stale.items() if found]

    def _begun(self) -> list[int]:
        """The chunks of which a key, a status or a note is there."""
        folders = [(self.path / name, "c.") for name in (STATUS_NAME, os.path.join("plan", "keys"))]
        folders.append((self.path / "plan" / "locks", _NOTE))
        names = (e.name for folder, start in folders for e in entries(folder, start))
        return sorted({number_of(name) for name in names})

    @contextmanager
    def _marked(self) -> Iterator[None]:
        unlink(self._mark)
        write_file(self._mark, b"")
        yield
        unlink(self._mark)

    def refresh(self) -> None:
        """Read again of which plan the store is: others may have changed it."""
        fresh = open_store(self.path)
        self.layout, self.document = fresh.layout, fresh.document
        self.__dict__.pop("_packings", None)

    def is_changed(self) -> bool:
        """Whether another plan has been taken over since the store's own was read."""
        there = os.path.join(self.path, "plan", DOCUMENT, "c")
        return read_text(there) not in ("", self.document)

    def sweep_up(self) -> None:
        """Finish or delete what killed writers left half-written; only for who writes alone."""
        locks = self.path / "plan" / "locks"
        for entry in entries(locks, _NOTE):
            with self.locks.chunk(number_of(entry.name)) as is_held:
                if is_held:
                    self.mend(number_of(entry.name))
        for folder in [*(self.path / name for name in self._packings), self.path / "plan" / "keys"]:
            for entry in entries(folder, "c."):
                if entry.name.endswith(PARTIAL):
                    self._drop(entry)
        self.locks.sweep_up()

    def _drop(self, partial: os.DirEntry[str]) -> None:
        """Delete a half-written file, unless somebody has its chunk in hand."""
        with self.locks.chunk(number_of(partial.name)) as is_held:
            if is_held:
                unlink(partial.path)


def require_same_sweep(store: Store, layout: Layout) -> None:
    """Refuse a store of another sweep; raises `ScenarioError`."""
    require_alike(store.path, store.layout, layout)


def _key_name(number: int) -> str:
    return f"plan/keys/{chunk_name(number, 1)}"
