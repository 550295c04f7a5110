"""Published numbers beside what the models give: hits and misses alike.

Each row of a model's `observations.tsv` names the scenario and the endpoint that compute the same
thing here. Rows marked ``check`` may count as evidence; rows marked ``calibrate`` helped to choose
the numbers of the model and never do; rows marked ``context`` are shown only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import xarray as xr

from myelode.engines import Tolerances
from myelode.errors import ModelError, ScenarioError
from myelode.expressions import evaluate_expression, names_in
from myelode.files import TableRow, read_table
from myelode.library import find_model, find_scenario
from myelode.lookups import scalars
from myelode.model import Model, load_model
from myelode.parameters import EVIDENCE, READ
from myelode.scenario import load_scenario
from myelode.simulation import evaluate_plan, plan_scenario
from myelode.subjects import model_of
from myelode.units import DIMENSIONLESS, factor

USES = ("check", "calibrate", "context")
COLUMNS = (
    "id", "observable", "value", "unit", "low", "high", "conditions", "scenario", "endpoint", "use",
    "evidence", "read", "source", "note",
)  # fmt: skip
Evaluated = Callable[[str], xr.Dataset]


@dataclass(frozen=True)
class Observation:
    """A row of `observations.tsv`; the numbers are in `unit`, None where the cell is empty.

    `low` and `high` bound what counts as a hit; `where` is the file and line.
    """

    id: str
    observable: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    conditions: str
    scenario: str
    endpoint: str
    use: str
    evidence: str
    read: str
    source: str
    note: str
    where: str


@dataclass(frozen=True)
class Row:
    """A published number beside the simulated one, both in `unit`.

    `simulated` is None where nothing here computes the number, `hit` is None where there is nothing
    to compare: no simulated number, no band, or a row that is context only.
    """

    id: str
    observable: str
    published: float | None
    simulated: float | None
    unit: str
    low: float | None
    high: float | None
    hit: bool | None
    use: str
    note: str
    evidence: str
    scenario: str
    endpoint: str
    source: str


@dataclass(frozen=True)
class Score:
    """Hits and misses of the rows with one use."""

    hits: int
    misses: int


def validate(model: str | Path) -> list[Row]:
    """Every observation of a model beside its simulated value, in the order of the table.

    Each scenario runs once, and each model is loaded once. Raises ModelError with the line for a
    fault in the table, and SimulationError for a scenario that fails.
    """
    observations = read_observations(find_model(model))
    load = lru_cache(maxsize=None)(load_model)
    evaluated = lru_cache(maxsize=None)(lambda name: _evaluate(name, load))
    return [_compare(observation, evaluated) for observation in observations]


def score(rows: Iterable[Row], *uses: str) -> Score:
    """How many rows with one of these uses hit their band, and how many miss it."""
    hits = [row.hit for row in rows if row.hit is not None and row.use in uses]
    return Score(sum(hits), len(hits) - sum(hits))


def read_observations(folder: Path) -> list[Observation]:
    """The observations of a model folder; raises ModelError with the line of the first fault."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: a single file has no observations: validate takes a folder")
    found: dict[str, Observation] = {}
    for row in read_table(folder / "observations.tsv", COLUMNS):
        observation = _observation(row)
        if observation.id in found:
            raise ModelError(f"{row.where}: {observation.id!r} stands in the table twice")
        found[observation.id] = observation
    return list(found.values())


def _observation(row: TableRow) -> Observation:
    for column, allowed in (("use", USES), ("evidence", EVIDENCE), ("read", READ)):
        if row[column] not in allowed:
            listed = ", ".join(allowed)
            raise ModelError(f"{row.where}: {column} {row[column]!r} is none of {listed}")
    for column in ("id", "observable", "source"):
        if not row[column]:
            raise ModelError(f"{row.where}: {column} is empty")
    numbers = {column: _number(row, column) for column in ("value", "low", "high")}
    _require_order(row, numbers["value"], numbers["low"], numbers["high"])
    _require_scenario(row)
    texts = {name: text for name, text in row.values.items() if name not in numbers}
    return Observation(**texts, **numbers, where=row.where)  # type: ignore[arg-type]


def _number(row: TableRow, column: str) -> float | None:
    if not row[column]:
        return None
    try:
        value = float(row[column])
    except ValueError:
        raise ModelError(f"{row.where}: {column} {row[column]!r} is not a number") from None
    if math.isnan(value):
        raise ModelError(f"{row.where}: {column} must be a number, not {row[column]!r}")
    return value


def _require_order(
    row: TableRow, value: float | None, low: float | None, high: float | None
) -> None:
    bottom = -math.inf if low is None else low
    top = math.inf if high is None else high
    if bottom > top:
        raise ModelError(f"{row.where}: low {bottom:g} is above high {top:g}")
    if value is None and low is None and high is None:
        raise ModelError(f"{row.where}: has neither a value nor a band")


def _require_scenario(row: TableRow) -> None:
    if bool(row["scenario"]) != bool(row["endpoint"]):
        raise ModelError(f"{row.where}: scenario and endpoint stand together, or both are empty")
    if not row["scenario"]:
        if not row["note"]:
            raise ModelError(f"{row.where}: has no scenario: its note must say why")
        return
    try:
        find_scenario(row["scenario"])
        names_in(row["endpoint"])
    except ScenarioError as error:
        raise ModelError(f"{row.where}: {error}") from None


def _evaluate(name: str, load: Callable[[str, str | None], Model]) -> xr.Dataset:
    scenario = load_scenario(name)
    plan = plan_scenario(scenario, model=model_of(scenario, load))
    return evaluate_plan(plan, "auto", Tolerances())


def _compare(observation: Observation, evaluated: Evaluated) -> Row:
    simulated = None
    if observation.scenario:
        simulated = simulated_value(observation, evaluated(observation.scenario))
    return Row(
        id=observation.id, observable=observation.observable, published=observation.value,
        simulated=simulated, unit=observation.unit, low=observation.low, high=observation.high,
        hit=is_hit(observation, simulated), use=observation.use, note=observation.note,
        evidence=observation.evidence, scenario=observation.scenario,
        endpoint=observation.endpoint, source=observation.source,
    )  # fmt: skip


def is_hit(observation: Observation, simulated: float | None) -> bool | None:
    """Whether a number lies in the band of a row; None where there is nothing to compare."""
    low, high = observation.low, observation.high
    if simulated is None or observation.use == "context" or (low is None and high is None):
        return None
    return (-math.inf if low is None else low) <= simulated <= (math.inf if high is None else high)


def simulated_value(observation: Observation, result: xr.Dataset) -> float:
    """What the evaluated scenario of a row gives for it, in the unit of the row."""
    try:
        value = evaluate_expression(observation.endpoint, scalars(result, observation.endpoint))
        if isinstance(value, str):
            raise ScenarioError(f"{observation.endpoint!r} is a label, not a number")
        return float(value) * _conversion(observation, result)
    except ScenarioError as error:
        raise ModelError(f"{observation.where}: {error}") from None


def _conversion(observation: Observation, result: xr.Dataset) -> float:
    """From the unit of a single endpoint to that of the observation; else 1, as stated."""
    expression = observation.endpoint.strip()
    if names_in(expression) != (expression,):
        return 1.0
    own = str(result[expression.rpartition(".")[2]].attrs.get("units", ""))
    if own == observation.unit or {own, observation.unit} <= {*DIMENSIONLESS}:
        return 1.0
    return factor(own, observation.unit, observation.id)
