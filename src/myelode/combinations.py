"""Two agents together: how much more they do than was to be expected of each alone.

All of it is arithmetic on the share that is left: of cells, of growth, of whatever an endpoint
counts. The effect is what is gone, one minus that share. A positive excess is more effect than
expected; its sign alone is no synergy, which needs doses of equal effect and an uncertainty.

Over a ladder of the first agent the second shifts the dose of half: below 1 less of the first is
needed. Beside both stands what a document claims of the pair.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from myelode.arm_sections import BLISS, HSA, SHIFT, Combination
from myelode.errors import ScenarioError
from myelode.interactions.indices import bliss_excess, hsa_excess
from myelode.quotations import quotations_in
from myelode.scenario import Scenario
from myelode.sections import FLAG

ROUNDING, GROWTH = 1e-9, 1e-6


def add_combinations(result: xr.Dataset, scenario: Scenario) -> None:
    """Add ``bliss_NAME`` and ``hsa_NAME`` for every combination, with all dimensions but ``arm``.

    Those with a `shift` have ``shift_NAME`` too, and its flag. What a document claims stands in the
    attributes ``claim``, ``says`` and ``verdict``, from the attribute ``claims`` of the result.
    Raises ScenarioError for an endpoint without arms, or one that is negative.
    """
    claims = quotations_in(result.attrs)
    for name, item in scenario.combinations.items():
        claimed = claims.get(item.claim or "", {})
        with scenario.at("combinations", name):
            _add(result, name, item, claimed)
            if item.shift is not None:
                _add_shift(result, name, item, item.shift, claimed)


def title_of(name: str, item: Combination) -> str:
    """The title of a combination, by default its name in words."""
    return item.title or name.replace("_", " ")


def _add(result: xr.Dataset, name: str, item: Combination, claimed: dict[str, str]) -> None:
    parts = shares_left(result, item)
    first, second, both = parts
    notes = _note(dict(zip((*item.single, item.together), parts, strict=True)))
    said = {"units": "1", **notes, **claimed}
    title = title_of(name, item)
    left = f"of {item.of}" + (f" over that of {item.untreated}" if item.untreated else "")
    one, other = item.single
    expected = {
        BLISS: ("Bliss independence", f"{one} times {other}"),
        HSA: ("the better single agent", f"the smaller of {one} and {other}"),
    }
    for prefix, function in ((BLISS, bliss_excess), (HSA, hsa_excess)):
        model, sum_of = expected[prefix]
        result[prefix + name] = function(first, second, both).assign_attrs(
            said,
            long_name=f"{title}: effect beyond {model}",
            definition=f"{sum_of}, minus {item.together}, in shares left ({left})",
        )


def _add_shift(
    result: xr.Dataset, name: str, item: Combination, half: str, claimed: dict[str, str]
) -> None:
    """Add the dose of half of both agents over that of the first, and why there is none."""
    alone, both = item.single[0], item.together
    # Zero is a dose below the ladder, infinity one above it: neither has a ratio.
    doses = result[half].where((result[half] > 0) & np.isfinite(result[half]))
    shift = doses.sel(arm=both, drop=True) / doses.sel(arm=alone, drop=True)
    title = f"{title_of(name, item)}: shift of the dose"
    definition = f"{half} of {both} over that of {alone}"
    read = {key: result[half].attrs[key] for key in ("read_at", "doses")}
    said = {"units": "1", "long_name": title, "definition": definition, **read, **claimed}
    result[SHIFT + name] = shift.drop_attrs().assign_attrs(said)
    flags = shift.copy(data=np.full(shift.shape, "", dtype=object))
    for arm in (both, alone):
        flag = result[half + FLAG].sel(arm=arm, drop=True)
        flags = flags.where(flag == "", xr.DataArray(f"{arm}: ") + flag)
    flags.attrs = {"long_name": f"{title}: what to know"}
    result[SHIFT + name + FLAG] = flags


def shares_left(result: xr.Dataset, item: Combination) -> tuple[xr.DataArray, ...]:
    """What the first, the second, and both agents leave, as shares."""
    return tuple(_share_left(result, item, arm) for arm in (*item.single, item.together))


def _share_left(result: xr.Dataset, item: Combination, arm: str) -> xr.DataArray:
    """What an arm leaves, as a share of what is left untreated; NaN where that is nothing.

    Among many samples a negative share is NaN too: it says nothing on the others.
    """
    data = result[item.of]
    if "arm" not in data.dims:
        raise ScenarioError(f"{item.of!r} has one value for all arms: take it in every arm")
    share = data.sel(arm=arm, drop=True)
    if item.untreated is not None:
        base = data.sel(arm=item.untreated, drop=True)
        share = share / base.where(base > 0)
    lowest = float(share.min())
    if lowest < -ROUNDING and "sample" not in share.dims:
        raise ScenarioError(f"{item.of!r} is {lowest:.4g} in {arm}: a share left is not negative")
    return share.where(np.isfinite(share) & (share >= -ROUNDING))


def _note(shares: dict[str, xr.DataArray]) -> dict[str, str]:
    """Which arms leave more than untreated, so that their effect counts below zero."""
    highest = {arm: float(share.max()) for arm, share in shares.items()}
    grown = [f"{arm} (up to {x:.4g})" for arm, x in highest.items() if x > 1 + GROWTH]
    return {"note": f"more is left than untreated in {' and '.join(grown)}"} if grown else {}
