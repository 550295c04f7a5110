"""A sweep as maps: one endpoint over two axes, in colours, with borders between outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.errors import ScenarioError
from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.axes import letters_beside, room_below, scale_axis
from myelode.figures.sweeps.colours import (
    FAILED,
    GROUNDS,
    MISSING,
    NEVER,
    NOTHING,
    Scale,
    colours_of,
    scale_of,
)
from myelode.figures.sweeps.data import Entry, Shown
from myelode.figures.sweeps.frame import Frame, Panel, draw_frame
from myelode.figures.sweeps.grids import MOST_LEVELS, is_grid_of, places_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 9
LEAST_REGION = 0.04
"""A class is named on the map if it has at least this share of it."""


@dataclass(frozen=True)
class Map:
    """One panel: cells by row (y) and column (x), -1 where there is no point."""

    heading: str
    cells: np.ndarray
    entry: Entry

    def picked(self, values: np.ndarray) -> np.ndarray:
        """Values of points in their cells; what stands in empty ones means nothing."""
        return np.asarray(values[self.cells])


def map_figure(shown: Shown, across: Sequence[str], title: str) -> Figure:
    """The figure; `across` are the axes of the map, the first one from left to right.

    Raises ScenarioError where the points are no grid over them.
    """
    x, y = (shown.axes[name] for name in across)
    maps = [*_maps(shown, x, y)]
    drawn = maps[:MOST_PANELS]
    scale = None if shown.words else scale_of(shown.of, [m.entry.values for m in drawn])
    panels = [Panel(m.heading, x.label, partial(_draw, m, shown, (x, y), scale)) for m in drawn]
    frame = Frame(
        title, shown.subtitle, y.label, panels, [*_captions(shown, maps, drawn), *shown.notes()],
        handles=[*_handles(shown, drawn)],
        legend_title=shown.label if shown.words else "",
        ticks=letters_beside(y, _ends(y)),
        below=room_below(x),
        bar=None if scale is None else scale.draw,
        bar_label=shown.label,
    )  # fmt: skip
    return draw_frame(frame)


def _maps(shown: Shown, x: Across, y: Across) -> Iterator[Map]:
    """A map for each entry, and for each of some values of the other axes."""
    for entry in shown.entries:
        for told, points in places_of(shown, x, y):
            heading = ", ".join([entry.heading, *told] if entry.heading else told)
            yield Map(heading, _cells(x, y, points), entry)


def _cells(x: Across, y: Across, points: np.ndarray) -> np.ndarray:
    """The point of each cell; raises ScenarioError where the points are no grid."""
    if not is_grid_of(x, y, points):
        raise ScenarioError(
            f"the points are no grid over {x.name} and {y.name}: take --kind scatter, or slices"
        )
    cells = np.full((len(y.levels), len(x.levels)), -1, dtype=int)
    cells[y.places[points], x.places[points]] = points
    return cells


def _draw(
    own: Map, shown: Shown, across: tuple[Across, Across], scale: Scale | None, axes: Axes
) -> None:
    edges = [_edges(axis) for axis in across]
    values, classes = own.picked(own.entry.values), own.entry.classes
    grounds = _grounds(own, shown)
    blank = np.any([*grounds.values(), own.cells < 0], axis=0)
    if scale is None:
        _fill_classes(axes, edges, np.where(blank, -1, values), shown.words)
    else:
        cells = np.ma.masked_where(blank, values)
        axes.pcolormesh(*edges, cells, cmap=scale.shades, norm=scale.norm, rasterized=True)
    for name, where in grounds.items():
        _hatch(axes, edges, where, GROUNDS[name])
    if classes is not None:
        codes = np.where((own.cells >= 0) & ~grounds[FAILED], own.picked(classes), -1)
        _draw_borders(axes, edges, codes)
        _name_regions(axes, across, codes, shown.classes)
    for at, axis in enumerate(across):
        scale_axis(axes, at, axis, _ends(axis))


def _grounds(own: Map, shown: Shown) -> dict[str, np.ndarray]:
    """Where there is no number to be coloured, by what is there."""
    there, values = own.cells >= 0, own.picked(own.entry.values).astype(float)
    failed, missing = (there & own.picked(which) for which in (shown.failed, shown.missing))
    rest = there & ~failed & ~missing
    return {
        FAILED: failed,
        MISSING: missing,
        NEVER: rest & np.isinf(values),
        NOTHING: rest & (np.isnan(values) if not shown.words else values < 0),
    }


def _fill_classes(
    axes: Axes, edges: Sequence[np.ndarray], codes: np.ndarray, words: Mapping[int, str]
) -> None:
    from matplotlib.colors import to_rgb

    picture = np.ones((*codes.shape, 3))
    for code, colour in colours_of(words).items():
        picture[codes == code] = to_rgb(colour) if code >= 0 else (1, 1, 1)
    axes.pcolormesh(*edges, picture, rasterized=True)


def _hatch(
    axes: Axes, edges: Sequence[np.ndarray], where: np.ndarray, look: Mapping[str, Any]
) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    x, y = edges
    cells = [
        Rectangle((x[i], y[j]), x[i + 1] - x[i], y[j + 1] - y[j]) for j, i in np.argwhere(where)
    ]
    if cells:
        axes.add_collection(PatchCollection(cells, linewidth=0, zorder=1.5, **look))


def _ends(axis: Across) -> tuple[float, float]:
    """Where the first cell along an axis begins, and the last one ends."""
    edges = _edges(axis)
    return float(edges[0]), float(edges[-1])


def _edges(axis: Across) -> np.ndarray:
    """Where cells begin and end: between neighbouring values, and not below 0 if no value is."""
    if axis.is_text:
        return np.arange(len(axis.levels) + 1) - 0.5
    levels = np.log(axis.levels) if axis.is_log else axis.levels
    middle = 0.5 * (levels[1:] + levels[:-1])
    edges = np.array([2 * levels[0] - middle[0], *middle, 2 * levels[-1] - middle[-1]])
    if axis.is_log:
        edges = np.exp(np.clip(edges, -700, 700))
    least = 0.0 if axis.levels[0] >= 0 else -np.inf
    return np.asarray(np.maximum(edges, least))


def _draw_borders(axes: Axes, edges: Sequence[np.ndarray], codes: np.ndarray) -> None:
    """Lines between cells of different classes."""
    from matplotlib.collections import LineCollection

    x, y = edges
    known = codes >= 0
    upright = (codes[:, 1:] != codes[:, :-1]) & known[:, 1:] & known[:, :-1]
    level = (codes[1:] != codes[:-1]) & known[1:] & known[:-1]
    lines = [[(x[i + 1], y[j]), (x[i + 1], y[j + 1])] for j, i in np.argwhere(upright)]
    lines += [[(x[i], y[j + 1]), (x[i + 1], y[j + 1])] for j, i in np.argwhere(level)]
    for colour, width in (("white", 2.6), ("black", 1.1)):
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=3))


def _name_regions(
    axes: Axes, across: tuple[Across, Across], codes: np.ndarray, words: Mapping[int, str]
) -> None:
    """The name of each class where the largest region of it is widest."""
    from matplotlib.patheffects import withStroke
    from scipy.ndimage import distance_transform_edt, label

    for code in np.unique(codes[codes >= 0]).tolist():
        regions, _ = label(codes == code)
        mine = np.pad(regions == 1 + np.bincount(regions.ravel())[1:].argmax(), 1)
        if mine.sum() >= LEAST_REGION * codes.size:
            far = distance_transform_edt(mine)[1:-1, 1:-1]
            inmost = np.argwhere(far == far.max())
            row, column = inmost[np.abs(inmost - inmost.mean(axis=0)).sum(axis=1).argmin()]
            x, y = (_place(axis, int(at)) for axis, at in zip(across, (column, row), strict=True))
            axes.text(
                x, y, words[code].replace("_", " "), size=7, ha="center", va="center", zorder=4,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )  # fmt: skip


def _place(axis: Across, number: int) -> float:
    """Where a value stands on its axis."""
    return float(number if axis.is_text else axis.levels[number])


def _handles(shown: Shown, maps: Sequence[Map]) -> Iterator[Any]:
    """What stands on the maps beside colours of the scale."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colours = colours_of(shown.words)
    for code, word in shown.words.items():
        if code >= 0 and any((m.picked(m.entry.values) == code).any() for m in maps):
            yield Patch(facecolor=colours[code], label=word.replace("_", " "))
    grounds = [_grounds(m, shown) for m in maps]
    for name, look in GROUNDS.items():
        if any(ground[name].any() for ground in grounds):
            yield Patch(**{**look, "linewidth": 0.0}, label=name)
    if any(_has_border(m) for m in maps):
        yield Line2D([], [], color="black", linewidth=1.1, label="border of outcomes")


def _has_border(own: Map) -> bool:
    classes = own.entry.classes
    if classes is None:
        return False
    codes = own.picked(classes)[own.cells >= 0]
    return len(np.unique(codes[codes >= 0])) > 1


def _captions(shown: Shown, maps: Sequence[Map], drawn: Sequence[Map]) -> Iterator[str]:
    if len(drawn) < len(maps):
        yield f"Not shown: {len(maps) - len(drawn)} more panels, after {drawn[-1].heading}."
    whole = len(shown.status) * len(shown.entries)
    seen = sum(int((m.cells >= 0).sum()) for m in maps)
    if seen < whole:
        yield f"Of axes with many values {MOST_LEVELS} are shown."
