"""Functions whose indices are known, and samples of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myelode.sensitivities.samples import Parameter, Reading, Sample
from myelode.sweeps.designs.orders import Elasticities, Morris, Saltelli

A, B = 7.0, 0.1
G = (0.0, 1.0, 4.5, 9.0)
"""The weights of the function of Sobol: the larger, the less its parameter matters."""

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Cube:
    """Parameters that run from one number to another."""

    names: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    spreads: frozenset[str] = field(default_factory=frozenset)

    def from_unit(self, unit: np.ndarray) -> dict[str, np.ndarray]:
        """Values at points of the unit cube."""
        values = self.low + (self.high - self.low) * unit
        return dict(zip(self.names, values.T, strict=True))


def ishigami(x: Columns) -> np.ndarray:
    """The function of Ishigami."""
    return np.asarray(
        np.sin(x["x1"]) + A * np.sin(x["x2"]) ** 2 + B * x["x3"] ** 4 * np.sin(x["x1"])
    )


def ishigami_indices() -> dict[str, tuple[float, float]]:
    """First-order and total indices of each parameter."""
    alone = 0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8
    together = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = sum(alone) + together
    return {
        "x1": (alone[0] / whole, (alone[0] + together) / whole),
        "x2": (alone[1] / whole, alone[1] / whole),
        "x3": (0.0, together / whole),
    }


def sobol_g_indices() -> dict[str, tuple[float, float]]:
    """First-order and total indices of the function of Sobol with the weights `G`."""
    alone = np.array([1 / (3 * (1 + weight) ** 2) for weight in G])
    whole = np.prod(1 + alone) - 1
    total = [v * np.prod(1 + np.delete(alone, at)) for at, v in enumerate(alone)]
    return {
        f"x{at + 1}": (float(v / whole), float(t / whole))
        for at, (v, t) in enumerate(zip(alone, total, strict=True))
    }


ISHIGAMI_CUBE = Cube(("x1", "x2", "x3"), -np.pi, np.pi)


def sample_of(
    points: Elasticities | Morris | Saltelli, lost: Callable[[Columns], np.ndarray] | None = None
) -> tuple[Sample, dict[str, np.ndarray]]:
    """The points of a design, of which some fail, and its columns."""
    columns = points.columns(0, points.count)
    kind = type(points).__name__.lower()
    options = {name: getattr(points, name, None) for name in ("step", "levels", "second_order")}
    return sample(kind, columns, lost, options), columns


def sample(
    kind: str,
    columns: Columns,
    lost: Callable[[Columns], np.ndarray] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Sample:
    """A sample at these columns."""
    values = np.stack(list(columns.values()), axis=1)
    failed = lost(columns) if lost else np.zeros(len(values), bool)
    parameters = tuple(Parameter(name, f"meaning of {name}", "1/h") for name in columns)
    return Sample(kind, options or {}, parameters, values, failed)


def reading(values: np.ndarray, of: Sample | None = None, label: str = "y") -> Reading:
    """A reading that has no number where the sample's points failed."""
    lost = of.has_failed if of is not None else np.zeros(len(values), bool)
    return Reading(label, label, np.where(lost, np.nan, values), f"title of {label}", "umol/L")
