"""What `run --uncertainty` says beyond intervals: where bands come from, and draws that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import xarray as xr
from rich.table import Table
from rich.text import Text

from myelode.cli.tables import tables, texts
from myelode.quantile_bands import by_chance, dominant, drawn_numbers, failures

MOST_FAILURES = 20
"""Failed runs of which a summary says the place."""

Data = Mapping[str, Any]


def with_dominant(found: dict[str, Any], point: xr.Dataset) -> dict[str, Any]:
    """The values of one perturbation, and beside each the parameters that its draws follow."""
    endpoints = {
        name: {**item, **_dominant(point, name)} for name, item in found["endpoints"].items()
    }
    outcome = found["outcome"]
    if outcome is not None:
        outcome = {**outcome, **_dominant(point, "fold")}
    return {**found, "endpoints": endpoints, "outcome": outcome}


def _dominant(point: xr.Dataset, name: str) -> dict[str, Any]:
    """Nothing for what has another axis than draws."""
    if point[name].dims != ("sample",):
        return {}
    return {"dominant": [asdict(item) for item in dominant(point, name)]}


def dominant_of(perturbations: Data, reference: str) -> dict[str, Any]:
    """The parameters that each endpoint of the reference follows."""
    endpoints = perturbations[reference]["endpoints"]
    found = {name: item["dominant"] for name, item in endpoints.items() if "dominant" in item}
    return {"dominant": found}


def ledger(dataset: xr.Dataset) -> dict[str, Any]:
    """How many numbers were drawn, what they could show by chance, and which runs failed."""
    drawn, number = len(drawn_numbers(dataset)), dataset.sizes["sample"]
    failed = list(failures(dataset))
    return {
        "parameters": drawn,
        "by_chance": by_chance(number, drawn) if drawn else None,
        "runs": dataset["status"].size,
        "failed": len(failed),
        "failures": failed[:MOST_FAILURES],
    }


def dominant_tables(summary: Data, width: int) -> Iterator[Table | Text | str]:
    """Endpoints and folds with the parameters that their draws follow."""
    if "dominant" not in summary:
        return
    rows = {name: item for name, item in summary["dominant"].items() if item}
    for name, entry in summary["perturbations"].items():
        if found := (entry["outcome"] or {}).get("dominant"):
            rows[f"fold of {name}"] = found
    known = summary["uncertainty"]
    if rows:
        columns = [texts("number", rows), texts("rank correlation", map(_listed, rows.values()))]
        yield from tables("Where the bands come from", columns, width)
    if known.get("by_chance") is not None:
        drawn = f"{known['parameters']} number{'s' * (known['parameters'] > 1)}"
        yield (
            f"Spearman's rank correlation over {known['number']} draws of {drawn}; "
            f"below {known['by_chance']:.2f} it may be chance, and is not shown."
        )
    if known.get("failed"):
        said = f"{known['failed']} of {known['runs']} runs failed and are left out"
        yield f"{said}: bands speak of the others only (--json lists them under 'failures')."


def _listed(found: list[Mapping[str, Any]]) -> str:
    """``k_p +0.62, k_out -0.48``."""
    return ", ".join(f"{item['parameter']} {item['rank_correlation']:+.2f}" for item in found)
