"""The signature of every perturbation: a table of endpoints, coloured by change from the reference.

A row is a perturbation, a column an endpoint, in one arm where there are arms. Most change by a
factor, shares by a difference; the row of the reference says from what.
"""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures.matrices import subtitle, write_around
from myelode.figures.page import EDGE, SMALL_LINE, TITLE_LINE, closing_notes, evidence_note
from myelode.figures.panel import NO_BREAK
from myelode.figures.styles import look, number_text, unit_text
from myelode.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL_WIDTH, CELL_HEIGHT = 0.52, 0.22
LETTER, SMALL_LETTER, LABEL_CHARACTERS, LABEL_LINES = 0.062, 0.053, 30, 4
BAR_WIDTH, BAR_HEIGHT, BAR_ROOM = 2.4, 0.1, 0.6
LEAST_WIDTH = 5.0
SHADES, UNKNOWN = "RdBu_r", "#dddddd"
DOUBLINGS = 6.0
"""Changes of more doublings than this have the same colour."""
DIFFERENCE = 0.6
"""The difference of shares that has the colour of so many doublings."""
LEAST_FOLD = 1e-6
"""Folds below this, and above its inverse, are not told apart."""
LIGHT_TEXT_FROM = 0.7
SHARE_UNITS = ("1", "dimensionless")
NUMBER = re.compile(r"(?<=\d) (?=\w)")
ALL_DIMENSIONS = ("perturbation", "compound", "arm")


@dataclass(frozen=True)
class Column:
    """An endpoint in one arm and compound: its values, perturbation by perturbation."""

    label: str
    values: np.ndarray
    reference: float
    is_difference: bool

    def shades(self) -> np.ndarray:
        """From -1 to 1, by doublings or by difference; NaN where a change is not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.is_difference:
                found = (self.values - self.reference) / DIFFERENCE
            else:
                found = np.log2(self._folds()) / DOUBLINGS
        clipped: np.ndarray = np.clip(found, -1, 1)
        return clipped

    def text(self, row: int, is_reference: bool) -> str:
        """What stands in a cell: the change, or the value of the reference."""
        value = float(self.values[row])
        if is_reference or math.isnan(value):
            return _value_text(value)
        if self.is_difference:
            return _difference_text(value - self.reference)
        return _fold_text(float(self._folds()[row]))

    def _folds(self) -> np.ndarray:
        # A ratio to nothing, or to what is never reached, says nothing.
        known = self.reference > 0 and math.isfinite(self.reference)
        base = self.reference if known else math.nan
        folds: np.ndarray = np.where(self.values >= 0, self.values, math.nan) / base
        return folds


def shows_signature(scenario: Scenario) -> bool:
    """Whether a scenario asks for this figure."""
    return scenario.figure.show == "signature"


def draw_signature(dataset: xr.Dataset, result: xr.Dataset, scenario: Scenario) -> Figure:
    """Perturbations by endpoints, as a figure with the Agg canvas.

    Raises ScenarioError for a listed endpoint that has no single value.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = signature_columns(result, scenario)
    rows = [str(name) for name in result["perturbation"].values]
    outcomes = _outcomes(result)
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _place(figure, columns, dict(zip(rows, outcomes, strict=True)), dataset, scenario)
    return figure


def signature_columns(result: xr.Dataset, scenario: Scenario) -> list[Column]:
    """The columns that a scenario lists, or all endpoints with one value in each run."""
    listed = scenario.figure.columns
    names = listed or [name for name in scenario.endpoints if is_number(result[name])]
    for number, name in enumerate(listed or ()):
        if not is_number(result[name]):
            with scenario.at("figure", "columns", number):
                raise ScenarioError(f"{name!r} depends on dose: read it at one dose (dose: ...)")
    columns = [column for name in names for column in _columns(result[name], name, scenario)]
    if not columns:
        with scenario.at("figure"):
            raise ScenarioError("a signature needs endpoints with one value in each perturbation")
    return columns


