"""The independent engine: the model's own equations, integrated by SciPy.

Slower than libRoadRunner, and with nothing in common with it but the reading of SBML.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from myelode.engines.protocol import Run, Tolerances
from myelode.engines.walk import walk
from myelode.equations import Equations, derive
from myelode.errors import SimulationError
from myelode.sbml.dependencies import idle_species

if TYPE_CHECKING:
    from myelode.equations.numeric import Function

METHODS = {"LSODA": 100_000, "Radau": 1_000_000}
"""SciPy's integrators in the order in which they are tried, and the evaluations that each may use.

LSODA is faster, but may creep for ever once it has met a jump in the derivatives.
"""

PASSES = 3
"""Integrations of one stretch in search of the natural sizes of its states."""

NEGLIGIBLE = 1e-18
"""Size of a state, relative to the largest, below which its accuracy is not looked after."""


class ScipyEngine:
    """Compiles models into simulators that integrate their equations with SciPy."""

    name = "scipy"

    def compile(self, sbml: str) -> ScipySimulator:
        """A simulator for the model; raises UnsupportedModelError for what it cannot do right."""
        equations = derive(sbml)
        return ScipySimulator(
            equations,
            equations.right_hand_side(),
            equations.jacobian_function(),
            idle_species(sbml) & set(equations.states),
        )


@dataclass(frozen=True)
class ScipySimulator:
    """A compiled model, with the functions that its runs have asked for."""

    equations: Equations
    right_hand_side: Function
    jacobian: Function
    idle: frozenset[str] = frozenset()
    functions: dict[tuple[str, ...], Function] = field(default_factory=dict)

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs); raises SimulationError where the run fails."""
        return walk(_Stepper(self, run, tolerances), run, tolerances)

    def quantities(self, outputs: Sequence[str]) -> Function:
        """Values of outputs as f(t, y, p), compiled once."""
        key = tuple(outputs)
        if key not in self.functions:
            self.functions[key] = self.equations.quantities(key)
        return self.functions[key]


@dataclass(frozen=True)
class _Course:
    """States of shape (stops, states), and the largest size of each on the way."""

    wanted: np.ndarray
    peaks: np.ndarray


class _GivenUpError(Exception):
    """Raised out of an integrator that would go on for ever."""


