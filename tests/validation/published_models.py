"""Real models, with results that others published or computed, before the judge of the checks.

``python -m tests.validation.published_models CHECKS`` prints how many of them each engine
reproduces; CHECKS is the folder with `suite.py` and `models/`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from myelode.errors import MyelodeError
from tests.validation import sbml_adapter
from tests.validation.sbml_suite import load_suite

PORTION = 7
"""Most conditions of one problem that are judged at once, so that workers share them out."""

Problem = dict[str, Any]


def problems(models: Path, most: int = PORTION) -> Iterator[Problem]:
    """The problems below a folder as the judge reads them, those of many conditions in portions.

    The likelihood is judged where all of its conditions are.
    """
    for path in sorted(models.rglob("tasks.json")):
        problem: Problem = json.loads(path.read_text("utf-8"))
        tasks = [task | {"sbml": str(path.parent / task["sbml"])} for task in problem["tasks"]]
        for first in range(0, len(tasks), most):
            portion = problem | {"tasks": tasks[first : first + most]}
            if len(tasks) > most:
                portion["reference_llh"] = None
            yield portion


def judged(suite: Any, wanted: Iterable[Problem], engine: str = "auto") -> list[Mapping[str, Any]]:
    """What the judge says of each problem: its `problem`, `status`, `why` and `worst` error."""

    class Here:
        """Stands for the judge's worker: it simulates in this process."""

        name = sbml_adapter.NAME

        def __init__(self, *_: object) -> None:
            pass

        def ask(self, job: Mapping[str, Any], _timeout: float) -> dict[str, Any]:
            try:
                rows = sbml_adapter.simulate_times(
                    job["sbml"], job["times"], job["variables"], engine
                )
            except sbml_adapter.Unsupported as refusal:
                return {"status": "unsupported", "why": str(refusal)}
            except MyelodeError as error:
                return {"status": "error", "why": str(error)}
            return {"rows": rows, "s": 0.0}

        def stop(self) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        for number, problem in enumerate(wanted):
            place = Path(folder, f"{number:04}")
            place.mkdir()
            (place / "tasks.json").write_text(json.dumps(problem), "utf-8")
        found = Path(folder, "found.json")
        call = ["suite.py", "petab", "--tasks", folder, "--adapter", "", "--out", str(found)]
        quiet = contextlib.redirect_stdout(io.StringIO())
        with patch.object(suite, "Worker", Here), patch.object(sys, "argv", call), quiet:
            suite.main()
        results: list[Mapping[str, Any]] = json.loads(found.read_text("utf-8"))["results"]
    return results


def main() -> None:
    """Print the counts, and what was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", nargs="+", default=["auto", "ensemble", "roadrunner"])
    given = parser.parse_args()
    suite = load_suite(given.folder)
    for engine in given.engine:
        found = judged(suite, problems(given.folder / "models", sys.maxsize), engine)
        sys.stdout.write(f"{engine}: {dict(Counter(item['status'] for item in found))}\n")
        for item in found:
            if item["status"] != "passed":
                sys.stdout.write(f"  {item['problem']} {item['status']}: {item['why']}\n")


if __name__ == "__main__":
    main()
