"""Figures of sensitivities: what they show, and that nothing covers anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from myelode.figures.tornado import MOST_PANELS, MOST_ROWS, draw_tornado
from myelode.sensitivities.methods import method_for
from myelode.sensitivities.tables import indices_of
from myelode.sweeps.designs.orders import Elasticities, Morris, Saltelli
from tests.figure_texts import off_the_page, overlapping
from tests.sensitivities.functions import (
    ISHIGAMI_CUBE,
    ishigami,
    reading,
    sample,
    sample_of,
)

ATTRIBUTES: Mapping[str, Any] = {
    "title": "What moves the function", "scenario": "functions_with_known_indices", "model": "functions",
    "points": 100, "failed": 0, "evidence": "assumed", "assumed_share": 0.5, "step": 0.1,
    "notice": "For research and teaching only; no advice for a real person.", "notes": "",
}  # fmt: skip


def _found(kind: str, method: str | None = None, endpoints: int = 1, **attrs: Any) -> xr.Dataset:
    if kind == "elasticities":
        points, x = sample_of(Elasticities({f"k_{n}": 1.0 + n for n in range(30)}, 0.1))
        values = np.prod([x[f"k_{n}"] ** ((-1) ** n / (n + 1)) for n in range(30)], axis=0)
    elif kind == "random":
        x = ISHIGAMI_CUBE.from_unit(np.random.default_rng(1).random((500, 3)))
        points, values = sample("random", x), ishigami(x)
    else:
        design = {
            "morris": Morris(ISHIGAMI_CUBE, 10, 4, 1),
            "saltelli": Saltelli(ISHIGAMI_CUBE, 64, 1),
        }
        points, x = sample_of(design[kind])
        values = ishigami(x)
    chosen = method_for(kind, method)
    seen = [reading(values, label=f"y_{number}") for number in range(endpoints)]
    result, _ = indices_of(points, seen, chosen)
    said = {"method": chosen.name, "method_title": chosen.title}
    return result.assign_attrs({**ATTRIBUTES, **said, **attrs})


def _texts(figure: Figure) -> str:
    words = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        words += [text.get_text() for text in (*axes.get_yticklabels(), axes.xaxis.label)]
        words += [text.get_text() for text in axes.texts]
    for legend in figure.legends:
        words += [text.get_text() for text in legend.get_texts()]
    return "\n".join(words)


@pytest.mark.parametrize("endpoints", [1, 2, 6])
@pytest.mark.parametrize(
    ("kind", "method"),
    [("elasticities", None), ("morris", None), ("saltelli", None), ("random", None),
     ("random", "rbd")],
)  # fmt: skip
def test_nothing_covers_anything(kind: str, method: str | None, endpoints: int) -> None:
    figure = draw_tornado(_found(kind, method, endpoints))
    assert overlapping(figure) == []
    assert off_the_page(figure) == []
    assert len(figure.axes) == endpoints


def test_bars_of_a_tornado_reach_to_their_elasticities() -> None:
    figure = draw_tornado(_found("elasticities"))
    [axes] = figure.axes
    ends = [bar.get_width() for bar in axes.patches if bar.get_height() < 1]
    assert ends[:3] == pytest.approx([1, -1 / 2, 1 / 3])
    assert len(ends) == MOST_ROWS
    assert "Not shown: 6 parameters of less weight." in _texts(figure)
    assert "+1.00" in _texts(figure)
    assert "−0.50" in _texts(figure)


def test_names_come_with_their_meaning_where_there_is_room() -> None:
    assert "k_0, meaning of k_0" in _texts(draw_tornado(_found("elasticities")))
    assert "meaning of" not in _texts(draw_tornado(_found("elasticities", endpoints=2)))


def test_what_is_left_out_is_said() -> None:
    figure = draw_tornado(_found("morris", endpoints=8, failed=3, notes="3 points failed"))
    assert len(figure.axes) == MOST_PANELS
    said = _texts(figure)
    assert "Not shown: 2 more endpoints." in said
    assert "100 points, 3 failed" in said
    assert "3 points failed." in said
    assert "µmol/L" in said


def test_the_points_behind_the_bars_are_counted() -> None:
    found = _found("saltelli", "pawn", 2, points=320)
    assert "320 points, 128 analysed" in " ".join(_texts(draw_tornado(found)).split())
    found["used"][0] = 99
    assert "320 points, 99 to 128 analysed" in " ".join(_texts(draw_tornado(found)).split())
    assert "analysed" not in _texts(draw_tornado(_found("saltelli", points=320)))


def test_the_level_of_chance_says_which_it_is() -> None:
    said = _texts(draw_tornado(_found("random")))
    assert "95 % of parameters that do nothing stay below" in said


def test_an_elasticity_that_is_no_number_is_no_bar() -> None:
    found = _found("elasticities")
    found["elasticity"][0, 1] = np.nan
    assert "no number" in _texts(draw_tornado(found))
