"""Engines: what integrates a model. All answer one protocol, and are compared in the tests."""

from __future__ import annotations

from collections.abc import Callable

from myelode.engines.protocol import Engine, Run, Simulator, Tolerances
from myelode.errors import ScenarioError, UnsupportedModelError, best_matches

__all__ = [
    "ENGINES",
    "Engine",
    "Run",
    "Simulator",
    "Tolerances",
    "choose_engine",
    "reproducible_engine",
]


def _roadrunner() -> Engine:
    from myelode.engines.roadrunner import RoadRunnerEngine

    return RoadRunnerEngine()


def _scipy() -> Engine:
    from myelode.engines.scipy import ScipyEngine

    return ScipyEngine()


def _ensemble(reproducible: bool = False) -> Engine:
    try:
        from myelode.engines.ensemble.engine import EnsembleEngine
    except ModuleNotFoundError:
        raise UnsupportedModelError(
            "numba and llvmlite are missing, without which there is no ensemble engine: "
            "pip install 'myelode[ensemble]'"
        ) from None
    except (ImportError, OSError) as error:
        said = " ".join(str(error).split())
        raise UnsupportedModelError(
            f"numba and llvmlite do not work here, so that there is no ensemble engine: {said}"
        ) from None
    return EnsembleEngine(reproducible)


ENGINES: dict[str, Callable[[], Engine]] = {
    "roadrunner": _roadrunner, "scipy": _scipy, "ensemble": _ensemble,
}  # fmt: skip


def choose_engine(name: str) -> Engine:
    """The engine of that name; ``auto`` is libRoadRunner, which does single runs soonest."""
    wanted = "roadrunner" if name == "auto" else name
    if wanted not in ENGINES:
        raise ScenarioError(f"unknown engine {name!r}{best_matches(name, ['auto', *ENGINES])}")
    return ENGINES[wanted]()


def reproducible_engine() -> Engine:
    """The ensemble engine, with the same numbers on every kind of processor."""
    return _ensemble(reproducible=True)
