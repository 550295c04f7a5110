"""A fit as a function of numbers: from logarithms of the free values to residuals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from myelode.calibration import FILE_NAME, CalibrationFile, load_calibration, restrict
from myelode.descriptions import is_model
from myelode.errors import ModelError, ScenarioError
from myelode.fitting.free_values import FreeValue, free_values
from myelode.fitting.measurements import DataFiles
from myelode.fitting.predictions import Curves, Source, Tally, Target, predict
from myelode.fitting.residuals import SeriesResult, bounded, row_residual, series_result
from myelode.fitting.rows import rows_of
from myelode.fitting.targets import curves_of, scenario_path
from myelode.library import find_model, find_scenario
from myelode.scenario import load_scenario
from myelode.validation import Observation

DEFAULT_ERROR = 0.1
"""The error of a reading of the user's own that states none, as a share of it."""

_LOG_10 = math.log(10.0)


@dataclass(frozen=True)
class Request:
    """What to fit to what, in words that another process understands too.

    `settings`, `error`, the share of a reading that its error is taken to be, and `prior`, whether
    the tables of the model count, are for tables of readings, which have no calibration.
    """

    target: str
    data: tuple[Path, ...] = ()
    parameters: tuple[str, ...] | None = None
    calibration: Path | None = None
    settings: tuple[str, ...] = ()
    error: float = DEFAULT_ERROR
    prior: bool = True


@dataclass(frozen=True)
class Evaluation:
    """Everything that one set of values gives: data residuals first, then those of the priors."""

    residuals: np.ndarray
    series: Mapping[str, SeriesResult]
    rows: Mapping[str, tuple[float, float]]
    tally: Tally

    @property
    def objective(self) -> float:
        """The sum of the squares of all residuals."""
        return float(np.sum(self.residuals**2))


