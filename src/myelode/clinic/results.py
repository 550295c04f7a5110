"""From trajectories to what a clinic would say: response, progression, and both over patients.

Each patient is judged at the visits by `criteria`; over a dimension ``sample`` rates and curves
follow for every perturbation, compound, arm and dose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from myelode.clinic.criteria import LABELS, Responses, imwg_response
from myelode.clinic.sections import AT_RISK, BEST, CURVE, HIGH, LOW, TIME, ClinicalResponse
from myelode.clinic.survival import Curve, Estimate, KaplanMeier, share_of
from myelode.clinic.visits import Visits, read_visits, to_grams
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.regimens.timeline import SAME_TIME
from myelode.scenario import Scenario

NOTE = "serum M-protein alone: no urine, marrow, bone lesions or free light chains"
RESPONDED = LABELS[LABELS.index("PR") :]
VERY_GOOD = LABELS[LABELS.index("VGPR") :]
NOT_EVALUABLE = LABELS[0]
_MEANINGS: Mapping[str, str] = {
    BEST: "best response",
    "progression": "time from baseline to progression or censoring",
    "progressed": "whether it progressed while it was followed",
    "duration": "duration of response, to progression or censoring",
    "duration_censored": "whether a response lasted to the end of follow-up",
    "best_change": "best change of M-protein from baseline",
    "evaluable": "number evaluable for response",
    "failed": "number of failed runs",
    "response_rate": "share with partial response or better",
    "vgpr_rate": "share with very good partial response or better",
    "pfs_median": "median progression-free survival",
    "duration_median": "median duration of response",
    CURVE: "progression-free survival",
    AT_RISK: "number at risk",
}
_SAMPLE = "sample"


def add_responses(
    result: xr.Dataset, dataset: xr.Dataset, scenario: Scenario, model: Model,
    *, apart: bool = False,
) -> None:  # fmt: skip
    """Add what every response of the scenario says of the trajectories.

    For each patient ``NAME_best`` (text), ``NAME_progression``, ``NAME_progressed``,
    ``NAME_duration``, ``NAME_duration_censored`` and ``NAME_best_change``; over samples also
    counts, rates, medians and the curve ``NAME_pfs`` over ``NAME_time``, with 95 % intervals, but
    not if samples stand `apart`: then each is followed to the end, as if there were no others.
    """
    for name, visits in read_visits(scenario, model).items():
        with scenario.at("responses", name):
            _add(result, dataset, name, scenario.responses[name], visits, apart)


def _add(
    result: xr.Dataset, dataset: xr.Dataset, name: str, rule: ClinicalResponse, visits: Visits,
    apart: bool,
) -> None:  # fmt: skip
    data = dataset[rule.of].transpose(..., "time")
    dims = tuple(str(dim) for dim in data.dims if dim != "time")
    has_patients = _SAMPLE in dims and not apart
    judged = _judged(data, rule, visits, has_patients)
    title = rule.title or name.replace("_", " ")
    unit = str(data["time"].attrs.get("units", ""))

    def put(ending: str, over: tuple[str, ...], values: Any, units: str | None = None) -> None:
        meaning = _MEANINGS.get(ending.removesuffix(LOW).removesuffix(HIGH), _words(ending))
        attributes = {"long_name": f"{title}: {meaning}", "criteria": f"{rule.criteria}, {NOTE}"}
        attributes |= {} if units is None else {"units": units}
        result[f"{name}_{ending}"] = (over, values, attributes)

    put(BEST, dims, judged.best)
    put("progression", dims, judged.progression, unit)
    put("progressed", dims, judged.progressed)
    put("duration", dims, judged.duration, unit)
    put("duration_censored", dims, ~np.isnan(judged.duration) & ~judged.progressed)
    put("best_change", dims, judged.best_change, "dimensionless")
    if not has_patients:
        return
    along = name + TIME
    attributes = {"units": unit, "long_name": f"{title}: time from baseline"}
    result.coords[along] = (along, visits.times - visits.times[0], attributes)
    groups = dims[:-1]
    for ending, (over, values, units) in _over_patients(judged, visits, unit).items():
        put(ending, (*groups, along) if over else groups, values, units)


def _words(ending: str) -> str:
    """``pfs_at_12_mo`` in words."""
    return f"{_MEANINGS[CURVE]} at {ending.removeprefix('pfs_at_').replace('_', ' ')}"


def _judged(
    data: xr.DataArray, rule: ClinicalResponse, visits: Visits, has_patients: bool
) -> Responses:
    """Every trajectory, judged at its visits; between samples it is a straight line."""
    times = data["time"].values
    if times[0] > visits.times[0] * (1 + SAME_TIME):
        raise ScenarioError(
            f"the trajectory begins at {times[0]:g}, after baseline at {visits.times[0]:g}: "
            "leave out from under observe"
        )
    grams = data.values * to_grams(rule.of, str(data.attrs.get("units", "")))
    at_visits = np.apply_along_axis(
        lambda values: np.interp(visits.times, times, values), -1, grams
    )
    end = visits.followed_until(data[_SAMPLE].values) if has_patients else visits.end
    return imwg_response(
        visits.times, at_visits, followed_until=end, confirm=rule.confirm,
        measurable=visits.measurable, undetectable=visits.undetectable,
    )  # fmt: skip


def _over_patients(
    judged: Responses, visits: Visits, unit: str
) -> dict[str, tuple[bool, np.ndarray, str]]:
    """What is said of each group: whether over time, values, and unit, by the ending of a name."""
    shape = judged.best.shape[:-1]
    columns: dict[str, tuple[bool, np.ndarray, str]] = {}
    for place in np.ndindex(*shape):
        for ending, value, units in _of_group(judged, place, visits, unit):
            number = np.asarray(value)
            if ending not in columns:
                empty = np.zeros((*shape, *number.shape), dtype=number.dtype)
                columns[ending] = (number.ndim > 0, empty, units)
            columns[ending][1][place] = number
    return columns


def _of_group(
    judged: Responses, place: tuple[int, ...], visits: Visits, unit: str
) -> Iterator[tuple[str, Any, str]]:
    """Ending, value and unit of all that is said of the patients of one group."""
    best, progressed = judged.best[place], judged.progressed[place]
    evaluable = int((best != NOT_EVALUABLE).sum())
    yield "evaluable", evaluable, "dimensionless"
    yield "failed", int(judged.failed[place].sum()), "dimensionless"
    for ending, labels in (("response_rate", RESPONDED), ("vgpr_rate", VERY_GOOD)):
        rate = share_of(int(np.isin(best.astype(str), labels).sum()), evaluable)
        yield from _with_interval(ending, rate, "dimensionless")
    survival = KaplanMeier(judged.progression[place], progressed)
    yield from _with_interval("pfs_median", survival.median(), unit)
    duration = KaplanMeier(judged.duration[place], progressed)
    yield from _with_interval("duration_median", duration.median(), unit)
    curve = survival.at(visits.times - visits.times[0])
    yield from _with_interval(CURVE, curve, "dimensionless")
    yield AT_RISK, curve.at_risk, "dimensionless"
    for ending, time in visits.landmarks.items():
        yield from _with_interval(ending, survival.share_at(time), "dimensionless")


def _with_interval(
    ending: str, found: Estimate | Curve, unit: str
) -> Iterator[tuple[str, Any, str]]:
    """A number or curve, and the ends of its interval."""
    yield ending, found.value, unit
    yield ending + LOW, found.low, unit
    yield ending + HIGH, found.high, unit
