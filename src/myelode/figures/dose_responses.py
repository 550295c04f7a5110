"""The figure of a dose-response: a panel for each compound or arm, a line for each perturbation.

The control without drug stands apart at the left, dotted lines mark the half doses, and a shade
holds 90 % of the draws where there are any.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures.dose_axis import dose_axis
from myelode.figures.measured import Overlay
from myelode.figures.page import Page, closing_notes, draw, evidence_note, folded
from myelode.figures.panel import NO_BREAK, Curve, Panel, half_mark
from myelode.figures.styles import number_text, quantity_text, styles, unit_text
from myelode.user_data.readings import Readings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES, MOST_SHADES, MOST_BESIDE = 14, 4, 5
"""Curves and shades that one panel can bear, and panels that can stand side by side."""


def dose_response_figure(curves: xr.Dataset, readings: Readings | None = None) -> Figure:
    """The figure of what `myelode.dose_response` gives, with the user's own readings as points.

    Raises ScenarioError for readings beside a response that is not read at one time.
    """
    return draw(response_page(curves, readings))


def response_page(curves: xr.Dataset, readings: Readings | None = None) -> Page:
    """The figure, not yet drawn."""
    names = _shown(curves)
    overlay = None if readings is None else Overlay(readings, "perturbation")
    if overlay is not None and math.isnan(curves.attrs["read_time"]):
        said = f"the response is not read at one time ({curves.attrs['read_at']})"
        raise ScenarioError(f"{readings.name if readings else ''}: {said}: no reading is of it")
    more = overlay.doses if overlay else []
    across = partial(dose_axis, np.unique([*curves["dose"].values, *more]))
    axes = [str(dim) for dim in curves["fold"].dims if dim != "perturbation"]
    columns = [
        dict(zip(axes, place, strict=True))
        for place in itertools.product(*(range(curves.sizes[axis]) for axis in axes))
    ]
    beside = len(columns) <= MOST_BESIDE
    panels = [
        _panel(curves, column, names, beside, overlay, across("").control) for column in columns
    ]
    doses = curves["dose"]
    dosed = str(doses.attrs.get("dosed", ""))
    label = f"dose{' of ' * bool(dosed)}{dosed} ({unit_text(str(doses.attrs.get('units', '')))})"
    single = len(columns) == 1
    return Page(
        title=str(curves.attrs["title"]),
        subtitle=_subtitle(curves),
        rows=(tuple(panels),) if beside else tuple(folded(panels)),
        across=across(label),
        styles=styles(names, str(curves.attrs["reference"])),
        legend={name: _legend(curves, name, single) for name in names},
        legend_title=f"fold of {curves.attrs['half']}" if single else "",
        captions=(*([overlay.note] if overlay else []), *_captions(curves, names)),
        shared=beside and not single,
    )


def _shown(curves: xr.Dataset) -> list[str]:
    """The reference and as many perturbations as can be told apart."""
    names = [str(name) for name in curves["perturbation"].values]
    return names[:MOST_LINES]


def _subtitle(curves: xr.Dataset) -> str:
    scenario = json.loads(str(curves.attrs["scenario"]))
    line = f", cell line {scenario['cell_line']}" if scenario.get("cell_line") else ""
    return f"scenario {scenario['id']}, model {curves.attrs['model']}{line}"


def _panel(
    curves: xr.Dataset,
    column: Mapping[str, int],
    names: Sequence[str],
    beside: bool,
    overlay: Overlay | None,
    control: float | None,
) -> Panel:
    """A panel, named above where all stand side by side, else beside its axis."""
    here = curves.isel(column)
    heading = ", ".join(_value_text(here[axis]) for axis in column)
    response = curves["response"]
    moment = str(curves.attrs["read_at"]).replace(" ", NO_BREAK)
    attrs = {**response.attrs, "long_name": f"{response.attrs['long_name']}, {moment}"}
    shaded = len(names) <= MOST_SHADES
    lines = (_curve(here.sel(perturbation=name), name, shaded) for name in names)
    label = quantity_text(attrs, str(response.name))
    above, label = (heading, label) if beside else ("", f"{heading}: {label}")
    points: Iterable[Curve] = ()
    if overlay is not None:
        place = str(curves.attrs["response_of"]), float(curves.attrs["read_time"])
        where = {axis: str(here[axis].item()) for axis in column}
        points = overlay.over_dose(*place, where, names, control)
    return Panel(label, (*lines, *points), above)


def _value_text(coordinate: xr.DataArray) -> str:
    value = coordinate.item()
    if isinstance(value, str):
        return value
    return f"{number_text(float(value))} {unit_text(str(coordinate.attrs.get('units', '')))}"


def _curve(here: xr.Dataset, name: str, shaded: bool) -> Curve:
    doses, y = here["dose"].values, np.asarray(here["response"].values, dtype=float)
    half = str(here.attrs["half"])
    mark = half_mark(here[half].assign_attrs(take=half), y)
    band = None
    if "response_interval" in here and shaded:
        interval = here["response_interval"].transpose("quantile", "dose").values
        band = interval[[0, -1]][:, doses > 0]
    return Curve(
        name, doses[doses > 0], y[doses > 0], float(y[0]), (mark,) if mark else (), band=band
    )


def _legend(curves: xr.Dataset, name: str, single: bool) -> str:
    if name == curves.attrs["reference"]:
        return f"{name} (reference)"
    if not single:
        return name
    fold = float(curves["fold"].sel(perturbation=name).squeeze())
    kind = str(curves["outcome"].sel(perturbation=name).squeeze().item())
    size = "none" if math.isnan(fold) else "not reached" if math.isinf(fold) else f"{fold:.3g}"
    return f"{name}: {size}, {kind}"


def _captions(curves: xr.Dataset, names: list[str]) -> Iterator[str]:
    half = str(curves.attrs["half"]).upper()
    yield f"Open markers at dose 0: the control without drug. Dotted lines: the {half}."
    yield f"{half}: {curves.attrs['definition']}; read at {curves.attrs['read_at']}."
    draws = int(curves.attrs["draws"])
    if draws and len(names) <= MOST_SHADES:
        yield f"Shades: from 5 to 95 % of {draws} {curves.attrs['drawn']}."
    if hidden := curves.sizes["perturbation"] - len(names):
        yield f"Not shown: the {hidden} perturbations after {names[-1]}."
    yield evidence_note(curves.attrs)
    yield from closing_notes(curves.attrs)
