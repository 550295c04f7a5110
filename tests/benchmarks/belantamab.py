"""How long a run of belantamab takes: `python -m tests.benchmarks.belantamab [--json]`.

The reference engine, one process. The runs take turns, so that a slow moment of the machine hits
all of them; medians of CPU time are printed, and their ratio to a run of the dish. Loading and
compiling a model is timed once, apart.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import libsbml
import numpy as np

from myelode.engines import Run, Tolerances, choose_engine
from myelode.model import load_model
from myelode.regimens.timeline import Change, Instant, Timeline

ROUNDS = 7
DOSE = 1233.55  # nmol: 2.5 mg/kg of 75 kg
CYCLE = 504.0  # h
SIX = Timeline(
    tuple(Instant(n * CYCLE, (Change("ADC_plasma", 1.0, DOSE),)) for n in range(6)), 6 * CYCLE
)
WELL = Timeline((Instant(0.0, (Change("ADC", 1.0, 0.1),)),), 72.0)
MUTANTS = {"clone_high": 0.99799, "clone_mutant": 0.001}
DISH, PATIENT = ("cells", "arrested"), ("ADC_total_mass", "tumour_cells", "M_protein")
RUNS: dict[str, tuple[str, Timeline, tuple[str, ...], dict[str, float], float]] = {
    "dish, 72 h": ("dish", WELL, DISH, {}, 1e-9),
    "six cycles, mode A, three clones": ("patient", SIX, PATIENT, {}, 1e-9),
    "six cycles, mode A": ("patient", SIX, PATIENT, {}, 1e-9),
    "six cycles, mode A, with mutants": ("patient", SIX, PATIENT, MUTANTS, 1e-9),
    "six cycles, mode A, rtol 1e-6": ("patient", SIX, PATIENT, {}, 1e-6),
    "six cycles, mode B": ("patient_tmdd", SIX, PATIENT, {}, 1e-9),
}


def _without_clone(sbml: str, name: str) -> str:
    """The model with a clone that stays as it is: none of its values is integrated."""
    document = libsbml.readSBMLFromString(sbml)
    model = document.getModel()
    for reaction in [item.getId() for item in model.getListOfReactions()]:
        if reaction.startswith(f"in_{name}_"):
            model.removeReaction(reaction)
    for species in model.getListOfSpecies():
        if species.getId().endswith(f"_{name}"):
            species.setBoundaryCondition(True)
            species.setConstant(True)
    return str(libsbml.writeSBMLToString(document))


def _prepared(name: str) -> Callable[[], object]:
    variant, timeline, outputs, changes, relative = RUNS[name]
    sbml = load_model("belantamab", variant).sbml
    simulator = choose_engine("roadrunner").compile(
        _without_clone(sbml, "mutant") if "three clones" in name else sbml
    )
    run = Run(changes, timeline, np.linspace(0.0, timeline.end, 127), outputs)
    return lambda: simulator.run(run, Tolerances(relative=relative))


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Median CPU time in seconds of every run, and its ratio to the first."""
    runs, found = {}, {}
    for name in RUNS:
        start = time.process_time()
        runs[name] = _prepared(name)
        runs[name]()
        found[name] = {"first_seconds": time.process_time() - start}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, call in runs.items():
            times[name].append(_seconds(call))
    base = median(times[next(iter(RUNS))])
    for name, taken in times.items():
        found[name] |= {"seconds": median(taken), "ratio": median(taken) / base}
    return found


def main() -> None:
    found = measure()
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, numbers in found.items():
        sys.stdout.write(
            f"{1e3 * numbers['seconds']:8.1f} ms {numbers['ratio']:7.1f} x"
            f"  (first {numbers['first_seconds']:5.1f} s)  {name}\n"
        )


if __name__ == "__main__":
    main()
