"""From a simulated titration to a dataset of curves, numbers, folds and intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import xarray as xr

from myelode.metrics import SPREAD, greatest_effect, half_effect_dose, half_maximal_dose, quantiles
from myelode.responses import growth
from myelode.responses.curves import curve_of
from myelode.responses.doses import dose_text
from myelode.responses.hill import HillFit, fit_hill
from myelode.responses.resistance import Factor, Half, factor_of
from myelode.responses.titrations import Titrated
from myelode.sampling import at_time
from myelode.units import parse_unit

TITLES = {
    "ic50": "absolute IC50", "ec50": "relative EC50", "emax": "largest effect",
    "hill": "Hill slope", "auc": "area under the curve", "gr50": "GR50", "grmax": "GRmax",
    "gr_aoc": "area over the GR curve",
}  # fmt: skip


def numbers_of(
    titrated: Titrated, ledger: Sequence[Mapping[str, Any]], fit: bool = False
) -> xr.Dataset:
    """Curves, numbers, folds and intervals of a titration, as `dose_response` documents them."""
    response = titrated.response
    typical = response.isel(sample=0, drop=True)
    found = xr.Dataset(
        {"response": typical.assign_attrs(titrated.result[titrated.reading.name].attrs)}
    )
    found["dose"].attrs = dict(titrated.result["dose"].attrs)
    _add_curves(found, titrated)
    _add_growth(found, titrated)
    if fit:
        _add_fits(found, titrated)
    halves, effects = _draws(titrated)
    _add_folds(found, titrated, halves)
    if titrated.spreads:
        _add_intervals(found, titrated, halves, effects)
    kept = {key: value for key, value in titrated.dataset.attrs.items() if key != "runs"}
    found.attrs = {**kept, **_said(titrated), "ledger": json.dumps(list(ledger))}
    return found


def _said(titrated: Titrated) -> dict[str, Any]:
    """What every answer has beside its numbers."""
    rule, doses, unit = titrated.reading.rule, titrated.doses, titrated.unit
    subjects = titrated.scenario.design.subjects
    return {
        "response_of": titrated.reading.endpoint.of or titrated.reading.name,
        "read_at": titrated.read_at(),
        "read_time": titrated.read_time,
        "half": titrated.half,
        "definition": titrated.definitions[titrated.half],
        "doses": f"{dose_text(doses[1], unit)} to {dose_text(doses[-1], unit)}",
        "reference": titrated.scenario.reference,
        "resistant_if": rule.resistant_if,
        "reduced_if": rule.reduced_if or "",
        "draws": titrated.response.sizes["sample"] - 1,
        "drawn": subjects.title if subjects else "",
    }


def _places(titrated: Titrated) -> Iterator[tuple[int, ...]]:
    """All places on the leading dimensions."""
    yield from np.ndindex(*titrated.response.shape[:-2])


def _like(found: xr.Dataset, values: np.ndarray, **attrs: str) -> xr.DataArray:
    """Values on the leading dimensions."""
    template = found["response"].isel(dose=0, drop=True)
    return template.copy(data=values).drop_attrs().assign_attrs(attrs)


def _add_curves(found: xr.Dataset, titrated: Titrated) -> None:
    """Add the numbers of every curve of the typical run, and their flags."""
    shape = titrated.response.shape[:-2]
    definitions = titrated.definitions
    numbers = {name: np.full(shape, math.nan) for name in definitions}
    flags = np.full(shape, "", dtype=object)
    for place in _places(titrated):
        curve = curve_of(
            titrated.response.values[(*place, 0)], titrated.doses, titrated.unit, titrated.rising
        )
        flags[place] = "; ".join(curve.flags)
        for name, values in numbers.items():
            values[place] = getattr(curve, name)
    response_unit = str(found["response"].attrs.get("units", ""))
    plain = response_unit if titrated.rising else "dimensionless"
    units = {"ic50": titrated.unit, "ec50": titrated.unit, "hill": "dimensionless"}
    for name, values in numbers.items():
        said = {"long_name": TITLES[name], "definition": definitions[name]}
        found[name] = _like(found, values, units=units.get(name, plain), **said)
    found["flags"] = _like(found, flags, long_name="what to know of the curve")


def _add_growth(found: xr.Dataset, titrated: Titrated) -> None:
    """Add the numbers of growth-rate inhibition, or why they have no meaning here."""
    shape = titrated.response.shape[:-2]
    numbers = {name: np.full(shape, math.nan) for name in growth.DEFINITIONS}
    reasons = np.full(shape, "", dtype=object)
    fault = _no_counts(titrated)
    for place in _places(titrated):
        counts = titrated.response.values[(*place, 0)]
        one = growth.Growth(reason=fault)
        if not fault:
            one = growth.growth_of(counts, titrated.doses, _before(titrated, place))
        reasons[place] = one.reason
        for name, values in numbers.items():
            values[place] = getattr(one, name)
    for name, values in numbers.items():
        unit = titrated.unit if name == "gr50" else "dimensionless"
        said = {"long_name": TITLES[name], "definition": growth.DEFINITIONS[name]}
        found[name] = _like(found, values, units=unit, **said)
    found["gr_reason"] = _like(found, reasons, long_name="why there are no GR metrics")


def _no_counts(titrated: Titrated) -> str:
    """Why the response is no count of cells at one time; "" where it may be one."""
    endpoint = titrated.reading.endpoint
    if endpoint.take != "value" or endpoint.of not in titrated.dataset:
        return "they need a count of cells at one time"
    if titrated.rising:
        return "the response rises with the dose: it counts no living cells"
    unit = str(titrated.dataset[endpoint.of].attrs.get("units", ""))
    if unit and not parse_unit(unit).dimensionless and "item" not in unit:
        return f"the response is in {unit}: it counts no cells"
    return ""


def _before(titrated: Titrated, place: tuple[int, ...]) -> float:
    """The count without drug at the time of the dose."""
    data = titrated.dataset[str(titrated.reading.endpoint.of)].isel(dose=0)
    dims = [str(dim) for dim in titrated.response.dims[:-2]]
    at = {"sample" if dim == "point" else dim: n for dim, n in zip(dims, place, strict=True)}
    at |= {"sample": 0} if titrated.spreads else {}
    labels = json.loads(titrated.dataset.attrs["labels"])
    endpoint, ladder = titrated.reading.endpoint, titrated.scenario.design.dose
    arms = list(labels)
    arm = endpoint.arm or (arms[at["arm"]] if "arm" in at else arms[0])
    if "arm" in data.dims:
        at["arm"] = arms.index(arm)
    if endpoint.compound and "compound" in data.dims:
        at["compound"] = [str(n) for n in data["compound"].values].index(endpoint.compound)
    time = labels[arm].get(ladder.of if ladder else "", 0.0)
    # What the endpoint itself singles out, such as a second dose, comes after the count.
    here = {str(dim): at.get(str(dim), 0) for dim in data.dims if dim != "time"}
    return float(at_time(data.isel(here), time))


def _add_fits(found: xr.Dataset, titrated: Titrated) -> None:
    """Add the fitted Hill curve of every curve of the typical run."""
    shape = titrated.response.shape[:-2]
    units = {"ec50": titrated.unit, "hill": "dimensionless", "residual": "dimensionless"}
    own = str(found["response"].attrs.get("units", ""))
    numbers = {item.name: np.full(shape, math.nan) for item in fields(HillFit)}
    for place in _places(titrated):
        fitted = fit_hill(titrated.response.values[(*place, 0)], titrated.doses)
        for name, value in asdict(fitted).items():
            numbers[name][place] = value
    for name, values in numbers.items():
        said = {"units": units.get(name, own), "long_name": f"fitted Hill curve: {name}"}
        found[f"fit_{name}"] = _like(found, values, **said)


def _draws(titrated: Titrated) -> tuple[np.ndarray, np.ndarray]:
    """Half dose and largest effect of every draw: (leading..., draws) each, NaN where none."""
    drawn = titrated.response.values[..., 1:, :]
    read = {"ic50": half_maximal_dose, "ec50": half_effect_dose}
    halves = read[titrated.half](drawn, titrated.doses)
    if titrated.rising:
        return halves, drawn[..., 1:].max(axis=-1) - drawn[..., 0]
    return halves, greatest_effect(drawn, titrated.doses)


def _add_folds(found: xr.Dataset, titrated: Titrated, draws: np.ndarray) -> None:
    """Add folds to the reference, their classes and reasons, and the folds of draws."""
    shape = titrated.response.shape[:-2]
    folds, kinds, reasons = np.full(shape, math.nan), *(np.full(shape, "", object) for _ in "ab")
    drawn, undefined = np.full(draws.shape, math.nan), np.zeros(shape, dtype=np.int64)
    for place in _places(titrated):
        at_reference = (titrated.reference, *place[1:])
        factor = _factor(found, titrated, draws, place, at_reference)
        folds[place], kinds[place], reasons[place] = factor.fold, factor.outcome, factor.reason
        drawn[place], undefined[place] = factor.draws, factor.undefined
    title = f"{TITLES[titrated.half]} relative to {titrated.scenario.reference}"
    found["fold"] = _like(found, folds, units="dimensionless", long_name=title)
    found["outcome"] = _like(found, kinds, long_name="outcome")
    found["reason"] = _like(found, reasons, long_name="reason of the outcome")
    if titrated.spreads:
        dims = (*titrated.response.dims[:-2], "sample")
        found["fold_draws"] = (dims, drawn, {"units": "dimensionless", "long_name": title})
        found["undefined_draws"] = _like(found, undefined, long_name="draws without a fold")


def _factor(
    found: xr.Dataset,
    titrated: Titrated,
    draws: np.ndarray,
    place: tuple[int, ...],
    reference: tuple[int, ...],
) -> Factor:
    halves = found[titrated.half].values
    flags, lowest = found["flags"].values, float(titrated.doses[1])
    line, base = (
        # The first flag is about the half dose, if any is.
        Half(float(halves[at]), draws[at], str(flags[at]).split("; ")[0], lowest)
        for at in (place, reference)
    )
    return factor_of(line, base, titrated.reading.rule)


def _add_intervals(
    found: xr.Dataset, titrated: Titrated, halves: np.ndarray, effects: np.ndarray
) -> None:
    """Add what 5, 50 and 95 % of the draws lie at or below, for responses and numbers."""
    leading = titrated.response.dims[:-2]
    found.coords["quantile"] = ("quantile", list(SPREAD))
    spread = titrated.response.values[..., 1:, :]
    rows = np.moveaxis(spread, -2, -1)
    for name, values, of in (
        ("response", rows, "response"), (f"{titrated.half}", halves, titrated.half),
        ("emax", effects, "emax"), ("fold", found["fold_draws"].values, "fold"),
    ):  # fmt: skip
        flat = quantiles(values.reshape(-1, values.shape[-1]))
        data = flat.T.reshape(*values.shape[:-1], len(SPREAD))
        dims = (*leading, "dose", "quantile") if name == "response" else (*leading, "quantile")
        said = {"units": found[of].attrs["units"], "long_name": f"{name} of 5, 50, 95 % of draws"}
        found[f"{name}_interval"] = (dims, data, said)
