"""JSON knows no infinity and no NaN: what scripts read is plain."""

from __future__ import annotations

import json
import math

import numpy as np

from myelode.cli.summaries import plain, to_json


def test_infinity_is_text_and_what_is_missing_is_null() -> None:
    assert plain([math.inf, -math.inf, math.nan, None]) == ["inf", "-inf", None, None]


def test_numpy_becomes_plain() -> None:
    data = {"a": np.float64(0.5), "b": np.array([[1.0, np.inf]]), "c": np.bool_(True), "d": (1, 2)}
    assert plain(data) == {"a": 0.5, "b": [[1.0, "inf"]], "c": True, "d": [1, 2]}


def test_json_is_one_line_of_ascii() -> None:
    text = to_json({"title": "γ-H2AX\n", "value": np.nan})
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text) == {"title": "γ-H2AX\n", "value": None}
