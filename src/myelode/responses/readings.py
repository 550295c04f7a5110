"""What is read on a titration: an endpoint of the scenario, or an output at a time.

By default it is what the outcome rule is about, else the first endpoint over doses, else the first
endpoint. Of the scenario only that is kept, so that nothing else has to be computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from myelode.errors import MyelodeError, ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.figure_sections import FigureRule
from myelode.model import Model
from myelode.scenario import Scenario
from myelode.sections import HALVED, OVER_DOSES, Endpoint, OutcomeRule

TAKES = ("value", "max", "min", "auc", "mean")
RESPONSE = "response"
DEFAULT_RULE = ("fold > 3", "fold > 1.5")
"""From which fold a line is resistant, and from which reduced, where no scenario says it."""
_DROPPED: dict[str, Any] = {
    "outcome": None, "rules": {}, "scores": {}, "expect": [], "combinations": {}, "responses": {},
    "trial": None,
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """The endpoint that is the response, by name; which half dose counts; and the outcome rule.

    `half` is ic50 or ec50.
    """

    name: str
    endpoint: Endpoint
    half: str
    rule: OutcomeRule


def read_what(
    scenario: Scenario, model: Model, of: str | None, at: str | None, take: str | None
) -> Reading:
    """What a titration of the scenario reads; raises ScenarioError for a name that is unknown."""
    if take is not None and take not in TAKES:
        hint = best_matches(take, TAKES)
        raise ScenarioError(f"unknown take {take!r}{hint}: a response is {', '.join(TAKES)}")
    name = of if of is not None else _by_default(scenario)
    if name in scenario.endpoints:
        own = scenario.endpoints[name]
        endpoint = _response_of(own, name, at, take)
        if own.dose or own.take in OVER_DOSES or endpoint.take != own.take:
            endpoint = endpoint.model_copy(update={"title": _title(endpoint, model)})
        half = str(own.take) if own.take in HALVED else "ic50"
        return Reading(name, endpoint, half, _rule(scenario, name))
    _require_output(scenario, model, name)
    endpoint = _endpoint({"of": name, "take": take or "value", **_moment(scenario, at, take)})
    endpoint = endpoint.model_copy(update={"title": _title(endpoint, model)})
    return Reading(RESPONSE, endpoint, "ic50", _rule(scenario, name))


def reduced(scenario: Scenario, reading: Reading) -> Scenario:
    """The scenario with nothing but what the reading needs."""
    endpoint = reading.endpoint
    needed = {reading.name: endpoint, **_needed(scenario, endpoint)}
    ordered = {name: needed[name] for name in scenario.endpoints if name in needed}
    observe = scenario.observe
    # A response at one time needs no time course.
    more = {"every": None} if endpoint.take == "value" else {}
    update = {
        **_DROPPED,
        "endpoints": {**ordered, reading.name: endpoint},
        "observe": observe.model_copy(update=more),
        "figure": FigureRule(),
        "activities": scenario.activities if endpoint.expr else {},
        **_dosed_arms(scenario, endpoint),
    }
    return scenario.model_copy(update=update)


def _dosed_arms(scenario: Scenario, endpoint: Endpoint) -> dict[str, Any]:
    """The arms without those that the ladder leaves alone, which have no dose-response."""
    ladder, arms = scenario.design.dose, scenario.arms or {}
    dosed = {
        name: steps
        for name, steps in arms.items()
        if endpoint.expr or any(ladder and step.label == ladder.of for step in steps)
    }
    if not dosed or (endpoint.arm is not None and endpoint.arm not in dosed):
        return {}
    if not isinstance(scenario.compound, dict):
        return {"arms": dosed}
    compounds = {name: one for name, one in scenario.compound.items() if name in dosed}
    return {"arms": dosed, "compound": compounds}


def _by_default(scenario: Scenario) -> str:
    """The endpoint that is read where none is named."""
    rule = scenario.outcome
    ordered = [*([rule.of] if rule else []), *scenario.endpoints]
    over_doses = [n for n in ordered if scenario.endpoints[n].take in OVER_DOSES]
    plain = [n for n in ordered if scenario.endpoints[n].take is not None]
    found = next(iter([*over_doses, *plain, *ordered]), None)
    if found is None:
        said = "has no endpoint to read: name an output (--of) and a time (--at)"
        raise ScenarioError(f"{scenario.id}: {said}")
    return found


def _response_of(own: Endpoint, name: str, at: str | None, take: str | None) -> Endpoint:
    """An endpoint of the scenario as a response at every dose."""
    if own.expr is not None:
        if at is not None or take is not None:
            raise ScenarioError(f"{name!r} is an expression: it takes no time and no take")
        return own
    said = own.model_dump(by_alias=True, exclude_none=True)
    said.pop("dose", None)
    said["take"] = take or ("value" if own.take in OVER_DOSES else own.take)
    if said["take"] == "value":
        said = {k: v for k, v in said.items() if k not in ("from", "until", "above", "below")}
        said["at"] = at or said.get("at")
        if said["at"] is None:
            raise ScenarioError(f"{name!r} is read at no time: say at which (--at)")
        return _endpoint(said)
    if at is not None:
        raise ScenarioError(f"{name!r} takes {said['take']} of a time course: at needs take: value")
    said.pop("at", None)
    return _endpoint(said)


def _title(endpoint: Endpoint, model: Model) -> str:
    """What the response is: the output, and what is taken of it where that is not one time."""
    label = model.label_of(str(endpoint.of)).replace("_", " ")
    return label if endpoint.take == "value" else f"{endpoint.take} of {label}"


def _moment(scenario: Scenario, at: str | None, take: str | None) -> dict[str, Any]:
    """The time at which an output is read: the end of the run where none is named."""
    if take in (None, "value"):
        return {"at": at if at is not None else scenario.observe.until}
    if at is not None:
        raise ScenarioError(f"take {take} is of a time course: at needs take: value")
    return {}


def _endpoint(data: dict[str, Any]) -> Endpoint:
    return Endpoint.model_validate(data)


def _require_output(scenario: Scenario, model: Model, name: str) -> None:
    """Refuse what is neither an endpoint, nor an output, nor a reading of an assay."""
    readings = {own for key, assay in scenario.assays.items() for own in assay.adds(key)}
    if name in readings or name in model.entities:
        return
    try:
        model.unit_of(name)
    except MyelodeError:
        known = [*scenario.endpoints, *scenario.observe.outputs, *readings, *model.entities]
        hint = best_matches(name, known)
        said = f"neither an endpoint of {scenario.id} nor an output of {model.name}"
        raise ScenarioError(f"{name!r} is {said}{hint}") from None


def _needed(scenario: Scenario, endpoint: Endpoint) -> dict[str, Endpoint]:
    """The endpoints that an expression reads, and those that these read."""
    found: dict[str, Endpoint] = {}
    open_names = names_in(endpoint.expr) if endpoint.expr else []
    for name in [text.rpartition(".")[2] for text in open_names]:
        if name in scenario.endpoints and name not in found:
            found[name] = scenario.endpoints[name]
            found |= _needed(scenario, scenario.endpoints[name])
    return found


def _rule(scenario: Scenario, name: str) -> OutcomeRule:
    """The scenario's own rule where it judges half doses of what is read, else the default."""
    rule = scenario.outcome
    fits = rule is not None and rule.of == name and scenario.endpoints[name].take in HALVED
    if rule is not None and fits and _is_about_folds(rule):
        return rule
    resistant, less = DEFAULT_RULE
    return OutcomeRule(of=name, resistant_if=resistant, reduced_if=less)


def _is_about_folds(rule: OutcomeRule) -> bool:
    conditions = [text for text in (rule.resistant_if, rule.reduced_if) if text]
    return all(set(names_in(text)) <= {"fold"} for text in conditions)
