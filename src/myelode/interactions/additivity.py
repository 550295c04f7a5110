"""The effect that two doses should have by Loewe additivity, found on the model itself.

It is the E at which ``d1 / D1(E) + d2 / D2(E) = 1``. With x for the first term the two agents alone
have the same effect at the doses ``d1 / x`` and ``d2 / (1 - x)``; one x is sought for each case, on
the logit scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from myelode.interactions.equal_effects import Curve, solve

Alone = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From numbers of cases, doses of the first and of the second agent: the effects of each alone."""
_LEAST = 1e-9


def additive_effects(
    curves: Sequence[Curve], curves2: Sequence[Curve], doses: np.ndarray, doses2: np.ndarray,
    alone: Alone,
) -> np.ndarray:  # fmt: skip
    """The additive effect of each case; NaN where no effect is within reach of both agents.

    `curves` and `curves2` say for each case how far the doses of an agent may go.
    """
    tops, tops2 = (np.array([c.doses[-1] for c in some]) for some in (curves, curves2))
    terms = _Terms(doses, doses2, tops, tops2, alone)
    low = -np.log(np.maximum(tops / doses - 1, _LEAST))
    high = np.log(np.maximum(tops2 / doses2 - 1, _LEAST))
    every = np.tile(np.arange(len(curves)), 2)
    at_low, at_high = np.split(terms.gap(every, np.concatenate([low, high])), 2)
    cases = np.flatnonzero((low < high) & (at_low > 0) & (at_high < 0))
    found = np.full(len(curves), np.nan)
    if cases.size:
        found[cases], _ = terms.effects(cases, solve(terms.gap, low[cases], high[cases], cases))
    return found


@dataclass(frozen=True)
class _Terms:
    """Pairs of doses, split into the shares of one agent and of the other, by the logit of x."""

    doses: np.ndarray
    doses2: np.ndarray
    tops: np.ndarray
    tops2: np.ndarray
    alone: Alone

    def effects(self, cases: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each agent does alone at its dose over its share."""
        one = self.doses[cases] * (1 + np.exp(-logits))
        other = self.doses2[cases] * (1 + np.exp(logits))
        return self.alone(
            cases, np.minimum(one, self.tops[cases]), np.minimum(other, self.tops2[cases])
        )

    def gap(self, cases: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """How much more the first does than the second: nothing at the right share."""
        one, other = self.effects(cases, logits)
        gap: np.ndarray = one - other
        return gap
