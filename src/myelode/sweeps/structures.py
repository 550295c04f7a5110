"""One scenario of a sweep: what all points with the same places share, read and planned once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock

from myelode.collisions import require_apart
from myelode.engines import Tolerances
from myelode.engines.bulk import Chosen, choose_for_batch
from myelode.engines.protocol import Batch
from myelode.errors import ModelError, ScenarioError
from myelode.expressions import names_in
from myelode.model import Model
from myelode.plan import Plan, Planner
from myelode.scenario import Scenario, expressions_of, load_scenario, perturbation_names
from myelode.simulation import evaluate_inputs
from myelode.subjects import model_of
from myelode.sweeps.axes import PERTURBATION, Axis, ScenarioAxes
from myelode.sweeps.sections import Sweep

ALONE = RLock()
"""Held while simulators work that do one run at a time: threads share them, and their state."""

Load = Callable[[str, str | None], Model]
"""Gives a model by name or path, and variant."""

Places = tuple[tuple[str, str], ...]
"""Places of the scenario, and the value of each."""


@dataclass(frozen=True)
class Structure:
    """A scenario at some places, planned, and the engine that does its runs.

    Attributes
    ----------
    plan : the scenario's own runs, at the values that stand where no axis moves them.
    numbers : the axes of numbers, by name.
    select : the perturbation that the points are of, where that is an axis; else "".
    """

    scenario: Scenario
    planner: Planner
    plan: Plan
    numbers: Mapping[str, Axis]
    chosen: Chosen
    tolerances: Tolerances
    select: str = ""


def read_axes(sweep: Sweep, load: Load) -> ScenarioAxes:
    """The axes that a sweep may have, which its scenario as it stands says."""
    planner = planner_at(sweep, (), load)
    return ScenarioAxes(planner.scenario, planner)


def planner_at(sweep: Sweep, places: Places, load: Load) -> Planner:
    """What plans the scenario of a sweep at some places; raises ScenarioError or ModelError.

    `load` keeps the models that it has loaded as long as the plan lives, and no longer: they may
    be edited between two sweeps.
    """
    with ALONE, _at_places(sweep, places):
        scenario = scenario_of(sweep, places)
        return Planner(scenario, model_of(scenario, load), _inputs(scenario), {})


@contextmanager
def _at_places(sweep: Sweep, places: Places) -> Iterator[None]:
    """Say of a fault at which places of the design it is: the scenario as it stands has none."""
    try:
        yield
    except (ScenarioError, ModelError) as error:
        if not places:
            raise
        said = ", ".join(f"{name} = {value}" for name, value in places)
        with sweep.at("design"):
            raise type(error)(f"at {said}: {error}") from None


def build_structure(
    sweep: Sweep, planner: Planner, places: Places, numbers: Mapping[str, Axis],
    tolerances: Tolerances, engine: str, count: int,
) -> Structure:  # fmt: skip
    """The scenario at the places of a planner; `count` is how many points the whole sweep has."""
    with ALONE:
        return _build(sweep, planner, places, numbers, tolerances, engine, count)


def _build(
    sweep: Sweep, planner: Planner, places: Places, numbers: Mapping[str, Axis],
    tolerances: Tolerances, engine: str, count: int,
) -> Structure:  # fmt: skip
    scenario = planner.scenario
    with sweep.at("design"):
        _require_free(scenario, numbers)
    plan = planner.plan()
    batch = Batch(plan.runs[0].run, count * len(plan.runs))
    with sweep.at("engine"):
        chosen = choose_for_batch(plan.sbml, batch, engine, sweep.reproducible)
    select = dict(places).get(PERTURBATION, "")
    return Structure(scenario, planner, plan, numbers, chosen, tolerances, select)


def _require_free(scenario: Scenario, numbers: Mapping[str, Axis]) -> None:
    """Refuse an axis over a value that the regimen sets: all of its points would be the same."""
    targets = {axis.target for axis in numbers.values() if axis.kind in ("value", "final")}
    require_apart(scenario, frozenset(), frozenset(), targets)


def scenario_of(sweep: Sweep, places: Places) -> Scenario:
    """The scenario of a sweep at some places; raises ScenarioError."""
    settings = [f"{path}={value}" for path, value in places if path != PERTURBATION]
    with sweep.at("scenario"):
        scenario = load_scenario(sweep.beside(sweep.scenario), [*sweep.settings, *settings])
    _require_own_points(sweep, scenario)
    select = dict(places).get(PERTURBATION)
    if select is not None:
        scenario = _of_perturbation(scenario, select)
    recorded = [*scenario.observe.outputs, *sweep.record]
    observe = scenario.observe.model_copy(update={"outputs": list(dict.fromkeys(recorded))})
    return scenario.model_copy(update={"observe": observe, "scores": {}, "expect": []})


def _require_own_points(sweep: Sweep, scenario: Scenario) -> None:
    """Refuse a scenario whose design has samples: those of a sweep are its points."""
    design = scenario.design
    kinds = [name for name in ("cross", "zip") if getattr(design, name)]
    kinds += [design.subjects.key] if design.subjects else []
    if kinds:
        with sweep.at("scenario"):
            raise ScenarioError(
                f"{scenario.id} has a design with {kinds[0]}: a sweep's points are its own design; "
                "write it there, and 'design: {}' under with"
            )


def _of_perturbation(scenario: Scenario, wanted: str) -> Scenario:
    """The scenario with one perturbation, and the reference beside it where it is compared."""
    items = dict(zip(perturbation_names(scenario), scenario.perturbations, strict=True))
    inline = {name: item for name, item in items.items() if isinstance(item, dict)}
    kept = [items.get(scenario.reference, scenario.reference)] if _compares(scenario) else []
    if wanted in inline:
        kept += [item for name, item in inline.items() if name in (wanted, *_parts(inline, wanted))]
    elif wanted != scenario.reference or not kept:
        kept += [wanted]
    return scenario.model_copy(update={"perturbations": kept})


def _parts(inline: Mapping[str, dict[str, object]], wanted: str) -> Sequence[str]:
    """The parts of an inline perturbation that is written ``a + b``."""
    definition = inline[wanted][wanted]
    return [part.strip() for part in definition.split("+")] if isinstance(definition, str) else []


def _compares(scenario: Scenario) -> bool:
    """Whether something of the scenario looks at the reference beside a perturbation."""
    if scenario.outcome is not None:
        return True
    texts = [text for path, text in expressions_of(scenario) if path[0] != "expect"]
    return any("." in name for text in texts for name in names_in(text))


def _inputs(scenario: Scenario) -> dict[str, dict[str, str | float | int]]:
    """The endpoints of other scenarios that it uses, which no axis of the sweep moves."""
    return evaluate_inputs(scenario, "auto", Tolerances())
