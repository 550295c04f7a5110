"""What happens at an instant where steps have conditions, and how often it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from myelode.errors import SimulationError
from myelode.expressions import holds, names_in
from myelode.regimens.timeline import Change, Instant, Lasting

Values = Callable[[Sequence[str]], np.ndarray]
"""The present values of ids, in the model's own mathematics."""


class Choices:
    """The occurrences of one run that took place so far, and the numbers that are counted.

    None stands among them: what hangs on no occurrence is certain.
    """

    def __init__(self, counts: Sequence[str]):
        self.taken: set[int | None] = {None}
        self.counts = dict.fromkeys(counts, 0)

    def decide(self, instant: Instant, values: Values) -> list[Change]:
        """The changes of an instant, by the values before any of them.

        Raises SimulationError where two take place that exclude each other.
        """
        if instant.occurrences:
            self._judge(instant, values)
        for clash in instant.clashes:
            if self.taken.issuperset((clash.one, clash.other)):
                raise SimulationError(clash.reason, instant.time, {})
        changes = [change for change in instant.changes if change.occurrence in self.taken]
        return [*changes, *self._settled(instant.lasting)]

    def beside(self, outputs: np.ndarray) -> np.ndarray:
        """Rows of outputs with the present counts behind them."""
        if not self.counts:
            return outputs
        row = np.array([*self.counts.values()], dtype=float)
        return np.hstack([outputs, np.tile(row, (len(outputs), 1))])

    def _judge(self, instant: Instant, values: Values) -> None:
        """Note which occurrences take place; all of one instant see the same values."""
        texts = [occurrence.condition for occurrence in instant.occurrences]
        seen = _seen(texts, instant.time, values)
        for occurrence in instant.occurrences:
            if holds(occurrence.condition, seen):
                self.taken.add(occurrence.number)
                if occurrence.count in self.counts:
                    self.counts[occurrence.count] += 1

    def _settled(self, items: Sequence[Lasting]) -> Iterator[Change]:
        """The values that parameters take by what lasts; none where nothing starts or ends."""
        for item in items:
            if self.taken.intersection(item.due):
                lasting = [value for due, value in item.values if due in self.taken]
                yield Change(item.target, 0.0, item.value_of(lasting))


def _seen(texts: Sequence[str], time: float, values: Values) -> Mapping[str, float]:
    """What the names of conditions mean at a time."""
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    names.pop("time", None)
    found = values(tuple(names)) if names else ()
    return {**dict(zip(names, map(float, found), strict=True)), "time": time}
