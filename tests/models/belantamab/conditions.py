"""How the model is run here, and the settings under which its numbers were printed elsewhere.

What a test compares with a printed number it pins, so that it does not move with calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from myelode.engines import Run, Tolerances, choose_engine
from myelode.model import Model
from myelode.regimens.timeline import Change, Instant, Timeline

Values = Mapping[str, float]

DAY = 24.0
CYCLE = 21 * DAY
DOSE = 2.5 * 75 / 152e3 * 1e6
"""2.5 mg/kg of 75 kg, in nmol."""
NEVER = 1e15
"""A time in h that no run will notice."""
TINY = 1e-15

DISH = {
    "R0": 10_000.0, "f_BCMA": 1.0, "Kd": 0.8, "kon": 3.6, "kint": 0.35, "kintc": 0.35,
    "ksh": 1.4, "f_sh": 0.5, "DAR": 4.0, "alpha": 0.05, "Veff": 4.5e-15, "klys": 0.046,
    "kesc": 0.35, "Vcell": 1e-12, "Ttot": 65.0, "Kt": 60.0, "kont": 3.6, "VmM": 8.0,
    "KmM": 1000.0, "VmP": 0.0, "KiMK": 3000.0, "kleak": 0.002, "kin": 2e-4, "occ50": 0.3,
    "hocc": 3.0, "kap": 0.05, "f_bcl": 1.0, "kslip": 0.0, "T_div": np.log(2) / 0.0173,
    "cells_seeded": 5000.0,
}  # fmt: skip
"""The settings of the prototype of the dish."""

ONE_CLONE = {"clone_high": 1.0, "clone_low": 0.0, "clone_null": 0.0, "clone_mutant": 0.0}
NO_SWITCH = {"nu_low": 0.0, "nu_back": 0.0, "nu_mutant": 0.0, "nu_last_copy": 0.0}
ALL_CYCLE = {"q": 0.0, "access": 1.0}
PATIENT = {
    **ONE_CLONE, **NO_SWITCH, **ALL_CYCLE,
    **{name: DISH[name] for name in DISH if name not in {"R0", "T_div", "cells_seeded"}},
    "N0": 5e11, "R0_patient": 2000.0, "KGR": 0.00072, "d": 0.00128, "K_max": 5e12,
    "CL_lin": 0.0292, "Q": 0.02963, "V_c0": 4.21, "V_p0": 6.63, "V_marrow": 0.5,
    "V_sBCMA": 4.21, "CLb": 0.083, "Kpb": 0.4, "kSb": 0.1, "kelS": 0.0231, "CLcx": 1.0,
    "normal_source": 0.0, "kap": 0.03, "kslip": 0.005, "kAmax": 0.0008, "Y50": 300.0,
    "k_M": 0.0021, "M0": 30.0, "kin": 0.0,
}  # fmt: skip
"""The settings of the prototype of the patient, mode B: one clone, all of it cycling."""
NO_GROWTH = {"KGR": 0.0, "d": 0.0}


def run(
    model: Model,
    times: Sequence[float] | np.ndarray,
    outputs: Sequence[str],
    changes: Values | None = None,
    doses: Mapping[float, Values] | None = None,
    engine: str = "auto",
    rtol: float = 1e-9,
) -> dict[str, np.ndarray]:
    """Outputs over time; `doses` say what is added to which species, and when."""
    instants = tuple(
        Instant(time, tuple(Change(species, 1.0, size) for species, size in added.items()))
        for time, added in sorted((doses or {}).items())
    )
    grid = np.asarray(times, dtype=float)
    this = Run(dict(changes or {}), Timeline(instants, grid[-1]), grid, tuple(outputs))
    values = choose_engine(engine).compile(model.sbml).run(this, Tolerances(relative=rtol))
    return dict(zip(outputs, values.T, strict=True))


def cycles(number: int, dose: float = DOSE, every: float = CYCLE) -> dict[float, Values]:
    """So many doses into plasma, in nmol."""
    return {cycle * every: {"ADC_plasma": dose} for cycle in range(number)}


def left(model: Model, changes: Values, start: Values, hours: float = 72.0) -> float:
    """Viable cells of a dish at the end, relative to the same without drug."""
    ends = [
        run(model, [0.0, hours], ["cells"], {**changes, **given})["cells"][-1]
        for given in (start, dict.fromkeys(start, 0.0))
    ]
    return float(ends[0] / ends[1])


def half_dose(
    model: Model, changes: Values, shares: Values | None = None, spiked: Values | None = None
) -> float:
    """The dose that leaves half of the cells at 72 h, infinity if none below 1e6 nM does.

    A dose is shared among the species of `shares`; what is `spiked` is there whatever the dose.
    """
    spiked = spiked or {}
    base = {**changes, **spiked}
    alone = run(model, [0.0, 72.0], ["cells"], base)["cells"][-1]

    def excess(log_dose: float) -> float:
        dose = np.exp(log_dose)
        start = {name: share * dose for name, share in (shares or {"ADC": 1.0}).items()}
        return run(model, [0.0, 72.0], ["cells"], {**base, **start})["cells"][-1] / alone - 0.5

    low, high = np.log(1e-4), np.log(1e6)
    return float(np.exp(brentq(excess, low, high, xtol=1e-6))) if excess(high) < 0 else np.inf
