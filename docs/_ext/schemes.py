"""The reactions of a model as a picture: a column per compartment, boxes, and arrows."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from myelode.figures.styles import look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from myelode.equations import Equations

COLUMN, ROW = 2.5, 0.78
BOX_WIDTH, BOX_HEIGHT = 1.5, 0.5
INCHES = 0.72
FLOW, INFLUENCE = "#0072B2", "#8c8c8c"
CHARACTERS = 19

Place = tuple[float, float]
Pair = tuple[str, str]


def flows(equations: Equations) -> set[Pair]:
    """From each species that a reaction uses up to each that it makes."""
    return {
        (source, target)
        for used, made in _sides(equations).values()
        for source in used
        for target in made
        if source != target
    }


def ends(equations: Equations) -> set[str]:
    """Species that some reaction uses up without making another."""
    return {source for used, made in _sides(equations).values() if not made for source in used}


def influences(equations: Equations) -> set[Pair]:
    """From each species on which a rate depends to what that reaction changes."""
    found = set()
    for reaction, (used, made) in _sides(equations).items():
        for source in _species_in(equations, reaction):
            if source not in used:
                found |= {(source, target) for target in (made or used) if target != source}
    return found - flows(equations)


def _sides(equations: Equations) -> dict[str, tuple[list[str], list[str]]]:
    """What each reaction uses up, and what it makes."""
    sides: dict[str, tuple[list[str], list[str]]] = {
        name: ([], []) for name in equations.system.rates
    }
    for species, row in equations.system.stoichiometry.items():
        for reaction, count in row.items():
            sides[reaction][count > 0].append(species)
    return sides


def _species_in(equations: Equations, reaction: str) -> Iterator[str]:
    for free in equations.quantity(reaction).free_symbols:
        name = str(free).removeprefix("amount(").removesuffix(")")
        if name in equations.system.stoichiometry:
            yield name


def places(equations: Equations) -> dict[str, Place]:
    """Where each species stands: a column per compartment, in the order of the model."""
    columns: dict[str, list[str]] = {}
    for name in equations.system.stoichiometry:
        columns.setdefault(equations.system.species[name].compartment, []).append(name)
    return {
        name: (number * COLUMN, -row * ROW)
        for number, names in enumerate(columns.values())
        for row, name in enumerate(names)
    }


def scheme_svg(equations: Equations) -> str:
    """The picture as SVG text; equal models give equal texts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    where = places(equations)
    width = max(x for x, _ in where.values()) + COLUMN
    height = ROW * 2.2 - min(y for _, y in where.values())
    with look():
        figure = Figure(figsize=(INCHES * width, INCHES * height))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(-COLUMN / 2, width - COLUMN / 2))
        axes.set_axis_off()
        axes.set_ylim(1.6 * ROW - height, 1.6 * ROW)
        _draw_arrows(axes, equations, where)
        _draw_boxes(axes, equations, where)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    label = "Scheme of the reactions; the table below lists them all"
    return f'<svg role="img" aria-label="{label}"' + text.getvalue().partition("<svg")[2]


def _draw_boxes(axes: Axes, equations: Equations, where: dict[str, Place]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for name, (x, y) in where.items():
        corner = (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2)
        style = "round,pad=0,rounding_size=0.1"
        axes.add_patch(
            FancyBboxPatch(corner, BOX_WIDTH, BOX_HEIGHT, style, fc="white", lw=0.8, zorder=3)
        )
        words = textwrap.fill(name.replace("_", " "), CHARACTERS, break_long_words=False)
        axes.text(x, y, words, size=6.6, ha="center", va="center", zorder=4)
    columns = {where[name][0]: equations.system.species[name].compartment for name in where}
    for x, compartment in columns.items():
        axes.text(x, ROW * 0.95, compartment, size=9, weight="bold", ha="center", va="center")


def _draw_arrows(axes: Axes, equations: Equations, where: dict[str, Place]) -> None:
    for source, target in sorted(influences(equations)):
        _arrow(axes, where[source], where[target], influence=True)
    for source, target in sorted(flows(equations)):
        _arrow(axes, where[source], where[target], influence=False)
    for name in sorted(ends(equations)):
        x, y = where[name][0] + BOX_WIDTH / 2, where[name][1]
        _line(axes, (x, y), (x + 0.24, y), influence=False, bend=0.0)
        axes.text(x + 0.33, y, "∅", size=7, color=FLOW, ha="center", va="center")


def _arrow(axes: Axes, source: Place, target: Place, influence: bool) -> None:
    """From side to side; within a column reactions go around the left, influences the right."""
    (x, y), (other_x, other_y) = source, target
    half = BOX_WIDTH / 2
    if x == other_x:
        side = 1 if influence else -1
        bend = 0.35 * side * (1 if other_y > y else -1)
        _line(axes, (x + side * half, y), (x + side * half, other_y), influence, bend)
    else:
        side = 1 if other_x > x else -1
        _line(axes, (x + side * half, y), (other_x - side * half, other_y), influence, 0.0)


def _line(axes: Axes, start: Place, end: Place, influence: bool, bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=7,
            color=INFLUENCE if influence else FLOW,
            linestyle=(0, (4, 2)) if influence else "-",
            linewidth=0.9,
            shrinkA=0,
            shrinkB=0,
            connectionstyle=f"arc3,rad={bend}",
            zorder=2,
        )
    )
