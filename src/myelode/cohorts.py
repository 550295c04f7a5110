"""Virtual cell lines and patients, and draws of uncertain numbers: base values drawn from the
spread that a table states.

A draw depends on seed, number of the subject and name of the parameter alone: another parameter or
another subject changes none of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from myelode.correlations import Correlations, read_correlations
from myelode.distributions import draw, draw_many, draw_shares, standard_normal
from myelode.errors import ModelError, ScenarioError
from myelode.model import Model
from myelode.parameters import FIXED, Distribution, Parameter, parse_distribution
from myelode.perturbations import require_changeable
from myelode.scenario import Scenario
from myelode.sections import Subjects, Uncertainty
from myelode.units import factor

MOST_ATTEMPTS = 1000
"""How often shares are drawn anew until each lies in its range."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class _Varied:
    """A parameter that differs from subject to subject; `typical` is in the unit of its row."""

    row: Parameter
    column: str
    distribution: Distribution
    typical: float
    to_model: float

    @property
    def about(self) -> tuple[object, ...]:
        """All that a draw depends on, beside its place."""
        spread, row = self.distribution, self.row
        return row.name, spread, self.typical, row.low, row.high, self.to_model

    def fault(self, error: ModelError) -> ModelError:
        """What went wrong, with the place in its table."""
        return ModelError(f"{self.row.where}: {self.column} of {self.row.name}: {error}")


class Cohort:
    """Virtual lines, patients or draws of a scenario, each made by itself.

    Subject 0 is typical: it has the values that stand `below` the design, those of the compound and
    the cell line, and the others spread around them. `used` are the rows behind the runs, of
    compounds too; what is uncertain of these is drawn, while lines and patients differ in rows of
    the model alone. Raises ScenarioError or ModelError.
    """

    def __init__(
        self,
        scenario: Scenario,
        rule: Subjects,
        model: Model,
        below: Mapping[str, float],
        used: Mapping[str, Parameter],
    ):
        table = used if isinstance(rule, Uncertainty) else model.parameters
        rows = _rows(scenario, model, rule, _open(scenario, rule, table))
        self._seed = rule.seed
        with scenario.at("design", rule.key):
            self._varied = {row.name: _varied(row, model, below, rule) for row in rows}
            self._correlations = read_correlations(model.folder)

    @property
    def names(self) -> tuple[str, ...]:
        """What tells the subjects apart."""
        return tuple(self._varied)

    @property
    def about(self) -> str:
        """The spread of each number, and what goes together, as text."""
        rows = [item.about for item in self._varied.values()]
        factor = [[f"{value:.9g}" for value in row] for row in self._correlations.factor]
        return repr((rows, self._correlations.names, factor))

    def subject(self, number: int) -> dict[str, float]:
        """The base values of one subject, in the model's units."""
        if number == 0:
            values = {name: item.typical for name, item in self._varied.items()}
        else:
            values = _subject(self._varied, self._correlations, self._seed, number)
        return {name: value * self._varied[name].to_model for name, value in values.items()}

    def quantiles(self, name: str, normals: np.ndarray) -> np.ndarray:
        """Values of one parameter, in the model's unit, at places in a standard normal
        distribution."""
        item = self._varied[name]
        row = item.row
        try:
            values = draw_many(item.distribution, item.typical, normals, row.low, row.high)
        except ModelError as error:
            raise item.fault(error) from None
        return values * item.to_model


def virtual_subjects(
    scenario: Scenario,
    model: Model,
    below: Mapping[str, float],
    used: Mapping[str, Parameter],
) -> list[dict[str, float]]:
    """The base values of every virtual line, patient or draw of a design, the typical one first.

    Empty where the design has none of the three. Raises ScenarioError or ModelError.
    """
    rule = scenario.design.subjects
    if rule is None:
        return []
    cohort = Cohort(scenario, rule, model, below, used)
    with scenario.at("design", rule.key):
        return [cohort.subject(number) for number in range(rule.number)]


