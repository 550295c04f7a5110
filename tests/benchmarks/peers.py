"""Other engines on the same formulas, where they can be imported.

Each integrates one stretch of a scenario (`flat`) set by set, at the relative tolerance of the
benchmark and the absolute one of libRoadRunner, which does the same stretch beside it.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from myelode.engines import Tolerances
from tests.benchmarks.cases import RELATIVE, Case, clocked
from tests.benchmarks.flat import Flat, flat

SETS = 50
ABSOLUTE = 1e-3 * RELATIVE
_INFIX = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negate": "-{}",
}

Solve = Callable[[int], np.ndarray]
"""Takes the number of a set; states or outputs of shape (times, values)."""


def measure_peers(case: Case, sets: int = SETS) -> dict[str, object]:
    """CPU time per set and median error of each peer, or why there are none."""
    stretch = flat(case)
    exact = [case.simulator.run(run, Tolerances(1e-10, 1e-14)) for run in stretch.runs[:sets]]
    known = Tolerances(RELATIVE, ABSOLUTE)

    def reference(number: int) -> np.ndarray:
        return case.simulator.run(stretch.runs[number], known)

    start = time.process_time()
    own = case.ensemble.run_many(stretch.runs, known, 1)
    seconds = (time.process_time() - start) / len(own)
    found: dict[str, object] = {"ensemble": _summary(seconds, own, exact)}
    with clocked() as spent:
        reference_found = _measured(reference, exact)
    found["libRoadRunner"] = {**reference_found, "us": 1e6 * sum(spent) / len(spent)}
    for name, make in PEERS.items():
        try:
            importlib.import_module(name)
            start = time.process_time()
            solve = make(stretch)
            compile_s = time.process_time() - start
            found[name] = {**_measured(solve, exact), "compile_s": compile_s}
        except ImportError:
            found[name] = "cannot be imported"
        except Exception as error:  # noqa: BLE001 - what a peer raises is unknown
            found[name] = f"fails: {str(error).splitlines()[0][:200]}"
    return found


def _measured(solve: Solve, exact: Sequence[np.ndarray]) -> dict[str, float]:
    solve(0)
    start = time.process_time()
    found = [solve(number) for number in range(len(exact))]
    seconds = (time.process_time() - start) / len(exact)
    return _summary(seconds, found, exact)


def _summary(seconds: float, found: Sequence[Any], exact: Sequence[np.ndarray]) -> dict[str, float]:
    errors = [_error(one, other) for one, other in zip(found, exact, strict=False)]
    return {"us": 1e6 * seconds, "median_error": float(np.median(errors))}


def _error(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error over times (of which a peer may not give the first) and outputs."""
    size = np.maximum(np.abs(exact).max(axis=0), 1e-300)
    return float(np.max(np.abs(found - exact[-len(found) :]) / size))


def pydiffsol(stretch: Flat) -> Solve:
    """BDF of diffsol with a dense matrix, compiled by LLVM from DiffSL."""
    import pydiffsol as diffsol

    ode = diffsol.Ode(diffsl(stretch), matrix_type=diffsol.nalgebra_dense, ode_solver=diffsol.bdf)
    ode.rtol, ode.atol = RELATIVE, ABSOLUTE
    inputs = np.hstack([stretch.known, stretch.starts])
    times = stretch.runs[0].times[1:]
    return lambda number: np.asarray(ode.solve_dense(inputs[number], times).ys).T


def diffsl(stretch: Flat) -> str:
    """The text of a stretch in the language of diffsol."""
    forms = {
        **_INFIX,
        "power": "pow({}, {})",
        "square_root": "sqrt({})",
        "exp": "exp({})",
        "log": "log({})",
        "absolute": "abs({})",
        "minimum": "min({}, {})",
        "maximum": "max({}, {})",
        "less": "1 - heaviside({} - {})",
        "select": "{0} * {1} + (1 - {0}) * {2}",
    }
    inputs, states = stretch.known.shape[1], stretch.starts.shape[1]
    given = [*(f"c{i} = 1" for i in range(inputs)), *(f"s{i} = 1" for i in range(states))]
    lines = [f"{name} {{ {formula} }}" for name, formula in stretch.lines(forms)]
    return "\n".join(
        [
            f"in_i {{ {', '.join(given)} }}",
            f"u_i {{ {', '.join(f'x{i} = s{i}' for i in range(states))} }}",
            *lines,
            f"F_i {{ {', '.join(stretch.slopes())} }}",
            f"out_i {{ {', '.join(map(stretch.name, stretch.outputs))} }}",
        ]
    )


