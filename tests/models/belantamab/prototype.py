"""The core of the dish as plain equations, independent of the model: one line in 100 uL of medium.

It is the prototype by which the model was specified, with a choice: what a cell holds is diluted by
its divisions, or, as the prototype did, by net growth if that is positive (`net_dilution` 1), which
spares what is bound to the surface. Values go by the names of the model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp

AVOGADRO = 6.02214e14  # molecules per nmol
WELL = 1e-4  # L
AS_IT_IS = {
    "fMRP": 1.0, "mutT": 1.0, "f_Lys": 1.0, "f_esc": 1.0, "f_int": 1.0, "f_division": 1.0,
    "MK571": 0.0, "Igs_0": 0.0, "epitope": 1.0, "net_dilution": 0.0,
}  # fmt: skip
STATES = (
    "A", "S", "X1", "X2", "free_payload", "R", "B", "BB", "BS", "E", "L", "P", "PT", "N", "G",
)  # fmt: skip
SIZES = np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1, 1, 1, 1, 1, 1, 1e-2, 1e-2, 1, 1])


def slopes(_: float, state: np.ndarray, v: Mapping[str, float]) -> np.ndarray:
    """Rates of change; `v` are the values, see DISH of the conditions."""
    a, s, x1, x2, outside, r, b, bb, bs, e, lys, p, pt, n, g = state
    all_cells = n + g
    per_well = all_cells / (AVOGADRO * WELL)
    k_off, k_shed = v["kon"] * v["Kd"], v["ksh"] * (1 - v["Igs_0"])
    k_on_cell = v["kon"] * v["epitope"]
    k_cross = k_on_cell * v["alpha"] / (AVOGADRO * v["Veff"])

    one_arm = 2 * k_on_cell * a * r - k_off * b
    two_arms = k_cross * b * r - 2 * k_off * bb
    decoyed_arm = k_on_cell * x1 * r - k_off * bs
    decoy_arm = v["kon"] * s * b - k_off * bs
    decoyed = 2 * v["kon"] * a * s - k_off * x1
    decoyed_twice = v["kon"] * x1 * s - 2 * k_off * x2
    lost, inward = v["f_sh"] * k_shed, v["kintc"] * v["f_int"]

    share = pt / v["Ttot"]
    arrest = (
        share ** v["hocc"] / (v["occ50"] ** v["hocc"] + share ** v["hocc"]) if share > 0 else 0.0
    )
    entry = np.log(2) / v["T_div"] * v["f_division"]
    by_net = v["net_dilution"]
    thinned = (
        entry * ((1 - by_net) * (1 - arrest) + by_net * max(1 - 2 * arrest, 0.0)) * n / all_cells
    )
    births = (1 - by_net) * thinned
    k_death = v["kap"] / v["f_bcl"]

    cut = v["klys"] * v["f_Lys"] * e
    exit_ = v["kesc"] * v["f_esc"] * lys
    pump = v["VmM"] * v["fMRP"] / (v["KmM"] * (1 + v["MK571"] / v["KiMK"]) + p)
    out, back = (pump + v["kleak"]) * p, v["kin"] * outside
    on_tubulin = v["kont"] * (p * (v["Ttot"] - pt) - v["Kt"] * v["mutT"] * pt)
    cytosol = AVOGADRO * v["Vcell"]
    return np.array([
        -per_well * one_arm - decoyed,
        per_well * (k_shed * r - decoy_arm) - decoyed - decoyed_twice,
        decoyed - decoyed_twice + per_well * (lost * b - decoyed_arm),
        decoyed_twice + per_well * lost * bs,
        per_well * (out - back) * cytosol,
        v["R0"] * v["f_BCMA"] * (v["kint"] + v["ksh"]) - (v["kint"] + k_shed) * r
        - one_arm - two_arms - decoyed_arm,
        one_arm - two_arms - decoy_arm - (inward + lost + births) * b,
        two_arms - (inward + 2 * lost + births) * bb,
        decoyed_arm + decoy_arm + 2 * lost * bb - (inward + lost + births) * bs,
        inward * (b + bb + bs) - cut - thinned * e,
        v["DAR"] * cut - exit_ - thinned * lys,
        exit_ / cytosol - on_tubulin - out + back - thinned * p,
        on_tubulin - thinned * pt,
        entry * (1 - 2 * arrest) * n + v["kslip"] * g,
        entry * arrest * n - (k_death + v["kslip"]) * g,
    ])  # fmt: skip


def cultured(values: Mapping[str, float], hours: float = 72.0, **start: float) -> dict[str, float]:
    """The state after so many hours; `start` holds what is in the medium at first."""
    v = {**AS_IT_IS, **values}
    surface = v["R0"] * v["f_BCMA"] * (v["kint"] + v["ksh"])
    first = {
        "R": surface / (v["kint"] + v["ksh"] * (1 - v["Igs_0"])),
        "N": v["cells_seeded"],
        **start,
    }
    state = np.array([first.get(name, 0.0) for name in STATES])
    done = solve_ivp(slopes, (0.0, hours), state, "LSODA", args=(v,), rtol=1e-8, atol=1e-8 * SIZES)
    if not done.success:
        raise RuntimeError(done.message)
    return dict(zip(STATES, done.y[:, -1], strict=True))


def viable(values: Mapping[str, float], hours: float = 72.0, **start: float) -> float:
    """Cells that live, arrested or not."""
    end = cultured(values, hours, **start)
    return end["N"] + end["G"]
