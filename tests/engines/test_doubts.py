"""Constructs that libRoadRunner does not do right go to the ensemble engine, or are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from myelode import library
from myelode.engines import Run, Tolerances
from myelode.engines.bulk import run_all
from myelode.engines.doubts import doubt_about
from myelode.errors import UnsupportedModelError
from myelode.model import load_model
from myelode.regimens.timeline import Timeline
from myelode.sbml import from_antimony

DOUBTFUL = {
    "at A < 2: A = 4": "an event",
    "k := piecewise(1, time < 1, 0)": "a formula that jumps",
    "k := floor(A)": "a formula that jumps",
    "k = 1; B' = rateOf(A)": "a formula that jumps",
    "k = 1; C' = 1": "a compartment whose size a rule gives",
    "k = inf": "a value that is missing or not finite",
}
TRUSTED = ("k := piecewise(A, A < 1, 1)", "k := max(A, 1) + exp(-time)", "k := abs(A)^0.5; B' = k")


def _sbml(line: str) -> str:
    return from_antimony(
        f"model m; compartment C = 1; species A in C; A = 4; A -> ; k*A; B = 0; {line}; end", "test"
    )


def _runs() -> list[Run]:
    return [Run({}, Timeline((), 1.0), np.array([0.0, 1.0]), ("A",))]


@pytest.mark.parametrize("line", DOUBTFUL)
def test_a_doubtful_construct_goes_to_the_ensemble_engine_and_says_why(line: str) -> None:
    ran = run_all(_sbml(line), _runs(), "auto", Tolerances())
    assert ran.engine == "ensemble"
    assert ran.because.startswith(DOUBTFUL[line])
    assert ": libRoadRunner " in ran.because


@pytest.mark.parametrize("line", TRUSTED)
def test_what_does_not_jump_stays_with_libroadrunner(line: str) -> None:
    assert run_all(_sbml(line), _runs(), "auto", Tolerances()).engine == "roadrunner"


@pytest.mark.parametrize("name", library.models())
def test_shipped_models_have_nothing_doubtful(name: str) -> None:
    assert doubt_about(load_model(name).sbml) == ""


def test_what_neither_engine_does_is_refused_with_both_reasons() -> None:
    with pytest.raises(UnsupportedModelError, match=r"delay.*; an event: libRoadRunner"):
        run_all(_sbml("k := delay(A, 1); at A < 2: A = 4"), _runs(), "auto", Tolerances())


def test_without_numba_it_is_refused_and_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "myelode.engines.ensemble.engine", None)
    with pytest.raises(UnsupportedModelError, match=r"numba and llvmlite are missing.*an event"):
        run_all(_sbml("k = 1; at A < 2: A = 4"), _runs(), "auto", Tolerances())


def test_a_trigger_that_holds_for_less_than_a_step_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "window.ant"
    path.write_text("model m; s = 0; s' = 0.4; n = 0; at (s > 0.18) && (s < 0.19): n = 1; end")
    assert load_model(path).simulate([0, 1], outputs=["n"])["n"].values[-1] == 1


def test_a_model_may_have_an_id_called_time(tmp_path: Path) -> None:
    path = tmp_path / "clock.xml"
    path.write_text(_sbml("k = 1; other = 3").replace('"other"', '"time"'))
    found = load_model(path).simulate([0, 2], outputs=["time", "A"])
    np.testing.assert_array_equal(found["time"], [3, 3])
    np.testing.assert_allclose(found["A"], [4, 4 * np.exp(-2)], rtol=1e-7)
    np.testing.assert_array_equal(found["moment"], [0, 2])