def _outcomes(result: xr.Dataset) -> list[str]:
    """The outcome of every perturbation, where there is one for each."""
    if "outcome" in result and result["outcome"].dims == ("perturbation",):
        return [str(word) for word in result["outcome"].values]
    return [""] * result.sizes["perturbation"]


def is_number(data: xr.DataArray) -> bool:
    return set(data.dims) <= {*ALL_DIMENSIONS, "sample"} and data.dtype.kind in "fi"


def _columns(data: xr.DataArray, name: str, scenario: Scenario) -> Iterator[Column]:
    """The columns of an endpoint, one for each compound and arm."""
    numbers = data.median("sample") if "sample" in data.dims else data
    is_difference = _is_difference(numbers, name, scenario, str(data.attrs.get("units", "")))
    others = [axis for axis in ALL_DIMENSIONS[1:] if axis in data.dims]
    for place in itertools.product(*(range(data.sizes[axis]) for axis in others)):
        here = numbers.isel(dict(zip(others, place, strict=True)))
        words = [str(here[axis].values).replace("_", " ") for axis in others]
        base = float(here.sel(perturbation=scenario.reference))
        label = ", ".join([_label(data, name), *words])
        yield Column(label, here.values.astype(float), base, is_difference)


def _is_difference(data: xr.DataArray, name: str, scenario: Scenario, unit: str) -> bool:
    """Whether the scenario says so, or else the endpoint looks like a share."""
    if scenario.figure.differences is not None:
        return name in scenario.figure.differences
    return unit in SHARE_UNITS and bool((abs(data) <= 1).all())


def _label(data: xr.DataArray, name: str) -> str:
    unit = str(data.attrs.get("units") or "")
    said = str(data.attrs.get("long_name") or name.replace("_", " "))
    return said if unit in ("", *SHARE_UNITS) else f"{said} ({unit_text(unit)})"


def _place(
    figure: Figure,
    columns: Sequence[Column],
    rows: Mapping[str, str],
    dataset: xr.Dataset,
    scenario: Scenario,
) -> None:
    """Everything at its place; lengths are in inches."""
    names = [_row_name(name, scenario) for name in rows]
    left = EDGE + LETTER * max(map(len, names)) + EDGE
    outcomes = SMALL_LETTER * max(map(len, rows.values()))
    width = max(left + CELL_WIDTH * len(columns) + outcomes + 2 * EDGE, LEAST_WIDTH)
    title = textwrap.wrap(scenario.title, int(width * 11))
    wrapped = (textwrap.wrap(text, int(width * 16)) for text in _captions(dataset, scenario))
    captions = [line for lines in wrapped for line in lines]
    head = EDGE + (len(title) + 1.2) * TITLE_LINE + EDGE
    body = CELL_HEIGHT * len(rows)
    labels = [_wrapped(column.label) for column in columns]
    below = SMALL_LETTER * max(len(line) for text in labels for line in text.split("\n")) + EDGE
    height = head + body + below + BAR_ROOM + SMALL_LINE * len(captions) + EDGE
    figure.set_size_inches(width, height)
    write_around(figure, title, subtitle(dataset, scenario), captions)
    size = CELL_WIDTH * len(columns) / width, body / height
    axes = figure.add_axes((left / width, 1 - (head + body) / height, *size))
    _draw(axes, columns, list(rows).index(scenario.reference))
    for row, outcome in enumerate(rows.values()):
        axes.text(len(columns) - 0.35, row, outcome, va="center", size=6.5)
    axes.set_yticks(range(len(rows)), names)
    axes.set_xticks(range(len(columns)), labels, rotation=90, linespacing=1.1, size=7)
    top = head + body + below + BAR_ROOM / 2
    place = left / width, 1 - top / height, BAR_WIDTH / width, BAR_HEIGHT / height
    _draw_scale(figure.add_axes(place), columns)


def _row_name(name: str, scenario: Scenario) -> str:
    written = name.replace("_", " ")
    return f"{written} (reference)" if name == scenario.reference else written


