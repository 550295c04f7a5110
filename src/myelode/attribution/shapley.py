"""Shapley values: how players share what they reach together.

A game is a number for every coalition. Coalitions are the bits of an integer: bit i is set where
player i takes part. Source: L. S. Shapley, A value for n-person games, 1953; sampled orders: J.
Castro et al., Computers and Operations Research 36 (2009) 1726.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from myelode.distributions import standard_uniform

MOST_EXACT = 10
"""Players up to which every coalition is run."""
FEWEST_ORDERS = 4


@dataclass(frozen=True)
class Shapley:
    """The value of every player, and its standard error, which is 0 where all orders count."""

    values: tuple[float, ...]
    errors: tuple[float, ...]


def all_coalitions(players: int) -> range:
    """Every coalition of so many players."""
    return range(2**players)


def exact_shapley(game: Mapping[int, float], players: int) -> Shapley:
    """The value of each player: the mean over all orders in which the players can join."""
    values = tuple(math.fsum(_terms(game, player, players)) for player in range(players))
    return Shapley(values, (0.0,) * players)


def _terms(game: Mapping[int, float], player: int, players: int) -> Iterator[float]:
    bit = 1 << player
    for coalition in all_coalitions(players):
        if not coalition & bit:
            ways = players * math.comb(players - 1, coalition.bit_count())
            yield (game[coalition | bit] - game[coalition]) / ways


def sampled_orders(names: Sequence[str], number: int, seed: int) -> list[tuple[int, ...]]:
    """Orders in which players join, in pairs: each second one is the reverse of that before it.

    An order depends on seed, number of its pair and names alone, not on the order of `names`.
    """
    orders = []
    for pair in range(number // 2):
        keys = [standard_uniform(seed, "order", pair, name) for name in names]
        order = tuple(sorted(range(len(names)), key=keys.__getitem__))
        orders += [order, order[::-1]]
    return orders


def coalitions_of(orders: Sequence[Sequence[int]]) -> list[int]:
    """The coalitions that come about while players join in these orders, each once."""
    return sorted({coalition for order in orders for coalition in _joining(order)})


def _joining(order: Sequence[int]) -> Iterator[int]:
    coalition = 0
    yield coalition
    for player in order:
        coalition |= 1 << player
        yield coalition


def sampled_shapley(game: Mapping[int, float], orders: Sequence[Sequence[int]]) -> Shapley:
    """The mean of what each player adds in some orders, and the standard error over their pairs."""
    players = len(orders[0])
    added = [_added(game, order) for order in orders]
    pairs = [
        tuple(0.5 * (one[player] + other[player]) for player in range(players))
        for one, other in zip(added[::2], added[1::2], strict=True)
    ]
    values = tuple(
        math.fsum(pair[player] for pair in pairs) / len(pairs) for player in range(players)
    )
    errors = tuple(
        _standard_error([pair[player] for pair in pairs], mean)
        for player, mean in enumerate(values)
    )
    return Shapley(values, errors)


def _added(game: Mapping[int, float], order: Sequence[int]) -> dict[int, float]:
    steps = itertools.pairwise(_joining(order))
    return {
        player: game[after] - game[before]
        for player, (before, after) in zip(order, steps, strict=True)
    }


def _standard_error(numbers: Sequence[float], mean: float) -> float:
    if len(numbers) < 2:
        return math.nan
    spread = math.fsum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)
    return math.sqrt(spread / len(numbers))
