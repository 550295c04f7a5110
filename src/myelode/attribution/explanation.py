"""The public `why`: which of the values that differ between two arms explains a gap."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from myelode.attribution.differences import Difference, differences
from myelode.attribution.mixtures import Batch, Mixed, run_mixtures
from myelode.attribution.scales import AUTO, Scale, scale_of
from myelode.attribution.shapley import (
    FEWEST_ORDERS,
    MOST_EXACT,
    Shapley,
    all_coalitions,
    coalitions_of,
    exact_shapley,
    sampled_orders,
    sampled_shapley,
)
from myelode.attribution.sides import Asked, Side, sides_of, without_subjects
from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError
from myelode.provenance import evidence_of
from myelode.scenario import Scenario, load_scenario
from myelode.sections import HALVED
from myelode.simulation import plan_scenario, read_tolerances
from myelode.subjects import model_of

ORDERS = 64
"""Orders in which players join, where there are too many of them for every coalition."""
SMALLEST_GAP = 1e-6
"""Relative size of a gap below which it may be the error of the integrator."""
DEFINITIONS = {
    "shapley": "share of the gap: what the parameter adds on average over all orders of exchange",
    "alone": "share of the gap when it alone is changed from the first side",
    "last": "share of the gap that is lost when it alone is changed back from the second side",
    "interaction": "1 - sum of the shares when each is changed alone",
    "interaction_back": "1 - sum of the shares when each is changed back alone",
}
_KEPT = ("model", "variant", "model_sha256", "engine", "engine_because", "relative_tolerance",
         "absolute_tolerance", "versions", "notice", "regulatory")  # fmt: skip


def why(
    scenario: Scenario | str,
    from_: str,
    to: str,
    endpoint: str,
    arm: str | None = None,
    compound: str | None = None,
    perturbation: str | None = None,
    scale: str = AUTO,
    orders: int = ORDERS,
    seed: int = 1,
    engine: str = "auto",
    rtol: float | None = None,
    atol: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Which of the values that differ between two sides explains the gap in an endpoint.

    Parameters
    ----------
    from_, to : two perturbations (``a + b`` too), arms, compounds or cell lines, or settings such
        as ``k_FA=0.1 1/h``.
    endpoint : one of the scenario that is a single number of a run.
    arm, compound, perturbation : where else than in the reference.
    scale : ``linear``, ``log``, ``inverse``, or ``auto``: log for a dose of half, else linear.
    orders : for more than 10 parameters, how many orders of exchange are sampled, from `seed`.

    Returns
    -------
    Dataset along ``parameter``: ``shapley`` (shares of the gap, which sum to 1), its
    ``standard_error``, ``step`` (the same on the scale), ``alone`` and ``last`` (exchanged one at
    a time from both sides); scalars ``gap`` (on the scale), ``value_from``, ``value_to``,
    ``interaction`` and ``interaction_back``, whose definitions stand in their ``attrs``.

    Raises
    ------
    ScenarioError, SimulationError
    """
    loaded = load_scenario(scenario) if isinstance(scenario, str) else scenario
    asked = Asked(from_, to, endpoint, arm, compound, perturbation)
    batch = Batch(engine, read_tolerances(rtol, atol), progress)
    return _explained(loaded, asked, Division(scale, orders, seed), batch)


@dataclass(frozen=True)
class Division:
    """On which scale a gap is divided, and by which orders where they are sampled."""

    scale: str
    orders: int
    seed: int


def _explained(scenario: Scenario, asked: Asked, division: Division, batch: Batch) -> xr.Dataset:
    subjects = scenario.design.subjects
    scenario = without_subjects(scenario)
    model = model_of(scenario)
    one, other = sides_of(scenario, model, asked)
    plans = (
        plan_scenario(one.scenario, batch.engine, batch.tolerances, model=model),
        plan_scenario(other.scenario, batch.engine, batch.tolerances, model=model),
    )
    difference = differences(one, other, plans)
    scale = scale_of(division.scale, scenario.endpoints[asked.endpoint].take in HALVED)
    exchange = Exchange(difference, scale, division.orders, division.seed)
    mixed = run_mixtures(one, difference, plans[0], exchange.coalitions, asked.endpoint, batch)
    weakest = max(map(evidence_of, plans), key=lambda found: float(found["assumed_share"]))
    origin = {key: value for key, value in mixed.origin.items() if key in _KEPT} | weakest
    said = {"scenario": scenario.id, "title": scenario.title, "endpoint": asked.endpoint}
    said |= {"typical_of": subjects.title} if subjects else {}
    result = _as_dataset(exchange, mixed, (one, other))
    return result.assign_attrs({**said, **result.attrs, **origin})


@dataclass(frozen=True)
class Exchange:
    """How a gap is divided: among whom, on which scale, and by which orders if not by all."""

    difference: Difference
    scale: Scale
    number: int
    seed: int

    @property
    def players(self) -> int:
        """How many there are."""
        return len(self.difference.players)

    @property
    def is_exact(self) -> bool:
        """Whether every coalition is run."""
        return self.players <= MOST_EXACT

    @property
    def orders(self) -> list[tuple[int, ...]]:
        """The sampled orders; raises ScenarioError for too few of them."""
        if self.number < FEWEST_ORDERS or self.number % 2:
            raise ScenarioError(f"orders must be even, and {FEWEST_ORDERS} or more: they are pairs")
        if self.difference.has_steps and any(p.values for p in self.difference.players):
            said = f"{self.players} values and steps differ, more than the {MOST_EXACT}"
            raise ScenarioError(f"{said} that are exchanged together: compare arms of one compound")
        names = [player.name for player in self.difference.players]
        return sampled_orders(names, self.number, self.seed)

    @property
    def ends(self) -> list[int]:
        """Nobody and everybody, and each player alone and missing alone."""
        everybody = 2**self.players - 1
        single = [1 << player for player in range(self.players)]
        return [0, everybody, *single, *(everybody - bit for bit in single)]

    @property
    def coalitions(self) -> list[int]:
        """All that are to be run."""
        if self.is_exact:
            return list(all_coalitions(self.players))
        return sorted({*self.ends, *coalitions_of(self.orders)})

    def divide(self, game: Mapping[int, float]) -> Shapley:
        """The Shapley values of a game on the scale."""
        if self.is_exact:
            return exact_shapley(game, self.players)
        return sampled_shapley(game, self.orders)


