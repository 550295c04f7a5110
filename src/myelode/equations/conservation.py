"""Totals that no reaction changes, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

Row = tuple[Fraction, ...]
Pair = tuple[Row, Row]

CANDIDATES = 2000
"""Combinations above which the search for sums without minus signs gives up."""


def conserved_weights(
    stoichiometry: Mapping[str, Mapping[str, Fraction]],
) -> tuple[dict[str, Fraction], ...]:
    """Independent conserved totals, as the weight of each species in each.

    Sums without minus signs come first, the shortest before the longer; together the totals span
    all that is conserved (the left null space of the stoichiometry matrix).
    """
    species = list(stoichiometry)
    reactions = sorted({reaction for row in stoichiometry.values() for reaction in row})
    table = [
        (_unit(position, len(species)), _row(stoichiometry[name], reactions))
        for position, name in enumerate(species)
    ]
    found = sorted(map(_whole, _sums(table)), key=_length)
    chosen = _independent([*found, *map(_whole, _null_space(table))])
    return tuple(
        {name: weight for name, weight in zip(species, row, strict=True) if weight}
        for row in chosen
    )


def written(weights: Mapping[str, Fraction]) -> str:
    """``E + 2 * ES``: a total as text."""
    terms = [
        f"{'-' if weight < 0 else '+'} {_term(name, weight)}" for name, weight in weights.items()
    ]
    return " ".join(terms).removeprefix("+ ")


def _term(name: str, weight: Fraction) -> str:
    return name if abs(weight) == 1 else f"{abs(weight)} * {name}"


def _unit(position: int, length: int) -> Row:
    return tuple(Fraction(int(position == other)) for other in range(length))


def _row(counts: Mapping[str, Fraction], reactions: Iterable[str]) -> Row:
    return tuple(counts.get(reaction, Fraction(0)) for reaction in reactions)


def _sums(table: Sequence[Pair]) -> list[Row]:
    """All shortest combinations without minus signs, or none if there are too many.

    Schuster and Hofer (1991) J Chem Soc Faraday Trans 87:2561: reaction by reaction, combine each
    species that it makes with each that it uses.
    """
    rows = list(table)
    for column in range(len(table[0][1]) if table else 0):
        kept = [pair for pair in rows if not pair[1][column]]
        makes = [pair for pair in rows if pair[1][column] > 0]
        uses = [pair for pair in rows if pair[1][column] < 0]
        if len(makes) * len(uses) > CANDIDATES:
            return []
        joined = [_cancel(one, other, column) for one in makes for other in uses]
        rows = _shortest([*kept, *joined])
    return [weights for weights, _ in rows]


def _cancel(one: Pair, other: Pair, column: int) -> Pair:
    first, second = -other[1][column], one[1][column]
    return _add(one[0], other[0], first, second), _add(one[1], other[1], first, second)


def _add(one: Row, other: Row, first: Fraction, second: Fraction) -> Row:
    return tuple(first * a + second * b for a, b in zip(one, other, strict=True))


def _shortest(rows: Sequence[Pair]) -> list[Pair]:
    """The rows whose species do not include all species of another row."""
    supports = [frozenset(place for place, weight in enumerate(row[0]) if weight) for row in rows]
    return [
        row
        for place, row in enumerate(rows)
        if not any(
            other < supports[place] or (other == supports[place] and before < place)
            for before, other in enumerate(supports)
        )
    ]


def _null_space(table: Sequence[Pair]) -> list[Row]:
    """Combinations of rows that vanish, by elimination."""
    rows = list(table)
    for column in range(len(table[0][1]) if table else 0):
        pivot = next((pair for pair in rows if pair[1][column]), None)
        if pivot is not None:
            others = (pair for pair in rows if pair is not pivot)
            rows = [_cancel(pair, pivot, column) if pair[1][column] else pair for pair in others]
    return [weights for weights, _ in rows]


def _independent(rows: Iterable[Row]) -> list[Row]:
    """The rows that are no combination of earlier ones."""
    chosen: list[Row] = []
    reduced: list[tuple[int, Row]] = []
    for row in rows:
        rest = row
        for place, pivot in reduced:
            rest = _add(rest, pivot, Fraction(1), -rest[place] / pivot[place])
        if any(rest):
            chosen.append(row)
            reduced.append((next(place for place, weight in enumerate(rest) if weight), rest))
    return chosen


def _whole(row: Row) -> Row:
    """The same direction in the smallest whole numbers, the first of them positive."""
    weights = [weight for weight in row if weight]
    scale = Fraction(lcm(*(weight.denominator for weight in weights)))
    scale /= gcd(*(int(weight * scale) for weight in weights)) or 1
    return tuple(weight * (scale if weights[0] > 0 else -scale) for weight in row)


def _length(row: Row) -> int:
    return sum(1 for weight in row if weight)
