"""A page of panels, drawn: everything has its place in inches, so that nothing overlaps.

A `Page` says what is to be seen; `draw` makes a matplotlib figure of it without pyplot and without
touching anybody's settings.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from myelode.figures.combined import Bars, draw_bars
from myelode.figures.events import Event
from myelode.figures.panel import EVENT_SIZE, NO_BREAK, Across, Panel, draw_panel
from myelode.figures.styles import Style, look
from myelode.regulatory import statement_lines, statements_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 2.75, 1.85
ALONE = 1.6
LEFT, COLUMN_GAP, SHARED_GAP = 1.0, 1.0, 0.22
LABEL_DISTANCE, LABEL_STEP = 0.57, 0.08
ROW_GAP, FOOT = 0.28, 0.5
TITLE_LINE, LINE, SMALL_LINE = 0.2, 0.15, 0.13
EDGE = 0.12
LEAST_WIDTH = 5.0
LABEL_CHARACTERS = 30
SERIES_WITHOUT_MARKERS = 7
LEGEND_LINES = 18
GREY = "#5a5a5a"
POINTS = 72


@dataclass(frozen=True)
class Page:
    """Panels in rows, what stands around them, and how each series looks.

    `shared` means that the panels of a row show one quantity and share its axis; `bars` stand below
    all panels.
    """

    title: str
    subtitle: str
    rows: tuple[tuple[Panel | None, ...], ...]
    across: Across
    styles: Mapping[str, Style]
    legend: Mapping[str, str]
    legend_title: str
    captions: tuple[str, ...]
    shared: bool
    bars: tuple[Bars, ...] = ()


def evidence_note(attrs: Mapping[Any, Any]) -> str:
    """How good the numbers behind a result are, from its attributes."""
    share = float(attrs["assumed_share"])
    if not math.isfinite(share):
        return "The evidence behind its numbers is not stated."
    grade = attrs["evidence"]
    return f"Weakest evidence among its numbers: {grade}; {share:.0%} of them are assumed."


def closing_notes(attrs: Mapping[Any, Any]) -> Iterator[str]:
    """What stands below every figure: what authorities said of its drugs, and whom it is for."""
    yield from statement_lines(statements_in(attrs))
    yield str(attrs["notice"])


def folded(panels: Sequence[Panel]) -> list[tuple[Panel | None, ...]]:
    """Panels in as many columns as make a page that is rather wide than tall."""
    columns = 1 if len(panels) == 1 else 2 if len(panels) <= 4 else 3
    return [tuple(panels[start : start + columns]) for start in range(0, len(panels), columns)]


def draw(page: Page) -> Figure:
    """The page as a figure with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        _Drawing(page, figure).draw()
    return figure


