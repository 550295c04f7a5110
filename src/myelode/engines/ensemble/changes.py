"""Changes from outside, to many simulations at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from myelode.engines.ensemble.fleet import Fleet
from myelode.regimens.timeline import Change


@dataclass(frozen=True)
class Decision:
    """What changes, by target, in some simulations."""

    which: np.ndarray
    changes: Mapping[str, Change]


def change(fleet: Fleet, decisions: Sequence[Decision]) -> None:
    """Change everything, for all simulations at once in which the same ids change."""
    alike: dict[tuple[str, ...], list[Decision]] = defaultdict(list)
    for decision in decisions:
        alike[tuple(decision.changes)].append(decision)
    for ids, items in alike.items():
        if ids:
            numbers = np.concatenate([item.which for item in items])
            # Everybody else has simulations in their order, and takes all of them for the whole.
            order = np.argsort(numbers)
            which = numbers[order]
            counts = [len(item.which) for item in items]
            changes = [item.changes.values() for item in items]
            factors = np.repeat([[c.factor for c in row] for row in changes], counts, axis=0)
            offsets = np.repeat([[c.offset for c in row] for row in changes], counts, axis=0)
            before = fleet.get(which, ids)
            fleet.set(which, ids, factors[order].T * before + offsets[order].T)
