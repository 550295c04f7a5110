"""The two sides of a comparison: a scenario cut down to one perturbation, compound and regimen.

A side is named by a perturbation (``a + b`` too), an arm, a compound or a cell line, or by a
setting of the scenario such as ``k_FA=0.1 1/h``. All else is the reference of the scenario.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from myelode.assays.sections import CALIBRATED, NOISELESS
from myelode.errors import ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.figure_sections import FigureRule
from myelode.files import parse_yaml
from myelode.model import Model
from myelode.perturbations import Perturbation, find_perturbation, perturbations
from myelode.scenario import Scenario, build_scenario
from myelode.sections import Design, Endpoint
from myelode.subjects import lines_of, perturbations_of

SETTING = "setting"


@dataclass(frozen=True)
class Asked:
    """What is compared, and where, as the user names it; None stands for what is plain."""

    from_: str
    to: str
    endpoint: str
    arm: str | None = None
    compound: str | None = None
    perturbation: str | None = None


@dataclass(frozen=True)
class Side:
    """One side: its name as it was given, and the scenario that is it alone."""

    name: str
    scenario: Scenario


def sides_of(scenario: Scenario, model: Model, asked: Asked) -> tuple[Side, Side]:
    """Both sides; raises ScenarioError for a name that is unknown, or means several things."""
    names = (asked.from_, asked.to)
    if asked.from_ == asked.to:
        raise ScenarioError(f"from and to are both {asked.to!r}: nothing differs")
    kinds = [_kinds(scenario, model, name) for name in names]
    one, other = (
        _side(scenario, model, asked, name, _kind(names, kinds, number))
        for number, name in enumerate(names)
    )
    return one, other


def _kinds(scenario: Scenario, model: Model, name: str) -> list[str]:
    """What a name may mean."""
    if "=" in name:
        return [SETTING]
    known = _known_by_kind(scenario, model)
    found = [kind for kind, names in known.items() if name in names]
    if not found and "+" in name:
        return ["perturbation"]
    if not found:
        names = [n for names in known.values() for n in names]
        raise ScenarioError(
            f"{name!r} is no perturbation, arm, compound or cell line{best_matches(name, names)}"
        )
    return found


def _kind(names: Sequence[str], kinds: Sequence[Sequence[str]], number: int) -> str:
    """The one kind that a name can have beside the other name."""
    own, other = kinds[number], kinds[1 - number]
    common = own if SETTING in (*own, *other) else [kind for kind in own if kind in other]
    if not common:
        said = " and ".join(
            f"{name!r} is {_a(kind[0])}" for name, kind in zip(names, kinds, strict=True)
        )
        raise ScenarioError(f"{said}: compare two of one kind")
    if len(common) > 1:
        raise ScenarioError(f"{names[number]!r} is {' and '.join(map(_a, common))}: rename one")
    if common == ["arm"] and SETTING in other:
        raise ScenarioError(f"{names[number]!r} is an arm: choose it with --arm beside a setting")
    return common[0]


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _known_by_kind(scenario: Scenario, model: Model) -> dict[str, Iterable[str]]:
    items = model.compounds.items.values()
    return {
        "perturbation": _perturbations(scenario, model),
        "arm": scenario.arms or {},
        "compound": [name for item in items for name in (item.name, *item.aliases)],
        "cell line": lines_of(scenario, model),
    }


def _perturbations(scenario: Scenario, model: Model) -> dict[str, Perturbation]:
    return {**perturbations(model), **perturbations_of(scenario, model)}


def _side(scenario: Scenario, model: Model, asked: Asked, name: str, kind: str) -> Side:
    if getattr(asked, kind, None) is not None:
        raise ScenarioError(f"--{kind} has no place where two of a kind are compared: {name!r}")
    if kind == SETTING:
        scenario = _with_setting(scenario, name)
    elif kind == "cell line":
        scenario = scenario.model_copy(update={"cell_line": name})
    needed = _needed(scenario, asked.endpoint)
    who = name if kind == "perturbation" else asked.perturbation or scenario.reference
    arm = name if kind == "arm" else asked.arm
    compound = name if kind == "compound" else asked.compound
    arms = _arms(scenario, needed, arm)
    drugs = _drugs(scenario, needed, compound, arms["arms"], kind == "compound")
    own = _reduced(_perturbation(scenario, model, who), needed, bool(arm), bool(compound))
    return Side(name, scenario.model_copy(update={**own, **arms, **drugs}))


def _with_setting(scenario: Scenario, setting: str) -> Scenario:
    """The scenario with one setting, as ``--set`` has it; settings made before stay."""
    text = json.dumps(scenario.model_dump(mode="json", by_alias=True, exclude_unset=True))
    file = parse_yaml(text, f"scenario {scenario.id}")
    if scenario._file is not None:
        file = replace(file, where=scenario._file.where, lines=scenario._file.lines)
    return build_scenario(file, [setting])


def _reduced(
    who: Mapping[str, Any], needed: Mapping[str, Endpoint], one_arm: bool, one_compound: bool
) -> dict[str, Any]:
    """What is the same on both sides: no design but ladders, and the endpoint alone."""
    cleared = {"arm": None} if one_arm else {}
    cleared |= {"compound": None} if one_compound else {}
    endpoints = {name: item.model_copy(update=cleared) for name, item in needed.items()}
    return {
        "perturbations": [dict(who)], "reference": next(iter(who)), "endpoints": endpoints,
        "outcome": None, "rules": {}, "scores": {}, "expect": [], "combinations": {},
        "trial": None, "figure": FigureRule(),
    }  # fmt: skip


def _perturbation(scenario: Scenario, model: Model, name: str) -> dict[str, Any]:
    """The perturbation as a scenario writes one inline."""
    found = find_perturbation(model, name, _perturbations(scenario, model))
    values = {target: written(model, target, value) for target, value in found.set.items()}
    return {name: {"set": values, "scale": dict(found.scale), "evidence": found.evidence}}


def written(model: Model, name: str, value: float) -> str | float:
    """A value of the model in its own unit, as scenario files write it."""
    unit = model.entity(name).unit
    return f"{value!r} {unit}" if unit else value


def _needed(scenario: Scenario, name: str) -> dict[str, Endpoint]:
    """The endpoint and those that it is computed from, in the scenario's order."""
    wanted, open_names = set[str](), [name]
    while open_names:
        own = open_names.pop()
        endpoint = scenario.endpoints.get(own)
        if endpoint is not None and own not in wanted:
            wanted.add(own)
            open_names += _names(own, endpoint)
    if name not in wanted:
        hint = best_matches(name, scenario.endpoints)
        raise ScenarioError(f"unknown endpoint {name!r}{hint}{_listed(scenario.endpoints)}")
    return {
        own: _without_noise(scenario, item)
        for own, item in scenario.endpoints.items()
        if own in wanted
    }


