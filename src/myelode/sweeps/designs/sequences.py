"""Points of the unit cube, of which any rows can be asked for: each depends on its number alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Protocol

import numpy as np

_BITS = 53
_PER_STEP = 4
"""Numbers that one step of the counter gives."""


class Sequence(Protocol):
    """Rows of numbers from 0 to 1, one column for each axis."""

    def rows(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` to before `last` (rows, axes)."""
        ...


@dataclass(frozen=True)
class Independent:
    """Independent numbers; a column depends on the seed and the name of its axis alone."""

    names: tuple[str, ...]
    seed: int

    def rows(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` to before `last`, each number between 0 and 1 without the ends."""
        columns = [uniform(self.seed, name, first, last) for name in self.names]
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Hypercube:
    """A Latin hypercube; a column depends on the seed, the name of its axis and `count` alone."""

    names: tuple[str, ...]
    seed: int
    count: int

    def rows(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` to before `last`."""
        return np.stack([column[first:last] for column in self._columns], axis=1)

    @cached_property
    def _columns(self) -> list[np.ndarray]:
        """All rows, which must be known for one of them; axis by axis to spare memory."""
        return [self._column(name) for name in self.names]

    def _column(self, name: str) -> np.ndarray:
        from scipy.stats import qmc

        sampler = qmc.LatinHypercube(d=1, rng=_key(self.seed, name))
        return np.asarray(sampler.random(self.count)[:, 0])


@dataclass(frozen=True)
class Sobol:
    """The scrambled Sobol sequence of a seed: the same points, however many are asked for."""

    axes: int
    seed: int
    most: int

    def rows(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` to before `last`, which is at most `most`."""
        start, directions = self._digits
        numbers = np.arange(first, last, dtype=np.int64)
        digits = np.empty((len(numbers), self.axes), dtype=np.int64)
        digits[:1] = start ^ np.bitwise_xor.reduce(directions[_ones(first ^ first >> 1)], axis=0)
        # Neighbouring numbers of the Gray code differ in one digit: the lowest one of the later.
        digits[1:] = directions[_lowest_ones(numbers[1:])]
        np.bitwise_xor.accumulate(digits, axis=0, out=digits)
        return digits * 2.0**-_SOBOL_BITS

    @cached_property
    def _digits(self) -> tuple[np.ndarray, np.ndarray]:
        """Row 0, and what each digit of the Gray code of a row's number changes, as integers.

        Rows 1, 2, 4, 8, ... of the sequence tell: 2**j is the Gray code of two digits, j and j-1.
        """
        from scipy.stats import qmc

        sequence = qmc.Sobol(self.axes, scramble=True, bits=_SOBOL_BITS, rng=self.seed)
        wanted = [0, *(1 << digit for digit in range(self.most.bit_length()))]
        rows = []
        for before, number in zip([-1, *wanted], wanted, strict=False):
            if number > before + 1:
                sequence.fast_forward(number - before - 1)
            rows.append(sequence.random(1)[0])
        whole = np.round(np.array(rows) * 2.0**_SOBOL_BITS).astype(np.int64)
        changes = whole[1:] ^ whole[0]
        return whole[0], np.bitwise_xor.accumulate(changes, axis=0)


_SOBOL_BITS = 30
"""Digits of the numbers of scipy's sequence."""


def _ones(number: int) -> list[int]:
    """The places of the ones among the binary digits of a number."""
    return [place for place in range(number.bit_length()) if number >> place & 1]


def _lowest_ones(numbers: np.ndarray) -> np.ndarray:
    """The place of the lowest one among the binary digits of each number."""
    return np.asarray(np.frexp((numbers & -numbers).astype(float))[1] - 1)


def uniform(seed: int, name: str, first: int, last: int) -> np.ndarray:
    """Numbers between 0 and 1, ends excluded; each depends on its place, seed and name alone."""
    counter = _counter(seed, name).advance(first // _PER_STEP)
    skipped = first % _PER_STEP
    raw = np.asarray(counter.random_raw(last - first + skipped))[skipped:]
    return ((raw >> np.uint64(64 - _BITS)) + 0.5) * 2.0**-_BITS


def _counter(seed: int, name: str) -> np.random.Philox:
    """A generator whose n-th number can be had without those before it."""
    return np.random.Philox(key=_key(seed, name))


def _key(seed: int, name: str) -> int:
    """A number of 128 bits for the seed of a design and one of its axes."""
    return int.from_bytes(sha256(f"{seed}\x1f{name}".encode()).digest()[:16])
