"""Whether two plans are of one sweep, so that one store can hold the numbers of both in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from myelode.errors import ScenarioError
from myelode.sweeps.blocks import Layout

ID = "sweep_id"
"""The attribute that tells one sweep from another."""


def require_alike(store: Path, there: Layout, wanted: Layout) -> None:
    """Refuse a store of another sweep; raises `ScenarioError`."""
    for what, found, right in _differences(there, wanted):
        if found != right:
            raise ScenarioError(
                f"{store}: is the store of another sweep ({what}: {found}, not {right}): "
                "name another store"
            )


def _differences(there: Layout, wanted: Layout) -> Iterator[tuple[str, Any, Any]]:
    """What must be the same in two plans for one store, in the order that explains most."""
    yield "its id is", there.attributes.get(ID), wanted.attributes.get(ID)
    yield "points in a chunk", there.chunk, wanted.chunk
    ours, theirs = (_signatures(layout) for layout in (there, wanted))
    for name in sorted(ours.keys() | theirs.keys()):
        yield name, ours.get(name, "absent"), theirs.get(name, "absent")
    yield "points", there.count, min(there.count, wanted.count)


def _signatures(layout: Layout) -> dict[str, str]:
    """Type and shape of each variable, in words."""
    found = {item.name: f"{item.dtype} {item.dims}{item.shape}" for item in layout.variables}
    return found | {name: str((dims, v.shape)) for name, (dims, v, _) in layout.fixed.items()}
