"""Which of several settings of one value holds.

Precedence: model < compound < cell line < base values (``--set``, designs) < perturbation < final
values (``--set final.x=``). A perturbation's ``scale`` multiplies what stands below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from myelode.errors import MyelodeError
from myelode.model import Model
from myelode.perturbations import Perturbation

if TYPE_CHECKING:
    import numpy as np

Layer = tuple[str, Mapping[str, float]]
"""Values of one origin, and what to call it."""


@dataclass(frozen=True)
class Effective:
    """The values of one run that differ from the model, and who set each of them, in order."""

    changes: Mapping[str, float]
    origins: Mapping[str, tuple[str, ...]]


def resolve(
    model: Model,
    cell_line: Perturbation | None,
    base: Mapping[str, float],
    perturbation: Perturbation,
    final: Mapping[str, float],
    below: Sequence[Layer] = (),
) -> Effective:
    """The values that hold in a run, by the rules of precedence; `below` stands under them all."""
    layers = _layers(cell_line, base, perturbation, final, below)
    values = _values(model, layers)
    origins: dict[str, tuple[str, ...]] = {}
    for origin, settings, scales in layers:
        said = {name: f"{origin}: = {value:g}" for name, value in settings.items()}
        scaled = {name: f"{origin}: x {scale:g}" for name, scale in scales.items()}
        for name, text in (*said.items(), *scaled.items()):
            origins[name] = (*origins.get(name, ()), text)
    return Effective(values, origins)


def resolve_many(
    model: Model,
    cell_line: Perturbation | None,
    base: Mapping[str, float | np.ndarray],
    perturbation: Perturbation,
    final: Mapping[str, float | np.ndarray],
    below: Sequence[Layer] = (),
) -> dict[str, float | np.ndarray]:
    """As the changes of `resolve`, for many runs at once: arrays where base or final has arrays."""
    return _values(model, _layers(cell_line, base, perturbation, final, below))


_Layers = Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]
"""Origin, values that are set, and factors, of each layer, from the lowest."""


def _layers(
    cell_line: Perturbation | None, base: Mapping[str, Any], perturbation: Perturbation,
    final: Mapping[str, Any], below: Sequence[Layer],
) -> _Layers:  # fmt: skip
    line = cell_line
    return [
        *((origin, settings, {}) for origin, settings in below),
        *([(f"cell line {line.name}", line.set, line.scale)] if line is not None else []),
        ("base value", base, {}),
        (f"perturbation {perturbation.name}", perturbation.set, perturbation.scale),
        ("final value", final, {}),
    ]


def _values(model: Model, layers: _Layers) -> dict[str, Any]:
    """What holds where each layer stands on those before it."""
    values: dict[str, Any] = {}
    for _, settings, scales in layers:
        values |= settings
        for name, scale in scales.items():
            values[name] = scale * values.get(name, _model_value(model, name))
    return values


def _model_value(model: Model, name: str) -> float:
    value = model.entity(name).value
    if value is None:
        raise MyelodeError(f"{name!r} has no value to scale")
    return value
