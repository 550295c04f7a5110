"""Where a calibration meets scenarios: each measurement gets its run, its time and its output.

The times and doses of the measurements replace those of the scenario, so nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from myelode.calibration import READING, CalibrationFile, Records, Series
from myelode.errors import ModelError, MyelodeError, ScenarioError, best_matches
from myelode.fitting.measurements import DataFiles, Measured, Measurement
from myelode.fitting.predictions import Curves, Place, Target, make_plan_of, model_of, nearest
from myelode.library import find_model, find_scenario
from myelode.model import Model
from myelode.plan import Plan
from myelode.regimens.timeline import SAME_TIME
from myelode.scenario import Scenario, load_scenario, perturbation_names
from myelode.sections import Ladder
from myelode.units import factor, parse_unit

# What judges a run; a series reads its trajectories only.
_JUDGEMENT = (
    "endpoints", "outcome", "rules", "scores", "expect", "assays", "activities", "combinations",
    "responses",
)  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """A series of a calibration, its number there, and how its data file is written."""

    found: CalibrationFile
    number: int
    series: Series
    records: Records

    @contextmanager
    def at(self, *path: str) -> Iterator[None]:
        """Errors raised inside say at which key of the series they arose."""
        try:
            yield
        except MyelodeError as error:
            raise self.found.error(error, "series", self.number, *path) from None


def curves_of(
    found: CalibrationFile, numbers: Sequence[int], data: DataFiles, folder: Path
) -> list[Curves]:
    """The series of these numbers, together where they share scenario and compound.

    `folder` is the model of all scenarios. Raises ScenarioError with the place in the calibration
    where something does not exist.
    """
    groups: dict[tuple[Path, str | None], tuple[Scenario, list[_Part]]] = {}
    for number in numbers:
        series = found.content.series[number]
        part = _Part(found, number, series, found.content.records[series.file])
        scenario = _scenario(part, folder)
        compound = series.compound if scenario.compounds is None else None
        if compound is not None:
            scenario = scenario.model_copy(update={"compound": compound})
        key = (scenario_path(found, series), compound)
        groups.setdefault(key, (scenario, []))[1].append(part)
    return [_curves(scenario, parts, data) for scenario, parts in groups.values()]


def curves_with(found: CalibrationFile, scenario: Scenario, data: Measured) -> Curves:
    """All series, read from one scenario that is at hand."""
    content = found.content
    parts = [
        _Part(found, number, series, content.records[series.file])
        for number, series in enumerate(content.series)
    ]
    return _curves(scenario, parts, data)


def elsewhere(found: CalibrationFile, source: Curves, data: Measured) -> Curves:
    """The series of a source at other times and doses, as the data say."""
    parts = [_Part(found, 0, target.series, target.records) for target in source.targets]
    return _curves(source.scenario, parts, data)


def scenario_path(found: CalibrationFile, series: Series) -> Path:
    """The file of the scenario that a series is compared with."""
    return find_scenario(found.beside(series.scenario)).resolve()


def _scenario(part: _Part, folder: Path) -> Scenario:
    name = part.series.scenario
    with part.at("scenario"):
        scenario = load_scenario(part.found.beside(name))
        if find_model(scenario.beside(scenario.model)).resolve() != folder.resolve():
            raise ModelError(f"{name!r} asks {scenario.model}, not {folder.stem}")
        return scenario


def _curves(scenario: Scenario, parts: Sequence[_Part], data: Measured) -> Curves:
    """The scenario with the times and doses of all measurements, and where each one is."""
    model = model_of(scenario)
    for part in parts:
        _require_names(part, scenario, model)
    bare = _bare(scenario, [part.series for part in parts])
    with parts[0].at("scenario"):
        plan = make_plan_of(bare, model, {})
    readings = [tuple(data.measurements(part.series, part.records)) for part in parts]
    times = [_times(part, own, plan) for part, own in zip(parts, readings, strict=True)]
    doses = [_doses(part, own, plan) for part, own in zip(parts, readings, strict=True)]
    whole = _with_points(bare, plan, set().union(*times), set().union(*doses))
    with parts[0].at("scenario"):
        axes = make_plan_of(whole, model, {}).axes
    ladder = next((axis.values for axis in axes if axis.name == "dose"), ())
    targets = [
        Target(
            part.series, part.records, own,
            tuple(_places(part, plan, ladder, doses_here, len(own))), times_here,
            _factor(part, model),
        )
        for part, own, times_here, doses_here in zip(parts, readings, times, doses, strict=True)
    ]  # fmt: skip
    return Curves(whole, model, tuple(targets))


def _require_names(part: _Part, scenario: Scenario, model: Model) -> None:
    """Refuse an output, perturbation, compound or arm that the scenario does not have."""
    series = part.series
    with part.at("output"):
        model.unit_of(series.output)
    with part.at("scenario"):
        if scenario.design.model_fields_set - {"dose"}:
            raise ScenarioError(f"{series.scenario!r} has a design beyond one ladder of doses")
    asked = (
        ("perturbation", _perturbation(series, scenario), perturbation_names(scenario)),
        ("compound", series.compound, scenario.compounds),
        ("arm", series.arm, list(scenario.arms or []) or None),
    )
    for key, name, known in asked:
        with part.at(key):
            if known is not None and name not in known:
                given = f"has no {key} {name!r}" if name else f"has several: say which {key}"
                raise ScenarioError(f"{series.scenario!r} {given}{best_matches(name or '', known)}")
            if known is None and key == "arm" and name is not None:
                raise ScenarioError(f"{series.scenario!r} has no arms")


def _perturbation(series: Series, scenario: Scenario) -> str:
    return series.perturbation or scenario.reference


def _bare(scenario: Scenario, series: Sequence[Series]) -> Scenario:
    """The scenario with only what the series read, and without what judges it."""
    outputs = list(dict.fromkeys(item.output for item in series))
    seen = {"every": None, "from_": None, "at": [], "outputs": outputs}
    observe = scenario.observe.model_copy(update=seen)
    fields = type(scenario).model_fields
    changes = {name: fields[name].get_default() for name in _JUDGEMENT if name in fields}
    return scenario.model_copy(update={**changes, "observe": observe, **_levels(scenario, series)})


def _levels(scenario: Scenario, series: Sequence[Series]) -> dict[str, object]:
    """The perturbations, compounds and arms that the series are about."""
    names = {_perturbation(item, scenario) for item in series}
    compounds, arms = ({getattr(item, key) for item in series} for key in ("compound", "arm"))
    found: dict[str, object] = {
        # An inline perturbation may be part of another one.
        "perturbations": [
            item for item in scenario.perturbations if isinstance(item, dict) or item in names
        ]
    }
    if scenario.compounds is not None:
        found["compounds"] = [name for name in scenario.compounds if name in compounds]
    if scenario.arms is not None:
        found["arms"] = {name: steps for name, steps in scenario.arms.items() if name in arms}
    return found


def _times(part: _Part, measured: Sequence[Measurement], plan: Plan) -> tuple[float, ...]:
    """The moments of the measurements, in the time of the model."""
    series, unit = part.series, plan.model.time_unit
    with part.at("file"):
        scale = 1.0 if unit is None else factor(part.records.time.unit, unit, "time")
    start = 0.0
    if series.after is not None:
        labels = plan.labels[series.arm or ""]
        with part.at("after"):
            if series.after not in labels:
                hint = best_matches(series.after, labels)
                raise ScenarioError(f"no step is labelled {series.after!r}{hint}")
        start = labels[series.after]
    times = tuple(start + scale * point.time for point in measured)
    end = float(plan.times[-1])
    if max(times) > end * (1 + SAME_TIME):
        with part.at("scenario"):
            raise ScenarioError(
                f"{series.id!r} is measured at {max(times):g} {unit or ''}, "
                f"but {series.scenario!r} ends at {end:g}"
            )
    return tuple(min(time, end) for time in times)


def _doses(part: _Part, measured: Sequence[Measurement], plan: Plan) -> tuple[float, ...]:
    """The doses of the measurements in the unit of the ladder; none where there is no ladder."""
    ladder = next((axis for axis in plan.axes if axis.name == "dose"), None)
    found = [point.dose for point in measured]
    with part.at("over" if part.series.over == "dose" else "dose"):
        if ladder is not None and None in found:
            raise ScenarioError("the scenario has a ladder: records must say which field is a dose")
        if ladder is None and part.series.over == "dose":
            raise ScenarioError(f"{part.series.scenario!r} has no ladder of doses under design")
        if ladder is None:
            if len(set(found)) > 1:
                said = ", ".join(f"{dose:g}" for dose in dict.fromkeys(found) if dose is not None)
                raise ScenarioError(f"{part.series.id!r} is measured at several doses: {said}")
            return ()
        own = part.records.dose.unit if part.records.dose else ""
        scale = 1.0 if ladder.unit is None else factor(own, ladder.unit, "the dose")
    return tuple(float(f"{scale * dose:.12g}") for dose in found if dose is not None)


def _with_points(bare: Scenario, plan: Plan, times: set[float], doses: set[float]) -> Scenario:
    """The scenario observed at these times, and with these doses on its ladder."""
    unit = plan.model.time_unit
    at = [time if unit is None else f"{time!r} {unit}" for time in sorted(times)]
    changes: dict[str, object] = {"observe": bare.observe.model_copy(update={"at": at})}
    if doses and bare.design.dose is not None:
        axis = next(axis for axis in plan.axes if axis.name == "dose")
        values = [dose if axis.unit is None else f"{dose!r} {axis.unit}" for dose in sorted(doses)]
        ladder = Ladder(of=bare.design.dose.of, values=list(values))
        changes["design"] = bare.design.model_copy(update={"dose": ladder})
    return bare.model_copy(update=changes)


def _places(
    part: _Part, plan: Plan, ladder: Sequence[float], doses: Sequence[float], number: int
) -> Iterator[Place]:
    """Where each measurement is on the axes of the scenario."""
    series = part.series
    names = {
        "perturbation": _perturbation(series, plan.scenario),
        "compound": series.compound,
        "arm": series.arm,
    }
    first = tuple(axis.values.index(names[axis.name]) for axis in plan.axes if axis.name in names)
    if ladder:
        yield from ((*first, nearest(np.array(ladder), dose)) for dose in doses)
    else:
        yield from [first] * number


def _factor(part: _Part, model: Model) -> float:
    """From the unit of the output to that of the reading, unless the rule leaves that open."""
    own, unit = model.unit_of(part.series.output), part.records.value.unit
    rule = part.series.observation
    if own is None or rule.signal != READING:
        return 1.0
    same = parse_unit(own).dimensionality == parse_unit(unit).dimensionality
    if not same and rule.scale == 1.0:
        with part.at("output"):
            factor(own, unit, part.series.output)
    return factor(own, unit) if same else 1.0
