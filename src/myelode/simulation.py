"""Scenarios and plain models, simulated: an `xarray.Dataset` that knows its origin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from myelode.design import Axis
from myelode.engines import Run, Tolerances, choose_engine
from myelode.errors import ScenarioError, SimulationError
from myelode.model import Model
from myelode.outcomes import evaluate_scenario
from myelode.plan import Plan, PlannedRun, make_plan
from myelode.provenance import evidence_of, run_to_json
from myelode.scenario import Scenario, load_scenario, perturbation_names
from myelode.steps import Context
from myelode.timeline import Timeline

NOTICE = "For research and teaching only; no advice for a real person."
Progress = Callable[[int, int], None]


def simulate(
    scenario: Scenario | str,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """The trajectories of a scenario.

    Returns one variable per output with units in ``attrs`` and dimensions ``(perturbation[, arm]
    [, dose][, dose2][, sample], time)``; the ``attrs`` hold all that is needed to run it again.
    A sample at the time of an event is the value just after it.

    Raises ScenarioError or ModelError for faults in the input, SimulationError for a failed run.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(scenario)
    plan = plan_scenario(scenario, engine)
    return simulate_plan(plan, engine, read_tolerances(rtol, atol), progress)


def simulate_plan(
    plan: Plan, engine: str, tolerances: Tolerances, progress: Progress | None = None
) -> xr.Dataset:
    """As `simulate`, for a plan at hand."""
    return _dataset(plan, run_plan(plan, engine, tolerances, progress), engine, tolerances)


def plan_scenario(scenario: Scenario, engine: str = "auto") -> Plan:
    """All runs of a scenario, with the endpoints of other scenarios that it takes as inputs."""
    return make_plan(scenario, evaluate_inputs(scenario, engine))


def rehearse(scenario: Scenario) -> tuple[Plan, xr.Dataset]:
    """The plan, and what `simulate` would give with NaN for every value: a check without a run."""
    inputs = {name: dict.fromkeys(perturbation_names(scenario), 1.0) for name in scenario.inputs}
    plan = make_plan(scenario, inputs)
    shape = (*(len(axis.values) for axis in plan.axes), len(plan.times), len(plan.outputs))
    return plan, _dataset(plan, np.full(shape, np.nan), "auto", Tolerances())


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
) -> np.ndarray:
    """Values of shape (axes..., times, outputs)."""
    simulator = choose_engine(engine).compile(plan.sbml)
    shape = tuple(len(axis.values) for axis in plan.axes)
    values = np.full((*shape, len(plan.times), len(plan.outputs)), np.nan)
    for number, planned in enumerate(plan.runs):
        try:
            values[planned.place] = simulator.run(planned.run, tolerances)
        except SimulationError as error:
            where = _describe(plan, planned)
            raise SimulationError(f"{error.reason} ({where})", error.time, error.state) from None
        if progress is not None:
            progress(number + 1, len(plan.runs))
    return values


def simulate_model(
    model: Model,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str] | None,
    changes: Mapping[str, Any] | None,
    engine: str,
    rtol: float | None,
    atol: float | None,
) -> xr.Dataset:
    """As `Model.simulate`, which documents it."""
    grid = _require_times(times)
    wanted = tuple(outputs) if outputs is not None else _default_outputs(model)
    units = {output: model.unit_of(output) for output in wanted}
    samples, count = _samples(model, changes or {})
    simulator = choose_engine(engine).compile(model.sbml)
    tolerances = read_tolerances(rtol, atol)
    timeline = Timeline((), float(grid[-1]))
    values = np.stack([simulator.run(Run(c, timeline, grid, wanted), tolerances) for c in samples])
    data = values if count is not None else values[0]
    dims = ("sample", "time") if count is not None else ("time",)
    dataset = xr.Dataset(
        {
            o: (dims, data[..., at], _attrs(units[o], model.label_of(o)))
            for at, o in enumerate(wanted)
        },
        coords={"time": ("time", grid, _attrs(model.time_unit, "time"))},
    )
    for name, value in (changes or {}).items():
        if np.ndim(value) == 1:
            dataset = dataset.assign_coords(
                {f"changed_{name}": ("sample", np.asarray(value, dtype=float))}
            )
    dataset.attrs = {**_origin(model, engine, tolerances), "sbml": model.sbml}
    return dataset


def _require_times(times: Sequence[float] | np.ndarray) -> np.ndarray:
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or not np.isfinite(grid).all():
        raise ScenarioError("times must be a list of finite numbers")
    if grid[0] < 0 or (np.diff(grid) <= 0).any():
        raise ScenarioError("times must increase, and none may be negative")
    return grid


def _default_outputs(model: Model) -> tuple[str, ...]:
    return tuple(e.id for e in model.entities.values() if e.kind == "species" or e.rule is not None)


