"""Virtual cell lines: base values drawn from the spread between lines that a table states.

A draw depends on seed, number of the line and name of the parameter alone: another parameter or
another line changes none of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from myelode.correlations import Correlations, read_correlations
from myelode.distributions import draw, draw_shares, standard_normal
from myelode.errors import ModelError, ScenarioError
from myelode.model import Model
from myelode.parameters import FIXED, Distribution, Parameter, parse_distribution
from myelode.perturbations import require_changeable
from myelode.scenario import Scenario
from myelode.units import factor

MOST_ATTEMPTS = 1000
"""How often shares are drawn anew until each lies in its range."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class _Varied:
    """A parameter that differs from line to line; `typical` is in the unit of its row."""

    row: Parameter
    distribution: Distribution
    typical: float
    to_model: float


def virtual_lines(
    scenario: Scenario, model: Model, cell_line: Mapping[str, float]
) -> list[dict[str, float]]:
    """The base values of every virtual line, in the model's units; the first line is typical.

    `cell_line` holds values of the scenario's cell line: the typical line has them, and others
    spread around them. Empty where the design has no lines. Raises ScenarioError or ModelError.
    """
    rule = scenario.design.lines
    if rule is None:
        return []
    rows = _rows(scenario, model)
    with scenario.at("design", "lines"):
        varied = {row.name: _varied(row, model, cell_line) for row in rows}
        correlations = read_correlations(model.folder)
        drawn = [_line(varied, correlations, rule.seed, line) for line in range(1, rule.number)]
        typical = {name: item.typical for name, item in varied.items()}
        return [_in_model_units(line, varied) for line in (typical, *drawn)]


def _rows(scenario: Scenario, model: Model) -> list[Parameter]:
    """The rows to vary, with all shares of a whole where one of them is named."""
    spread = {name: row for name, row in model.parameters.items() if _between_lines(row)}
    vary = scenario.design.lines.vary if scenario.design.lines else []
    with scenario.at("design", "lines"):
        if not spread:
            raise ScenarioError(f"no parameter of {model.name} has between_lines: nothing to vary")
    if isinstance(vary, str):
        return list(spread.values())
    for number, name in enumerate(vary):
        with scenario.at("design", "lines", "vary", number):
            require_changeable(model, name)
            if name not in spread:
                known = ", ".join(spread)
                raise ScenarioError(f"{name!r} states no spread between lines; {known} do")
    groups = {_group(spread[name]) for name in vary} - {""}
    return [row for name, row in spread.items() if name in vary or _group(row) in groups]


def _between_lines(row: Parameter) -> Distribution | None:
    found = parse_distribution(row.between_lines, row.where)
    return None if found.kind == FIXED else found


def _group(row: Parameter) -> str:
    return parse_distribution(row.between_lines, row.where).group


def _varied(row: Parameter, model: Model, cell_line: Mapping[str, float]) -> _Varied:
    to_model = factor(row.unit, model.entities[row.name].unit or row.unit, row.name)
    typical = cell_line[row.name] / to_model if row.name in cell_line else row.value
    rounding = ROUNDING * abs(typical)
    if not row.low - rounding <= typical <= row.high + rounding:
        raise ModelError(
            f"{row.where}: the cell line has {row.name} = {typical:g} {row.unit}, outside its "
            f"range {row.low:g}..{row.high:g}: no line can be drawn around it"
        )
    return _Varied(row, parse_distribution(row.between_lines, row.where), typical, to_model)


def _line(
    varied: Mapping[str, _Varied], correlations: Correlations, seed: int, line: int
) -> dict[str, float]:
    """The values of one line, in the units of their rows."""
    mixed = correlations.mix(lambda name: standard_normal(seed, line, name))
    values: dict[str, float] = {}
    for name, item in varied.items():
        if item.distribution.kind == "dirichlet":
            if name not in values:
                values |= _shares(item.distribution.group, varied, seed, line)
            continue
        normal = mixed[name] if name in mixed else standard_normal(seed, line, name)
        values[name] = _drawn(item, normal)
    return values


def _drawn(item: _Varied, normal: float) -> float:
    try:
        return draw(item.distribution, item.typical, normal, item.row.low, item.row.high)
    except ModelError as error:
        raise ModelError(f"{item.row.where}: between_lines of {item.row.name}: {error}") from None


def _shares(group: str, varied: Mapping[str, _Varied], seed: int, line: int) -> dict[str, float]:
    """All shares of one whole, drawn together until each lies in its range."""
    members = {name: item for name, item in varied.items() if item.distribution.group == group}
    means = {name: item.typical for name, item in members.items()}
    first = next(iter(members.values())).row
    if not math.isclose(sum(means.values()), 1.0, rel_tol=ROUNDING):
        raise ModelError(f"{first.where}: the shares of {group} add up to {sum(means.values()):g}")
    for attempt in range(MOST_ATTEMPTS):
        again = (attempt,) if attempt else ()
        normals = {name: standard_normal(seed, line, name, *again) for name in members}
        shares = draw_shares(means, normals)
        if all(
            members[name].row.low <= share <= members[name].row.high
            for name, share in shares.items()
        ):
            return shares
    raise ModelError(f"{first.where}: the ranges of {group} leave next to nothing to draw")


def _in_model_units(values: Mapping[str, float], varied: Mapping[str, _Varied]) -> dict[str, float]:
    return {name: value * varied[name].to_model for name, value in values.items()}
