"""Steps become instants: what happens at one time, and what excludes one another."""

from __future__ import annotations

import math
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.model import Model, model_from_sbml
from myelode.regimens.acts import Spell, acts_of
from myelode.regimens.compilation import compile_regimen, infused_species, regimen_targets
from myelode.regimens.steps import Context, Step
from myelode.regimens.timeline import Change, Instant
from myelode.sbml import from_antimony
from myelode.sbml.infusions import infusion_rate

TEXT = """
  compartment medium = 2, cells = 1;
  species A in medium, food in medium, B in cells; species $pinned in medium;
  A = 0; food = 8; B = 1; pinned = 3;
  species driven in medium; driven := 2 * A; computed = k * 3; species young in cells; young = computed;
  k = 0.5; q = 0.7; level := k * 2; grown = 1; grown' = k;
  J: A -> B; medium * k * A;
"""
END = 100.0
RATE = infusion_rate("A")


@pytest.fixture(scope="module")
def model() -> Model:
    return model_from_sbml(from_antimony(TEXT, "toy"), "toy", "toy")


@pytest.fixture(scope="module")
def context(model: Model) -> Context:
    return Context(model)


def _steps(*steps: dict[str, object]) -> list[Step]:
    return [Step.model_validate(step) for step in steps]


def _compile(context: Context, *steps: dict[str, object], end: float = END) -> tuple[Instant, ...]:
    return compile_regimen(_steps(*steps), context, end, lambda number: nullcontext()).instants


def _course(instants: tuple[Instant, ...], target: str) -> dict[float, float]:
    """The values to which a parameter is set, by time."""
    return {
        instant.time: change.offset
        for instant in instants
        for change in instant.changes
        if change.target == target and change.factor == 0
    }


def test_a_dose_adds_or_sets(context: Context) -> None:
    found = _compile(context, {"at": 1, "dose": "A", "add": 3}, {"at": 2, "dose": "A", "to": 5})
    assert found == (Instant(1, (Change("A", 1, 3),)), Instant(2, (Change("A", 0, 5),)))


def test_doses_recur_after_a_lag(context: Context) -> None:
    step = {
        "at": 1,
        "dose": "A",
        "add": 4,
        "every": 10,
        "times": 3,
        "lag": 0.5,
        "bioavailability": 0.25,
    }
    found = _compile(context, step)
    assert [instant.time for instant in found] == [1.5, 11.5, 21.5]
    assert {instant.changes for instant in found} == {(Change("A", 1, 1.0),)}


def test_what_would_happen_after_the_end_is_left_out(context: Context) -> None:
    found = _compile(context, {"at": 0, "dose": "A", "add": 1, "every": 40, "times": 9})
    assert [instant.time for instant in found] == [0, 40, 80]


def test_steps_are_sorted_by_time_not_by_place(context: Context) -> None:
    found = _compile(
        context, {"at": "b + 1", "label": "c", "dose": "A", "add": 1}, {"at": 3, "label": "b", "dose": "A", "add": 2}
    )  # fmt: skip
    assert [instant.time for instant in found] == [3, 4]


def test_doses_at_one_time_add_up(context: Context) -> None:
    [instant] = _compile(
        context, {"at": 1, "dose": "A", "add": 3}, {"at": 1, "dose": "A", "add": 4}
    )
    assert instant.changes == (Change("A", 1, 3), Change("A", 1, 4))


def test_sums_of_decimal_numbers_meet(context: Context) -> None:
    found = _compile(
        context,
        {"at": 0, "dose": "A", "add": 1, "every": 0.1, "times": 11},
        {"at": 0.3, "dose": "B", "add": 1},
        {"at": 0.7, "dose": "B", "add": 1},
    )
    assert len(found) == 11
    assert [instant.time for instant in found if len(instant.changes) == 2] == [0.3, 0.7]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dose": "A", "add": 1}, {"dose": "A", "to": 1}),
        ({"dose": "A", "to": 1}, {"dose": "A", "to": 1}),
        ({"dose": "A", "add": 1}, {"renew": "medium"}),
        ({"wash": "medium", "dilute": 2}, {"renew": "medium"}),
    ],
)
def test_acts_of_one_time_that_do_not_add_up_are_refused(
    context: Context, one: dict[str, object], other: dict[str, object]
) -> None:
    first = {"at": 0, "dose": "A", "add": 1}
    with pytest.raises(ScenarioError, match=r"both change '\w+' at time 2: shift one of them"):
        _compile(context, first, {"at": 2, **one}, {"at": 2, **other})


