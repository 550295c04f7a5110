"""Fitted values as a cell line: a file that a scenario can name as its ``cell_line``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from myelode.errors import ScenarioError
from myelode.files import write_atomically
from myelode.fitting.fits import Fit
from myelode.fitting.own_data import covers_of
from myelode.line_files import SUFFIXES
from myelode.model import Model
from myelode.perturbations import Perturbation
from myelode.scenario import Scenario
from myelode.subjects import lines_of

_EVIDENCE = "fitted"


def require_line_file(path: Path) -> None:
    """Refuse a path that is no YAML file, that exists, or whose name no cell line can have."""
    if path.suffix not in SUFFIXES:
        raise ScenarioError(f"{path}: a file of a cell line ends in {' or '.join(SUFFIXES)}")
    if path.exists():
        raise ScenarioError(f"{path}: is there already, and a cell line replaces no file")
    if path.stem == "none" or "+" in path.stem or ":" in path.stem:
        raise ScenarioError(f"{path}: {path.stem!r} cannot be the name of a cell line")


def write_line(found: Fit, path: str | Path) -> None:
    """Write the fitted values as a cell line of the file's name, in the form of `cell_lines.yaml`.

    What the cell line of the scenario sets besides is kept. Evidence is ``fitted``; the source
    names each data file with its SHA-256, the note the intervals.

    Raises
    ------
    ScenarioError
        For a file that exists, fitted values of a compound, scenarios of several cell lines, and
        values that a compound replaces.
    """
    path = Path(path)
    require_line_file(path)
    text = line_text(found, path.stem)
    write_atomically(path, lambda file: _write(file, text))


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")


def line_text(found: Fit, name: str) -> str:
    """The file of a cell line as text."""
    scenario, model = _one_scenario(found)
    own = _own_line(scenario, model)
    settings = dict(own.set) if own else {}
    scales = dict(own.scale) if own else {}
    for key, value in _fitted(found, own, (scenario, model)):
        settings[key] = value
        scales.pop(key, None)
    lines = [f"{json.dumps(name)}:", f"  title: {json.dumps(name)}", "  set:"]
    lines += [f"    {key}: {_quantity(value, key, model)}" for key, value in settings.items()]
    lines += ["  scale:"] * bool(scales)
    lines += [f"    {key}: {value!r}" for key, value in scales.items()]
    lines += [f"  evidence: {_EVIDENCE}", f"  source: {json.dumps(_source(found))}"]
    return "\n".join([*lines, f"  note: {json.dumps(_note(found, own), ensure_ascii=False)}", ""])


def _one_scenario(found: Fit) -> tuple[Scenario, Model]:
    """A scenario of the fit and its model, where all have the same cell line."""
    sources = found.problem.sources
    if len({source.scenario.cell_line for source in sources}) > 1:
        raise ScenarioError("the scenarios of the fit have several cell lines: none can be saved")
    return sources[0].scenario, sources[0].model


def _own_line(scenario: Scenario, model: Model) -> Perturbation | None:
    name = scenario.cell_line
    return lines_of(scenario, model)[name] if name is not None else None


def _fitted(
    found: Fit, own: Perturbation | None, where: tuple[Scenario, Model]
) -> Iterator[tuple[str, float]]:
    """The fitted values that are a cell line's, by name."""
    for item, estimate in zip(found.problem.free, found.values, strict=True):
        key = item.key
        if key.compound is not None:
            said = f"{key.text!r} belongs to the compound {key.compound}"
            raise ScenarioError(f"{said}: it cannot be saved with a cell line")
        if key.line is not None and (own is None or key.line != own.name):
            raise ScenarioError(f"{key.text!r} belongs to a line that the scenario does not run")
        if any(cover.startswith(("compound", "partner")) for cover in covers_of(item, *where)):
            said = (
                f"{key.text!r} is replaced by a compound, which a cell line would replace in turn"
            )
            raise ScenarioError(f"{said}: it cannot be saved with one")
        yield key.name, estimate.value


def _quantity(value: float, name: str, model: Model) -> str:
    """The value with all of its digits, so that the line gives what the fit gave."""
    unit = model.entity(name).unit
    return json.dumps(f"{value!r} {unit}", ensure_ascii=False) if unit else repr(value)


def _source(found: Fit) -> str:
    data = ", ".join(
        f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()})"
        for path in found.request.data
    )
    return f"fit of {found.problem.name} to {data or 'published numbers'}"


def _note(found: Fit, own: Perturbation | None) -> str:
    kind = "profile" if found.profiles else "local"
    said = [_known(found, place, kind) for place in range(len(found.values))]
    return "; ".join([*said, *([f"all else as in {own.name}"] if own else [])])


def _known(found: Fit, place: int, kind: str) -> str:
    item, estimate = found.problem.free[place], found.values[place]
    if estimate.interval is None:
        return f"{item.key.name}: {estimate.word}"
    low, high = estimate.interval
    unit = f" {item.unit}" if item.unit else ""
    return f"{item.key.name}: 95 % interval ({kind}) {low:.4g} to {high:.4g}{unit}, {estimate.word}"