class _Drawing:
    """Measures the parts of a page, then puts them in place; lengths are in inches."""

    def __init__(self, page: Page, figure: Figure):
        self.page = page
        self.figure = figure
        self.gap = SHARED_GAP if page.shared else COLUMN_GAP
        size = ALONE if len(list(self._panels())) == 1 else 1.0
        self.width, self.height = size * PANEL_WIDTH, size * PANEL_HEIGHT
        self.markers = page.across.log or len(page.styles) > SERIES_WITHOUT_MARKERS
        self.lines = {
            column: self._event_lines(panel) for row, column, panel in self._panels() if row == 0
        }

    def draw(self) -> None:
        """Everything, from the outside in."""
        columns, rows = len(self.page.rows[0]), len(self.page.rows)
        body = LEFT + columns * self.width + (columns - 1) * self.gap + EDGE
        legend = self._legend()
        legend_width, legend_height = size_of(self.figure, legend)
        width = max(body + legend_width + 2 * EDGE, LEAST_WIDTH)
        title = textwrap.wrap(self.page.title, int(width * 11)) or [""]
        captions = [c for text in self.page.captions for c in textwrap.wrap(text, int(width * 16))]
        head = EDGE + (len(title) + 1) * TITLE_LINE + self._height_above()
        panels = max(rows * self.height + (rows - 1) * ROW_GAP, legend_height)
        bars = self.page.bars
        foot = FOOT + len(captions) * SMALL_LINE + EDGE
        foot += sum(item.height(body - LEFT - EDGE) for item in bars)
        self.figure.set_size_inches(width, head + panels + foot)
        self._write_around(title, captions)
        across = body / width, 1 - head / (head + panels + foot)
        legend.set_bbox_to_anchor(across, self.figure.transFigure)
        for row, column, panel in self._panels():
            self._panel(row, column, panel, head)
        draw_bars(self.figure, bars, LEFT, head + panels + FOOT, body - LEFT - EDGE)

    def _panels(self) -> Iterator[tuple[int, int, Panel]]:
        for row, panels in enumerate(self.page.rows):
            for column, panel in enumerate(panels):
                if panel is not None:
                    yield row, column, panel

    def _is_lowest(self, row: int, column: int) -> bool:
        below = self.page.rows[row + 1 :]
        return not any(column < len(panels) and panels[column] for panels in below)

    def _height_above(self) -> float:
        """Room for headings and the names of events above the top panels."""
        heading = any(panel.heading for _, _, panel in self._panels())
        return 0.08 + self._most_lines() * SMALL_LINE + heading * LINE

    def _most_lines(self) -> int:
        """Lines of names above the panel with most of them."""
        return max(1 + max(lines.values(), default=-1) for lines in self.lines.values())

    def _write_around(self, title: Sequence[str], captions: Sequence[str]) -> None:
        width, height = self.figure.get_size_inches()
        left, top, bottom = EDGE / width, 1 - EDGE / height, EDGE / height
        below = top - len(title) * TITLE_LINE / height
        small: dict[str, Any] = {"color": GREY, "linespacing": 1.35}
        self.figure.text(
            left, top, "\n".join(title), size=10, weight="bold", va="top", linespacing=1.3
        )
        self.figure.text(left, below, self.page.subtitle, size=7.5, va="top", **small)
        self.figure.text(left, bottom, "\n".join(captions), size=6.5, va="bottom", **small)

    def _legend(self) -> Any:
        return self.figure.legend(
            handles=[self._handle(name, text) for name, text in self.page.legend.items()],
            loc="upper left",
            borderaxespad=0,
            borderpad=0,
            handlelength=3.2,
            ncols=-(-len(self.page.legend) // LEGEND_LINES),
            columnspacing=1.2,
            title=self.page.legend_title or None,
            alignment="left",
            title_fontsize=7.5,
        )

    def _handle(self, name: str, text: str) -> Any:
        from matplotlib.lines import Line2D

        style = self.page.styles[name]
        return Line2D(
            [],
            [],
            color=style.colour,
            linestyle=style.line,
            linewidth=style.width,
            marker=style.marker if self.markers else "",
            markersize=4,
            label=text,
        )

    def _panel(self, row: int, column: int, panel: Panel, head: float) -> None:
        axes = self._axes(row, column, head)
        across = self.page.across
        draw_panel(axes, panel, across, self.page.styles, self._scaled_to(row, panel), self.markers)
        if column == 0 or not self.page.shared:
            label = textwrap.wrap(panel.label, LABEL_CHARACTERS)
            closer = LABEL_STEP * max(0, len(label) - 2)
            axes.set_ylabel("\n".join(label).replace(NO_BREAK, " "))
            axes.yaxis.set_label_coords((closer - LABEL_DISTANCE) / self.width, 0.5)
        else:
            axes.tick_params(labelleft=False)
        if self._is_lowest(row, column):
            axes.set_xlabel(across.label)
        else:
            axes.tick_params(labelbottom=False)
        if row == 0:
            self._write_above(axes, panel, self.lines[column])

    def _axes(self, row: int, column: int, head: float) -> Axes:
        width, height = self.figure.get_size_inches()
        left = LEFT + column * (self.width + self.gap)
        bottom = height - head - self.height - row * (self.height + ROW_GAP)
        return self.figure.add_axes(
            (left / width, bottom / height, self.width / width, self.height / height)
        )

    def _scaled_to(self, row: int, panel: Panel) -> list[np.ndarray]:
        """The curves that decide the y axis: those of the row, if it is shared."""
        panels = [p for p in self.page.rows[row] if p] if self.page.shared else [panel]
        return [curve.values for panel in panels for curve in panel.curves]

    def _write_above(self, axes: Axes, panel: Panel, lines: Mapping[Event, int]) -> None:
        """The names of the events, each over its mark, and the heading over all."""
        for event, line in lines.items():
            text, place = event.text, event.place
            axes.annotate(
                text,
                (place, 1),
                (0, 3 + POINTS * SMALL_LINE * line),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                size=EVENT_SIZE,
                color=GREY,
                ha="right" if self._goes_beyond(text, place) else "left",
                annotation_clip=False,
            )
        lift = 3 + POINTS * SMALL_LINE * self._most_lines()
        axes.annotate(
            panel.heading,
            (0, 1),
            (0, lift),
            xycoords="axes fraction",
            textcoords="offset points",
            size=8,
            weight="bold",
        )

    def _event_lines(self, panel: Panel) -> dict[Event, int]:
        """The line, counted from the axes upwards, in which the name of each event has room."""
        ends: list[float] = []
        lines: dict[Event, int] = {}
        for event in panel.events:
            text, place = event.text, event.place
            length = _text_width(self.figure, text) + 0.06
            start = self._inches(place) - (length if self._goes_beyond(text, place) else 0.0)
            line = next((at for at, end in enumerate(ends) if end <= start), len(ends))
            ends[line : line + 1] = [start + length]
            lines[event] = line
        return lines

    def _inches(self, place: float) -> float:
        low, high = self.page.across.limits
        return self.width * (place - low) / (high - low)

    def _goes_beyond(self, text: str, place: float) -> bool:
        """Whether a name that starts at its event would leave the panel."""
        return self._inches(place) + _text_width(self.figure, text) > self.width + EDGE


def _text_width(figure: Figure, text: str) -> float:
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=EVENT_SIZE)
    width, _, _ = _renderer(figure).get_text_width_height_descent(text, font, False)
    return float(width) / figure.dpi


def size_of(figure: Figure, artist: Any) -> tuple[float, float]:
    """Width and height of what is drawn, in inches."""
    box = artist.get_window_extent(_renderer(figure))
    return box.width / figure.dpi, box.height / figure.dpi


def _renderer(figure: Figure) -> Any:
    canvas: Any = figure.canvas
    return canvas.get_renderer()
