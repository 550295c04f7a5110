"""The belantamab model, each variant loaded once."""

from __future__ import annotations

import pytest

from myelode.model import Model, load_model


@pytest.fixture(scope="session")
def dish() -> Model:
    return load_model("belantamab", "dish")


@pytest.fixture(scope="session")
def fragment() -> Model:
    """The dish with an antibody of one arm."""
    return load_model("belantamab", "dish_monovalent")


@pytest.fixture(scope="session")
def patient() -> Model:
    """Mode A: plasma kinetics of the population model."""
    return load_model("belantamab", "patient")


@pytest.fixture(scope="session")
def mechanistic() -> Model:
    """Mode B: plasma kinetics from binding and linear clearance."""
    return load_model("belantamab", "patient_tmdd")
