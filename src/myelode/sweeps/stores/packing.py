"""How the values of one chunk of points become one file of a zarr v3 store, and back.

zarr itself needs 1.6 ms for each array and chunk, which is more than most points take to compute.
The bytes here are those that zarr would write: Blosc (lz4, shuffled), and where a chunk of points
is worth several pieces, the `sharding_indexed` codec with its index at the end.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import TEXT, Layout, Variable

ROWS = 1024
"""The most points in a piece that is read at once, where points have more than one number."""

SMALL_PIECE, LARGEST_PIECE = 1_000_000, 16_000_000
"""Bytes of such a piece before it is packed: up to the first it may have more points."""

MOST_BYTES, MOST_PIECES = 2**31 - 2**16, 2**16
"""What Blosc can pack at once, and how many pieces a chunk may have: a little less than 2 GiB."""

_HEADER = struct.Struct("<4B3I")
_PLACE = struct.Struct("<2Q")
_NOWHERE = (2**64 - 1, 2**64 - 1)
"""The place of a piece that is not there: it has nothing but fill values."""


class DamageError(Exception):
    """A file is not what was written: it is cut off, or was never finished."""


class Packing:
    """One variable's chunk of points, as a file.

    Attributes
    ----------
    shape : of a chunk, points first.
    rows : how many points stand in one piece; a chunk of one piece has no index.
    """

    def __init__(self, variable: Variable, chunk: int):
        self._fill = variable.fill
        self._is_text = variable.dtype == TEXT
        kind = np.dtype(object if self._is_text else variable.dtype)
        self._kind = kind if self._is_text else kind.newbyteorder("<")
        self.shape = (chunk, *variable.shape)
        row_bytes = prod(variable.shape) * kind.itemsize
        self.rows = _rows(chunk, row_bytes) if variable.shape else chunk
        if self.rows * row_bytes > MOST_BYTES:
            raise ScenarioError(
                f"chunk {chunk}: {variable.name} has {self.rows * row_bytes / 1e9:.3g} GB in a "
                "piece, and 2.1 are the most: make it smaller, or a multiple of 1024"
            )

    @property
    def pieces(self) -> int:
        """How many pieces there are in a chunk."""
        return self.shape[0] // self.rows

    def pack(self, values: np.ndarray) -> bytes:
        """The bytes of a file with these points, which may be fewer than a chunk has."""
        cuts = range(0, max(1, len(values)), self.rows)
        pieces = [self._pack_piece(self._filled(values[n : n + self.rows])) for n in cuts]
        return pieces[0] if self.pieces == 1 else _with_index(pieces, self.pieces)

    def _filled(self, values: np.ndarray) -> np.ndarray:
        """The points of a piece; the last one is filled up."""
        if len(values) == self.rows:
            return values
        whole = self._empty(self.rows)
        whole[: len(values)] = values
        return whole

    def _empty(self, points: int) -> np.ndarray:
        return np.full((points, *self.shape[1:]), self._fill, self._kind)

    def _pack_piece(self, values: np.ndarray) -> bytes:
        if self._is_text:
            texts = _text_codec().encode(np.ascontiguousarray(values, object).reshape(-1))
            return bytes(_blosc().encode(texts))
        return bytes(_blosc().encode(np.ascontiguousarray(values, self._kind)))

    def unpack(self, content: bytes, points: int) -> np.ndarray:
        """The first points of a file; raises `DamageError` if it is not whole."""
        try:
            places = self._places(content)[: max(1, -(-points // self.rows))]
            pieces = [self._unpack_piece(content, place) for place in places]
            return (np.concatenate(pieces) if len(pieces) > 1 else pieces[0])[:points]
        except (RuntimeError, ValueError, struct.error) as problem:
            raise DamageError(str(problem)) from None

    def _unpack_piece(self, content: bytes, place: tuple[int, int]) -> np.ndarray:
        if place == _NOWHERE:
            return self._empty(self.rows)
        piece = content[place[0] : sum(place)]
        shape = (self.rows, *self.shape[1:])
        _require(len(piece) == _packed_bytes(piece))
        raw = _blosc().decode(piece)
        if self._is_text:
            texts: np.ndarray = _text_codec().decode(raw).reshape(shape)
            return texts
        return np.frombuffer(raw, self._kind).reshape(shape)

    def _places(self, content: bytes) -> list[tuple[int, int]]:
        """Where each piece begins, and how long it is."""
        if self.pieces == 1:
            return [(0, len(content))]
        size = self._index_bytes
        return _places(content[-size:], self.pieces, len(content) - size)

    @property
    def _index_bytes(self) -> int:
        return self.pieces * _PLACE.size + 4

    def is_whole(self, path: str | Path) -> bool:
        """Whether a file has the length that it says of itself: nothing is unpacked."""
        try:
            with open(path, "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if self.pieces == 1:
                    return _packed_bytes(file.read(_HEADER.size)) == size
                file.seek(max(0, size - self._index_bytes))
                _places(file.read(), self.pieces, size - self._index_bytes)
                return True
        except (OSError, DamageError, struct.error):
            return False


def _rows(chunk: int, row_bytes: int) -> int:
    """How many points stand in one piece: they divide the chunk, and are neither few nor many."""
    row_bytes = max(1, row_bytes)
    most = max(1, min(max(ROWS, SMALL_PIECE // row_bytes), LARGEST_PIECE // row_bytes))
    best = max(rows for rows in range(1, min(chunk, most) + 1) if chunk % rows == 0)
    is_too_large = chunk * row_bytes > MOST_BYTES and chunk // best <= MOST_PIECES
    return best if best * 8 > min(chunk, most) or is_too_large else chunk


def require_packable(layout: Layout) -> None:
    """Refuse chunks that no file can hold; raises ScenarioError with what would be right."""
    for variable in layout.variables:
        Packing(variable, layout.chunk)


def _with_index(pieces: list[bytes], count: int) -> bytes:
    """Pieces one behind the other, and where each begins and how long it is.

    Of so many, the last may not be there.
    """
    places, first = b"", 0
    for piece in pieces:
        places += _PLACE.pack(first, len(piece))
        first += len(piece)
    places += _PLACE.pack(*_NOWHERE) * (count - len(pieces))
    return b"".join([*pieces, places, struct.pack("<I", _crc32c(places))])


def _places(index: bytes, pieces: int, end: int) -> list[tuple[int, int]]:
    """Where pieces begin and how long they are; `DamageError` if they do not fill the file."""
    _require(len(index) == pieces * _PLACE.size + 4)
    _require(struct.unpack("<I", index[-4:])[0] == _crc32c(index[:-4]))
    places = list(_PLACE.iter_unpack(index[:-4]))
    _require(sum(place[1] for place in places if place != _NOWHERE) == end)
    return places


def _packed_bytes(content: bytes) -> int:
    """How long a packed piece says it is, from its first 16 bytes."""
    return int(_HEADER.unpack_from(content)[-1])


def _require(fact: bool) -> None:
    if not fact:
        raise DamageError("is cut off")


def pack_text(text: str) -> bytes:
    """One text as zarr stores it without packing."""
    return bytes(_text_codec().encode(np.array([text], dtype=object)))


def unpack_text(content: bytes) -> str:
    """The text of such a file; raises `DamageError`."""
    try:
        return str(_text_codec().decode(content)[0])
    except (ValueError, IndexError) as problem:
        raise DamageError(str(problem)) from None


def read_text(file: str) -> str:
    """The text in a file; empty where there is none, or only a piece of it."""
    try:
        with open(file, "rb", buffering=0) as handle:
            return unpack_text(handle.read())
    except (OSError, DamageError):
        return ""


@lru_cache(maxsize=1)
def _blosc() -> Any:
    from numcodecs import blosc

    # Blosc's own threads are shared by all that call it; they would wait for each other.
    blosc.use_threads = False
    return blosc.Blosc(cname="lz4", clevel=5, shuffle=blosc.SHUFFLE)


@lru_cache(maxsize=1)
def _text_codec() -> Any:
    from numcodecs.vlen import VLenUTF8

    return VLenUTF8()


def _crc32c(content: bytes) -> int:
    """The checksum of an index (Castagnoli's polynomial)."""
    table, rest = _crc_table(), 0xFFFFFFFF
    for byte in content:
        rest = (rest >> 8) ^ table[(rest ^ byte) & 0xFF]
    return rest ^ 0xFFFFFFFF


@lru_cache(maxsize=1)
def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table
