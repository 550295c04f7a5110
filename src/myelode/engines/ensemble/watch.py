"""The driver with an eye on the clock: simulations that take too long are given up."""

from __future__ import annotations

import time

import numpy as np

from myelode.engines.ensemble.driver import integrate
from myelode.engines.ensemble.lanes import FOR_EVER, LANES, TOO_LONG, Kernels, Lanes, Stretch

ROUNDS = 1024
"""How many steps all lanes take between two looks at the clock."""


class Watch:
    """How much time simulations have spent in lanes so far.

    What is still in a lane at a look at the clock has taken all the time since the one before; the
    time after the last look is shared out among all simulations of a stretch.

    Parameters
    ----------
    most : seconds after which a simulation is given up; None for no limit, and no looks.
    """

    def __init__(self, most: float | None, simulations: int):
        self._most = most
        self._seconds = np.zeros(simulations)

    @property
    def rounds(self) -> int:
        """How many steps all lanes take between two looks."""
        return FOR_EVER if self._most is None else ROUNDS

    def drive(self, kernels: Kernels, stretch: Stretch, lanes: Lanes, which: np.ndarray) -> None:
        """Take simulations with these numbers to the ends of their stretches."""
        taken = 0
        while True:
            begin = time.perf_counter()
            taken = integrate(kernels, stretch, lanes, taken)
            passed = time.perf_counter() - begin
            busy = np.flatnonzero(lanes.simulation >= 0)
            if not busy.size and taken == len(which):
                break
            self._look(lanes, busy, which[lanes.simulation[busy]], passed)
        self._seconds[which] += passed * min(1.0, LANES / len(which))

    def _look(self, lanes: Lanes, busy: np.ndarray, which: np.ndarray, passed: float) -> None:
        """Give up what is in busy lanes for too long."""
        self._seconds[which] += passed
        late = self._seconds[which] > (np.inf if self._most is None else self._most)
        lanes.outcome[busy[late]] = TOO_LONG