def _open(
    scenario: Scenario, rule: Subjects, table: Mapping[str, Parameter]
) -> dict[str, Parameter]:
    """The rows that state a spread.

    Where all that is uncertain is drawn, what the scenario itself says stays as it says: a value
    that it sets or has a ladder over, with all other shares of its whole.
    """
    spread = {n: row for n, row in table.items() if _spread(row, rule.column).kind != FIXED}
    if rule.vary != Uncertainty.column:
        return spread
    ladders = (scenario.design.dose, scenario.design.dose2)
    said = {*scenario.set, *scenario.final, *(ladder.of for ladder in ladders if ladder)}
    wholes = {_spread(spread[name], rule.column).group for name in said & spread.keys()} - {""}
    return {
        name: row
        for name, row in spread.items()
        if name not in said and _spread(row, rule.column).group not in wholes
    }


def _rows(
    scenario: Scenario, model: Model, rule: Subjects, spread: Mapping[str, Parameter]
) -> list[Parameter]:
    """The rows to vary, with all shares of a whole where one of them is named."""
    with scenario.at("design", rule.key):
        if not spread:
            raise ScenarioError(f"no parameter of {model.name} has {rule.column}: nothing to vary")
    vary = rule.vary
    if isinstance(vary, str):
        return list(spread.values())
    for number, name in enumerate(vary):
        with scenario.at("design", rule.key, "vary", number):
            require_changeable(model, name)
            if name not in spread:
                known = ", ".join(spread)
                raise ScenarioError(f"{name!r} {rule.lack}; {known} do")
    groups = {_spread(spread[name], rule.column).group for name in vary} - {""}
    return [
        row
        for name, row in spread.items()
        if name in vary or _spread(row, rule.column).group in groups
    ]


def _spread(row: Parameter, column: str) -> Distribution:
    return parse_distribution(str(getattr(row, column)), row.where)


def _varied(row: Parameter, model: Model, below: Mapping[str, float], rule: Subjects) -> _Varied:
    to_model = factor(row.unit, model.entities[row.name].unit or row.unit, row.name)
    typical = below[row.name] / to_model if row.name in below else row.value
    rounding = ROUNDING * abs(typical)
    if not row.low - rounding <= typical <= row.high + rounding:
        raise ModelError(
            f"{row.where}: the typical {rule.word} has {row.name} = {typical:g} {row.unit}, "
            f"outside its range {row.low:g}..{row.high:g}: no {rule.word} can be drawn around it"
        )
    return _Varied(row, rule.column, _spread(row, rule.column), typical, to_model)


def _subject(
    varied: Mapping[str, _Varied], correlations: Correlations, seed: int, number: int
) -> dict[str, float]:
    """The values of one subject, in the units of their rows."""
    mixed = correlations.mix(lambda name: standard_normal(seed, number, name))
    values: dict[str, float] = {}
    for name, item in varied.items():
        if item.distribution.kind == "dirichlet":
            if name not in values:
                values |= _shares(item.distribution.group, varied, seed, number)
            continue
        normal = mixed[name] if name in mixed else standard_normal(seed, number, name)
        values[name] = _drawn(item, normal)
    return values


def _drawn(item: _Varied, normal: float) -> float:
    try:
        return draw(item.distribution, item.typical, normal, item.row.low, item.row.high)
    except ModelError as error:
        raise item.fault(error) from None


def _shares(group: str, varied: Mapping[str, _Varied], seed: int, number: int) -> dict[str, float]:
    """All shares of one whole, drawn together until each lies in its range."""
    members = {name: item for name, item in varied.items() if item.distribution.group == group}
    means = {name: item.typical for name, item in members.items()}
    first = next(iter(members.values())).row
    if not math.isclose(sum(means.values()), 1.0, rel_tol=ROUNDING):
        raise ModelError(f"{first.where}: the shares of {group} add up to {sum(means.values()):g}")
    for attempt in range(MOST_ATTEMPTS):
        again = (attempt,) if attempt else ()
        normals = {name: standard_normal(seed, number, name, *again) for name in members}
        shares = draw_shares(means, normals)
        if all(
            members[name].row.low <= share <= members[name].row.high
            for name, share in shares.items()
        ):
            return shares
    raise ModelError(f"{first.where}: the ranges of {group} leave next to nothing to draw")
