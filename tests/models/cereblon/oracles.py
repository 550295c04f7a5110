"""Closed forms of cereblon pharmacology, written from the law of mass action and nothing else.

Nothing here knows the model. Concentrations in nM, times in h; O1 to O13 as in the list of oracles
by which the model was specified.
"""

from __future__ import annotations

import numpy as np

LN2 = np.log(2.0)


# ------------------------------------------------------------------ O1, O2: two enantiomers
def enantiomers(times, start, inversion, elimination=(0.0, 0.0)):
    """O1: both enantiomers in a medium; `inversion` is (S to R, R to S), as is `elimination`."""
    one = _eutomer(times, start, inversion, elimination)
    other = _eutomer(times, start[::-1], inversion[::-1], elimination[::-1])
    return one, other


def _eutomer(times, start, inversion, elimination):
    a, d = inversion[0] + elimination[0], inversion[1] + elimination[1]
    mean, root = -(a + d) / 2, np.sqrt(((a - d) / 2) ** 2 + inversion[0] * inversion[1])
    ratio = np.sinh(root * times) / root
    own = np.cosh(root * times) + (d - a) / 2 * ratio
    return np.exp(mean * times) * (start[0] * own + start[1] * inversion[1] * ratio)


def excess_by_exposure(until, k_rac):
    """Mean enantiomeric excess over an exposure that no hydrolysis ends."""
    return -np.expm1(-k_rac * until) / (k_rac * until)


def excess_by_exposure_with_hydrolysis(until, k_rac, k_h):
    """The same mean, weighted with the drug that is left."""
    both = k_h + k_rac
    return k_h / both * np.expm1(-both * until) / np.expm1(-k_h * until)


def excess_with_memory(until, k_rac, memory):
    """Mean excess as a read-out sees it that forgets with the rate constant `memory`."""
    gone = np.exp(-k_rac * until) - np.exp(-memory * until)
    return memory / (memory - k_rac) * gone / -np.expm1(-memory * until)


def racemate_over_eutomer(excess, rho):
    """O2: EC50 of the racemate over that of what was dosed as pure S-enantiomer."""
    return 1 + (rho - 1) / (rho + 1) * excess


def largest_racemate_over_eutomer(rho):
    """The bound that no read-out passes where both enantiomers cooperate alike."""
    return 2 * rho / (1 + rho)


# ------------------------------------------------------------------ O3, O4: a glue at equilibrium
def glue_ternary(ligand, substrate, ligase, k_glue, k_substrate, alpha):
    """O3: ternary complex of a glue, free ligand and total proteins given."""
    loaded = ligand / k_glue
    apparent = k_substrate * (1 + loaded) / (1 + alpha * loaded)
    return bound(substrate, ligase, apparent) * alpha * loaded / (1 + alpha * loaded)


def bound(one, other, dissociation):
    """Complex of two proteins, in the form that loses no digits."""
    total = one + other + dissociation
    return 2 * one * other / (total + np.sqrt(total**2 - 4 * one * other))


def glue_half_maximum(ligase, k_glue, k_substrate, alpha):
    """O4: free ligand at half of the largest ternary complex, substrate dilute."""
    share = ligase / k_substrate
    return k_glue * (1 + share) / (1 + alpha * share)


# ------------------------------------------------------------------ O5, O6: degradation
def remaining(ligands, ligase, k_substrate, kcat, k_deg, k_on):
    """O5 and O6: what is left of a dilute substrate; `ligands` are (free, K_G, alpha) each."""
    empty = 1 + sum(free / k for free, k, _ in ligands)
    michaelis = [k_substrate / alpha + (kcat + k_deg) / k_on for _, _, alpha in ligands]
    glued = sum(
        ligase * free / k / empty / k_m
        for (free, k, _), k_m in zip(ligands, michaelis, strict=True)
    )
    alone = ligase / empty / k_substrate
    return 1 / (1 + kcat / k_deg * glued / (1 + glued + alone))


# ------------------------------------------------------------------ O7, O8: a bifunctional degrader
def degrader_ternary(ligand, target, ligase, k_target, k_ligase, alpha):
    """O7: ternary complex of a bifunctional degrader, free ligand and total proteins given."""
    apparent = (ligand + k_target) * (ligand + k_ligase) / (alpha * ligand)
    return bound(target, ligase, apparent)


def degrader_total(ligand, target, ligase, k_target, k_ligase, alpha):
    """All ligand, free and bound, that goes with a free level of it."""
    ternary = degrader_ternary(ligand, target, ligase, k_target, k_ligase, alpha)
    on_target = (target - ternary) * ligand / (ligand + k_target)
    on_ligase = (ligase - ternary) * ligand / (ligand + k_ligase)
    return ligand + on_target + on_ligase + ternary


def degrader_free(total, target, ligase, k_target, k_ligase, alpha):
    """Free ligand that goes with a total, by bisection: the total grows with the free level."""
    low, high = 0.0, total
    for _ in range(200):
        middle = (low + high) / 2
        if degrader_total(middle, target, ligase, k_target, k_ligase, alpha) > total:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def douglass_ternary(total, target, ligase, k_target, k_ligase):
    """Ternary complex without cooperativity, Douglass (2013) J Am Chem Soc 135:6092."""
    return bound(target, total, k_target) * bound(ligase, total, k_ligase) / total


def hook_position(k_target, k_ligase):
    """O8: free ligand at the largest ternary complex, whatever the cooperativity."""
    return np.sqrt(k_target * k_ligase)


def hook_height(target, ligase, k_target, k_ligase, alpha):
    """O8: the largest ternary complex."""
    total = target + ligase + (np.sqrt(k_target) + np.sqrt(k_ligase)) ** 2 / alpha
    return (total - np.sqrt(total**2 - 4 * target * ligase)) / 2


# ------------------------------------------------------------------ O9 to O13
def dose_factor_of_efflux(efflux_over_permeation):
    """O9: how much more drug outside gives the same inside."""
    return 1 + efflux_over_permeation


def assembled(cereblon, scaffold, dissociation):
    """O10: cereblon on DDB1-CUL4A."""
    total = cereblon + scaffold + dissociation
    return (total - np.sqrt(total**2 - 4 * cereblon * scaffold)) / 2


def mean_of_decay(k, period):
    """O11: mean level over the first one, of what is renewed once a period."""
    return (1 - np.exp(-k * period)) / (k * period)


def methylation_left(start, fidelity, divisions):
    """O12: methylation after so many divisions."""
    return start * ((1 + fidelity) / 2) ** divisions


def takeover(first_share, last_share, advantage):
    """O13: time in which a clone that grows faster goes from one share to the other."""
    odds = last_share / (1 - last_share) * (1 - first_share) / first_share
    return np.log(odds) / advantage
