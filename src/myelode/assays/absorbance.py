"""Beer and Lambert's law, and the specific activity of an enzyme as a laboratory computes it.

A path length is never assumed: the same reading in a cuvette and in a well is not the same amount.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from myelode.errors import ScenarioError
from myelode.units import factor, split_quantity, to_unit

OD = "OD"
"""The unit of absorbance, a pure number that is compared as text."""
ACTIVITY, OD_ACTIVITY = "nmol/min/mg", "OD/mg/min"
INDETERMINATE = "indeterminate"
"""The class of an activity that no class claims."""
NO_PATH = (
    "absorbance needs path_length: a 1 cm cuvette and 100 uL in a well of a 96-well plate, "
    "about 0.30 cm, differ 3.3-fold"
)
MOST_DEVIATIONS = 3.0
"""Standard deviations of the difference by which noise alone may put a blank above a sample."""
_OD_ACTIVITIES = (OD_ACTIVITY, "OD/min/mg")
_ROUNDING = 1e-9


def positive(value: object, unit: str, what: str) -> float:
    """A quantity above zero as a number in `unit`."""
    number = to_unit(value, unit, what)
    if number <= 0:
        raise ScenarioError(f"{what} must be above 0, not {value}")
    return number


def molar_coefficient(value: object) -> float:
    """A molar absorption coefficient in L/(mol cm)."""
    return positive(value, "L/(mol*cm)", "coefficient")


def length_of_path(value: object) -> float:
    """A path length in cm; raises ScenarioError where there is none."""
    if value is None:
        raise ScenarioError(NO_PATH)
    return positive(value, "cm", "path_length")


def nmol_per_od(volume: Any, per_molar: float) -> Any:
    """The product behind one unit of absorbance, from the litres that were read."""
    return 1e9 * volume / per_molar


def is_above(blank: Any, sample: Any, sd: Any) -> Any:
    """Whether a blank lies above a sample by more than noise can explain.

    `sd` is the standard deviation of their difference.
    """
    return blank - sample > MOST_DEVIATIONS * sd + _ROUNDING * abs(blank)


def blank_above(blank: float, sample: float) -> str:
    """What to say of a blank that lies above its sample."""
    return f"the blank reads {blank:.3g}, above the sample {sample:.3g}"


@dataclass(frozen=True)
class SpecificActivity:
    """Product made per minute and mg of protein; as absorbance it holds for one path length."""

    od_per_mg_min: float
    nmol_per_min_per_mg: float

    def classify(self, classes: Iterable[Mapping[str, Any]]) -> str:
        """The label of the class that claims the activity, ``indeterminate`` where none does.

        Parameters
        ----------
        classes : mappings with ``label`` and ``above``, ``below`` or both. A bare number is in
            OD/mg/min; ``"5.1 nmol/min/mg"`` says another unit.

        Raises
        ------
        ScenarioError
            For classes that overlap at this activity, and for a threshold that is no activity.
        """
        return label_of(self, [band_of(**item) for item in classes])


@dataclass(frozen=True)
class Limit:
    """A threshold in OD/mg/min or nmol/min/mg, whichever `unit` says."""

    number: float
    unit: str

    def in_nmol(self, scale: float) -> float:
        """In nmol/min/mg, of which `scale` are one OD/mg/min."""
        return self.number * scale if self.unit == OD_ACTIVITY else self.number

    def side(self, activity: SpecificActivity) -> int:
        """Whether an activity lies above it (1), below it (-1), or on it but for rounding (0)."""
        in_od = self.unit == OD_ACTIVITY
        own = activity.od_per_mg_min if in_od else activity.nmol_per_min_per_mg
        if math.isclose(own, self.number, rel_tol=_ROUNDING):
            return 0
        return 1 if own > self.number else -1


@dataclass(frozen=True)
class Band:
    """Activities that have one label: those between two limits, or beyond one."""

    label: str
    above: Limit | None
    below: Limit | None

    def claims(self, activity: SpecificActivity) -> bool:
        """Whether the activity lies inside; a limit itself does not."""
        low = self.above is None or self.above.side(activity) > 0
        return low and (self.below is None or self.below.side(activity) < 0)

    def ends(self, scale: float) -> tuple[float, float]:
        """Both ends in nmol/min/mg."""
        low = -math.inf if self.above is None else self.above.in_nmol(scale)
        return low, math.inf if self.below is None else self.below.in_nmol(scale)

    @property
    def units(self) -> set[str]:
        """The units in which its limits stand."""
        return {limit.unit for limit in (self.above, self.below) if limit}


def band_of(label: str, above: object = None, below: object = None) -> Band:
    """A class from what a user writes; raises ScenarioError for what is no activity."""
    if above is None and below is None:
        raise ScenarioError(f"the class {label!r} needs above, below or both")
    return Band(label, _limit(above, "above"), _limit(below, "below"))


def _limit(value: object, what: str) -> Limit | None:
    if value is None:
        return None
    number, own = split_quantity(value)
    if own is None or own.replace(" ", "") in _OD_ACTIVITIES:
        return Limit(number, OD_ACTIVITY)
    return Limit(to_unit(value, ACTIVITY, what), ACTIVITY)


def label_of(activity: SpecificActivity, bands: Iterable[Band]) -> str:
    """The label of the one band that claims an activity."""
    found = [band.label for band in bands if band.claims(activity)]
    if len(found) > 1:
        said = f"{activity.od_per_mg_min:.4g} {OD_ACTIVITY}"
        raise ScenarioError(f"{said} is both {found[0]!r} and {found[1]!r}: the classes overlap")
    return found[0] if found else INDETERMINATE


def band_faults(bands: list[Band], scale: float | None) -> Iterator[str]:
    """Classes that are empty, or overlap.

    `scale` is how many nmol/min/mg are one OD/mg/min; without it only limits in one unit can be
    compared.
    """
    for number, band in enumerate(bands):
        low, high = band.ends(scale or 1.0)
        if (scale or len(band.units) < 2) and low >= high:
            yield f"the class {band.label!r} is empty: above is not below its below"
        for other in bands[:number]:
            known = scale or len(band.units | other.units) < 2
            bottom, top = other.ends(scale or 1.0)
            if known and max(low, bottom) < min(high, top):
                yield f"the classes {other.label!r} and {band.label!r} overlap"


def specific_activity(
    absorbance: float,
    blank: float,
    minutes: float | str,
    protein: str,
    path_length: str | None = None,
    volume: str = "100 uL",
    *,
    coefficient: str,
    sd: float = 0.0,
) -> SpecificActivity:
    """The specific activity of an enzyme whose product absorbs, from two readings.

    Parameters
    ----------
    absorbance, blank : readings with and without enzyme, in OD.
    minutes : how long product was made; a bare number is in minutes.
    protein : mass of protein in the sample, such as ``"20 ug"``.
    path_length : of light through the sample, such as ``"1 cm"``, or ``"0.30 cm"`` for 100 uL in a
        well of a 96-well plate. There is no default, because the two differ 3.3-fold.
    volume : of the sample.
    coefficient : molar absorption coefficient of the product, such as ``"9900 L/(mol*cm)"``.
    sd : standard deviation of the difference of both readings; a blank that lies above the sample
        by up to three of them gives an activity of 0.

    Returns
    -------
    The activity in OD per mg and minute, and in nmol per minute and mg.

    Raises
    ------
    ScenarioError
        Without a path length, protein or time, and for a blank above the sample.
    """
    per_molar = molar_coefficient(coefficient) * length_of_path(path_length)
    is_bare = split_quantity(minutes)[1] is None
    time = positive(f"{minutes} min" if is_bare else minutes, "min", "minutes")
    mass, litres = positive(protein, "mg", "protein"), positive(volume, "L", "volume")
    if is_above(blank, absorbance, sd):
        said = blank_above(blank, absorbance)
        raise ScenarioError(f"{said}: is the blank that of the same plate and time?")
    od = max(absorbance - blank, 0.0) / (mass * time)
    return SpecificActivity(od, od * nmol_per_od(litres, per_molar))


def molar_factor(unit: str | None, output: str) -> float:
    """The number that turns an output into mol/L; ScenarioError where it is no concentration."""
    try:
        return factor(unit or "", "mol/L")
    except ScenarioError:
        said = f"is in {unit!r}" if unit else "has no unit"
        raise ScenarioError(
            f"{output!r} {said}: absorbance needs a molar concentration, such as 'umol/L'"
        ) from None
