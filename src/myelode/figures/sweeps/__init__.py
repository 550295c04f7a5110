"""The figure of a sweep: a map over two axes, slices along one, or points over all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.data import Shown, read_shown
from myelode.figures.sweeps.grids import fills_maps, is_grid
from myelode.figures.sweeps.maps import map_figure
from myelode.figures.sweeps.scatter import scatter_figure
from myelode.figures.sweeps.slices import slice_figure
from myelode.sweeps.stores.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("heat-map", "slices", "scatter")
MOST_ACROSS = {"heat-map": 2, "slices": 2, "scatter": 9}


def sweep_figure(
    store: Store,
    of: str | None = None,
    against: Sequence[str] | None = None,
    kind: str | None = None,
    perturbations: Sequence[str] | None = None,
) -> Figure:
    """The figure of a store.

    Parameters
    ----------
    of : the endpoint; that of the outcome, or the first one, without.
    against : axes of the sweep; those that fit the kind without.
    kind : ``heat-map``, ``slices`` or ``scatter``; what fits the design without.
    perturbations : those that are shown; all without.

    Raises
    ------
    ScenarioError : a name that the store does not have, or a kind that its points do not allow.
    """
    if kind is not None and kind not in KINDS:
        raise ScenarioError(f"--kind {kind}: must be {', '.join(KINDS)}{best_matches(kind, KINDS)}")
    shown = read_shown(store, of, perturbations)
    if not shown.axes:
        raise ScenarioError(f"{store.path}: all points are alike: there is no axis to show")
    for name in against or ():
        if name not in shown.axes:
            raise ScenarioError(f"--against {name}: no such axis{best_matches(name, shown.axes)}")
    kind = kind or _fitting_kind(shown, against)
    names = _fitting_axes(shown, kind, against)
    if len(names) > MOST_ACROSS[kind] or (kind == "heat-map" and len(names) < 2):
        raise ScenarioError(f"--kind {kind}: is over {_wanted(kind)}, not over {len(names)}")
    title = str(store.layout.attributes["title"])
    draw = {"heat-map": map_figure, "slices": slice_figure, "scatter": scatter_figure}[kind]
    return draw(shown, names, title)


def _wanted(kind: str) -> str:
    return "two axes" if kind == "heat-map" else f"at most {MOST_ACROSS[kind]} axes"


def _fitting_kind(shown: Shown, against: Sequence[str] | None) -> str:
    """What shows the points of a design best: whatever it is, it can be drawn."""
    axes = [shown.axes[name] for name in against] if against else _numbers_first(shown)
    if any(len(axis.levels) == len(shown.status) > 1 for axis in axes) and len(shown.axes) > 1:
        return "scatter"
    if len(axes) == 1:
        return "scatter" if shown.words else "slices"
    if len(axes) > 2 and against:
        return "scatter"
    return "heat-map" if fills_maps(shown, *axes[:2]) else "scatter"


def _fitting_axes(shown: Shown, kind: str, against: Sequence[str] | None) -> list[str]:
    """The axes over which a kind is drawn; of many those with which the endpoint goes most."""
    if against:
        return list(against)
    names = [axis.name for axis in _numbers_first(shown)]
    if kind == "scatter" and len(names) > MOST_ACROSS[kind]:
        names.sort(key=lambda name: -_connection(shown, shown.axes[name]))
    if kind == "slices" and len(names) > 1:
        x, by = (shown.axes[name] for name in names[:2])
        return names[:2] if is_grid(x, by, share=1.0) else names[:1]
    return names[: MOST_ACROSS[kind]]


def _numbers_first(shown: Shown) -> list[Across]:
    """Axes of numbers before those of texts, those with most values first."""
    return sorted(shown.axes.values(), key=lambda axis: (axis.is_text, -min(len(axis.levels), 5)))


def _connection(shown: Shown, axis: Across) -> float:
    """How closely the ranks of an endpoint follow those of an axis, from 0 to 1."""
    from scipy.stats import rankdata

    values = shown.entries[0].values.astype(float)
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(axis.places[known]) == 0:
        return 0.0
    ranks = rankdata(axis.places[known]), rankdata(values[known])
    return float(abs(np.corrcoef(*ranks)[0, 1]))
