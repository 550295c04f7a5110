"""Summaries that are computed while many simulations are integrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelode.engines import Run, Tolerances
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.engines.protocol import Batch, Limits, Outcome
from myelode.engines.summary import Summary
from myelode.regimens.timeline import Change, Equilibration, Instant, Timeline
from myelode.sbml import from_antimony

TIGHT = Tolerances(1e-9, 1e-12)
RATES = np.linspace(0.3, 3.0, 40)
LOSS, START, END = 0.2, 4.0, 10.0
BATEMAN = f"""
model bateman()
  species A = {START}, B = 0; k = 1; j = {LOSS}; A -> B; k * A; B -> ; j * B;
end
"""
SAWTOOTH = """
model sawtooth()
  y = 0; y' = 1; z := 2 * y; at y >= 1: y = 0;
end
"""


@pytest.fixture(scope="module")
def bateman() -> Ensemble:
    return Ensemble(from_antimony(BATEMAN, "bateman"))


@pytest.fixture(scope="module")
def sawtooth() -> Ensemble:
    return Ensemble(from_antimony(SAWTOOTH, "sawtooth"))


def batch_of(
    summaries: Sequence[Summary],
    changes: Mapping[str, np.ndarray],
    line: Timeline | None = None,
    times: Sequence[float] = (),
    outputs: tuple[str, ...] = (),
) -> Batch:
    run = Run({}, line or Timeline((), END), np.array(times, dtype=float), outputs)
    return Batch(run, len(next(iter(changes.values()))), changes, tuple(summaries))


def found(engine: Ensemble, *summaries: Summary, **options: object) -> np.ndarray:
    """Of shape (summaries, runs)."""
    batch = batch_of(summaries, {"k": RATES}, **options)  # type: ignore[arg-type]
    return engine.run_batch(batch, TIGHT, Limits()).summaries.T


def once(engine: Ensemble, *summaries: Summary, line: Timeline | None = None) -> np.ndarray:
    """Of shape (summaries,), for one run of a model without a k of its own."""
    run = Run({}, line or Timeline((), END), np.empty(0), ())
    return engine.run_batch(Batch(run, 1, {}, summaries), TIGHT, Limits()).summaries[0]


def first(time: float | np.ndarray) -> np.ndarray:
    return np.asarray(START * np.exp(-RATES * time))


def second(time: float | np.ndarray) -> np.ndarray:
    share = START * RATES / (LOSS - RATES)
    return np.asarray(share * (np.exp(-RATES * time) - np.exp(-LOSS * time)))


def second_area(time: float) -> np.ndarray:
    share = START * RATES / (LOSS - RATES)
    one, other = (1 - np.exp(-RATES * time)) / RATES, (1 - np.exp(-LOSS * time)) / LOSS
    return np.asarray(share * (one - other))


def test_an_exponential_decay_is_the_closed_form(bateman: Ensemble) -> None:
    area, below, above, first_below, least, when_least = found(
        bateman,
        Summary("auc", "A"),
        Summary("time_below", "A", level=1.0),
        Summary("time_above", "A", level=1.0),
        Summary("first_below", "A", level=1.0),
        Summary("min", "A"),
        Summary("argmin", "A"),
    )
    crossing = np.log(START) / RATES
    np.testing.assert_allclose(area, START / RATES * (1 - np.exp(-RATES * END)), rtol=1e-9)
    np.testing.assert_allclose(first_below, crossing, rtol=1e-8)
    np.testing.assert_allclose(above, crossing, rtol=1e-8)
    np.testing.assert_allclose(below, END - crossing, rtol=1e-8)
    np.testing.assert_allclose(least, first(END), atol=1e-9)
    np.testing.assert_array_equal(when_least, END)


def test_a_bateman_curve_has_its_peak_where_it_belongs(bateman: Ensemble) -> None:
    top, when, end, at, area, part = found(
        bateman,
        Summary("max", "B"),
        Summary("argmax", "B"),
        Summary("value", "B"),
        Summary("value", "B", at=3.3),
        Summary("auc", "B"),
        Summary("auc", "B", start=1.5, end=7.25),
    )
    peak = np.log(RATES / LOSS) / (RATES - LOSS)
    np.testing.assert_allclose(top, second(peak), rtol=1e-8)
    np.testing.assert_allclose(when, peak, rtol=1e-6)
    np.testing.assert_allclose(end, second(END), rtol=1e-8)
    np.testing.assert_allclose(at, second(3.3), rtol=1e-8)
    np.testing.assert_allclose(area, second_area(END), rtol=1e-9)
    np.testing.assert_allclose(part, second_area(7.25) - second_area(1.5), rtol=1e-9)


def test_a_level_that_is_only_touched_is_not_passed(bateman: Ensemble) -> None:
    at_start, above_start, never = found(
        bateman,
        Summary("first_below", "A", level=START),
        Summary("first_above", "A", level=START),
        Summary("first_above", "B", level=START),
    )
    np.testing.assert_allclose(at_start, 0.0, atol=1e-9)
    assert np.isinf(above_start).all()
    assert np.isinf(never).all()


def test_what_is_above_from_the_start_is_so_from_the_opening_of_its_window(
    bateman: Ensemble,
) -> None:
    early, late = found(
        bateman,
        Summary("first_above", "A", level=0.1),
        Summary("first_above", "B", level=1e-4, start=2.5),
    )
    np.testing.assert_array_equal(early, 0.0)
    np.testing.assert_array_equal(late, 2.5)


def test_a_sawtooth_of_events_is_seen_from_both_sides(sawtooth: Ensemble) -> None:
    top, when, bottom, area, above, first_above, doubled, end = once(
        sawtooth,
        Summary("max", "y"),
        Summary("argmax", "y"),
        Summary("min", "y", start=0.5),
        Summary("auc", "y"),
        Summary("time_above", "y", level=0.75),
        Summary("first_above", "y", level=0.75),
        Summary("max", "z"),
        Summary("value", "y", at=3.5),
        line=Timeline((), 4.0),
    )
    np.testing.assert_allclose([top, doubled], [1.0, 2.0], rtol=1e-9)
    assert min(abs(when - edge) for edge in (1, 2, 3, 4)) < 1e-8
    np.testing.assert_allclose([bottom, area, above], [0.0, 2.0, 1.0], atol=1e-8)
    np.testing.assert_allclose([first_above, end], [0.75, 0.5], atol=1e-8)


def test_a_level_that_a_dose_jumps_over_is_passed_at_its_time(bateman: Ensemble) -> None:
    dose = Instant(2.0, (Change("A", 1.0, 10.0),))
    passed, top, when, at, end = once(
        bateman,
        Summary("first_above", "A", level=5.0),
        Summary("max", "A"),
        Summary("argmax", "A"),
        Summary("value", "A", at=2.0),
        Summary("value", "A"),
        line=Timeline((dose, Instant(END, (Change("A", 0.0, 7.0),))), END),
    )
    after = START * np.exp(-2.0) + 10.0
    assert passed == when == 2.0
    np.testing.assert_allclose([top, at, end], [after, after, 7.0], rtol=1e-8)


def test_what_lies_before_time_zero_does_not_count() -> None:
    engine = Ensemble(from_antimony("model m(); y = 5; y' = 1 - y; end", "m"))
    summaries = Summary("max", "y"), Summary("auc", "y"), Summary("first_above", "y", level=2.0)
    rested = once(engine, *summaries, line=Timeline((), END, Equilibration(50.0)))
    np.testing.assert_allclose(rested, [1.0, END, np.inf], rtol=1e-8)
    np.testing.assert_array_equal(once(engine, *summaries)[[0, 2]], [5.0, 0.0])


@settings(max_examples=15, deadline=None)
@given(
    level=st.floats(0.05, 3.5),
    start=st.floats(0.0, 4.0),
    length=st.floats(0.5, 6.0),
    rate=st.floats(0.3, 3.0),
)
def test_they_agree_with_dense_samples(
    bateman: Ensemble, level: float, start: float, length: float, rate: float
) -> None:
    window = {"start": start, "end": start + length}
    summaries = [
        Summary("max", "B", **window),
        Summary("min", "B", **window),
        Summary("auc", "B", **window),
        Summary("time_above", "B", level=level, **window),
        Summary("time_below", "B", level=level, **window),
    ]
    grid = np.linspace(start, start + length, 4001)
    batch = batch_of(summaries, {"k": np.array([rate])}, times=grid, outputs=("B",))
    outcome = bateman.run_batch(batch, TIGHT, Limits())
    values, said = outcome.values[0, :, 0], outcome.summaries[0]
    gap = grid[1] - grid[0]
    assert said[0] >= values.max() - 1e-9
    assert said[1] <= values.min() + 1e-9
    np.testing.assert_allclose(said[:2], [values.max(), values.min()], atol=1e-5)
    np.testing.assert_allclose(said[2], np.trapezoid(values, grid), rtol=1e-5)
    np.testing.assert_allclose(said[3], (values > level).mean() * length, atol=4 * gap)
    np.testing.assert_allclose(said[3] + said[4], length, rtol=1e-9)


EVERYTHING = (
    Summary("auc", "B"),
    Summary("max", "B"),
    Summary("argmax", "B"),
    Summary("time_above", "B", level=1.0, start=0.3, end=8.1),
    Summary("first_above", "B", level=1.0),
    Summary("value", "A", at=1.0),
)


def together(engine: Ensemble, rates: np.ndarray, threads: int = 1) -> Outcome:
    batch = batch_of(EVERYTHING, {"k": rates}, times=[1.0, 2.0], outputs=("A",))
    return engine.run_batch(batch, Tolerances(1e-4, 1e-7), Limits(), threads)


def test_they_depend_neither_on_threads_nor_on_neighbours_nor_on_order(bateman: Ensemble) -> None:
    rates = np.random.default_rng(5).uniform(0.3, 3.0, 150)
    whole = together(bateman, rates)
    order = np.random.default_rng(6).permutation(len(rates))
    for other, of in (
        (together(bateman, rates, threads=3), slice(None)),
        (together(bateman, rates[order]), order),
        (together(bateman, rates[7:20]), slice(7, 20)),
    ):
        np.testing.assert_array_equal(other.summaries, whole.summaries[of])
        np.testing.assert_array_equal(other.values, whole.values[of])
        np.testing.assert_array_equal(other.steps, whole.steps[of])


def test_they_do_not_change_the_trajectory_beside_them(bateman: Ensemble) -> None:
    with_them = together(bateman, RATES)
    batch = batch_of((), {"k": RATES}, times=[1.0, 2.0], outputs=("A",))
    alone = bateman.run_batch(batch, Tolerances(1e-4, 1e-7), Limits())
    np.testing.assert_array_equal(with_them.values, alone.values)
    assert alone.summaries.shape == (len(RATES), 0)
    np.testing.assert_array_equal(with_them.summaries[:, 5], alone.values[:, 0, 0])


def test_a_batch_is_its_runs(bateman: Ensemble) -> None:
    batch = batch_of((), {"k": RATES}, times=[1.0, 2.0], outputs=("A", "B"))
    one_by_one = bateman.run_many([batch.one(n) for n in range(batch.count)], TIGHT)
    values = bateman.run_batch(batch, TIGHT, Limits()).values
    np.testing.assert_array_equal(values, np.array(one_by_one))


OSCILLATOR = """
model oscillator()
  x = 1; v = 0; w = 1; x' = v; v' = -w * w * x;
