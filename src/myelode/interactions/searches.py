"""What is sought on a checkerboard: indices of its wells, of levels of effect, and of a sham."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.interactions.boards import MIXTURE, Board, Search
from myelode.interactions.equal_effects import FOUND, UNKNOWN, Equal
from myelode.interactions.indices import combination_index
from myelode.interactions.verdicts import LEAST_EFFECT, why_no_target, why_none


@dataclass(frozen=True)
class Indices:
    """Indices, and why there is none ("" where there is one); arrays of one shape.

    `index` needs a finite dose of both agents; `limit` is there where one of them never has the
    effect alone, so that its term is nothing. Where neither has it all of it would be nothing.
    """

    index: np.ndarray
    limit: np.ndarray
    why: np.ndarray


def index_wells(board: Board, agents: Sequence[str]) -> Indices:
    """The indices of all wells with both agents, of shape (cases, doses, doses2)."""
    effects = 1 - board.shares[:, 1:, 1:]
    places = [tuple(at) for at in np.argwhere(effects > LEAST_EFFECT)]
    searches = [Search(int(at[0]), ray, effects[at]) for ray in (0, 1) for at in places]
    alone, states = _spread(board.searched(searches), places, effects.shape)
    first, second = (np.array(axis.values[1:]) for axis in board.axes)
    doses = np.broadcast_to(first[:, np.newaxis], effects.shape)
    doses2 = np.broadcast_to(second, effects.shape)
    found = _indices(doses, doses2, alone, states, agents)
    for at in np.ndindex(*effects.shape):
        said = why_no_target(float(effects[at]), float(board.control[at[0]]))
        found.why[at] = said or found.why[at]
    return found


def _spread(
    equal: Equal, places: Sequence[tuple[int, ...]], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Doses and states of both agents, in two halves, on a board of that shape."""
    alone, states = np.full((2, *shape), np.nan), np.full((2, *shape), UNKNOWN)
    if places:
        where = tuple(np.array(places).T)
        for agent, half in enumerate(np.split(np.arange(len(equal.doses)), 2)):
            alone[(agent, *where)] = equal.doses[half]
            states[(agent, *where)] = equal.states[half]
    return alone, states


def _indices(
    doses: np.ndarray, doses2: np.ndarray, alone: np.ndarray, states: np.ndarray,
    agents: Sequence[str],
) -> Indices:  # fmt: skip
    raw = combination_index(doses, doses2, alone[0], alone[1])
    whole = np.isfinite(alone).all(axis=0)
    why = np.full(raw.shape, "", dtype=object)
    for at in np.ndindex(*raw.shape):
        why[at] = why_none([int(states[(agent, *at)]) for agent in (0, 1)], agents)
    return Indices(
        np.where(whole, raw, np.nan),
        np.where((np.isinf(alone).sum(axis=0) == 1) & np.isfinite(raw), raw, np.nan),
        why,
    )


@dataclass(frozen=True)
class Levels:
    """Doses with stated effects, and indices of mixtures with them.

    `alone` has shape (2, cases, levels), `mixed` (2, cases, levels, mixtures), the indices (cases,
    levels, mixtures); all mixtures but the first are sought in typical cases only.
    """

    alone: np.ndarray
    mixed: np.ndarray
    indices: Indices


def index_levels(board: Board, levels: Sequence[float], agents: Sequence[str]) -> Levels:
    """The doses of each agent, and of each mixture, that have the stated effects."""
    cases, mixtures = board.wells.cases, len(board.rays) - MIXTURE
    shape = (cases, len(levels), len(board.rays))
    doses, states = np.full(shape, np.nan), np.full(shape, UNKNOWN)
    places = [at for at in np.ndindex(*shape) if board.has(at[0], at[2])]
    equal = board.searched([Search(case, ray, levels[at]) for case, at, ray in places])
    where = tuple(np.array(places).T)
    doses[where], states[where] = equal.doses, equal.states
    alone = np.moveaxis(doses[..., :MIXTURE], -1, 0)
    multiples = np.where(np.isfinite(doses), doses, np.nan)[..., MIXTURE:]
    mixed = np.stack([multiples * np.array(board.rays)[MIXTURE:, agent] for agent in (0, 1)])
    wide = np.broadcast_to(alone[..., np.newaxis], (2, cases, len(levels), mixtures))
    seen = np.broadcast_to(np.moveaxis(states[..., :MIXTURE], -1, 0)[..., np.newaxis], wide.shape)
    found = _indices(mixed[0], mixed[1], wide, seen, agents)
    for at in np.ndindex(*found.why.shape):
        state = int(states[(*at[:2], MIXTURE + at[2])])
        both = why_none([state], ["the mixture"]).replace(" alone", "") if state != FOUND else ""
        found.why[at] = "; ".join(filter(None, (both, str(found.why[at]))))
    return Levels(alone, mixed, found)


def index_sham(board: Board) -> np.ndarray:
    """The index of each agent with itself that is furthest from 1, of shape (treatments, 2).

    The second agent is the first once more, so that both doses add; NaN where it has no effect.
    """
    shams = [sham for ray in (0, 1) for sham in _shams(board, ray)]
    alone = board.searched([search for search, _ in shams]).doses
    halves = np.array([dose for _, dose in shams])
    order = {int(case): at for at, case in enumerate(board.wells.typical)}
    worst = np.full((len(order), 2), np.nan)
    for (search, _), index in zip(
        shams, combination_index(halves, halves, alone, alone), strict=True
    ):
        at = order[search.case], search.ray
        if np.isfinite(index) and not abs(worst[at] - 1) >= abs(index - 1):
            worst[at] = index
    return worst


def _shams(board: Board, ray: int) -> list[tuple[Search, float]]:
    """The searches for what two equal doses of one agent do together, and each of these doses."""
    doses = np.array(board.axes[ray].values[1:])
    doses = doses[2 * doses <= board.wells.ceiling(ray)]
    cases = np.repeat(board.wells.typical, len(doses))
    both = np.tile(doses, len(board.wells.typical))
    effects = board.effects(cases, np.full(len(cases), ray), 2 * both)
    return [
        (Search(int(case), ray, float(effect)), float(dose))
        for case, dose, effect in zip(cases, both, effects, strict=True)
        if effect > LEAST_EFFECT
    ]
