"""Results as plain data, in the words of the command line's JSON.

What is not known is None, what is never reached is the text ``"inf"``; numbers are Python's own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from myelode.arm_sections import BLISS, HSA, SHIFT, Combination
from myelode.cli.activities import summarise_activities
from myelode.cli.clinic import summarise_responses
from myelode.cli.draws import dominant_of, with_dominant
from myelode.inputs import ENDPOINT, SOURCE, shown_inputs
from myelode.metrics import quantiles
from myelode.outcomes import Expectation
from myelode.regulatory import statements_in
from myelode.scenario import Scenario
from myelode.scores import confusions
from myelode.sections import FLAG
from myelode.validation import Row, score

# What stands beside a number that is read over doses: what it is, when, and on which ladder; and
# beside one of another scenario: which.
_SAID_OF_ONE = ("definition", "read_at", "doses", SOURCE, ENDPOINT)
# What stands beside a combination: arms that grow, a document's words on it, and our verdict.
_SAID_OF_PAIRS = ("note", "says", "verdict")


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
    """What `run` says: endpoints, outcome and rules of every perturbation, compound and arm."""
    names = [str(name) for name in result["perturbation"].values]
    perturbations = {
        name: _perturbation(result.isel(perturbation=position), scenario)
        for position, name in enumerate(names)
    }
    return {
        "scenario": scenario.id,
        "title": scenario.title,
        "engine": result.attrs["engine"],
        "engine_because": result.attrs.get("engine_because", ""),
        "perturbations": perturbations,
        **_subjects(scenario),
        **(dominant_of(perturbations, _first(scenario, names)) if _draws(scenario) else {}),
        "combinations": _combinations(result, scenario),
        "activities": summarise_activities(result, scenario),
        "responses": summarise_responses(result, scenario),
        "scores": _scores(result, scenario),
        "expect": [asdict(expectation) for expectation in expectations],
        "evidence": result.attrs["evidence"],
        "assumed_share": result.attrs["assumed_share"],
        "published": _published(result),
        "regulatory": statements_in(result.attrs),
        "notice": result.attrs["notice"],
    }


def _draws(scenario: Scenario) -> bool:
    return scenario.design.uncertainty is not None


def _first(scenario: Scenario, names: Sequence[str]) -> str:
    """The reference, or the first perturbation of a scenario without it."""
    return scenario.reference if scenario.reference in names else names[0]


def _subjects(scenario: Scenario) -> dict[str, Any]:
    """How many virtual lines, patients or draws there are, and from which seed."""
    found = scenario.design.subjects
    return {found.key: {"number": found.number, "seed": found.seed}} if found else {}


def _scores(result: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    """The confusion matrix of every score; rows are classes, columns labels."""
    return {
        name: {**asdict(found), "n": found.n, "accuracy": found.accuracy}
        for name, found in confusions(result, scenario).items()
    }


def _combinations(result: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    """How far agents together exceed what was to be expected, for every perturbation."""
    names = [str(name) for name in result["perturbation"].values]
    return {
        name: {
            **item.model_dump(),
            **{key: result[BLISS + name].attrs.get(key, "") for key in _SAID_OF_PAIRS},
            "perturbations": {
                perturbation: _excess(result.isel(perturbation=position), scenario, name, item)
                for position, perturbation in enumerate(names)
            },
        }
        for name, item in scenario.combinations.items()
    }


def _excess(point: xr.Dataset, scenario: Scenario, name: str, item: Combination) -> dict[str, Any]:
    found = {"bliss_excess": BLISS, "hsa_excess": HSA}
    if item.shift is not None:
        found["shift"] = SHIFT
    items = {key: _endpoint(point, prefix + name) for key, prefix in found.items()}
    if not scenario.design.subjects:
        return items
    return {key: {**item, **_spread(item, "values")} for key, item in items.items()}


def _published(result: xr.Dataset) -> dict[str, Any]:
    """The numbers of the trial arms that the scenario imitates, by trial and arm."""
    arms = json.loads(str(result.attrs.get("published", "[]")))
    return {f"{arm['trial']} {arm['arm']}": arm for arm in arms}


def over_lines(values: np.ndarray) -> dict[str, Any]:
    """The median of many lines, and the interval from 5 to 95 % of them.

    Each number is that of one line, so that it is infinite, and not unknown, where a line never
    gets there; lines without a value are left out.
    """
    low, median, high = quantiles(values[np.newaxis])[:, 0].tolist()
    return {"value": median, "interval": [low, high]}


def _perturbation(
    point: xr.Dataset, scenario: Scenario, axes: tuple[str, ...] = ("compound", "arm")
) -> dict[str, Any]:
    """The values of the first compound and arm, and of every one where there are several."""
    if not axes:
        return _values(point, scenario)
    axis, *rest = axes
    if axis not in point.dims:
        return _perturbation(point, scenario, tuple(rest))
    found = {
        str(name): _perturbation(point.isel({axis: position}), scenario, tuple(rest))
        for position, name in enumerate(point[axis].values)
    }
    return {**next(iter(found.values())), f"{axis}s": found}


def _values(point: xr.Dataset, scenario: Scenario) -> dict[str, Any]:
    found = {
        "endpoints": {
            name: _endpoint(point, name) for name in (*shown_inputs(scenario), *scenario.endpoints)
        },
        "outcome": _outcome(point) if "outcome" in point else None,
        "rules": {name: point[name].values.tolist() for name in scenario.rules},
    }
    subjects = scenario.design.subjects
    found = _with_spread(found, subjects.word) if subjects else found
    return with_dominant(found, point) if _draws(scenario) else found


def _with_spread(found: dict[str, Any], word: str) -> dict[str, Any]:
    """The values of many lines, patients or draws, and beside them their median and interval."""
    endpoints = {
        name: {**item, **_spread(item, "values")} for name, item in found["endpoints"].items()
    }
    outcome = found["outcome"]
    if outcome is not None and (spread := _spread(outcome, "folds")):
        own = {"fold": spread["value"], "interval": spread["interval"]}
        outcome = {**outcome, **own, "reason": f"judged {word} by {word}"}
    return {**found, "endpoints": endpoints, "outcome": outcome}


def _spread(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Median and interval, where there is one number for each line and no other axis."""
    values = item.get(key)
    return over_lines(values) if values is not None and values.ndim == 1 else {}


def _endpoint(point: xr.Dataset, name: str) -> dict[str, Any]:
    """Value and unit; along a dose ladder or a design, all values and the axes they lie on.

    A number read over doses also says its definition, its time of reading, and what to know.
    """
    data = point[name]
    unit = str(data.attrs.get("units", ""))
    said = {key: data.attrs[key] for key in _SAID_OF_ONE if key in data.attrs}
    flags = point[name + FLAG].values if name + FLAG in point else None
    if not data.dims:
        said |= {} if flags is None else {"flag": flags.item()}
        return {"value": data.values.item(), "unit": unit, **said}
    said |= {} if flags is None else {"flags": flags}
    axes = {str(dim): data[dim].values for dim in data.dims}
    return {"value": None, "unit": unit, "values": data.values, "along": axes, **said}


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
