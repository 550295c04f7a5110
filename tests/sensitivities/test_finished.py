"""The axes of a finished sweep as numbers, whatever they are written as."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from myelode.sensitivities.finished import sample_of
from myelode.sensitivities.samples import Parameter
from myelode.sweeps.blocks import TEXT, Layout, Variable
from myelode.sweeps.designs.sections import DesignBlock


def _read(texts: Sequence[str]) -> tuple[Parameter, np.ndarray]:
    """The one axis of a sweep, as an analysis sees it."""
    axis = Variable("when", dtype=TEXT, attributes={"long_name": "when"}, is_coordinate=True)
    layout = Layout(len(texts), len(texts), (axis,), {}, {})
    columns = {
        "when": np.array(texts, object),
        "status": np.zeros(len(texts), np.int8),
        "reason": np.full(len(texts), "", object),
    }
    design = DesignBlock.model_validate({"grid": {"when": list(texts)}})
    sample = sample_of(design, layout, columns.__getitem__)
    return sample.parameters[0], sample.points[:, 0]


def test_quantities_are_numbers_in_the_unit_of_most() -> None:
    parameter, values = _read(["30 min", "2 h", "10 h", "30 min"])
    assert (parameter.unit, parameter.words) == ("h", ())
    assert values == pytest.approx([0.5, 2, 10, 0.5])
    parameter, values = _read(["0.5", "10", "2"])
    assert parameter.unit == ""
    assert values.tolist() == [0.5, 10, 2]


@pytest.mark.parametrize("texts", [["none", "apn_lost", "none"], ["2 h", "10 umol/L", "2 h"]])
def test_other_texts_are_words(texts: list[str]) -> None:
    parameter, values = _read(texts)
    assert [parameter.words[int(value)] for value in values] == texts
    assert parameter.unit == ""
