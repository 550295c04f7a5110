"""The user's own readings as points of panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from myelode.errors import ScenarioError
from myelode.figures.panel import Curve
from myelode.figures.styles import number_text
from myelode.user_data.readings import Reading, Readings, readings_at

FIELDS = ("perturbation", "compound", "arm")

_Place = Callable[[Reading], float | None]


class Overlay:
    """Readings beside a result whose lines are told apart by `series`, one of `FIELDS`.

    Raises ScenarioError for lines of another kind.
    """

    def __init__(self, readings: Readings, series: str):
        if series not in FIELDS:
            said = f"the lines of the figure are told apart by {series}, which no reading has"
            raise ScenarioError(f"{readings.name}: {said}")
        self.readings, self.series = readings, series

    @property
    def note(self) -> str:
        """What the points are."""
        number = len(self.readings.items)
        file = f"{self.readings.name} ({number} in all)"
        return f"Points: readings of {file}; bars: one standard deviation."

    @property
    def doses(self) -> list[float]:
        """The doses above zero, in the unit of the ladder."""
        return [item.dose for item in self.readings.items if item.dose]

    def over_time(
        self, output: str, column: Mapping[str, str], names: Sequence[str], length: float
    ) -> Iterator[Curve]:
        """The readings of an output in a column of panels; `length` is that of a unit of the axis.

        A column is told by its perturbation, compound, arm and the text of its dose.
        """
        found = readings_at(self.readings.items, output)
        yield from self._curves(found, column, names, lambda item: item.time / length)

    def over_dose(
        self,
        output: str,
        time: float,
        column: Mapping[str, str],
        names: Sequence[str],
        control: float | None,
    ) -> Iterator[Curve]:
        """The readings of an output at a time; dose zero is drawn at `control`, where there is
        such a place."""
        found = readings_at(self.readings.items, output, time=time)
        yield from self._curves(found, column, names, lambda item: item.dose or control)

    def _curves(
        self, found: Sequence[Reading], column: Mapping[str, str], names: Sequence[str], x: _Place
    ) -> Iterator[Curve]:
        own = [item for item in found if _is_in(item, column)]
        for name in names:
            placed = [(x(item), item) for item in own if self._line_of(item, names) == name]
            points = [(at, item) for at, item in placed if at is not None]
            if points:
                yield _curve(name, points)

    def _line_of(self, item: Reading, names: Sequence[str]) -> str:
        """The line that a reading belongs to; the only one where it names none."""
        name = getattr(item, self.series)
        return str(name) if name is not None else names[0]


def _is_in(item: Reading, column: Mapping[str, str]) -> bool:
    if any(getattr(item, name) not in (None, column.get(name, getattr(item, name)))
           for name in FIELDS):  # fmt: skip
        return False
    shown = column.get("dose")
    return shown is None or (
        item.dose is not None and shown.partition(" ")[0] == number_text(item.dose)
    )


def _curve(name: str, points: Sequence[tuple[float, Reading]]) -> Curve:
    items = [item for _, item in points]
    errors = [np.nan if item.sd is None else item.sd for item in items]
    x, y = np.array([at for at, _ in points]), np.array([item.value for item in items])
    return Curve(name, x, y, points=True, errors=np.array(errors))
