"""Bands of uncertain results: quantiles over draws, and which parameters a band comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.metrics import SPREAD, quantiles

SAMPLE, QUANTILE, FAILED = "sample", "quantile", "failed"
STATUS = "status"
FEWEST = 8
"""Draws below which a rank correlation says nothing."""
MOST = 5
"""Parameters that are named for an endpoint."""
_ERROR = 0.05
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Dominant:
    """A parameter that a result follows, and how closely: Spearman's rank correlation."""

    parameter: str
    rank_correlation: float


def bands(dataset: xr.Dataset, levels: Sequence[float] = SPREAD) -> xr.Dataset:
    """The quantiles over draws, lines or patients, of what `simulate` or `evaluate` gave.

    Every number along ``sample`` has ``quantile`` in its place, 5, 50 and 95 % where `levels` are
    not given; each quantile is the value of one draw, the smallest that so many draws do not
    exceed, so that it may be infinite. Draws without a value are left out; ``failed`` counts those
    whose run failed. Texts and what is the same in all draws stay away or as they are.
    Raises ScenarioError for a dataset without draws, or levels that do not lie between 0 and 1.
    """
    if SAMPLE not in dataset.dims:
        raise ScenarioError(
            "bands need draws: set design.uncertainty.number, or run --uncertainty N"
        )
    wanted = np.asarray(levels, dtype=float)
    if wanted.ndim != 1 or not wanted.size or not ((wanted > 0) & (wanted < 1)).all():
        raise ScenarioError("levels are a list of shares between 0 and 1, such as 0.05, 0.5, 0.95")
    found = {
        name: quantiles_of(data, wanted) if SAMPLE in data.dims else data
        for name, data in dataset.data_vars.items()
        if (SAMPLE not in data.dims or data.dtype.kind in "fiu") and name != STATUS
    }
    if STATUS in dataset:
        failed = (dataset[STATUS] != 0).sum(SAMPLE)
        found[FAILED] = failed.assign_attrs(units="1", long_name="draws whose run failed")
    kept = {name: data for name, data in dataset.coords.items() if SAMPLE not in data.dims}
    own = (QUANTILE, wanted, {"units": "dimensionless", "long_name": "share of the draws"})
    return xr.Dataset(found, {**kept, QUANTILE: own}, dataset.attrs)


def quantiles_of(data: xr.DataArray, levels: Sequence[float] | np.ndarray = SPREAD) -> xr.DataArray:
    """A number along draws with `quantile` as its first dimension instead."""
    others = [dim for dim in data.dims if dim != SAMPLE]
    values = data.transpose(*others, SAMPLE).values.astype(float)
    rows = quantiles(values.reshape(-1, values.shape[-1]), levels)
    shape = (len(levels), *values.shape[:-1])
    coords = {name: item for name, item in data.coords.items() if SAMPLE not in item.dims}
    return xr.DataArray(rows.reshape(shape), coords, (QUANTILE, *others), attrs=data.attrs)


def rank_correlations(result: xr.Dataset) -> xr.Dataset:
    """How closely every number of an evaluated result follows each number that was drawn.

    Spearman's rank correlation over the draws, along ``parameter``; NaN where either is the same in
    all of them. It says nothing of others that are drawn together with a parameter.
    """
    drawn = drawn_numbers(result)
    names = np.array(list(drawn), dtype=object)
    found = {}
    for name, data in result.data_vars.items():
        if SAMPLE in data.dims and data.dtype.kind == "f" and "time" not in data.dims:
            others = [str(dim) for dim in data.dims if dim != SAMPLE]
            values = data.transpose(*others, SAMPLE).values
            rows = values.reshape(-1, values.shape[-1])
            table = np.array([[_spearman(row, own) for row in rows] for own in drawn.values()])
            shaped = table.reshape(len(drawn), *values.shape[:-1])
            attrs = {"units": "dimensionless", "long_name": f"rank correlation with {name}"}
            found[name] = (("parameter", *others), shaped, attrs)
    kept = {name: data for name, data in result.coords.items() if SAMPLE not in data.dims}
    return xr.Dataset(found, {**kept, "parameter": names})


def drawn_numbers(result: xr.Dataset) -> dict[str, np.ndarray]:
    """The numbers that differ from draw to draw, by name."""
    return {
        str(name): np.asarray(data.values, dtype=float)
        for name, data in result.coords.items()
        if data.dims == (SAMPLE,) and name != SAMPLE and data.dtype.kind in "fi"
        if np.ptp(data.values) > 0
    }


def dominant(point: xr.Dataset, name: str, most: int = MOST) -> list[Dominant]:
    """The parameters that a number with no other axis than draws follows, the closest first.

    Those that so few draws could show by chance are left out: see `by_chance`.
    """
    values, drawn = np.asarray(point[name].values, dtype=float), drawn_numbers(point)
    known = int((~np.isnan(values)).sum())
    if known < FEWEST or not drawn:
        return []
    least = by_chance(known, len(drawn))
    found = [Dominant(own, _spearman(values, numbers)) for own, numbers in drawn.items()]
    telling = [item for item in found if abs(item.rank_correlation) > least]
    return sorted(telling, key=lambda item: (-abs(item.rank_correlation), item.parameter))[:most]


def by_chance(draws: int, parameters: int) -> float:
    """The rank correlation beyond which one of so many unrelated numbers comes once in 20 times."""
    beyond = _NORMAL.inv_cdf(1 - 0.5 * _ERROR / parameters)
    return beyond / math.sqrt(draws - 1) if draws > 1 else math.inf


def failures(dataset: xr.Dataset) -> Iterator[dict[str, str | int]]:
    """The ledger: where each failed run of a simulated dataset stands."""
    status = dataset[STATUS]
    for place in np.argwhere(status.values != 0):
        found = {
            str(dim): status[dim].values[at] for dim, at in zip(status.dims, place, strict=True)
        }
        yield {dim: item.item() if hasattr(item, "item") else item for dim, item in found.items()}


def _spearman(values: np.ndarray, drawn: np.ndarray) -> float:
    """Spearman's rank correlation; infinities are the largest, what is no number is left out."""
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    if known.sum() < 2:
        return math.nan
    one, other = (rankdata(item[known]) for item in (values, drawn))
    one, other = one - one.mean(), other - other.mean()
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size > 0 else math.nan
