"""Elementary effects after Morris: how far an endpoint moves over the range of each parameter."""

from __future__ import annotations

import numpy as np

from myelode.errors import ScenarioError
from myelode.sensitivities.gaps import gaps_of
from myelode.sensitivities.libraries import analyser
from myelode.sensitivities.samples import (
    BOOTSTRAP_SEED,
    CONFIDENCE,
    Indices,
    Reading,
    Sample,
    resamples,
)

FEWEST = 2
EFFECTS = ("mu", "mu_star", "sigma", "mu_star_conf")


def morris_effects(sample: Sample, reading: Reading) -> Indices:
    """Mean, mean size and standard deviation of the effects, over complete trajectories.

    An effect is the change of the endpoint per range of the parameter, in the endpoint's unit.
    Trajectories with a point that has no number are left out.

    Raises ScenarioError if fewer than two are left.
    """
    rows = len(sample.names) + 1
    values = reading.values.reshape(-1, rows)
    complete = in_complete_trajectory(sample, reading)[::rows]
    if complete.sum() < FEWEST:
        raise ScenarioError(
            f"morris needs 2 complete trajectories, and {int(complete.sum())} of {len(complete)} "
            f"are: {gaps_of(sample, reading)}"
        )
    points = sample.points.reshape(len(values), rows, -1)[complete]
    found = analyser("morris")(
        sample.problem, points.reshape(-1, len(sample.names)), values[complete].ravel(),
        num_levels=int(sample.options["levels"]), num_resamples=resamples(len(values)),
        conf_level=CONFIDENCE, seed=np.random.default_rng(BOOTSTRAP_SEED),
    )  # fmt: skip
    return {name: np.asarray(found[name], float) for name in EFFECTS}


def in_complete_trajectory(sample: Sample, reading: Reading) -> np.ndarray:
    """Which points belong to a trajectory all of whose points have a number."""
    rows = len(sample.names) + 1
    complete = np.isfinite(reading.values.reshape(-1, rows)).all(axis=1)
    return np.repeat(complete, rows)
