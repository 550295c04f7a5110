"""Work on a plan in a process of its own: an engine may take the process that it runs in along."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib import import_module
from typing import Any

from myelode.errors import MyelodeError, ScenarioError
from myelode.sweeps.plans import SweepPlan, plan_again

_ENTRY = "from myelode.sweeps.apart import answer; answer()"


def apart(plan: SweepPlan, function: str, **options: float) -> Any:
    """What a function, given as ``module:function``, answers about a plan, as plain data.

    Raises
    ------
    ScenarioError : the process did not live to tell, or what the function itself complains of.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ENTRY, function, json.dumps(options)],
        input=plan.document, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ScenarioError(
            f"the points that were tried have ended their process ({_death(done.returncode)}): "
            "a run of the sweep finds those that do, and marks them as crashed"
        )
    found = json.loads(done.stdout)
    if "fault" in found:
        raise ScenarioError(found["fault"])
    return found["answer"]


def answer() -> None:
    """What the process does: plan again, ask the function, and write what it says."""
    module, _, name = sys.argv[1].partition(":")
    try:
        plan = plan_again(sys.stdin.read())
        said = {"answer": getattr(import_module(module), name)(plan, **json.loads(sys.argv[2]))}
    except MyelodeError as error:
        said = {"fault": str(error)}
    sys.stdout.write(json.dumps(said))


def _death(code: int) -> str:
    return f"exit code {code}" if code > 0 else signal.strsignal(-code) or f"signal {-code}"
