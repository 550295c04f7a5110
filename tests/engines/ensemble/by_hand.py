"""Kernels of a small system in plain Python: what machine code of a model must do, and be given.

The system is ``A' = supply*time - k*A``, ``B' = k*A - B*B`` with the constants ``k``, ``supply``,
``limit`` and the held truth of the root ``B - limit``; ``k*k`` stands for what is hoisted. Outputs
are ``time``, ``A`` and ``A + k*k*B``. Every kernel gets addresses of numbers, eight to a value.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from myelode.engines.ensemble import oracle
from myelode.engines.ensemble.lanes import LANES, Kernels, Sizes
from myelode.engines.ensemble.tableau import RODAS5P

SIZES = Sizes(states=2, constants=4, hoisted=1, roots=1, outputs=3, work=0)
ADDRESS = ctypes.POINTER(ctypes.c_double)


def slopes(t: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    a, b = y
    k, supply, _, _ = p
    return np.array([supply * t - k * a, k * a - b * b])


def problem(p: np.ndarray) -> oracle.Problem:
    """The system with the constants of one simulation, for the readable method."""
    return oracle.Problem(
        lambda t, y: slopes(t, y, p),
        lambda t, y: np.array([[-p[0], 0.0], [p[0], -2 * y[1]]]),
        lambda t, y: np.array([p[1], 0.0]),
    )


def prepare(p: np.ndarray, q: np.ndarray) -> None:
    q[0] = p[0] * p[0]


def write_slopes(t: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray, f: np.ndarray) -> None:
    f[:] = slopes(t, y, p)


def step(
    t: np.ndarray, h: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray, k: np.ndarray,
    y_new: np.ndarray, work: np.ndarray,
) -> None:  # fmt: skip
    for lane in range(LANES):
        k[:, :, lane] = oracle.step(problem(p[:, lane]), t[lane], y[:, lane], h[lane])
        y_new[:, lane] = oracle.end_of(y[:, lane], k[:, :, lane])


def error(
    y: np.ndarray, y_new: np.ndarray, k: np.ndarray, tolerances: np.ndarray, e: np.ndarray,
    factor: np.ndarray,
) -> None:  # fmt: skip
    scale = tolerances[:-1] + tolerances[-1] * np.maximum(np.abs(y), np.abs(y_new))
    e[:] = np.mean((k[-1] / scale) ** 2, axis=0)
    factor[:] = 0.9 * np.maximum(e, 1e-30) ** -0.1


def accept(a: np.ndarray, y_new: np.ndarray, y: np.ndarray) -> None:
    y[:] = np.where(a != 0, y_new, y)


def dense(k: np.ndarray, d: np.ndarray) -> None:
    d[:] = np.tensordot(RODAS5P.dense, k, axes=1)


def roots(t: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray, g: np.ndarray) -> None:
    g[0] = y[1] - p[2]


def observe(t: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray, o: np.ndarray) -> None:
    o[:] = np.array([t, y[0], y[0] + q[0] * y[1]])


def sample(
    t: np.ndarray, s: np.ndarray, y: np.ndarray, y_new: np.ndarray, d: np.ndarray, p: np.ndarray,
    q: np.ndarray, o: np.ndarray,
) -> None:  # fmt: skip
    bend = d[0] + s * (d[1] + s * d[2])
    observe(t, (1 - s) * y + s * (y_new + (1 - s) * bend), p, q, o)


_N, _M, _Q = (2, LANES), (4, LANES), (1, LANES)
_ONE, _STAGES, _BENDS = (LANES,), (8, 2, LANES), (3, 2, LANES)
_NOW = (_ONE, _N, _M, _Q)
TABLE: dict[str, tuple[Callable[..., None], tuple[tuple[int, ...], ...]]] = {
    "prepare": (prepare, (_M, _Q)),
    "slopes": (write_slopes, (*_NOW, _N)),
    "step": (step, (_ONE, _ONE, _N, _M, _Q, _STAGES, _N, (1, LANES))),
    "error": (error, (_N, _N, _STAGES, (3, LANES), _ONE, _ONE)),
    "accept": (accept, (_ONE, _N, _N)),
    "dense": (dense, (_STAGES, _BENDS)),
    "roots": (roots, (*_NOW, (1, LANES))),
    "observe": (observe, (*_NOW, (3, LANES))),
    "sample": (sample, (_ONE, _ONE, _N, _N, _BENDS, _M, _Q, (3, LANES))),
}
"""Every kernel with the shapes of its arguments."""


def _callback(function: Callable[..., None], shapes: tuple[tuple[int, ...], ...]) -> object:
    def called(*addresses: object) -> None:
        with np.errstate(all="ignore"):
            function(*map(np.ctypeslib.as_array, addresses, shapes))

    return ctypes.CFUNCTYPE(None, *[ADDRESS] * len(shapes))(called)


@dataclass(frozen=True)
class ByHand:
    """The kernels; their machine code lives as long as this does."""

    callbacks: dict[str, object] = field(
        default_factory=lambda: {name: _callback(*entry) for name, entry in TABLE.items()}
    )

    @property
    def kernels(self) -> Kernels:
        found = {
            name: ctypes.cast(callback, ctypes.c_void_p).value or 0  # type: ignore[arg-type]
            for name, callback in self.callbacks.items()
        }
        return Kernels(**found)
