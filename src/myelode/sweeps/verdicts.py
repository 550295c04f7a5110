"""Verdicts as codes: classes, labels, best responses and truths, with the words that they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from myelode.assays.absorbance import INDETERMINATE
from myelode.assays.activity_sections import CLASS
from myelode.clinic.criteria import LABELS
from myelode.clinic.sections import BEST
from myelode.outcomes import CLASSES, NO_LABEL
from myelode.scenario import Scenario
from myelode.sweeps.blocks import DONE, Variable

NO_CODE = -1
"""The code of a verdict that nobody has reached."""
TRUTHS = ("no", "yes")
"""The words of what holds or not; the place of each is its code, as of all verdicts."""


def words_of(scenario: Scenario) -> Mapping[str, Sequence[str]]:
    """The texts that a verdict may be, by its name."""
    rules = {
        name: _once([*(case.label for case in cases), NO_LABEL])
        for name, cases in scenario.rules.items()
    }
    activities = {
        name + CLASS: _once([*(band.label for band in rule.classes), INDETERMINATE])
        for name, rule in scenario.activities.items()
    }
    responses = {f"{name}_{BEST}": LABELS for name in scenario.responses}
    outcome = {"outcome": CLASSES} if scenario.outcome else {}
    return {**rules, **activities, **responses, **outcome}


def _once(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def coded(data: xr.DataArray, words: Sequence[str], failed: xr.DataArray) -> xr.DataArray:
    """Texts or truths as the places of their words, which `flag_meanings` names.

    There is none where all runs have failed that it could be about; `failed` says which have.
    """
    others = [dim for dim in failed.dims if dim not in data.dims]
    lost = failed.all(dim=others).transpose(*data.dims).values
    numbers = np.where(lost, np.int8(NO_CODE), _places(data.values, words))
    attributes = {
        "long_name": str(data.attrs.get("long_name", data.name)).replace("_", " "),
        "flag_values": [NO_CODE, *range(len(words))],
        "flag_meanings": " ".join(["missing", *(word.replace(" ", "_") for word in words)]),
    }
    return data.copy(data=numbers).assign_attrs(attributes)


def _places(values: np.ndarray, words: Sequence[str]) -> np.ndarray:
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    places = {word: place for place, word in enumerate(words)}
    found = np.vectorize(lambda text: places.get(text, NO_CODE), otypes=[np.int8])(values)
    return np.asarray(found)


def without_labels(codes: np.ndarray, variable: Variable, status: np.ndarray) -> np.ndarray:
    """Codes without the label for want of one, of points that are not done."""
    words = str(variable.attributes.get("flag_meanings", "")).split()
    none = NO_LABEL.replace(" ", "_")
    if none not in words:
        return codes
    code = variable.attributes["flag_values"][words.index(none)]
    not_done = (status != DONE).reshape(-1, *(1 for _ in variable.shape))
    return np.where(not_done & (codes == code), NO_CODE, codes).astype(codes.dtype)
