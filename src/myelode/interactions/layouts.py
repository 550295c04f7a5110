"""How what is known of a checkerboard is laid out: titles, dimensions and coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from myelode.dose_ladders import Axis
from myelode.interactions.boards import MIXTURE, Board
from myelode.interactions.wells import Wells

WELLS = ("dose", "dose2")
_TITLES = {
    "effect": "effect: 1 - what is left over the control",
    "combination_index": "combination index",
    "combination_index_limit": "combination index, where an agent alone never has the effect",
    "undefined": "why there is no combination index",
    "call": "verdict on the combination index",
    "reason": "reason of the verdict",
    "low": "combination index, lower end of its interval (5 %)",
    "high": "combination index, upper end of its interval (95 %)",
    "loewe_effect": "effect expected by Loewe additivity",
    "loewe_excess": "effect beyond Loewe additivity",
    "bliss_excess": "effect beyond Bliss independence",
    "hsa_excess": "effect beyond the better single agent",
    "level_index": "combination index of mixtures with the level of effect",
    "level_limit": "combination index of mixtures, where an agent alone never has the effect",
    "level_undefined": "why there is no combination index of the mixture",
    "level_call": "verdict on the combination index of the mixture of fixed ratio",
    "level_reason": "reason of the verdict",
    "level_low": "combination index of the mixture of fixed ratio, lower end of its interval (5 %)",
    "level_high": "combination index of the mixture of fixed ratio, upper end of it (95 %)",
    "alone": "dose of the first agent alone with the level of effect",
    "alone2": "dose of the second agent alone with the level of effect",
    "mixed": "dose of the first agent in a mixture with the level of effect",
    "mixed2": "dose of the second agent in a mixture with the level of effect",
    "sham_combination_index": "combination index of an agent with itself, furthest from 1",
}
_LEVEL = {
    "level_index": ("level", "mixture"), "level_limit": ("level", "mixture"),
    "level_undefined": ("level", "mixture"), "mixed": ("level", "mixture"),
    "mixed2": ("level", "mixture"), "alone": ("level",), "alone2": ("level",),
    "level_call": ("level",), "level_reason": ("level",), "level_low": ("level",),
    "level_high": ("level",),
}  # fmt: skip


class Frame:
    """The axes of the dataset, on which arrays by case or by treatment are laid out."""

    def __init__(self, board: Board, agents: Sequence[str], levels: Sequence[float]):
        self.board, self.agents, self.levels = board, agents, levels
        wells = board.wells
        self.lead = _lead(wells)
        self.draws = len(wells.draws)
        self.sampled = any(axis.name == "sample" for axis in wells.planner.grid.axes)

    def dataset(
        self, drawn: Mapping[str, np.ndarray], told: Mapping[str, np.ndarray]
    ) -> xr.Dataset:
        """`drawn` holds arrays by case, `told` by treatment."""
        coords = {axis.name: _coordinate(axis) for axis in (*self.lead, *self.board.axes)}
        shares = [ray[1] / self.board.ratio for ray in self.board.rays[MIXTURE:]]
        coords |= {
            "level": ("level", np.array(self.levels), {"units": "1"}),
            "mixture": ("mixture", np.array(shares), {"units": "1"}),
            "agent": ("agent", np.array(self.agents, dtype=object), {}),
        }
        if self.sampled:
            coords["sample"] = ("sample", np.arange(self.draws), {"long_name": "sample"})
        found = {name: self._laid(name, values, True) for name, values in drawn.items()}
        found |= {name: self._laid(name, values, False) for name, values in told.items()}
        return xr.Dataset(found, coords=coords)

    def _laid(self, name: str, values: np.ndarray, by_case: bool) -> xr.DataArray:
        inner = _LEVEL.get(name, ("agent",) if name.startswith("sham") else WELLS)
        lead = tuple(len(axis.values) for axis in self.lead)
        dims = tuple(axis.name for axis in self.lead)
        attributes = {"long_name": _TITLES[name], "units": self._unit(name)}
        if not by_case:
            return xr.DataArray(
                values.reshape(*lead, *values.shape[1:]), None, (*dims, *inner), attrs=attributes
            )
        laid = values.reshape(*lead, self.draws, *values.shape[1:])
        laid = np.moveaxis(laid, len(lead), -1)
        if self.sampled and values.dtype != object:
            return xr.DataArray(laid, None, (*dims, *inner, "sample"), attrs=attributes)
        return xr.DataArray(laid[..., 0], None, (*dims, *inner), attrs=attributes)

    def _unit(self, name: str) -> str:
        """The unit of doses; of all else none."""
        if name not in ("alone", "alone2", "mixed", "mixed2"):
            return "1"
        return self.board.axes[name.endswith("2")].unit or ""


def _lead(wells: Wells) -> list[Axis]:
    """The axes of the treatments."""
    scenario = wells.planner.scenario
    has = {
        "perturbation": True,
        "compound": scenario.compounds is not None,
        "arm": bool(scenario.arms),
    }
    columns = zip(*wells.treatments, strict=True)
    return [
        Axis(name, tuple(dict.fromkeys(column)))
        for (name, present), column in zip(has.items(), columns, strict=True)
        if present
    ]


def _coordinate(axis: Axis) -> tuple[str, np.ndarray, dict[str, str]]:
    kind = object if isinstance(axis.values[0], str) else None
    attributes = {"units": axis.unit or "", "long_name": axis.dosed or axis.name}
    return axis.name, np.array(axis.values, dtype=kind), attributes
