"""Closed forms of the decoy, of shedding, of kinetics in plasma and of growing clones.

Written from mass action and linear systems; nothing here knows the model. Times in h, levels in nM.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

LN2 = np.log(2.0)


# ------------------------------------------------------------------ binding of two arms
def decoyed_shares(ratio: float, arms: int = 2) -> tuple[float, ...]:
    """Antibody with no, one, two arms on a decoy of free level `ratio` times Kd."""
    weights = (1.0, arms * ratio, ratio**2)[: arms + 1]
    return tuple(weight / sum(weights) for weight in weights)


def arms_taken(arms: float | np.ndarray, decoy: float | np.ndarray, k_d: float) -> np.ndarray:
    """Share of all arms that hold a decoy at equilibrium, totals given."""
    total = arms + decoy + k_d
    return 2 * decoy / (total + np.sqrt(total**2 - 4 * arms * decoy))


def half_dose_shift(decoy: float, k_d: float) -> float:
    """How much more antibody is needed against so much free decoy, without cross-linking."""
    return 1 + decoy / k_d


def k_steady(k_on: float, k_off: float, k_in: float, k_shed: float) -> float:
    """Level of antibody at which as much receptor is ligated as free, if both are lost."""
    return (k_off + k_in + k_shed) / k_on


# ------------------------------------------------------------------ gamma-secretase
def surface_fold(k_in: float, k_shed: float, inhibited: float) -> float:
    """F: receptor on the surface under inhibition, over that without."""
    return (k_in + k_shed) / (k_in + k_shed * (1 - inhibited))


def soluble_share(k_in: float, k_shed: float, inhibited: float) -> float:
    """S/S0: what is shed under inhibition, over that without."""
    return (1 - inhibited) * surface_fold(k_in, k_shed, inhibited)


def time_to_share(share: float, rate: float) -> float:
    """When a rise with this rate constant has come so far."""
    return -np.log(1 - share) / rate


# ------------------------------------------------------------------ kinetics in plasma
def rates_of_two(clearance: float, between: float, v_1: float, v_2: float) -> np.ndarray:
    """The fast and the slow rate constant of a two-compartment model."""
    return -np.linalg.eigvalsh(_symmetric(clearance, between, v_1, v_2))


def _symmetric(clearance: float, between: float, v_1: float, v_2: float) -> np.ndarray:
    """The same system scaled to be symmetric: eigenvalues do not change."""
    mixed = between / np.sqrt(v_1 * v_2)
    return np.array([[-(clearance + between) / v_1, mixed], [mixed, -between / v_2]])


def infused_level(
    times: np.ndarray,
    dose: float,
    over: float,
    clearance: float,
    between: float,
    v_1: float,
    v_2: float,
) -> np.ndarray:
    """Plasma level after one infusion that began at time zero."""
    out = clearance / v_1 + between / v_1
    system = np.array([[-out, between / v_2], [between / v_1, -between / v_2]])

    def filled(time: float) -> np.ndarray:
        return np.linalg.solve(system, expm(system * time) - np.eye(2)) @ [dose / over, 0.0]

    during = [filled(min(time, over)) for time in times]
    after = [max(time - over, 0.0) for time in times]
    return np.array([(expm(system * t) @ x)[0] / v_1 for x, t in zip(during, after, strict=True)])


# ------------------------------------------------------------------ clones
def clones_over_time(times: np.ndarray, start: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Clones that grow, switch and mutate at constant rates: rows of times, columns of clones."""
    return np.array([expm(rates * time) @ start for time in times])
