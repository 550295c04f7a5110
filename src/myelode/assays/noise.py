"""The noise of a reading: it follows from what is read, not from the order of reading.

The same sample gives the same number in any run, alone or among others, bit for bit; there is no
seed and no state.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.errors import ScenarioError

_ROUNDING = 1e-9
_TOGETHER = 1 << 16
# Below it the inverse of the distribution fails, and no depth would find a read.
_LEAST_SHARE = 1e-15
_WEYL, _FIRST, _SECOND = (
    np.array([number], dtype=np.uint64)
    for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


@dataclass(frozen=True)
class Noise:
    """How one replicate scatters: by a share of its signal and by a constant, or by counting."""

    cv: float = 0.0
    sd: float = 0.0
    replicates: int = 1
    depth: int | None = None

    def read(self, signal: np.ndarray, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        """The mean of the replicates, for one key per trajectory and one moment per sample.

        Raises ScenarioError where shares are counted and the signal is none.
        """
        if self.depth is not None:
            signal = _share(signal)
        elif not (self.cv or self.sd):
            return signal
        rows, own = signal.reshape(-1, len(times)), keys.reshape(-1)
        # Some at a time, which the processor has at hand.
        step = 1 + _TOGETHER // len(times)
        parts = [slice(first, first + step) for first in range(0, len(own), step)]
        read = [self._mean(rows[part], own[part], times) for part in parts]
        return np.concatenate(read).reshape(signal.shape)

    def _mean(self, signal: np.ndarray, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        """The mean of the replicates."""
        total = np.zeros_like(signal)
        for replicate in range(self.replicates):
            total += self._replicate(signal, keys, times, 2 * replicate)
        return total / self.replicates

    def spread(self, signal: np.ndarray) -> np.ndarray:
        """The standard deviation of what is read of a signal."""
        one = np.hypot(self.cv * signal, self.sd)
        if self.depth is not None:
            one = np.sqrt(np.clip(signal * (1 - signal), 0, None) / self.depth)
        return np.asarray(one / math.sqrt(self.replicates))

    def _replicate(
        self, signal: np.ndarray, keys: np.ndarray, times: np.ndarray, stream: int
    ) -> np.ndarray:
        """A lognormal factor of mean 1 and a normal term, or the share of the reads that count."""
        if self.depth is not None:
            return _counts(_uniforms(keys, times, stream), self.depth, signal) / self.depth
        if self.cv:
            spread = math.log1p(self.cv**2)
            normals = _normals(keys, times, stream)
            signal = signal * np.exp(math.sqrt(spread) * normals - spread / 2)
        return signal + self.sd * _normals(keys, times, stream + 1) if self.sd else signal


NO_NOISE = Noise()


def key_of(parts: Sequence[str]) -> np.uint64:
    """A number for what is read, from the words that name it."""
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def same_number(value: float) -> float:
    """The number without its last digits, in which equal doses or levels may differ."""
    return float(f"{value:.12g}")


def _share(signal: np.ndarray) -> np.ndarray:
    outside = signal[(signal < -_ROUNDING) | (signal > 1 + _ROUNDING)]
    if outside.size:
        raise ScenarioError(
            "depth counts the reads that have a variant: the signal is its share, from 0 to 1, "
            f"not {outside[0]:.6g}"
        )
    return np.asarray(np.clip(signal, 0.0, 1.0))


def _counts(levels: np.ndarray, depth: int, share: np.ndarray) -> np.ndarray:
    """The smallest number of reads whose cumulated probability reaches the level."""
    from scipy.special import bdtr, bdtrik

    inside = (share >= _LEAST_SHARE) & (share < 1)
    inner = np.where(inside, share, 0.5)
    above = np.clip(np.ceil(bdtrik(levels, depth, inner)), 0, depth)
    below = np.maximum(above - 1, 0)
    counts = np.where(bdtr(below, depth, inner) >= levels, below, above)
    return np.asarray(np.where(inside, counts, np.round(share) * depth))


def _normals(keys: np.ndarray, times: np.ndarray, stream: int) -> np.ndarray:
    """Standard normal numbers, one for each trajectory and time."""
    from scipy.special import ndtri

    return np.asarray(ndtri(_uniforms(keys, times, stream)), dtype=float)


def _uniforms(keys: np.ndarray, times: np.ndarray, stream: int) -> np.ndarray:
    """Numbers between 0 and 1, one for each trajectory and time."""
    moments = _mixed(np.ascontiguousarray(times + 0.0, dtype=np.float64).view(np.uint64))
    streams = _mixed(np.array([stream + 1], dtype=np.uint64) * _WEYL)
    mixed = _mixed(_mixed(keys[..., None] ^ moments) + streams)
    # 53 random bits, in the middle of their interval: never 0 or 1.
    return ((mixed >> np.array([11], dtype=np.uint64)).astype(float) + 0.5) * 2.0**-53


def _mixed(bits: np.ndarray) -> np.ndarray:
    """SplitMix64: every bit of the result depends on every bit of the number."""
    bits = bits + _WEYL
    bits = (bits ^ (bits >> np.array([30], dtype=np.uint64))) * _FIRST
    bits = (bits ^ (bits >> np.array([27], dtype=np.uint64))) * _SECOND
    mixed: np.ndarray = bits ^ (bits >> np.array([31], dtype=np.uint64))
    return mixed
