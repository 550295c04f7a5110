"""`dose_response`: a scenario over doses, its curves, what they say, and folds to the reference."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from myelode.endpoints import compute_endpoints
from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.plan import Plan
from myelode.regimens.steps import Context, Quantity
from myelode.responses.curve_numbers import numbers_of
from myelode.responses.draws import simulate_draws
from myelode.responses.hill import LEAST_DOSES
from myelode.responses.ladders import Asked, with_draws, with_ladder, with_perturbations
from myelode.responses.readings import Reading, read_what, reduced
from myelode.responses.titrations import Titrated
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import plan_scenario, read_tolerances
from myelode.subjects import model_of


def dose_response(
    scenario: Scenario | str,
    of: str | None = None,
    at: str | None = None,
    take: str | None = None,
    dose: str | None = None,
    low: Quantity | None = None,
    high: Quantity | None = None,
    points: int | None = None,
    perturbations: Sequence[str] | None = None,
    uncertainty: int = 0,
    seed: int = 1,
    fit: bool = False,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """The dose-response curves of a scenario, their numbers, and folds to its reference.

    Parameters
    ----------
    of : the endpoint or output that is the response; by default what the outcome rule is about,
        else the first endpoint over doses, else the first.
    at, take : the time of reading, and how a time course is read: value, max, min, auc or mean.
    dose, low, high, points : the ladder: a labelled dose or a value of the model, its ends and
        number of doses, on a log scale. By default the scenario's own ladder, else 25 doses from
        a thousandth to a thousand times the dose of the regimen. Dose zero is always added.
    perturbations : those to run beside the reference, by default all of the scenario.
    uncertainty : how many draws of the uncertain numbers give the intervals.
    fit : whether to fit Hill curves too.

    Returns
    -------
    xarray.Dataset
        ``response`` has the dimensions ``(perturbation[, compound][, arm][, dose2], dose)``, all
        other variables those but ``dose``: ``ic50, ec50, emax, hill, auc, gr50, grmax, gr_aoc,
        fold, outcome, reason, flags`` and more, each with its unit and definition. Intervals have
        the dimension ``quantile``. A half dose is infinity where no dose is enough and zero where
        the lowest is more than enough; ``flags`` says what to know. The attributes hold
        ``read_at`` and ``definition``, the ``ledger`` of draws that failed, and the origin.

    Raises ScenarioError or ModelError for faults in the input, SimulationError for a failed run.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(scenario)
    asked = Asked(dose, low, high, points)
    titration = prepare(scenario, asked, (of, at, take), perturbations, uncertainty, seed)
    return titrate(titration, engine, rtol, atol, progress, fit)


def prepare(
    scenario: Scenario,
    asked: Asked,
    reading: tuple[str | None, str | None, str | None],
    perturbations: Sequence[str] | None = None,
    uncertainty: int = 0,
    seed: int = 1,
) -> tuple[Scenario, Model, Reading]:
    """The scenario as a titration that reads one thing, its model, and what it reads.

    `reading` is what is read, when, and how.
    """
    model = model_of(scenario)
    scenario = with_ladder(with_perturbations(scenario, perturbations), model, asked)
    if uncertainty < 0:
        raise ScenarioError(f"uncertainty is a number of draws, not {uncertainty}")
    if uncertainty:
        scenario = with_draws(scenario, uncertainty, seed)
    found = read_what(scenario, model, *reading)
    return reduced(scenario, found), model, found


def titrate(
    titration: tuple[Scenario, Model, Reading],
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
    fit: bool = False,
) -> xr.Dataset:
    """As `dose_response`, for what `prepare` gives."""
    scenario, model, reading = titration
    tolerances = read_tolerances(rtol, atol)
    plan = plan_scenario(scenario, engine, tolerances, model=model)
    _require_doses(plan, fit)
    dataset, ledger = simulate_draws(plan, engine, tolerances, progress)
    context = Context(plan.model)
    result = compute_endpoints(dataset, scenario, context)
    if "dose" not in result[reading.name].dims:
        raise ScenarioError(f"{reading.name!r} is one number for all doses: it is no response")
    return numbers_of(Titrated(dataset, result, scenario, reading, context), ledger, fit)


def _require_doses(plan: Plan, fit: bool) -> None:
    """Refuse a ladder that is too short, before anything is run."""
    doses = next(axis.values for axis in plan.axes if axis.name == "dose")
    least = LEAST_DOSES if fit else LEAST_DOSES - 1
    if len(doses) - 1 < least:
        what = "a fit of a Hill curve" if fit else "a dose-response curve"
        said = f"{what} needs {least} positive doses or more, not {len(doses) - 1}"
        raise ScenarioError(f"{plan.scenario.id}: {said}")
