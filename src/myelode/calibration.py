"""What of a model is fitted to which data: the file ``calibration.yaml``.

It names the free values and their bounds, the series of measurements with the scenario and output
that compute the same thing, how an instrument turns the output into a reading, and how large an
error is taken to be. The data themselves stand elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from myelode.errors import MyelodeError, ScenarioError, best_matches
from myelode.expressions import names_in
from myelode.faults import first_fault
from myelode.files import YamlFile, read_yaml
from myelode.parameters import parse_distribution
from myelode.regimens.steps import STRICT, Factor, Quantity
from myelode.units import parse_unit

FILE_NAME = "calibration.yaml"
FITTED = "fitted"
READING = "x"
"""What the simulated output is called in an observation rule."""

_SHARE_OF_ROWS = 0.2
_Path = tuple[str | int, ...]


def _known_unit(text: str) -> str:
    try:
        parse_unit(text)
    except ScenarioError as error:
        raise ValueError(str(error)) from None
    return text


Unit = Annotated[str, BeforeValidator(_known_unit)]
Coefficient = Literal["fitted"] | Factor
Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _known_prior(given: object) -> object:
    if isinstance(given, str):
        try:
            parse_distribution(given, "prior")
        except MyelodeError as error:
            raise ValueError(str(error)) from None
    return given


class Bounds(BaseModel):
    """Between what values a parameter may lie; `start` replaces its present value.

    `before` is the value before any fit, and `prior` a distribution around it: with both, a fit
    gives the same when its results stand in the model's tables already.
    """

    model_config = STRICT

    from_: Annotated[Quantity, Field(alias="from")]
    to: Quantity
    start: Quantity | None = None
    before: Quantity | None = None
    prior: Annotated[bool | str, BeforeValidator(_known_prior)] = True


class DataField(BaseModel):
    """Which field or column of a data file holds a number, or several replicates, in what unit."""

    model_config = STRICT

    field: str | Annotated[list[str], Field(min_length=1)]
    unit: Unit = "dimensionless"

    @property
    def names(self) -> list[str]:
        """The fields, also where there is one only."""
        return [self.field] if isinstance(self.field, str) else self.field


class Records(BaseModel):
    """How a data file is written; `points` is the field of a JSON record that lists its points."""

    model_config = STRICT

    points: str | None = None
    time: DataField
    dose: DataField | None = None
    value: DataField


class Observation(BaseModel):
    """How an instrument reads an output: ``offset + scale * x``, or any expression in ``x``.

    A coefficient that is `fitted` is solved for exactly, whatever the free values are.
    """

    model_config = STRICT

    scale: Coefficient = 1.0
    offset: Coefficient = 0.0
    signal: str = READING

    @model_validator(mode="after")
    def _in_x(self) -> Observation:
        try:
            names = names_in(self.signal)
        except ScenarioError as error:
            raise ValueError(str(error)) from None
        if names != (READING,):
            raise ValueError(f"an observation is an expression in {READING}, the simulated output")
        return self


class ErrorModel(BaseModel):
    """One standard deviation of a reading: a share of it and a constant, added in quadrature."""

    model_config = STRICT

    relative: Share = 0.0
    absolute: Share = 0.0

    @model_validator(mode="after")
    def _positive(self) -> ErrorModel:
        if self.relative == self.absolute == 0:
            raise ValueError("an error has relative or absolute above zero")
        return self


def _as_rule(value: object) -> object:
    return {"signal": value} if isinstance(value, str) else value


class Series(BaseModel):
    """Measurements of a file, and the scenario, output and rule that compute the same."""

    model_config = STRICT

    id: str
    file: str
    where: dict[str, str | float | int] = {}
    time: Quantity | None = None
    dose: Quantity | None = None
    scenario: str
    perturbation: str | None = None
    compound: str | None = None
    arm: str | None = None
    after: str | None = None
    output: str
    over: Literal["time", "dose"] = "time"
    observation: Annotated[Observation, BeforeValidator(_as_rule)] = Observation()
    error: ErrorModel
    summary: Literal["median", "mean"] = "median"
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


def _as_rows(value: object) -> object:
    return {} if value is True else None if value is False else value


class RowRule(BaseModel):
    """The rows of observations.tsv that calibrate; `relative` is the width of one without band.

    With `only` the others stay out: rows on which no free value bears cost time and say nothing.
    """

    model_config = STRICT

    relative: Annotated[float, Field(gt=0, allow_inf_nan=False)] = _SHARE_OF_ROWS
    only: Annotated[list[str], Field(min_length=1)] | None = None


class Calibration(BaseModel):
    """What is free, between what bounds, and what it is compared with."""

    model_config = STRICT

    title: str = ""
    parameters: dict[str, Bounds]
    records: dict[str, Records] = {}
    series: list[Series] = []
    rows: Annotated[RowRule | None, BeforeValidator(_as_rows)] = None
    starts: Annotated[int, Field(ge=1, le=1000)] = 1
    seed: Annotated[int, Field(ge=0)] = 1


@dataclass(frozen=True)
class CalibrationFile:
    """A calibration, and the file with the lines on which its parts stand."""

    content: Calibration
    file: YamlFile

    def error(self, message: object, *path: str | int) -> ScenarioError:
        """An error that says at which place of the file it arose."""
        return ScenarioError(f"{self.file.place(path)}: {message}")

    def beside(self, name_or_path: str) -> str:
        """A path as the file means it: relative to its own folder. Names stay names."""
        path = Path(name_or_path)
        if not (path.suffix or len(path.parts) > 1):
            return name_or_path
        found = Path(self.file.where).parent / path
        return str(found) if found.exists() else name_or_path


def load_calibration(path: Path) -> CalibrationFile:
    """The calibration in a file; raises ScenarioError with file, line and key of a fault."""
    file = read_yaml(path)
    if not isinstance(file.data, dict):
        raise ScenarioError(f"{file.where}: a calibration is a mapping: parameters, series, ...")
    try:
        found = CalibrationFile(Calibration.model_validate(file.data), file)
    except ValidationError as error:
        raise ScenarioError(first_fault(file, error, _section_at)) from None
    _require_consistent(found)
    return found


def restrict(found: CalibrationFile, names: Iterable[str]) -> CalibrationFile:
    """The same with only these parameters free; the others keep their values."""
    parameters = found.content.parameters
    for name in names:
        if name not in parameters:
            hint = best_matches(name, parameters)
            raise found.error(f"{name!r} is not among the free parameters{hint}", "parameters")
    chosen = {name: parameters[name] for name in parameters if name in set(names)}
    content = found.content.model_copy(update={"parameters": chosen})
    return CalibrationFile(content, found.file)


def _require_consistent(found: CalibrationFile) -> None:
    """What pydantic cannot see: names that must be unique, known, or there at all."""
    content = found.content
    if not content.parameters:
        raise found.error("no parameter is free: name at least one", "parameters")
    if not content.series and content.rows is None:
        raise found.error("nothing is compared: give series, or rows: true")
    counts = Counter(series.id for series in content.series)
    for number, series in enumerate(content.series):
        if counts[series.id] > 1:
            raise found.error(f"two series are called {series.id!r}", "series", number, "id")
        if series.file not in content.records:
            hint = best_matches(series.file, content.records)
            raise found.error(
                f"records does not say how {series.file!r} is written{hint}",
                "series", number, "file",
            )  # fmt: skip
        if series.over == "dose" and content.records[series.file].dose is None:
            raise found.error(f"records says of {series.file!r} no dose", "series", number, "over")


def _section_at(path: _Path) -> type[BaseModel]:
    """What may stand at a place of the file."""
    if not path:
        return Calibration
    inner = [part for part in path[1:] if part in _SECTIONS]
    return _SECTIONS.get(inner[-1] if inner else path[0], Calibration)


_SECTIONS: Mapping[str | int, type[BaseModel]] = {
    "parameters": Bounds, "records": Records, "series": Series, "rows": RowRule,
    "observation": Observation, "error": ErrorModel, "time": DataField, "dose": DataField,
    "value": DataField,
}  # fmt: skip
