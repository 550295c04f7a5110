"""What a dose gives in plasma, free and decoyed, and how little the arrest of mitoses asks of it."""

from __future__ import annotations

import numpy as np
import pytest

from myelode import convert
from myelode.model import Model

from . import oracles
from .conditions import CYCLE, DOSE, NO_GROWTH, NO_SWITCH, ONE_CLONE, cycles, run

pytestmark = pytest.mark.xdist_group("belantamab patient")  # one worker compiles for all of them

HOURS = np.concatenate([np.linspace(0.0, 24.0, 49), np.linspace(30.0, CYCLE, 80)])
SOURCES = [0.0, 1.0, 4.0, 12.0]  # nmol/h, up to a kg of myeloma
MODES = ["patient", "mechanistic"]
FIXED = {**ONE_CLONE, **NO_SWITCH, **NO_GROWTH}


@pytest.fixture(params=MODES)
def model(request: pytest.FixtureRequest) -> Model:
    return request.getfixturevalue(request.param)


def test_free_adc_falls_with_soluble_bcma(model: Model) -> None:
    found = [
        run(
            model, HOURS, ["ADC_free_mass"], {**FIXED, "extra_source": source}, cycles(1), rtol=1e-7
        )
        for source in SOURCES
    ]
    levels = np.array([each["ADC_free_mass"] for each in found])[:, 1:]
    assert (np.diff(levels, axis=0) < 0).all()


def test_total_soluble_bcma_rises_after_a_dose_while_free_falls(model: Model) -> None:
    """What is held by antibody leaves as slowly as antibody; with the tumour as it was."""
    days = np.linspace(0.0, CYCLE, 22)
    changes = {**FIXED, "access": 0.0, "kAmax": 0.0}
    found = run(model, days, ["sBCMA_total", "sBCMA_free_mass"], changes, cycles(1))
    assert (np.diff(found["sBCMA_total"][1:8]) > 0).all()
    assert 1.1 < found["sBCMA_total"].max() / found["sBCMA_total"][0] < 3.0
    assert found["sBCMA_free_mass"][1] < 0.1 * found["sBCMA_free_mass"][0]


def test_total_adc_of_mode_a_does_not_know_of_soluble_bcma(patient: Model) -> None:
    names = ["ADC_total", "CL_now"]
    runs = [run(patient, HOURS, names, {"extra_source": s}, cycles(1)) for s in (0.0, 12.0)]
    for name in names:
        np.testing.assert_allclose(runs[1][name], runs[0][name], rtol=1e-7)


@pytest.mark.parametrize("source", SOURCES)
def test_equilibrium_of_arms_and_decoy_is_a_good_approximation(
    patient: Model, source: float
) -> None:
    """Free ADC from both totals alone: its area over a cycle within 5 %."""
    changes = {**FIXED, "extra_source": source, "V_sBCMA": 4.21, "V_c0": 4.21, "Kd": 0.8}
    names = ["ADC_total", "sBCMA_total", "c_ADC_plasma"]
    found = run(patient, HOURS, names, changes, cycles(1), rtol=1e-7)
    taken = oracles.arms_taken(2 * found["ADC_total"], found["sBCMA_total"], 0.8)
    approximate = np.trapezoid(found["ADC_total"] * (1 - taken) ** 2, HOURS)
    exact = np.trapezoid(found["c_ADC_plasma"], HOURS)
    assert approximate == pytest.approx(exact, rel=0.05)
    assert approximate != exact


def test_arrest_is_flat_between_the_doses_in_use(model: Model) -> None:
    """Mean share of mitoses that arrest in the first cycle, 2.5 against 3.4 mg/kg."""
    name = "arrest_high"
    means = [
        np.trapezoid(run(model, HOURS, [name], None, cycles(1, dose))[name], HOURS) / CYCLE
        for dose in (DOSE, DOSE * 3.4 / 2.5)
    ]
    assert 0 < means[1] - means[0] < 0.02
    assert means[0] > 0.2


def test_a_tenth_of_the_dose_is_not_flat(patient: Model) -> None:
    low, usual = (
        run(patient, HOURS, ["arrest_low"], None, cycles(1, dose))["arrest_low"].mean()
        for dose in (DOSE / 10, DOSE)
    )
    assert low < 0.7 * usual


def test_masses_are_levels_times_molar_masses(model: Model) -> None:
    names = ["ADC_total", "ADC_total_mass", "c_ADC_plasma", "ADC_free_mass", "sBCMA_total",
             "sBCMA_total_mass", "c_payload", "payload_plasma_mass"]  # fmt: skip
    found = {n: v[-1] for n, v in run(model, [0.0, 48.0], names, None, cycles(1)).items()}
    weights = {
        "ADC": ("152 kDa", "ug/mL"),
        "sBCMA": ("5.8 kDa", "ng/mL"),
        "payload": ("1046.3 g/mol", "ng/mL"),
    }
    pairs = [
        ("ADC_total", "ADC_total_mass", "ADC"), ("c_ADC_plasma", "ADC_free_mass", "ADC"),
        ("sBCMA_total", "sBCMA_total_mass", "sBCMA"), ("c_payload", "payload_plasma_mass", "payload"),
    ]  # fmt: skip
    for level, mass, what in pairs:
        molar_mass, unit = weights[what]
        expected = convert(f"{float(found[level])!r} nM", unit, molar_mass=molar_mass)
        assert found[mass] == pytest.approx(expected, rel=1e-9), mass


@pytest.mark.parametrize(
    ("quantity", "unit", "by", "number"),
    [
        ("1 ug/mL", "nM", {"molar_mass": "152 kDa"}, 6.58),
        ("1 ng/mL", "nM", {"molar_mass": "5.8 kDa"}, 0.1724),
        ("1 ng/mL", "nM", {"molar_mass": "1046.3 g/mol"}, 0.956),
        ("10000 copies/cell", "pM", {"cells": "1e5 /mL"}, 1.66),
        ("10000 copies/cell", "pM", {"cells": "1e6 /mL"}, 16.6),
        ("187.5 mg", "nmol", {"molar_mass": "152 kg/mol"}, 1233.6),
    ],
)
def test_conversions_of_the_model_go_there_and_back(
    quantity: str, unit: str, by: dict[str, str], number: float
) -> None:
    found = convert(quantity, unit, **by)
    assert found == pytest.approx(number, rel=2e-3)
    own = quantity.split(" ", 1)
    assert convert(f"{found!r} {unit}", own[1], **by) == pytest.approx(float(own[0]), rel=1e-12)
