"""Which reaction carries how much of the production and the loss of a species at one moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from myelode.datasets import NOTICE
from myelode.engines import Run, Tolerances
from myelode.engines.bulk import run_all
from myelode.errors import ScenarioError, SimulationError, best_matches
from myelode.figure_sections import FigureRule
from myelode.flux_terms import Terms, terms_of
from myelode.model import Model
from myelode.perturbations import require_changeable
from myelode.plan import Plan
from myelode.provenance import evidence_of
from myelode.regimens.steps import Context, Quantity, resolve_time
from myelode.regimens.timeline import Timeline
from myelode.scenario import Scenario, load_scenario, perturbation_names
from myelode.sections import Design, Observe
from myelode.simulation import plan_scenario, read_tolerances, run_plan
from myelode.subjects import model_of
from myelode.units import to_unit

COUNTED = (
    "a reaction that runs both ways counts by the sign of its net flux; doses, washes and events "
    "change a species at once and are no flux"
)
SMALL = 0.005
MOST_NAMED = 4


def fluxes(
    source: Scenario | Model | str,
    species: str,
    at: Quantity,
    perturbation: str | None = None,
    arm: str | None = None,
    compound: str | None = None,
    changes: Mapping[str, float] | None = None,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
) -> xr.Dataset:
    """What each reaction does to a species at one moment.

    Parameters
    ----------
    source : a scenario, whose ladder and virtual subjects are left out, or a plain model.
    species : what reactions change, or a rate rule.
    at : a moment such as ``3 h`` or ``wash + 1 h``; for a model in its own unit of time too. At an
        event it is the moment just after it, ``wash-`` the one before.
    perturbation, arm, compound : those that are meant; all perturbations where none is named.
    changes : values that differ from a plain model.

    Returns
    -------
    Dataset along ``reaction`` (and ``perturbation``): ``flux``, in amount per time, positive for
    production, its ``share_of_production`` and ``share_of_loss``; ``production``, ``loss`` and
    ``net`` of all. A reaction that runs both ways counts by the sign of its net flux.

    Raises
    ------
    ScenarioError, SimulationError, UnsupportedModelError
    """
    tolerances = read_tolerances(rtol, atol)
    if isinstance(source, Model):
        if named := [name for name in (perturbation, arm, compound) if name is not None]:
            raise ScenarioError(f"{named[0]!r} goes with a scenario, and not with a model")
        return _of_model(source, species, at, changes or {}, engine, tolerances)
    if changes:
        raise ScenarioError("changes go with a model: a scenario has settings and perturbations")
    scenario = load_scenario(source) if isinstance(source, str) else source
    cut = _cut(scenario, at, arm, compound)
    return _of_scenario(_with_perturbation(cut, perturbation), species, at, engine, tolerances)


def _of_scenario(
    scenario: Scenario, species: str, at: Quantity, engine: str, tolerances: Tolerances
) -> xr.Dataset:
    """The fluxes of a scenario that has one arm and one compound."""
    model = model_of(scenario)
    model.entity(species, "species")
    observed = scenario.observe.model_copy(update={"outputs": [species]})
    cut = scenario.model_copy(update={"observe": observed})
    plan = plan_scenario(cut, engine, tolerances, model=model)
    terms = terms_of(plan.sbml, plan.model, species)
    outputs = tuple(dict.fromkeys(term.output for term in terms.terms))
    runs = tuple(replace(r, run=replace(r.run, outputs=outputs, counts=())) for r in plan.runs)
    own = replace(plan, sbml=terms.sbml, outputs=outputs, counts=(), runs=runs)
    values, ran = run_plan(own, engine, tolerances)
    moment = _moment(plan, at)
    rates = values.reshape(len(plan.perturbations), len(plan.times), len(outputs))
    found = _as_dataset(terms, rates[:, int(np.argmin(np.abs(plan.times - moment)))], outputs)
    found = found.assign_coords(perturbation=np.array(list(plan.perturbations), dtype=object))
    here = {"scenario": scenario.id, "title": scenario.title, **_place(cut)}
    jumps = any(i.time == moment for planned in plan.runs for i in planned.run.timeline.instants)
    said = _attributes(plan.model, species, moment, terms, jumps)
    return found.assign_attrs(**here, **said, **evidence_of(plan), engine=ran.engine)


def _of_model(
    model: Model, species: str, at: Quantity, changes: Mapping[str, float], engine: str,
    tolerances: Tolerances,
) -> xr.Dataset:  # fmt: skip
    for name in changes:
        require_changeable(model, name)
    moment = float(at) if isinstance(at, int | float) else to_unit(at, model.time_unit, "at")
    if not 0 <= moment < math.inf:
        raise ScenarioError(f"at must be a moment from 0 on, not {at!r}")
    terms = terms_of(model.sbml, model, species)
    outputs = tuple(dict.fromkeys(term.output for term in terms.terms))
    run = Run(dict(changes), Timeline((), moment), np.array([moment]), outputs)
    ran = run_all(terms.sbml, [run], engine, tolerances)
    [rates] = ran.results
    if isinstance(rates, SimulationError):
        raise rates
    found = _as_dataset(terms, rates, outputs).squeeze("perturbation")
    said = _attributes(model, species, moment, terms, False)
    return found.assign_attrs(**said, engine=ran.engine)


def _cut(scenario: Scenario, at: Quantity, arm: str | None, compound: str | None) -> Scenario:
    """The scenario without endpoints and design, in one arm and with one compound."""
    changed: dict[str, Any] = {
        "design": Design(), "endpoints": {}, "outcome": None, "rules": {}, "scores": {},
        "expect": [], "combinations": {}, "activities": {}, "responses": {}, "assays": {},
        "trial": None, "figure": FigureRule(),
        "observe": Observe(until=scenario.observe.until, at=[at], outputs=["time"]),
    }  # fmt: skip
    arms = scenario.arms or {}
    chosen = _one("arm", arm, list(arms))
    if chosen is not None:
        changed["arms"] = {chosen: arms[chosen]}
        if isinstance(scenario.compound, dict):
            changed["compound"] = scenario.compound[chosen]
    drug = _one("compound", compound, scenario.compounds or [])
    if drug is not None:
        changed |= {"compounds": None, "compound": drug}
    return scenario.model_copy(update=changed)


def _one(axis: str, wanted: str | None, known: list[str]) -> str | None:
    """The one arm or compound that is meant; None where there are none."""
    if wanted is None and len(known) < 2:
        return known[0] if known else None
    if wanted is None:
        raise ScenarioError(
            f"the scenario has several: choose one with --{axis}: {', '.join(known)}"
        )
    if wanted not in known:
        raise ScenarioError(f"the scenario has no {axis} {wanted!r}{best_matches(wanted, known)}")
    return wanted


def _with_perturbation(scenario: Scenario, name: str | None) -> Scenario:
    """The scenario with one of its perturbations only, or with one of its model."""
    if name is None:
        return scenario
    names = perturbation_names(scenario)
    items = [item for item, own in zip(scenario.perturbations, names, strict=True) if own == name]
    return scenario.model_copy(update={"perturbations": items or [name], "reference": name})


def _moment(plan: Plan, at: Quantity) -> float:
    [labels] = plan.labels.values()
    return resolve_time(at, labels, Context(plan.model))


def _place(scenario: Scenario) -> dict[str, str]:
    found = {"compound": scenario.compound, "arm": next(iter(scenario.arms or {}), None)}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _as_dataset(terms: Terms, rates: np.ndarray, outputs: tuple[str, ...]) -> xr.Dataset:
    """From rates of shape (perturbations, outputs), with the largest fluxes first."""
    counts = np.array([term.count for term in terms.terms])
    flux = counts * rates[:, [outputs.index(term.output) for term in terms.terms]]
    order = np.argsort(-np.abs(flux).max(axis=0), kind="stable")
    flux, dims = flux[:, order], ("perturbation", "reaction")
    made, lost = np.maximum(flux, 0.0), np.maximum(-flux, 0.0)
    totals = {"production": _sums(made), "loss": _sums(lost), "net": _sums(flux)}
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            "share_of_production": made / totals["production"][:, np.newaxis],
            "share_of_loss": lost / totals["loss"][:, np.newaxis],
        }
    found = xr.Dataset(
        {"flux": (dims, flux), **{name: (dims, values) for name, values in shares.items()}}
        | {name: ("perturbation", values) for name, values in totals.items()},
        coords=_labels(terms, order),
    )
    for name, data in found.data_vars.items():
        is_share = str(name).startswith("share")
        label = str(name).replace("_", " ")
        data.attrs = {"units": "dimensionless" if is_share else terms.unit, "long_name": label}
    return found


def _sums(rows: np.ndarray) -> np.ndarray:
    return np.array([math.fsum(row) for row in rows])


def _labels(terms: Terms, order: np.ndarray) -> dict[str, Any]:
    ordered = [terms.terms[at] for at in order]
    texts = {
        "reaction": [term.id for term in ordered],
        "reaction_title": [term.title for term in ordered],
        "rate": [term.equation for term in ordered],
    }
    found = {name: ("reaction", np.array(said, dtype=object)) for name, said in texts.items()}
    return {**found, "stoichiometry": ("reaction", np.array([term.count for term in ordered]))}


def _attributes(
    model: Model, species: str, moment: float, terms: Terms, jumps: bool
) -> dict[str, Any]:
    notes = [f"event {name} of the model sets {species} at once" for name in terms.events]
    notes += ["a step of the regimen acts at this time: fluxes are those just after it"] * jumps
    return {
        "model": model.name, "variant": model.variant, "species": species,
        "species_title": model.label_of(species), "at": moment, "time_unit": model.time_unit or "",
        "counted": COUNTED, "notes": "; ".join(notes), "notice": NOTICE,
    }  # fmt: skip


def sentences(found: xr.Dataset) -> Iterator[str]:
    """What `fluxes` found: ``none: at 3 h, 82 % of payload loss is efflux.``"""
    attrs = found.attrs
    when = f"at {attrs['at']:.4g} {attrs['time_unit']}".strip()
    points = [found]
    if "perturbation" in found.dims:
        points = [found.isel(perturbation=at) for at in range(found.sizes["perturbation"])]
    for point in points:
        who = f"{point['perturbation'].item()}: " if len(points) > 1 else ""
        for side in ("loss", "production"):
            yield f"{who}{when}, {_side(point, side, attrs['species'])}."
    yield from (f"Note: {note}." for note in filter(None, [attrs["notes"]]))


def _side(point: xr.Dataset, side: str, species: str) -> str:
    total = float(point[side])
    if total == 0:
        return f"there is no {side} of {species}"
    unit = point[side].attrs["units"]
    shares = point[f"share_of_{side}"].values
    titles = point["reaction_title"].values
    named = [at for at in np.argsort(-shares, kind="stable") if shares[at] >= SMALL][:MOST_NAMED]
    first, *others = (f"{100 * shares[at]:.0f} %" for at in named)
    said = [f"{first} of {species} {side} is {titles[named[0]]}"]
    said += [f"{share} {titles[at]}" for share, at in zip(others, named[1:], strict=True)]
    return f"{', '.join(said)} (in all {total:.3g} {unit}".strip() + ")"
