"""libRoadRunner with CVODE: the reference engine.

What bites, and is therefore kept inside this module: ``r['X']`` is an amount and ``r['[X]']`` a
concentration; initial values are not computed anew when a compartment or an initial value on which
they depend changes, so such changes are written into the SBML; a part of a RoadRunner that outlives
the whole kills the interpreter. ``_enter`` is the only entrance to a run.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from myelode.engines.protocol import Run, Tolerances
from myelode.engines.sizes import NaturalSizes
from myelode.engines.walk import walk
from myelode.equations import Equations, derive
from myelode.errors import (
    ModelError,
    ScenarioError,
    SimulationError,
    UnsupportedModelError,
    best_matches,
)
from myelode.sbml import Entity, describe, with_values
from myelode.sbml.dependencies import idle_species, initial_dependencies

MOST_STEPS = 100_000
NEARLY = 1e-12
NEARLY_THERE = 0.999
"""Share of the way to a failure after which the state is reported."""

_EXPLICIT = re.compile(r"(amount|concentration)\((\w+)\)")
_REFUSALS = ("not support", "unsupported", "unable to support", "not implemented", "algebraic rule")


class RoadRunnerEngine:
    """Compiles canonical SBML with libRoadRunner; compiled models are kept for the process."""

    name = "roadrunner"

    def compile(self, sbml: str) -> RoadRunnerSimulator:
        """A simulator; raises UnsupportedModelError for what libRoadRunner refuses."""
        return _compiled(sbml)


@lru_cache(maxsize=32)
def _compiled(sbml: str) -> RoadRunnerSimulator:
    return RoadRunnerSimulator(sbml)


@lru_cache(maxsize=32)
def _rewritten(sbml: str, values: tuple[tuple[str, float], ...]) -> RoadRunnerSimulator:
    """The model with initial values written into it: many runs of a scenario share them."""
    return RoadRunnerSimulator(with_values(sbml, dict(values)))


class RoadRunnerSimulator:
    """One compiled model. Every run starts from the model's own values."""

    def __init__(self, sbml: str):
        self._sbml = sbml
        self._entities = describe(sbml).entities
        self._states = tuple(n for n, entity in self._entities.items() if _is_integrated(entity))
        self._dependencies = initial_dependencies(sbml)
        self._idle = idle_species(sbml) & set(self._states)
        self._runner = _load(sbml)
        self._sizes = NaturalSizes([self._entities[name] for name in self._states])
        self._absolute = Tolerances().absolute

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs); raises SimulationError."""
        moving = {name: value for name, value in run.changes.items() if self._moves_others(name)}
        if moving and self._equations is None:
            rest = {name: value for name, value in run.changes.items() if name not in moving}
            changed = _rewritten(self._sbml, tuple(sorted(moving.items())))
            return changed.run(replace(run, changes=rest), tolerances)
        try:
            return self._walk(run, tolerances)
        except RuntimeError as error:
            raise self._failure(run, tolerances, str(error)) from None

    def _walk(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        self._enter(run, tolerances)
        values = walk(self, run, tolerances)
        if not np.isfinite(self.get(self._states) if run.as_stated else values).all():
            raise RuntimeError("a value is not finite")
        return values

    @property
    def states(self) -> tuple[str, ...]:
        """Ids of all values that the integration changes."""
        return self._states

    @property
    def idle(self) -> frozenset[str]:
        """States on which nothing depends."""
        return self._idle

    def advance(self, start: float, end: float, times: np.ndarray) -> np.ndarray:
        """Integrate from `start` to `end`; values of shape (times, outputs)."""
        runner = self._runner
        if end <= start:
            row = [runner[selection] for selection in runner.timeCourseSelections]
            return np.tile(np.array(row, dtype=float), (len(times), 1))
        close = NEARLY * max(1.0, abs(end))
        wanted = np.where(times >= end - close, end, np.where(times <= start + close, start, times))
        grid = np.unique(np.concatenate([[start], wanted, [end]]))
        self._set_absolute_tolerances()
        rows = np.asarray(runner.simulate(times=grid.tolist()), dtype=float)
        return rows[np.searchsorted(grid, wanted)]

    def get(self, ids: Sequence[str]) -> np.ndarray:
        """Present values, in the model's own mathematics."""
        return np.array([self._runner[self._selection(name)] for name in ids], dtype=float)

    def set(self, values: Mapping[str, float]) -> None:
        """Change values of species, parameters or compartments."""
        for name, value in values.items():
            selection = self._selection(name)
            if abs(value) > abs(self._runner[selection]):
                self._sizes.believe(name)
            self._runner[selection] = float(value)

    def _set_absolute_tolerances(self) -> None:
        amounts = np.array([self._runner[name] for name in self._states], dtype=float)
        tolerances = self._sizes.tolerances(amounts, self._absolute)
        for name, tolerance in zip(self._states, tolerances, strict=True):
            self._runner.integrator.setIndividualTolerance(name, float(tolerance))

    @cached_property
    def _equations(self) -> Equations | None:
        """What computes initial values; None for constructs that it does not know."""
        try:
            return derive(self._sbml)
        except UnsupportedModelError:
            return None

    def _moves_others(self, name: str) -> bool:
        """Whether libRoadRunner would compute initial values without, or over, the change.

        Its reset recomputes species, but neither compartments nor parameters.
        """
        entity = self._entity(name)
        moved = [other for other, used in self._dependencies.items() if name in used]
        resized = entity.kind == "compartment" or any(
            self._entities[other].kind != "species" for other in moved
        )
        return entity.computed_initially or resized or bool(moved and _is_state(entity))

    def _enter(self, run: Run, tolerances: Tolerances) -> None:
        """Original values, then changes of constants, then initial values, then their changes.

        A reset of a RoadRunner applies the events at time zero again, to what they left the last
        time. So its model is put before all time here, and the restart applies them once.
        """
        import roadrunner

        runner = self._runner
        integrator = runner.integrator
        integrator.relative_tolerance = tolerances.relative
        self._absolute = tolerances.absolute
        self._sizes.begin()
        integrator.maximum_num_steps = MOST_STEPS
        runner.resetToOrigin()
        runner.model.reset(roadrunner.SelectionRecord.SBML_INITIALIZE)
        start = self._start(run.changes)
        self.set({n: value for n, value in start.items() if not _is_state(self._entity(n))})
        runner.model.reset()
        runner.model.setTime(0.0)
        self.set(start)
        runner.model.setTime(-math.inf)
        integrator.restart(0.0)
        runner.timeCourseSelections = [self._selection(output) for output in run.outputs]

    def _start(self, changes: Mapping[str, float]) -> Mapping[str, float]:
        """The changes, constants first; with all that follows from them where they move others."""
        if self._equations is None or not any(map(self._moves_others, changes)):
            return changes
        values = self._equations.initial_values(changes)
        known = [entity for entity in self._entities.values() if _is_settable(entity)]
        return {
            entity.id: values[entity.id]
            for entity in sorted(known, key=_is_state)
            if entity.id in values
        }

    def _selection(self, output: str) -> str:
        """libRoadRunner's name for an output."""
        match = _EXPLICIT.fullmatch(output)
        name = match[2] if match else output
        if name == "time" and name not in self._entities:
            return name
        entity = self._entity(name)
        if entity.kind != "species":
            if match and entity.kind != "compartment":
                raise ScenarioError(f"{output}: {name} is no species")
            return name
        as_amount = match[1] == "amount" if match else entity.is_amount
        return name if as_amount else f"[{name}]"

    def _entity(self, name: str) -> Entity:
        if name not in self._entities:
            raise ScenarioError(f"unknown name {name!r}{best_matches(name, self._entities)}")
        return self._entities[name]

    def _failure(self, run: Run, tolerances: Tolerances, message: str) -> SimulationError:
        """The report of a failed run; the compiled model is replaced, whatever state it was in.

        libRoadRunner forgets the state in which it gave up: the run is repeated up to there.
        """
        reached = float(self._runner.model.getTime())
        time = NEARLY_THERE * min(max(reached, 0.0), run.timeline.end)
        timeline = replace(run.timeline, end=time)
        try:
            self._walk(Run(run.changes, timeline, np.array([time]), ()), tolerances)
        except RuntimeError:
            time = reached
        state = dict(zip(self.states, map(float, self.get(self.states)), strict=True))
        self._runner = _load(self._sbml)
        return SimulationError(_reason(message), time, state)


