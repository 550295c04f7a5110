"""The library that stores are made with, which is loaded where one is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from myelode.errors import ScenarioError


def load_zarr() -> Any:
    """The library zarr; raises ScenarioError where it is not installed."""
    try:
        return import_module("zarr")
    except ModuleNotFoundError:
        said = "stores of sweeps need the extra 'sweeps': pip install 'myelode[sweeps]'"
        raise ScenarioError(said) from None