def numbalsoda(stretch: Flat) -> Solve:
    """LSODA, with slopes that numba compiles."""
    import numba
    import numbalsoda as lsoda

    space: dict[str, Any] = {}
    exec(python_slopes(stretch), {"np": np}, space)  # noqa: S102 - our own formulas
    slopes = numba.cfunc(lsoda.lsoda_sig)(space["slopes"])
    times = stretch.runs[0].times

    def solve(number: int) -> np.ndarray:
        start, known = stretch.starts[number], stretch.known[number]
        found, _ = lsoda.lsoda(slopes.address, start, times, known, rtol=RELATIVE, atol=ABSOLUTE)
        return stretch.observed(number, found)

    return solve


def python_slopes(stretch: Flat) -> str:
    """A function of numbers one after another in memory, as LSODA wants it."""
    forms = {
        **_INFIX,
        "power": "{}**{}",
        "square_root": "np.sqrt({})",
        "exp": "np.exp({})",
        "log": "np.log({})",
        "absolute": "abs({})",
        "minimum": "min({}, {})",
        "maximum": "max({}, {})",
        "less": "float({} < {})",
        "select": "({1} if {0} else {2})",
    }
    lines = [f"c{i} = p[{i}]" for i in range(stretch.known.shape[1])]
    lines += [f"x{i} = y[{i}]" for i in range(stretch.starts.shape[1])]
    lines += [f"{name} = {formula}" for name, formula in stretch.lines(forms)]
    lines += [f"f[{i}] = {slope}" for i, slope in enumerate(stretch.slopes())]
    return "def slopes(t, y, f, p):\n" + "".join(f"    {line}\n" for line in lines)


def amici(stretch: Flat) -> Solve:
    """CVODES with a sparse matrix, compiled from C++."""
    import amici as library
    from amici import sim
    from amici.importers.sbml import SbmlImporter

    folder = Path(tempfile.mkdtemp()) / "stretch"
    name = f"stretch_{len(stretch.sizes)}"
    SbmlImporter(flat_sbml(stretch), from_file=False).sbml2amici(
        name, folder, generate_sensitivity_code=False
    )
    model = library.import_model_module(name, folder).get_model()
    solver = model.create_solver()
    solver.set_relative_tolerance(RELATIVE)
    solver.set_absolute_tolerance(ABSOLUTE)
    model.set_timepoints(stretch.runs[0].times)
    inputs = np.hstack([stretch.known, stretch.starts])
    ids = [f"c{i}" for i in range(stretch.known.shape[1])]
    ids += [f"s{i}" for i in range(stretch.starts.shape[1])]

    def solve(number: int) -> np.ndarray:
        model.set_free_parameter_by_id(dict(zip(ids, map(float, inputs[number]), strict=True)))
        found = sim.sundials.run_simulation(model, solver)
        return stretch.observed(number, np.asarray(found.x))

    return solve


def flat_sbml(stretch: Flat) -> str:
    """A stretch as SBML of rate rules and assignment rules."""
    import antimony

    forms = {
        **_INFIX,
        "power": "({})^({})",
        "square_root": "sqrt({})",
        "exp": "exp({})",
        "log": "ln({})",
        "absolute": "abs({})",
        "minimum": "min({}, {})",
        "maximum": "max({}, {})",
        "less": "piecewise(1, {} < {}, 0)",
        "select": "piecewise({1}, {0} > 0.5, {2})",
    }
    lines = [f"c{i} = 1" for i in range(stretch.known.shape[1])]
    lines += [f"s{i} = 1; x{i} = s{i}" for i in range(stretch.starts.shape[1])]
    lines += [f"{name} := {formula}" for name, formula in stretch.lines(forms)]
    lines += [f"x{i}' = {slope}" for i, slope in enumerate(stretch.slopes())]
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString("model stretch\n" + "\n".join(lines) + "\nend") < 0:
        raise ValueError(antimony.getLastError())
    return str(antimony.getSBMLString("stretch"))


PEERS: Mapping[str, Callable[[Flat], Solve]] = {
    "pydiffsol": pydiffsol,
    "numbalsoda": numbalsoda,
    "amici": amici,
}
