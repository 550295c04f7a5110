"""Many runs along their timelines agree with the engines that take them one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from myelode.engines import Run, Tolerances, choose_engine
from myelode.engines.ensemble.ensemble import Ensemble, Result
from myelode.errors import ScenarioError, SimulationError
from myelode.regimens.timeline import (
    Change,
    Clash,
    Equilibration,
    Instant,
    Occurrence,
    SteadyState,
    Timeline,
)
from myelode.sbml import from_antimony
from myelode.scenario import load_scenario
from myelode.simulation import plan_scenario

SCENARIOS = Path(__file__).parents[3] / "scenarios"
TIGHT = Tolerances(1e-9, 1e-12)
TIMES = np.array([0.0, 0.5, 2.0, 3.0, 4.0, 6.0])
TURNOVER = """
model turnover()
  compartment medium = 3; compartment cells = medium * N0 * v_cell;
  N0 = 50; v_cell = 0.01; k = 0.3; supply = 4; limit = 2;
  species drug in medium, inside in cells, pool in cells; substanceOnly species ledger in medium;
  drug = 5; inside = 0; pool = supply / k; ledger = 0;
  level := pool / limit;
  uptake: drug -> inside; medium * k * drug;
  making: -> pool; cells * supply;
  loss: pool -> ; cells * k * pool * (1 + inside);
  fade: inside -> ledger; cells * 0.2 * inside;
end
"""
OUTPUTS = ("drug", "inside", "amount(pool)", "level", "ledger", "uptake")
SWITCH = """
model switch()
  species x = 0; y = 10; y' = -0.4 * y; rate := piecewise(2, x < limit, 0.5); limit = 3;
  rise: -> x; rate + piecewise(1, time > 2.5, 0);
  at y < 4: y = 9;
