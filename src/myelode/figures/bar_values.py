"""Endpoints as bars: which numbers a scenario asks for, row by row, and in which unit.

Rows are perturbations, and then each arm is a bar in every row, or the other way round. A panel
holds bars of one unit. A bar is an endpoint, or the sum of several; over points of a design it is a
median, with 5 and 95 % beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figure_sections import keyed, parts_of
from myelode.figures.signature import SHARE_UNITS, is_number
from myelode.figures.styles import unit_text
from myelode.metrics import quantiles
from myelode.scenario import Scenario
from myelode.units import factor, split_quantity

NAMED = ("perturbation", "compound", "arm")


@dataclass(frozen=True)
class Bar:
    """One bar of every row: `spread` is low, median and high of the whole, row by row.

    `parts` are the medians of what it is made of, by the label of each; there is one at least.
    """

    parts: Mapping[str, np.ndarray]
    spread: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        """Row by row the number that is written at its end."""
        found: np.ndarray = self.spread[1]
        return found

    def lengths(self) -> np.ndarray:
        """The parts by rows, in proportion to their medians, so that they end at the whole."""
        parts = np.stack(list(self.parts.values()))
        total = parts.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = np.where(total == 0, parts, parts / total * self.whole)
        return found


@dataclass(frozen=True)
class BarPanel:
    """Bars that share an axis; `unit` is empty where they are pure numbers."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    marks: Mapping[str, float]
    log: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """What its colours mean; one empty label where there is nothing to tell apart."""
        return tuple(dict.fromkeys(label for bar in self.bars for label in bar.parts))

    def numbers(self) -> np.ndarray:
        """All finite numbers that the axis must have room for."""
        values = np.concatenate([bar.spread.ravel() for bar in self.bars])
        found: np.ndarray = np.append(values[np.isfinite(values)], list(self.marks.values()))
        return found


def chart_of(
    result: xr.Dataset, scenario: Scenario, titles: Mapping[str, str]
) -> tuple[list[str], list[BarPanel]]:
    """The labels of the rows and the panels; `titles` are those of the perturbations.

    Raises ScenarioError, with its place, for a number over doses, parts of different units, stacked
    numbers below zero, stacks on a log axis and marks in another unit.
    """
    chart = _Chart(result, scenario, titles)
    panels = [chart.panel(title, bars) for title, bars in scenario.figure.panels.items()]
    return chart.row_labels(), panels


class _Chart:
    """What stands along the rows, and what stands beside each other in every row."""

    def __init__(self, result: xr.Dataset, scenario: Scenario, titles: Mapping[str, str]):
        self.scenario, self.rule, self.titles = scenario, scenario.figure, titles
        self.axis = _row_axis(result, scenario)
        self.rows = list(self.rule.rows or map(str, result[self.axis].values))
        self.result = result.sel({self.axis: self.rows})
        self.across = "perturbation" if self.axis == "arm" else "arm"

    def row_labels(self) -> list[str]:
        """What each row is called: as the figure says, else by title, else by name."""
        if isinstance(self.rule.rows, Mapping):
            return list(self.rule.rows.values())
        return [self._word(self.axis, name) for name in self.rows]

    def _word(self, axis: str, name: str) -> str:
        """What a perturbation, compound or arm is called."""
        if axis != "perturbation":
            return name.replace("_", " ")
        label = self.titles.get(name, name.replace("_", " "))
        is_reference = name == self.scenario.reference and self.result.sizes[axis] > 1
        return f"{label} (reference)" if is_reference else label

    def panel(self, title: str, texts: list[str] | dict[str, str]) -> BarPanel:
        """A panel with all its bars."""
        bars: list[Bar] = []
        unit: str | None = None
        for key, text in keyed(texts):
            with self.scenario.at("figure", "panels", title, key):
                parts = [self._number(name) for name in parts_of(text)]
                for part in parts:
                    unit = _same_unit(unit, str(part.attrs.get("units") or ""))
                if len(parts) > 1 and title in self.rule.log:
                    raise ScenarioError("bars that are made of parts have no log axis")
                titles = _titles(parts, key if isinstance(key, str) else "", len(texts) > 1)
                bars += self._bars(parts, titles)
        unit = unit or ""
        shown = "" if unit in SHARE_UNITS else unit_text(unit)
        marks = _marks(self.scenario, title, unit)
        return BarPanel(title, shown, tuple(bars), marks, title in self.rule.log)

    def _number(self, name: str) -> xr.DataArray:
        """A number of every run, which has no doses, and one for each row."""
        data, axis = self.result[name], self.axis
        if not is_number(data):
            raise ScenarioError(f"{name!r} depends on dose: read it at one dose (dose: ...)")
        if axis not in data.dims:
            raise ScenarioError(f"rows are {axis}s here, and {name!r} is not read in every {axis}")
        return data

    def _bars(self, parts: Sequence[xr.DataArray], titles: Sequence[str]) -> list[Bar]:
        """All that the figure lists, or wherever there is a number."""
        aligned = xr.broadcast(*[self._listed(part) for part in parts])
        axes = [axis for axis in NAMED if axis in aligned[0].dims and axis != self.axis]
        several = [axis for axis in axes if self.rule.series or aligned[0].sizes[axis] > 1]
        bars: list[Bar] = []
        for place in itertools.product(*(aligned[0][axis].values for axis in axes)):
            at = dict(zip(axes, map(str, place), strict=True))
            values = np.stack([_by_rows(part.sel(at), self.axis) for part in aligned])
            words = [self._series(axis, at[axis]) for axis in several]
            bars.append(
                _bar([", ".join(filter(None, [title, *words])) for title in titles], values)
            )
        known = [bar for bar in bars if not np.isnan(bar.whole).all()]
        return bars if self.rule.series or not known else known

    def _series(self, axis: str, name: str) -> str:
        """What that which stands within a row is called."""
        listed = self.rule.series
        if isinstance(listed, Mapping) and axis == self.across:
            return str(listed[name])
        return self._word(axis, name)

    def _listed(self, data: xr.DataArray) -> xr.DataArray:
        """What the figure lists of that which stands within a row, in its order."""
        listed = self.rule.series
        if not listed or self.across not in data.dims:
            return data
        return data.sel({self.across: list(listed)})


