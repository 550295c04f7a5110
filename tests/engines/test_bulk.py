"""Many runs of one model go to the engine that does them, and the result says which and why."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from myelode.engines import Run, Tolerances
from myelode.engines.bulk import MANY, engine_for, run_all
from myelode.engines.ensemble.engine import EnsembleEngine
from myelode.errors import UnsupportedModelError
from myelode.regimens.timeline import Change, Instant, Timeline
from myelode.sbml import from_antimony

DECAY = from_antimony("model decay; species A = 4; A -> ; k*A; k = 0.5; end", "test")
TIMES = np.array([0.0, 1.0, 4.0])


def _runs(number: int, *doses: float) -> list[Run]:
    rates = np.linspace(0.1, 2.0, number)
    instants = tuple(Instant(time, (Change("A", 1.0, 1.0),)) for time in doses)
    timeline = Timeline(instants, float(TIMES[-1]))
    return [Run({"k": float(rate)}, timeline, TIMES, ("A",)) for rate in rates]


@pytest.mark.parametrize(("number", "engine"), [(MANY - 1, "roadrunner"), (MANY, "ensemble")])
def test_many_runs_go_to_the_ensemble_engine(number: int, engine: str) -> None:
    runs = _runs(number)
    ran = run_all(DECAY, runs, "auto", Tolerances())
    assert ran.engine == engine
    assert str(MANY if number < MANY else number) in ran.because
    for run, found in zip(runs, ran.results, strict=True):
        expected = 4 * np.exp(-run.changes["k"] * TIMES)
        np.testing.assert_allclose(np.asarray(found)[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("doses", "engine"),
    [
        ((), "roadrunner"),
        ((0.0, 1.0, 2.0), "roadrunner"),
        ((1.0, 2.0, 3.0), "ensemble"),
        ((1.0, 2.0, TIMES[-1]), "roadrunner"),
    ],
)
def test_runs_count_by_the_stretches_between_doses(doses: tuple[float, ...], engine: str) -> None:
    runs = _runs(MANY // 4, *doses)
    assert run_all(DECAY, runs, "auto", Tolerances()).engine == engine


def test_runs_that_come_again_and_again_are_many() -> None:
    assert engine_for(DECAY, _runs(2), times=MANY // 2) == "ensemble"
    assert engine_for(DECAY, _runs(2), times=MANY // 2 - 1) == "roadrunner"


def test_what_the_ensemble_engine_does_not_do_goes_to_the_other_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: object, sbml: str) -> None:
        raise UnsupportedModelError("it is Sunday")

    monkeypatch.setattr(EnsembleEngine, "compile", refuse)
    ran = run_all(DECAY, _runs(MANY), "auto", Tolerances())
    assert ran.engine == "roadrunner"
    assert ran.because == "the ensemble engine cannot: it is Sunday"


def test_without_its_libraries_it_is_missed_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "myelode.engines.ensemble.engine", None)
    ran = run_all(DECAY, _runs(MANY), "auto", Tolerances())
    assert ran.engine == "roadrunner"
    assert "numba and llvmlite are missing" in ran.because
    with pytest.raises(UnsupportedModelError, match=r"pip install 'myelode\[ensemble\]'"):
        run_all(DECAY, _runs(1), "ensemble", Tolerances())


def test_libraries_that_do_not_work_are_named_with_what_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = types.ModuleType("myelode.engines.ensemble.engine")  # it has no EnsembleEngine
    monkeypatch.setitem(sys.modules, "myelode.engines.ensemble.engine", broken)
    with pytest.raises(UnsupportedModelError, match="do not work here.*EnsembleEngine"):
        run_all(DECAY, _runs(1), "ensemble", Tolerances())
