"""Conditions in which closed forms hold: what is switched off, and what is dosed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from myelode.model import Model
from myelode.sbml import with_values

NEVER = 1e15
"""A half-life in h that no run will notice."""
NEOSUBSTRATES = ("IKZF1", "IKZF3", "ZFP91", "CK1a", "GSPT1")

STABLE_DRUG = {
    "t_half_ee": NEVER,
    "t_half_hydrolysis": NEVER,
    "t_half_hydrolysis_X": NEVER,
}
FEW_CELLS = {"N0": 100.0}  # too few to draw drug out of the medium
FIXED_LIGASE = {"t_half_CRBN": NEVER, "K_A": 1e-9}  # all cereblon assembled, none turned over
IKZF1_ALONE = {f"{name}_expression": 1e-12 for name in NEOSUBSTRATES if name != "IKZF1"}
CORE = STABLE_DRUG | FEW_CELLS | FIXED_LIGASE | IKZF1_ALONE
"""IKZF1, a ligase that stays as it is, and ligands whose free level is that of the medium."""

NO_CATALYSIS = {"kcat": 0.0} | {f"t_half_{name}": NEVER for name in NEOSUBSTRATES}
SHORT_CHAIN = {"k_dub": 0.0, "k_ub": 1e7, "k_prot": 1e7}  # the first ubiquitin is the last
TARGET_ALONE = {"IKZF1_expression": 1e-12, "kcat_T": 0.0, "t_half_T": NEVER, "k_perm": 20.0}


def under(model: Model, changes: Mapping[str, float]) -> Model:
    """The model with these values written into it, so that it is compiled once."""
    return replace(model, sbml=with_values(model.sbml, changes))


def numbers(model: Model) -> dict[str, float]:
    """All values of the table, and those of the default compound."""
    return {name: row.value for name, row in model.parameters.items()}


def compound(model: Model, name: str) -> dict[str, float]:
    """The values of a compound, without its share of the S-enantiomer."""
    rows = model.compounds.rows(name)
    return {key: row.value for key, row in rows.items() if key != "share_S"}


def dosed(model: Model, name: str, dose: float | np.ndarray) -> dict[str, float | np.ndarray]:
    """The values of a compound, and that much of it in the medium."""
    share = model.compounds.rows(name)["share_S"].value
    medium = {"S_outside": share * dose, "R_outside": (1 - share) * dose}
    return {**compound(model, name), **medium}


def half_dose(doses: np.ndarray, levels: np.ndarray, level: float) -> float:
    """The dose at which falling levels pass one, interpolated on the logarithm of the dose."""
    return float(np.exp(np.interp(-level, -levels, np.log(doses))))