end
"""


def dose(time: float, amount: float, target: str = "drug") -> Instant:
    return Instant(time, (Change(target, 1.0, amount),))


def timeline(*instants: Instant, **options: Equilibration) -> Timeline:
    return Timeline(instants, 6.0, **options)


def run_of(
    changes: Mapping[str, float], line: Timeline, outputs: tuple[str, ...] = OUTPUTS,
    counts: tuple[str, ...] = (),
) -> Run:  # fmt: skip
    return Run(changes, line, TIMES, outputs, counts)


def together(text: str, runs: Sequence[Run], **options: int) -> list[Result]:
    return Ensemble(from_antimony(text, "toy")).run_many(runs, TIGHT, **options)


def one_by_one(text: str, runs: Sequence[Run], engine: str = "roadrunner") -> list[np.ndarray]:
    simulator = choose_engine(engine).compile(from_antimony(text, "toy"))
    return [simulator.run(run, TIGHT) for run in runs]


def require_same(
    found: Sequence[Result], expected: Sequence[np.ndarray], within: float = 1e-7
) -> None:
    for one, other in zip(found, expected, strict=True):
        assert isinstance(one, np.ndarray), one
        size = np.abs(other).max(axis=0) + 1e-30
        np.testing.assert_allclose(one / size, other / size, atol=within)


CHANGES: list[dict[str, float]] = [
    {}, {"k": 0.9}, {"medium": 1.0}, {"pool": 1.0, "supply": 2.0}, {"N0": 20.0, "drug": 1.0},
]  # fmt: skip
WASH = Instant(3.0, (Change("drug", 0.1, 0.0), Change("supply", 0.0, 1.0)))
LINES = {
    "nothing happens": timeline(),
    "doses": timeline(dose(0.0, 2.0), dose(2.0, 1.0), dose(3.5, 1.0)),
    "a wash": timeline(dose(0.0, 2.0), WASH),
    "a dose at the end": timeline(dose(6.0, 2.0)),
    "a size": timeline(Instant(2.0, (Change("medium", 2.0, 0.0), Change("drug", 0.0, 1.0)))),
    "a reset": timeline(WASH, Instant(4.0, (Change("drug", 1.0, 3.0),), reset=True)),
    "rest before": timeline(dose(1.0, 2.0), equilibration=Equilibration(200.0, ("drug", "inside"))),
}


@pytest.mark.parametrize("engine", ["roadrunner", "scipy"])
@pytest.mark.parametrize("name", LINES)
def test_timelines_go_as_in_the_other_engines(name: str, engine: str) -> None:
    changes = [{"drug": 0.0, **item} for item in CHANGES] if name == "rest before" else CHANGES
    runs = [run_of(item, LINES[name]) for item in changes]
    require_same(together(TURNOVER, runs), one_by_one(TURNOVER, runs, engine))


def test_runs_with_other_timelines_go_together() -> None:
    lines = [line for name, line in LINES.items() if name != "rest before"]
    runs = [run_of(item, line) for line in lines for item in CHANGES]
    require_same(together(TURNOVER, runs), one_by_one(TURNOVER, runs))


@pytest.mark.parametrize("repeated", [False, True])
def test_runs_that_take_turns_on_two_timelines_keep_their_own(repeated: bool) -> None:
    def line(size: float) -> Timeline:
        rest = steady(2.0, dose(0.0, size)) if repeated else None
        return timeline(Instant(1.0, dose(1.0, size).changes, steady=rest))

    large, small = line(4.0), line(1.0)
    runs = [run_of(item, line) for item in CHANGES for line in (large, small)]
    require_same(together(TURNOVER, runs), one_by_one(TURNOVER, runs))


def test_jumps_and_events_of_the_model_take_place() -> None:
    line = timeline(dose(1.0, 0.5, "x"), dose(4.0, 1.0, "y"))
    runs = [run_of({"limit": limit}, line, ("x", "y", "rate")) for limit in (1.3, 3.1, 5.5, 9.1)]
    require_same(together(SWITCH, runs), one_by_one(SWITCH, runs), 1e-6)


def choosing() -> list[Run]:
    """A dose that is given only while the level is below one."""
    items = [
        Instant(
            time,
            (Change("drug", 1.0, 4.0, occurrence=number),),
            occurrences=(Occurrence(number, "level < 2 and time > 0", "a dose", "doses"),),
        )
        for number, time in enumerate((0.0, 2.0, 3.0, 4.0))
    ]
    return [
        run_of({"limit": limit}, timeline(*items), counts=("doses",)) for limit in (1.0, 4.0, 6.0)
    ]


def test_conditions_are_judged_in_each_run() -> None:
    runs = choosing()
    found = together(TURNOVER, runs)
    require_same(found, one_by_one(TURNOVER, runs))
    assert len({float(values[-1, -1]) for values in found if isinstance(values, np.ndarray)}) > 1


def test_a_clash_fails_the_runs_in_which_it_comes() -> None:
    instant = Instant(2.0, clashes=(Clash(None, None, "two at once"),))
    fine, clashing = run_of({}, timeline()), run_of({}, timeline(instant))
    found = together(TURNOVER, [clashing, fine, clashing])
    assert [isinstance(item, SimulationError) for item in found] == [True, False, True]
    assert "two at once" in str(found[0])


def many(count: int = 300) -> list[Run]:
    random = np.random.default_rng(5)
    lines = [LINES[name] for name in ("doses", "a wash", "a reset")]
    return [
        run_of({"k": k, "supply": s}, lines[number % 3])
        for number, (k, s) in enumerate(np.exp(random.normal(size=(count, 2))))
    ]


def test_numbers_do_not_depend_on_threads_chunks_or_order() -> None:
    runs = many()
    engine = Ensemble(from_antimony(TURNOVER, "toy"))
    found = np.array(engine.run_many(runs, TIGHT, threads=1))
    np.testing.assert_array_equal(engine.run_many(runs, TIGHT, threads=5), found)
    order = np.random.default_rng(1).permutation(len(runs))
    shuffled = engine.run_many([runs[n] for n in order], TIGHT, threads=2)
    np.testing.assert_array_equal(shuffled, found[order])
    for number in (0, 1, 2, 299):
        np.testing.assert_array_equal(engine.run_many([runs[number]], TIGHT)[0], found[number])


def test_events_do_not_depend_on_neighbours_either() -> None:
    random = np.random.default_rng(2)
    line = timeline(dose(1.0, 0.5, "x"))
    runs = [run_of({"limit": v}, line, ("x", "y")) for v in random.uniform(0.2, 9, 150)]
    engine = Ensemble(from_antimony(SWITCH, "toy"))
    found = np.array(engine.run_many(runs, TIGHT, threads=1))
    np.testing.assert_array_equal(engine.run_many(runs, TIGHT, threads=3), found)


def test_a_run_that_fails_says_where_and_leaves_the_others() -> None:
    text = "model pole()\n x = 1; x' = a * x^2; a = 0.1;\nend"
    runs = [run_of({"a": a}, timeline(), ("x",)) for a in (0.1, 0.5, 0.05)]
    first, second, third = together(text, runs)
    assert isinstance(second, SimulationError)
    assert second.time == pytest.approx(2.0, rel=1e-4)
    assert second.state["x"] > 1e3
    expected = [1 / (1 - a * TIMES) for a in (0.1, 0.05)]
    require_same([first, third], [values[:, None] for values in expected], 1e-6)


def test_an_output_that_is_not_finite_fails_the_run() -> None:
    text = "model hole()\n x = 1; x' = -x; y := 1 / (a - a);  a = 1;\nend"
    (found,) = together(text, [run_of({}, timeline(), ("x", "y"))])
    assert isinstance(found, SimulationError)
    assert "y is not finite" in str(found)


def test_rest_that_is_not_reached_fails_the_run() -> None:
    line = timeline(equilibration=Equilibration(2.0))
    runs = [run_of({"pool": pool}, line) for pool in (1.0, 40 / 3)]
    found = together(TURNOVER, runs)
    assert isinstance(found[0], SimulationError)
    assert "still moves at the end of the equilibration" in str(found[0])


def test_a_model_without_states_has_outputs() -> None:
    text = "model still()\n a = 2; b := a * time;\nend"
    runs = [run_of({"a": a}, timeline(), ("a", "b")) for a in (1.0, 3.0)]
    expected = [np.column_stack([np.full(6, a), a * TIMES]) for a in (1.0, 3.0)]
    require_same(together(text, runs), expected)


def steady(period: float, *instants: Instant, phase: float = 0.0) -> SteadyState:
    return SteadyState(period, instants, phase)


PULSES = (dose(1.0, 5.0), dose(3.0, 2.0))
DRIP = (Instant(0.0, (Change("supply", 0.0, 9.0),)), Instant(1.0, (Change("supply", 0.0, 3.0),)))
RECURRING = {
    "at the start": timeline(
        Instant(0.0, dose(0.0, 4.0).changes, steady=steady(2.0, dose(0.0, 4.0)))
    ),
    "later": timeline(dose(1.0, 9.0), Instant(3.0, steady=steady(0.7, dose(0.0, 1.0)))),
    "within a period": timeline(Instant(2.0, steady=steady(6.0, *PULSES, phase=4.0))),
    "as long as a setting": timeline(Instant(2.0, steady=steady(4.0, *DRIP, phase=0.5))),
    "after a rest": timeline(
        Instant(1.0, steady=steady(2.0, dose(0.0, 4.0))),
        equilibration=Equilibration(200.0, ("drug", "inside")),
    ),
    "of what collects": timeline(Instant(2.0, steady=steady(2.0, dose(0.0, 1.0, "ledger")))),
}


@pytest.mark.parametrize("engine", ["roadrunner", "scipy"])
@pytest.mark.parametrize("name", [name for name in RECURRING if name != "of what collects"])
def test_steady_states_are_those_of_the_other_engines(name: str, engine: str) -> None:
    changes = [{"drug": 0.0, **item} for item in CHANGES]
    runs = [run_of(item, RECURRING[name]) for item in changes]
    require_same(together(TURNOVER, runs), one_by_one(TURNOVER, runs, engine))


def test_simulations_come_to_steady_states_of_their_own() -> None:
    names = ("at the start", "later", "within a period")
    lines = [LINES["doses"], *(RECURRING[name] for name in names)]
    runs = [run_of(item, line) for line in lines for item in CHANGES]
    engine = Ensemble(from_antimony(TURNOVER, "toy"))
    found = engine.run_many(runs, TIGHT)
    require_same(found, one_by_one(TURNOVER, runs))
    for run, values in zip(runs, found, strict=True):
        np.testing.assert_array_equal(engine.run(run, TIGHT), values)


def test_what_has_no_steady_state_fails_its_own_run_only() -> None:
    runs = [run_of({}, RECURRING[name]) for name in ("later", "of what collects")]
    fine, endless = together(TURNOVER, runs)
    require_same([fine], one_by_one(TURNOVER, runs[:1]))
    with pytest.raises(SimulationError) as expected:
        one_by_one(TURNOVER, runs[1:])
    assert isinstance(endless, SimulationError)
    assert str(endless) == str(expected.value)


def test_the_search_for_a_steady_state_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("myelode.engines.steadiness.PERIODS", 200)
    line = timeline(Instant(0.0, steady=steady(1.0, dose(0.0, 5.0))))
    slow, quick = together(TURNOVER, [run_of({"k": k}, line) for k in (0.001, 3.0)])
    assert isinstance(quick, np.ndarray)
    assert isinstance(slow, SimulationError)
    assert "no steady state after 200 periods of 1" in str(slow)


def test_events_of_the_model_take_place_on_the_way_to_a_steady_state() -> None:
    text = """
    model halved()
      species x = 0; x -> ; 0.5 * x;
      at 5 after x > 1, fromTrigger = false: x = x / 2;
    end
    """
    line = timeline(Instant(3.0, steady=steady(4.0, dose(0.0, 2.0, "x"))))
    [found] = together(text, [run_of({}, line, ("x",))])
    # Every dose is halved an hour after the next one, and the last one an hour after its sample.
    least = 1 / (np.exp(2.0) - 0.5)
    expected = least * np.exp([0, -0.5, -1.5]) / [1, 2, 2]
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found[3:, 0], expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (run_of({"kk": 1.0}, timeline()), "unknown name 'kk'"),
        (run_of({"k": np.nan}, timeline()), "given for 'k' is not a number"),
        (run_of({}, timeline(), ("drugs",)), "unknown name 'drugs': did you mean 'drug'"),
        (run_of({}, timeline(dose(1.0, 1.0, "poll"))), "unknown name 'poll'"),
        (Run({}, timeline(), np.array([0.0, 9.0]), ("drug",)), "sample times must increase"),
    ],
)
def test_a_name_or_time_that_is_not_there_is_refused(run: Run, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        together(TURNOVER, [run])


def test_no_runs_give_no_results() -> None:
    assert together(TURNOVER, []) == []


@pytest.mark.parametrize(
    "name", ["melflufen/gamma_h2ax_washout", "belantamab/exposure_low", "cereblon/dose_escalation"]
)
def test_shipped_scenarios_agree_with_the_reference_engine(name: str) -> None:
    plan = plan_scenario(load_scenario(str(SCENARIOS / f"{name}.yaml")))
    runs = [item.run for item in plan.runs][:2]
    simulator = choose_engine("roadrunner").compile(plan.sbml)
    expected = [simulator.run(run, Tolerances(1e-10, 1e-14)) for run in runs]
    require_same(Ensemble(plan.sbml).run_many(runs, TIGHT), expected)
