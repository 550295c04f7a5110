"""Scenarios, simulated."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from myelode.datasets import plan_dataset
from myelode.design import first_alike
from myelode.engines import Tolerances
from myelode.engines.bulk import Progress, Ran, run_all
from myelode.errors import ScenarioError, SimulationError, best_matches
from myelode.model import Model
from myelode.outcomes import evaluate_scenario
from myelode.plan import Plan, PlannedRun, make_plan
from myelode.regimens.steps import Context, Quantity
from myelode.scenario import Scenario, load_scenario, perturbation_names
from myelode.sections import FLAG, Input


def simulate(
    scenario: Scenario | str,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
    overrides: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """The trajectories of a scenario.

    Returns one variable per output with units in ``attrs`` and dimensions ``(perturbation
    [, compound][, arm][, dose][, dose2][, sample], time)``; the ``attrs`` hold all that is needed
    to run it again. A sample at the time of an event is the value just after it.

    `overrides` replace values in their own layer, in the model's units: ``NAME`` the model's own,
    ``COMPOUND.NAME`` those of a compound, ``LINE:NAME`` those that a cell line sets.

    Raises ScenarioError or ModelError for faults in the input, SimulationError for a failed run.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(scenario)
    tolerances = read_tolerances(rtol, atol)
    plan = plan_scenario(scenario, engine, tolerances, overrides)
    return simulate_plan(plan, engine, tolerances, progress)


def simulate_plan(
    plan: Plan, engine: str, tolerances: Tolerances, progress: Progress | None = None
) -> xr.Dataset:
    """As `simulate`, for a plan at hand."""
    values, ran = run_plan(plan, engine, tolerances, progress)
    return plan_dataset(plan, values, ran, tolerances)


def evaluate_plan(plan: Plan, engine: str, tolerances: Tolerances) -> xr.Dataset:
    """As `evaluate` of what `simulate` gives, for a plan at hand."""
    dataset = simulate_plan(plan, engine, tolerances)
    return evaluate_scenario(dataset, plan.scenario, Context(plan.model))


def plan_scenario(
    scenario: Scenario,
    engine: str = "auto",
    tolerances: Tolerances | None = None,
    overrides: Mapping[str, float] | None = None,
    model: Model | None = None,
) -> Plan:
    """All runs of a scenario, with the endpoints of other scenarios that it takes as inputs.

    `overrides` hold in these too; `model` is that of the scenario, where it is at hand.
    """
    inputs = evaluate_inputs(scenario, engine, tolerances or Tolerances(), overrides)
    return make_plan(scenario, inputs, overrides, model)


def rehearse(scenario: Scenario) -> tuple[Plan, xr.Dataset]:
    """The plan, and what `simulate` would give with NaN for every value: a check without a run."""
    inputs = {name: dict.fromkeys(perturbation_names(scenario), 1.0) for name in scenario.inputs}
    plan = make_plan(scenario, inputs)
    shape = (*(len(axis.values) for axis in plan.axes), len(plan.times), len(plan.columns))
    return plan, plan_dataset(plan, np.full(shape, np.nan), Ran([], "roadrunner", ""), Tolerances())


def read_tolerances(rtol: float | None, atol: float | None) -> Tolerances:
    """The default tolerances, or the given ones; both must be positive."""
    default = Tolerances()
    chosen = Tolerances(
        default.relative if rtol is None else float(rtol),
        default.absolute if atol is None else float(atol),
    )
    if not (0 < chosen.relative < 1 and 0 < chosen.absolute < np.inf):
        raise ScenarioError("rtol must lie between 0 and 1, and atol must be positive")
    return chosen


def run_plan(
    plan: Plan, engine: str, tolerances: Tolerances, progress: Progress | None = None
) -> tuple[np.ndarray, Ran]:
    """Values of shape (axes..., times, columns of the plan), and how they came about.

    A virtual patient or a draw whose run fails has NaN, so that the others can be told; where
    nobody is left, or the typical draw fails, and in all other scenarios, a run that fails raises
    SimulationError.
    """
    shape = tuple(len(axis.values) for axis in plan.axes)
    values = np.full((*shape, len(plan.times), len(plan.columns)), np.nan)
    firsts, goes_on = _firsts(plan), plan.scenario.design.goes_on
    own = _own_runs(plan, firsts)
    ran = run_all(
        plan.sbml, [run.run for run in own], engine, tolerances, progress, lambda _: not goes_on
    )
    _require_success(plan, _failures(own, ran), len(own))
    for planned, result in zip(own, ran.results, strict=True):
        if not isinstance(result, SimulationError):
            values[planned.place] = result
    for planned, first in zip(plan.runs, firsts, strict=True):
        values[planned.place] = values[first]
    return values, ran


