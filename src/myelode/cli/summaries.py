"""Results as plain data, in the words of the command line's JSON.

What is not known is None, what is never reached is the text ``"inf"``; numbers are Python's own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from myelode.outcomes import Expectation
from myelode.scenario import Scenario
from myelode.validation import Row, score


def plain(value: Any) -> Any:
    """`value` as JSON knows it: infinities as text, NaN as None, arrays as lists."""
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def to_json(data: dict[str, Any]) -> str:
    """One JSON object on one line, in ASCII."""
    return json.dumps(plain(data), allow_nan=False)


def summarise_run(
    result: xr.Dataset, scenario: Scenario, expectations: Sequence[Expectation]
) -> dict[str, Any]:
    """What `run` says: endpoints, outcome and rule labels of every perturbation and arm."""
    names = [str(name) for name in result["perturbation"].values]
    return {
        "scenario": scenario.id,
        "title": scenario.title,
        "engine": result.attrs["engine"],
        "perturbations": {
            name: _perturbation(result.isel(perturbation=position), scenario)
            for position, name in enumerate(names)
        },
        "expect": [asdict(expectation) for expectation in expectations],
        "evidence": result.attrs["evidence"],
        "assumed_share": result.attrs["assumed_share"],
        "notice": result.attrs["notice"],
    }


def _perturbation(point: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    """The first arm's values, and those of every arm where there are arms."""
    if "arm" not in point.dims:
        return _values(point, scenario)
    arms = {
        str(arm): _values(point.isel(arm=position), scenario)
        for position, arm in enumerate(point["arm"].values)
    }
    return {**next(iter(arms.values())), "arms": arms}


def _values(point: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    return {
        "endpoints": {name: _endpoint(point[name]) for name in scenario.endpoints},
        "outcome": _outcome(point) if "outcome" in point else None,
        "rules": {name: point[name].values.tolist() for name in scenario.rules},
    }


def _endpoint(data: xr.DataArray) -> dict[str, Any]:
    """Value and unit; along a dose ladder or a design, all values and the axes they lie on."""
    unit = str(data.attrs.get("units", ""))
    if not data.dims:
        return {"value": data.values.item(), "unit": unit}
    axes = {str(dim): data[dim].values for dim in data.dims}
    return {"value": None, "unit": unit, "values": data.values, "along": axes}


def _outcome(point: xr.Dataset) -> dict[str, Any]:
    """Class, fold and reason; along an axis the class only where all are equal."""
    classes, folds, reasons = (point[name].values for name in ("outcome", "fold", "reason"))
    if not point["outcome"].dims:
        return {"class": classes.item(), "fold": folds.item(), "reason": reasons.item()}
    found = sorted(set(classes.ravel()))
    along = " and ".join(map(str, point["outcome"].dims))
    return {
        "class": found[0] if len(found) == 1 else None,
        "fold": None,
        "reason": f"judged at each {along}",
        "classes": classes,
        "folds": folds,
    }


def summarise_validation(model: str, rows: Iterable[Row]) -> dict[str, Any]:
    """What `validate` says: every row, and hits and misses of checks and calibration apart."""
    rows = list(rows)
    total = score(rows, "check", "calibrate")
    return {
        "model": model,
        "rows": [{**asdict(row), "band": [row.low, row.high]} for row in rows],
        "hits": total.hits,
        "misses": total.misses,
        "check": asdict(score(rows, "check")),
        "calibrate": asdict(score(rows, "calibrate")),
        "not_computed": sum(row.simulated is None for row in rows),
    }
