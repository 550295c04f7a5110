"""The store of a sweep: one zarr group that is right at every moment, whatever is killed.

Each chunk of points is written as a whole by one writer: all files beside their places first, then
all of them are renamed, `status` after the data, and last the chunk's key, which says what it was
computed from. A chunk without a key has not been computed.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import Block, Layout, Variable
from myelode.sweeps.stores.libraries import load_zarr
from myelode.sweeps.stores.locks import Locks, write_error
from myelode.sweeps.stores.packing import DamageError, Packing, pack_text, unpack_text
from myelode.sweeps.stores.skeletons import chunk_name, read_layout, skeleton

STATUS_NAME = "status"

ID = "sweep_id"
"""The attribute that tells one sweep from another."""


def create(path: Path, layout: Layout, document: str) -> Store:
    """A new store with nothing but fill values; if somebody else is quicker, theirs."""
    path = Path(path)
    try:
        with skeleton(path, layout, document) as folder, suppress(FileExistsError):
            _rename_new(folder, path)
    except OSError as problem:
        raise write_error(path, problem) from None
    return open_store(path)


def _rename_new(folder: Path, path: Path) -> None:
    """Rename a folder, unless the name is taken."""
    if path.exists():
        raise FileExistsError(path)
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise


def open_store(path: Path) -> Store:
    """The store at a path; raises `ScenarioError` if there is none, or none of ours."""
    path, zarr = Path(path), load_zarr()
    if not path.exists():
        raise ScenarioError(f"{path}: there is no such store")
    try:
        group: Any = zarr.open_group(str(path), mode="r", zarr_format=3)
        return Store(path, read_layout(group), str(np.asarray(group["plan/document"][...])))
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

    def _file(self, name: str, number: int) -> str:
        axes = len(self._packings[name].shape)
        return os.path.join(self.path, name, chunk_name(number, axes))

    def _key_file(self, number: int) -> str:
        return os.path.join(self.path, "plan", "keys", chunk_name(number, 1))

    def write(self, number: int, block: Block, key: str) -> None:
        """Write a chunk and its key, or nothing.

        Raises
        ------
        ScenarioError : the disk is full or read-only; what was there before is still there, or
            the chunk counts as missing.
        """
        self._check(number, block)
        ending = f".{uuid.uuid4().hex}.partial"
        files = [(self._file(name, number), name) for name in self._packings]
        files.append((self._key_file(number), "key"))
        try:
            for file, name in files[:-1]:
                _write_file(file + ending, self._packings[name].pack(block[name]))
            _write_file(files[-1][0] + ending, pack_text(key))
            self.forget(number)
            for file, _ in files:
                os.replace(file + ending, file)
        except OSError as problem:
            for file, _ in files:
                with suppress(OSError):
                    os.unlink(file + ending)
            raise write_error(self.path, problem) from None

    def _check(self, number: int, block: Block) -> None:
        """Refuse a block that is no chunk of this store: the fault would be ours."""
        points = self.layout.size(number)
        for variable in self.layout.variables:
            shape = block[variable.name].shape
            if shape != (points, *variable.shape):
                raise ValueError(f"{variable.name} of chunk {number} has shape {shape}")

    def forget(self, number: int) -> None:
        """Let a chunk count as missing: its numbers are no longer right."""
        try:
            _unlink(self._key_file(number))
            _unlink(self._file(STATUS_NAME, number))
        except OSError as problem:
            raise write_error(self.path, problem) from None

    def read(self, number: int) -> Block:
        """A chunk; fill values where nothing has been written."""
        points = self.layout.size(number)
        return {
            variable.name: self._read(variable, number)[:points]
            for variable in self.layout.variables
        }

    def _read(self, variable: Variable, number: int) -> np.ndarray:
        """A variable of a chunk with all its points; what is damaged counts as not written."""
        try:
            with open(self._file(variable.name, number), "rb", buffering=0) as file:
                return self._packings[variable.name].unpack(file.read())
        except FileNotFoundError:
            return variable.empty(self.layout.chunk)
        except DamageError:
            return variable.empty(self.layout.chunk)
        except OSError as problem:
            raise ScenarioError(f"{self.path}: cannot be read: {problem.strerror}") from None

    def key(self, number: int) -> str:
        """What a chunk was computed from; empty if it has not been."""
        try:
            with open(self._key_file(number), "rb", buffering=0) as file:
                return unpack_text(file.read())
        except (OSError, DamageError):
            return ""

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
        points = self.layout.size(number)
        if not self.key(number):
            return variable.empty(points)
        return self._read(variable, number)[:points]

    def columns(self, name: str) -> np.ndarray:
        """A variable of all points."""
        parts = [self.column(name, number) for number in range(self.layout.chunks)]
        return np.concatenate(parts)

    def status(self) -> np.ndarray:
        """What became of each point, int8."""
        return self.columns(STATUS_NAME)

    def adopt(self, layout: Layout, document: str) -> None:
        """Take over a plan of the same variables: changed numbers in the model, more points.

        Chunks keep their keys; those that the plan does not have are computed again.

        Raises
        ------
        ScenarioError : the store is that of another sweep, or has more points.
        """
        require_same_sweep(self, layout)
        if document == self.document and layout.count == self.layout.count:
            return
        self._forget_cut_chunk(layout)
        try:
            with skeleton(self.path, layout, document) as folder:
                for file in sorted(_files(folder), key=lambda file: len(file.parts), reverse=True):
                    file.replace(self.path / file.relative_to(folder))
        except OSError as problem:
            raise write_error(self.path, problem) from None
        fresh = open_store(self.path)
        self.layout, self.document = fresh.layout, fresh.document
        self.__dict__.pop("_packings", None)

    def _forget_cut_chunk(self, layout: Layout) -> None:
        """The last chunk, when points are added behind it that it has not computed."""
        last = self.layout.chunks - 1
        if self.layout.bounds(last) != layout.bounds(last):
            self.forget(last)

    def sweep_up(self) -> None:
        """Delete what killed writers left half-written; only for who writes alone."""
        for folder in [*(self.path / name for name in self._packings), self.path / "plan" / "keys"]:
            for entry in os.scandir(folder):
                if entry.name.endswith(".partial"):
                    _unlink(entry.path)
        self.locks.sweep_up()


def require_same_sweep(store: Store, layout: Layout) -> None:
    """Refuse a store of another sweep; raises `ScenarioError`."""
    for what, there, wanted in _differences(store.layout, layout):
        if there != wanted:
            raise ScenarioError(
                f"{store.path}: is the store of another sweep ({what}: {there}, not {wanted}): "
                "name another store"
            )


def _differences(there: Layout, wanted: Layout) -> Iterator[tuple[str, Any, Any]]:
    """What must be the same in two plans for one store, in the order that explains most."""
    yield "its id is", there.attributes.get(ID), wanted.attributes.get(ID)
    yield "points in a chunk", there.chunk, wanted.chunk
    ours, theirs = (_signatures(layout) for layout in (there, wanted))
    for name in sorted(ours.keys() | theirs.keys()):
        yield name, ours.get(name, "absent"), theirs.get(name, "absent")
    yield "points", there.count, min(there.count, wanted.count)


def _signatures(layout: Layout) -> dict[str, str]:
    """Type and shape of each variable, in words."""
    found = {item.name: f"{item.dtype} {item.dims}{item.shape}" for item in layout.variables}
    return found | {name: str((dims, v.shape)) for name, (dims, v, _) in layout.fixed.items()}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _write_file(name: str, content: bytes) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        written = os.write(handle, content)
        while written < len(content):
            written += os.write(handle, content[written:])
    finally:
        os.close(handle)


def _unlink(name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name)
