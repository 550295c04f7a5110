"""The document of a plan: all that is needed to make it again, in another process or machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from myelode.errors import ScenarioError
from myelode.plan import Planner
from myelode.sweeps.designs.points import Points
from myelode.sweeps.designs.reading import tables_of
from myelode.sweeps.sections import Sweep

FILED = ("cell_line", "model")
"""Places of a scenario whose values may be files."""
AT_ONCE = 100_000
"""Points whose places are looked at together."""


@dataclass(frozen=True)
class Document:
    """What a store says of its plan.

    Attributes
    ----------
    sweep, where : the text of the sweep file, and its path.
    chunk : points that are computed and written together.
    engine : the one that was chosen, by name.
    state : a digest that changes whenever the key of any chunk may.
    """

    sweep: str
    where: str
    chunk: int
    engine: str
    state: str = ""

    def as_text(self) -> str:
        """The document as JSON."""
        return json.dumps(asdict(self))


def read_document(text: str) -> Document:
    """The document that a store holds; raises ScenarioError where it is none."""
    try:
        found = Document(**json.loads(text))
        return Document(found.sweep, found.where, int(found.chunk), found.engine, found.state)
    except (ValueError, TypeError):
        raise ScenarioError(
            "the store's plan cannot be read: make it again from the file"
        ) from None


def where_of(sweep: Sweep) -> str:
    """The path of a sweep file, from whatever folder it is asked for."""
    path = Path(sweep.where)
    return str(path.resolve()) if path.exists() else sweep.where


def files_behind(sweep: Sweep, planner: Planner, points: Points) -> Iterator[Path]:
    """All files and folders on which points depend: of the model, of tables, and of places."""
    folder = planner.model.folder
    yield from [folder] if folder else []
    yield from (Path(sweep.beside(path)) for path in tables_of(sweep.design))
    for name in FILED:
        if name in points.names:
            yield from (Path(planner.scenario.beside(text)) for text in _texts(points, name))


def _texts(points: Points, name: str) -> Iterable[str]:
    """All values of a place."""
    found: set[str] = set()
    for first in range(0, points.count, AT_ONCE):
        marks = points.marks(first, min(first + AT_ONCE, points.count))
        found |= {*marks[name].tolist()}
    return sorted(found)
