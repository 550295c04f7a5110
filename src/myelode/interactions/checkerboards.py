"""Synergy of two agents of a scenario: indices of its checkerboard, with intervals and verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import xarray as xr

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.interactions.boards import Board
from myelode.interactions.tables import tabulate
from myelode.interactions.wells import Wells
from myelode.model import Model
from myelode.regimens.steps import Quantity
from myelode.responses.ladders import with_draws
from myelode.responses.readings import read_what
from myelode.scenario import Scenario, load_scenario
from myelode.sections import Endpoint
from myelode.simulation import read_tolerances
from myelode.subjects import model_of

LEVELS = (0.5, 0.75)
BRACKET = 100.0
MIXTURES = (0.5, 0.1, 0.25, 0.75, 0.9)
"""The mixtures of an isobologram, by the share of the second agent; verdicts are on the first."""


def synergy(
    scenario: Scenario | str,
    of: str | None = None,
    at: Quantity | None = None,
    levels: Sequence[float] = LEVELS,
    ratio: float | None = None,
    uncertainty: int | None = None,
    seed: int = 1,
    bracket: float = BRACKET,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """How two agents act together: combination index, Loewe, Bliss and HSA, side by side.

    The ladders ``design.dose`` and ``design.dose2`` are the board; each is over a labelled dose or
    over a parameter of the model, such as the concentration of an inhibitor. The effect is one
    minus what is left over the well without either. Doses of equal effect are found on the model.

    Parameters
    ----------
    of, at : an endpoint of the scenario or an output of the model, and when it is read; by default
        what the scenario judges, else its first endpoint.
    levels : effects between 0 and 1 at which a mixture of fixed ratio is judged.
    ratio : the second dose over the first in that mixture, in the units of the two ladders; by
        default that of their highest doses.
    uncertainty : how often the uncertain numbers are drawn beside the typical ones, from `seed`.
        Without draws nothing is called synergy.
    bracket : how far beyond both ends of a ladder equal effects are looked for, as a factor.
    engine, rtol, atol, progress : as in `myelode.simulate`.

    Returns
    -------
    A dataset with dimensions ``(perturbation[, compound][, arm], dose, dose2[, sample])``; index
    and limit, excesses, ``undefined`` (why there is no index), verdicts, and those of the levels.

    Raises ScenarioError or ModelError for faults in the input, SimulationError where all runs fail.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(scenario)
    _require_agents(scenario)
    _require_numbers(levels, ratio, bracket)
    if uncertainty is not None:
        scenario = with_draws(scenario, uncertainty, seed)
    model = model_of(scenario)
    read = _reading(scenario, model, of, at)
    wells = Wells(scenario, model, read, engine, read_tolerances(rtol, atol), progress)
    board = Board(wells, bracket, ratio, MIXTURES)
    return tabulate(board, tuple(levels))


def _require_agents(scenario: Scenario) -> None:
    missing = [name for name in ("dose", "dose2") if getattr(scenario.design, name) is None]
    if missing:
        said = (
            f"{scenario.id}: synergy needs two agents, and design has no {' and no '.join(missing)}"
        )
        raise ScenarioError(f"{said}: give each a ladder")


def _require_numbers(levels: Sequence[float], ratio: float | None, bracket: float) -> None:
    """Refuse levels, ratios and brackets that have no meaning."""
    if not levels or any(not 0 < level < 1 for level in levels):
        raise ScenarioError(f"levels are effects between 0 and 1, and not {list(levels)}")
    if len(set(levels)) < len(levels):
        raise ScenarioError(f"a level is named twice in {list(levels)}")
    named: Mapping[str, tuple[float, float]] = {"bracket": (bracket, 1.0)}
    named = {**named, **({"ratio": (ratio, 0.0)} if ratio is not None else {})}
    for name, (value, least) in named.items():
        if not (math.isfinite(value) and value > least):
            raise ScenarioError(f"{name} must be a number above {least:g}, and is {value:g}")


def _reading(scenario: Scenario, model: Model, of: str | None, at: Quantity | None) -> Endpoint:
    """What is read: an output of the model, at a time."""
    found = read_what(scenario, model, of, None if at is None else str(at), "value").endpoint
    if found.of is None or found.of not in model.entities:
        said = f"{of or found.of or 'the endpoint'!r} is no output of {model.name} at a time"
        raise ScenarioError(f"{scenario.id}: {said}: synergy needs one (--of, --at)")
    return found