def test_an_infusion_is_a_rate_for_a_while(context: Context) -> None:
    found = _compile(context, {"at": 1, "infuse": "A", "amount": 6, "over": 2})
    assert _course(found, RATE) == {1: 3, 3: 0}


def test_infusions_that_overlap_add_up(context: Context) -> None:
    found = _compile(
        context,
        {"at": 0, "infuse": "A", "rate": 1, "over": 10},
        {"at": 5, "infuse": "A", "rate": 2, "over": 10},
        {"at": 10, "infuse": "A", "rate": 4, "over": 1},
    )
    assert _course(found, RATE) == {0: 1, 5: 3, 10: 6, 11: 2, 15: 0}


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10), st.integers(1, 9)), min_size=1, max_size=8)
)  # fmt: skip
def test_the_rate_at_any_time_is_the_sum_of_what_runs(spells: list[tuple[int, int, int]]) -> None:
    made = [Spell("r", start, start + width, rate, 0) for start, width, rate in spells]
    acts = list(acts_of(made, lambda _, lasting: math.fsum(spell.value for spell in lasting)))
    assert [act.time for act in acts] == sorted(
        {edge for spell in made for edge in (spell.start, spell.end)}
    )
    for act in acts:
        running = sum(spell.value for spell in made if spell.start <= act.time < spell.end)
        assert act.change.offset == running
    assert acts[-1].change.offset == 0


def test_a_wash_dilutes_towards_the_medium_of_the_start(context: Context) -> None:
    found = _compile(
        context, {"at": 0, "dose": "A", "to": 1}, {"at": 1, "wash": "medium", "dilute": 10, "times": 3}
    )  # fmt: skip
    changes = {change.target: change for change in found[-1].changes}
    assert set(changes) == {"A", "food", "pinned"}
    assert changes["A"].factor == pytest.approx(1e-3)
    assert changes["A"].offset == 0
    assert changes["food"].offset == pytest.approx(8 * 0.999)


def test_fresh_medium_has_what_is_said(context: Context) -> None:
    found = _compile(
        context, {"at": 1, "renew": "medium", "fraction": 0.5, "fresh": {"food": 2, "A": 4}}
    )
    changes = {change.target: (change.factor, change.offset) for change in found[-1].changes}
    assert changes["food"] == (0.5, 1.0)
    assert changes["A"] == (0.5, 2.0)
    assert changes["pinned"] == (0.5, 1.5)


def test_the_medium_of_the_start_is_that_of_this_run(model: Model) -> None:
    found = _compile(Context(model, {"food": 20.0}), {"at": 1, "renew": "medium"})
    assert {change.target: change.offset for change in found[0].changes}["food"] == 20


def test_a_wash_with_nothing_to_wash_out_is_refused() -> None:
    bare = model_from_sbml(
        from_antimony("compartment c; species A in c; A = 0; k = 1; J: A->; k*A;", "m"), "m", "m"
    )
    wash = {"at": 1, "wash": "c", "dilute": 10}
    with pytest.raises(ScenarioError, match="comes before any dose: there is nothing to wash out"):
        _compile(Context(bare), wash)
    with pytest.raises(ScenarioError, match="comes before any dose"):
        _compile(Context(bare), wash, {"at": 2, "dose": "A", "to": 1})
    with pytest.raises(ScenarioError, match="comes before any dose"):
        _compile(Context(bare), {"at": 0, "dose": "A", "add": 1, "lag": 3}, wash)
    assert _compile(Context(bare), {"at": 0, "dose": "A", "to": 1}, wash)
    assert _compile(Context(bare, {"A": 2.0}), wash)


def test_a_computed_start_must_be_known_to_be_renewed(model: Model) -> None:
    step = {"at": 1, "renew": "cells"}
    with pytest.raises(ScenarioError, match="say how much young is in the fresh medium"):
        _compile(Context(model), step)
    assert _compile(Context(model), {**step, "fresh": {"young": 2}})
    assert _compile(Context(model, compute=lambda name: 7.0), step)


def test_a_setting_lasts_until_its_end(context: Context) -> None:
    found = _compile(context, {"at": 1, "set": {"k": 2, "q": 3}, "for": 4})
    assert _course(found, "k") == {1: 2, 5: 0.5}
    assert _course(found, "q") == {1: 3, 5: 0.7}


