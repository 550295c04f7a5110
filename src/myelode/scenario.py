"""A scenario: one question to one model, as a YAML file says it.

The schema in this module and in `sections` is the reference of the language; its JSON Schema ships
beside the scenarios. `load_scenario` reads, applies ``--set`` settings, validates, and reports
faults with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from myelode.arm_sections import Combination, combination_faults, trial_faults
from myelode.assays.activity_sections import Activity, activity_faults
from myelode.assays.sections import Absorbance, Assay, Calibrators, assay_faults
from myelode.clinic.sections import ClinicalResponse, response_faults
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.faults import first_fault, keys
from myelode.figure_sections import FigureRule, Shown
from myelode.files import YamlFile, parse_yaml, read_yaml
from myelode.library import beside, find_scenario
from myelode.regimens.named import written_out
from myelode.regimens.steps import STRICT, Identifier, Quantity, Step, Steps
from myelode.sections import (
    FLAG,
    OVER_DOSES,
    SUBJECTS,
    Case,
    Design,
    Endpoint,
    Equilibrate,
    Input,
    Ladder,
    Observe,
    OneVariant,
    OutcomeRule,
    ScoreRule,
)
from myelode.settings import sort_settings, with_settings

RESERVED = frozenset(
    "time perturbation compound arm dose dose2 sample status fold outcome reason reference "
    "class mechanism label".split()
)
"""Names that the result itself uses: for no endpoint, rule or output."""

_Path = tuple[str | int, ...]
_NAMED = ("inputs", "assays", "activities", "endpoints", "rules")


class Scenario(BaseModel):
    """Who is treated, how, what is looked at, and what counts as resistant."""

    model_config = STRICT

    id: Identifier
    title: str
    description: str = ""
    model: str
    variant: OneVariant = None
    compound: str | dict[Identifier, str] | None = None
    compounds: Annotated[list[str] | None, Field(min_length=1)] = None
    partner: str | None = None
    cell_line: str | None = None
    set: dict[str, Quantity] = {}
    final: dict[str, Quantity] = {}
    perturbations: Annotated[list[str | dict[str, Any]], Field(min_length=1)] = ["none"]
    reference: str = "none"
    inputs: dict[Identifier, Input] = {}
    regimen: Steps | None = None
    arms: Annotated[dict[Identifier, Steps] | None, Field(min_length=1)] = None
    design: Design = Design()
    equilibrate: Equilibrate | None = None
    observe: Observe
    assays: dict[Identifier, Assay] = {}
    activities: dict[Identifier, Activity] = {}
    responses: dict[Identifier, ClinicalResponse] = {}
    endpoints: dict[Identifier, Endpoint] = {}
    combinations: dict[Identifier, Combination] = {}
    outcome: OutcomeRule | None = None
    rules: dict[Identifier, Annotated[list[Case], Field(min_length=1)]] = {}
    scores: dict[Identifier, ScoreRule] = {}
    expect: list[str] = []
    trial: str | dict[Identifier, str] | None = None
    figure: FigureRule = FigureRule()
    _file: YamlFile | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        for path, fault in _faults(self):
            raise PydanticCustomError("inconsistent", "{fault}", {"fault": fault, "path": path})
        return self

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Errors raised inside say at which place of the file they arose."""
        try:
            yield
        except (ScenarioError, ModelError) as error:
            place = self._place(path)
            raise type(error)(f"{place}: {error}") from None

    def _place(self, path: tuple[str | int, ...]) -> str:
        """Where a part of the scenario stands: a line of its file, or the command line."""
        if self._file is None:
            return ".".join(map(str, (self.id, *path)))
        if path[0] in ("set", "final") and path not in self._file.lines:
            return f"--set {path[-1]}" if path[0] == "set" else f"--set final.{path[-1]}"
        return self._file.place(path)

    def beside(self, name_or_path: str) -> str:
        """A path as the scenario file means it: relative to its own folder. Names stay names."""
        return name_or_path if self._file is None else beside(self._file.where, name_or_path)

    @property
    def regimens(self) -> Mapping[str, list[Step]]:
        """The steps of every arm; one arm named "" where the scenario has none."""
        return self.arms if self.arms is not None else {"": self.regimen or []}


