"""What of a model's compounds concerns one variant, checked against its reactions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from myelode.compounds import MOLAR_MASS, Compounds, Names
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.parameters import Parameter
from myelode.sbml import Description, Entity
from myelode.units import factor

SHARES_SUM_TO = 1e-9
"""How far the shares of a dose may be from 1 in sum: rounding."""


def fit_compounds(
    compounds: Compounds, variant: str, description: Description, elsewhere: Callable[[str], bool]
) -> Compounds:
    """The compounds with only those rows, doses and partner names that the variant has.

    `elsewhere` says whether another variant may have a name. Raises ModelError for a name that is
    in no variant, a row for what the model computes, a unit of another kind, or shares of a dose
    that do not sum to 1.
    """
    entities = description.entities
    here = _Here(entities, elsewhere)
    items = {
        name: replace(item, rows={row.name: row for row in here.rows(item.rows.values())})
        for name, item in compounds.items.items()
    }
    where = compounds.where
    found = replace(
        compounds,
        items=items,
        doses=dict(here.doses(compounds.doses, where)),
        molar_masses=dict(here.molar_masses(compounds.molar_masses, where)),
        partner=dict(here.partner(compounds.partner, where)),
    )
    for compound in items.values():
        if not compound.refused and (not compound.variants or variant in compound.variants):
            _require_whole(found, compound.name, entities)
    return found


class _Here:
    """The names of one variant."""

    def __init__(self, entities: Mapping[str, Entity], elsewhere: Callable[[str], bool]):
        self.entities = entities
        self.elsewhere = elsewhere

    def rows(self, rows: Iterable[Parameter]) -> Iterator[Parameter]:
        for row in rows:
            if self._has(row.name, row.where):
                _require_constant(self.entities[row.name], row.where)
                value_in_model(row, self.entities[row.name])
                yield row

    def doses(self, doses: Mapping[str, Names], where: str) -> Iterator[tuple[str, Names]]:
        for name, shares in doses.items():
            place = f"{where}: doses.{name}"
            if name in self.entities:
                raise ModelError(f"{place}: the model has a {name!r} of its own")
            here = [self._has(item, place) for pair in shares.items() for item in pair]
            if all(here):
                self._require_species(shares, place)
                yield name, shares

    def molar_masses(self, masses: Names, where: str) -> Iterator[tuple[str, str]]:
        """The constants by which a dose in grams becomes one in substance."""
        for name, mass in masses.items():
            place = f"{where}: doses.{name}.{MOLAR_MASS}"
            if self._has(mass, place):
                _require_constant(self.entities[mass], place)
                _convert(1.0, "g/mol", self.entities[mass], place)
                yield name, mass

    def partner(self, partner: Names, where: str) -> Iterator[tuple[str, str]]:
        for name, row in partner.items():
            place = f"{where}: partner.{name}"
            here = [self._has(item, place) for item in (name, row)]
            if all(here):
                for item in (name, row):
                    _require_constant(self.entities[item], place)
                _convert(1.0, self.entities[row].unit, self.entities[name], place)
                yield name, row

    def _has(self, name: str, where: str) -> bool:
        if name not in self.entities and not self.elsewhere(name):
            hint = best_matches(name, self.entities)
            raise ModelError(f"{where}: {name!r} is in no variant of the model{hint}")
        return name in self.entities

    def _require_species(self, shares: Names, where: str) -> None:
        """What shares a dose are species in one unit."""
        for name in shares:
            if self.entities[name].kind != "species":
                raise ModelError(f"{where}: {name!r} is no species")
        if len({self.entities[name].unit for name in shares}) > 1:
            raise ModelError(f"{where}: its species have different units")


def _require_constant(entity: Entity, where: str) -> None:
    if entity.kind != "parameter" or entity.rule is not None or entity.value is None:
        raise ModelError(f"{where}: {entity.id!r} is no constant of the model")


def value_in_model(row: Parameter, entity: Entity) -> float:
    """The value of a row in the unit that the model uses; raises ModelError for another kind."""
    return _convert(row.value, row.unit, entity, row.where)


def _convert(value: float, unit: str | None, entity: Entity, where: str) -> float:
    try:
        return value * factor(unit or "", entity.unit or "", entity.id)
    except ScenarioError as error:
        raise ModelError(f"{where}: {error}") from None


def _require_whole(compounds: Compounds, name: str, entities: Mapping[str, Entity]) -> None:
    """The shares of every dose of a compound sum to 1, where they are known before a run."""
    rows = compounds.rows(name)
    for dose, shares in compounds.doses.items():
        values = [
            value_in_model(rows[share], entities[share]) if share in rows else entities[share].value
            for share in shares.values()
        ]
        if all(value is not None for value in values):
            total = math.fsum(value for value in values if value is not None)
            if abs(total - 1) > SHARES_SUM_TO:
                raise ModelError(
                    f"{compounds.where}: doses.{dose}: the shares of {name} sum to {total:g}, not 1"
                )