def _listed(names: Iterable[str]) -> str:
    said = ", ".join(names)
    return f" (it has {said})" if said else " (it has none)"


def _names(own: str, endpoint: Endpoint) -> list[str]:
    names = list(names_in(endpoint.expr)) if endpoint.expr else []
    for name in names:
        if "." in name:
            said = f"endpoint {own!r} takes {name!r} from elsewhere"
            raise ScenarioError(f"{said}: choose one that is read in a single run")
    return names


def _without_noise(scenario: Scenario, endpoint: Endpoint) -> Endpoint:
    of = endpoint.of or ""
    if of.removesuffix(CALIBRATED) not in scenario.assays:
        return endpoint
    return endpoint.model_copy(update={"of": of + NOISELESS})


def _arms(scenario: Scenario, needed: Mapping[str, Endpoint], arm: str | None) -> dict[str, Any]:
    """The one arm that is meant, or those that the endpoints name."""
    arms = scenario.arms
    if arms is None:
        if arm is not None:
            raise ScenarioError(f"scenario {scenario.id} has no arms, and so no {arm!r}")
        return {"arms": None}
    if arm is not None and arm not in arms:
        raise ScenarioError(f"unknown arm {arm!r}{best_matches(arm, arms)}")
    named = _places(needed, "arm")
    if arm is None and None in named and len(arms) > 1:
        raise ScenarioError(f"the endpoint has a value in each arm: choose {_one_of('arm', arms)}")
    if arm is not None and len(named - {None}) > 1:
        raise ScenarioError("the endpoint combines several arms: it has no single one")
    kept = [arm] if arm is not None else [name for name in arms if name in named or len(arms) == 1]
    return {"arms": {name: arms[name] for name in kept}}


def _places(needed: Mapping[str, Endpoint], axis: str) -> set[str | None]:
    """The arms or compounds that the endpoints name; None where one does not."""
    return {getattr(item, axis) for item in needed.values() if item.of is not None}


def _one_of(axis: str, names: Iterable[str]) -> str:
    return f"one with --{axis}: {', '.join(names)}"


def _drugs(
    scenario: Scenario, needed: Mapping[str, Endpoint], compound: str | None,
    arms: Mapping[str, Any] | None, is_side: bool,
) -> dict[str, Any]:  # fmt: skip
    """The one compound that is meant."""
    if isinstance(scenario.compound, dict):
        own = {scenario.compound[arm] for arm in arms or {}}
        if len(own) > 1:
            raise ScenarioError("the endpoint combines arms of several compounds")
        return {"compound": compound or own.pop()}
    if scenario.compounds is None:
        if compound is not None and not is_side:
            raise ScenarioError(f"scenario {scenario.id} lists no compounds: set compound=...")
        return {"compound": compound or scenario.compound}
    named = _places(needed, "compound") - {None} if compound is None else {compound}
    listed = scenario.compounds
    if not named and len(listed) > 1:
        said = "the endpoint has a value for each compound"
        raise ScenarioError(f"{said}: choose {_one_of('compound', listed)}")
    if compound is not None and not is_side and compound not in listed:
        hint = best_matches(compound, listed)
        raise ScenarioError(f"{compound!r} is not among the compounds{hint}")
    if len(named) > 1:
        raise ScenarioError("the endpoint combines several compounds: it has no single one")
    return {"compounds": [named.pop() if named else listed[0]]}


def without_subjects(scenario: Scenario) -> Scenario:
    """The scenario without virtual subjects, so that its run is that of the typical one.

    Raises ScenarioError for values that the design crosses or zips: there is no typical one.
    """
    design = scenario.design
    if design.cross or design.zip:
        raise ScenarioError(f"scenario {scenario.id} crosses values: name one of them with --set")
    kept = Design(dose=design.dose, dose2=design.dose2)
    return scenario.model_copy(update={"design": kept})