def perturbation_names(scenario: Scenario) -> list[str]:
    """The names of the perturbations, in order; inline ones by the name they are given."""
    return [
        item if isinstance(item, str) else str(next(iter(item), ""))
        for item in scenario.perturbations
    ]


def load_scenario(name_or_path: str | Path, settings: Iterable[str] = ()) -> Scenario:
    """The scenario of that name or in that file, with settings such as ``k_FA=0.1`` applied.

    A setting's path is ``observe.until``, ``regimen.LABEL.to`` or another place in the file; else
    it names a value of the model, ``final.NAME`` one that is set after the perturbations.
    Raises ScenarioError with file, line and key.
    """
    file = read_yaml(find_scenario(name_or_path))
    return build_scenario(file, settings)


def scenario_from_text(text: str, where: str = "scenario") -> Scenario:
    """A scenario from YAML text."""
    return build_scenario(parse_yaml(text, where))


def build_scenario(file: YamlFile, settings: Iterable[str] = ()) -> Scenario:
    """Validate parsed YAML; raises ScenarioError with file, line and key of the first fault."""
    if not isinstance(file.data, dict):
        raise ScenarioError(
            f"{file.where}: a scenario is a mapping: id, title, model, observe, ..."
        )
    whole, inside = sort_settings(settings)
    data = written_out(with_settings(file.data, whole, keys(Scenario)), file)
    data = with_settings(data, inside, keys(Scenario))
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(first_fault(file, error, _section_at)) from None
    scenario._file = file
    for path, text in expressions_of(scenario):
        with scenario.at(*path):
            names_in(text)
    return scenario


def json_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **Scenario.model_json_schema(by_alias=True)}


def expressions_of(scenario: Scenario) -> Iterator[tuple[_Path, str]]:
    """Every expression of a scenario, and where it stands."""
    rule = scenario.outcome
    found: list[tuple[_Path, str | None]] = [
        *((("endpoints", name, "expr"), item.expr) for name, item in scenario.endpoints.items()),
        *((("assays", name, "signal"), item.signal) for name, item in scenario.assays.items()),
        *(
            (("assays", name, "calibrators", "signal"), item.calibrators.signal)
            for name, item in scenario.assays.items()
            if item.calibrators
        ),
        *((("expect", number), text) for number, text in enumerate(scenario.expect)),
        *(
            (("rules", name, number, "if"), case.if_)
            for name, cases in scenario.rules.items()
            for number, case in enumerate(cases)
        ),
        (("outcome", "resistant_if"), rule.resistant_if if rule else None),
        (("outcome", "reduced_if"), rule.reduced_if if rule else None),
    ]
    yield from ((path, text) for path, text in found if text is not None)


