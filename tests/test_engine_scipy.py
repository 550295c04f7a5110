"""The SciPy engine and the walk along a timeline agree with closed forms and with libRoadRunner."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from myelode.engines import choose_engine
from myelode.engines.protocol import Run, Tolerances
from myelode.engines.scipy import ScipyEngine, ScipySimulator
from myelode.errors import ScenarioError, SimulationError
from myelode.regimens.timeline import Change, Equilibration, Instant, SteadyState, Timeline
from myelode.sbml import from_antimony

TIGHT = Tolerances(1e-10, 1e-13)

ONE_COMPARTMENT = """
model one
  compartment blood = 6e-4
  species drug in blood = 0
  k = 0.3; infusion = 0
  infuse: -> drug; infusion
  lose: drug -> ; blood*k*drug
end
"""

CHAIN = """
model chain
  species A = 10, B = 0, C = 0
  A -> B; ka*A
  B -> C; kb*B
  ka = 1.7; kb = 0.4
end
"""

TURNOVER = """
model turnover
  species drug = 0, target = ksyn/kdeg, cells = 1
  drug -> ; k*drug
  -> target; ksyn
  target -> ; kdeg*target*(1 + drug)
  -> cells; growth*cells
  k = 1; ksyn = 6; kdeg = 0.5; growth = 0.02
end
"""

ROBERTSON = """
model robertson
  species A = 1, B = 0, C = 0
  A -> B; k1*A
  2 B -> B + C; k2*B^2
  B + C -> A + C; k3*B*C
  k1 = 0.04; k2 = 3e7; k3 = 1e4
