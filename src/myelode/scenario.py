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

from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.files import YamlFile, parse_yaml, read_yaml
from myelode.library import find_scenario
from myelode.sections import (
    Case,
    Design,
    Endpoint,
    Equilibrate,
    Input,
    Ladder,
    Observe,
    OutcomeRule,
)
from myelode.settings import with_settings
from myelode.steps import STRICT, Identifier, Quantity, Step

RESERVED = frozenset(
    "time perturbation arm dose dose2 sample status fold outcome reason reference".split()
)
"""Names that the result itself uses: for no endpoint, rule or output."""

_Path = tuple[str | int, ...]


class Scenario(BaseModel):
    """Who is treated, how, what is looked at, and what counts as resistant."""

    model_config = STRICT

    id: Identifier
    title: str
    description: str = ""
    model: str
    variant: str | None = None
    cell_line: str | None = None
    set: dict[str, Quantity] = {}
    final: dict[str, Quantity] = {}
    perturbations: Annotated[list[str | dict[str, Any]], Field(min_length=1)] = ["none"]
    reference: str = "none"
    inputs: dict[Identifier, Input] = {}
    regimen: list[Step] | None = None
    arms: Annotated[dict[Identifier, list[Step]] | None, Field(min_length=1)] = None
    design: Design = Design()
    equilibrate: Equilibrate | None = None
    observe: Observe
    endpoints: dict[Identifier, Endpoint] = {}
    outcome: OutcomeRule | None = None
    rules: dict[Identifier, Annotated[list[Case], Field(min_length=1)]] = {}
    expect: list[str] = []
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
        path = Path(name_or_path)
        if self._file is None or not (path.suffix or len(path.parts) > 1):
            return name_or_path
        found = Path(self._file.where).parent / path
        return str(found) if found.exists() else name_or_path

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
    data = with_settings(file.data, settings, _keys(Scenario))
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(_first_fault(file, error)) from None
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
    for number, name in enumerate(names):
        if name in names[:number]:
            yield ("perturbations", number), f"the perturbation {name!r} is listed twice"
    if scenario.reference not in names and (scenario.outcome or scenario.reference != "none"):
        hint = best_matches(scenario.reference, names)
        yield ("reference",), f"{scenario.reference!r} is not among the perturbations{hint}"
    for section in ("endpoints", "rules"):
        for name in sorted(getattr(scenario, section).keys() & RESERVED):
            yield (section, name), f"{name!r} is a name that the result itself uses"
    for name in sorted(scenario.endpoints.keys() & scenario.rules.keys()):
        yield ("rules", name), f"{name!r} is the name of an endpoint already"
    if scenario.outcome and scenario.outcome.of not in scenario.endpoints:
        hint = best_matches(scenario.outcome.of, scenario.endpoints)
        yield ("outcome", "of"), f"unknown endpoint {scenario.outcome.of!r}{hint}"
    arms = scenario.arms or {}
    for name, endpoint in scenario.endpoints.items():
        if endpoint.arm is not None and endpoint.arm not in arms:
            hint = best_matches(endpoint.arm, arms)
            yield ("endpoints", name, "arm"), f"unknown arm {endpoint.arm!r}{hint}"


def _first_fault(file: YamlFile, error: ValidationError) -> str:
    """One line on the fault that says most: a misspelt key explains a missing one."""
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda item: item["type"] != "extra_forbidden")
    path, key = fault["loc"], str(fault["loc"][-1]) if fault["loc"] else ""
    place = file.place(fault.get("ctx", {}).get("path") or _known_path(file, path))
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key {key!r}{best_matches(key, _keys(_section_at(path[:-1])))}"
    if fault["type"] == "missing":
        return f"{place}: {key!r} is missing"
    if fault["type"] == "literal_error":
        hint = best_matches(
            str(fault["input"]), fault["ctx"]["expected"].replace("'", "").split(", ")
        )
        return f"{place}: {fault['input']!r} is none of {fault['ctx']['expected']}{hint}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def _known_path(file: YamlFile, path: _Path) -> _Path:
    """The part of pydantic's path that names keys of the file, without its own type tags."""
    known: _Path = ()
    for part in path:
        if (*known, part) in file.lines:
            known = (*known, part)
    return known or path[:1]


def _section_at(path: _Path) -> type[BaseModel]:
    """What may stand at a place of the file."""
    if not path:
        return Scenario
    if path[0] == "design" and len(path) > 1:
        return Ladder
    return _SECTIONS.get(str(path[0]), Scenario)


def _keys(section: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


_SECTIONS: Mapping[str, type[BaseModel]] = {
    "regimen": Step, "arms": Step, "observe": Observe, "design": Design, "endpoints": Endpoint,
    "outcome": OutcomeRule, "rules": Case, "inputs": Input, "equilibrate": Equilibrate,
}  # fmt: skip
