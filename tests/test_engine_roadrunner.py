"""The reference engine: every run starts from the model, whatever ran before, and fails aloud."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.engines import ENGINES, Run, Simulator, Tolerances, choose_engine
from myelode.engines.roadrunner import RoadRunnerSimulator
from myelode.errors import ModelError, ScenarioError, SimulationError
from myelode.regimens.timeline import Change, Equilibration, Instant, Timeline, just_before
from myelode.sbml import from_antimony, with_values
from myelode.sbml.infusions import infusion_rate, with_infusions

# Whatever can depend on something else at the start does so here.
TEXT = """
model tangle()
  compartment medium = 3;
  compartment cells = medium * N0 * v_cell;
  compartment pocket = 2;
  N0 = 50; v_cell = 0.01; supply = 4; fold = 1.5; k = 0.3; k_up = 0.7; q = fold * k;
  species drug in medium, inside in cells, pool in cells, sink in pocket, deep in pocket;
  substanceOnly species ledger in medium;
  species $held in medium;
  drug = 5; inside = 0; pool = supply * fold; sink = pool / 2; deep = 1; ledger = 7; held = 2 * k;
  wave = 1; wave' = -k * wave;
  total := drug + held; level := fold * 2;
  uptake: drug -> inside; medium * k_up * drug;
  making: -> pool; cells * supply * k * level;
  loss: pool -> ; cells * q * pool;
  trap: inside -> sink; cells * k * inside * wave;
  fade: ledger -> deep; k * ledger;
