"""The cereblon model, loaded once, and the same in the conditions of the closed forms."""

from __future__ import annotations

import pytest

from myelode.model import Model, load_model

from .conditions import CORE, TARGET_ALONE, under


@pytest.fixture(scope="session")
def dish() -> Model:
    return load_model("cereblon", "dish")


@pytest.fixture(scope="session")
def protac() -> Model:
    return load_model("cereblon", "protac")


@pytest.fixture(scope="session")
def core(dish: Model) -> Model:
    """IKZF1 alone with a ligase that stays, and ligands whose free level is that outside."""
    return under(dish, CORE)


@pytest.fixture(scope="session")
def dilute(dish: Model) -> Model:
    """The same, with too little IKZF1 to occupy any ligase."""
    return under(dish, {**CORE, "P0_IKZF1": 1e-6})


@pytest.fixture(scope="session")
def target_alone(protac: Model) -> Model:
    """A degrader between the ligase and its target, at equilibrium; nothing else binds."""
    return under(protac, {**CORE, **TARGET_ALONE})
