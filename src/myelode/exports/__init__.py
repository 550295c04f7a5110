"""Models and scenarios for other programs: SBML, Antimony, SED-ML, COMBINE archives, LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from myelode.errors import ScenarioError, best_matches
from myelode.exports.archive import archive_bytes
from myelode.exports.latex import latex_document
from myelode.exports.sedml import sedml_document
from myelode.exports.selection import (
    exported_runs,
    is_scenario,
    read_source,
    reference_plan,
)
from myelode.exports.standalone import standalone_sbml
from myelode.files import write_atomically
from myelode.model import load_model
from myelode.sbml import to_antimony
from myelode.scenario import Scenario
from myelode.simulation import plan_scenario

__all__ = ["FORMATS", "export"]

Files = Mapping[Path, bytes]


def export(name_or_path: str, to: str, path: Path, settings: Sequence[str] = ()) -> None:
    """Write a model or a scenario in the format `to`, one of `FORMATS`.

    ``sbml``, ``antimony`` and ``latex`` hold one run of a scenario: the reference perturbation in
    the first arm, with the doses that the regimen writes; ``--set reference=NAME`` and
    ``--set regimen.LABEL.to=DOSE`` choose another. The regimen becomes SBML events. ``sedml``
    holds the same run and refers to its SBML, which is written beside it as ``<stem>.xml``.
    ``omex`` holds all runs. A model without a scenario runs as it stands, over 100 of its time
    units.

    Raises ScenarioError for an unknown format, name or setting, and for what is too large;
    ModelError for a faulty model; SimulationError where a state to be written is not reached.
    """
    if to not in FORMATS:
        formats = ", ".join(FORMATS)
        raise ScenarioError(
            f"cannot export to {to!r}{best_matches(to, FORMATS)} (formats: {formats})"
        )
    path = Path(path)
    if to in ("sbml", "antimony") and not settings and not is_scenario(name_or_path):
        text = load_model(name_or_path).sbml
        files: Files = {path: (text if to == "sbml" else to_antimony(text)).encode()}
    else:
        files = FORMATS[to](read_source(name_or_path, settings), path)
    for file, content in files.items():
        write_atomically(file, partial(_write, content))


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _sbml(scenario: Scenario, path: Path) -> Files:
    return {path: _reference_sbml(scenario).encode()}


def _antimony(scenario: Scenario, path: Path) -> Files:
    return {path: to_antimony(_reference_sbml(scenario)).encode()}


def _reference_sbml(scenario: Scenario) -> str:
    plan = reference_plan(scenario)
    return standalone_sbml(plan, plan.runs[0])


def _sedml(scenario: Scenario, path: Path) -> Files:
    """The document, and before it the SBML file to which it refers."""
    model_file = path.with_suffix(".xml")
    if model_file == path:
        raise ScenarioError(f"{path}: is where the model goes: name the SED-ML {path.stem}.sedml")
    plan = reference_plan(scenario)
    document = sedml_document(plan, exported_runs(plan), [model_file.name])
    return {model_file: standalone_sbml(plan, plan.runs[0]).encode(), path: document.encode()}


def _omex(scenario: Scenario, path: Path) -> Files:
    return {path: archive_bytes(plan_scenario(scenario))}


def _latex(scenario: Scenario, path: Path) -> Files:
    plan = reference_plan(scenario)
    return {path: latex_document(plan, plan.runs[0]).encode()}


FORMATS: Mapping[str, Callable[[Scenario, Path], Files]] = {
    "sbml": _sbml,
    "antimony": _antimony,
    "sedml": _sedml,
    "omex": _omex,
    "latex": _latex,
}
