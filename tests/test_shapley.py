"""Shapley values: games with known answers, the axioms, and samples beside the exact numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.attribution.shapley import (
    all_coalitions,
    coalitions_of,
    exact_shapley,
    sampled_orders,
    sampled_shapley,
)

Game = dict[int, float]
NAMES = tuple("abcdefghijkl")


def _game(players: int, value: Callable[[list[int]], float]) -> Game:
    def inside(coalition: int) -> list[int]:
        return [player for player in range(players) if coalition >> player & 1]

    return {coalition: value(inside(coalition)) for coalition in all_coalitions(players)}


def test_in_an_additive_game_everybody_gets_what_they_bring() -> None:
    brought = [3.0, -1.0, 0.25, 7.0]
    game = _game(4, lambda inside: 5.0 + sum(brought[player] for player in inside))
    assert exact_shapley(game, 4).values == pytest.approx(brought)


def test_a_product_is_shared_like_its_expansion() -> None:
    # (1 + 1) (1 + 2) - 1 = 1 + 2 + 1 * 2: each gets its own term and half of the common one.
    game = _game(2, lambda inside: math.prod(2.0 + player for player in inside))
    assert exact_shapley(game, 2).values == pytest.approx((2.0, 3.0))


def test_the_glove_game_has_its_known_values() -> None:
    # One left glove and two right ones; only a pair is worth something (Shapley, 1953).
    game = _game(3, lambda inside: float(0 in inside and bool({1, 2} & set(inside))))
    assert exact_shapley(game, 3).values == pytest.approx((2 / 3, 1 / 6, 1 / 6))


def test_an_idle_player_gets_nothing_and_equal_ones_get_the_same() -> None:
    game = _game(4, lambda inside: len({0, 1, 3} & set(inside)) ** 2.5)
    first, second, idle, third = exact_shapley(game, 4).values
    assert idle == 0
    assert first == second == third


@given(st.integers(1, 5), st.data())
def test_the_values_add_up_to_the_gap(players: int, data: st.DataObject) -> None:
    numbers = st.floats(-1e3, 1e3)
    game = {coalition: data.draw(numbers) for coalition in all_coalitions(players)}
    gap = game[2**players - 1] - game[0]
    assert math.fsum(exact_shapley(game, players).values) == pytest.approx(gap, abs=1e-9)


@given(st.permutations(range(4)), st.data())
def test_the_order_of_the_players_changes_no_bit(order: list[int], data: st.DataObject) -> None:
    game = {coalition: data.draw(st.floats(-1e3, 1e3)) for coalition in all_coalitions(4)}
    moved = {
        sum((c >> old & 1) << new for new, old in enumerate(order)): v for c, v in game.items()
    }
    values, again = exact_shapley(game, 4).values, exact_shapley(moved, 4).values
    assert tuple(values[old] for old in order) == again


def test_sampled_values_lie_within_their_errors_of_the_exact_ones() -> None:
    game = _game(7, lambda inside: math.prod(1.0 + 0.3 * player for player in inside))
    exact = exact_shapley(game, 7).values
    found = sampled_shapley(game, sampled_orders(NAMES[:7], 400, 3))
    for value, error, truth in zip(found.values, found.errors, exact, strict=True):
        assert abs(value - truth) < 4 * error + 1e-12
        assert error < 0.2 * max(exact)
    assert math.fsum(found.values) == pytest.approx(game[127] - game[0])


def test_pairs_of_opposite_orders_get_interactions_of_two_exactly() -> None:
    game = _game(5, lambda inside: sum(a * b for a in inside for b in inside if a < b))
    found = sampled_shapley(game, sampled_orders(NAMES[:5], 4, 1))
    assert found.values == pytest.approx(exact_shapley(game, 5).values)
    assert found.errors == pytest.approx((0,) * 5, abs=1e-12)


def test_orders_depend_on_seed_and_names_alone() -> None:
    orders = sampled_orders(NAMES, 6, 1)
    named = [[NAMES[player] for player in order] for order in orders]
    turned = NAMES[::-1]
    assert [[turned[player] for player in order] for order in sampled_orders(turned, 6, 1)] == named
    assert sampled_orders(NAMES, 4, 1) == orders[:4]
    assert sampled_orders(NAMES, 6, 2) != orders
    assert orders[1] == orders[0][::-1]


def test_the_coalitions_of_orders_are_all_that_a_sample_needs() -> None:
    orders = sampled_orders(NAMES, 4, 1)
    game = {coalition: float(coalition.bit_count() ** 2) for coalition in coalitions_of(orders)}
    assert {0, 2**12 - 1} <= game.keys()
    assert len(game) <= 4 * 11 + 2
    assert sampled_shapley(game, orders).values == pytest.approx((12.0,) * 12)