def failed_runs(plan: Plan, ran: Ran) -> list[tuple[PlannedRun, SimulationError]]:
    """The runs of a plan that failed, each with what became of it."""
    return _failures(_own_runs(plan, _firsts(plan)), ran)


def _failures(own: Sequence[PlannedRun], ran: Ran) -> list[tuple[PlannedRun, SimulationError]]:
    pairs = zip(own, ran.results, strict=False)
    return [(planned, found) for planned, found in pairs if isinstance(found, SimulationError)]


def _firsts(plan: Plan) -> list[tuple[int, ...]]:
    """For each run of a plan the place of the one that it repeats, or its own."""
    return [first_alike(plan.scenario, plan.axes, planned.place) for planned in plan.runs]


def _own_runs(plan: Plan, firsts: Sequence[tuple[int, ...]]) -> list[PlannedRun]:
    """The runs of a plan that repeat no other."""
    return [run for run, first in zip(plan.runs, firsts, strict=True) if first == run.place]


def _require_success(
    plan: Plan, failures: Sequence[tuple[PlannedRun, SimulationError]], count: int
) -> None:
    """Raise SimulationError for failures among so many runs that leave nothing to tell."""
    design = plan.scenario.design
    fatal = failures
    if design.goes_on and len(failures) < count:
        axes = [axis.name for axis in plan.axes]
        typical = axes.index("sample") if design.uncertainty else None
        fatal = [item for item in failures if typical is not None and not item[0].place[typical]]
    if fatal:
        planned, error = fatal[-1]
        said = f"{error.reason} ({_describe(plan, planned)})"
        raise SimulationError(said, error.time, error.state)


def _describe(plan: Plan, planned: PlannedRun) -> str:
    """``scenario washout, perturbation lat1_low, dose 3`` of one run."""
    parts = [
        f"{axis.name} {axis.values[at]}" for axis, at in zip(plan.axes, planned.place, strict=True)
    ]
    return f"scenario {plan.scenario.id}, " + ", ".join(parts)


def evaluate_inputs(
    scenario: Scenario,
    engine: str,
    tolerances: Tolerances,
    overrides: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Quantity]]:
    """Endpoints of other scenarios that this one uses, by name and perturbation, with their units.

    Where the other scenario lists compounds, and none is named, by ``perturbation.compound``.
    A perturbation for which the other scenario has no finite number is left out.
    """
    found: dict[str, dict[str, Quantity]] = {}
    for name, wanted in scenario.inputs.items():
        with scenario.at("inputs", name):
            source = _restricted(load_scenario(scenario.beside(wanted.from_)), scenario)
            result = _evaluated(source, engine, tolerances, overrides)
            found[name] = _by_perturbation(result, wanted)
    return found


def _restricted(source: Scenario, user: Scenario) -> Scenario:
    """The source with only those perturbations that the user has too, and what these need."""
    names = {*perturbation_names(user), source.reference}
    items = source.perturbations
    kept = [item for item in items if isinstance(item, dict) or item in names]
    return source.model_copy(update={"perturbations": kept or items[:1], "scores": {}})


def _evaluated(
    scenario: Scenario,
    engine: str,
    tolerances: Tolerances,
    overrides: Mapping[str, float] | None,
) -> xr.Dataset:
    if scenario.inputs:
        raise ScenarioError(f"{scenario.id} takes inputs itself: inputs do not chain")
    return evaluate_plan(make_plan(scenario, overrides=overrides), engine, tolerances)


def _by_perturbation(result: xr.Dataset, wanted: Input) -> dict[str, Quantity]:
    if wanted.of not in result:
        hint = best_matches(wanted.of, map(str, result))
        raise ScenarioError(f"the scenario has no endpoint {wanted.of!r}{hint}")
    data = result[wanted.of]
    if wanted.of + FLAG in result:
        # A zero that means "below the lowest dose" is no number to go on with.
        data = data.where(result[wanted.of + FLAG] == "")
    for axis in ("arm", "compound"):
        name = getattr(wanted, axis)
        if name is not None and name not in result.coords.get(axis, ()):
            raise ScenarioError(f"the scenario has no {axis} {name!r}")
        data = data.sel({axis: name}) if name is not None and axis in data.dims else data
    if data.dims not in (("perturbation",), ("perturbation", "compound")):
        raise ScenarioError(f"{wanted.of!r} is not one number per perturbation")
    unit = str(data.attrs.get("units", ""))
    names = itertools.product(*(map(str, data[axis].values) for axis in data.dims))
    return {
        ".".join(name): f"{float(value)!r} {unit}".strip()
        for name, value in zip(names, data.values.ravel(), strict=True)
        if np.isfinite(value)
    }
