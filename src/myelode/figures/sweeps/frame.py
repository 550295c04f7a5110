"""Panels of one size in rows, with what stands around them; lengths are in inches."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from myelode.figures.matrices import write_around
from myelode.figures.page import EDGE, LINE, SMALL_LINE, TITLE_LINE, size_of
from myelode.figures.styles import look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, ALONE = 2.3, 1.9, 1.6
COLUMN_GAP, ROW_GAP, FOOT = 0.22, 0.2, 0.42
BAR_GAP, BAR_WIDTH, BAR_ROOM, BAR_HEIGHT = 0.22, 0.14, 0.5, 2.2
LEAST_WIDTH = 5.6
LETTER, BOLD_LETTER, TICK_LETTER, LABEL_LINE = 0.062, 0.068, 0.06, 0.135
LEGEND_CHARACTERS = 30
ADVANCE = 3


@dataclass(frozen=True)
class Panel:
    """One panel: what stands above and below it, and what draws it."""

    heading: str
    across: str
    draw: Callable[[Axes], None]


@dataclass(frozen=True)
class Frame:
    """A figure: its panels, and what is around them.

    Attributes
    ----------
    up : the label of the axis that all panels share.
    ticks : the longest text beside that axis, in letters.
    own_axes : whether each panel has a horizontal axis of its own.
    below : room for upright texts below the panels.
    bar, bar_label : draws the scale of colours, if there is one, and what stands beside it.
    handles : of the legend.
    """

    title: str
    subtitle: str
    up: str
    panels: Sequence[Panel]
    captions: Sequence[str]
    handles: Sequence[Any] = ()
    legend_title: str = ""
    ticks: int = 4
    own_axes: bool = False
    below: float = 0.0
    bar: Callable[[Axes], None] | None = None
    bar_label: str = ""
    shape: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.panels)
        columns = count if count <= ADVANCE else 2 if count == 4 else ADVANCE
        object.__setattr__(self, "shape", (-(-count // columns), columns))


def draw_frame(frame: Frame) -> Figure:
    """The frame and its panels as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _Drawing(frame, figure).draw()
    return figure


class _Drawing:
    """Measures the parts, then puts them in place."""

    def __init__(self, frame: Frame, figure: Figure):
        self.frame, self.figure = frame, figure
        size = ALONE if len(frame.panels) == 1 else 1.0
        self.width, self.height = size * WIDTH, size * HEIGHT
        self.up = textwrap.wrap(frame.up, int(self.height / LETTER))
        self.left = EDGE + LABEL_LINE * len(self.up) + 0.14 + TICK_LETTER * frame.ticks
        self.across = [textwrap.wrap(p.across, int(self.width / LETTER)) for p in frame.panels]
        self.foot = FOOT + frame.below + LABEL_LINE * (max(map(len, self.across)) - 1)
        self.row_gap = ROW_GAP + (self.foot if frame.own_axes else 0.0)
        self.bar_height = min(BAR_HEIGHT, self.height)
        self.bar_label = textwrap.wrap(frame.bar_label, int(self.bar_height / LETTER))
        letters = int(self.width / BOLD_LETTER)
        self.headings = [textwrap.wrap(panel.heading, letters) for panel in frame.panels]
        self.above = 0.06 + LINE * max(map(len, self.headings))

    def draw(self) -> None:
        """Everything, from the outside in."""
        rows, columns = self.frame.shape
        body = self.left + columns * self.width + (columns - 1) * COLUMN_GAP + EDGE
        legend = self._legend() if self.frame.handles else None
        legend_size = size_of(self.figure, legend) if legend else (0.0, 0.0)
        has_bar = self.frame.bar is not None
        room = BAR_GAP + BAR_WIDTH + BAR_ROOM + LABEL_LINE * len(self.bar_label)
        beside = max(legend_size[0] + EDGE, has_bar * room)
        width = max(body + beside + EDGE, LEAST_WIDTH)
        panels = rows * (self.height + self.above) + (rows - 1) * self.row_gap
        below_bar = self.above + has_bar * (self.bar_height + 2 * EDGE)
        head = self._write_around(width, max(panels, below_bar + legend_size[1]))
        for number in range(len(self.frame.panels)):
            self._panel(number, head)
        if self.frame.bar is not None:
            self._bar(self.frame.bar, body + BAR_GAP - EDGE, head + self.above)
        if legend:
            height = self.figure.get_size_inches()[1]
            anchor = (body / width, 1 - (head + below_bar) / height)
            legend.set_bbox_to_anchor(anchor, self.figure.transFigure)

    def _write_around(self, width: float, panels: float) -> float:
        """Give the figure its size, write around the panels, and say where they begin."""
        captions = [c for text in self.frame.captions for c in textwrap.wrap(text, int(width * 16))]
        title = textwrap.wrap(self.frame.title, int(width * 11)) or [""]
        head = EDGE + (len(title) + 1.1) * TITLE_LINE
        height = head + panels + self.foot + SMALL_LINE * len(captions) + EDGE
        self.figure.set_size_inches(width, height)
        write_around(self.figure, title, self.frame.subtitle, captions)
        return head

    def _bar(self, draw: Callable[[Axes], None], left: float, top: float) -> None:
        axes = self._axes(left, top, BAR_WIDTH, self.bar_height)
        draw(axes)
        axes.set_ylabel("\n".join(self.bar_label))

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        whole, high = self.figure.get_size_inches()
        box = (left / whole, 1 - (top + height) / high, width / whole, height / high)
        return self.figure.add_axes(box)

    def _legend(self) -> Any:
        return self.figure.legend(
            handles=list(self.frame.handles),
            loc="upper left",
            borderaxespad=0,
            borderpad=0,
            title="\n".join(textwrap.wrap(self.frame.legend_title, LEGEND_CHARACTERS)) or None,
            alignment="left",
            title_fontsize=7.5,
        )

    def _panel(self, number: int, head: float) -> None:
        row, column = divmod(number, self.frame.shape[1])
        left = self.left + column * (self.width + COLUMN_GAP)
        top = head + self.above + row * (self.height + self.above + self.row_gap)
        axes, panel = self._axes(left, top, self.width, self.height), self.frame.panels[number]
        panel.draw(axes)
        axes.set_title("\n".join(self.headings[number]), loc="left", weight="bold", pad=3)
        if column == 0:
            axes.set_ylabel("\n".join(self.up))
            edge = EDGE + LABEL_LINE * len(self.up) - self.left
            axes.yaxis.set_label_coords(edge / self.width, 0.5)
        else:
            axes.tick_params(labelleft=False)
        if self.frame.own_axes or number + self.frame.shape[1] >= len(self.frame.panels):
            axes.set_xlabel("\n".join(self.across[number]))
        else:
            axes.tick_params(labelbottom=False)
