"""A table to be filled with readings: a row for every output, dose and time of a scenario."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

import numpy as np

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.plan import Plan
from myelode.regimens.steps import Context, resolve_time
from myelode.scenario import Scenario, perturbation_names
from myelode.simulation import plan_scenario

MOST_TIMES = 8
MOST_ROWS = 2000
HELP = """\
# One reading per row; rows without a value are left out. Replicates are rows of their own.
# Units: in the header, and of a value in the column unit. sd: one standard deviation, or empty.
"""


def template_text(scenario: Scenario, model: Model) -> str:
    """A table for the outputs of a scenario in its reference, with its doses, compounds and arms.

    Times are those at which endpoints read a ladder, else some over the run. Raises ScenarioError
    for a scenario with two ladders.
    """
    plan = plan_scenario(scenario, model=model)
    axes = {axis.name: axis for axis in plan.axes}
    if "dose2" in axes:
        raise ScenarioError(f"{scenario.id}: has two ladders, and a reading has one dose")
    named: list[str] = [name for name in ("compound", "arm") if name in axes]
    names = perturbation_names(scenario)
    named += ["perturbation"] * (len(names) > 1)
    doses = axes["dose"].values if "dose" in axes else ()
    header = [f"time [{model.time_unit or 'dimensionless'}]"]
    if doses:
        header.append(f"dose [{axes['dose'].unit or 'dimensionless'}]")
    header += ["output", "value", "unit", "sd", "replicate", *named]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(_rows(plan, named, doses))
    more = f"# Perturbations: {', '.join(names)}.\n" if len(names) > 1 else ""
    return HELP + more + text.getvalue()


def _rows(plan: Plan, named: list[str], doses: tuple[float, ...]) -> Iterator[list[str]]:
    """The rows of the reference, as far as they are not too many to be filled."""
    scenario, model = plan.scenario, plan.model
    known = {axis.name: axis.values for axis in plan.axes} | {"perturbation": (scenario.reference,)}
    outputs = dict.fromkeys(scenario.observe.outputs)
    choices = itertools.product(outputs, *(known[name] for name in named))
    combinations = [(choice[0], [str(part) for part in choice[1:]]) for choice in choices]
    times = _times(plan, bool(doses))
    if len(combinations) * len(times) * max(len(doses), 1) > MOST_ROWS:
        combinations = combinations[:1]
    for output, names in combinations:
        unit = model.unit_of(output) or "dimensionless"
        for time, dose in itertools.product(times, doses or (None,)):
            place = [f"{time:.6g}"] + ([] if dose is None else [f"{dose:.6g}"])
            yield [*place, output, "", unit, "", "1", *names]


def _times(plan: Plan, over_dose: bool) -> list[float]:
    """When endpoints read the doses, or else some times over the run."""
    scenario, end = plan.scenario, float(plan.times[-1])
    if not over_dose:
        return [float(time) for time in np.linspace(0, end, MOST_TIMES + 1)[1:]]
    arm = next(iter(plan.labels))
    moments = {
        resolve_time(endpoint.at, plan.labels[endpoint.arm or arm], Context(plan.model))
        for endpoint in scenario.endpoints.values()
        if endpoint.at is not None and endpoint.of in plan.outputs
    }
    return sorted(moments) or [end]
