"""How long a user waits: `python -m tests.benchmarks.start_up [--json]`.

Each command runs several times in a fresh process, in turn, so that a slow moment of the machine
hits all of them; medians are printed, and their ratio to a bare start of the interpreter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median

ROUNDS = 5
RUN = "import sys; from myelode.cli import main; sys.exit(main(sys.argv[1:]))"
COMMANDS = {
    "python": ["-c", "pass"],
    "import myelode": ["-c", "import myelode"],
    "myelode --version": ["-c", RUN, "--version"],
    "myelode run gamma_h2ax_washout": ["-c", RUN, "run", "gamma_h2ax_washout", "--quiet"],
    "myelode run low_proliferation": ["-c", RUN, "run", "low_proliferation", "--quiet"],
}


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Median wall time in seconds of every command, and its ratio to a bare interpreter."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    # The first round fills the file cache and does not count.
    medians = {name: median(found[1:]) for name, found in times.items()}
    return {
        name: {"seconds": value, "ratio": value / medians["python"]}
        for name, value in medians.items()
    }


def main() -> None:
    found = measure()
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, numbers in found.items():
        sys.stdout.write(f"{numbers['seconds']:7.2f} s  {numbers['ratio']:6.1f} x  {name}\n")


if __name__ == "__main__":
    main()
