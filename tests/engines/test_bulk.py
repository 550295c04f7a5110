"""Many runs of one model go to the engine that does them, and the result says which and why."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from myelode.engines import Run, Tolerances
from myelode.engines.bulk import MANY, run_all
from myelode.errors import UnsupportedModelError
from myelode.regimens.timeline import Change, Instant, SteadyState, Timeline
from myelode.sbml import from_antimony

DECAY = from_antimony("model decay; species A = 4; A -> ; k*A; k = 0.5; end", "test")
TIMES = np.array([0.0, 1.0, 4.0])


def _runs(number: int, *instants: Instant) -> list[Run]:
    rates = np.linspace(0.1, 2.0, number)
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


def test_what_the_ensemble_engine_does_not_do_goes_to_the_other_with_the_reason() -> None:
    dose = Instant(0.0, (Change("A", 1.0, 1.0),))
    steady = Instant(0.0, steady=SteadyState(2.0, (dose,), 0.0))
    ran = run_all(DECAY, _runs(MANY, steady), "auto", Tolerances())
    assert ran.engine == "roadrunner"
    assert ran.because == "the ensemble engine does not do doses that have been given for ever"


def test_without_its_libraries_it_is_missed_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "myelode.engines.ensemble.engine", None)
    ran = run_all(DECAY, _runs(MANY), "auto", Tolerances())
    assert ran.engine == "roadrunner"
    assert "numba and llvmlite are missing" in ran.because
    with pytest.raises(UnsupportedModelError, match=r"pip install 'myelode\[ensemble\]'"):
        run_all(DECAY, _runs(1), "ensemble", Tolerances())
