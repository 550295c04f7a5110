"""What to know of indices before they are believed, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from myelode.sensitivities.elasticities import failed_steps
from myelode.sensitivities.gaps import commonest, failed_in, failures_of, gaps_of, has_gaps
from myelode.sensitivities.methods import Method
from myelode.sensitivities.samples import Indices, Reading, Sample, of_these, varies

ELASTICITIES = "elasticities"
"""The method, and the design that it takes."""
ELASTICITY = "elasticity"
SHARES = ("S1", "ST", "S2")
WIDEST = 0.5
"""Half width of the interval of a share from which on it says nothing."""
LARGEST = 1.05
"""A share above this is none; chance may lift one a little above 1."""


def doubts(
    sample: Sample, readings: Sequence[Reading], method: Method, found: Mapping[str, Indices]
) -> Iterator[str]:
    """What to know of the indices of these readings."""
    for reading in readings:
        yield from _on_values(reading)
        yield from _on_shares(sample, reading, found[reading.label])
    if method.name == ELASTICITIES:
        yield from _on_steps(sample, readings, found)
    else:
        yield from _on_points(sample, readings, method)


def _on_values(reading: Reading) -> Iterator[str]:
    if not varies(reading.values[np.isfinite(reading.values)]):
        yield f"{reading.label} is the same at every point"


def _on_shares(sample: Sample, reading: Reading, found: Indices) -> Iterator[str]:
    """Whether too few points stand behind shares of a variance."""
    for share in (name for name in SHARES if f"{name}_conf" in found):
        unsure = (found[f"{share}_conf"] > WIDEST) | (found[share] > LARGEST)
        if unsure.any():
            names = _names(sample, np.any(np.atleast_2d(unsure), axis=0))
            yield (
                f"{reading.label}: {share} of {names} exceeds 1, or its interval is wider than 1: "
                "more points are needed"
            )


def _on_points(sample: Sample, readings: Sequence[Reading], method: Method) -> Iterator[str]:
    """Which points were not analysed; what holds for all readings is said once."""
    reads = method.reads(sample)
    if not reads.all():
        yield f"{int(reads.sum())} of {reads.size} points repeat no others: only these are analysed"
    for alike in _by_gaps(readings):
        one, labels = alike[0], [item.label for item in alike]
        looked_at, read = (sample, one) if reads.all() else of_these(sample, one, reads)
        if has_gaps(read):
            rest = method.rest.format(used=int(method.used(sample, one).sum()))
            yield f"{gaps_of(looked_at, read, labels)}: {rest} are analysed"


def _by_gaps(readings: Sequence[Reading]) -> list[list[Reading]]:
    """Readings whose numbers are missing at the same points."""
    groups: dict[bytes, list[Reading]] = {}
    for reading in readings:
        kinds = np.isfinite(reading.values) + 2 * np.isinf(reading.values)
        groups.setdefault(kinds.tobytes(), []).append(reading)
    return list(groups.values())


def _on_steps(
    sample: Sample, readings: Sequence[Reading], found: Mapping[str, Indices]
) -> Iterator[str]:
    """Which parameters have no elasticity, and why."""
    for alike in _by_gaps(readings):
        failed = failed_in(sample, alike[0])
        if failed.any():
            what = failures_of(sample, alike[0], [item.label for item in alike])
            names = _names(sample, failed_steps(sample, alike[0]))
            why = commonest(sample.reasons_at(failed))
            points = int(failed.sum())
            yield f"{points} point{'s' * (points > 1)} {what}, steps of {names}{why}"
    for reading in readings:
        elasticities = found[reading.label][ELASTICITY]
        lacking = np.isnan(elasticities) & ~failed_steps(sample, reading)
        if lacking.any():
            names = "any parameter" if lacking.all() else _names(sample, lacking)
            yield f"{reading.label} has no elasticity for {names}: it is not positive there"


def _names(sample: Sample, which: np.ndarray) -> str:
    return ", ".join(name for name, is_one in zip(sample.names, which, strict=True) if is_one)