def _is_integrated(entity: Entity) -> bool:
    by_reactions = entity.kind == "species" and not (
        entity.boundary or entity.constant or entity.rule
    )
    return by_reactions or entity.rule == "rate"


def _is_settable(entity: Entity) -> bool:
    return entity.kind != "reaction" and entity.rule != "assignment"


def _is_state(entity: Entity) -> bool:
    return entity.kind == "species" or entity.rule == "rate"


def _load(sbml: str) -> Any:
    """A RoadRunner of the text (never of a path or an address, which it would fetch)."""
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    if not sbml.lstrip().startswith("<?xml"):
        raise ModelError("the model is not SBML text")
    try:
        with _silent_sundials(), _without_properties(roadrunner.Config):
            return roadrunner.RoadRunner(sbml)
    except RuntimeError as error:
        message = _reason(str(error))
        refused = any(word in message.lower() for word in _REFUSALS)
        kind = UnsupportedModelError if refused else ModelError
        raise kind(f"libRoadRunner: {message}") from None


@contextmanager
def _without_properties(config: Any) -> Iterator[None]:
    """Models loaded inside add no properties to the class: an id ``reset`` would hide a method."""
    key = config.ROADRUNNER_DISABLE_PYTHON_DYNAMIC_PROPERTIES
    before = config.getValue(key)
    config.setValue(key, True)
    try:
        yield
    finally:
        config.setValue(key, before)


@contextmanager
def _silent_sundials() -> Iterator[None]:
    """Integrators made inside write no warnings to stdout, which belongs to the command line.

    SUNDIALS reads where to write from the environment; what it says is also in the errors.
    """
    names = ("SUNLOGGER_ERROR_FILENAME", "SUNLOGGER_WARNING_FILENAME")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _reason(message: str) -> str:
    """The part of libRoadRunner's message that says something, on one line."""
    text = " ".join(message.split())
    text = text.split("; In virtual")[0].split(", at ")[0]
    return text.removeprefix("CVODE Error: ") or "unknown reason"
