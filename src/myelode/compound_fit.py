"""What of a model's compounds concerns one variant, checked against its reactions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from myelode.compounds import BODY, MOLAR_MASS, Compounds, Names, Shares
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.parameters import Parameter
from myelode.sbml import Description, Entity
from myelode.units import factor

MASSES = "molar_masses"
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
        molar_masses=dict(here.molar_masses(compounds, where)),
        body=dict(here.body(compounds.body, where)),
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

    def doses(self, doses: Mapping[str, Shares], where: str) -> Iterator[tuple[str, Shares]]:
        for name, shares in doses.items():
            place = f"{where}: doses.{name}"
            if name in self.entities:
                raise ModelError(f"{place}: the model has a {name!r} of its own")
            names = [*shares, *(share for share in shares.values() if isinstance(share, str))]
            here = [self._has(item, place) for item in names]
            if all(here):
                self._require_species(shares, place)
                yield name, shares

    def molar_masses(self, compounds: Compounds, where: str) -> Iterator[tuple[str, str]]:
        """The constants by which what is written in grams becomes substance."""
        for name, mass in compounds.molar_masses.items():
            is_dose = name in compounds.doses
            place = f"{where}: " + (f"doses.{name}.{MOLAR_MASS}" if is_dose else f"{MASSES}.{name}")
            if self._has_constant(mass, "g/mol", place) and (is_dose or self._has(name, place)):
                yield name, mass

    def body(self, body: Mapping[str, Names], where: str) -> Iterator[tuple[str, Names]]:
        """The sizes of a body by which each dose may be written here."""
        for name, constants in body.items():
            place = f"{where}: doses.{name}"
            here = {
                key: self._has_constant(constant, BODY[key], f"{place}.{key}")
                for key, constant in constants.items()
            }
            yield name, {key: constants[key] for key in here if here[key]}

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

    def _has_constant(self, name: str, unit: str, where: str) -> bool:
        """Whether this variant has a constant; raises ModelError for one of another kind."""
        if not self._has(name, where):
            return False
        _require_constant(self.entities[name], where)
        _convert(1.0, unit, self.entities[name], where)
        return True

    def _require_species(self, shares: Shares, where: str) -> None:
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
        values = [_value_of(share, rows, entities) for share in shares.values()]
        if all(value is not None for value in values):
            total = math.fsum(value for value in values if value is not None)
            if abs(total - 1) > SHARES_SUM_TO:
                raise ModelError(
                    f"{compounds.where}: doses.{dose}: the shares of {name} sum to {total:g}, not 1"
                )


def _value_of(
    share: str | float, rows: Mapping[str, Parameter], entities: Mapping[str, Entity]
) -> float | None:
    """A share of a dose as a compound has it; None where it is not known before a run."""
    if not isinstance(share, str):
        return share
    return value_in_model(rows[share], entities[share]) if share in rows else entities[share].value
