"""What a figure tells of a result: which dimension is an axis, which a column, which a line.

Without a dose ladder the panels are the outputs over time; with one they are the endpoints over
dose. Arms are columns. A second ladder makes lines of its doses, and columns of the perturbations.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from myelode.figures.page import Page
from myelode.figures.panel import Across, Curve, Panel
from myelode.figures.styles import (
    clock,
    log_ticks,
    number_text,
    quantity_text,
    ramp,
    styles,
    unit_text,
)
from myelode.model import Model, model_from_sbml
from myelode.scenario import Scenario, scenario_from_text
from myelode.sections import Endpoint
from myelode.steps import Context, resolve_time


def page_of(dataset: xr.Dataset, result: xr.Dataset) -> Page:
    """The figure of a simulated (`dataset`) and evaluated (`result`) scenario, not yet drawn."""
    return _Story(dataset, result).page()


class _Story:
    """A result on its way to a page."""

    def __init__(self, dataset: xr.Dataset, result: xr.Dataset):
        self.dataset = dataset
        self.result = result
        self.scenario: Scenario = scenario_from_text(str(dataset.attrs["scenario"]))
        self.labels: Mapping[str, Mapping[str, float]] = json.loads(dataset.attrs["labels"])
        self.over = "dose" if "dose" in dataset.dims else "time"
        self.series = "dose2" if "dose2" in dataset.dims else "perturbation"
        self.columns = [
            name for name in ("perturbation", "arm") if name in dataset.dims and name != self.series
        ]
        self.clock = clock(float(dataset["time"].values[-1]), self._unit(dataset["time"]))

    @cached_property
    def model(self) -> Model:
        """The model as the result holds it."""
        attrs = self.dataset.attrs
        return model_from_sbml(str(attrs["sbml"]), str(attrs["model"]), "model of the result")

    def page(self) -> Page:
        """The whole figure, not yet drawn."""
        doses = self.over == "dose"
        rows = self._dose_rows() if doses else self._time_rows()
        if not self.columns:
            rows = _folded([panel for row in rows for panel in row if panel])
        names = [self._name(value) for value in self.dataset[self.series].values]
        by_perturbation = self.series == "perturbation"
        return Page(
            title=self.scenario.title,
            subtitle=self._subtitle(),
            rows=tuple(rows),
            across=self._dose_axis() if doses else self._time_axis(),
            styles=styles(names, self.scenario.reference) if by_perturbation else ramp(names),
            legend={name: self._legend_text(name) if by_perturbation else name for name in names},
            legend_title=self._legend_title(),
            captions=tuple(self._captions()),
            shared=bool(self.columns),
        )

    def _subtitle(self) -> str:
        attrs = self.dataset.attrs
        variant = f" ({attrs['variant']})" if attrs.get("variant") else ""
        line = f", cell line {self.scenario.cell_line}" if self.scenario.cell_line else ""
        return f"scenario {self.scenario.id}, model {attrs['model']}{variant}{line}"

    def _captions(self) -> Iterator[str]:
        grade, share = self.dataset.attrs["evidence"], float(self.dataset.attrs["assumed_share"])
        if math.isfinite(share):
            yield f"Weakest evidence among its numbers: {grade}; {share:.0%} of them are assumed."
        else:
            yield "The evidence behind its numbers is not stated."
        if "sample" in self.dataset.dims:
            yield f"Thin lines: the {self.dataset.sizes['sample']} points of the design."
        if self.over == "dose" and self._zero_at() is not None:
            yield "Open markers at dose 0: the control without drug." + self._ic50_note()
        if any(np.isposinf(self.result[name].values).any() for name in self._dosed()):
            yield "Triangles at the upper edge: not reached."
        yield str(self.dataset.attrs["notice"])

    def _ic50_note(self) -> str:
        takes = {endpoint.take for endpoint in self.scenario.endpoints.values()}
        return " Dotted lines: the IC50." if "ic50" in takes else ""

    def _dosed(self) -> list[str]:
        """Endpoints that depend on dose."""
        names = [name for name in self.scenario.endpoints if name in self.result]
        return [name for name in names if "dose" in self.result[name].dims]

    def _has_outcomes(self) -> bool:
        """Whether there is one outcome for each line of the legend."""
        return "outcome" in self.result and self.result["outcome"].dims == (self.series,)

    def _legend_title(self) -> str:
        if self.series == "dose2":
            return self._dose_text("dose2")
        outcome = self.scenario.outcome
        return (
            f"outcome and fold change of {outcome.of}" if outcome and self._has_outcomes() else ""
        )

    def _legend_text(self, name: str) -> str:
        text = f"{name} (reference)" if name == self.scenario.reference else name
        if not self._has_outcomes():
            return text
        here = self.result.sel(perturbation=name)
        fold = float(here["fold"])
        if name == self.scenario.reference or math.isnan(fold):
            return text
        size = "not reached" if math.isinf(fold) else f"{fold:.3g}-fold"
        return f"{text}: {here['outcome'].item()}, {size}"

    def _time_axis(self) -> Across:
        end = float(self.dataset["time"].values[-1]) / self.clock.length
        return Across(f"time ({self.clock.unit})", (-0.015 * end, 1.02 * end), self.clock.ticks)

    def _dose_axis(self) -> Across:
        doses = self.dataset["dose"].values
        low, high = float(doses[doses > 0].min()), float(doses.max())
        ticks = log_ticks(low * (1 - 1e-9), high)
        control = None if self._zero_at() is None else low / max(3.0, (high / low) ** 0.13)
        marks = (control, *ticks) if control is not None else tuple(ticks)
        edge = (high / low) ** 0.03
        return Across(
            self._dose_text("dose"), ((control or low) / edge, high * edge), marks, True, control
        )

    def _dose_text(self, ladder: str) -> str:
        """``dose of melflufen medium (µmol/L)``: the species, or the label if arms differ in it."""
        label = getattr(self.scenario.design, ladder).of
        dosed = {
            step.dose or step.infuse
            for steps in self.scenario.regimens.values()
            for step in steps
            if step.label == label
        }
        name = self.model.label_of(str(dosed.pop())) if len(dosed) == 1 else label
        if self.series == "dose2":
            name = f"{name} at {label}"
        return f"dose of {name} ({unit_text(self._unit(self.dataset[ladder]))})"

    def _zero_at(self) -> int | None:
        zeros = np.flatnonzero(self.dataset["dose"].values == 0)
        return int(zeros[0]) if zeros.size else None

    def _time_rows(self) -> list[tuple[Panel | None, ...]]:
        columns = self._column_values()
        return [tuple(self._panel(data, column) for column in columns) for data in self._outputs()]

    def _outputs(self) -> list[xr.DataArray]:
        """What the scenario asks to look at; what only endpoints need is not shown."""
        return [self.dataset[name] for name in dict.fromkeys(self.scenario.observe.outputs)]

    def _dose_rows(self) -> list[tuple[Panel | None, ...]]:
        rows = []
        for data, ic50 in self._responses():
            rows.append(tuple(self._panel(data, c, ic50) for c in self._column_values()))
        return rows

    def _responses(self) -> Iterator[tuple[xr.DataArray, xr.DataArray | None]]:
        """Endpoints that depend on dose, and the curves on which an IC50 is read, with it."""
        read = [
            (self._reading(endpoint), self.result[name])
            for name, endpoint in self.scenario.endpoints.items()
            if endpoint.take == "ic50"
        ]
        dosed = [self.result[name] for name in self._dosed()]
        plain = [data for data in dosed if not any(_equal(data, curve) for curve, _ in read)]
        if not read and not plain:
            plain = [self._last(data) for data in self._outputs()]
        yield from read
        yield from ((data, None) for data in plain)

    def _last(self, data: xr.DataArray) -> xr.DataArray:
        last = data.isel(time=-1)
        name = f"{data.attrs['long_name']} at {self._moment(float(last['time']))}"
        return last.drop_vars("time").assign_attrs(data.attrs, long_name=name)

    def _reading(self, endpoint: Endpoint) -> xr.DataArray:
        """The response over dose on which the IC50 `endpoint` is read."""
        data = self.dataset[str(endpoint.of)]
        arm = endpoint.arm or next(iter(self.labels))
        time = resolve_time(endpoint.at or 0, self.labels[arm], Context(self.model))
        read = data.sel(time=time, method="nearest", drop=True)
        if endpoint.arm:
            read = read.sel(arm=endpoint.arm, drop=True)
        name = f"{data.attrs['long_name']} at {self._moment(time)}"
        return read.assign_attrs(data.attrs, long_name=name)

    def _column_values(self) -> list[dict[str, str]]:
        values = [[str(value) for value in self.dataset[name].values] for name in self.columns]
        return [
            dict(zip(self.columns, choice, strict=True)) for choice in itertools.product(*values)
        ]

    def _panel(
        self, data: xr.DataArray, column: Mapping[str, str], ic50: xr.DataArray | None = None
    ) -> Panel | None:
        """The panel of a quantity in a column; a quantity of all arms stands in the first only."""
        here = {name: value for name, value in column.items() if name in data.dims}
        missing = [name for name in column if name not in data.dims]
        if any(column[name] != self._name(self.dataset[name].values[0]) for name in missing):
            return None
        marks = (
            ic50.sel({k: v for k, v in here.items() if k in ic50.dims})
            if ic50 is not None
            else None
        )
        return Panel(
            quantity_text(data.attrs, str(data.name)),
            tuple(self._curves(data.sel(here), marks)),
            ", ".join(column.values()),
            self._events(column.get("arm", "")) if self.over == "time" else None,
        )

    def _curves(self, data: xr.DataArray, ic50: xr.DataArray | None) -> Iterator[Curve]:
        order = [name for name in (self.series, "sample", self.over) if name in data.dims]
        data = data.transpose(*order)
        for place in np.ndindex(data.shape[:-1]):
            at = dict(zip(order, place, strict=False))
            name = self._name(self.dataset[self.series].values[at.get(self.series, 0)])
            mark = (
                None
                if ic50 is None
                else float(ic50.isel({k: v for k, v in at.items() if k in ic50.dims}))
            )
            yield self._curve(
                name, np.asarray(data.values[place], dtype=float), mark, "sample" in at
            )

    def _curve(self, name: str, y: np.ndarray, ic50: float | None, member: bool) -> Curve:
        if self.over == "time":
            return Curve(name, self.dataset["time"].values / self.clock.length, y, member=member)
        doses, zero = self.dataset["dose"].values, self._zero_at()
        control = None if zero is None else float(y[zero])
        reached = ic50 is not None and math.isfinite(ic50) and control is not None
        mark = (float(ic50 or 0), 0.5 * float(control or 0)) if reached else None
        return Curve(name, doses[doses > 0], y[doses > 0], control, mark, member)

    def _events(self, arm: str) -> dict[float, str]:
        """The names of what happens at each time, with the time."""
        found: dict[float, list[str]] = {}
        for label, time in self.labels.get(arm, {}).items():
            found.setdefault(time, []).append(label.replace("_", " "))
        return {
            time / self.clock.length: f"{', '.join(labels)} {self._moment(time)}"
            for time, labels in sorted(found.items())
        }

    def _moment(self, time: float) -> str:
        return f"{number_text(time / self.clock.length)} {self.clock.unit}"

    def _name(self, value: Any) -> str:
        return value if isinstance(value, str) else number_text(float(value))

    def _unit(self, data: xr.DataArray) -> str:
        return str(data.attrs.get("units") or "")


def _folded(panels: Sequence[Panel]) -> list[tuple[Panel | None, ...]]:
    """Panels in as many columns as make a page that is rather wide than tall."""
    columns = 1 if len(panels) == 1 else 2 if len(panels) <= 4 else 3
    return [tuple(panels[start : start + columns]) for start in range(0, len(panels), columns)]


def _equal(one: xr.DataArray, other: xr.DataArray) -> bool:
    same = set(one.dims) == set(other.dims)
    return same and bool(np.array_equal(one.values, other.transpose(*one.dims).values))