def _as_dataset(exchange: Exchange, mixed: Mixed, sides: tuple[Side, Side]) -> xr.Dataset:
    game = _on_scale(exchange, mixed, sides)
    everybody = 2**exchange.players - 1
    gap = game[everybody] - game[0]
    largest = max(abs(game[everybody]), abs(game[0]))
    if abs(gap) <= SMALLEST_GAP * (1.0 if exchange.scale.name == "log" else largest):
        said = f"{mixed.game[0]:.6g} {mixed.said.get('units', '')}".strip()
        raise ScenarioError(f"there is no gap: the endpoint is {said} on both sides")
    shapley = exchange.divide(game)
    bits = [1 << player for player in range(exchange.players)]
    alone = [(game[bit] - game[0]) / gap for bit in bits]
    last = [(game[everybody] - game[everybody - bit]) / gap for bit in bits]
    columns: dict[str, Any] = {
        "shapley": [value / gap for value in shapley.values],
        "standard_error": [error / abs(gap) for error in shapley.errors],
        "alone": alone, "last": last, "step": shapley.values,
    }  # fmt: skip
    numbers = {
        "gap": gap, "value_from": mixed.game[0], "value_to": mixed.game[everybody],
        "interaction": 1 - math.fsum(alone), "interaction_back": 1 - math.fsum(last),
    }  # fmt: skip
    result = xr.Dataset(
        {name: ("parameter", np.array(values)) for name, values in columns.items()} | numbers,
        coords=_labels(exchange.difference),
        attrs=_attributes(exchange, mixed, sides),
    )
    _add_units(result, exchange.scale, mixed)
    order = sorted(range(exchange.players), key=lambda at: -abs(columns["shapley"][at]))
    return result.isel(parameter=order)


def _on_scale(exchange: Exchange, mixed: Mixed, sides: tuple[Side, Side]) -> dict[int, float]:
    """The game on the scale; raises ScenarioError for a mixture without a number there."""
    game = {coalition: exchange.scale.apply(value) for coalition, value in mixed.game.items()}
    names = [player.name for player in exchange.difference.players]
    for coalition in [0, 2**exchange.players - 1, *game]:
        if not math.isfinite(game[coalition]):
            own = [name for at, name in enumerate(names) if coalition >> at & 1]
            where = sides[0].name if not own else f"{sides[0].name} with {', '.join(own)} exchanged"
            where = sides[1].name if len(own) == len(names) else where
            value, scale = mixed.game[coalition], exchange.scale.name
            said = mixed.flags.get(coalition) or (
                "not reached" if value == math.inf else f"{value:g}"
            )
            hint = "--scale inverse, or an endpoint that is a number in every mixture"
            raise ScenarioError(f"the endpoint is {said} for {where}: no {scale} gap; try {hint}")
    return game


def _labels(difference: Difference) -> dict[str, Any]:
    players = difference.players
    texts = {
        "parameter": [player.name for player in players],
        "title": [player.title for player in players],
        "from": [player.texts[0] for player in players],
        "to": [player.texts[1] for player in players],
    }
    return {name: ("parameter", np.array(items, dtype=object)) for name, items in texts.items()}


def _attributes(exchange: Exchange, mixed: Mixed, sides: tuple[Side, Side]) -> dict[str, Any]:
    method = {"method": "exact", "coalitions": len(mixed.game), "runs": mixed.runs}
    if not exchange.is_exact:
        method |= {"method": "sampled", "orders": exchange.number, "seed": exchange.seed}
    named = {
        key: str(value) for key, value in mixed.said.items() if key in ("definition", "read_at")
    }
    shares = {player.name: list(player.values) for player in exchange.difference.players}
    return {
        "from": sides[0].name, "to": sides[1].name, "scale": exchange.scale.name,
        "scale_definition": exchange.scale.definition, "members": json.dumps(shares),
        "endpoint_title": str(mixed.said.get("long_name", "")), **named, **method,
    }  # fmt: skip


def _add_units(result: xr.Dataset, scale: Scale, mixed: Mixed) -> None:
    unit = str(mixed.said.get("units", ""))
    on_scale = {"linear": unit, "log": "dimensionless", "inverse": f"1/({unit})"}[scale.name]
    for name in ("value_from", "value_to"):
        result[name].attrs = {"units": unit, "long_name": f"endpoint, {name[6:]}"}
    for name in ("gap", "step"):
        result[name].attrs = {"units": on_scale, "long_name": f"{name}: {scale.definition}"}
    result["standard_error"].attrs = {"units": "dimensionless", "long_name": "of the share"}
    for name, text in DEFINITIONS.items():
        result[name].attrs = {"units": "dimensionless", "long_name": text}