end
"""


def compiled(antimony: str) -> ScipySimulator:
    return ScipyEngine().compile(from_antimony(antimony, "test"))


def run_of(
    times: object,
    outputs: tuple[str, ...],
    *instants: Instant,
    changes: Mapping[str, float] | None = None,
    equilibration: Equilibration | None = None,
) -> Run:
    samples = np.asarray(times, dtype=float)
    end = max([samples[-1], *(instant.time for instant in instants)])
    return Run(changes or {}, Timeline(instants, float(end), equilibration), samples, outputs)


def values_of(antimony: str, *arguments: object, **options: object) -> np.ndarray:
    return compiled(antimony).run(run_of(*arguments, **options), TIGHT)  # type: ignore[arg-type]


def dose(time: float, amount: float, target: str = "drug") -> Instant:
    return Instant(time, (Change(target, 1.0, amount),))


def test_a_bolus_falls_exponentially() -> None:
    times = np.array([0.0, 1.0, 2.0, 2.5, 7.0])
    values = values_of(ONE_COMPARTMENT, times, ("drug",), dose(2.0, 5.0))[:, 0]
    expected = np.where(times < 2, 0.0, 5 * np.exp(-0.3 * (times - 2)))
    np.testing.assert_allclose(values, expected, rtol=1e-8)


def test_growth_over_many_decades_is_as_exact_at_its_start_as_at_its_end() -> None:
    # A second state that shows its small size only on the way makes the stretch run twice.
    model = """
      model growth
        species cells = 1, signal = 0
        -> cells; 0.016*cells
        -> signal; 0.001 - 0.25*signal
      end
    """
    times = np.array([0.0, 10.0, 100.0, 2000.0])
    values = values_of(model, times, ("cells",))[:, 0]
    np.testing.assert_allclose(values, np.exp(0.016 * times), rtol=1e-7)


def test_concentration_is_amount_by_volume_in_a_compartment_of_a_well() -> None:
    outputs = ("drug", "amount(drug)", "concentration(drug)", "lose")
    values = values_of(ONE_COMPARTMENT, [0.0, 3.0], outputs, dose(0.0, 5.0))
    np.testing.assert_allclose(values[0], [5, 3e-3, 5, 6e-4 * 1.5], rtol=1e-14)
    np.testing.assert_allclose(values[1], values[0] * np.exp(-0.9), rtol=1e-8)


def test_an_infusion_rises_and_falls_as_its_closed_form() -> None:
    start = Instant(1.0, (Change("infusion", 0.0, 0.06),))
    stop = Instant(4.0, (Change("infusion", 0.0, 0.0),))
    times = np.linspace(0, 9, 19)
    values = values_of(ONE_COMPARTMENT, times, ("amount(drug)", "infusion"), start, stop)
    during = np.clip(times - 1, 0, 3)
    expected = 0.06 / 0.3 * (1 - np.exp(-0.3 * during)) * np.exp(-0.3 * np.clip(times - 4, 0, None))
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-8)
    np.testing.assert_array_equal(values[:, 1], np.where((times >= 1) & (times < 4), 0.06, 0.0))


def test_a_chain_follows_bateman() -> None:
    times = np.linspace(0, 20, 41)
    values = values_of(CHAIN, times, ("A", "B", "C"))
    first = 10 * np.exp(-1.7 * times)
    second = 10 * 1.7 / (0.4 - 1.7) * (np.exp(-1.7 * times) - np.exp(-0.4 * times))
    np.testing.assert_allclose(values[:, 0], first, rtol=1e-6, atol=1e-11)
    np.testing.assert_allclose(values[:, 1], second, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(values.sum(axis=1), 10, rtol=1e-12)


def test_growth_that_saturates_follows_the_logistic_curve() -> None:
    text = "model logistic\n N' = r*N*(1 - N/K)\n N = 2; r = 0.7; K = 500\nend"
    times = np.linspace(0, 30, 31)
    expected = 500 / (1 + (500 / 2 - 1) * np.exp(-0.7 * times))
    np.testing.assert_allclose(values_of(text, times, ("N",))[:, 0], expected, rtol=1e-8)


def test_a_sample_at_an_event_time_is_the_value_just_after_it() -> None:
    times = [np.nextafter(2.0, -np.inf), 2.0, 4.0]
    doses = dose(2.0, 5.0), dose(4.0, 1.0)
    values = values_of(ONE_COMPARTMENT, times, ("drug",), *doses)[:, 0]
    np.testing.assert_allclose(values, [0, 5, 5 * np.exp(-0.6) + 1], rtol=1e-8)


def test_the_changes_of_one_instant_see_the_values_before_any_of_them() -> None:
    text = "model still\n species A = 1, B = 2\n k = 1; A -> ; 0*k\n B -> ; 0*k\nend"
    both = Instant(1.0, (Change("A", 0.1, 3.0), Change("B", 1.0, 1.0), Change("A", 1.0, 0.5)))
    assert values_of(text, [1.0], ("A", "B"), both) == pytest.approx(np.array([[3.6, 3.0]]))


def test_two_settings_of_one_value_at_one_time_collide() -> None:
    clash = Instant(1.0, (Change("drug", 0.0, 3.0), Change("drug", 0.0, 4.0)))
    with pytest.raises(ScenarioError, match="drug is set twice"):
        values_of(ONE_COMPARTMENT, [2.0], ("drug",), clash)


def test_a_reset_restores_states_and_changed_parameters_before_the_changes() -> None:
    first = Instant(0.0, (Change("drug", 1.0, 8.0), Change("k", 0.0, 0.9)))
    again = Instant(5.0, (Change("drug", 1.0, 1.0),), reset=True)
    values = values_of(ONE_COMPARTMENT, [5.0, 6.0], ("drug", "k"), first, again)
    np.testing.assert_allclose(values, [[1.0, 0.3], [np.exp(-0.3), 0.3]], rtol=1e-8)


@pytest.mark.parametrize("engine", ["scipy", "roadrunner"])
def test_doses_for_ever_reach_the_closed_form(engine: str) -> None:
    rule = SteadyState(period=6.0, instants=(dose(0.0, 5.0),), phase=0.0)
    steady = Instant(10.0, (Change("drug", 1.0, 5.0),), steady=rule)
    times = np.array([np.nextafter(10.0, -np.inf), 10.0, 12.0])
    simulator = choose_engine(engine).compile(from_antimony(ONE_COMPARTMENT, "test"))
    values = simulator.run(run_of(times, ("drug",), steady), TIGHT)[:, 0]
    peak = 5 / (1 - np.exp(-0.3 * 6))
    np.testing.assert_allclose(values, [0, peak, peak * np.exp(-0.6)], rtol=1e-8)


def test_a_steady_state_may_be_taken_within_a_period() -> None:
    pulses = dose(1.0, 5.0), dose(3.0, 2.0)
    steady = Instant(0.0, steady=SteadyState(6.0, pulses, phase=4.0))
    value = values_of(ONE_COMPARTMENT, [0.0], ("drug",), steady)[0, 0]
    shape = 5 * np.exp(-0.3 * 3) + 2 * np.exp(-0.3)
    assert value == pytest.approx(shape / (1 - np.exp(-1.8)), rel=1e-8)


def test_a_slow_approach_to_a_steady_state_is_waited_for() -> None:
    rule = SteadyState(1.0, (dose(0.0, 5.0),), 0.0)
    value = values_of(
        ONE_COMPARTMENT, [0.0], ("drug",), Instant(0.0, steady=rule), changes={"k": 0.02}
    )[0, 0]
    assert value == pytest.approx(5 * np.exp(-0.02) / (1 - np.exp(-0.02)), rel=1e-7)


def test_what_never_becomes_steady_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("myelode.engines.steadiness.PERIODS", 20)
    rule = SteadyState(1.0, (dose(0.0, 5.0),), 0.0)
    with pytest.raises(SimulationError, match=r"after 20 periods of 1: (drug|total) still moves"):
        values_of(
            "model sum\n species drug = 0, total = 0\n -> total; drug - 0.001 * total\nend",
            [0.0],
            ("total",),
            Instant(0.0, steady=rule),
        )


def test_what_only_collects_needs_no_steady_state() -> None:
    text = "model sum\n species drug = 0, total = 7\n drug -> total; drug\nend"
    rule = SteadyState(1.0, (dose(0.0, 5.0),), 0.0)
    values = values_of(text, [0.0], ("drug", "total"), Instant(0.0, steady=rule))
    np.testing.assert_allclose(values, [[5 * np.exp(-1) / (1 - np.exp(-1)), 7]], rtol=1e-8)


def test_what_only_collects_keeps_no_equilibration_from_its_rest() -> None:
    text = "model sum\n species A = 0, total = 7\n -> A; 3\n A -> total; A\nend"
    values = values_of(text, [0.0], ("A", "total"), equilibration=Equilibration(100.0))
    np.testing.assert_allclose(values, [[3, 7]], rtol=1e-8)


def test_equilibration_reaches_rest_and_gives_held_values_back() -> None:
    rest = Equilibration(duration=100.0, hold=("cells",))
    values = values_of(
        TURNOVER,
        [0.0, 10.0],
        ("target", "cells"),
        changes={"target": 3.0},
        equilibration=rest,
    )
    np.testing.assert_allclose(values[:, 0], 12.0, rtol=1e-9)
    np.testing.assert_allclose(values[:, 1], [1.0, np.exp(0.2)], rtol=1e-8)


def test_a_reset_returns_to_the_equilibrated_state() -> None:
    again = Instant(5.0, reset=True)
    values = values_of(
        TURNOVER,
        [5.0],
        ("target", "cells"),
        dose(0.0, 1.0),
        again,
        changes={"target": 3.0},
        equilibration=Equilibration(100.0, ("cells",)),
    )
    np.testing.assert_allclose(values, [[12.0, 1.0]], rtol=1e-9)


def test_a_state_that_does_not_settle_is_named() -> None:
    with pytest.raises(SimulationError, match="cells still moves") as caught:
        values_of(TURNOVER, [1.0], ("target",), equilibration=Equilibration(100.0))
    assert caught.value.state["cells"] == pytest.approx(np.exp(2.0))


def test_initial_assignments_follow_changed_parameters() -> None:
    changed = values_of(TURNOVER, [0.0, 5.0], ("target",), changes={"ksyn": 9.0})
    np.testing.assert_allclose(changed, 18.0, rtol=1e-9)
    given = values_of(TURNOVER, [0.0], ("target",), changes={"ksyn": 9.0, "target": 4.0})
    assert given[0, 0] == 4.0


def test_a_changed_compartment_keeps_initial_concentrations() -> None:
    values = values_of(
        ONE_COMPARTMENT, [0.0], ("drug", "amount(drug)"), changes={"blood": 2.0, "drug": 3.0}
    )
    np.testing.assert_allclose(values, [[3.0, 6.0]])


def test_a_stiff_model_agrees_with_libroadrunner() -> None:
    import roadrunner

    sbml = from_antimony(ROBERTSON, "test")
    times = [0.0, 0.4, 4.0, 40.0, 400.0, 4000.0]
    reference = roadrunner.RoadRunner(sbml)
    reference.integrator.relative_tolerance = 1e-11
    reference.integrator.absolute_tolerance = 1e-16
    reference.integrator.maximum_num_steps = 100_000
    expected = np.array(reference.simulate(times=times, selections=["A", "B", "C"]))
    values = ScipyEngine().compile(sbml).run(run_of(times, ("A", "B", "C")), TIGHT)
    np.testing.assert_allclose(values, expected, rtol=1e-7, atol=1e-18)
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e9])
def test_accuracy_does_not_depend_on_the_unit_of_amount(scale: float) -> None:
    times = np.linspace(0, 10, 11)
    values = values_of(CHAIN, times, ("A", "B"), changes={"A": scale})[:, 1]
    expected = scale * 1.7 / (0.4 - 1.7) * (np.exp(-1.7 * times) - np.exp(-0.4 * times))
    np.testing.assert_allclose(values, expected, rtol=1e-8)


def test_a_small_state_beside_a_large_one_is_resolved() -> None:
    text = """
    model sizes
      species large = 1e6, small = 0, seed = 1
      large -> ; k*large
      -> small; rate*seed
      small -> ; k*small
      seed -> ; 0*k
      k = 0.5; rate = 1e-9
    end
    """
    times = np.linspace(1, 10, 10)
    expected = 1e-9 / 0.5 * (1 - np.exp(-0.5 * times))
    np.testing.assert_allclose(values_of(text, times, ("small",))[:, 0], expected, rtol=1e-7)


def test_runs_do_not_influence_one_another() -> None:
    simulator = compiled(CHAIN)
    plain = run_of([0.0, 3.0], ("A", "B", "C"))
    before = simulator.run(plain, TIGHT)
    kick = Instant(1.0, (Change("kb", 2.0, 0.0), Change("A", 1.0, 7.0)))
    simulator.run(run_of([5.0], ("C",), kick, changes={"ka": 9.0}), TIGHT)
    np.testing.assert_array_equal(simulator.run(plain, TIGHT), before)


def test_an_explosion_is_reported_with_its_time_and_state() -> None:
    text = "model blow\n y' = y^2\n y = 1\nend"
    with pytest.raises(SimulationError) as caught:
        values_of(text, [0.5, 2.0], ("y",))
    assert caught.value.time == pytest.approx(1.0, abs=1e-2)
    assert caught.value.state["y"] > 50


def test_a_state_without_a_value_is_named() -> None:
    text = "model empty\n compartment c = 1\n species A in c\n A -> ; A\nend"
    unsaid = from_antimony(text, "test").replace(' initialAmount="0"', "")
    with pytest.raises(SimulationError, match="A has no value"):
        ScipyEngine().compile(unsaid).run(run_of([1.0], ("A",)), TIGHT)


def test_samples_outside_the_timeline_are_refused() -> None:
    simulator = compiled(CHAIN)
    for times in ([-1.0, 1.0], [0.0, 3.0], [1.0, 0.5]):
        run = Run({}, Timeline((), 2.0), np.array(times), ("A",))
        with pytest.raises(ScenarioError, match="sample times"):
            simulator.run(run, TIGHT)


def test_a_value_that_the_model_computes_cannot_be_a_target() -> None:
    text = "model computed\n species A = 1\n twice := 2*A\n A -> ; A\nend"
    with pytest.raises(ScenarioError, match="twice cannot be changed"):
        values_of(text, [2.0], ("A",), dose(1.0, 1.0, target="twice"))


def test_a_model_without_states_is_only_evaluated() -> None:
    values = values_of("model stateless\n x := 2*time + p\n p = 1\nend", [0.0, 3.0], ("x", "time"))
    np.testing.assert_allclose(values, [[1, 0], [7, 3]])
