"""The shipped sweep of melflufen gives the elasticities of the dossier (its section 5)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from myelode import sensitivity

ENDPOINTS = ("ic50_melflufen", "ic50_melphalan", "potency_ratio", "cmax_ratio", "h2", "retained")
TABLE = """
a_D         -1.00  -1.01  -0.01   0.00   0.84   0.04
f_S         -1.00  -1.01  -0.01   0.00   0.84   0.04
n_D          1.06   1.07   0.01   0.00   0.00  -0.22
fu_m        -0.93   0.00   0.93   0.96   0.79   0.04
D50          0.93   0.93   0.01   0.00   0.00  -0.27
phi         -0.79  -0.80  -0.01   0.00   0.57   0.05
k_max       -0.69  -0.69  -0.01   0.00   0.00   0.00
k_a         -0.66  -0.76  -0.10  -0.08   0.57   0.02
K_G         -0.60  -0.61  -0.01   0.00   0.50   0.02
w_i         -0.58  -0.58  -0.01   0.00   0.46   0.05
k_p         -0.50   0.00   0.50   0.51   0.42   0.02
k_out        0.50   0.53   0.03   0.01  -0.39  -0.02
k_x         -0.48  -0.48   0.00   0.00   0.44   0.00
k_q          0.47   0.47   0.01   0.00  -0.20  -0.08
k_FA         0.46   0.46   0.00   0.00   0.01  -0.40
k_MF_hyd     0.42   0.00  -0.42  -0.20  -0.31  -0.02
CL_EST      -0.33   0.00   0.33   0.32   0.28   0.01
k_MF_est_e   0.24   0.00  -0.24  -0.11  -0.17  -0.01
PS_d         0.22  -0.11  -0.32  -0.32  -0.17  -0.01
w_m         -0.20  -0.20   0.00   0.00   0.26  -0.01
k_W         -0.16  -0.16   0.00   0.00   0.00   0.18
k_MEL_hyd    0.00   1.00   1.00   0.22   0.00   0.00
CL_L         0.00  -0.67  -0.67  -0.67   0.00   0.00
comp         0.00   0.62   0.62   0.63   0.00   0.00
CL_AP_c     -0.09   0.00   0.09   0.11   0.08   0.00
k_AP_des    -0.09   0.00   0.09   0.21   0.09   0.00
rho_D       -0.05   0.00   0.05   0.00   0.04   0.00
CL_APN_i    -0.03   0.00   0.03   0.04   0.03   0.00
fu_c         0.00   0.00   0.00   0.00   0.00   0.00
"""
LARGE = 0.2
AS_PRINTED = 0.02
"""Sizes this far apart are told apart: those of the dossier are rounded, on both sides."""


@pytest.fixture(scope="module")
def found() -> xr.DataArray:
    return sensitivity("melflufen_elasticities")["elasticity"]


@pytest.fixture(scope="module")
def dossier() -> xr.DataArray:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    values = np.array([row[1:] for row in rows], dtype=float).T
    names = [row[0] for row in rows]
    coords = {"endpoint": list(ENDPOINTS), "parameter": names}
    return xr.DataArray(values, coords, ("endpoint", "parameter"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_large_elasticities_have_the_sign_and_rank_of_the_dossier(
    endpoint: str, found: xr.DataArray, dossier: xr.DataArray
) -> None:
    theirs = dossier.sel(endpoint=endpoint)
    theirs = theirs[np.abs(theirs.values) >= LARGE]
    ours = found.sel(endpoint=endpoint, parameter=theirs["parameter"].values)
    assert (np.sign(ours.values) == np.sign(theirs.values)).all()
    assert spearmanr(np.abs(ours.values), np.abs(theirs.values)).statistic > 0.98
    for one, other in itertools.combinations(range(theirs.size), 2):
        apart = abs(theirs.values[one]) - abs(theirs.values[other])
        if abs(apart) > AS_PRINTED:
            assert (abs(ours.values[one]) - abs(ours.values[other])) * apart > 0


def test_all_elasticities_have_the_size_of_the_dossier(
    found: xr.DataArray, dossier: xr.DataArray
) -> None:
    ours = found.sel(parameter=dossier["parameter"], endpoint=dossier["endpoint"])
    difference = np.abs(ours - dossier)
    assert difference.max() < 0.015
    assert difference.mean() < 0.004
