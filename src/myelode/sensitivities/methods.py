"""The methods: which designs each can analyse, what it finds, and how its numbers are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.sensitivities.densities import (
    is_independent,
    is_independent_number,
    pawn_indices,
    rbd_indices,
)
from myelode.sensitivities.elasticities import elasticities
from myelode.sensitivities.samples import Indices, Reading, Sample, every_point, has_number
from myelode.sensitivities.screening import in_complete_trajectory, morris_effects
from myelode.sensitivities.variances import sobol_indices

OWN = "{endpoint}"
"""Stands for the endpoint's own unit."""
INTERVAL = "half width of its 95 % interval"


@dataclass(frozen=True)
class Method:
    """One way to find indices.

    Attributes
    ----------
    title : as it stands in figures and tables.
    designs : the kinds whose points it takes.
    main : the index by whose size parameters are sorted.
    meanings : of every index, what it says.
    unit : of every index: none, or the endpoint's own.
    reads : which points of the design it looks at.
    used : which of these it rests on, as their numbers are there.
    rest : how these are called where others have no number.
    """

    name: str
    title: str
    designs: tuple[str, ...]
    main: str
    meanings: Mapping[str, str]
    indices: Callable[[Sample, Reading], Indices]
    unit: str = "1"
    reads: Callable[[Sample], np.ndarray] = every_point
    used: Callable[[Sample, Reading], np.ndarray] = has_number
    rest: str = "the other {used}"


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "elasticities", "Elasticities", ("elasticities",), "elasticity",
            {
                "elasticity": "d ln(endpoint) / d ln(parameter), from a step up and a step down",
                "bend": "half the difference between the elasticities of the two steps alone",
            },
            elasticities,
        ),
        Method(
            "morris", "Elementary effects (Morris)", ("morris",), "mu_star",
            {
                "mu": "mean change of the endpoint over the parameter's range",
                "mu_star": "mean size of that change",
                "sigma": "its standard deviation: interactions and bends",
                "mu_star_conf": f"mu_star: {INTERVAL}",
            },
            morris_effects, OWN, used=in_complete_trajectory,
            rest="{used} points of complete trajectories",
        ),
        Method(
            "sobol", "Sobol indices", ("saltelli",), "ST",
            {
                "S1": "share of the variance that goes if the parameter alone is known",
                "S1_conf": f"S1: {INTERVAL}",
                "ST": "share of the variance that stays if all but the parameter are known",
                "ST_conf": f"ST: {INTERVAL}",
                "S2": "share of the variance that comes from two parameters together alone",
                "S2_conf": f"S2: {INTERVAL}",
            },
            sobol_indices,
        ),
        Method(
            "pawn", "PAWN indices", ("random", "saltelli"), "median",
            {
                "median": "distance of the distribution in a slice to the whole, median of slices",
                "mean": "mean of slices",
                "minimum": "smallest of slices",
                "maximum": "largest of slices",
                "noise": "95 % of parameters that do nothing have a median below this",
            },
            pawn_indices, reads=is_independent, used=is_independent_number,
        ),
        Method(
            "rbd", "First-order indices (RBD-FAST)", ("random", "saltelli"), "S1",
            {
                "S1": "share of the variance that goes if the parameter alone is known",
                "S1_conf": f"S1: {INTERVAL}",
            },
            rbd_indices, reads=is_independent, used=is_independent_number,
        ),
    )
}  # fmt: skip


def method_for(kind: str, asked: str | None, design: str = "") -> Method:
    """The method that was asked for, or the first that takes a kind of design.

    `design` is what the file calls its own, where that is not its kind. Raises ScenarioError for a
    method that does not exist, or that cannot take the design.
    """
    fitting = [method for method in METHODS.values() if kind in method.designs]
    if asked is None:
        return fitting[0]
    if asked not in METHODS:
        hint = best_matches(asked, METHODS) or f": {', '.join(METHODS)}"
        raise ScenarioError(f"there is no method {asked!r}{hint}")
    if METHODS[asked] not in fitting:
        names = " or ".join(method.name for method in fitting)
        needed = " or ".join(METHODS[asked].designs)
        raise ScenarioError(
            f"method {asked} needs a design {needed}, and this one is {design or kind}, "
            f"of which come {names}"
        )
    return METHODS[asked]