def test_a_setting_may_end_at_a_label(context: Context) -> None:
    found = _compile(
        context, {"at": 1, "set": {"k": 2}, "until": "stop"}, {"at": 7, "label": "stop", "dose": "A", "add": 1}
    )  # fmt: skip
    assert _course(found, "k") == {1: 2, 7: 0.5}


def test_a_setting_without_end_lasts_until_the_next(context: Context) -> None:
    found = _compile(context, {"at": 1, "set": {"k": 2}}, {"at": 3, "set": {"k": 4}})
    assert _course(found, "k") == {1: 2, 3: 4}


def test_after_a_setting_comes_what_was_before_it(context: Context) -> None:
    found = _compile(context, {"at": 1, "set": {"k": 2}}, {"at": 3, "set": {"k": 4}, "for": 1})
    assert _course(found, "k") == {1: 2, 3: 4, 4: 2}


def test_settings_may_follow_one_another_without_a_gap(context: Context) -> None:
    found = _compile(
        context, {"at": 1, "set": {"k": 2}, "for": 2}, {"at": 3, "set": {"k": 4}, "for": 2}
    )
    assert _course(found, "k") == {1: 2, 3: 4, 5: 0.5}


def test_a_setting_goes_back_to_the_value_of_this_run(model: Model) -> None:
    found = _compile(Context(model, {"k": 9.0}), {"at": 1, "set": {"k": 2}, "for": 1})
    assert _course(found, "k") == {1: 2, 2: 9}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"at": 1, "set": {"k": 2}, "for": 5}, {"at": 3, "set": {"k": 4}}], "'k' is already set until 6"),
        ([{"at": 1, "set": {"k": 2}}, {"at": 1, "set": {"k": 4}}], "'k' is set twice at 1"),
        ([{"at": 1, "set": {"k": 2}, "until": 1}], "ends at 1, before it begins at 1"),
        ([{"at": 1, "set": {"k": 2}, "for": -1}], "ends at 0, before it begins at 1"),
        ([{"at": 1, "set": {"level": 2}}], "'level' is no parameter that can be set"),
        ([{"at": 1, "set": {"grown": 2}}], "'grown' is no parameter that can be set"),
        ([{"at": 1, "set": {"A": 2}}], "'A' is no parameter that can be set"),
        ([{"at": 1, "set": {"medium": 2}}], "'medium' is no parameter that can be set"),
        ([{"at": 1, "set": {"kk": 2}}], "unknown name 'kk'"),
        ([{"at": 1, "set": {"k": "2 h"}}], "has no declared unit in the model"),
        ([{"at": 1, "dose": "k", "add": 1}], "'k' is no species that can be dosed"),
        ([{"at": 1, "dose": "driven", "add": 1}], "'driven' is no species that can be dosed"),
        ([{"at": 1, "infuse": "pinned", "rate": 1, "over": 1}], "it takes no infusion"),
        ([{"at": 1, "infuse": "C", "rate": 1, "over": 1}], "unknown species 'C'"),
        ([{"at": 1, "wash": "A", "dilute": 2}], "'A' is no compartment"),
        ([{"at": 1, "wash": "medum", "dilute": 2}], "unknown compartment 'medum'"),
        ([{"at": 1, "renew": "medium", "fresh": {"B": 1}}], "'B' is not in 'medium'"),
        ([{"at": 101, "dose": "A", "add": 1}], "comes after the end of the run at 100"),
        ([{"at": 99, "dose": "A", "add": 1, "lag": 2}], "acts after the end of the run at 100"),
        ([{"at": 1, "dose": "A", "add": 1, "lag": -1}], "the lag is negative"),
        ([{"at": 1, "dose": "A", "add": 1, "every": 0, "times": 2}], "every must be a positive time"),
        (
            [{"at": 1, "dose": "A", "add": 1, "every": 2, "steady_state": True, "lag": 3}],
            "at steady state the lag must be below every",
        ),
        (
            [{"at": 1, "dose": s, "add": 1, "every": 2, "steady_state": True} for s in ("A", "B")],
            "there is one steady state at a time, not two",
        ),
    ],
)  # fmt: skip
def test_a_step_without_meaning_is_refused(
    context: Context, steps: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        _compile(context, *steps)
    assert message in str(caught.value)


def test_a_fault_names_the_place_of_its_step(context: Context) -> None:
    places: list[int] = []

    class Noted:
        def __init__(self, number: int):
            self.number = number

        def __enter__(self) -> None:
            pass

        def __exit__(self, kind: object, *rest: object) -> None:
            if kind is not None:
                places.append(self.number)

    steps = _steps(
        {"at": 5, "dose": "A", "add": 1}, {"at": 1, "dose": "A", "add": 1}, {"at": 5, "dose": "A", "to": 1}
    )  # fmt: skip
    with pytest.raises(ScenarioError):
        compile_regimen(steps, context, END, Noted)
    assert places == [2]


def test_a_reset_cancels_what_earlier_steps_still_had_to_do(context: Context) -> None:
    found = _compile(
        context,
        {"at": 0, "dose": "A", "add": 1, "every": 4, "times": 9},
        {"at": 1, "set": {"k": 2}, "for": 50},
        {"at": 2, "infuse": "A", "rate": 3, "over": 20},
        {"at": 10, "reset": True},
        {"at": 12, "dose": "A", "add": 2},
    )
    assert [instant.time for instant in found] == [0, 1, 2, 4, 8, 10, 12]
    assert [instant.reset for instant in found] == [False] * 5 + [True, False]
    assert found[5].changes == ()


def test_a_reset_comes_before_all_else_of_its_time_wherever_it_stands(context: Context) -> None:
    dose, reset = {"at": 3, "dose": "A", "add": 2}, {"at": 3, "reset": True}
    before = {"at": 0, "dose": "A", "add": 1}
    assert _compile(context, before, dose, reset) == _compile(context, before, reset, dose)
    assert _compile(context, before, dose, reset)[-1].changes == (Change("A", 1, 2),)


def test_a_reset_that_is_switched_off_does_nothing(context: Context) -> None:
    assert _compile(context, {"at": 3, "reset": False}) == ()


def test_a_steady_state_recurs_and_takes_the_place_of_all_before_it(context: Context) -> None:
    found = _compile(
        context,
        {"at": 0, "dose": "A", "add": 5, "every": 4, "times": 9},
        {"at": 10, "dose": "A", "add": 1, "every": 8, "steady_state": True, "lag": 2, "times": 2},
    )
    assert [instant.time for instant in found] == [0, 4, 8, 10, 12, 20]
    state = found[3].steady
    assert state is not None
    assert (state.period, state.phase) == (8, 6)
    assert state.instants == (Instant(0, (Change("A", 1, 1),)),)


def test_infusions_longer_than_their_interval_overlap_at_steady_state(context: Context) -> None:
    step = {"at": 0, "infuse": "A", "rate": 2, "over": 10, "every": 4, "steady_state": True}
    found = _compile(context, step)
    state = found[0].steady
    assert state is not None
    assert [(i.time, i.changes[0].offset) for i in state.instants] == [(0, 6), (2, 4)]
    # Those of 4 and 8 hours ago still run, and the one that starts now.
    assert _course(found, RATE) == {0: 6, 2: 4, 6: 2, 10: 0}


def test_a_constant_infusion_reaches_its_steady_state_and_stops(context: Context) -> None:
    [instant] = _compile(context, {"at": 3, "infuse": "A", "rate": 2, "steady_state": True})
    assert instant.steady is not None
    assert instant.steady.instants == (Instant(0, (Change(RATE, 0, 2),)),)
    assert instant.changes == (Change(RATE, 0, 0),)


@pytest.mark.timeout(30)
def test_many_doses_are_no_trouble(context: Context) -> None:
    found = _compile(
        context,
        {"at": 0, "dose": "A", "add": 1, "every": 1e-3, "times": 20_000},
        {"at": 0, "infuse": "A", "rate": 1, "over": 1e-3, "every": 2e-3, "times": 10_000},
    )
    assert len(found) == 20_000


def test_a_regimen_says_what_it_infuses_and_what_it_sets(model: Model) -> None:
    steps = _steps(
        {"at": 0, "infuse": "A", "rate": 1, "over": 1}, {"at": 1, "infuse": "A", "rate": 1, "over": 1},
        {"at": 2, "infuse": "B", "rate": 1, "over": 1}, {"at": 3, "set": {"k": 1, "q": 2}},
    )  # fmt: skip
    assert infused_species(steps, model) == ("A", "B")
    assert regimen_targets(steps) == {"k", "q"}
