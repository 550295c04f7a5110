"""A fit to tables of readings, without a calibration file: what is free is named by the user.

Each free value has the range and the prior of the model's tables. The readings of one output in one
run are one series: a dose-response at one time, or a time course at one dose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from myelode.calibration import (
    Bounds,
    Calibration,
    CalibrationFile,
    DataField,
    ErrorModel,
    Records,
    Series,
)
from myelode.errors import MyelodeError, ScenarioError
from myelode.files import YamlFile
from myelode.fitting.free_values import FreeValue, Lines, free_values, table_bounds
from myelode.fitting.measurements import Measurement
from myelode.fitting.predictions import make_plan_of, model_of
from myelode.fitting.problems import Problem, Request
from myelode.fitting.targets import curves_with
from myelode.model import Model
from myelode.plan import Plan
from myelode.scenario import Scenario, load_scenario
from myelode.subjects import lines_of
from myelode.user_data.columns import Sheet
from myelode.user_data.readings import LEAST_DOSES, Reading, Readings, read_readings

FLOOR = 0.1
"""The error of a reading without sd, where it is zero: this share of that of the largest one."""

_JOINTS = {"cell line": ":", "compound": "."}
"""How the value of a layer is written that can be freed itself."""

_Run = tuple[str, str, str, str]
"""Output, perturbation, compound and arm."""


@dataclass(frozen=True)
class _Series:
    """The readings of one series, in order, and what their errors are."""

    series: Series
    records: Records
    measured: tuple[Measurement, ...]
    first: Reading
    sheet: Sheet


class _Tables:
    """The readings as the series of a calibration ask for them."""

    def __init__(self, parts: Sequence[_Series]):
        self.parts = {part.series.id: part for part in parts}

    def measurements(self, series: Series, records: Records) -> list[Measurement]:
        """What a series measured."""
        return list(self.parts[series.id].measured)


class _Places(YamlFile):
    """Says where a fault of a series arose: at the first line of its readings."""

    def place(self, path: tuple[str | int, ...]) -> str:
        """``file:line`` of a series, the names of the parameters else."""
        line = self.lines.get(path[:2])
        if line is None:
            return "--parameters" if path[:1] == ("parameters",) else self.where
        return f"{self.data[path[1]]}:{line}"


def problem_of_readings(request: Request) -> Problem:
    """The problem of a scenario and the tables of readings that a request names.

    Raises ScenarioError or ModelError for whatever is unknown, contradictory or missing.
    """
    if not 0 < request.error < math.inf:
        raise ScenarioError(f"the error of a reading is a share above zero, not {request.error:g}")
    scenario = load_scenario(request.target, request.settings)
    model = model_of(scenario)
    tables = [read_readings(path, scenario, model) for path in request.data]
    parts = [part for table in tables for part in _series(table, scenario, model, request.error)]
    lines = lines_of(scenario, model)
    found = _calibration(parts, _bounds(request, model, lines))
    curves = curves_with(found, scenario, _Tables(parts))
    free, _ = free_values(found, [model], lines)
    _require_heard(scenario, model, free)
    notes = (*_short_ladders(parts), *_assumed(tables, request.error))
    return Problem(scenario.id, found, free, (curves,), (), notes)


def _bounds(request: Request, model: Model, lines: Lines) -> dict[str, Bounds]:
    found = {}
    for name in request.parameters or ():
        try:
            found[name] = table_bounds(name, model, lines, request.prior)
        except MyelodeError as error:
            raise ScenarioError(f"--parameters: {error}") from None
    return found


def _calibration(parts: Sequence[_Series], bounds: Mapping[str, Bounds]) -> CalibrationFile:
    content = Calibration(
        parameters=dict(bounds), records={part.series.file: part.records for part in parts},
        series=[part.series for part in parts],
    )  # fmt: skip
    lines: dict[tuple[str | int, ...], int] = {
        ("series", at): part.first.row.line for at, part in enumerate(parts)
    }
    paths = [str(part.sheet.path) for part in parts]
    return CalibrationFile(content, _Places(", ".join(dict.fromkeys(paths)), paths, {**lines}))


def _series(table: Readings, scenario: Scenario, model: Model, error: float) -> Iterator[_Series]:
    """The series of a table: a dose-response has one time, a time course one dose."""
    runs: dict[_Run, list[Reading]] = {}
    for item in table.items:
        runs.setdefault(_run_of(item), []).append(item)
    for own in runs.values():
        by_dose = is_over_dose([(item.time, item.dose) for item in own])
        groups: dict[float | None, list[Reading]] = {}
        for item in own:
            groups.setdefault(item.time if by_dose else item.dose, []).append(item)
        for items in groups.values():
            yield _one_series(items, table, scenario, model, error)


def is_over_dose(points: Sequence[tuple[float, float | None]]) -> bool:
    """Whether readings at these times and doses are rather dose-responses than time courses."""
    doses = {dose for _, dose in points if dose is not None}
    return len(doses) > len({time for time, _ in points})


def _run_of(item: Reading) -> _Run:
    return item.output, item.perturbation, item.compound or "", item.arm or ""


def _one_series(
    items: Sequence[Reading], table: Readings, scenario: Scenario, model: Model, error: float
) -> _Series:
    first, sheet = items[0], table.sheet
    unit = first.row.unit
    name = _name(items, table, model)
    largest = max(abs(item.row.value) for item in items)
    series = Series(
        id=name, file=name, scenario=scenario.id, perturbation=first.perturbation,
        compound=first.compound, arm=first.arm, output=first.output,
        over="time" if first.dose is None else "dose", error=ErrorModel(relative=error),
    )  # fmt: skip
    dose = DataField(field="dose", unit=sheet.dose_unit) if first.dose is not None else None
    records = Records(
        time=DataField(field="time", unit=sheet.time_unit), dose=dose,
        value=DataField(field="value", unit=unit),
    )  # fmt: skip
    ordered = sorted(items, key=lambda item: (item.dose or 0.0, item.time))
    measured = tuple(_measurement(item, unit, model, error, largest, sheet) for item in ordered)
    return _Series(series, records, measured, first, sheet)


def _name(items: Sequence[Reading], table: Readings, model: Model) -> str:
    """``viability, mdr1, 72 h``: what a series is of, where it is not the same for all."""
    first, sheet = items[0], table.sheet
    words = [first.output]
    for field in ("perturbation", "compound", "arm"):
        if len({getattr(item, field) for item in table.items}) > 1:
            words.append(str(getattr(first, field)))
    if first.dose is not None:
        one_time = len({item.time for item in items}) == 1
        place = (first.row.time, sheet.time_unit) if one_time else (first.row.dose, sheet.dose_unit)
        words.append(f"{place[0]:g} {place[1]}")
    return ", ".join(words)


def _measurement(
    item: Reading, unit: str, model: Model, error: float, largest: float, sheet: Sheet
) -> Measurement:
    """A reading in the unit of its series; without sd its error is a share of it and of the
    largest reading."""
    row = item.row
    if row.unit != unit:
        said = f"is in {row.unit!r} here and in {unit!r} above: one series has one unit"
        raise sheet.error(row.line, "unit", said)
    sd = row.sd or math.hypot(error * row.value, FLOOR * error * largest)
    if sd == 0:
        raise sheet.error(
            row.line, "value", "all readings are 0, so that their errors must be given (sd)"
        )
    return Measurement(row.time, row.dose, row.value, sd)


def _require_heard(scenario: Scenario, model: Model, free: Sequence[FreeValue]) -> None:
    """Refuse a free value that everything else covers: changing it would change nothing."""
    for item in free:
        covers = covers_of(item, scenario, model)
        if "" in covers:
            continue
        cover = min(covers)
        kind = next((kind for kind in _JOINTS if cover.startswith(kind)), "")
        owner = cover.removeprefix(kind).strip()
        hint = f": free {owner}{_JOINTS[kind]}{item.key.name}" if kind else ""
        raise ScenarioError(f"--parameters: {item.key.text!r} is set by the {cover}{hint}")


def covers_of(item: FreeValue, scenario: Scenario, model: Model) -> set[str]:
    """What sets a value above its own layer in the runs of a scenario; "" is for nothing."""
    plan = make_plan_of(scenario, model, {item.key.text: item.before})
    return {_cover(item, plan, run.effective.origins) for run in plan.runs}


def _cover(item: FreeValue, plan: Plan, origins: Mapping[str, Sequence[str]]) -> str:
    own = "override: "
    if item.key.line is not None:
        own = f"cell line {plan.cell_line.name if plan.cell_line else ''}: "
    elif item.key.compound is not None:
        own = "compound "
    found = origins.get(item.key.name, ())
    places = [at for at, origin in enumerate(found) if origin.startswith(own)]
    if not places:
        return "layer that no run has"
    above = [origin for origin in found[places[-1] + 1 :] if ": = " in origin]
    return above[-1].partition(": = ")[0] if above else ""


def _short_ladders(parts: Sequence[_Series]) -> Iterator[str]:
    for part in parts:
        doses = {point.dose for point in part.measured if point.dose}
        times = {point.time for point in part.measured}
        if part.series.over == "dose" and len(times) == 1 and len(doses) < LEAST_DOSES:
            said = f"a dose-response with fewer than {LEAST_DOSES} doses determines little"
            yield f"series {part.series.id}: {said}; this one has {len(doses)}"


def _assumed(tables: Sequence[Readings], error: float) -> Iterator[str]:
    for table in tables:
        number = sum(item.sd is None for item in table.items)
        if number:
            floor = f"and {100 * FLOOR * error:g} % of the largest"
            said = f"the error of each is taken as {100 * error:g} % of it {floor}"
            yield f"{table.name}: {number} readings have no sd; {said}"
