"""Readings beside a scenario: each with its output, its run, and the model's own units.

What the scenario does not have is refused with file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from myelode.dose_ladders import Axis, read_ladders
from myelode.errors import MyelodeError, ScenarioError, best_matches
from myelode.model import Model
from myelode.regimens.timeline import SAME_TIME
from myelode.sampling import end_of_run
from myelode.scenario import Scenario, perturbation_names
from myelode.units import factor
from myelode.user_data.columns import Row, Sheet, read_sheet

LEAST_DOSES = 4
"""With fewer positive doses a dose-response determines little."""


@dataclass(frozen=True)
class Reading:
    """A reading in the units of the model, and the row of its table.

    `compound` and `arm` are None where the scenario has one only; `dose` is None where it has no
    ladder of doses. `sd` is None where none is given.
    """

    output: str
    perturbation: str
    compound: str | None
    arm: str | None
    time: float
    dose: float | None
    value: float
    sd: float | None
    row: Row

    def is_of(self, output: str, **where: str | float | None) -> bool:
        """Whether it is a reading of an output, with these fields (None: whatever it is)."""
        asked = {name: value for name, value in where.items() if value is not None}
        return self.output == output and all(
            _same(getattr(self, name), value) for name, value in asked.items()
        )


@dataclass(frozen=True)
class Readings:
    """The readings of one table, in its order; `sheet` is the table as it is written."""

    sheet: Sheet
    items: tuple[Reading, ...]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.sheet.path.name


def read_readings(path: str | Path, scenario: Scenario, model: Model) -> Readings:
    """The readings of a table, for a scenario and its model.

    Raises ScenarioError with file, line and column for what the scenario does not have: an output,
    a perturbation, a compound, an arm, a dose or a time, and for units of another kind.
    """
    sheet = read_sheet(path)
    reader = _Reader(sheet, scenario, model)
    return Readings(sheet, tuple(reader.reading(row) for row in sheet.rows))


def readings_at(
    readings: Iterable[Reading], output: str, **where: str | float | None
) -> tuple[Reading, ...]:
    """The readings of an output with these fields: `perturbation`, `compound`, `arm`, `time`,
    `dose`, in the units of the model."""
    return tuple(item for item in readings if item.is_of(output, **where))


def _same(own: str | float | None, asked: str | float) -> bool:
    if isinstance(own, float) and isinstance(asked, int | float):
        return abs(own - asked) <= SAME_TIME * max(1.0, abs(asked))
    return own is None or own == asked


class _Reader:
    """Gives each row of a table its place in a scenario."""

    def __init__(self, sheet: Sheet, scenario: Scenario, model: Model):
        self.sheet, self.scenario, self.model = sheet, scenario, model
        self.end = end_of_run(scenario, model)
        self.ladder = _ladder(sheet, scenario, model)
        own = {row.dose for row in sheet.rows if row.dose is not None}
        if self.ladder is None and len(own) > 1:
            said = "has no ladder of doses under design, and the readings have several doses"
            raise ScenarioError(f"{sheet.path}: the scenario {scenario.id!r} {said}")

    def reading(self, row: Row) -> Reading:
        """A row in the units of the model."""
        output = row.names["output"]
        scale = self._scale(row, output)
        names: Mapping[str, Sequence[str] | None] = {
            "compound": self.scenario.compounds, "arm": list(self.scenario.arms or []) or None,
        }  # fmt: skip
        compound, arm = (self._one_of(row, name, known) for name, known in names.items())
        sd = None if row.sd is None else scale * row.sd
        return Reading(
            output, self._perturbation(row), compound, arm, self._time(row), self._dose(row),
            scale * row.value, sd, row,
        )  # fmt: skip

    @contextmanager
    def _at(self, row: Row, column: str) -> Iterator[None]:
        try:
            yield
        except MyelodeError as error:
            raise self.sheet.error(row.line, column, error) from None

    def _scale(self, row: Row, output: str) -> float:
        """From the unit of a value to that of its output."""
        with self._at(row, "output"):
            own = self.model.unit_of(output)
        with self._at(row, "unit" if "unit" in self.sheet.headings else "value"):
            return _factor(row.unit, own, output)

    def _time(self, row: Row) -> float:
        with self._at(row, "time"):
            time = _factor(self.sheet.time_unit, self.model.time_unit, "the time") * row.time
            if time > self.end * (1 + SAME_TIME):
                unit = self.model.time_unit or ""
                raise ScenarioError(
                    f"{time:g} {unit}".strip()
                    + f" is after the end of {self.scenario.id!r}, {self.end:g} {unit}".rstrip()
                )
        return min(time, self.end)

    def _dose(self, row: Row) -> float | None:
        if self.ladder is None:
            return None
        with self._at(row, "dose"):
            if row.dose is None:
                raise ScenarioError("the scenario has a ladder of doses: each reading needs a dose")
            scale = _factor(self.sheet.dose_unit, self.ladder.unit, "the dose")
        return float(f"{scale * row.dose:.12g}")

    def _perturbation(self, row: Row) -> str:
        found = row.names.get("perturbation", self.scenario.reference)
        known = perturbation_names(self.scenario)
        with self._at(row, "perturbation"):
            if found not in known:
                said = f"{self.scenario.id!r} has no perturbation {found!r}"
                hint = best_matches(found, known) or f"; it has {', '.join(known)}"
                raise ScenarioError(said + hint)
        return found

    def _one_of(self, row: Row, column: str, known: Sequence[str] | None) -> str | None:
        """The compound or arm of a row, which must be named where there are several."""
        found = row.names.get(column)
        with self._at(row, column):
            if known is None:
                self._require_own(column, found)
                return None
            if found is None and len(known) == 1:
                return known[0]
            if found not in known:
                said = f"no {column} {found!r}" if found else f"several: say which {column}"
                hint = best_matches(found or "", known) or f"; it has {', '.join(known)}"
                raise ScenarioError(f"{self.scenario.id!r} has {said}{hint}")
        return found

    def _require_own(self, column: str, found: str | None) -> None:
        """Refuse a name where the scenario has one compound, and another; or no arms."""
        if found is None:
            return
        compounds, own = self.model.compounds, self.scenario.compound
        one = own if isinstance(own, str) else compounds.default
        if column == "arm" or not one or isinstance(own, dict):
            raise ScenarioError(f"{self.scenario.id!r} has no {column}s to choose from")
        if compounds.find(found, self.model.variant) != compounds.find(one, self.model.variant):
            raise ScenarioError(f"{self.scenario.id!r} has one compound, {one}, and not {found}")


def _ladder(sheet: Sheet, scenario: Scenario, model: Model) -> Axis | None:
    """The one ladder of a scenario, None where it has none."""
    axes = [ladder.axis for ladder in read_ladders(scenario, model)]
    if len(axes) > 1:
        said = "has two ladders of doses, and a reading has one dose"
        raise ScenarioError(f"{sheet.path}: the scenario {scenario.id!r} {said}")
    return axes[0] if axes else None


def _factor(own: str, unit: str | None, what: str) -> float:
    """From one unit to another; what the model gives no unit stays as it is."""
    if unit is None:
        factor(own, "dimensionless", what)
        return 1.0
    return factor(own, unit, what)
