"""Elasticities: by how many percent an endpoint changes with one percent of a parameter."""

from __future__ import annotations

import numpy as np

from myelode.errors import ScenarioError
from myelode.sensitivities.gaps import commonest, failed_in
from myelode.sensitivities.samples import Indices, Reading, Sample


def elasticities(sample: Sample, reading: Reading) -> Indices:
    """Central differences of the logarithms, from the points on both sides of the base point.

    ``elasticity`` is d ln(endpoint) / d ln(parameter); ``bend`` is half the difference between
    those that the upper and the lower step alone give: how far it changes over a step. NaN where
    the endpoint is not positive, or has no number, at a point that is needed.

    Raises ScenarioError if the base point failed.
    """
    failed = failed_in(sample, reading)
    if failed[0]:
        raise ScenarioError(
            f"the base point of the elasticities failed{commonest(sample.reasons_at(failed))}"
        )
    step = np.log1p(float(sample.options["step"]))
    positive = np.isfinite(reading.values) & (reading.values > 0)
    logs = np.log(np.where(positive, reading.values, np.nan))
    up, down = logs[1::2], logs[2::2]
    return {
        "elasticity": (up - down) / (2 * step),
        "bend": (up - 2 * logs[0] + down) / (2 * step),
    }


def failed_steps(sample: Sample, reading: Reading) -> np.ndarray:
    """Of which parameters the reading has no number at a step, because that point failed."""
    failed = failed_in(sample, reading)
    return np.asarray(failed[1::2] | failed[2::2])
