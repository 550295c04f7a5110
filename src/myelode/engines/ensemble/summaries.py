"""What is to be said of outputs, as tallies of the driver and back: both sides of `tallies.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myelode.engines.ensemble.lanes import Tallies, no_tallies
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.tallies import AREA, BEYOND, LARGEST, PASSAGE, VALUE
from myelode.engines.ensemble.tape import STATE
from myelode.engines.summary import Summary

_TALLY_OF = {
    "value": (VALUE, 1.0),
    "max": (LARGEST, 1.0),
    "argmax": (LARGEST, 1.0),
    "min": (LARGEST, -1.0),
    "argmin": (LARGEST, -1.0),
    "auc": (AREA, 1.0),
    "time_above": (BEYOND, 1.0),
    "time_below": (BEYOND, -1.0),
    "first_above": (PASSAGE, 1.0),
    "first_below": (PASSAGE, -1.0),
}
"""What is kept for each kind of summary, and with which sign of the output."""

_BEFORE = {VALUE: np.nan, LARGEST: -np.inf, AREA: 0.0, BEYOND: 0.0, PASSAGE: np.inf}
"""What a tally holds before anything is known."""

_Tally = tuple[int, int, float, float, float, float]
"""Kind, output, sign, level, opening and closing."""


class Ledger:
    """The tallies behind summaries; those that need the same share one.

    Parameters
    ----------
    outputs : what the kernels observe, in order.
    end : when the runs end.
    """

    def __init__(
        self, program: Program, summaries: Sequence[Summary], outputs: Sequence[str], end: float
    ):
        self._summaries = summaries
        self._lines = [_tally(item, outputs.index(item.output), end) for item in summaries]
        self._tallies = list(dict.fromkeys(self._lines))
        values = [program.outputs[item.output] for item in summaries]
        needed = (program.tape.operations[value] for value in program.tape.needed_for(values))
        self._rows = sorted({int(line.number) for line in needed if line.name == STATE})

    def open(self, simulations: int) -> Tallies:
        """Tallies of simulations of which nothing is known yet."""
        if not self._tallies:
            return no_tallies(simulations)
        kinds, columns, signs, levels, opens, closes = np.array(self._tallies, dtype=float).T
        before = np.array([_BEFORE[int(kind)] for kind in kinds])
        kept = np.full((len(kinds), 2, simulations), np.nan)
        kept[:, 0] = before[:, None]
        rows = np.array(self._rows, dtype=np.int64)
        return Tallies(
            kinds.astype(np.int64), columns.astype(np.int64), signs.copy(), levels.copy(),
            opens.copy(), closes.copy(), rows, kept,
        )  # fmt: skip

    def read(self, tallies: Tallies) -> np.ndarray:
        """The summaries, of shape (simulations, summaries)."""
        found = [
            self._read(item, tallies.kept[self._tallies.index(line)])
            for item, line in zip(self._summaries, self._lines, strict=True)
        ]
        return np.array(found).reshape(len(found), tallies.kept.shape[2]).T.copy()

    @staticmethod
    def _read(summary: Summary, kept: np.ndarray) -> np.ndarray:
        if summary.kind in ("argmax", "argmin"):
            return np.where(np.isfinite(kept[0]), kept[1], np.nan)
        return np.asarray(-kept[0] if summary.kind == "min" else kept[0])


def _tally(summary: Summary, column: int, end: float) -> _Tally:
    kind, sign = _TALLY_OF[summary.kind]
    start, stop = summary.window(end)
    return kind, column, sign, sign * (summary.level or 0.0), start, stop
