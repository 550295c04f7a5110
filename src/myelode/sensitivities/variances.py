"""Indices of Sobol: which share of an endpoint's variance comes from each parameter.

Every point of the design is needed: each index is a mean over pairs of neighbouring rows, and to
leave out the rows that failed would bias it towards the region where the model works.
"""

from __future__ import annotations

import numpy as np

from myelode.errors import ScenarioError
from myelode.sensitivities.gaps import failed_in, gaps_of, has_gaps
from myelode.sensitivities.libraries import analyser
from myelode.sensitivities.samples import (
    BOOTSTRAP_SEED,
    CONFIDENCE,
    Indices,
    Reading,
    Sample,
    resamples,
    varies,
)

SHARES = ("S1", "S1_conf", "ST", "ST_conf")
PAIRS = ("S2", "S2_conf")


def sobol_indices(sample: Sample, reading: Reading) -> Indices:
    """First-order and total indices with the half widths of their 95 % intervals.

    With ``second_order`` of the design those of pairs too, of shape (parameters, parameters). NaN
    for an endpoint that is the same at every point.

    Raises ScenarioError if a point has no number, and says where those lie that have none.
    """
    if has_gaps(reading):
        raise ScenarioError(_refusal(sample, reading))
    second = bool(sample.options.get("second_order", False))
    many = len(sample.names)
    if not varies(reading.values):
        return _nothing(many, second)
    pairs_of_rows = sample.count // (2 + many * (1 + second))
    found = analyser("sobol")(
        sample.problem, reading.values, calc_second_order=second, conf_level=CONFIDENCE,
        num_resamples=resamples(pairs_of_rows), seed=BOOTSTRAP_SEED,
    )  # fmt: skip
    result = {name: np.asarray(found[name], float) for name in SHARES}
    # The analyser fills the upper triangle only.
    pairs = {name: np.asarray(found[name], float) for name in PAIRS * second}
    return result | {name: np.fmax(values, values.T) for name, values in pairs.items()}


def _refusal(sample: Sample, reading: Reading) -> str:
    advice = "use --method pawn or rbd, or a narrower range"
    again = ", or myelode sweep retry" if failed_in(sample, reading).any() else ""
    return f"sobol needs every point: {gaps_of(sample, reading)}: {advice}{again}"


def _nothing(many: int, second: bool) -> Indices:
    found = {name: np.full(many, np.nan) for name in SHARES}
    return found | {name: np.full((many, many), np.nan) for name in PAIRS * second}
