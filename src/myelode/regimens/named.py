"""Regimens with a name: how a drug is given to patients, written once beside the model.

`regimens.yaml` of a model folder maps names to steps and to what is known about them. A scenario
says ``regimen: NAME``, or ``arms: {ARM: NAME}``; the steps then stand in the place of the name, and
the compound of the regimen is that of the run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from myelode.compound_fit import value_in_model
from myelode.compounds import Compounds, read_compounds
from myelode.errors import ModelError, MyelodeError, ScenarioError, best_matches
from myelode.files import YamlFile, read_yaml
from myelode.library import beside, find_model
from myelode.model import Model
from myelode.model_folder import chosen_variant, default_variant, read_variants
from myelode.parameters import EVIDENCE
from myelode.regimens.compilation import compile_regimen
from myelode.regimens.steps import Context, Step
from myelode.regulatory import DATE
from myelode.units import to_unit

FILE = "regimens.yaml"
STATUS = ("approved", "investigational", "historical")
_TEXTS = ("title", "status", "status_date", "compound", "cycle", "evidence", "source", "note")
_NEEDED = ("title", "status", "status_date", "evidence", "steps")
_KEYS = (*_TEXTS, "variants", "steps")
_NAME = re.compile(r"[A-Za-z][\w.+-]*")
HOUR, MOST_CYCLES = "h", 1000


@dataclass(frozen=True)
class NamedRegimen:
    """How a compound is given: its steps as written, and what is known about them.

    With a `cycle` the steps come again after this time, until the run ends. `status` held on
    `status_date`; `variants` are the forms of the model in which the steps have a meaning, all of
    them if empty.
    """

    name: str
    title: str
    status: str
    status_date: str
    evidence: str
    steps: tuple[Mapping[str, Any], ...]
    compound: str = ""
    cycle: str = ""
    source: str = ""
    note: str = ""
    variants: tuple[str, ...] = ()
    where: str = ""

    def lasting(self, end: float) -> list[dict[str, Any]]:
        """The steps of a run that ends at a time in hours, every cycle of them."""
        if not self.cycle:
            return [dict(step) for step in self.steps]
        length = to_unit(self.cycle, HOUR, "cycle")
        number = min(max(1, math.ceil(end / length)), MOST_CYCLES)
        every = [_shifted(step, length, cycle) for cycle in range(number) for step in self.steps]
        return [step for step in every if to_unit(step["at"], HOUR) <= end]


def _shifted(step: Mapping[str, Any], length: float, cycle: int) -> dict[str, Any]:
    """A step in a later cycle, counted from 0; its label then ends in the number of the cycle.

    What a condition lets take place is counted over all cycles.
    """
    at = f"{to_unit(step['at'], HOUR) + cycle * length!r} {HOUR}"
    label = {"label": f"{step['label']}_{cycle + 1}"} if cycle and "label" in step else {}
    if label and "if" in step:
        label["count"] = step.get("count", step["label"])
    return {**step, "at": at, **label}


def read_regimens(folder: Path) -> dict[str, NamedRegimen]:
    """The named regimens of a model folder; none where it has no file of them.

    Raises ModelError, with file and line, for an unknown or missing key, a status without a date,
    or a step that is none.
    """
    if not (folder / FILE).exists():
        return {}
    file = read_yaml(folder / FILE, ModelError)
    if not isinstance(file.data, dict):
        raise ModelError(f"{file.where}: maps names of regimens to {', '.join(_KEYS)}")
    return {str(name): _regimen(file, str(name), entry) for name, entry in file.data.items()}


def _regimen(file: YamlFile, name: str, entry: Any) -> NamedRegimen:
    if not isinstance(entry, dict) or not _NAME.fullmatch(name):
        raise ModelError(f"{file.place((name,))}: a regimen is a name with {', '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            hint = best_matches(str(key), _KEYS)
            raise ModelError(f"{file.place((name, str(key)))}: unknown key {key!r}{hint}")
    for key in _NEEDED:
        if key not in entry:
            raise ModelError(f"{file.place((name,))}: {key!r} is missing")
    texts = {key: _text(file, (name, key), entry[key]) for key in _TEXTS if key in entry}
    for key, allowed in (("status", STATUS), ("evidence", EVIDENCE)):
        if texts[key] not in allowed:
            hint = best_matches(texts[key], allowed)
            said = f"{texts[key]!r} is none of {', '.join(allowed)}{hint}"
            raise ModelError(f"{file.place((name, key))}: {said}")
    if not DATE.fullmatch(texts["status_date"]):
        raise ModelError(f"{file.place((name, 'status_date'))}: is a date such as '2026-02-17'")
    variants = entry.get("variants", [])
    if not isinstance(variants, list) or not all(isinstance(item, str) for item in variants):
        raise ModelError(f"{file.place((name, 'variants'))}: must be a list of names")
    steps = _steps(file, name, entry["steps"])
    if "cycle" in texts:
        _require_cycle(file, name, texts["cycle"], steps)
    return NamedRegimen(
        name=name, steps=steps, variants=tuple(variants), where=file.place((name,)), **texts
    )


def _text(file: YamlFile, path: tuple[str, ...], value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{file.place(path)}: must be a text, in quotes where it is a date")
    return " ".join(value.split())


def _steps(file: YamlFile, name: str, steps: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(steps, list) or not steps:
        raise ModelError(f"{file.place((name, 'steps'))}: must be a list of steps")
    for number, step in enumerate(steps):
        try:
            Step.model_validate(step)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place = file.place((name, "steps", number, *fault["loc"]))
            raise ModelError(f"{place}: {fault['msg'].removeprefix('Value error, ')}") from None
    return tuple(steps)


def _require_cycle(
    file: YamlFile, name: str, cycle: str, steps: tuple[Mapping[str, Any], ...]
) -> None:
    """What comes again lies inside one cycle, at times of its own."""
    for number, step in enumerate(steps):
        try:
            length, at = to_unit(cycle, HOUR, "cycle"), to_unit(step["at"], HOUR, "at")
            every = to_unit(step.get("every", f"0 {HOUR}"), HOUR, "every")
        except ScenarioError as error:
            raise ModelError(f"{file.place((name, 'steps', number))}: {error}") from None
        last = at + every * (step.get("times", 1) - 1)
        if not 0 <= at <= last < length or "until" in step or step.get("steady_state"):
            raise ModelError(
                f"{file.place((name, 'steps', number))}: leaves the cycle of {cycle}, "
                "which comes again: doses lie inside of it, and settings end with for"
            )


def written_out(data: dict[str, Any], file: YamlFile) -> dict[str, Any]:
    """The data of a scenario with steps in the place of the names of regimens.

    A regimen of a compound makes it the compound of the run, or of its arm; a scenario that names
    another one is refused. Raises ScenarioError, with the key, for a name that does not exist.
    """
    regimen, arms = data.get("regimen"), data.get("arms")
    named: dict[str, str] = {"": regimen} if isinstance(regimen, str) else {}
    if isinstance(arms, dict):
        named |= {str(arm): item for arm, item in arms.items() if isinstance(item, str)}
    if not named or not isinstance(data.get("model"), str):
        return data
    shelf = _Shelf(data, file)
    found = {arm: shelf.find(arm, name) for arm, name in named.items()}
    data, end = {**data, **shelf.compounds_of(found)}, _end(data)
    if "" in found:
        data["regimen"] = found[""].lasting(end)
    if isinstance(arms, dict):
        own = {arm: item.lasting(end) for arm, item in found.items() if arm}
        data["arms"] = {arm: own.get(arm, steps) for arm, steps in arms.items()}
    return data


def _end(data: Mapping[str, Any]) -> float:
    """When the run of a scenario ends, in hours; 0 where it does not say so rightly."""
    observe = data.get("observe")
    try:
        return to_unit(observe.get("until") if isinstance(observe, dict) else None, HOUR)
    except ScenarioError:  # reported with its place when the scenario is read
        return 0.0


class _Shelf:
    """The regimens of the model of a scenario, and which of its compounds they are for."""

    def __init__(self, data: Mapping[str, Any], file: YamlFile):
        self.data = data
        self.file = file
        self.model = find_model(beside(file.where, str(data["model"])))
        self.known = read_regimens(self.model) if self.model.is_dir() else {}
        self.variants = read_variants(self.model) if self.model.is_dir() else {}
        self.compounds = (
            read_compounds(self.model, self.variants, {}) if self.variants else Compounds()
        )

    def find(self, arm: str, name: str) -> NamedRegimen:
        """The regimen of that name, fit for the variant and the compounds of the scenario."""
        path: tuple[str | int, ...] = ("arms", arm) if arm else ("regimen",)
        place = self.file.place(path)
        if not self.known:
            raise ScenarioError(f"{place}: model {self.model.stem} has no {FILE}, so no {name!r}")
        if name not in self.known:
            raise ScenarioError(
                f"{place}: unknown regimen {name!r}{best_matches(name, self.known)}"
            )
        found = self.known[name]
        variant = self._variant()
        if found.variants and variant not in found.variants:
            allowed = " or ".join(found.variants)
            raise ScenarioError(f"{place}: {name!r} needs variant: {allowed}, not {variant}")
        for compound in self._named_compounds(arm):
            if found.compound and not self._is_kind_of(compound, found.compound):
                raise ScenarioError(
                    f"{place}: {name!r} is a regimen of {found.compound}, not of {compound}: "
                    "write its steps out to dose another compound so"
                )
        return found

    def _variant(self) -> str:
        """The one variant of the scenario; an unknown one is reported later."""
        said = self.data.get("variant") or default_variant(self.variants)
        said = " + ".join(map(str, said)) if isinstance(said, list) else str(said)
        if "+" not in said:
            return said
        try:
            return chosen_variant(self.model, self.variants, said)
        except ModelError as error:
            raise ScenarioError(f"{self.file.place(('variant',))}: {error}") from None

    def _named_compounds(self, arm: str) -> list[str]:
        """The compounds that the scenario itself says it runs in an arm."""
        one, many = self.data.get("compound"), self.data.get("compounds")
        if isinstance(one, dict):
            one = one.get(arm)
        names = [one] if one is not None else many if isinstance(many, list) else []
        return [str(name) for name in names]

    def _is_kind_of(self, name: str, wanted: str) -> bool:
        """Whether a compound is the wanted one, or like it; an unknown one is reported later."""
        if not self.compounds.knows(name):
            return True
        own = self.compounds.canonical(name)
        return any(item.name == wanted for item in self.compounds.lineage(own))

    def compounds_of(self, found: Mapping[str, NamedRegimen]) -> dict[str, Any]:
        """The compound of the run, or of every arm, where the scenario leaves it to regimens."""
        own = {arm: item.compound for arm, item in found.items() if item.compound}
        if not own or "compound" in self.data or "compounds" in self.data:
            return {}
        rest = dict.fromkeys(self.data.get("arms") or (), self.compounds.default)
        return {"compound": own.get("", {**rest, **own})}


def check_regimens(model: Model) -> None:
    """Compile every named regimen that is for this variant of a model.

    Raises ModelError with the place of one that doses what is not there, in a unit of another kind,
    or by a compound that the model does not have.
    """
    regimens = read_regimens(model.folder) if model.folder else {}
    variants = read_variants(model.folder) if model.folder and regimens else {}
    for regimen in regimens.values():
        for variant in regimen.variants:
            if variant not in variants:
                hint = best_matches(variant, variants)
                raise ModelError(f"{regimen.where}: no variant {variant!r}{hint}")
        if not regimen.variants or model.variant in regimen.variants:
            _require_sound(regimen, model)


def _require_sound(regimen: NamedRegimen, model: Model) -> None:
    steps = [Step.model_validate(step) for step in regimen.steps]
    try:
        values = {n: model.entities[n].value or 0.0 for n in model.compounds.body_constants}
        if regimen.compound:
            compound = model.compounds.find(regimen.compound, model.variant)
            rows = model.compounds.rows(compound.name)
            values |= {n: value_in_model(row, model.entities[n]) for n, row in rows.items()}
        compile_regimen(steps, Context(model, values), math.inf, lambda number: nullcontext())
    except MyelodeError as error:
        raise ModelError(f"{regimen.where}: {error}") from None
