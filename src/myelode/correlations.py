"""Which parameters of a model vary together: `correlations.tsv`, and a Gaussian copula from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from myelode.errors import ModelError, best_matches
from myelode.files import TableRow, read_table
from myelode.parameters import FIXED, Parameter, parse_distribution, read_parameters

FILE = "correlations.tsv"
COLUMNS = ("a", "b", "rho", "source", "note")
TINY = 1e-9
"""An eigenvalue of a correlation matrix that is rounding and no spread."""


@dataclass(frozen=True)
class Correlations:
    """Names in the order of the table, and the lower Cholesky factor of their correlations."""

    names: tuple[str, ...]
    factor: np.ndarray

    def mix(self, independent: Callable[[str], float]) -> dict[str, float]:
        """Correlated standard normal numbers by name, from an independent one for each name.

        All names take part, those that a scenario does not vary too: it changes no number whether
        they are varied, and none when rows are added at the end of the table.
        """
        mixed = self.factor @ np.array([independent(name) for name in self.names])
        return dict(zip(self.names, map(float, mixed), strict=True))


NO_CORRELATIONS = Correlations((), np.zeros((0, 0)))


def read_correlations(folder: Path | None) -> Correlations:
    """The correlations of the model in a folder; none where it has no such table.

    The correlation is that of the normal numbers behind the draws: for two log-normal values, of
    their logarithms. Raises ModelError with the line of the first fault.
    """
    if folder is None or not (folder / FILE).exists():
        return NO_CORRELATIONS
    rows = read_table(folder / FILE, COLUMNS)
    parameters = read_parameters(folder / "parameters.tsv")
    for row in rows:
        _require_pair(row, parameters)
    names = tuple(dict.fromkeys(row[side] for row in rows for side in ("a", "b")))
    return Correlations(names, _factor(folder / FILE, names, rows))


def _require_pair(row: TableRow, parameters: Mapping[str, Parameter]) -> None:
    for name in (row["a"], row["b"]):
        if name not in parameters:
            hint = best_matches(name, parameters)
            raise ModelError(f"{row.where}: {name!r} is no row of parameters.tsv{hint}")
        if fault := _fault(parameters[name]):
            raise ModelError(f"{row.where}: {name!r} {fault}")
    if row["a"] == row["b"]:
        raise ModelError(f"{row.where}: {row['a']!r} is paired with itself")
    if not row["source"] and not row["note"]:
        raise ModelError(f"{row.where}: name the source of rho, or give its reason in the note")


def _fault(parameter: Parameter) -> str:
    """Why a parameter cannot be correlated, or nothing."""
    spreads = (parameter.uncertainty, parameter.between_patients, parameter.between_lines)
    kinds = {parse_distribution(text, parameter.where).kind for text in spreads}
    if kinds == {FIXED}:
        return "is fixed: its row states no spread that could be correlated"
    return "is a share of a whole, which no correlation fits" if "dirichlet" in kinds else ""


def _factor(path: Path, names: tuple[str, ...], rows: list[TableRow]) -> np.ndarray:
    """The Cholesky factor of the correlation matrix; pairs that no row names are independent."""
    matrix = np.eye(len(names))
    seen: set[frozenset[str]] = set()
    for row in rows:
        pair = frozenset((row["a"], row["b"]))
        if pair in seen:
            raise ModelError(f"{row.where}: {row['a']!r} and {row['b']!r} stand there twice")
        seen.add(pair)
        at = names.index(row["a"]), names.index(row["b"])
        matrix[at] = matrix[at[::-1]] = _rho(row)
    if np.linalg.eigvalsh(matrix)[0] <= TINY:
        raise ModelError(
            f"{path}: no numbers can have all of these correlations "
            f"({_first_fault(names, matrix)}): the matrix of rho is not positive definite"
        )
    return np.linalg.cholesky(matrix)


def _first_fault(names: tuple[str, ...], matrix: np.ndarray) -> str:
    """The names from the first on whose correlations contradict one another."""
    sizes = range(2, len(names) + 1)
    size = next(size for size in sizes if np.linalg.eigvalsh(matrix[:size, :size])[0] <= TINY)
    return ", ".join(names[:size])


def _rho(row: TableRow) -> float:
    try:
        rho = float(row["rho"])
    except ValueError:
        raise ModelError(f"{row.where}: rho {row['rho']!r} is not a number") from None
    if not -1 < rho < 1:
        raise ModelError(f"{row.where}: rho must lie between -1 and 1, not at {row['rho']}")
    return rho
