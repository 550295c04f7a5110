"""How multiple-myeloma cells, tumours and patients escape three classes of drug.

    import myelode

    result = myelode.simulate("gamma_h2ax_washout")
    endpoints = myelode.evaluate(result)

Importing this package loads none of the libraries below it: a public name is looked up in its
module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from myelode import errors

if TYPE_CHECKING:
    from myelode.assays.absorbance import specific_activity
    from myelode.attribution.explanation import why
    from myelode.clinic.criteria import imwg_response
    from myelode.conversion import convert
    from myelode.engines.summary import Summary
    from myelode.flux_shares import fluxes
    from myelode.interactions.checkerboards import synergy
    from myelode.model import Model, load_model
    from myelode.outcomes import evaluate
    from myelode.quantile_bands import bands
    from myelode.responses.dose_responses import dose_response
    from myelode.responses.matrices import cross_resistance
    from myelode.scenario import Scenario, load_scenario
    from myelode.sensitivities.analysis import sensitivity
    from myelode.simulation import simulate
    from myelode.sweeps.sweeping import sweep

_MODULE_OF = {
    "Model": "model",
    "Scenario": "scenario",
    "Summary": "engines.summary",
    "bands": "quantile_bands",
    "convert": "conversion",
    "cross_resistance": "responses.matrices",
    "dose_response": "responses.dose_responses",
    "evaluate": "outcomes",
    "fluxes": "flux_shares",
    "imwg_response": "clinic.criteria",
    "load_model": "model",
    "load_scenario": "scenario",
    "sensitivity": "sensitivities.analysis",
    "simulate": "simulation",
    "specific_activity": "assays.absorbance",
    "sweep": "sweeps.sweeping",
    "synergy": "interactions.checkerboards",
    "why": "attribution.explanation",
}

__all__ = [
    "Model",
    "Scenario",
    "Summary",
    "__version__",
    "bands",
    "convert",
    "cross_resistance",
    "dose_response",
    "errors",
    "evaluate",
    "fluxes",
    "imwg_response",
    "load_model",
    "load_scenario",
    "sensitivity",
    "simulate",
    "specific_activity",
    "sweep",
    "synergy",
    "why",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULE_OF:
        return getattr(import_module(f"myelode.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'myelode' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)


def _version() -> str:
    """The installed version; sources that are used without being installed have none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("myelode")
    except PackageNotFoundError:
        return "0+unknown"
