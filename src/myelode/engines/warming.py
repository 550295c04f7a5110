"""Warming up: what the ensemble engine compiles once for a machine is compiled now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from myelode.engines import Run, Tolerances, choose_engine
from myelode.errors import UnsupportedModelError
from myelode.regimens.timeline import Timeline
from myelode.sbml import from_antimony

MODEL = "model warm_up; species A = 1; A -> ; k*A; k = 1; end"


@dataclass(frozen=True)
class Warmth:
    """How the ensemble engine stands on this machine.

    Attributes
    ----------
    reason : why there is none, so that libRoadRunner does all runs; "" where there is one.
    seconds : how long it took, libraries included.
    compiled : whether the driver was compiled just now; else it was there.
    folder : where the compiled driver is kept; None where no folder could be written.
    processor : LLVM's name of the processor for which it is compiled.
    """

    reason: str
    seconds: float
    compiled: bool = False
    folder: Path | None = None
    processor: str = ""


def warm_up() -> Warmth:
    """Compile the driver of the ensemble engine, unless it is kept from before, and a model."""
    began = perf_counter()
    times = np.array([0.0, 1.0])
    try:
        simulator = choose_engine("ensemble").compile(from_antimony(MODEL, "warm-up"))
    except UnsupportedModelError as objection:
        return Warmth(str(objection), perf_counter() - began)
    simulator.run(Run({}, Timeline((), 1.0), times, ("A",)), Tolerances())
    return _as_it_stands(perf_counter() - began)


def _as_it_stands(seconds: float) -> Warmth:
    """What numba and LLVM say, once the driver has run."""
    import llvmlite.binding as llvm

    from myelode.engines.ensemble.driver import integrate

    compiled: Any = integrate
    found, kept = compiled.stats.cache_hits, compiled.stats.cache_path
    folder = Path(kept) if kept else None
    return Warmth("", seconds, not sum(found.values()), folder, str(llvm.get_host_cpu_name()))