@dataclass(frozen=True)
class Problem:
    """The free values of a model, and all that they are compared with.

    `left_out` says what of the calibration is not compared, and why; `notes` what to know of it.
    """

    name: str
    found: CalibrationFile
    free: tuple[FreeValue, ...]
    sources: tuple[Source, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> dict[str, Target]:
        """Every series that is compared, by id."""
        found = [source.targets for source in self.sources if isinstance(source, Curves)]
        return {target.series.id: target for targets in found for target in targets}

    @property
    def rows(self) -> dict[str, Observation]:
        """Every row that is compared, by id."""
        found = [source.rows for source in self.sources if not isinstance(source, Curves)]
        return {row.id: row for rows in found for row in rows}

    @property
    def coefficients(self) -> int:
        """How many coefficients of instruments are free."""
        rules = [target.series.observation for target in self.targets.values()]
        return sum([rule.scale, rule.offset].count("fitted") for rule in rules)

    def overrides(self, logs: Sequence[float] | np.ndarray) -> dict[str, float]:
        """The free values at these decimal logarithms, by name."""
        return {
            value.key.text: 10.0 ** float(log) for value, log in zip(self.free, logs, strict=True)
        }

    def evaluate(self, logs: Sequence[float] | np.ndarray) -> Evaluation:
        """Run every scenario once, and compare."""
        tally = Tally()
        outputs: dict[str, np.ndarray] = {}
        for source in self.sources:
            given = predict(source, self.overrides(logs), tally)
            outputs |= {f"{type(source).__name__} {key}": value for key, value in given.items()}
        series = {key: self._series(key, target, outputs) for key, target in self.targets.items()}
        rows = {key: self._row(key, row, outputs) for key, row in self.rows.items()}
        parts = [item.residuals for item in series.values()]
        parts += [np.array([residual for _, residual in rows.values()]), self._priors(logs)]
        return Evaluation(np.concatenate(parts), series, rows, tally)

    def _series(self, key: str, target: Target, outputs: Mapping[str, np.ndarray]) -> SeriesResult:
        missing = np.full(len(target.measured), np.nan)
        return series_result(target, outputs.get(f"Curves {key}", missing))

    def _row(
        self, key: str, row: Observation, outputs: Mapping[str, np.ndarray]
    ) -> tuple[float, float]:
        """The simulated number, and its residual."""
        rule = self.found.content.rows
        simulated = float(outputs.get(f"Rows {key}", np.array([math.nan]))[0])
        return simulated, row_residual(row, simulated, rule.relative if rule else 1.0)

    def _priors(self, logs: Sequence[float] | np.ndarray) -> np.ndarray:
        """How far each value is from what it was, in widths of what was known before."""
        return bounded(
            np.array([
                (float(log) * _LOG_10 - math.log(value.before)) / value.sigma
                for value, log in zip(self.free, logs, strict=True)
                if value.sigma is not None
            ])
        )  # fmt: skip


def read_problem(request: Request) -> Problem:
    """The problem that a request describes.

    Raises ScenarioError or ModelError for whatever is unknown, contradictory or missing.
    """
    if request.settings:
        said = "a calibration names its scenarios itself; settings are for a table of readings"
        raise ScenarioError(f"--set {request.settings[0]}: {said}, with --parameters")
    folder, scenario = _model_and_scenario(request.target)
    found = load_calibration(request.calibration or _calibration_file(folder, scenario))
    if request.parameters is not None:
        found = restrict(found, request.parameters)
    data = DataFiles(request.data)
    data.require_used(found.content.records)
    sources, left_out = _sources(found, folder, scenario, data)
    if not sources:
        wanted = sorted({series.file for series in found.content.series})
        hint = f": give {' or '.join(wanted)} with --data" if wanted else ""
        raise ScenarioError(f"{found.file.where}: there is nothing to compare with{hint}")
    models = list({source.model.variant: source.model for source in sources}.values())
    free, elsewhere = free_values(found, models)
    left_out += [f"parameter {name}: no scenario here has it" for name in elsewhere]
    if not free:
        raise found.error("no parameter is free in what is compared", "parameters")
    name = scenario.stem if scenario else folder.stem
    return Problem(name, found, free, tuple(sources), tuple(left_out))


def _model_and_scenario(target: str) -> tuple[Path, Path | None]:
    """The folder or file of the model, and the scenario where one is named."""
    if is_model(target):
        return find_model(target), None
    scenario = load_scenario(target)
    with scenario.at("model"):
        return find_model(scenario.beside(scenario.model)), find_scenario(target).resolve()


def takes_readings(request: Request) -> bool:
    """Whether a request is about tables of readings: a scenario, data, what is free, and no
    calibration that reads one of the data files."""
    if request.calibration or not (request.data and request.parameters):
        return False
    if is_model(request.target):
        return False
    _, files = _candidates(*_model_and_scenario(request.target))
    records = load_calibration(files[0]).content.records if files else {}
    return not any(path.name in records for path in request.data)


def _calibration_file(folder: Path, scenario: Path | None) -> Path:
    """Beside the scenario where there is one, else that of the model."""
    last, found = _candidates(folder, scenario)
    if not found:
        said = "it says what is fitted to what; of a scenario --parameters and --data do too"
        raise ModelError(f"{last}: is not there: {said}")
    return found[0]


def _candidates(folder: Path, scenario: Path | None) -> tuple[Path, list[Path]]:
    """Where a calibration may stand at last, and where there is one."""
    homes = [scenario.parent] if scenario is not None else []
    homes.append(folder if folder.is_dir() else folder.parent)
    paths = [home / FILE_NAME for home in homes]
    return paths[-1], [path for path in paths if path.is_file()]


def _sources(
    found: CalibrationFile, folder: Path, scenario: Path | None, data: DataFiles
) -> tuple[list[Source], list[str]]:
    """What there is to compare with, and what is left out for want of data."""
    numbers, left_out = [], []
    for number, series in enumerate(found.content.series):
        if scenario is not None and scenario_path(found, series) != scenario:
            continue
        if series.file in data:
            numbers.append(number)
        else:
            left_out.append(f"series {series.id}: no --data {series.file}")
    sources: list[Source] = [*curves_of(found, numbers, data, folder)]
    if found.content.rows is not None:
        rows, missing = rows_of(found, folder, scenario)
        sources += rows
        left_out += [f"row {text}" for text in missing]
    return sources, left_out
