"""One run as SBML that needs nothing else: values written in, the regimen as events.

What happens at time zero becomes initial values, because programs differ in whether an event fires
at the start. An equilibration, a steady state or a reset is computed here and written as numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from myelode.datasets import NOTICE
from myelode.engines import Run, Tolerances, choose_engine
from myelode.errors import ScenarioError
from myelode.exports.selection import run_label
from myelode.model import Model
from myelode.plan import Plan, PlannedRun
from myelode.regimens.conditions import occurrences_in
from myelode.regimens.timeline import Change, Instant, Timeline, targets_of
from myelode.sbml import read_sbml, with_values, write_sbml
from myelode.sbml.dependencies import initial_dependencies

MOST_EVENTS = 2000


def standalone_sbml(plan: Plan, planned: PlannedRun) -> str:
    """Canonical SBML whose plain simulation is the run.

    Raises ScenarioError for a regimen of more than `MOST_EVENTS` events, or with conditions;
    SimulationError where a state that must be computed is not reached.
    """
    require_certain(plan, planned)
    later = [instant for instant in planned.run.timeline.instants if instant.time > 0]
    if len(later) > MOST_EVENTS:
        raise ScenarioError(
            f"{plan.scenario.id}: has {len(later)} events, more than the {MOST_EVENTS} that are "
            "written into one SBML file: give fewer doses"
        )
    states = _States(plan, planned)
    start = with_values(plan.sbml, {**planned.run.changes, **states.at_zero()})
    return _finished(start, plan, planned, _events(plan, planned, later, states))


def require_certain(plan: Plan, planned: PlannedRun) -> None:
    """Refuse a run whose steps depend on its state: the events of a file happen by the clock."""
    for occurrence in occurrences_in(planned.run.timeline.instants):
        raise ScenarioError(
            f"{plan.scenario.id}: {occurrence.step} depends on the state of the run "
            f"(if: {occurrence.condition}), which this format cannot hold: "
            "export a scenario without conditions"
        )


def values_at_zero(plan: Plan, planned: PlannedRun) -> dict[str, float]:
    """Values of species, parameters and compartments that no rule computes, after time zero."""
    entities = plan.model.entities.values()
    ids = [e.id for e in entities if e.kind != "reaction" and e.rule != "assignment"]
    states = _States(plan, planned)
    return states.after(_at_zero(planned), list(dict.fromkeys((*ids, *states.ids))))


class _States:
    """Values along one run, from the engine."""

    def __init__(self, plan: Plan, planned: PlannedRun):
        self._sbml = plan.sbml
        self._run = planned.run
        self._at_zero = _at_zero(planned)
        targets = targets_of(planned.run.timeline.instants)
        self.ids = tuple(dict.fromkeys((*_integrated(plan.model), *targets)))

    def after(self, instants: Sequence[Instant], ids: Sequence[str]) -> dict[str, float]:
        """Values of `ids` just after the last of the `instants`, with which the run begins."""
        end = instants[-1].time if instants else 0.0
        timeline = Timeline(tuple(instants), end, self._run.timeline.equilibration)
        run = Run(self._run.changes, timeline, np.array([end]), tuple(ids))
        row = choose_engine("auto").compile(self._sbml).run(run, Tolerances())[-1]
        return dict(zip(ids, map(float, row), strict=True))

    def at_zero(self) -> dict[str, float]:
        """What time zero changes, and the initial values that would otherwise follow the change."""
        equilibrated = self._run.timeline.equilibration is not None
        if equilibrated or any(map(_is_computed, self._at_zero)):
            touched = set(self.ids)
        else:
            touched = set(targets_of(self._at_zero))
        dependencies = _dependencies(self._sbml) if touched else {}
        following = {name for name, used in dependencies.items() if used & touched}
        wanted = touched | (following - self._run.changes.keys())
        return self.after(self._at_zero, sorted(wanted)) if wanted else {}


@lru_cache(maxsize=4)
def _dependencies(sbml: str) -> Mapping[str, frozenset[str]]:
    return initial_dependencies(sbml)


def _at_zero(planned: PlannedRun) -> list[Instant]:
    return [instant for instant in planned.run.timeline.instants if instant.time <= 0]


def _is_computed(instant: Instant) -> bool:
    """Whether the state after the instant does not depend on the one before."""
    return instant.reset or instant.steady is not None


def _integrated(model: Model) -> Iterator[str]:
    for entity in model.entities.values():
        reacts = entity.kind == "species" and not (
            entity.boundary or entity.constant or entity.rule
        )
        if reacts or entity.rule == "rate":
            yield entity.id


def _events(
    plan: Plan, planned: PlannedRun, instants: Sequence[Instant], states: _States
) -> Iterator[tuple[float, str, list[Change]]]:
    """Time, name and assignments of each event."""
    labels = _labels(plan, planned)
    everything = planned.run.timeline.instants
    for instant in instants:
        changes = list(_merged(instant.changes))
        if _is_computed(instant):
            past = everything[: everything.index(instant) + 1]
            values = states.after(past, states.ids)
            changes = [Change(target, 0.0, value) for target, value in values.items()]
        if changes:
            yield instant.time, labels.get(instant.time, ""), changes


def _labels(plan: Plan, planned: PlannedRun) -> dict[float, str]:
    axes = [axis.name for axis in plan.axes]
    arms = list(plan.labels)
    arm = arms[planned.place[axes.index("arm")]] if "arm" in axes else arms[0]
    names: dict[float, str] = {}
    for label, time in plan.labels[arm].items():
        names[time] = f"{names[time]}, {label}" if time in names else label
    return names


def _merged(changes: Sequence[Change]) -> Iterator[Change]:
    """One change per target: doses of one instant add up."""
    for target in dict.fromkeys(change.target for change in changes):
        own = [change for change in changes if change.target == target]
        factor = float(np.prod([change.factor for change in own]))
        yield Change(target, factor, sum(change.offset for change in own))


def _finished(
    sbml: str, plan: Plan, planned: PlannedRun, events: Iterator[tuple[float, str, list[Change]]]
) -> str:
    """The SBML with its events, and with notes that say what it is."""
    document = read_sbml(sbml, plan.scenario.id)
    model = document.getModel()
    for number, (time, name, changes) in enumerate(events, 1):
        _add_event(model, _unused_id(model, f"regimen_{number}"), name, time, changes)
    model.appendNotes(_notes(plan, planned))
    return write_sbml(document)


def _add_event(model: Any, name: str, label: str, time: float, changes: Sequence[Change]) -> None:
    event = model.createEvent()
    event.setId(name)
    if label:
        event.setName(label)
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setPersistent(True)
    trigger.setInitialValue(True)
    trigger.setMath(_formula(model, f"time >= {_number(time, model.getTimeUnits())}"))
    for change in changes:
        element = model.getElementBySId(change.target)
        element.setConstant(False)
        assignment = event.createEventAssignment()
        assignment.setVariable(change.target)
        unit = _unit_id(model, element)
        factor_unit = _factor_unit(model) if unit and change.factor not in (0, 1) else ""
        assignment.setMath(_formula(model, _affine(change, unit, factor_unit)))


def _affine(change: Change, unit: str, factor_unit: str) -> str:
    offset = _number(change.offset, unit)
    if change.factor == 0:
        return offset
    scaled = change.target
    if change.factor != 1:
        scaled = f"{_number(change.factor, factor_unit)} * {scaled}"
    return f"{scaled} + {offset}" if change.offset else scaled


def _number(value: float, unit: str) -> str:
    return f"{value!r} {unit}".strip()


def _formula(model: Any, text: str) -> Any:
    """The formula as libSBML keeps it; an id of the model wins over a constant of that name."""
    import libsbml

    return libsbml.parseL3FormulaWithModel(text, model)


def _unit_id(model: Any, element: Any) -> str:
    """The id of the element's unit, which is defined if need be; "" where it declares none."""
    definition = element.getDerivedUnitDefinition()
    if definition is None or not definition.getNumUnits() or element.containsUndeclaredUnits():
        return ""
    return _defined(model, definition, f"unit_of_{element.getId()}")


