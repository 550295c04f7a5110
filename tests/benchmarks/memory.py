"""How much memory many runs take: `python -m tests.benchmarks.memory [--runs 100000] [--json]`.

Only summaries are asked for, of the melflufen dish with seeded sets of three numbers. Each case runs
in a process of its own; its largest memory is compared with that of one that has done two runs of
the same kind, and so has everything loaded and compiled. What is printed beside is CPU time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from myelode.engines.summary import Summary
from myelode.model import load_model

FEW = 2
HOURS = 24.0
OUTPUT = "melphalan_cell"
SUMMARIES = {
    "auc": Summary("auc", OUTPUT),
    "peak": Summary("max", OUTPUT),
    "when": Summary("argmax", OUTPUT),
    "late": Summary("value", OUTPUT),
    "above": Summary("time_above", OUTPUT, level=1.0),
    "reached": Summary("first_above", OUTPUT, level=1.0),
}
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}


def measured(runs: int) -> dict[str, float]:
    """Megabytes at most, and microseconds of CPU time for each run, of this process."""
    model, random = load_model("melflufen"), np.random.default_rng(1)
    changes = {
        "melflufen_medium": random.uniform(0.1, 10.0, runs),
        "fu_m": random.uniform(0.1, 0.9, runs),
        "N0": random.uniform(1e8, 1e10, runs),
    }
    few = {name: values[:FEW] for name, values in changes.items()}
    model.summarize(SUMMARIES, HOURS, few, engine="ensemble", **TOLERANCES)
    start = time.process_time()
    model.summarize(SUMMARIES, HOURS, changes, engine="ensemble", **TOLERANCES)
    spent = time.process_time() - start
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"megabytes": kilobytes / 1024, "microseconds": 1e6 * spent / runs}


def _elsewhere(runs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--here", str(runs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.stdout.write(json.dumps(measured(options.here)) + "\n")
        return
    idle, busy = _elsewhere(FEW), _elsewhere(options.runs)
    found = {"runs": options.runs, "idle_megabytes": idle["megabytes"], **busy}
    found["above_idle_megabytes"] = busy["megabytes"] - idle["megabytes"]
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, value in found.items():
        sys.stdout.write(f"{value:12.1f}  {name}\n")


if __name__ == "__main__":
    main()
