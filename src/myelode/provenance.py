"""What a result rests on: the evidence behind its numbers, and the runs as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from myelode.model import Model
from myelode.parameters import EVIDENCE, FIXED, Parameter, lowest_evidence
from myelode.plan import Plan, PlannedRun
from myelode.regimens.timeline import (
    Change,
    Clash,
    Equilibration,
    Instant,
    Lasting,
    Occurrence,
    SteadyState,
    Timeline,
)
from myelode.regulatory import ATTRIBUTE, as_data


def evidence_of(plan: Plan) -> dict[str, Any]:
    """The lowest grade among the numbers used, and the share of them that are assumed.

    Definitions, such as a level of 1 in the reference, are numbers without uncertainty; they count
    for neither. A model without a table states no evidence.
    """
    rows = [row for row in rows_used(plan) if row.uncertainty != FIXED]
    if not rows:
        return {"evidence": "none stated", "assumed_share": float("nan")}
    grades = [row.evidence for row in rows]
    grades += [p.evidence for p in plan.perturbations.values() if p.set or p.scale]
    if plan.cell_line is not None:
        grades.append(plan.cell_line.evidence)
    return {
        "evidence": lowest_evidence(grades),
        "assumed_share": grades.count(EVIDENCE[-1]) / len(grades),
    }


def clinical_context(plan: Plan) -> dict[str, str]:
    """What a result on patients carries along: regulatory statements, and published numbers.

    The statements are those on every compound in use.
    """
    found = {}
    if plan.model.clinical:
        drugs = (plan.arm_drugs or plan.drugs).values()
        used = dict.fromkeys(name for drug in drugs for name in drug.compounds)
        found[ATTRIBUTE] = json.dumps(statements_on(plan.model, used))
    if plan.published:
        found["published"] = json.dumps([arm.as_data() for arm in plan.published])
    return found


def statements_on(model: Model, compounds: Iterable[str]) -> list[dict[str, str | None]]:
    """The regulatory statements on compounds of a model; on itself where it knows none."""
    items = model.compounds.items
    said = {name: items[name].regulatory for name in compounds} or {model.name: None}
    return [as_data(name, statement) for name, statement in said.items()]


def rows_used(plan: Plan) -> list[Parameter]:
    """The rows of the tables behind a plan: what every compound uses, each row once."""
    drugs = (plan.arm_drugs or plan.drugs).values()
    return list(
        {(row.where, row.name): row for drug in drugs for row in drug.rows.values()}.values()
    )


def run_to_json(planned: PlannedRun) -> dict[str, Any]:
    """A run as plain data, without what all runs of a plan share."""
    timeline = timeline_to_json(planned.run.timeline)
    return {"place": list(planned.place), "changes": dict(planned.run.changes), **timeline}


def timeline_to_json(timeline: Timeline) -> dict[str, Any]:
    """What happens in a run, and until when, as plain data."""
    rest = timeline.equilibration
    return {
        "instants": [_instant_to_json(instant) for instant in timeline.instants],
        "end": timeline.end,
        "equilibration": [rest.duration, list(rest.hold)] if rest else None,
    }


def timeline_from_json(data: dict[str, Any]) -> Timeline:
    """The timeline that `timeline_to_json` wrote."""
    rest = data["equilibration"]
    return Timeline(
        tuple(_instant_from_json(item) for item in data["instants"]),
        data["end"],
        Equilibration(rest[0], tuple(rest[1])) if rest else None,
    )


def _instant_to_json(instant: Instant) -> dict[str, Any]:
    steady = instant.steady
    return {
        "time": instant.time,
        "changes": [_change_to_json(change) for change in instant.changes],
        "reset": instant.reset,
        "steady": steady
        and [steady.period, [_instant_to_json(item) for item in steady.instants], steady.phase],
        **_conditions_to_json(instant),
    }


def _change_to_json(change: Change) -> list[Any]:
    plain = [change.target, change.factor, change.offset]
    return plain if change.occurrence is None else [*plain, change.occurrence]


def _conditions_to_json(instant: Instant) -> dict[str, Any]:
    """What depends on the state of the run; nothing where nothing does."""
    found = {name: [asdict(item) for item in getattr(instant, name)] for name in _CONDITIONAL}
    return {name: items for name, items in found.items() if items}


_CONDITIONAL: Mapping[str, Callable[..., Any]] = {
    "occurrences": Occurrence,
    "lasting": lambda values, due, **rest: Lasting(
        values=tuple((number, value) for number, value in values), due=tuple(due), **rest
    ),
    "clashes": Clash,
}
"""What makes each conditional part of an instant from its plain data."""


def _instant_from_json(data: dict[str, Any]) -> Instant:
    steady = data["steady"]
    return Instant(
        data["time"],
        tuple(Change(*change) for change in data["changes"]),
        data["reset"],
        steady
        and SteadyState(
            steady[0], tuple(_instant_from_json(item) for item in steady[1]), steady[2]
        ),
        **{
            name: tuple(make(**item) for item in data.get(name, ()))
            for name, make in _CONDITIONAL.items()
        },
    )