end
"""
OUTPUTS = (
    "drug", "inside", "pool", "sink", "deep", "ledger", "held", "wave", "cells", "total", "level", "q",
    "amount(pool)", "amount(drug)", "concentration(ledger)", "amount(sink)", "loss",
)  # fmt: skip
TIMES = np.array([0.0, 0.5, 2.0, 4.0])
CHANGEABLE = (
    "medium", "cells", "pocket", "N0", "v_cell", "supply", "fold", "k", "k_up", "q", "drug", "inside",
    "pool", "sink", "deep", "ledger", "held", "wave",
)  # fmt: skip
TOLERANCES = Tolerances()
change_sets = st.dictionaries(
    st.sampled_from(CHANGEABLE), st.floats(0.05, 20, allow_subnormal=False), max_size=5
)


@pytest.fixture(scope="module")
def sbml() -> str:
    return from_antimony(TEXT, "tangle")


@pytest.fixture(scope="module")
def simulator(sbml: str) -> Simulator:
    return choose_engine("roadrunner").compile(sbml)


def _run(
    changes: Mapping[str, float] | None = None, *instants: Instant, outputs: tuple[str, ...] = OUTPUTS,
    times: np.ndarray = TIMES,
) -> Run:  # fmt: skip
    return Run(dict(changes or {}), Timeline(instants, float(times[-1])), times, outputs)


def _from_text(text: str) -> Simulator:
    return choose_engine("roadrunner").compile(from_antimony(text, "m"))


def _assert_close(found: np.ndarray, expected: np.ndarray, share: float) -> None:
    """Within a share of the largest value of each output."""
    difference = np.abs(found - expected).max(axis=0)
    assert (difference <= share * np.abs(expected).max(axis=0)).all()


def _values(simulator: Simulator, run: Run) -> dict[str, np.ndarray]:
    return dict(zip(run.outputs, simulator.run(run, TOLERANCES).T, strict=True))


@settings(max_examples=40)
@given(changes=change_sets)
def test_a_changed_model_is_the_model_with_the_change_written_into_it(
    simulator: Simulator, sbml: str, changes: dict[str, float]
) -> None:
    found = simulator.run(_run(changes), TOLERANCES)
    written = RoadRunnerSimulator(with_values(sbml, changes)).run(_run(), TOLERANCES)
    _assert_close(found, written, 1e-7)


@settings(max_examples=20)
@given(changes=change_sets)
def test_the_unchanged_model_is_the_same_after_any_other_run(
    simulator: Simulator, changes: dict[str, float]
) -> None:
    before = simulator.run(_run(), TOLERANCES)
    simulator.run(
        _run(changes, Instant(1.0, (Change("k", 0, 9), Change("drug", 1, 3)))), TOLERANCES
    )
    np.testing.assert_array_equal(simulator.run(_run(), TOLERANCES), before)


@pytest.mark.parametrize("changes", [{}, {"rate": 1.0, "A": 5.0, "c": 4.0}, {"k": 3.0}])
def test_what_happens_at_time_zero_happens_once_in_each_run(changes: dict[str, float]) -> None:
    simulator = _from_text(
        "compartment c = 2; species A in c; A = 2; k = 7; rate = 0; late = 2 * k; high = 0;"
        "at (time >= 0), t0=false: rate = rate + 10;"
        "at (time >= 0), t0=false: A = A + 1;"
        "at (time >= 0), t0=false: late = late + 1;"
        "at (A > 4), t0=false: high = high + 1;"
        "at (time >= 1), t0=false: rate = rate - 10;"
    )
    run = _run(changes, outputs=("A", "rate", "late", "high"), times=np.array([0.0, 0.5, 2.0]))
    first = {"A": 2.0, "rate": 0.0, "k": 7.0} | changes
    for _ in range(2):
        found = _values(simulator, run)
        np.testing.assert_allclose(found["A"], first["A"] + 1)
        np.testing.assert_allclose(found["rate"], first["rate"] + np.array([10, 10, 0]))
        np.testing.assert_allclose(found["late"], 2 * first["k"] + 1)
        np.testing.assert_allclose(found["high"], first["A"] > 4)


@settings(max_examples=8)
@given(one=change_sets, other=change_sets)
def test_a_run_does_not_depend_on_what_ran_before(
    simulator: Simulator, one: dict[str, float], other: dict[str, float]
) -> None:
    first = simulator.run(_run(one), TOLERANCES)
    simulator.run(_run(other), TOLERANCES)
    np.testing.assert_array_equal(simulator.run(_run(one), TOLERANCES), first)


@settings(max_examples=20)
@given(changes=change_sets)
def test_the_independent_engine_agrees_on_any_start(sbml: str, changes: dict[str, float]) -> None:
    run = _run(changes, Instant(1.0, (Change("drug", 0.1, 1), Change("k", 0, 0.5))))
    reference = choose_engine("roadrunner").compile(sbml).run(run, TOLERANCES)
    independent = choose_engine("scipy").compile(sbml).run(run, TOLERANCES)
    _assert_close(reference, independent, 1e-6)


def test_a_perturbation_updates_the_initial_state_that_depends_on_it(simulator: Simulator) -> None:
    start = {name: column[0] for name, column in _values(simulator, _run({"fold": 3.0})).items()}
    assert start["pool"] == pytest.approx(12)
    assert start["sink"] == pytest.approx(6)
    assert start["q"] == pytest.approx(0.9)
    assert start["level"] == pytest.approx(6)


def test_a_computed_compartment_follows_and_its_concentrations_stay(simulator: Simulator) -> None:
    found = _values(simulator, _run({"N0": 500.0}))
    assert found["cells"][0] == pytest.approx(15)
    assert found["pool"][0] == pytest.approx(6)
    assert found["amount(pool)"][0] == pytest.approx(90)


def test_a_changed_compartment_keeps_amounts_of_what_is_an_amount(simulator: Simulator) -> None:
    found = _values(simulator, _run({"medium": 30.0}))
    assert found["ledger"][0] == pytest.approx(7)
    assert found["concentration(ledger)"][0] == pytest.approx(7 / 30)
    assert found["drug"][0] == pytest.approx(5)
    assert found["amount(drug)"][0] == pytest.approx(150)


def test_ids_mean_the_value_in_the_models_own_mathematics(simulator: Simulator) -> None:
    found = _values(simulator, _run())
    np.testing.assert_allclose(found["amount(drug)"], 3 * found["drug"], rtol=1e-14)
    np.testing.assert_allclose(found["ledger"], 3 * found["concentration(ledger)"], rtol=1e-14)
    np.testing.assert_allclose(found["ledger"], 7 * np.exp(-0.3 * TIMES), rtol=1e-7)


def test_a_change_of_a_concentration_is_a_change_of_a_concentration(simulator: Simulator) -> None:
    found = _values(simulator, _run({"sink": 4.0, "ledger": 6.0}))
    assert (found["sink"][0], found["amount(sink)"][0], found["ledger"][0]) == (4.0, 8.0, 6.0)


@pytest.fixture(scope="module")
def decay() -> Simulator:
    return _from_text("compartment c = 2; species A in c; A = 1; k = 0.5; J: A -> ; c*k*A;")


def test_a_sample_at_an_event_is_after_it_and_one_just_before_is_before(decay: Simulator) -> None:
    times = np.array([0.0, just_before(1.0), 1.0, just_before(2.0), 2.0])
    run = _run(
        {}, Instant(0.0, (Change("A", 1, 2),)), Instant(1.0, (Change("A", 0.1, 0),)),
        Instant(2.0, (Change("A", 0, 5),)), outputs=("A",), times=times,
    )  # fmt: skip
    before = 3 * np.exp(-0.5)
    expected = [3, before, 0.1 * before, 0.1 * before * np.exp(-0.5), 5]
    np.testing.assert_allclose(decay.run(run, TOLERANCES)[:, 0], expected, rtol=1e-7)


def test_changes_of_one_instant_see_the_values_before_any_of_them() -> None:
    simulator = _from_text(
        "compartment c; species A in c, B in c; A = 1; B = 2; k = 0; J: A -> B; c*k*A;"
    )
    run = _run(
        {}, Instant(1.0, (Change("A", 3, 0), Change("A", 1, 1), Change("k", 0, 0))),
        outputs=("A",), times=np.array([0.0, 2.0]),
    )  # fmt: skip
    assert simulator.run(run, TOLERANCES)[-1, 0] == pytest.approx(4)


def test_a_changed_parameter_acts_from_its_time_on(decay: Simulator) -> None:
    run = _run(
        {}, Instant(1.0, (Change("k", 0, 0.0),)), Instant(2.0, (Change("k", 0, 2.0),)),
        outputs=("A", "k"), times=np.array([0.0, 1.0, 2.0, 3.0]),
    )  # fmt: skip
    values = decay.run(run, TOLERANCES)
    np.testing.assert_allclose(values[:, 0], np.exp([0, -0.5, -0.5, -2.5]), rtol=1e-8)
    np.testing.assert_array_equal(values[:, 1], [0.5, 0, 2, 2])


def test_a_reset_puts_back_states_and_what_the_regimen_changed(decay: Simulator) -> None:
    run = _run(
        {"A": 4.0}, Instant(1.0, (Change("k", 0, 3.0), Change("A", 1, 9))), Instant(2.0, reset=True),
        outputs=("A", "k"), times=np.array([0.0, 2.0, 4.0]),
    )  # fmt: skip
    values = decay.run(run, TOLERANCES)
    np.testing.assert_allclose(values[:, 0], [4, 4, 4 * np.exp(-1)], rtol=1e-8)
    np.testing.assert_array_equal(values[:, 1], [0.5, 0.5, 0.5])


def test_an_infusion_adds_an_amount(sbml: str) -> None:
    text = "compartment c = 2; species A in c; A = 0; k = 0.5; J: A -> ; c*k*A;"
    infused = choose_engine("roadrunner").compile(with_infusions(from_antimony(text, "m"), ("A",)))
    rate = infusion_rate("A")
    run = _run(
        {}, Instant(0.0, (Change(rate, 0, 3.0),)), Instant(2.0, (Change(rate, 0, 0.0),)),
        outputs=("A",), times=np.array([0.0, 2.0, 5.0]),
    )  # fmt: skip
    peak = 3 / 2 / 0.5 * (1 - np.exp(-1))
    np.testing.assert_allclose(
        infused.run(run, TOLERANCES)[:, 0], [0, peak, peak * np.exp(-1.5)], rtol=1e-7
    )


def test_an_infusion_minds_a_conversion_factor() -> None:
    text = from_antimony("compartment c; species A in c; A = 0; cf = 4; J: -> A; 0;", "m")
    text = text.replace("<model ", '<model conversionFactor="cf" ')
    infused = choose_engine("roadrunner").compile(with_infusions(text, ("A",)))
    run = _run({infusion_rate("A"): 3.0}, outputs=("A",), times=np.array([0.0, 2.0]))
    assert infused.run(run, TOLERANCES)[-1, 0] == pytest.approx(6)


def test_a_run_may_begin_at_rest_without_drug() -> None:
    simulator = _from_text(
        "compartment c; species A in c, D in c; A = 0; D = 2; k = 0.5; s = 3; J: -> A; c*(s - k*A); L: D -> ; c*D;"
    )
    timeline = Timeline((), 1.0, Equilibration(200.0, ("D",)))
    values = simulator.run(Run({}, timeline, np.array([0.0, 1.0]), ("A", "D")), TOLERANCES)
    np.testing.assert_allclose(values, [[6, 2], [6, 2 * np.exp(-1)]], rtol=1e-6)


def test_events_of_the_model_itself_happen() -> None:
    simulator = _from_text(
        "compartment c; species A in c; A = 1; k = 1; J: A -> ; c*k*A; at time >= 1: A = 10;"
    )
    run = _run({}, outputs=("A",), times=np.array([0.0, 2.0]))
    for _ in range(2):
        assert simulator.run(run, TOLERANCES)[-1, 0] == pytest.approx(10 * np.exp(-1), rel=1e-6)


BLOW_UP = "compartment c; species X in c; X = 1; k = 1; J: -> X; c*k*X^2;"


def test_a_run_that_blows_up_reports_time_state_and_reason() -> None:
    simulator = _from_text(BLOW_UP)
    with pytest.raises(SimulationError) as caught:
        simulator.run(_run({}, outputs=("X",), times=np.array([0.0, 2.0])), TOLERANCES)
    error = caught.value
    assert error.time == pytest.approx(1, abs=0.01)
    assert error.state["X"] > 100
    assert error.reason
    assert "\n" not in str(error)


def test_the_run_after_a_failed_one_is_right() -> None:
    simulator = _from_text(BLOW_UP)
    good = _run({}, outputs=("X",), times=np.array([0.0, 0.5]))
    before = simulator.run(good, TOLERANCES)
    for _ in range(2):
        with pytest.raises(SimulationError):
            simulator.run(_run({"k": 5.0}, outputs=("X",), times=np.array([0.0, 2.0])), TOLERANCES)
        np.testing.assert_array_equal(simulator.run(good, TOLERANCES), before)
    np.testing.assert_allclose(before[:, 0], [1, 2], rtol=1e-7)


def test_a_value_that_is_no_number_is_a_failure() -> None:
    simulator = _from_text(
        "compartment c; species X in c; X = 1; k = 0; J: X -> ; c*X; bad := X / k;"
    )
    with pytest.raises(SimulationError, match="not finite"):
        simulator.run(_run({}, outputs=("bad",), times=np.array([0.0, 1.0])), TOLERANCES)
    fine = simulator.run(_run({"k": 1.0}, outputs=("bad",), times=np.array([0.0, 1.0])), TOLERANCES)
    assert np.isfinite(fine).all()


def test_a_failure_survives_its_way_between_processes() -> None:
    error = SimulationError("too stiff", 1.5, {"X": 2.0})
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what a worker process sends
    assert (str(again), again.time, again.state) == (str(error), 1.5, {"X": 2.0})
    assert str(again) == "the integration stopped at time 1.5: too stiff"
    assert str(SimulationError("no start")) == "the integration did not start: no start"


def test_small_amounts_are_as_exact_as_large_ones() -> None:
    text = "compartment c; species A in c, B in c; A = {size}; B = 0; k = 1; J: A -> B; c*k*A; L: B -> ; c*k*B;"
    run = _run({}, outputs=("A", "B"), times=np.array([0.0, 1.0, 5.0]))
    for size in (1e-15, 1.0, 1e12):
        values = _from_text(text.format(size=size)).run(run, TOLERANCES)
        expected = size * np.array([[1, 0], np.exp([-1, -1]), np.exp(-5) * np.array([1, 5])])
        np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["X", "k2", "amount(X)", "amount(k)"])
def test_an_unknown_name_is_a_scenario_error(decay: Simulator, name: str) -> None:
    with pytest.raises(ScenarioError):
        decay.run(_run({}, outputs=(name,), times=np.array([0.0, 1.0])), TOLERANCES)
    if "(" not in name:
        with pytest.raises(ScenarioError):
            decay.run(_run({name: 1.0}, outputs=("A",), times=np.array([0.0, 1.0])), TOLERANCES)


def test_a_text_that_is_no_sbml_is_never_taken_for_a_path_or_an_address() -> None:
    for text in ("http://127.0.0.1:9/model.xml", "/etc/passwd", "model.xml", ""):
        with pytest.raises(ModelError):
            RoadRunnerSimulator(text)


def test_an_unknown_engine_is_answered_with_the_closest_one() -> None:
    with pytest.raises(
        ScenarioError, match="unknown engine 'roadruner': did you mean 'roadrunner'"
    ):
        choose_engine("roadruner")
    assert choose_engine("auto").name == "roadrunner"
    assert [choose_engine(name).name for name in ENGINES] == list(ENGINES)


def test_an_id_that_is_called_like_a_method_leaves_other_models_alone() -> None:
    model = from_antimony("model m; species A = 4; A -> ; k*A; k = 0.5; reset = 2; end", "test")
    for _ in range(2):
        simulator = RoadRunnerSimulator(model)
        run = Run({}, Timeline((), 1.0), np.array([1.0]), ("A", "reset"))
        np.testing.assert_allclose(
            simulator.run(run, Tolerances())[0], [4 * np.exp(-0.5), 2], rtol=1e-6
        )