def _wrapped(label: str) -> str:
    """The label in as many lines as stand beside each other in a column."""
    label = NUMBER.sub(NO_BREAK, label)
    for length in itertools.count(LABEL_CHARACTERS, 5):
        lines = textwrap.wrap(label, length, break_long_words=False)
        if len(lines) <= LABEL_LINES:
            break
    return "\n".join(lines).replace(NO_BREAK, " ")


def _draw(axes: Axes, columns: Sequence[Column], reference: int) -> None:
    from matplotlib import colormaps

    shades = np.stack([column.shades() for column in columns], axis=1)
    colours = colormaps[SHADES].with_extremes(bad=UNKNOWN)
    axes.imshow(np.ma.masked_invalid(shades), cmap=colours, vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(shades) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.axhline(reference - 0.5, color="black", linewidth=0.7)
    axes.axhline(reference + 0.5, color="black", linewidth=0.7)
    for side in axes.spines.values():
        side.set_visible(False)
    for row, number in np.ndindex(*shades.shape):
        dark = abs(shades[row, number]) > LIGHT_TEXT_FROM
        text = columns[number].text(row, row == reference)
        colour = "white" if dark else "black"
        axes.text(number, row, text, ha="center", va="center", size=6.5, color=colour)


def _draw_scale(axes: Axes, columns: Sequence[Column]) -> None:
    """The colours, with the folds below them, and above them the differences, if there are any."""
    axes.imshow(
        np.linspace(-1, 1, 255)[np.newaxis], cmap=SHADES, aspect="auto", extent=(-1, 1, 0, 1)
    )
    places = np.linspace(-1, 1, 5)
    axes.set_yticks([])
    axes.tick_params(length=2)
    folds = [number_text(2 ** (DOUBLINGS * abs(at))) for at in places]
    written = [f"1/{fold}" if at < 0 else fold for fold, at in zip(folds, places, strict=True)]
    axes.set_xticks(places, written)
    axes.annotate("fold", (1.1, -0.4), xycoords="axes fraction", size=7.5, va="top")
    if any(column.is_difference for column in columns):
        above = axes.secondary_xaxis("top")
        above.set_xticks(places, [_difference_text(at * DIFFERENCE) for at in places])
        above.tick_params(length=2)
        axes.annotate("difference", (1.1, 1.4), xycoords="axes fraction", size=7.5)


def _fold_text(fold: float) -> str:
    """Two digits, within a million."""
    if 0 < fold < LEAST_FOLD:
        return f"<{number_text(LEAST_FOLD)}"
    if 1 / LEAST_FOLD < fold < math.inf:
        return f">{number_text(1 / LEAST_FOLD)}"
    return _value_text(fold)


def _value_text(value: float) -> str:
    """Two digits: 0.08, 7.5, 1200."""
    if math.isnan(value):
        return "–"
    text = number_text(float(f"{value:.2g}"))
    return "n.r." if math.isinf(value) else text.replace("-", "−")


def _difference_text(difference: float) -> str:
    if not math.isfinite(difference):
        return "–" if math.isnan(difference) else "n.r."
    if abs(difference) < 0.005:
        return "0"
    size = abs(difference)
    sign = "+" if difference > 0 else "−"
    return sign + (f"{size:.2f}" if size < 10 else _value_text(size))


def _captions(dataset: xr.Dataset, scenario: Scenario) -> Iterator[str]:
    subjects = scenario.design.subjects
    many = subjects.title if subjects else "points of the design"
    medians = f" Medians of {dataset.sizes['sample']} {many}." if "sample" in dataset.dims else ""
    yield (
        f"Row {scenario.reference.replace('_', ' ')}: the values of the reference. Other rows: how "
        "many times that value, or, with a sign, by how much more or less. "
        f"n.r.: not reached; – on grey: not defined.{medians}"
    )
    yield evidence_note(dataset.attrs)
    yield from closing_notes(dataset.attrs)
