"""Runs of a plain model: samples that fail, summaries, blocks, memory, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode import Summary
from myelode.errors import ScenarioError, SimulationError, UnsupportedModelError
from myelode.model import Model, load_model
from tests.toys import DECAY

BLOW_UP = """
model blow_up()
  species x = 1; k = 1; x' = k * x * x; spare := 1 / k;
end
"""
RATES = np.array([0.1, 0.5, 2.0])
AUC, PEAK = Summary("auc", "drug"), Summary("max", "drug")
EARLY = Summary("first_below", "drug", level=0.5)


def _model(folder: Path, text: str) -> Model:
    path = folder / "toy.ant"
    path.write_text(text, "utf-8")
    return load_model(path)


@pytest.fixture
def decay(tmp_path: Path) -> Model:
    return _model(tmp_path, DECAY)


@pytest.fixture
def blow_up(tmp_path: Path) -> Model:
    return _model(tmp_path, BLOW_UP)


@pytest.mark.parametrize("engine", ["roadrunner", "ensemble"])
def test_one_run_that_fails_leaves_the_others_their_numbers(blow_up: Model, engine: str) -> None:
    found = blow_up.simulate([0.0, 2.0], ["x"], {"k": [0.1, 1.0, 0.2]}, engine)
    np.testing.assert_allclose(found["x"][:, 1], [1.25, np.nan, 1 / 0.6], rtol=1e-6)
    assert np.isnan(found["x"][1]).all()
    np.testing.assert_array_equal(found["status"], [0, 1, 0])
    assert [bool(reason) for reason in found["reason"].values] == [False, True, False]
    np.testing.assert_allclose(found["time_reached"], [2.0, 1.0, 2.0], rtol=1e-2)
    is_known = engine == "ensemble"
    assert ((found["steps"] > 0) == is_known).all()


def test_where_all_fail_or_there_is_one_run_it_is_an_error(blow_up: Model) -> None:
    for changes in ({"k": [1.0, 2.0]}, {"k": 1.0}):
        with pytest.raises(SimulationError) as caught:
            blow_up.simulate([0.0, 2.0], ["x"], changes, "ensemble")
        assert caught.value.time == pytest.approx(1.0, rel=1e-3)
        assert caught.value.state["x"] > 100


def test_a_single_run_has_nothing_beside_it(decay: Model) -> None:
    found = decay.simulate([0, 1], changes={"drug": 1.0})
    assert set(found.coords) == {"time"}


@pytest.mark.parametrize(("engine", "within"), [("ensemble", 1e-8), ("roadrunner", 1e-5)])
def test_summaries_have_units_and_say_how_they_came_about(
    decay: Model, engine: str, within: float
) -> None:
    asked = {"area": AUC, "peak": PEAK, "early": EARLY}
    found = decay.summarize(asked, 6.0, {"k": RATES, "drug": 2.0}, engine)
    np.testing.assert_allclose(found["area"], 2 / RATES * (1 - np.exp(-6 * RATES)), rtol=within)
    np.testing.assert_allclose(found["peak"], 2.0)
    expected = np.where(np.log(4) / RATES <= 6.0, np.log(4) / RATES, np.inf)
    np.testing.assert_allclose(found["early"], expected, rtol=within)
    assert found["area"].attrs["units"] == "umol/L*h"
    assert found["peak"].attrs["units"] == "umol/L"
    assert found["early"].attrs == {
        "units": "h",
        "long_name": "first time with drug below 0.5 umol/L",
    }
    assert ("samples" in found.attrs["summaries_computed"]) == (engine == "roadrunner")
    assert "time" not in found.coords


def test_summaries_of_a_single_run_are_numbers_from_the_ensemble_engine(decay: Model) -> None:
    found = decay.summarize({"area": AUC}, 2.0, {"drug": 1.0})
    assert found["area"].dims == ()
    assert float(found["area"]) == pytest.approx(2 * (1 - np.exp(-1.0)), rel=1e-8)
    assert found.attrs["engine"] == "ensemble"
    assert set(found.coords) == set()


def test_blocks_are_the_parts_of_the_whole(decay: Model) -> None:
    times, changes = [0.0, 1.0, 4.0], {"k": np.linspace(0.1, 2.0, 7), "drug": 1.0}
    whole = decay.simulate(times, ["drug"], changes, "ensemble")
    areas = decay.summarize({"area": AUC}, 4.0, changes)["area"]
    blocks = [
        *decay.simulate_blocks(
            times, ["drug"], changes, "ensemble", summaries={"area": AUC}, block=3
        )
    ]
    assert [block.sizes["sample"] for block in blocks] == [3, 3, 1]
    numbers = np.concatenate([block["sample"] for block in blocks])
    np.testing.assert_array_equal(numbers, np.arange(7))
    np.testing.assert_array_equal(np.concatenate([b["drug"] for b in blocks]), whole["drug"])
    np.testing.assert_array_equal(np.concatenate([b["area"] for b in blocks]), areas)
    np.testing.assert_array_equal(
        np.concatenate([b["changed_k"] for b in blocks]), whole["changed_k"]
    )


def test_a_block_in_which_all_fail_is_like_any_other(blow_up: Model) -> None:
    changes = {"k": [1.0, 2.0, 0.1]}
    [bad, good] = blow_up.simulate_blocks([2.0], ["x"], changes, "ensemble", block=2)
    np.testing.assert_array_equal(bad["status"], [1, 1])
    assert float(good["x"][0, 0]) == pytest.approx(1.25)


def test_the_options_do_what_they_say(decay: Model) -> None:
    changes = {"k": RATES, "drug": 1.0}
    plain = decay.simulate([1.0], ["drug"], changes, "ensemble")
    small = decay.simulate([1.0], ["drug"], changes, "ensemble", precision="float32", threads=2)
    assert small["drug"].dtype == np.float32
    np.testing.assert_array_equal(small["drug"], plain["drug"].astype(np.float32))
    same = decay.simulate([1.0], ["drug"], changes, reproducible=True)
    assert (same.attrs["engine"], same.attrs["engine_because"]) == (
        "ensemble",
        "it is reproducible",
    )
    np.testing.assert_allclose(same["drug"], plain["drug"], rtol=1e-8)
    with pytest.raises(SimulationError, match="2 steps were not enough"):
        decay.simulate([1.0], ["drug"], changes, "ensemble", most_steps=2)
    unkept = decay.simulate([1.0], ["drug"], changes, "roadrunner", most_steps=2)
    assert unkept.attrs["limits"] == "not kept by roadrunner"


def test_without_the_ensemble_engine_they_come_from_samples_with_the_reason(
    decay: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "myelode.engines.ensemble.engine", None)
    found = decay.summarize({"area": AUC}, 2.0, {"drug": 1.0})
    assert found.attrs["engine"] == "roadrunner"
    assert "numba and llvmlite are missing" in found.attrs["engine_because"]
    assert float(found["area"]) == pytest.approx(2 * (1 - np.exp(-1.0)), rel=1e-6)
    with pytest.raises(UnsupportedModelError, match="numba and llvmlite are missing"):
        decay.simulate([0, 1], reproducible=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "float16"}, "precision is 'float64' or 'float32', not 'float16'"),
        ({"threads": 0}, "threads must be positive"),
        ({"threads": 1.5}, "threads must be a whole number"),
        ({"most_steps": -1}, "most_steps must be positive"),
        ({"most_seconds": 0.0}, "most_seconds must be positive"),
        ({"memory": float("nan")}, "memory must be positive"),
        ({"engine": "scipy", "reproducible": True}, "only 'ensemble' is reproducible"),
        ({"atol": 0.0}, "atol must be positive"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    decay: Model, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        decay.simulate([0, 1], **options)


def test_an_option_that_does_not_exist_is_wrong_use(decay: Model) -> None:
    with pytest.raises(TypeError, match="precison"):
        decay.simulate([0, 1], precison="float32")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": [1, 2], "drug": [1, 2, 3]}, "changes must have equal lengths: k has 2, drug has 3"),
        ({"k": []}, "changes of zero lengths are no runs: k has 0"),
        ({"kk": [1.0, 2.0]}, "unknown name 'kk' in model toy: did you mean 'k'"),
    ],
)
def test_changes_that_do_not_fit_are_refused(
    decay: Model, changes: dict[str, Any], message: str
) -> None:
    for run in (
        lambda: decay.simulate([0, 1], None, changes),
        lambda: decay.summarize({"area": AUC}, 1.0, changes),
        lambda: decay.simulate_blocks([0, 1], None, changes),
    ):
        with pytest.raises(ScenarioError, match=message):
            run()


def test_more_than_memory_holds_is_refused_with_how_much_it_would_be(decay: Model) -> None:
    changes = {"k": np.full(100_000, 1.0)}
    times = np.linspace(0, 1, 1001)
    with pytest.raises(ScenarioError) as caught:
        decay.simulate(times, ["drug"], changes, memory=1e8)
    assert str(caught.value) == (
        "100000 runs x 1001 times x 1 outputs need 0.804 GB of memory, 0.1 GB are allowed: ask for "
        "fewer outputs or times, for precision='float32' or more memory=..., or use "
        "Model.summarize or Model.simulate_blocks"
    )
    with pytest.raises(ScenarioError, match="need 8000 GB of memory"):
        decay.simulate(np.linspace(0, 1, 10**6), ["drug"], {"k": np.ones(10**6)})


def test_blocks_are_as_large_as_memory_allows(decay: Model) -> None:
    times, changes = np.linspace(0, 1, 101), {"k": np.full(7, 1.0)}
    few = decay.simulate_blocks(times, ["drug"], changes, "ensemble", memory=4000)
    assert [block.sizes["sample"] for block in few] == [2, 2, 2, 1]
    with pytest.raises(ScenarioError, match="5 runs x 101 times x 1 outputs need"):
        decay.simulate_blocks(times, ["drug"], changes, memory=4000, block=5)
    with pytest.raises(ScenarioError, match="block must be a positive whole number"):
        decay.simulate_blocks(times, ["drug"], changes, block=0)


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        (Summary("maximum", "drug"), "summary 'it': unknown kind 'maximum': did you mean 'max'"),  # type: ignore[arg-type]
        (Summary("max", "drog"), "unknown output 'drog'"),
        (Summary("max", "time"), "must be of something other than time"),
        (Summary("time_above", "drug"), "time_above needs a level"),
        (Summary("max", "drug", level=1.0), "max takes no level"),
        (Summary("first_above", "drug", level=float("nan")), "level must be a finite number"),
        (Summary("max", "drug", at=1.0), "only a value is at a time"),
        (Summary("value", "drug", at=7.0), "must increase and lie between 0 and 6"),
        (Summary("value", "drug", start=2.0), "a value is at a time, not from a start to an end"),
        (Summary("auc", "drug", start=2.0, end=1.0), "must increase and lie between 0 and 6"),
        (Summary("auc", "drug", start=-1.0), "must increase and lie between 0 and 6"),
    ],
)
def test_a_summary_that_makes_no_sense_is_refused(
    decay: Model, summary: Summary, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        decay.summarize({"it": summary}, 6.0)


def test_summaries_need_something_to_say_a_name_of_their_own_and_an_end(decay: Model) -> None:
    with pytest.raises(ScenarioError, match="summaries must name something"):
        decay.summarize({}, 6.0)
    with pytest.raises(ScenarioError, match="the end must be a time from zero on"):
        decay.summarize({"area": AUC}, float("inf"))
    with pytest.raises(ScenarioError, match="summary 'drug' has the name of an output"):
        decay.simulate_blocks([0, 1], ["drug"], summaries={"drug": PEAK})
