"""Figures of scenarios, as pictures or as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures.bars import draw_bar_chart, shows_bars
from myelode.figures.clinic import draw_responses, shows_responses
from myelode.figures.matrices import draw_matrices, is_table_of_rules
from myelode.figures.page import draw
from myelode.figures.partners import draw_partners, shows_partners
from myelode.figures.signature import draw_signature, shows_signature
from myelode.figures.story import page_of
from myelode.figures.styles import look
from myelode.files import write_atomically
from myelode.scenario import scenario_from_text
from myelode.user_data.readings import Readings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What would differ from one writing to the next, or from one machine to the next, is left out.
_METADATA: Mapping[str, Mapping[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def plot_scenario(
    dataset: xr.Dataset, result: xr.Dataset, path: str | Path, readings: Readings | None = None
) -> None:
    """Write the figure of a simulated (`dataset`) and evaluated (`result`) scenario.

    The suffix of `path` chooses PNG, SVG or PDF; equal results give equal bytes.
    Raises ScenarioError for another suffix or a place that cannot be written to.
    """
    require_figure_name(path)
    write_figure(scenario_figure(dataset, result, readings), path)


def require_figure_name(path: str | Path) -> str:
    """The kind of file that a name asks for; raises ScenarioError for any other suffix."""
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in _METADATA:
        raise ScenarioError(f"{path}: a figure ends in .{', .'.join(_METADATA)}")
    return kind


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, SVG or PDF; equal figures give equal bytes.

    Raises ScenarioError for another suffix or a place that cannot be written to.
    """
    kind = require_figure_name(path)
    with look():
        write_atomically(
            Path(path),
            lambda file: figure.savefig(file, format=kind, metadata=dict(_METADATA[kind])),
        )


def scenario_figure(
    dataset: xr.Dataset, result: xr.Dataset, readings: Readings | None = None
) -> Figure:
    """The figure of a scenario: one panel per output over time, or per endpoint over dose.

    Responses of many patients are drawn as survival curves and waterfalls, scores over a ladder of
    doses or in many lines as confusion matrices. What ``figure: {show: ...}`` asks for comes before
    these, and so do several combinations with shifts of a dose. The user's own `readings` are
    points over lines: where they are given, it is the lines that are drawn.
    """
    if readings is not None:
        return draw(page_of(dataset, result, readings))
    scenario = scenario_from_text(str(dataset.attrs["scenario"]))
    if shows_bars(scenario):
        return draw_bar_chart(dataset, result, scenario)
    if shows_signature(scenario):
        return draw_signature(dataset, result, scenario)
    if shows_partners(scenario):
        return draw_partners(dataset, result, scenario)
    if shows_responses(dataset, scenario):
        return draw_responses(dataset, result, scenario)
    if is_table_of_rules(dataset, scenario):
        return draw_matrices(dataset, result, scenario)
    return draw(page_of(dataset, result))