def _row_axis(result: xr.Dataset, scenario: Scenario) -> str:
    """Rows are what the figure lists, or what it does not list as series.

    Else they are the perturbations, or the arms where there is only one perturbation.
    """
    names, rule = {str(name) for name in result["perturbation"].values}, scenario.figure
    if rule.rows or rule.series:
        are_rows = {*rule.rows} <= names if rule.rows else not {*(rule.series or ())} <= names
        return "perturbation" if are_rows else "arm"
    shown = [
        part for bars in rule.panels.values() for _, bar in keyed(bars) for part in parts_of(bar)
    ]
    in_arms = all("arm" in result[name].dims for name in shown)
    return "arm" if len(names) == 1 and in_arms else "perturbation"


def _titles(parts: Sequence[xr.DataArray], label: str, several: bool) -> list[str]:
    """What tells the parts of a bar from each other, and the bar from others; "" if nothing."""
    if len(parts) == 1:
        return [label or (_title(parts[0]) if several else "")]
    return [f"{label}: {_title(part)}" if label else _title(part) for part in parts]


def _same_unit(unit: str | None, own: str) -> str:
    """The unit of one more part, which is that of those before."""
    words = [unit_text(text) or "no unit" for text in (own if unit is None else unit, own)]
    if words[0] != words[1]:
        raise ScenarioError(f"bars in one panel have one unit, not {words[0]} and {words[1]}")
    return own


def _by_rows(data: xr.DataArray, axis: str) -> np.ndarray:
    """Rows by points of the design; one point where there is no design."""
    rows = data.transpose(axis, ...).values.astype(float)
    return rows.reshape(len(rows), -1)


def _bar(labels: Sequence[str], values: np.ndarray) -> Bar:
    if len(labels) > 1 and (values < 0).any():
        raise ScenarioError("parts of a bar that are below zero do not add up to one")
    if len({*labels}) < len(labels):
        raise ScenarioError("parts of a bar need titles that differ")
    medians = [quantiles(part)[1] for part in values]
    return Bar(dict(zip(labels, medians, strict=True)), quantiles(values.sum(axis=0)))


def _title(data: xr.DataArray) -> str:
    return str(data.attrs.get("long_name") or str(data.name).replace("_", " "))


def _marks(scenario: Scenario, title: str, unit: str) -> dict[str, float]:
    """The levels to be marked in a panel, as numbers in its unit."""
    found: dict[str, float] = {}
    for label, level in scenario.figure.marks.get(title, {}).items():
        with scenario.at("figure", "marks", title, label):
            number, own = split_quantity(level)
            same = own is None or unit_text(own) == unit_text(unit)
            found[label] = number if same else number * factor(own or "1", unit, "the mark")
    return found
