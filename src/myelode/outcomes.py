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
from myelode.expressions import Value, holds, names_in
from myelode.lookups import find, pointwise, scalars
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


def evaluate_scenario(dataset: xr.Dataset, scenario: Scenario, context: Context) -> xr.Dataset:
    """As `evaluate`, for a scenario and model at hand."""
    result = compute_endpoints(dataset, scenario, context)
    result.attrs = {**dataset.attrs, "reference": scenario.reference}
    add_combinations(result, scenario)
    if scenario.outcome is not None:
        _add_fold(result, scenario.outcome, scenario.reference)
        _require_names(result, scenario, "outcome")
        with scenario.at("outcome"):
            _add_outcome(result, scenario.outcome)
    for name, cases in scenario.rules.items():
        _require_names(result, scenario, "rules", name)
        with scenario.at("rules", name):
            result[name] = _labels(result, cases).assign_attrs(long_name=name.replace("_", " "))
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
    data = result[rule.of]
    base = data.sel(perturbation=reference, drop=True)
    # A ratio to nothing, or to what is never reached, says nothing.
    fold = data / base.where((base > 0) & np.isfinite(base))
    fold.attrs = {"units": "dimensionless", "long_name": f"{rule.of} relative to {reference}"}
    result["fold"] = fold


def _add_outcome(result: xr.Dataset, rule: OutcomeRule) -> None:
    """Add ``outcome`` and ``reason``."""
    conditions = [text for text in (rule.resistant_if, rule.reduced_if) if text]
    flagged = [rule.of + FLAG] if rule.of + FLAG in result else []
    shown = [name for own in (rule.of, *flagged) for name in (own, f"reference.{own}")]
    template, points = pointwise(result, ["fold", *conditions, *shown])
    classes, reasons = _texts_like(template, "outcome"), _texts_like(template, "reason")
    for place, values in points:
        classes[place], reasons[place] = _classify(rule, values)
    result["outcome"], result["reason"] = classes, reasons


def _classify(rule: OutcomeRule, values: Mapping[str, Value]) -> tuple[str, str]:
    """Class and reason at one point."""
    fold = float(values["fold"])
    if math.isnan(fold):
        return "undetermined", _why_no_fold(rule.of, values)
    stated = f"{rule.of} is {values.get(rule.of + FLAG) or _fold_text(fold)}"
    for name, condition in (("resistant", rule.resistant_if), ("reduced", rule.reduced_if)):
        if condition and holds(condition, values):
            return name, f"{stated}: {condition}"
    return "sensitive", f"{stated}: not {rule.reduced_if or rule.resistant_if}"


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


def _labels(result: xr.Dataset, cases: list[Case]) -> xr.DataArray:
    """The label of the first case whose condition holds, at every point."""
    template, points = pointwise(result, [case.if_ for case in cases if case.if_])
    labels = _texts_like(template, "")
    for place, values in points:
        fitting = (case.label for case in cases if case.if_ is None or holds(case.if_, values))
        labels[place] = next(fitting, NO_LABEL)
    return labels


def _texts_like(template: xr.DataArray, label: str) -> xr.DataArray:
    texts = xr.full_like(template, "", dtype=object)
    texts.attrs = {"long_name": label}
    return texts
