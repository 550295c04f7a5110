"""What a figure tells of a result: which dimension is an axis, which a column, which a line.

Without a dose ladder the panels are the outputs over time; with one they are the endpoints over
dose. Arms are columns, and so are compounds, which are lines where there is one perturbation only.
A second ladder makes lines of its doses, and columns of the perturbations.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from myelode.assays.instruments import with_readings
from myelode.assays.sections import CALIBRATED
from myelode.dose_ladders import is_of_value
from myelode.figures.arrangement import (
    OUTPUT,
    column_values,
    grouped_outputs,
    has_compounds_only,
    is_rather_over_time,
    with_output_names,
    with_written_doses,
)
from myelode.figures.combined import bars_of
from myelode.figures.dose_axis import dose_axis
from myelode.figures.events import Event, EventAxis, events_of
from myelode.figures.measured import Overlay
from myelode.figures.page import Page, closing_notes, evidence_note, folded
from myelode.figures.panel import Across, Curve, Mark, Panel, half_mark
from myelode.figures.responses import Titration, half_note
from myelode.figures.styles import (
    clock,
    number_text,
    quantity_text,
    ramp,
    styles,
    unit_text,
)
from myelode.model import Model, model_from_sbml
from myelode.quantile_bands import quantiles_of
from myelode.scenario import Scenario, scenario_from_text
from myelode.user_data.readings import Readings

COLUMNS = ("perturbation", "compound", "arm", "dose")


def page_of(dataset: xr.Dataset, result: xr.Dataset, readings: Readings | None = None) -> Page:
    """The figure of a simulated (`dataset`) and evaluated (`result`) scenario, not yet drawn.

    The user's own `readings` are points with bars over the lines.
    """
    return _Story(dataset, result, readings).page()


class _Story:
    """A result on its way to a page."""

    def __init__(self, dataset: xr.Dataset, result: xr.Dataset, readings: Readings | None):
        self.result = result
        self.scenario: Scenario = scenario_from_text(str(dataset.attrs["scenario"]))
        self.dataset = with_readings(dataset, self.scenario)
        self.labels: Mapping[str, Mapping[str, float]] = json.loads(dataset.attrs["labels"])
        self.over = "dose" if "dose" in dataset.dims else "time"
        if self.over == "dose" and is_rather_over_time(dataset):
            self.over = "time"
            self.dataset, result = (with_written_doses(data) for data in (self.dataset, result))
            self.result = result
        self.series = "dose2" if "dose2" in dataset.dims else "perturbation"
        if self.series == "perturbation" and has_compounds_only(dataset):
            self.series = "compound"
            self.dataset = self.dataset.squeeze("perturbation")
            self.result = result.squeeze("perturbation")
        if self.scenario.figure.together:
            self.series = OUTPUT
            self.dataset = with_output_names(self.dataset, self.scenario)
        first = [name for name in COLUMNS if name in self.dataset.dims]
        self.columns = [name for name in first if name not in (self.series, self.over)]
        self.overlay = Overlay(readings, self.series) if readings is not None else None
        self.clock = clock(float(dataset["time"].values[-1]), self._unit(dataset["time"]))

    @cached_property
    def model(self) -> Model:
        """The model as the result holds it."""
        attrs = self.dataset.attrs
        return model_from_sbml(str(attrs["sbml"]), str(attrs["model"]), "model of the result")

    @cached_property
    def titration(self) -> Titration:
        """The result over doses."""
        parts = self.dataset, self.result, self.scenario, self.labels, self.model
        return Titration(*parts, self._moment)

    def page(self) -> Page:
        """The whole figure, not yet drawn."""
        doses = self.over == "dose"
        rows = self._dose_rows() if doses else self._time_rows()
        if not self.columns:
            rows = folded([panel for row in rows for panel in row if panel])
        names = [self._name(value) for value in self.dataset[self.series].values]
        by_name = self.series != "dose2"
        return Page(
            title=self.scenario.title,
            subtitle=self._subtitle(),
            rows=tuple(rows),
            across=self._dose_axis() if doses else self._time_axis(),
            styles=styles(names, self.scenario.reference) if by_name else ramp(names),
            legend={name: self._legend_text(name) if by_name else name for name in names},
            legend_title=self._legend_title(),
            captions=tuple(self._captions()),
            shared=bool(self.columns),
            bars=bars_of(self.result, self.scenario),
        )

    def _subtitle(self) -> str:
        attrs = self.dataset.attrs
        variant = f" ({attrs['variant']})" if attrs.get("variant") else ""
        line = f", cell line {self.scenario.cell_line}" if self.scenario.cell_line else ""
        compound = self.scenario.compound
        drug = f", compound {compound}" if isinstance(compound, str) else ""
        return f"scenario {self.scenario.id}, model {attrs['model']}{variant}{drug}{line}"

    def _captions(self) -> Iterator[str]:
        yield evidence_note(self.dataset.attrs)
        if "sample" in self.dataset.dims:
            subjects = self.scenario.design.subjects
            what = subjects.title if subjects else "points of the design"
            what = f"{self.dataset.sizes['sample']} {what}"
            banded = self.scenario.design.uncertainty is not None
            yield f"{'Medians and 5 to 95 % of' if banded else 'Thin lines:'} the {what}."
        if self.over == "dose" and self._zero_at() is not None:
            yield "Open markers at dose 0: the control without drug." + half_note(self.scenario)
        if any(np.isposinf(self.result[name].values).any() for name in self.titration.dosed()):
            yield "Triangles at the upper edge: not reached."
        if self.overlay is not None:
            yield self.overlay.note
        yield from closing_notes(self.dataset.attrs)

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
        here = self.result.sel({self.series: name})
        fold = float(here["fold"])
        if name == self.scenario.reference or math.isnan(fold):
            return text
        size = "not reached" if math.isinf(fold) else f"{fold:.3g}-fold"
        return f"{text}: {here['outcome'].item()}, {size}"

    def _time_axis(self) -> Across:
        end = float(self.dataset["time"].values[-1]) / self.clock.length
        return Across(f"time ({self.clock.unit})", (-0.015 * end, 1.02 * end), self.clock.ticks)

    def _dose_axis(self) -> Across:
        more = self.overlay.doses if self.overlay is not None else []
        doses = np.unique([*self.dataset["dose"].values, *more])
        return dose_axis(doses, self._dose_text("dose"))

    def _dose_text(self, ladder: str) -> str:
        """``dose of lenalidomide (µmol/L)``: what is dosed, or the label if arms differ in it."""
        label, doses = getattr(self.scenario.design, ladder).of, self.dataset[ladder]
        dosed = str(doses.attrs.get("dosed", ""))
        if is_of_value(self.scenario, label, self.titration.model):
            return f"{dosed} ({unit_text(self._unit(doses))})"
        if self.series == "dose2":
            dosed = f"{dosed or label} at {label}"
        if not dosed and "compound" not in self.dataset.dims:
            dosed = label.replace("_", " ")
        return f"dose{' of ' * bool(dosed)}{dosed} ({unit_text(self._unit(doses))})"

    def _zero_at(self) -> int | None:
        zeros = np.flatnonzero(self.dataset["dose"].values == 0)
        return int(zeros[0]) if zeros.size else None

    def _time_rows(self) -> list[tuple[Panel | None, ...]]:
        columns = column_values(self.dataset, self.columns)
        return [tuple(self._panel(data, column) for column in columns) for data in self._outputs()]

    def _outputs(self) -> list[xr.DataArray]:
        """What the scenario asks to look at; what only endpoints need is not shown."""
        if self.series == OUTPUT:
            return grouped_outputs(self.dataset, self.scenario)
        return [self.dataset[name] for name in dict.fromkeys(self.scenario.observe.outputs)]

    def _dose_rows(self) -> list[tuple[Panel | None, ...]]:
        columns = column_values(self.dataset, self.columns)
        return [
            tuple(self._panel(response.data, column, response.halves) for column in columns)
            for response in self.titration.responses()
        ]

    def _panel(
        self, data: xr.DataArray, column: Mapping[str, str], halves: Sequence[xr.DataArray] = ()
    ) -> Panel | None:
        """The panel of a quantity in a column; a quantity of all arms stands in one column only."""
        here = {name: value for name, value in column.items() if name in data.dims}
        missing = [name for name in column if name not in data.dims]
        if any(column[name] != self._home(data, name) for name in missing):
            return None
        marked = [half.sel({k: v for k, v in here.items() if k in half.dims}) for half in halves]
        return Panel(
            quantity_text(data.attrs, str(data.name)),
            (*self._curves(data.sel(here), marked), *self._measured(data, column)),
            ", ".join(column.values()),
            self._events(column) if self.over == "time" else (),
            str(data.name) in self.scenario.figure.log,
        )

    def _measured(self, data: xr.DataArray, column: Mapping[str, str]) -> Iterator[Curve]:
        """The user's own readings of a quantity in a column."""
        if self.overlay is None:
            return
        names = [str(name) for name in self.dataset[self.series].values]
        if self.over == "time":
            yield from self.overlay.over_time(str(data.name), column, names, self.clock.length)
        elif (place := self.titration.place_of(data)) is not None:
            yield from self.overlay.over_dose(*place, column, names, self._dose_axis().control)

    def _home(self, data: xr.DataArray, axis: str) -> str:
        """Where a quantity without that axis stands: at its own value, or else at the first."""
        if axis in data.coords and axis not in data.dims:
            return str(data[axis].item())
        own = getattr(self.scenario.endpoints.get(str(data.name)), axis, None)
        return str(own or self._name(self.dataset[axis].values[0]))

    def _curves(self, data: xr.DataArray, halves: Sequence[xr.DataArray]) -> Iterator[Curve]:
        if "sample" in data.dims and self.scenario.design.uncertainty:
            yield from self._bands(data, halves)
            return
        order = [name for name in (self.series, "sample", self.over) if name in data.dims]
        data = data.transpose(*order)
        for place in np.ndindex(data.shape[:-1]):
            at = dict(zip(order, place, strict=False))
            name = self._home(data, self.series)
            if self.series in at:
                name = self._name(data[self.series].values[at[self.series]])
            y = np.asarray(data.values[place], dtype=float)
            marks = [half_mark(half.isel(at, missing_dims="ignore"), y) for half in halves]
            curve = self._curve(name, y, tuple(filter(None, marks)), "sample" in at)
            is_reading = str(data.name).removesuffix(CALIBRATED) in self.scenario.assays
            yield replace(curve, points=is_reading)

    def _bands(self, data: xr.DataArray, halves: Sequence[xr.DataArray]) -> Iterator[Curve]:
        """The medians of all draws, each with the band around it."""
        low, median, high = quantiles_of(data)
        middle = [quantiles_of(half, [0.5])[0] for half in halves]
        edges = zip(self._curves(low, []), self._curves(high, []), strict=True)
        for curve, (below, above) in zip(self._curves(median, middle), edges, strict=True):
            yield replace(curve, band=np.stack([below.y, above.y]))

    def _curve(self, name: str, y: np.ndarray, marks: tuple[Mark, ...], member: bool) -> Curve:
        if self.over == "time":
            return Curve(name, self.dataset["time"].values / self.clock.length, y, member=member)
        doses, zero = self.dataset["dose"].values, self._zero_at()
        control = None if zero is None else float(y[zero])
        return Curve(name, doses[doses > 0], y[doses > 0], control, marks, member)

    def _events(self, column: Mapping[str, str]) -> tuple[Event, ...]:
        """What happens in the arm of a column."""
        arm, time = column.get("arm", ""), self.dataset["time"]
        here = {name: value for name, value in column.items() if name in self.dataset.dims}
        axis = EventAxis(self._unit(time), self.clock.length, float(time.values[-1]), self._moment)
        steps, labels = self.scenario.regimens.get(arm, ()), self.labels.get(arm, {})
        return events_of(steps, labels, self.dataset.sel(here), axis)

    def _moment(self, time: float) -> str:
        """In the unit of the axis, or in the model's where that needs fewer digits."""
        text, own = number_text(time / self.clock.length), number_text(time)
        longer = len(text.partition(".")[2]) > max(2, len(own.partition(".")[2]))
        return (
            f"{own} {self._unit(self.dataset['time'])}" if longer else f"{text} {self.clock.unit}"
        )

    def _name(self, value: Any) -> str:
        return value if isinstance(value, str) else number_text(float(value))

    def _unit(self, data: xr.DataArray) -> str:
        return str(data.attrs.get("units") or "")
