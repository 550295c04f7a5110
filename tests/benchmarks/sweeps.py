"""What a sweep costs beside its integrations: `python -m tests.benchmarks.sweeps [--json]`.

The cereblon dish with clones (24 states, 51 doses) at seeded points, in one thread. Each case runs
in a process of its own, into a store in a temporary folder. CPU time counts: `engine_us` is what
the ensemble engine takes for its batches inside the sweep, `overhead_us` everything else once the
store is there, of which `evaluate_us` is from trajectories to what is kept and `write_us` the store;
`start_s` is what comes before. `engine_share` is the rate of the whole sweep over that of the engine
alone, `overhead_ratio` the overhead over the engine's time. `peak_megabytes` is the largest resident
memory of the process, `stored_bytes` what a point takes on the disk.

``endpoints`` stores endpoints only, ``trajectories`` ten outputs at a hundred times as well.
`--points 1000000` makes the first as large as it is meant to be, `--recorded` the second.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from myelode.sweeps import cores, plans
from myelode.sweeps.backends.local import run_chunks
from myelode.sweeps.plans import plan_sweep
from myelode.sweeps.stores.store import Store, create

SCENARIO = """\
id: clones_in_drug
title: clones in a constant dose
model: cereblon
variant: clones
compound: lenalidomide
perturbations: [none]
regimen:
  - {at: 0 h, label: drug, dose: drug_medium, to: 1 umol/L, every: 84 h, times: 51}
observe: {until: 4284 h, outputs: [cells, CRBN_mean, growth_mean]}
endpoints:
  n: {of: cells, take: value, at: 4284 h}
  CRBN: {of: CRBN_mean, take: value, at: 4284 h}
  growth: {of: growth_mean, take: value, at: 4284 h}
  lowest: {of: cells, take: min}
  area: {of: CRBN_mean, take: auc}
  share: {expr: "n / max(lowest, 1)"}
rules:
  fate: [{label: gone, if: n < 1}, {label: resistant, if: CRBN < 0.5}, {label: neither}]
"""
SWEEP = """\
id: {case}
title: what a sweep costs
scenario: clones_in_drug.yaml
design:
  random:
    points: {points}
    seed: 1
    over: {{{over}}}
engine: ensemble
chunk: 8192
rtol: 1e-6
atol: 1e-9
record: [{record}]
"""
RECORDED = (
    "CRBN_mean", "growth_mean", "cells", "full", "half", "quarter", "tenth", "fiftieth",
    "one_copy", "null_mutant",
)  # fmt: skip
CASES = {"endpoints": (), "trajectories": RECORDED}
MOVED = ("k_on", "kcat", "k_ub", "k_dub", "K_A", "C_T", "A_T", "T_div", "d_max", "t_half_response")
FEW = 64


def measured(case: str, points: int) -> dict[str, float]:
    """One sweep of so many points in this process."""
    with TemporaryDirectory() as folder:
        _run(Path(folder), case, FEW)  # everything is loaded and compiled
        with ExitStack() as stack:
            engine = stack.enter_context(clocked(cores, "run_batch"))
            evaluate = stack.enter_context(clocked(plans, "read_out"))
            write = stack.enter_context(clocked(Store, "write"))
            start, run, store = _run(Path(folder), case, points)
        stored = sum(file.stat().st_size for file in store.path.rglob("*") if file.is_file())
        return {
            "points": points,
            "chunk": store.layout.chunk,
            "start_s": start,
            "engine_us": 1e6 * sum(engine) / points,
            "overhead_us": 1e6 * (run - sum(engine)) / points,
            "evaluate_us": 1e6 * sum(evaluate) / points,
            "write_us": 1e6 * sum(write) / points,
            "engine_share": sum(engine) / (start + run),
            "overhead_ratio": (run - sum(engine)) / sum(engine),
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "stored_bytes": stored / points,
        }


def _run(folder: Path, case: str, points: int) -> tuple[float, float, Store]:
    """CPU seconds of a sweep from its file to its store, and to the last chunk in there."""
    began = time.process_time()
    (folder / "clones_in_drug.yaml").write_text(SCENARIO, "utf-8")
    file = folder / f"{case}_{points}.yaml"
    over = ", ".join(f"{name}: {{spread: uncertainty}}" for name in MOVED)
    text = SWEEP.format(case=case, points=points, record=", ".join(CASES[case]), over=over)
    file.write_text(text, "utf-8")
    plan = plan_sweep(file)
    store = create(file.with_suffix(".zarr"), plan.layout, plan.document)
    start = time.process_time() - began
    run_chunks(plan, store, range(plan.layout.chunks))
    return start, time.process_time() - began - start, store


@contextmanager
def clocked(owner: Any, name: str) -> Iterator[list[float]]:
    """CPU seconds of each call of a function inside."""
    plain, spent = getattr(owner, name), []

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return plain(*arguments, **options)
        finally:
            spent.append(time.process_time() - start)

    setattr(owner, name, timed)
    try:
        yield spent
    finally:
        setattr(owner, name, plain)


def _elsewhere(case: str, points: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.sweeps", "--here", case]
    command += ["--points", str(points)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(found: dict[str, dict[str, float]]) -> Iterator[str]:
    """Lines of text, one row for each number."""
    yield f"{'':16}" + "".join(f"{case:>16}" for case in found)
    for key in found["endpoints"]:
        yield f"{key:16}" + "".join(f"{numbers[key]:16.4g}" for numbers in found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--points", type=int, default=32768)
    parser.add_argument("--recorded", type=int, default=8192)
    parser.add_argument("--here", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.stdout.write(json.dumps(measured(options.here, options.points)) + "\n")
        return
    sizes = {"endpoints": options.points, "trajectories": options.recorded}
    found = {case: _elsewhere(case, points) for case, points in sizes.items()}
    lines = [json.dumps(found)] if options.json else table(found)
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