def _factor_unit(model: Any) -> str:
    """The id of a unit definition for factors.

    Antimony takes a plain ``dimensionless`` in an event for a variable if nothing else has it.
    """
    import libsbml

    definition = libsbml.UnitDefinition(3, 2)
    unit = definition.createUnit()
    unit.initDefaults()
    unit.setKind(libsbml.UNIT_KIND_DIMENSIONLESS)
    return _defined(model, definition, "factor_unit")


def _defined(model: Any, definition: Any, name: str) -> str:
    """The id under which the model has the definition, which is added if need be."""
    import libsbml

    libsbml.UnitDefinition.simplify(definition)
    for known in model.getListOfUnitDefinitions():
        if libsbml.UnitDefinition.areIdentical(known, definition):
            return str(known.getId())
    while model.getUnitDefinition(name) is not None:
        name += "_"
    own = definition.clone()
    own.setId(name)
    model.addUnitDefinition(own)
    return name


def _unused_id(model: Any, name: str) -> str:
    while model.getElementBySId(name) is not None:
        name += "_"
    return name


def _notes(plan: Plan, planned: PlannedRun) -> str:
    """Where the model comes from, and what in it was computed rather than stated."""
    label = run_label(plan, planned)
    facts = [f"{plan.scenario.title} ({label})." if label else f"{plan.scenario.title}.", NOTICE]
    facts += _computed_facts(planned)
    paragraphs = "".join(f"<p>{escape(fact)}</p>" for fact in facts)
    return f'<body xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</body>'


def _computed_facts(planned: PlannedRun) -> Iterator[str]:
    timeline = planned.run.timeline
    if timeline.equilibration is not None:
        yield (
            f"The initial values are the state after {timeline.equilibration.duration:g} time "
            "units without drug, computed by myelode."
        )
    for instant in timeline.instants:
        if instant.steady is not None:
            yield f"The steady state at time {instant.time:g} was computed by myelode."
        elif instant.reset:
            yield f"At time {instant.time:g} all values return to their start."
