"""What is exported: a model as it stands, or the runs of a scenario."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from myelode import library
from myelode.errors import ScenarioError, best_matches
from myelode.files import YamlFile
from myelode.model import Model, load_model
from myelode.perturbations import REFERENCE
from myelode.plan import Plan, PlannedRun
from myelode.scenario import Scenario, build_scenario, load_scenario
from myelode.sections import Design
from myelode.simulation import plan_scenario

PLAIN_DURATION = 100
PLAIN_STEPS = 1000
_SCENARIO_SUFFIXES = (".yaml", ".yml")
_MODEL_SUFFIXES = (".ant", ".txt", ".antimony", ".xml", ".sbml")


@dataclass(frozen=True)
class ExportedRun:
    """One run: a short id, what tells it from the others, and the run itself."""

    id: str
    label: str
    planned: PlannedRun

    @property
    def file(self) -> str:
        """The name of its SBML file in an archive."""
        return f"{self.id}.xml"


def is_scenario(name_or_path: str) -> bool:
    """Whether the name or path means a scenario; raises ScenarioError where it means nothing.

    A shipped model wins over a scenario of the same name.
    """
    if name_or_path in library.models():
        return False
    suffix = Path(name_or_path).suffix
    if suffix in _SCENARIO_SUFFIXES:
        return True
    if suffix in _MODEL_SUFFIXES or os.path.isdir(name_or_path):
        return False
    shipped = [*library.scenarios(), *(name.rpartition("/")[2] for name in library.scenarios())]
    if name_or_path in shipped:
        return True
    hint = best_matches(name_or_path, [*library.models(), *shipped])
    raise ScenarioError(f"no model, scenario or file is called {name_or_path!r}{hint}")


def read_source(name_or_path: str, settings: Sequence[str]) -> Scenario:
    """The scenario of that name; a model becomes the scenario that just runs it."""
    if is_scenario(name_or_path):
        return load_scenario(name_or_path, settings)
    return _plain_scenario(name_or_path, settings)


def _plain_scenario(name_or_path: str, settings: Sequence[str]) -> Scenario:
    """All values of the model without treatment, over 100 of its time units."""
    model = load_model(name_or_path, _variant(settings))
    unit = f" {model.time_unit}" if model.time_unit else ""
    observe = {
        "every": f"{PLAIN_DURATION / PLAIN_STEPS}{unit}" if unit else PLAIN_DURATION / PLAIN_STEPS,
        "until": f"{PLAIN_DURATION}{unit}" if unit else PLAIN_DURATION,
        "outputs": list(_outputs(model)),
    }
    name = re.sub(r"\W", "_", model.name)
    data = {
        "id": name if name[:1].isalpha() else f"model_{name}",
        "title": model.title,
        "model": name_or_path,
        "observe": observe,
    }
    return build_scenario(YamlFile(name_or_path, data, {}), settings)


def _variant(settings: Sequence[str]) -> str | None:
    """The variant that a setting names; it decides which outputs there are."""
    pairs = [setting.partition("=") for setting in settings]
    given = [value.strip() for name, _, value in pairs if name.strip() == "variant"]
    return given[-1] if given else None


def _outputs(model: Model) -> tuple[str, ...]:
    chosen = [e.id for e in model.entities.values() if e.kind == "species" or e.rule is not None]
    return tuple(chosen or model.entities)


def reference_plan(scenario: Scenario) -> Plan:
    """One run: the reference perturbation in the first arm, with doses as the regimen writes them.

    The first perturbation stands in where the scenario does not list its reference.
    """
    plan = plan_scenario(scenario.model_copy(update={"design": Design()}))
    names = list(plan.perturbations)
    place = names.index(scenario.reference) if scenario.reference in names else 0
    return replace(plan, runs=(next(run for run in plan.runs if run.place[0] == place),))


def exported_runs(plan: Plan) -> tuple[ExportedRun, ...]:
    """The runs of a plan, numbered, with labels that tell them apart."""
    digits = len(str(len(plan.runs)))
    return tuple(
        ExportedRun(
            f"run_{number:0{digits}d}", run_label(plan, planned) or plan.scenario.title, planned
        )
        for number, planned in enumerate(plan.runs, 1)
    )


def run_label(plan: Plan, planned: PlannedRun) -> str:
    """``repair_high, dose 0.1 umol/L`` of one run; "" where there is nothing to tell apart."""
    parts = []
    for axis, at in zip(plan.axes, planned.place, strict=True):
        value = axis.values[at]
        if len(axis.values) == 1 and value == REFERENCE:
            continue
        number = value if isinstance(value, str) else f"{axis.name} {value:.6g}"
        parts.append(f"{number} {axis.unit}" if axis.unit else number)
    return ", ".join(parts)