def _samples(model: Model, changes: Mapping[str, Any]) -> tuple[list[dict[str, float]], int | None]:
    """The changes of every sample, and their number (None if all changes are plain numbers)."""
    arrays: dict[str, np.ndarray] = {}
    for name, value in changes.items():
        entity = model.entity(name)
        if entity.kind == "reaction" or entity.rule == "assignment":
            raise ScenarioError(f"{name!r} is computed by the model and cannot be changed")
        arrays[name] = np.asarray(value, dtype=float)
        if arrays[name].ndim > 1 or not np.isfinite(arrays[name]).all():
            raise ScenarioError(f"the change of {name!r} must be a finite number or a list of them")
    lengths = {array.size for array in arrays.values() if array.ndim == 1}
    if len(lengths) > 1 or 0 in lengths:
        raise ScenarioError(f"changes have unequal or zero lengths: {sorted(lengths)}")
    count = lengths.pop() if lengths else None
    rows = [
        {name: float(array[row] if array.ndim else array) for name, array in arrays.items()}
        for row in range(count or 1)
    ]
    return rows, count


def evaluate_inputs(scenario: Scenario, engine: str) -> dict[str, dict[str, float]]:
    """Endpoints of other scenarios that this one uses, by perturbation."""
    found: dict[str, dict[str, float]] = {}
    for name, wanted in scenario.inputs.items():
        with scenario.at("inputs", name):
            result = _evaluated(_restricted(load_scenario(wanted.from_), scenario), engine)
            found[name] = _by_perturbation(result, wanted.of, wanted.arm)
    return found


def _restricted(source: Scenario, user: Scenario) -> Scenario:
    """The source with only those perturbations that the user has too, and its reference."""
    names = {*perturbation_names(user), source.reference}
    kept = [
        item
        for item, name in zip(source.perturbations, perturbation_names(source), strict=True)
        if name in names
    ]
    return source.model_copy(update={"perturbations": kept})


def _evaluated(scenario: Scenario, engine: str) -> xr.Dataset:
    if scenario.inputs:
        raise ScenarioError(f"{scenario.id} takes inputs itself: inputs do not chain")
    plan = make_plan(scenario)
    dataset = _dataset(plan, run_plan(plan, engine, Tolerances()), engine, Tolerances())
    return evaluate_scenario(dataset, scenario, Context(plan.model))


def _by_perturbation(result: xr.Dataset, endpoint: str, arm: str | None) -> dict[str, float]:
    if endpoint not in result:
        raise ScenarioError(f"the scenario has no endpoint {endpoint!r}")
    data = result[endpoint]
    if arm is not None and "arm" in data.dims:
        data = data.sel(arm=arm)
    if data.dims != ("perturbation",):
        raise ScenarioError(f"{endpoint!r} is not one number per perturbation")
    numbers = zip(data["perturbation"].values, data.values, strict=True)
    return {str(name): float(value) for name, value in numbers if np.isfinite(value)}


def _dataset(plan: Plan, values: np.ndarray, engine: str, tolerances: Tolerances) -> xr.Dataset:
    dims = (*(axis.name for axis in plan.axes), "time")
    variables = {
        output: (
            dims,
            values[..., at],
            _attrs(plan.model.unit_of(output), plan.model.label_of(output)),
        )
        for at, output in enumerate(plan.outputs)
    }
    dataset = xr.Dataset(
        variables, coords={"time": ("time", plan.times, _attrs(plan.model.time_unit, "time"))}
    )
    for axis in plan.axes:
        dataset = dataset.assign_coords(_coordinates(axis))
    shape = tuple(len(axis.values) for axis in plan.axes)
    dataset["status"] = (
        dims[:-1],
        np.zeros(shape, dtype=np.int8),
        {"long_name": "0 = reached its end"},
    )
    dataset.attrs = _provenance(plan, engine, tolerances)
    return dataset


def _coordinates(axis: Axis) -> dict[str, Any]:
    values = np.array(axis.values, dtype=object if isinstance(axis.values[0], str) else None)
    found: dict[str, Any] = {axis.name: (axis.name, values, _attrs(axis.unit, axis.name))}
    for name, (numbers, unit) in (axis.labels or {}).items():
        found[name] = (axis.name, np.array(numbers), _attrs(unit, name))
    return found


def _attrs(unit: str | None, label: str) -> dict[str, str]:
    return {"units": unit or "", "long_name": label}


@lru_cache(maxsize=1)
def _versions() -> str:
    packages = ("myelode", "libroadrunner", "numpy", "scipy")
    return json.dumps({name: version(name) for name in packages})


def _origin(model: Model, engine: str, tolerances: Tolerances) -> dict[str, Any]:
    return {
        "model": model.name,
        "variant": model.variant,
        "model_sha256": model.digest,
        "engine": choose_engine(engine).name,
        "relative_tolerance": tolerances.relative,
        "absolute_tolerance": tolerances.absolute,
        "versions": _versions(),
        "notice": NOTICE,
    }


def _provenance(plan: Plan, engine: str, tolerances: Tolerances) -> dict[str, Any]:
    scenario = plan.scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {
        **_origin(plan.model, engine, tolerances),
        **evidence_of(plan),
        "title": plan.scenario.title,
        "scenario": json.dumps(scenario),
        "labels": json.dumps(plan.labels),
        "sbml": plan.sbml,
        "runs": json.dumps([run_to_json(planned) for planned in plan.runs]),
    }


def _describe(plan: Plan, planned: PlannedRun) -> str:
    """``perturbation lat1_low, dose 3`` of one run."""
    parts = [
        f"{axis.name} {axis.values[at]}" for axis, at in zip(plan.axes, planned.place, strict=True)
    ]
    return f"scenario {plan.scenario.id}, " + ", ".join(parts)
