"""What is said of indices beside their numbers: which points they rest on, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.sensitivities.methods import method_for
from myelode.sensitivities.samples import Parameter, Reading, Sample
from myelode.sensitivities.tables import indices_of
from myelode.sweeps.designs.orders import Elasticities, Morris, Saltelli
from tests.sensitivities.functions import (
    ISHIGAMI_CUBE,
    Columns,
    ishigami,
    reading,
    sample,
    sample_of,
)


def _high(x: Columns) -> np.ndarray:
    return np.asarray(x["x1"] > 2)


def _found(
    points: Sample, *seen: Reading, method: str | None = None
) -> tuple[xr.Dataset, list[str]]:
    return indices_of(points, seen, method_for(points.kind, method))


def test_a_run_that_failed_takes_nothing_from_the_others() -> None:
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1), _high)
    kept, lost = reading(ishigami(x), label="none.y"), reading(ishigami(x), points, "weak.y")
    found, notes = _found(points, kept, lost)
    assert found["endpoint"].values.tolist() == ["none.y"]
    [note] = [note for note in notes if "left out" in note]
    assert note.startswith("weak.y is left out: sobol needs every point: ")
    assert "points failed, all with x1 above 2" in note
    alone, _ = _found(points, kept)
    assert np.array_equal(alone["ST"], found["ST"])
    with pytest.raises(ScenarioError, match="points failed, all with x1 above 2"):
        _found(points, lost)


def test_entries_that_are_left_out_alike_are_named_together() -> None:
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1), _high)
    lost = [reading(ishigami(x), points, f"weak.{name}") for name in ("y", "z")]
    _, notes = _found(points, reading(ishigami(x), label="none.y"), *lost)
    [note] = [note for note in notes if "left out" in note]
    assert note.startswith("weak.y and weak.z are left out: ")


def test_elasticities_are_those_of_the_runs_that_did_not_fail() -> None:
    points, x = sample_of(Elasticities({"a": 2.0, "b": 3.0}, 0.1), lambda x: x["a"] >= 2.0)
    kept, lost = reading(x["a"] ** 2, label="none.y"), reading(x["a"], points, "weak.y")
    found, notes = _found(points, kept, lost)
    assert found["elasticity"].sel(endpoint="none.y", parameter="a").item() == pytest.approx(2)
    assert notes == ["weak.y is left out: the base point of the elasticities failed"]


def test_steps_that_failed_are_named_for_the_entries_that_lack_them() -> None:
    points, x = sample_of(Elasticities({"a": 2.0, "b": 3.0}, 0.1), lambda x: x["a"] > 2.0)
    lost = reading(x["a"] * x["b"], points, "weak.y")
    found, notes = _found(points, reading(x["a"], label="none.y"), lost)
    weak = found["elasticity"].sel(endpoint="weak.y")
    assert np.isnan(weak.sel(parameter="a"))
    assert weak.sel(parameter="b").item() == pytest.approx(1)
    assert notes == ["1 point failed, steps of a"]


def test_morris_says_how_many_points_are_analysed() -> None:
    points, x = sample_of(Morris(ISHIGAMI_CUBE, 40, 4, 1), _high)
    found, [note] = _found(points, reading(3 * x["x2"], points))
    used = int(found["used"].item())
    assert 0 < used < points.count - points.failed
    assert note.endswith(f": {used} points of complete trajectories are analysed")


def test_pawn_counts_the_points_of_a_saltelli_design_that_repeat_no_others() -> None:
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1))
    values = np.where(x["x1"] > 2, np.inf, ishigami(x))
    found, notes = _found(points, reading(values), method="pawn")
    used = int(found["used"].item())
    assert notes[0] == "128 of 320 points repeat no others: only these are analysed"
    assert notes[1].startswith(f"{128 - used} of 128 points never reach y, all with x1 above ")
    assert notes[1].endswith(f": the other {used} are analysed")


def test_entries_that_lack_other_points_are_named() -> None:
    generator = np.random.default_rng(1)
    columns = {"x1": generator.random(200), "x2": generator.random(200)}
    points = sample("random", columns, lambda x: (x["x1"] > 0.8) | (x["x2"] > 0.8))
    first = reading(np.where(columns["x1"] > 0.8, np.nan, 1.0 + columns["x2"]), label="none.y")
    second = reading(np.where(columns["x2"] > 0.8, np.nan, 1.0 + columns["x1"]), label="weak.y")
    _, notes = _found(points, first, second)
    assert "points failed for none.y, all with x1 above 0.8" in notes[0]
    assert "points failed for weak.y, all with x2 above 0.8" in notes[1]


def test_too_few_points_left_are_refused_with_their_region() -> None:
    columns = {"x1": np.linspace(0, 1, 100), "x2": np.random.default_rng(1).random(100)}
    points = sample("random", columns, lambda x: x["x1"] < 0.9)
    for method in ("pawn", "rbd"):
        with pytest.raises(ScenarioError, match=r"10 have a number: 90 of 100 points failed, all "):
            _found(points, reading(columns["x2"], points), method=method)


def test_shares_that_are_none_are_doubted() -> None:
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 4, 1))
    _, notes = _found(points, reading(np.exp(3 * ishigami(x))))
    assert any("more points are needed" in note for note in notes)
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 1024, 1))
    assert _found(points, reading(ishigami(x)))[1] == []


@pytest.mark.parametrize(
    ("points", "method"),
    [
        (Elasticities({"x1": 2.0, "x2": 3.0, "x3": 1.0}, 0.1), None),
        (Morris(ISHIGAMI_CUBE, 5, 4, 1), None),
        (Saltelli(ISHIGAMI_CUBE, 64, 1, second_order=True), None),
        (Saltelli(ISHIGAMI_CUBE, 64, 1), "pawn"),
    ],
)
def test_everything_says_what_it_is(
    points: Elasticities | Morris | Saltelli, method: str | None
) -> None:
    seen, x = sample_of(points)
    found, _ = _found(seen, reading(ishigami(x)), method=method)
    assert all(array.attrs["long_name"] for array in found.variables.values())
    assert all("units" in array.attrs for array in found.data_vars.values())
    assert found["used"].attrs["units"] == "1"


def test_words_of_an_axis_are_named_where_its_points_fail() -> None:
    kinds = np.arange(90.0) % 3
    parameters = (Parameter("perturbation", words=("lost", "low", "none")), Parameter("k"))
    values = np.stack([kinds, np.random.default_rng(1).random(90)], axis=1)
    points = Sample("random", {}, parameters, values, np.zeros(90, bool))
    seen = reading(np.where(kinds == 1, np.inf, 1 + values[:, 1]), label="ic50")
    _, notes = _found(points, seen)
    assert notes == [
        "30 of 90 points never reach ic50, all with perturbation low: the other 60 are analysed"
    ]
