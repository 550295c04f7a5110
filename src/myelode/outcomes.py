"""From endpoints to a verdict: fold change, outcome class and reason, rules and expectations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelode.combinations import add_combinations
from myelode.endpoints import compute_endpoints
from myelode.errors import ScenarioError
from myelode.expressions import Value, holds, holds_each, names_in
from myelode.lookups import Points, find, first_of, points_of, scalars
from myelode.model import model_from_sbml
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, expressions_of, scenario_from_text
from myelode.scores import add_scores
from myelode.sections import FLAG, Case, OutcomeRule

CLASSES = ("sensitive", "reduced", "resistant", "undetermined")
NO_LABEL = "no label"


@dataclass(frozen=True)
class Expectation:
    """A line under `expect`, and whether it holds."""

    text: str
    passed: bool


def evaluate(dataset: xr.Dataset) -> xr.Dataset:
    """The endpoints, fold changes, outcomes and rule labels of a simulated scenario.

    Returns a dataset with one variable per endpoint (with units), ``fold``, ``outcome`` and
    ``reason`` where the scenario has an outcome rule, one text variable per rule, and the confusion
    matrix and accuracy of every score.
    Raises ScenarioError where the dataset or an endpoint does not allow it.
    """
    if "scenario" not in dataset.attrs:
        raise ScenarioError("the dataset holds no scenario: evaluate takes what simulate returns")
    attributes = {name: str(dataset.attrs[name]) for name in ("scenario", "sbml", "model")}
    scenario = scenario_from_text(attributes["scenario"], "scenario of the result")
    model = model_from_sbml(attributes["sbml"], attributes["model"], "model of the result")
    return evaluate_scenario(dataset, scenario, Context(model))


def evaluate_scenario(
    dataset: xr.Dataset, scenario: Scenario, context: Context, *, briefly: bool = False
) -> xr.Dataset:
    """As `evaluate`, for a scenario and model at hand.

    It is done `briefly` without reasons, and with samples that stand apart: without scores, and
    without the rates, curves and dropout of responses.
    """
    result = compute_endpoints(dataset, scenario, context, briefly=briefly)
    result.attrs = {**dataset.attrs, "reference": scenario.reference}
    add_combinations(result, scenario)
    if scenario.outcome is not None:
        _add_fold(result, scenario.outcome, scenario.reference)
        _require_names(result, scenario, "outcome")
        with scenario.at("outcome"):
            _add_outcome(result, scenario.outcome, briefly)
    for name, cases in scenario.rules.items():
        _require_names(result, scenario, "rules", name)
        with scenario.at("rules", name):
            result[name] = _labels(result, cases, name.replace("_", " "))
    if not briefly:
        add_scores(result, scenario)
    return result


def check_expectations(result: xr.Dataset, scenario: Scenario) -> list[Expectation]:
    """Every line under `expect`, evaluated on the result; on the typical one of several draws."""
    checked = []
    if scenario.design.uncertainty:
        result = result.isel(sample=0)
    for number, text in enumerate(scenario.expect):
        with scenario.at("expect", number):
            checked.append(Expectation(text, holds(text, scalars(result, text))))
    return checked


def _require_names(result: xr.Dataset, scenario: Scenario, *section: str) -> None:
    """Look up every name in the conditions of a section, so that a fault has its line."""
    for path, text in expressions_of(scenario):
        if path[: len(section)] == section:
            with scenario.at(*path):
                for name in names_in(text):
                    find(result, name)


def _add_fold(result: xr.Dataset, rule: OutcomeRule, reference: str) -> None:
    base = result[rule.of].sel(perturbation=reference, drop=True)
    # A ratio to nothing, or to what is never reached, says nothing.
    fold = result[rule.of].variable / base.where((base > 0) & np.isfinite(base)).variable
    attributes = {"units": "dimensionless", "long_name": f"{rule.of} relative to {reference}"}
    result["fold"] = xr.Variable(fold.dims, fold.values, attributes)


def _add_outcome(result: xr.Dataset, rule: OutcomeRule, briefly: bool) -> None:
    """Add ``outcome``, and its ``reason``."""
    conditions = [text for text in (rule.resistant_if, rule.reduced_if) if text]
    flagged = [rule.of + FLAG] if rule.of + FLAG in result else []
    shown = [name for own in (rule.of, *flagged) for name in (own, f"reference.{own}")]
    points = points_of(result, ["fold", *conditions, *shown])
    classes = points.filled(_classes(rule, points), long_name="outcome")
    result["outcome"] = classes
    if not briefly:
        reasons = np.empty(points.shape, dtype=object)
        for place, values in points.each():
            reasons[place] = _reason(rule, classes.values[place], values)
        result["reason"] = points.filled(reasons, long_name="reason")


def _classes(rule: OutcomeRule, points: Points) -> np.ndarray:
    """The class at every point."""
    known = ~np.isnan(points.values["fold"])
    cases = [(known & holds_each(rule.resistant_if, points.values), "resistant")]
    if rule.reduced_if:
        cases.append((known & holds_each(rule.reduced_if, points.values), "reduced"))
    return first_of([*cases, (known, "sensitive")], "undetermined")


def _reason(rule: OutcomeRule, outcome: str, values: Mapping[str, Value]) -> str:
    """Why a point is of its class."""
    if outcome == "undetermined":
        return _why_no_fold(rule.of, values)
    stated = f"{rule.of} is {values.get(rule.of + FLAG) or _fold_text(float(values['fold']))}"
    because = {
        "resistant": rule.resistant_if,
        "reduced": rule.reduced_if,
        "sensitive": f"not {rule.reduced_if or rule.resistant_if}",
    }
    return f"{stated}: {because[outcome]}"


def _why_no_fold(endpoint: str, values: Mapping[str, Value]) -> str:
    """What is missing for a fold, in the reference or here."""
    flag = values.get(endpoint + FLAG)
    reference_flag = values.get(f"reference.{endpoint}{FLAG}")
    if values[f"reference.{endpoint}"] == math.inf:
        natural = "" if reference_flag is None else " (insensitive by nature)"
        return f"the reference itself is not reached{natural}: no fold"
    if reference_flag and values[f"reference.{endpoint}"] == 0:
        return f"the reference itself is {reference_flag}: no fold"
    if reference_flag:
        return f"{endpoint} is not determined in the reference ({reference_flag}): no fold"
    if flag:
        return f"{endpoint} is not determined here ({flag}): no fold"
    return f"{endpoint} has no value here, or no positive one in the reference"


def _fold_text(fold: float) -> str:
    return "not reached" if math.isinf(fold) else f"{fold:.3g} times the reference"


def _labels(result: xr.Dataset, cases: list[Case], title: str) -> xr.Variable:
    """The label of the first case whose condition holds, at every point."""
    points = points_of(result, [case.if_ for case in cases if case.if_])
    conditions = (
        (holds_each(case.if_, points.values) if case.if_ else np.array(True), case.label)
        for case in cases
    )
    return points.filled(first_of(conditions, NO_LABEL), long_name=title)
