"""A cell line of the user's own: a file with one entry in the form of `cell_lines.yaml`."""

from __future__ import annotations

from pathlib import Path

from myelode.errors import ModelError, ScenarioError
from myelode.files import read_yaml
from myelode.model import Model
from myelode.perturbations import Perturbation, read_changes

SUFFIXES = (".yaml", ".yml")


def is_line_file(name: str) -> bool:
    """Whether a cell line is named by a file, as in ``./my_line.yaml``."""
    return Path(name).suffix in SUFFIXES


def read_line_file(path: str | Path, model: Model) -> Perturbation:
    """The one cell line in a file; raises ModelError with the place of a fault."""
    file = read_yaml(Path(path), ModelError)
    if not isinstance(file.data, dict) or len(file.data) != 1:
        form = "one entry as in cell_lines.yaml: a name, and set or scale under it"
        raise ModelError(f"{file.where}: a file of a cell line has {form}")
    [(name, data)] = file.data.items()
    try:
        return read_changes(model, str(name), data)
    except ScenarioError as error:
        raise ModelError(f"{file.place((str(name),))}: {error}") from None