class _Stepper:
    """The states and constants of the moment, and how large each state has been."""

    def __init__(self, simulator: ScipySimulator, run: Run, tolerances: Tolerances):
        self.simulator = simulator
        self.tolerances = tolerances
        self.state, self.constants = simulator.equations.start(run.changes)
        self.outputs = simulator.quantities(run.outputs)
        self.width = len(run.outputs)
        self.sizes = np.abs(self.state)
        self.time = 0.0

    @property
    def states(self) -> tuple[str, ...]:
        """Ids of all values that the integration changes."""
        return self.simulator.equations.states

    @property
    def idle(self) -> frozenset[str]:
        """States on which nothing depends."""
        return self.simulator.idle

    def advance(self, start: float, end: float, times: np.ndarray) -> np.ndarray:
        """Integrate from `start` to `end`; values of shape (times, outputs)."""
        stops, places = np.unique([*times, end], return_inverse=True)
        self.time = start
        states = self._integrate(start, end, stops)
        rows = [
            self.outputs(time, states[place], self.constants)
            for time, place in zip(times, places[:-1], strict=True)
        ]
        self.state, self.time = states[-1], end
        return np.array(rows).reshape(len(times), self.width)

    def get(self, ids: Sequence[str]) -> np.ndarray:
        """Present values, in the model's own mathematics."""
        return self.simulator.quantities(ids)(self.time, self.state, self.constants)

    def set(self, values: Mapping[str, float]) -> None:
        """Change values; concentrations after the sizes of the compartments that hold them."""
        equations = self.simulator.equations
        equations.require_changeable(values)
        self._put(
            {name: value for name, value in values.items() if not equations.is_quotient(name)}
        )
        rest = [name for name in values if equations.is_quotient(name)]
        sizes = self.get([equations.system.species[name].compartment for name in rest])
        self._put({name: values[name] * size for name, size in zip(rest, sizes, strict=True)})

    def _put(self, values: Mapping[str, float]) -> None:
        equations = self.simulator.equations
        self.state = _replaced(equations.states, self.state, values)
        self.constants = _replaced(equations.constants, self.constants, values)

    def _integrate(self, start: float, end: float, stops: np.ndarray) -> np.ndarray:
        """States of shape (stops, states).

        A state that starts at zero shows its natural size, and so its absolute tolerance, only in
        the result; where the guess was far too large, the stretch is integrated again.
        """
        if end <= start or not self.state.size:
            return np.tile(self.state, (len(stops), 1))
        self._require_finite(start)
        sizes = self.sizes
        for _ in range(PASSES):
            guessed = _guessed(sizes)
            course = self._attempt(start, end, stops, guessed * self.tolerances.absolute)
            # What has a size keeps it: that of the end of a long growth would blur its start.
            sizes = np.where(self.sizes > 0, self.sizes, course.peaks)
            if not np.any(guessed > 100 * _guessed(sizes)):
                break
        self.sizes = np.maximum(self.sizes, course.peaks)
        return course.wanted

    def _attempt(
        self, start: float, end: float, stops: np.ndarray, absolute: np.ndarray
    ) -> _Course:
        """The course of the first integrator that gets through."""
        failures = []
        for method in METHODS:
            try:
                return self._solve(method, start, end, stops, absolute)
            except SimulationError as failure:
                failures.append(failure)
        raise max(failures, key=lambda failure: failure.time)

    def _solve(
        self, method: str, start: float, end: float, stops: np.ndarray, absolute: np.ndarray
    ) -> _Course:
        from scipy.integrate import solve_ivp

        guarded = _Guarded(self.simulator.right_hand_side, self.constants, METHODS[method])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what SciPy warns of is in its result too
                solution = solve_ivp(
                    guarded,
                    (start, end),
                    self.state,
                    method,
                    dense_output=True,
                    jac=self._jacobian,
                    rtol=self.tolerances.relative,
                    atol=absolute,
                )
        except (_GivenUpError, ValueError) as error:  # SciPy cannot join steps below rounding
            raise self._failure(f"{method}: {error}", guarded.time, self.state) from None
        last = solution.y[:, -1]
        if not solution.success or not np.all(np.isfinite(last)):
            raise self._failure(f"{method}: {solution.message}", float(solution.t[-1]), last)
        wanted = solution.sol(stops).T
        wanted[stops == start], wanted[-1] = self.state, last  # the polynomials round
        return _Course(wanted, np.abs(solution.y).max(axis=1))

    def _jacobian(self, time: float, state: np.ndarray) -> np.ndarray:
        """The Jacobian; an infinite slope, as of a root at zero, is left to the corrector."""
        return np.nan_to_num(
            self.simulator.jacobian(time, state, self.constants), nan=0.0, posinf=0.0, neginf=0.0
        )

    def _require_finite(self, time: float) -> None:
        """Refuse a start from which no integrator could go on."""
        slopes = self.simulator.right_hand_side(time, self.state, self.constants)
        for name, value, slope in zip(self.states, self.state, slopes, strict=True):
            if not np.isfinite(value):
                raise self._failure(f"{name} has no value", time, self.state)
            if not np.isfinite(slope):
                raise self._failure(f"the derivative of {name} is not finite", time, self.state)

    def _failure(self, reason: str, time: float, state: np.ndarray) -> SimulationError:
        values = self.simulator.quantities(self.states)(time, state, self.constants)
        return SimulationError(
            reason, time, dict(zip(self.states, map(float, values), strict=True))
        )


class _Guarded:
    """The equations, which stop an integrator that asks for them too often."""

    def __init__(self, function: Function, constants: np.ndarray, most: int):
        self.function = function
        self.constants = constants
        self.most = most
        self.count = 0
        self.time = float("nan")

    def __call__(self, time: float, state: np.ndarray) -> np.ndarray:
        self.time = time
        self.count += 1
        if self.count > self.most:
            raise _GivenUpError(f"{self.most} evaluations were not enough")
        return self.function(time, state, self.constants)


def _replaced(ids: Sequence[str], old: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
    return np.array([values.get(name, value) for name, value in zip(ids, old, strict=True)])


def _guessed(sizes: np.ndarray) -> np.ndarray:
    """Sizes; a state that has always been zero is taken to be as small as the smallest other."""
    known = sizes[sizes > 0]
    if not known.size:
        return np.ones_like(sizes)
    least = max(known.min(), known.max() * NEGLIGIBLE)
    guessed: np.ndarray = np.maximum(np.where(sizes > 0, sizes, least), least)
    return guessed
