"""An attribution in words: ``78 % of the gap is k_efflux``."""

from __future__ import annotations

from collections.abc import Iterator

import xarray as xr

SMALL = 0.005
"""Shares below this are counted, not listed."""
MOST_LINES = 8
ONE_PERCENT = 0.0095


def sentences(found: xr.Dataset) -> Iterator[str]:
    """What `why` found, line by line."""
    unit = str(found["value_from"].attrs["units"]).replace("dimensionless", "")
    one, other = float(found["value_from"]), float(found["value_to"])
    by = _times(other / one) if one > 0 and 0 < other < float("inf") else ""
    attrs = found.attrs
    yield (
        f"{attrs['endpoint']}: {one:.4g} {unit} with {attrs['from']}, "
        f"{other:.4g} {unit} with {attrs['to']}{by}."
    ).replace("  ", " ")
    shown = [at for at, share in enumerate(found["shapley"].values) if abs(share) >= SMALL]
    for at in shown[:MOST_LINES]:
        yield _line(found.isel(parameter=at), attrs["scale"])
    if rest := found.sizes["parameter"] - len(shown[:MOST_LINES]):
        total = sum(found["shapley"].values) - sum(found["shapley"].values[shown[:MOST_LINES]])
        said = f"{percent(total)} of it is" if abs(total) >= SMALL else "Next to nothing is"
        yield f"{said} the other {rest}."
    yield _interaction(float(found["interaction"]))
    if "typical_of" in attrs:
        yield f"Compared is the typical one of the {attrs['typical_of']}."
    yield f"Shares are Shapley values of {attrs['scale_definition']}."


def percent(share: float) -> str:
    """``78 %``; tenths where that is next to nothing."""
    digits = 0 if abs(share) >= ONE_PERCENT else 1
    return f"{round(100 * share, digits) + 0.0:.{digits}f} %".replace("0.0 %", "0 %")


def _line(item: xr.Dataset, scale: str) -> str:
    """``78 % of the gap is k_efflux (0.1 1/h to 0.8 1/h), a factor of 5.1.``"""
    share, error = float(item["shapley"]), float(item["standard_error"])
    doubt = f" (standard error {percent(error)})" if error else ""
    size = f", a factor of {10 ** float(item['step']):.3g}" if scale == "log" else ""
    name, before, after = (str(item[key].item()) for key in ("parameter", "from", "to"))
    if share < 0:
        return f"{name} ({before} to {after}) works against it: {percent(share)}{doubt}{size}."
    return f"{percent(share)} of the gap is {name} ({before} to {after}){doubt}{size}."


def _times(fold: float) -> str:
    return f", {fold:.3g} times as much"


def _interaction(share: float) -> str:
    if abs(share) < SMALL:
        return "The parameters act one by one: changed each alone, they add up to the whole gap."
    sense = "more than" if share > 0 else "less than"
    return (
        f"Together they do {sense} each alone: {percent(share)} of the gap is interaction "
        "(1 - sum of the shares when each is changed alone)."
    )