def _faults(scenario: Scenario) -> Iterator[tuple[_Path, str]]:
    """What does not fit together, and where."""
    names = perturbation_names(scenario)
    if scenario.regimen is not None and scenario.arms is not None:
        yield ("arms",), "a scenario has a regimen, or arms of regimens, not both"
    if scenario.compound is not None and scenario.compounds is not None:
        yield ("compounds",), "a scenario has one compound, or a list of compounds, not both"
    if (
        isinstance(scenario.compound, dict)
        and scenario.compound.keys() != (scenario.arms or {}).keys()
    ):
        yield ("compound",), "a compound for each arm names every arm, and no other"
    for number, name in enumerate(names):
        if name in names[:number]:
            yield ("perturbations", number), f"the perturbation {name!r} is listed twice"
    if scenario.reference not in names and (scenario.outcome or scenario.reference != "none"):
        hint = best_matches(scenario.reference, names)
        yield ("reference",), f"{scenario.reference!r} is not among the perturbations{hint}"
    for section in _NAMED:
        for name in sorted(getattr(scenario, section).keys() & RESERVED):
            yield (section, name), f"{name!r} is a name that the result itself uses"
    for name in sorted(scenario.endpoints.keys() & scenario.rules.keys()):
        yield ("rules", name), f"{name!r} is the name of an endpoint already"
    yield from _collisions(scenario)
    yield from _score_faults(scenario)
    taken = {part: getattr(scenario, part) for part in _NAMED}
    yield from response_faults(scenario.responses, taken)
    if scenario.outcome and scenario.outcome.of not in scenario.endpoints:
        hint = best_matches(scenario.outcome.of, scenario.endpoints)
        yield ("outcome", "of"), f"unknown endpoint {scenario.outcome.of!r}{hint}"
    arms = scenario.arms or {}
    named = scenario.endpoints, scenario.rules
    yield from combination_faults(scenario.combinations, *named, arms, scenario.design.dose)
    yield from trial_faults(scenario.trial, arms)
    shown = scenario.endpoints, scenario.activities, scenario.combinations, scenario.observe.outputs
    has_ladder = scenario.design.dose is not None
    yield from scenario.figure.faults(Shown(*shown, names, arms, has_ladder))
    for name, endpoint in scenario.endpoints.items():
        if endpoint.arm is not None and endpoint.arm not in arms:
            hint = best_matches(endpoint.arm, arms)
            yield ("endpoints", name, "arm"), f"unknown arm {endpoint.arm!r}{hint}"
        compounds = scenario.compounds or []
        if endpoint.compound is not None and endpoint.compound not in compounds:
            hint = best_matches(endpoint.compound, compounds)
            yield (
                ("endpoints", name, "compound"),
                f"{endpoint.compound!r} is not among the compounds{hint}",
            )


def _score_faults(scenario: Scenario) -> Iterator[tuple[_Path, str]]:
    """Scores of unknown rules, labels or perturbations, and names that are taken."""
    for name, score in scenario.scores.items():
        for path, fault in score.faults(scenario.rules, perturbation_names(scenario)):
            yield ("scores", name, *path), fault
        for own in (f"confusion_{name}", f"accuracy_{name}"):
            if own in scenario.endpoints.keys() | scenario.rules.keys():
                yield ("scores", name), f"{own!r} is the name of an endpoint or rule already"


def _collisions(scenario: Scenario) -> Iterator[tuple[_Path, str]]:
    """Inputs, assays, and the flags of endpoints, under a name that something else has."""
    for section in ("endpoints", "rules", "assays"):
        for name in sorted(scenario.inputs.keys() & getattr(scenario, section).keys()):
            yield (section, name), f"{name!r} is the name of an input already"
    endpoints = scenario.endpoints.keys()
    named, assays, arms = endpoints | scenario.rules.keys(), scenario.assays, scenario.arms or {}
    yield from assay_faults(assays, named)
    named |= scenario.inputs.keys()
    yield from activity_faults(scenario.activities, assays, arms, named)
    for name, endpoint in scenario.endpoints.items():
        flag = name + FLAG
        if endpoint.take in OVER_DOSES and flag in endpoints | scenario.rules.keys():
            section = "endpoints" if flag in endpoints else "rules"
            yield (section, flag), f"{flag!r} is the name of the flag of {name!r}"


def _section_at(path: _Path) -> type[BaseModel]:
    """What may stand at a place of the file."""
    if not path:
        return Scenario
    if path[0] == "design" and len(path) > 1:
        return SUBJECTS.get(str(path[1]), Ladder)
    if path[0] == "assays" and len(path) > 2:
        return _ASSAY.get(str(path[2]), Assay)
    return _SECTIONS.get(str(path[0]), Scenario)


_ASSAY: Mapping[str, type[BaseModel]] = {"calibrators": Calibrators, "absorbance": Absorbance}
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "regimen": Step, "arms": Step, "observe": Observe, "design": Design, "endpoints": Endpoint,
    "assays": Assay, "outcome": OutcomeRule, "rules": Case, "scores": ScoreRule,
    "inputs": Input, "equilibrate": Equilibrate, "combinations": Combination,
    "responses": ClinicalResponse, "activities": Activity, "figure": FigureRule,
}  # fmt: skip
