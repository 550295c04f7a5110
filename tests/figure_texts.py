"""What is written on a figure, and where: for tests of every kind of figure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other."""
    pairs = itertools.combinations(_boxes(figure), 2)
    return [(a, b) for (a, one), (b, other) in pairs if one.overlaps(other)]


def off_the_page(figure: Figure) -> list[str]:
    """Texts that leave the figure."""
    page = figure.bbox.padded(1)
    return [
        text
        for text, box in _boxes(figure)
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))
    ]


def _boxes(figure: Figure) -> list[tuple[str, Any]]:
    canvas: Any = figure.canvas
    canvas.draw()
    renderer = canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer).padded(-0.5))
        for text in _texts(figure)
        if text.get_visible() and text.get_text()
    ]


def _texts(figure: Figure) -> Iterator[Any]:
    yield from figure.texts
    for legend in [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]:
        yield from legend.get_texts()
    for axes in figure.axes:
        every = axes, *axes.child_axes
        for one in every:
            yield from (one.xaxis.label, one.yaxis.label, *one.texts, *_ticks(one))


def _ticks(axes: Any) -> Iterator[Any]:
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)
