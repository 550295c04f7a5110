"""The free values of a fit: where each stands now, its bounds, and how well it was known before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from myelode.calibration import Bounds, CalibrationFile
from myelode.compound_fit import value_in_model
from myelode.errors import MyelodeError, ScenarioError, best_matches
from myelode.model import Model, stands_in_another_variant
from myelode.parameters import Parameter, parse_distribution
from myelode.perturbations import Perturbation, cell_lines, require_changeable
from myelode.sbml import Entity
from myelode.units import factor, to_unit

Found = TypeVar("Found")
Lines = Mapping[str, Perturbation]
"""Cell lines by name."""

REACH = 1000.0
"""How far from its present value a free value may go where nothing else bounds it."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Key:
    """The name of a free value: of the model, of a compound's row, or of a cell line.

    Written ``NAME``, ``COMPOUND.NAME`` or ``LINE:NAME``.
    """

    text: str
    name: str
    compound: str | None = None
    line: str | None = None


@dataclass(frozen=True)
class FreeValue:
    """A positive number that a fit may change, in the model's unit.

    `sigma` is the standard deviation of its natural logarithm before the fit, around `before`;
    None where nothing was known, or where that is not to count.
    """

    key: Key
    unit: str
    before: float
    start: float
    low: float
    high: float
    sigma: float | None


def read_key(text: str) -> Key:
    """The parts of a free value's name; the names of lines and compounds may hold dots."""
    if ":" in text:
        line, _, name = text.rpartition(":")
        return Key(text, name.strip(), line=line.strip())
    compound, _, name = text.rpartition(".")
    return Key(text, name, compound=compound or None)


def free_values(
    found: CalibrationFile, models: Sequence[Model], lines: Lines | None = None
) -> tuple[tuple[FreeValue, ...], list[str]]:
    """The free values of a calibration, and those that only other variants of the model have.

    `lines` are further cell lines, such as one from a file. Raises ScenarioError with the place for
    an unknown name, bounds that are reversed or not positive, and a value outside its bounds.
    """
    free, elsewhere = [], []
    for text, bounds in found.content.parameters.items():
        key = read_key(text)
        model = next((model for model in models if key.name in model.entities), None)
        if model is None and stands_in_another_variant(models[0])(key.name):
            elsewhere.append(text)
            continue
        try:
            free.append(_free_value(key, bounds, model or models[0], lines or {}))
        except MyelodeError as error:
            raise found.error(error, "parameters", text) from None
    return tuple(free), elsewhere


def table_bounds(text: str, model: Model, lines: Lines, prior: bool = True) -> Bounds:
    """The range that the tables of a model state for a free value, at most a thousand-fold.

    Raises ScenarioError or ModelError for an unknown name, and for a value that is not positive.
    """
    key = read_key(text)
    entity = require_changeable(model, key.name)
    value, row, _ = _present(key, model, entity, lines)
    if not value > 0:
        raise ScenarioError(f"{text} is {value:g}: a value is fitted on a logarithmic scale")
    low, high = value / REACH, value * REACH
    if row is not None and row.low <= row.value <= row.high:
        scale = factor(row.unit, entity.unit or "dimensionless")
        low, high = max(low, min(value, scale * row.low)), min(high, max(value, scale * row.high))
    unit = f" {entity.unit}" if entity.unit else ""
    ends = {"from": f"{low!r}{unit}", "to": f"{high!r}{unit}"}
    return Bounds.model_validate({**ends, "prior": prior})


def _free_value(key: Key, bounds: Bounds, model: Model, lines: Lines) -> FreeValue:
    entity = require_changeable(model, key.name)
    value, row, spread = _present(key, model, entity, lines)
    low, high = (to_unit(bound, entity.unit, key.text) for bound in (bounds.from_, bounds.to))
    if not (low > 0 and high > 0):
        raise ScenarioError(
            "bounds must be positive: a free value is fitted on a logarithmic scale"
        )
    if low >= high:
        raise ScenarioError(f"the bounds are reversed: from {low:g} is not below to {high:g}")
    _require_in_range(key, row, low, high, entity)
    before = value if bounds.before is None else to_unit(bounds.before, entity.unit, "before")
    start = before if bounds.start is None else to_unit(bounds.start, entity.unit, "start")
    if not low <= start <= high:
        what = "start" if bounds.start else "before" if bounds.before else "its value"
        raise ScenarioError(f"{what} {start:g} lies outside its bounds, {low:g} to {high:g}")
    sigma = _sigma_of(bounds.prior, spread, row)
    return FreeValue(key, entity.unit or "", before, start, low, high, sigma)


def _sigma_of(prior: bool | str, spread: str, row: Parameter | None) -> float | None:
    """The width of the prior that the calibration states, or of the row of the table."""
    if isinstance(prior, str):
        return _sigma(prior, row)
    return _sigma(spread, row) if prior else None


def _present(
    key: Key, model: Model, entity: Entity, lines: Lines
) -> tuple[float, Parameter | None, str]:
    """The value in the model's unit, the row of a table that states it, and how it spreads."""
    row = model.parameters.get(key.name)
    if key.line is not None:
        spread = row.between_lines if row else ""
        return _of_line(key, {**cell_lines(model), **lines}), row, spread
    if key.compound is not None:
        row = _of_compound(key, model)
        return value_in_model(row, entity), row, row.uncertainty
    if entity.value is None:
        raise ScenarioError(f"{key.name!r} has no value of its own")
    return entity.value, row, row.uncertainty if row else ""


def _of_compound(key: Key, model: Model) -> Parameter:
    name = str(key.compound)
    compound = _found(name, model.compounds.items, f"unknown compound {name!r}")
    return _found(key.name, compound.rows, f"{name} has no row of its own for {key.name!r}")


def _of_line(key: Key, lines: Lines) -> float:
    name = str(key.line)
    line = _found(name, lines, f"unknown cell line {name!r}")
    return _found(key.name, line.set, f"cell line {name} does not set {key.name!r}")


def _found(name: str, known: Mapping[str, Found], otherwise: str) -> Found:
    if name not in known:
        raise ScenarioError(f"{otherwise}{best_matches(name, known)}")
    return known[name]


def _require_in_range(
    key: Key, row: Parameter | None, low: float, high: float, entity: Entity
) -> None:
    """A fitted value outside the range of its row could not be written into the table."""
    if row is None or key.line is not None:
        return
    scale = factor(row.unit, entity.unit or "")
    least, most = row.low * scale, row.high * scale
    for bound in (low, high):
        if not least * (1 - _ROUNDING) <= bound <= most * (1 + _ROUNDING):
            raise ScenarioError(
                f"the bound {bound:g} of {key.text} lies outside its range, "
                f"{least:g} to {most:g} ({row.where})"
            )


def _sigma(text: str, row: Parameter | None) -> float | None:
    """The width of a distribution on the scale of the natural logarithm; None for no spread."""
    if row is None:
        return None
    spread = parse_distribution(text, row.where)
    numbers = spread.numbers
    if spread.kind == "lognormal":
        return numbers[0]
    if spread.kind == "normal":
        return abs(numbers[0] / row.value)
    if spread.kind == "uniform" and numbers[0] > 0:
        return math.log(numbers[1] / numbers[0]) / math.sqrt(12)
    if spread.kind == "beta":
        first, second = numbers
        return math.sqrt(second / (first * (first + second + 1)))
    return None