end
"""


def test_a_run_that_needs_too_many_steps_leaves_the_others_alone() -> None:
    engine = Ensemble(from_antimony(OSCILLATOR, "oscillator"))
    rates = np.array([1.0, 2.0, 2000.0, 3.0])
    batch = batch_of((Summary("max", "x"),), {"w": rates}, times=[1.0], outputs=("x",))
    free = engine.run_batch(batch, Tolerances(1e-6, 1e-9), Limits())
    kept = engine.run_batch(batch, Tolerances(1e-6, 1e-9), Limits(steps=2000))
    assert not free.failures
    assert [*kept.failures] == [2]
    assert kept.failures[2].reason == "2000 steps were not enough"
    assert kept.steps[2] == 2000
    assert 0 < kept.time_reached[2] < END
    assert np.isnan(kept.values[2]).all()
    assert np.isnan(kept.summaries[2]).all()
    others = [0, 1, 3]
    np.testing.assert_array_equal(kept.summaries[others], free.summaries[others])


def test_a_run_that_takes_too_long_leaves_the_others_alone() -> None:
    engine = Ensemble(from_antimony(OSCILLATOR, "oscillator"))
    batch = batch_of((Summary("max", "x"),), {"w": np.array([1.0, 1e6, 3.0])})
    free = engine.run_batch(batch.part(0, 1), Tolerances(1e-6, 1e-9), Limits())
    kept = engine.run_batch(batch, Tolerances(1e-6, 1e-9), Limits(seconds=1e-9))
    assert kept.failures[1].reason == "it took longer than 1e-09 s"
    np.testing.assert_array_equal(kept.summaries[0], free.summaries[0])


def test_a_look_at_the_clock_changes_no_number(bateman: Ensemble) -> None:
    batch = batch_of(EVERYTHING, {"k": np.tile(RATES, 40)})
    free = bateman.run_batch(batch, TIGHT, Limits(), 1)
    watched = bateman.run_batch(batch, TIGHT, Limits(seconds=1e6), 1)
    assert free.steps.sum() > 3 * 8 * 1024
    np.testing.assert_array_equal(free.summaries, watched.summaries)
    np.testing.assert_array_equal(free.steps, watched.steps)


def test_a_summary_that_is_no_number_is_a_failure() -> None:
    engine = Ensemble(from_antimony("model m(); y = 1; y' = -k; k = 1; z := 1 / k; end", "m"))
    batch = batch_of((Summary("max", "z"),), {"k": np.array([1.0, 0.0])})
    outcome = engine.run_batch(batch, TIGHT, Limits())
    assert outcome.failures[1].reason == "max of z is not finite"
    np.testing.assert_array_equal(outcome.summaries[:, 0], [1.0, np.nan])


def test_a_value_that_float32_cannot_hold_is_a_failure(bateman: Ensemble) -> None:
    batch = batch_of((), {"A": np.array([1.0, 1e40])}, times=[0.0], outputs=("A",))
    outcome = bateman.run_batch(batch, TIGHT, Limits(), precision="float32")
    assert outcome.values.dtype == np.float32
    assert outcome.failures[1].reason == "a value is too large for float32"
    np.testing.assert_array_equal(outcome.values[:, 0, 0], [1.0, np.nan])
